"""Where a URL leads: the origin a connection is made to, and what is asked of it.

Nothing here can put a space, a line end or a control character into a request line.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_TARGET: Final = re.compile(r"/[!-~]*")
_HOST: Final = re.compile(r"[0-9A-Za-z._\-]+|[0-9A-Fa-f:.]+(%[0-9A-Za-z]+)?")
_PORTS: Final = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Connections to one origin may be used for one another."""

    scheme: str
    host: str
    port: int


class Address(NamedTuple):
    origin: Origin
    authority: str
    """The Host header."""
    target: str
    """Path and query; in absolute form where a proxy is asked."""
    fields: str = ""
    """Header lines that go with every request there."""


def parse_address(url: str) -> Address:
    """Raises `ValueError` for what is not an http or https URL with a host."""
    parts = urlsplit(url)
    scheme = parts.scheme
    default_port = _PORTS.get(scheme)
    if default_port is None:
        raise ValueError("not an http or https URL")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL must not carry a user or a password")
    host = parts.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if not _HOST.fullmatch(host):
        raise ValueError("the URL has no valid host")
    port = parts.port or default_port
    target = parts.path or "/"
    if parts.query:
        target = f"{target}?{parts.query}"
    if not _TARGET.fullmatch(target):
        raise ValueError("the path or query of the URL is not percent-encoded")
    name = f"[{host.partition('%')[0]}]" if ":" in host else host
    authority = name if port == default_port else f"{name}:{port}"
    return Address(Origin(scheme, host, port), authority, target)
