"""The console is tried in the rooms that all pages behind the door are tried in."""

from inside.conftest import rooms, rooms_anywhere

__all__ = ["rooms", "rooms_anywhere"]
