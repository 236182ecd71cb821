"""The playground: a call made by hand, with everything that was sent and came."""

from typing import Final

from portico.web.inside.room import Room

ROOMS: Final[tuple[Room, ...]] = ()
