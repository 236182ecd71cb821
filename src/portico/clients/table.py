"""Which clients there are, in the order in which they are shown."""

from typing import Final

from portico.clients.client import Client
from portico.clients.codex import CODEX
from portico.clients.openclaw import OPENCLAW

CLIENTS: Final[tuple[Client, ...]] = (OPENCLAW, CODEX)


def client_named(name: str) -> Client | None:
    return next((client for client in CLIENTS if client.name == name), None)
