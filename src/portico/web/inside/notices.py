"""What a page says of what was just done (`?done=…`): a word in the address, and never a text from it."""

from collections.abc import Mapping
from typing import Final

NOTICES: Final[Mapping[str, str]] = {
    "saved": "Saved.",
    "signed-out": "You have signed out.",
    "session-ended": "The session was ended.",
    "key-paused": "The key is paused: within a second it opens nothing.",
    "key-resumed": "The key works again.",
    "key-revoked": "The key is revoked for good.",
}
