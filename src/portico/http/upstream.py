"""One connection to a provider: one request at a time out, its answer in.

A connection that has answered completely, in a framing that leaves no doubt where the answer ended, may be used again; in
every other case it is closed. Between answers a provider has nothing to say: a byte out of turn closes the connection.
"""

import asyncio
import contextlib
import socket
import struct
from math import inf
from typing import Final, Protocol, cast

import httptools

from portico.core.errors import UpstreamBadGateway, UpstreamIncomplete, UpstreamTimeout, UpstreamUnreachable
from portico.http.address import Origin
from portico.http.answer import Answer
from portico.http.deadlines import Deadlines
from portico.http.fields import KNOWN_NAMES, add_field
from portico.http.outbox import Outbox
from portico.http.sendqueue import unacknowledged_bytes
from portico.relay.ports import UpstreamRequest

_RESET: Final = struct.pack("ii", 1, 0)
"""Linger for no time: closing resets."""
_SOON_BYTES: Final = 64 * 1024
"""Bodies up to this size are joined to the head and sent with what else is sent in a turn; larger ones are not copied."""


_INTERIM_BYTES: Final = 64
"""What an interim answer counts against the limit of the head, so that there cannot be many."""


class NothingTaken(UpstreamIncomplete):
    """The provider closed a kept-alive connection without taking the request: it may be sent again."""


class Owner(Protocol):
    """The pool a connection belongs to."""

    deadlines: Deadlines
    outbox: Outbox
    idle_limit_s: float
    max_head_bytes: int

    def opened(self, connection: "UpstreamConnection") -> None: ...

    def free(self, connection: "UpstreamConnection") -> None:
        """The connection has answered and may be used again."""

    def lost(self, connection: "UpstreamConnection") -> None: ...


class UpstreamConnection(asyncio.Protocol):
    """A keep-alive connection to one origin."""

    __slots__ = (
        "_answer",
        "_bodiless",
        "_head_bytes",
        "_head_done",
        "_headers",
        "_idle_timeout_s",
        "_interim",
        "_keep_alive",
        "_loop",
        "_message_done",
        "_overhead_bytes",
        "_owner",
        "_parser",
        "_paused",
        "_progressed",
        "_repeatable",
        "_request_bytes",
        "_reused",
        "_taken",
        "_touched",
        "_until_close",
        "_unwritten",
        "deadline",
        "origin",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, owner: Owner, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        self._owner = owner
        self._loop = loop
        self.origin = origin
        self._parser = httptools.HttpResponseParser(self)
        self._answer: Answer | None = None
        self._reused = False
        self.deadline = inf
        self._request_bytes = 0
        self._taken = True
        """The provider may have received some of the request."""
        self._paused = False
        self._unwritten = b""
        """A request that is to be sent at the end of the loop's turn."""
        self._begin("GET")

    def _begin(self, method: str) -> None:
        self._bodiless = method == "HEAD"
        self._repeatable = method in ("GET", "HEAD")
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._head_done = False
        self._interim = False
        self._message_done = False
        self._overhead_bytes = 0
        self._progressed = False
        self._touched = False
        """A byte of the answer has arrived."""
        self._until_close = False

    # The pool speaks.

    @property
    def usable(self) -> bool:
        return self._answer is None and not self.transport.is_closing()

    def ask(self, request: UpstreamRequest, head: bytes) -> Answer:
        """Sends the request. What comes of it is the answer's to tell, whose head is to be waited for: that raises
        `NothingTaken`, and what the port says."""
        if self.transport.is_closing():
            raise UpstreamUnreachable("The provider closed the connection before anything was sent.")
        self._begin(request.method)
        body = request.body
        answer = self._answer = Answer(self._loop, self)
        self._idle_timeout_s = request.idle_timeout_s
        self._request_bytes = len(head) + len(body)
        self._taken = True
        if len(body) <= _SOON_BYTES:
            self._unwritten = head + body
            self._owner.outbox.add(self)
        else:
            self.transport.write(head)
            self.transport.write(body)
        self._be_patient(request.first_byte_timeout_s)
        return answer

    def flush(self) -> None:
        """Sends the request that was to be sent at the end of the loop's turn (`http/outbox.py`)."""
        data, self._unwritten = self._unwritten, b""
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        """Ends an idle connection."""
        self.transport.close()

    def shut(self) -> None:
        """Ends the connection whatever it is doing."""
        self._fail(UpstreamIncomplete("The gateway is shutting down."))

    # The answer speaks.

    def pause(self) -> None:
        self.deadline = inf
        self._paused = True
        self.transport.pause_reading()

    def resume(self) -> None:
        self._be_patient(self._idle_timeout_s)
        self._paused = False
        self.transport.resume_reading()

    def drop(self) -> None:
        """Ends the connection so that the provider sees it at once, even one that is silent: a reset, since the mere end
        of what we send could also mean that we still listen (mapping.md 3.7)."""
        self._answer = None
        self.deadline = inf
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    # Time.

    def _be_patient(self, seconds: float) -> None:
        self.deadline = deadline = self._loop.time() + seconds
        deadlines = self._owner.deadlines
        if deadline < deadlines.soonest:
            deadlines.at_latest(deadline)

    def expired(self) -> None:
        self.deadline = inf
        if self._answer is None:
            self.close()
        else:
            self._fail(UpstreamTimeout())

    # The transport speaks.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._owner.opened(self)

    def eof_received(self) -> None:
        """A provider that closed before the request reached it has acknowledged none of it: the segment that ends its side
        acknowledges whatever its kernel had received by then. A reset proves nothing, nor does a system that cannot
        tell: the request may have been received, and a generation must never be started twice.
        """
        unsent = len(self._unwritten) + unacknowledged_bytes(self.transport)
        self._taken = unsent < self._request_bytes

    def connection_lost(self, exc: Exception | None) -> None:
        answer, self._answer = self._answer, None
        self._unwritten = b""
        if answer is not None:
            if self._until_close and exc is None:
                answer.end()
            elif self._touched or not self._reused:
                answer.fail(UpstreamIncomplete())
            elif self._repeatable or not self._taken:
                answer.fail(NothingTaken())
            else:
                answer.fail(UpstreamIncomplete("The provider closed the connection without an answer."))
        self._owner.lost(self)
        del self._parser  # It holds this object too.

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:  # Nothing was asked.
            self.transport.abort()
            return
        if self._unwritten:  # It spoke before it was asked: whatever that is, it is no answer to this.
            self._fail(NothingTaken())
            return
        self._touched = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._message_done:
                reason = error.__context__
                self._fail(reason if isinstance(reason, Exception) else UpstreamBadGateway())
                return
            self._keep_alive = False
        if self._message_done:
            self._finish(answer)
            return
        if self._progressed:
            self._progressed = False
            self._overhead_bytes = 0
        else:
            self._overhead_bytes += len(data)
            if self._overhead_bytes > self._owner.max_head_bytes:
                self._fail(UpstreamBadGateway("The headers of the provider's answer are too large."))
                return
        if self._head_done and self.deadline < inf:
            self.deadline = self._loop.time() + self._idle_timeout_s

    def _finish(self, answer: Answer) -> None:
        self._answer = None
        answer.end()
        if self.transport.is_closing():
            return
        if not self._keep_alive or self.transport.get_write_buffer_size():
            self.deadline = inf
            self.transport.close()
            return
        self._reused = True
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        self._be_patient(self._owner.idle_limit_s)
        self._owner.free(self)

    def _fail(self, error: Exception) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.fail(error)
        self.drop()

    # The parser speaks.

    def on_message_begin(self) -> None:
        if self._message_done:
            raise UpstreamBadGateway
        self._progressed = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self._owner.max_head_bytes:
            raise UpstreamBadGateway("The headers of the provider's answer are too large.")
        if self._head_done:  # A trailer.
            return
        known, headers = KNOWN_NAMES.get(name), self._headers
        if known is None or known in headers:
            add_field(headers, name, value)
        else:  # As nearly always, and there are a dozen of them in an answer.
            headers[known] = value.decode("latin-1").rstrip(" \t")

    def on_headers_complete(self) -> None:
        parser = self._parser
        status = parser.get_status_code()
        if status < 200:
            if status < 100 or status == 101:
                raise UpstreamBadGateway
            if "content-length" in self._headers or "transfer-encoding" in self._headers:
                raise UpstreamBadGateway("The provider's interim answer claims to have a body.")  # RFC 9110 8.6
            self._interim = True
            self._headers = {}
            self._head_bytes += _INTERIM_BYTES
            if self._head_bytes > self._owner.max_head_bytes:
                raise UpstreamBadGateway("The provider's interim answers do not end.")
            return
        headers = self._headers
        self._head_done = True
        self._progressed = True
        self._keep_alive = parser.should_keep_alive()
        coding = headers.get("transfer-encoding")
        if coding is not None and coding.lower() != "chunked":
            raise UpstreamBadGateway("The provider's answer is in a transfer coding that was not asked for.")
        answer = self._answer
        if answer is None:
            raise UpstreamBadGateway
        self._be_patient(self._idle_timeout_s)
        answer.begin(status, headers)
        if self._bodiless:  # The parser does not know that it was asked HEAD, and waits for a body.
            self._message_done = True
            self._keep_alive = False
        else:
            if status == 204 and (coding is not None or headers.get("content-length", "0") != "0"):
                self._keep_alive = False  # No content, and yet some may follow.
            self._until_close = coding is None and "content-length" not in headers

    def on_body(self, data: bytes) -> None:
        self._progressed = True
        if self._answer is not None and not self._message_done:
            self._answer.push(data)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
            return
        self._message_done = True
