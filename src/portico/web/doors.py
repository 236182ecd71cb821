"""The web app: pages that anybody sees (`house.py`), and those behind the door (`inside/`)."""

from typing import Final

from starlette.types import Receive, Scope, Send

from portico.web import admin, console, payments, people, playground
from portico.web.house import House
from portico.web.inside.app import Inside
from portico.web.inside.room import Room

ROOMS: Final[tuple[Room, ...]] = (*people.ROOMS, *payments.ROOMS, *playground.ROOMS, *console.ROOMS, *admin.ROOMS)
"""Every room behind the door."""


class Doors:
    """The ASGI app."""

    def __init__(self, house: House, inside: Inside) -> None:
        self._house = house
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._inside if self._inside.owns(scope["path"]) else self._house
        await app(scope, receive, send)
