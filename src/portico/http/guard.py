"""Which addresses a caller may send the gateway to: public ones, and what the operator allows beside them.

A name is resolved once, every address it gives is judged (`core/address.py`), and the connection goes to one of exactly
these: an answer that changes between the check and the connection changes nothing.
"""

import asyncio
import socket
from ipaddress import ip_address

from portico.core.address import AllowList, is_public
from portico.core.errors import InvalidRequest


class ForbiddenAddress(InvalidRequest):
    """The URL leads to an address that the gateway does not fetch from."""

    code = "forbidden_url"


class GuardedResolver:
    """Names -> addresses that may be connected to."""

    def __init__(self, allowed: AllowList | None = None) -> None:
        self._allowed = allowed or AllowList()

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses of a host. Raises `ForbiddenAddress` if any of them is not public and none allows it."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
        for text in addresses:
            address = ip_address(text.partition("%")[0])
            if not (self._allowed.allows(host, address) or is_public(address)):
                raise ForbiddenAddress(f"{host} leads to an address that is not public.")
        return addresses
