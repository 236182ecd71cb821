"""IP addresses as numbers: which are of the open Internet, and which an operator allows beside them.

No spelling of an address (decimal, octal, hexadecimal, mapped into IPv6 …) can hide what it is, since spellings are gone
by the time it is judged.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

import msgspec

_NAT64: Final = ip_network("64:ff9b::/96")
_NAT64_LOCAL: Final = ip_network("64:ff9b:1::/48")
_SITE_LOCAL: Final = ip_network("fec0::/10")
_FORBIDDEN_V4: Final = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carriers' own, and some clouds' metadata
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
    )
)


class AllowList(msgspec.Struct, frozen=True):
    """What an operator allows beside public addresses: host names, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, entries: Sequence[str]) -> "AllowList":
        """Host names and networks (`files.example`, `10.1.0.0/16`, `127.0.0.1`). Raises `ValueError` for neither."""
        hosts: set[str] = set()
        networks: list[IPv4Network | IPv6Network] = []
        for entry in entries:
            try:
                networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                if not entry or any(character in entry for character in "/:@?# "):
                    raise ValueError(f"{entry!r} is neither a host name nor a network") from None
                hosts.add(entry.lower().rstrip("."))
        return cls(frozenset(hosts), tuple(networks))

    def allows(self, host: str, address: IPv4Address | IPv6Address) -> bool:
        return host.lower().rstrip(".") in self.hosts or any(address in network for network in self.networks)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the open Internet, seen through every way of wrapping IPv4 into IPv6."""
    if isinstance(address, IPv6Address):
        inner = _inside(address)
        if inner is not None:
            return is_public(inner)
        if address in _NAT64_LOCAL or address in _SITE_LOCAL:
            return False
    elif any(address in network for network in _FORBIDDEN_V4):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_loopback or address.is_link_local
    )


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if int(address) >> 32 == 0 and int(address) > 1:  # the deprecated ::a.b.c.d
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
