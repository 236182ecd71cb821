"""Which proxy leads to an origin, from the variables that everybody knows (HTTPS_PROXY, NO_PROXY …).

There is no standard; where curl, Go and Python agree, this does as they do. Where they differ:
- the lower-case name wins, set to nothing too (curl, Python);
- HTTP_PROXY in capitals counts for nothing where REQUEST_METHOD is set, for there a caller may have set it with a
  header "Proxy:" (CVE-2016-5385);
- `example.com`, `.example.com` and `*.example.com` in NO_PROXY all mean the name and what ends in it (curl);
- an entry may have a port; addresses and networks are compared as numbers, and names are not looked up for it (Go);
- `localhost` and the machine's own addresses are never asked for through a proxy, for they mean another machine there (Go).
"""

import base64
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from portico.http.address import Origin, parse_address
from portico.providers import Secret

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
_PORT: Final = re.compile(r"(?P<host>[^:]+|\[[^\]]*\]):(?P<port>\d+)")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Proxy(msgspec.Struct, frozen=True):
    """An HTTP proxy; with the scheme https, spoken to over TLS. Its repr does not show the credentials."""

    origin: Origin
    authorization: Secret | None = None
    """The value of Proxy-Authorization."""

    @classmethod
    def of(cls, url: str, source: str) -> "Proxy":
        """From `[http[s]://][user[:password]@]host[:port][/]`. Raises `ValueError`, which does not repeat the URL."""
        url = url if _SCHEME.match(url) else f"http://{url}"
        scheme = url.partition("://")[0].lower()
        if scheme not in ("http", "https"):
            raise ValueError(f"{scheme} proxies are not supported; http and https ones are")
        try:
            parts = urlsplit(url)
            user, password = parts.username, parts.password
            plain = parse_address(f"{scheme}://{parts.netloc.rpartition('@')[2]}/")
        except ValueError:
            raise ValueError("not the address of a proxy, such as http://user:password@host:3128") from None
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("the address of a proxy ends with its port")
        if user is None and password is None:
            return cls(plain.origin)
        credentials = f"{unquote(user or '')}:{unquote(password or '')}"
        if _CONTROL.search(credentials) or ":" in unquote(user or ""):
            raise ValueError("the proxy's user or password has a character that cannot be sent (RFC 7617)")
        encoded = base64.b64encode(credentials.encode()).decode("ascii")
        return cls(plain.origin, Secret(f"Basic {encoded}", source))

    @property
    def url(self) -> str:
        """Its address, which shows no credentials."""
        scheme, host, port = self.origin
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    @property
    def header(self) -> str:
        """The header line that shows the proxy our credentials; nothing without any."""
        return f"proxy-authorization: {self.authorization.reveal()}\r\n" if self.authorization else ""


class _Exception(msgspec.Struct, frozen=True):
    """One entry of NO_PROXY: a network, or a name and all that ends in it; with a port, that port only."""

    name: str
    network: IPv4Network | IPv6Network | None
    port: int | None

    def covers(self, host: str, address: IPv4Address | IPv6Address | None, port: int) -> bool:
        """`address` is what the host is, if it is one."""
        if self.port is not None and self.port != port:
            return False
        if self.network is not None or address is not None:
            return self.network is not None and address is not None and address in self.network
        return host == self.name or host.endswith(f".{self.name}")


class Proxies(msgspec.Struct, frozen=True):
    """The proxy of each scheme, and what is reached without one."""

    http: Proxy | None = None
    https: Proxy | None = None
    exceptions: tuple[_Exception, ...] = ()
    all_excepted: bool = False

    def leading_to(self, origin: Origin) -> Proxy | None:
        proxy = self.https if origin.scheme == "https" else self.http
        if proxy is None or self.all_excepted:
            return None
        host = origin.host.lower().rstrip(".")
        address = _number(host)
        if host == "localhost" or host.endswith(".localhost") or (address is not None and address.is_loopback):
            return None
        if any(exception.covers(host, address, origin.port) for exception in self.exceptions):
            return None
        return proxy


NONE: Final = Proxies()


def proxies_of(environment: Mapping[str, str]) -> tuple[Proxies, list[tuple[str, str]]]:
    """The proxies an environment names; and for each variable that cannot be used its name and why."""
    problems: list[tuple[str, str]] = []
    fallback, fallback_name = _variable(environment, "all_proxy")

    def named(variable: str) -> Proxy | None:
        value, name = _variable(environment, variable)
        if value is None:
            value, name = fallback, fallback_name
        if not value:
            return None
        try:
            return Proxy.of(value, f"env:{name}")
        except ValueError as error:
            if (name, str(error)) not in problems:
                problems.append((name, str(error)))
            return None

    http, https = named("http_proxy"), named("https_proxy")
    entries = re.split(r"[,\s]+", (_variable(environment, "no_proxy")[0] or "").lower())
    exceptions = [_exception(entry) for entry in entries if entry.strip(".") and entry != "*"]
    return Proxies(http, https, tuple(exceptions), "*" in entries), problems


def _variable(environment: Mapping[str, str], name: str) -> tuple[str | None, str]:
    """The value of a variable in either case, None if it is not there; and the name it has."""
    if name in environment:
        return environment[name].strip(), name
    upper = name.upper()
    if upper == "HTTP_PROXY" and "REQUEST_METHOD" in environment:
        return None, upper
    value = environment.get(upper)
    return None if value is None else value.strip(), upper


def _exception(entry: str) -> _Exception:
    port = None
    found = _PORT.fullmatch(entry)
    if found:
        entry, port = found["host"], int(found["port"])
    try:
        return _Exception("", ip_network(entry.strip("[]"), strict=False), port)
    except ValueError:
        return _Exception(entry.removeprefix("*").strip("."), None, port)


def _number(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
