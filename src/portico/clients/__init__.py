"""What each client has to be told so that it asks this Portico: pure functions of what Portico says of itself.

Nothing here reads a file, the environment or the network. `told` is what a client is told of, `client` what a client is,
`table` which there are, `merge` how settings come into a file that is somebody's own.
"""

from portico.clients.client import Client, Moved
from portico.clients.settings import Default, File, Format, Members, Owned, Setting, Settings, Whole
from portico.clients.table import CLIENTS, client_named
from portico.clients.told import Api, Card, Told

__all__ = [
    "CLIENTS",
    "Api",
    "Card",
    "Client",
    "Default",
    "File",
    "Format",
    "Members",
    "Moved",
    "Owned",
    "Setting",
    "Settings",
    "Told",
    "Whole",
    "client_named",
]
