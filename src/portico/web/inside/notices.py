"""What a page says of what was just done (`?done=…`): a word in the address, and never a text from it."""

from collections.abc import Mapping
from typing import Final

NOTICES: Final[Mapping[str, str]] = {
    "saved": "Saved.",
    "signed-out": "You have signed out.",
    "session-ended": "The session was ended.",
}
