"""Callers behind proxies: who is believed, how far, and what nobody can make up."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edges.sockets import Caller, settle, soon
from portico.http.forwarded import TrustedProxies
from portico.http.server import Server
from portico.wire.http import Exchange, HttpRequest

Call = Callable[[Server], Awaitable[Caller]]

TRUSTED = TrustedProxies.of(["10.0.0.0/8", "192.168.1.7", "fd00::/8"])
FOR, PROTO, FORWARDED = "x-forwarded-for", "x-forwarded-proto", "forwarded"


def behind(headers: dict[str, str], peer: str = "10.0.0.1", scheme: str = "http") -> tuple[str, str]:
    request = HttpRequest(method="GET", path="/", query="", headers=headers, body=b"", peer=peer, scheme=scheme)
    told = TRUSTED.behind(request)
    assert (told.headers, told.path) == (request.headers, request.path)
    return told.peer, told.scheme


CASES: dict[str, tuple[dict[str, str], tuple[str, str]]] = {
    "nothing is said": ({}, ("10.0.0.1", "http")),
    "one proxy": ({FOR: "203.0.113.9"}, ("203.0.113.9", "http")),
    "one proxy and a scheme": ({FOR: "203.0.113.9", PROTO: "https"}, ("203.0.113.9", "https")),
    "several proxies": ({FOR: "203.0.113.9, 10.2.0.1, 192.168.1.7"}, ("203.0.113.9", "http")),
    "made up by the caller": ({FOR: "1.1.1.1, 10.9.9.9, 203.0.113.9, 10.2.0.1"}, ("203.0.113.9", "http")),
    "all are trusted": ({FOR: "10.3.0.1, 10.2.0.1"}, ("10.3.0.1", "http")),
    "a port": ({FOR: "203.0.113.9:4711"}, ("203.0.113.9", "http")),
    "IPv6": ({FOR: "2001:db8::9"}, ("2001:db8::9", "http")),
    "IPv6 and a port": ({FOR: "[2001:DB8:0::9]:4711"}, ("2001:db8::9", "http")),
    "IPv4 as IPv6": ({FOR: "203.0.113.9, ::ffff:10.0.0.2"}, ("203.0.113.9", "http")),
    "no address at all": ({FOR: "unknown"}, ("10.0.0.1", "http")),
    "no address behind a proxy": ({FOR: "1.1.1.1, unknown, 10.2.0.1"}, ("10.2.0.1", "http")),
    "empty": ({FOR: ""}, ("10.0.0.1", "http")),
    "empty places": ({FOR: "203.0.113.9,, 10.2.0.1"}, ("10.2.0.1", "http")),
    "nonsense": ({FOR: "203.0.113.9, 10.2.0.1.5"}, ("10.0.0.1", "http")),
    "a scheme for each": ({FOR: "203.0.113.9, 10.2.0.1", PROTO: "https, http"}, ("203.0.113.9", "https")),
    "a scheme made up by the caller": ({FOR: "9.9.9.9, 203.0.113.9", PROTO: "https,http"}, ("203.0.113.9", "http")),
    "the nearest proxy's scheme": ({FOR: "203.0.113.9", PROTO: "http, https"}, ("203.0.113.9", "https")),
    "no scheme of the web": ({FOR: "203.0.113.9", PROTO: "javascript"}, ("203.0.113.9", "http")),
    "more proxies than there are": ({FOR: "203.0.113.9" + ", 10.2.0.1" * 40}, ("10.2.0.1", "http")),
    "Forwarded": ({FORWARDED: "for=203.0.113.9;proto=https;by=10.0.0.1"}, ("203.0.113.9", "https")),
    "Forwarded, quoted": ({FORWARDED: 'For="[2001:db8::9]:4711"; PROTO=HTTPS'}, ("2001:db8::9", "https")),
    "Forwarded, several": (
        {FORWARDED: "for=1.1.1.1;proto=https, for=203.0.113.9;proto=http, for=10.2.0.1;proto=https"},
        ("203.0.113.9", "http"),
    ),
    "Forwarded, hidden": ({FORWARDED: 'for=1.1.1.1, for="_secret", for=10.2.0.1'}, ("10.2.0.1", "http")),
    "Forwarded, marks within quotes": ({FORWARDED: 'by="a,b;c";for=203.0.113.9'}, ("203.0.113.9", "http")),
    "Forwarded, an open quote of the caller's": ({FORWARDED: 'for=6.6.6.6;x=", for=203.0.113.9'}, ("10.0.0.1", "http")),
    "Forwarded, an open quote and a quoting proxy": (
        {FORWARDED: 'for=6.6.6.6;x=", for="[2001:db8::9]"'},
        ("10.0.0.1", "http"),
    ),
    "Forwarded, an escape": ({FORWARDED: 'for=6.6.6.6;x="\\", for="203.0.113.9"'}, ("10.0.0.1", "http")),
    "Forwarded, without an address": ({FORWARDED: "proto=https"}, ("10.0.0.1", "https")),
    "both agree": ({FOR: "203.0.113.9", FORWARDED: "for=203.0.113.9;proto=https"}, ("203.0.113.9", "http")),
    "both, one of them the caller's": ({FOR: "203.0.113.9", FORWARDED: "for=1.1.1.1"}, ("10.0.0.1", "http")),
}


@pytest.mark.parametrize(("headers", "expected"), CASES.values(), ids=CASES)
def test_a_caller_is_the_last_address_that_is_not_trusted(headers: dict[str, str], expected: tuple[str, str]) -> None:
    assert behind(headers) == expected


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("10.200.0.1", True),
        ("::ffff:10.200.0.1", True),
        ("192.168.1.7", True),
        ("fd12::1", True),
        ("fd12::1%eth0", True),
        ("", False),
        ("192.168.1.8", False),
        ("11.0.0.1", False),
        ("::1", False),
        ("not an address", False),
    ],
)
def test_a_peer_is_believed_only_from_where_the_operator_says(peer: str, *, trusted: bool) -> None:
    assert TRUSTED.trusts(peer) is trusted
    assert not TrustedProxies().trusts(peer)


@pytest.mark.parametrize("entry", ["", "10.0.0.0/33", "proxy.example", "10.0.0", "10.0.0.1:80", "unix"])
def test_what_is_no_network_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        TrustedProxies.of([entry])


addresses = st.ip_addresses().map(str)


@given(st.text(), st.text(), addresses)
def test_nothing_that_a_caller_sends_changes_what_its_proxy_says_of_it(first: str, second: str, real: str) -> None:
    """The proxy appends; whatever stood there before, the caller is the one it saw, or is not told at all."""
    if TRUSTED.trusts(real):
        return
    seen = str(ip_address(real).ipv4_mapped or real) if ":" in real else real  # type: ignore[union-attr]
    for_, scheme = behind({FOR: f"{first}, {real}", PROTO: second})
    assert (for_, scheme in ("http", "https")) == (seen, True)
    shown = f'"[{real}]"' if ":" in real else real
    assert behind({FORWARDED: f"{first}, for={shown};proto=https"}) in {(seen, "https"), ("10.0.0.1", "http")}


async def kept(exchange: Exchange) -> None:
    request = exchange.request
    exchange.send(200, [], f"{request.peer} {request.scheme}".encode())


MESSAGE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 203.0.113.9\r\n"
    b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n\r\n"
)


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [(["127.0.0.0/8"], b"203.0.113.9 https"), (["127.0.0.2"], b"127.0.0.1 http"), ([], b"127.0.0.1 http")],
)
async def test_the_app_is_told_the_caller_and_not_the_proxy(call: Call, trusted: list[str], expected: bytes) -> None:
    server = await Server(kept, proxies=TrustedProxies.of(trusted)).start()
    caller = await call(server)
    assert (await caller.ask(MESSAGE)).body == expected
    for at in range(len(MESSAGE)):
        caller.send(MESSAGE[at : at + 1])
        await settle()
    assert (await caller.reply()).body == expected
    caller.send(MESSAGE * 3)
    assert [(await caller.reply()).body for _ in range(3)] == [expected] * 3
    await soon(server.stop(grace_s=0))
