"""What a page says of what was just done (`?done=…`): a word in the address, and never a text from it."""

from collections.abc import Mapping
from typing import Final

NOTICES: Final[Mapping[str, str]] = {
    "saved": "Saved.",
    "redeemed": "The code was redeemed. Its amount is in the balance.",
    "not-paid": "Nothing was paid.",
    "signed-out": "You have signed out.",
    "not-signed-in": "You were no longer signed in. Nothing was changed.",
    "session-ended": "The session was ended.",
    "key-paused": "The key is paused: within a second it opens nothing.",
    "key-resumed": "The key works again.",
    "key-revoked": "The key is revoked for good.",
    "password-set": "You have a new password. Everybody else who was signed in as you is signed out.",
    "welcome": "Welcome.",
    "joined": "You are in.",
    "role-set": "The role was changed.",
    "member-removed": "They are no longer in this account.",
    "left": "You have left the account.",
    "invitation-withdrawn": "The invitation was taken back. Its link opens nothing any more.",
    "connected": "Connected. You can sign in that way from now on.",
    "disconnected": "Disconnected.",
    "topped-up": "The money was booked.",
    "refunded": "The refund was booked.",
    "closed": "The account was closed. Its books stay.",
    "made": "It was made.",
    "removed": "It was removed.",
    "woken": "It is asked again.",
    "resting": "It rests now.",
    "ending": "The call is being ended.",
    "published": "The prices were published.",
    "unchanged": "These prices are published already. Nothing was changed.",
    "dropped": "The draft was dropped.",
    "kept": "The draft was kept.",
    "disabled": "It was disabled.",
    "enabled": "It was enabled.",
}
