"""The console: what an account has left, what it spent and why; its keys, receipts and payments."""

from typing import Final

from portico.web.console import keys
from portico.web.inside.room import Room

ROOMS: Final[tuple[Room, ...]] = (*keys.ROOMS,)
