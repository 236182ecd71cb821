"""The console: what an account has left, what it spent and why; its keys, receipts and payments."""

from typing import Final

from portico.web.console import keys, overview, parts, receipts, statements, usage
from portico.web.inside.room import Room

ROOMS: Final[tuple[Room, ...]] = (
    *overview.ROOMS,
    *usage.ROOMS,
    *receipts.ROOMS,
    *statements.ROOMS,
    *keys.ROOMS,
    *parts.ROOMS,
)
