"""Who a caller is behind proxies: what X-Forwarded-For, X-Forwarded-Proto and Forwarded (RFC 7239) say.

The rule: a header is believed as far as proxies that the operator trusts have written it. The list is walked from its end,
where the nearest proxy wrote, past every trusted address; the first that is not trusted is the caller, and what stands
before it is the caller's own invention. From a peer that is not trusted nothing is believed at all.

A proxy passes on the header that it does not write itself, as the caller sent it. So where both are there they must tell
of the same caller, or neither is believed.
"""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

import msgspec

from portico.wire.http import HttpRequest

MAX_PROXIES: Final = 32
"""More trusted proxies than this one behind another there are not."""
_SCHEMES: Final = frozenset({"http", "https"})


class _Hop(msgspec.Struct, frozen=True):
    """What one proxy said of who connected to it. An `address` of None is none: unknown, or a made-up name."""

    address: str | None
    scheme: str | None


class TrustedProxies(msgspec.Struct, frozen=True):
    """Addresses that are believed."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, entries: Sequence[str]) -> "TrustedProxies":
        """Addresses and networks (`10.0.0.7`, `10.0.0.0/8`, `::1`). Raises `ValueError` for anything else."""
        return cls(tuple(ip_network(str(entry), strict=False) for entry in entries))

    def trusts(self, peer: str) -> bool:
        """Whether a peer's word is believed."""
        address = _address(peer)
        return address is not None and any(ip_address(address) in network for network in self.networks)

    def behind(self, request: HttpRequest) -> HttpRequest:
        """The request as its caller made it, of a trusted peer."""
        headers = request.headers
        listed, told = headers.get("x-forwarded-for"), headers.get("forwarded")
        if listed is None and told is None:
            return request
        seen = self._walk(_x_hops(listed, headers), request) if listed is not None else None
        also = self._walk(_hops(told), request) if told is not None else None
        if seen is not None and also is not None and seen.address != also.address:
            return request
        hop = seen or also
        if hop is None:
            return request
        peer, scheme = hop.address or request.peer, hop.scheme or request.scheme
        return msgspec.structs.replace(request, peer=peer, scheme=scheme)

    def _walk(self, hops: Sequence[_Hop], request: HttpRequest) -> _Hop:
        """The last hop that is not trusted; else the first; an unknown one is its proxy's address."""
        found = _Hop(request.peer, None)
        for hop in reversed(hops):
            if hop.address is None:
                return _Hop(found.address, hop.scheme)
            found = hop
            if not self.trusts(hop.address):
                break
        return found


def _x_hops(listed: str, headers: Mapping[str, str]) -> list[_Hop]:
    """Of X-Forwarded-For. X-Forwarded-Proto says one scheme for each, or the nearest proxy's alone."""
    addresses = listed.split(",")
    schemes = headers.get("x-forwarded-proto", "").split(",")
    if len(schemes) != len(addresses):
        schemes = schemes[-1:] * len(addresses)
    nearest = zip(addresses[-MAX_PROXIES:], schemes[-MAX_PROXIES:], strict=True)
    return [_Hop(_address(address.strip()), _scheme(scheme)) for address, scheme in nearest]


def _hops(told: str) -> list[_Hop]:
    """Of Forwarded: elements apart by commas, pairs by semicolons, either of which may stand within quotes.

    Where a quote is not closed, a caller may have wrapped what a proxy wrote behind it: then nothing is told.
    """
    if told.count('"') % 2 or "\\" in told:
        return [_Hop(None, None)]
    hops = []
    for element in _apart(told, ",")[-MAX_PROXIES:]:
        pairs = dict.fromkeys(("for", "proto"), "")
        for pair in _apart(element, ";"):
            name, _, value = pair.partition("=")
            if name.strip().lower() in pairs:
                pairs[name.strip().lower()] = value.strip().strip('"')
        hops.append(_Hop(_address(pairs["for"]), _scheme(pairs["proto"])))
    return hops


def _apart(text: str, mark: str) -> list[str]:
    """The pieces between marks that are not within quotes."""
    pieces, start, quoted = [], 0, False
    for at, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == mark and not quoted:
            pieces.append(text[start:at])
            start = at + 1
    return [*pieces, text[start:]]


def _scheme(word: str) -> str | None:
    word = word.strip().lower()
    return word if word in _SCHEMES else None


def _address(word: str) -> str | None:
    """An IP address in its usual spelling, without brackets, port and zone; None if it is none."""
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        address = ip_address(word.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)
