"""Request messages out of bytes, and the refusal of everything that two parsers could understand differently.

httptools refuses by itself (RFC 9112 11.2): repeated, conflicting or malformed Content-Length, Content-Length beside
Transfer-Encoding, folded lines, bare CR or LF, spaces before a colon or in a chunk size. Added here: a coding other than
`chunked`, codings in HTTP/1.0, no Host, two or a bad one, other versions, targets that are not paths, and every limit.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from typing import Final

import httptools

from portico.http.again import KnownHead, known_head
from portico.http.budget import NO_ROOM, Budget
from portico.http.fields import add_field
from portico.http.limits import Limits
from portico.wire.http import HttpRequest

Deliver = Callable[[HttpRequest, bool, bool], None]
"""`(request, keep_alive, version_1_0)` for each message read to its end."""

Inquiry = Callable[[], Awaitable[None]]
"""Finds out, once, who sends a request. Raises `Refusal` for a stranger."""

Admit = Callable[[str, str, Mapping[str, str]], Inquiry | None]
"""`(path, query, headers)` of a request whose body is long. Raises `Refusal` for a stranger's, of which no more is read.
None: it is read on; else it is once the inquiry has found out who sends it."""

STRANGERS_BYTES: Final = 64 * 1024
"""So much of a body is read of anybody. Without that, room for bodies could be taken, and held, by who has no key."""
DRAINED_BYTES: Final = 1024 * 1024
"""A body there is no room for is thrown away up to this size, so that its connection can go on; of a longer one nothing
more is read."""
_LINE_EXTRA_BYTES: Final = 4
"""Colon, space and line end."""


_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]*)?")
_HOSTS_KEPT: Final = 1024
_hosts = {""}
"""Values of Host already found good. An empty one is (RFC 9112 3.2), where the target has no host either."""


class Refusal(Exception):
    """The caller's message is not acceptable. The connection ends with the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class _Enough(Exception):
    """Nothing more is read on this connection."""


class RequestReader:
    """Fed with bytes, it delivers whole requests. Must be closed, for it and its parser hold each other."""

    __slots__ = (
        "_admit",
        "_body",
        "_budget",
        "_deliver",
        "_head_bytes",
        "_judged",
        "_keep_alive",
        "_known",
        "_limits",
        "_more",
        "_overhead_bytes",
        "_parser",
        "_peer",
        "_progressed",
        "_scheme",
        "_taken_bytes",
        "_unread",
        "_upgrade",
        "_url",
        "_version_1_0",
        "body_bytes",
        "continue_due",
        "head_done",
        "headers",
        "in_message",
        "inquiry",
        "last",
    )

    def __init__(
        self,
        limits: Limits,
        peer: str,
        deliver: Deliver,
        budget: Budget | None = None,
        admit: Admit | None = None,
        *,
        scheme: str = "http",
    ) -> None:
        self._limits = limits
        self._peer = peer
        self._scheme = scheme
        self._deliver = deliver
        self._budget = budget or Budget()
        self._admit = admit
        self._judged = admit is None
        """Nothing (more) is to be asked of who sends the message being read."""
        self._taken_bytes = 0
        """What of the budget the message being read has taken."""
        self._unread = False
        """There is no room for its body, which is thrown away."""
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body = b""
        self._more: BytesIO | None = None
        """The body once it has come in more than one piece: it grows in place, and is handed over without a copy."""
        self._head_bytes = 0
        self._overhead_bytes = 0
        self._progressed = False
        """The slice being fed has begun a message or brought a piece of a body."""
        self._upgrade = False
        self._keep_alive = True
        self._version_1_0 = False
        self._known: KnownHead | None = None
        self.headers: dict[str, str] = {}
        self.body_bytes = 0
        self.in_message = False
        self.head_done = False
        self.continue_due = False
        """The caller waits for leave to send its body."""
        self.inquiry: Inquiry | None = None
        """To be made before more is fed of the message being read."""
        self.last = False
        """No message is to be begun any more; one already begun is still read."""

    def close(self) -> None:
        self.let_go()
        del self._parser, self._deliver, self._admit

    def let_go(self) -> None:
        """Forgets the body of the message being read: it will not be delivered."""
        self._body = b""
        self._more = None
        self._budget.give_back(self._taken_bytes)
        self._taken_bytes = 0

    def path(self) -> str:
        """The path of the message being read, "" if it cannot be told."""
        try:
            return self._target()[0]
        except Refusal:
            return ""

    def again(self, data: bytes) -> bool:
        """Delivers a whole request whose head is that of the one before. False for anything else, which is to be fed."""
        known = self._known
        if known is None or self.in_message or self.last:
            return False
        body = known.body_of(data, self._limits.max_body_bytes)
        if body is None or not self._budget.take_at_once(len(body)):
            return False
        headers = {**known.headers, "content-length": str(len(body))}
        request = HttpRequest(known.method, known.path, known.query, headers, body, self._peer, self._scheme)
        self._deliver(request, True, False)
        return True

    def learn(self, data: bytes) -> None:
        """Remembers the head of a request that was fed in this one piece, for `again`."""
        if not self.in_message and self._keep_alive and not self._version_1_0 and not self.last:
            method = self._parser.get_method().decode("ascii")
            self._known = known_head(data, method, *self._target(), self.headers)

    def feed(self, data: bytes | memoryview) -> bool:
        """False when nothing more is to be fed. Raises `Refusal`."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as pause:
            return self._ignore_upgrade(data[pause.args[0] :])
        except httptools.HttpParserError as error:
            reason = error.__context__
            if isinstance(reason, Refusal):
                raise reason from None
            if isinstance(reason, MemoryError):
                raise Refusal(503, NO_ROOM) from None
            if isinstance(reason, _Enough) or not (self.in_message or self._keep_alive):
                return False
            raise Refusal(400, f"The request is not valid HTTP: {error}.") from None
        if self._progressed:
            self._progressed = False
            self._overhead_bytes = 0
        elif self.in_message:
            # A header, a trailer or a chunk extension without an end is kept by the parser before it tells of it.
            self._overhead_bytes += len(data)
            if self._overhead_bytes > self._limits.max_head_bytes:
                raise Refusal(431, "The request headers are too large.")
        return True

    def _ignore_upgrade(self, rest: bytes | memoryview) -> bool:
        """The parser stops before the body of a request that offers an upgrade. None is taken here, so the same request is
        read again without the offer (RFC 9110 7.8)."""
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise Refusal(400, "CONNECT is not served here.")
        headers = self.headers
        offered = headers.pop("connection", "").split(",")
        options = [option for option in (word.strip().lower() for word in offered) if option in ("close", "keep-alive")]
        del headers["upgrade"]
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        if options:
            lines.append(f"connection: {', '.join(options)}\r\n")
        version = b"1.0" if self._version_1_0 else b"1.1"
        head = b"%b %b HTTP/%b\r\n%b\r\n" % (method, self._url, version, "".join(lines).encode("latin-1"))
        self._parser = httptools.HttpRequestParser(self)
        self._upgrade = False
        last, self.last = self.last, False  # This one has begun already.
        goes_on = self.feed(head)
        self.last = last
        return goes_on and (not rest or self.feed(rest))

    # The parser speaks.

    def on_message_begin(self) -> None:
        if self.last:
            raise _Enough
        self.in_message = True
        self.head_done = False
        self.headers = {}
        self.body_bytes = 0
        self._progressed = True
        self._head_bytes = 0
        self._url = b""
        self._unread = False
        self._body = b""
        self._more = None
        self._judged = self._admit is None
        self.inquiry = None

    def on_url(self, data: bytes) -> None:
        self._url += data

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + _LINE_EXTRA_BYTES
        if self.head_done:  # A trailer: read and not used (RFC 9110 6.5.1), yet bounded.
            if self._head_bytes > self._limits.max_head_bytes:
                raise Refusal(431, "The request trailers are too large.")
            return
        repeated = len(self.headers)
        if add_field(self.headers, name, value) == "host" and repeated == len(self.headers):
            raise Refusal(400, "The request has more than one Host.")

    def on_headers_complete(self) -> None:
        parser = self._parser
        headers = self.headers
        self.head_done = True
        self._progressed = True
        if self._head_bytes + len(self._url) > self._limits.max_head_bytes:
            raise Refusal(431, "The request headers are too large.")
        version = parser.get_http_version()
        self._version_1_0 = version == "1.0"
        if version == "1.1":
            host = headers.get("host")
            if host is None:
                raise Refusal(400, "The request has no Host.")
            if host not in _hosts:
                _learn_host(host)
        elif not self._version_1_0:
            raise Refusal(400, "The request is not HTTP/1.1.")
        self._keep_alive = parser.should_keep_alive()
        self._upgrade = parser.should_upgrade()
        self._check_framing(headers)
        expect = headers.get("expect")
        if expect is not None and not self._version_1_0:
            if expect.lower() != "100-continue":
                raise Refusal(417, "The only expectation met here is 100-continue.")
            self.continue_due = not self._upgrade
        if not self._upgrade:
            self._make_room(headers)

    def _make_room(self, headers: Mapping[str, str]) -> None:
        """Room for a body whose length was declared; one that comes in chunks makes its own as it grows."""
        length = 0 if "transfer-encoding" in headers else int(headers.get("content-length", 0))
        if not length:
            return
        if length > STRANGERS_BYTES and not self._judged:
            self._judge()
        if self.inquiry is not None:
            return  # who may be a stranger takes room for what has come, and no more
        if self._budget.take(length):
            self._taken_bytes = length
        elif self.continue_due or length > DRAINED_BYTES:
            # Whoever waits for leave to send may or may not send it all the same: only closing leaves no doubt.
            raise Refusal(503, NO_ROOM)
        else:
            self._unread = True

    def _judge(self) -> None:
        self._judged = True
        if self._admit is not None:
            path, query = self._target()
            self.inquiry = self._admit(path, query, self.headers)

    def _grow(self, size: int) -> None:
        """Room for a piece that was not declared."""
        if self.body_bytes <= self._taken_bytes or self._unread:
            return
        if self.body_bytes > STRANGERS_BYTES and not self._judged:
            self._judge()
        if self._budget.take(size):
            self._taken_bytes += size
        else:
            self.let_go()
            self._unread = True

    def _check_framing(self, headers: Mapping[str, str]) -> None:
        coding = headers.get("transfer-encoding")
        if coding is not None:
            if self._version_1_0 or coding.lower() != "chunked":
                raise Refusal(400, "The only transfer coding understood here is chunked.")
        else:
            length = headers.get("content-length")
            if length is not None and int(length) > self._limits.max_body_bytes:
                raise self._too_large()

    def _too_large(self) -> Refusal:
        return Refusal(413, f"The request body is larger than {self._limits.max_body_bytes} bytes.")

    def on_body(self, data: bytes) -> None:
        self._progressed = True
        self.continue_due = False
        self.body_bytes += len(data)
        if self.body_bytes > self._limits.max_body_bytes:
            raise self._too_large()
        self._grow(len(data))
        if self._unread:
            if self.body_bytes > DRAINED_BYTES:
                raise Refusal(503, NO_ROOM)
            return
        if self._more is not None:
            self._more.write(data)
        elif self._body:
            self._more = BytesIO()
            self._more.write(self._body)
            self._more.write(data)
            self._body = b""
        else:
            self._body = data

    def on_message_complete(self) -> None:
        if self._upgrade:
            return
        self.in_message = False
        self.continue_due = False
        self.inquiry = None  # whoever is handed the request looks who sends it
        self._progressed = True
        path, query = self._target()
        body = self._body if self._more is None else self._more.getvalue()
        self._body, self._more = b"", None
        request = HttpRequest(
            method=self._parser.get_method().decode("ascii"),
            path=path,
            query=query,
            headers=self.headers,
            body=body,
            peer=self._peer,
            unread=self._unread,
            scheme=self._scheme,
        )
        self._taken_bytes = 0  # From here on whoever holds the request gives back the length of its body.
        self._deliver(request, self._keep_alive, self._version_1_0)

    def _target(self) -> tuple[str, str]:
        """Path and query of a target in origin form, in absolute form, or `*`. Raises `Refusal`."""
        url = self._url
        if not url.startswith(b"/") and url != b"*":
            scheme, mark, rest = url.partition(b"://")
            if not mark or scheme.lower() not in (b"http", b"https"):
                raise Refusal(400, "The request target is not understood.")
            start = min((at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0), default=len(rest))
            # Its host counts, whatever the header says (RFC 9112 3.2.2).
            self.headers["host"] = _checked_host(rest[:start].decode("latin-1"), "target")
            url = rest[start:] if rest[start : start + 1] == b"/" else b"/" + rest[start:]
        if b"#" in url or not url.isascii():
            raise Refusal(400, "The request target is not valid.")
        path, _, query = url.decode("ascii").partition("?")
        return path, query


def _checked_host(host: str, where: str) -> str:
    """RFC 9110 7.2; a user before it is refused, for it is there to deceive (4.2.4). Raises `Refusal`."""
    if _HOST.fullmatch(host) is None:
        raise Refusal(400, f"The request {where} has no valid host.")
    return host


def _learn_host(host: str) -> None:
    _checked_host(host, "header")
    if len(_hosts) < _HOSTS_KEPT and len(host) <= 255:
        _hosts.add(host)
