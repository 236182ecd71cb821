"""The admin's desk: everything of this Portico, for whoever runs it."""

from typing import Final

from portico.web.inside.room import Room

ROOMS: Final[tuple[Room, ...]] = ()
