"""The console: what an account has left, what it spent and why; its keys, receipts and payments."""

from typing import Final

from portico.web.console import keys, receipts, usage
from portico.web.inside.room import Room

ROOMS: Final[tuple[Room, ...]] = (*usage.ROOMS, *receipts.ROOMS, *keys.ROOMS)
