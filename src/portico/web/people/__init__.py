"""The door itself: signing in and up, invitations, links that work once, and a person's own settings."""

from typing import Final

from portico.web.inside.room import Room

ROOMS: Final[tuple[Room, ...]] = ()
