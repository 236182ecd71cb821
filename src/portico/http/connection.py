"""One connection from a caller: requests in, answers out, one at a time and in order.

Nothing is parsed while an answer is being written; what arrives meanwhile waits, and beyond a bound the socket is not
read. The connection has one deadline, of which it changes the meaning with what it waits for.
"""

import asyncio
import sys
from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Final, cast

import msgspec

from portico.http.exchange import CONTINUE, HttpExchange
from portico.http.forwarded import TrustedProxies
from portico.http.reader import Inquiry, Refusal, RequestReader
from portico.http.sendqueue import unacknowledged_bytes
from portico.wire.http import HttpRequest

if TYPE_CHECKING:
    from portico.http.server import Server

SLICE_BYTES: Final = 16 * 1024
"""The parser is fed in slices: one slice bounds how many pipelined messages are parsed ahead of their turn."""
HELD_BYTES: Final = 64 * 1024
"""Pipelined bytes that may wait while a request is being answered, before the socket is no longer read."""
WRITE_HIGH_WATER_BYTES: Final = 64 * 1024
SOON_BYTES: Final = 8 * 1024
"""More than this is not held until the end of the loop's turn."""
LINGER_S = 5.0
"""How long what a refused caller still sends is thrown away, so that a reset does not destroy our answer (RFC 9112 9.6)."""
FAREWELL_S = 1.0 if sys.platform == "linux" else 30.0
"""How long TLS waits for the other side's close_notify (RFC 8446 6.1 does not ask it to) before it is looked whether all
was taken; elsewhere than on Linux nobody can tell."""
SLOWEST_BODY_BYTES: Final = 1024
"""A body that brings less than this per body timeout is too slow."""
PROBE_S = 0.1
"""The silence before a half-closed caller is first probed. Of one that has left the first probe fetches a reset, which the
second finds, for no loop looks at a side that has ended; who waits is to be told little."""
LONGER: Final = 3.0
"""How much longer the silence before each later probe is, while something can be said."""

_IDLE: Final = 0
_HEAD: Final = 1
_BODY: Final = 2


class _Refused(msgspec.Struct, frozen=True):
    """A refusal waiting for its turn."""

    status: int
    message: str
    path: str
    headers: Mapping[str, str]


class Connection(asyncio.Protocol):
    """Keeps the order of answers, and watches the caller's patience and ours."""

    __slots__ = (
        "_body_mark",
        "_eof",
        "_exchange",
        "_held",
        "_held_bytes",
        "_inquiring",
        "_limits",
        "_lingering",
        "_loop",
        "_out",
        "_out_bytes",
        "_phase",
        "_probe_s",
        "_proxies",
        "_queue",
        "_reader",
        "_reading_paused",
        "_secure",
        "_server",
        "_unsent_mark",
        "_waiters",
        "budget",
        "deadline",
        "last_answer",
        "transport",
        "write_paused",
    )

    transport: asyncio.Transport
    _reader: RequestReader
    _secure: bool
    """TLS is spoken."""
    _proxies: TrustedProxies | None
    """Set when the peer is one of them."""

    def __init__(self, server: "Server", loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._limits = server.limits
        self.budget = server.budget
        self._exchange: HttpExchange | None = None
        self._queue: list[tuple[HttpRequest, bool, bool] | _Refused] = []
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._reading_paused = False
        self._inquiring: asyncio.Task[None] | None = None
        """Finds out who sends the body that is being read. Meanwhile no more of it is."""
        self._out: list[bytes] = []
        """Written soon."""
        self._out_bytes = 0
        self._eof = False
        """The caller has ended its side."""
        self._lingering = False
        """The last answer has been written; what arrives is thrown away."""
        self._waiters: list[asyncio.Future[None]] = []
        self._phase = _IDLE
        self._body_mark = 0
        self._unsent_mark = 0
        self._probe_s = PROBE_S
        self.deadline = inf
        self.last_answer = False
        """No request is taken after the current one."""
        self.write_paused = False

    # The transport speaks.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=WRITE_HIGH_WATER_BYTES)
        name = transport.get_extra_info("peername")
        peer = name[0] if isinstance(name, tuple) else ""
        self._secure = transport.get_extra_info("sslcontext") is not None
        scheme = "https" if self._secure else "http"
        server = self._server
        self._reader = RequestReader(self._limits, peer, self._take, self.budget, server.admit, scheme=scheme)
        proxies = server.proxies
        self._proxies = proxies if proxies is not None and proxies.trusts(peer) else None
        self.deadline = self._loop.time() + self._limits.header_timeout_s
        self._server.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._server.disconnected(self)
        self._reader.close()
        self._forget_waiting()
        if self._inquiring is not None:
            self._inquiring.cancel()
        self._held.clear()
        self._out.clear()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.detach()
            self._server.caller_gone(exchange)
        self._wake_writers()

    def eof_received(self) -> bool:
        """A caller may end its side and wait for the answer; one that has left looks the same until something is sent.

        So while a request is unanswered the transport stays open, and an HTTP/1.1 caller that waits in silence is probed
        with what says nothing (`HttpExchange.probe`): a caller that has left answers with a reset, and the app is
        cancelled. So a caller that closed its connection is missed within half a second, also in the middle of a stream in
        which no comment may stand; one whose machine is gone is for `http/keepalive.py` to find. (TLS has no
        half-closed connections in asyncio.)
        """
        self.flush()  # Saying False closes the transport, which knows only what it was given.
        if self._exchange is None or self._secure:
            return False
        self._eof = True
        if not self._queue and not self._held:
            self._take_no_more()
        if not self.write_paused:
            self._be_patient(self._probe_s)
        return True

    def pause_writing(self) -> None:
        self.write_paused = True
        self._unsent_mark = self._unsent()
        self._be_patient(self._limits.stall_timeout_s)

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._exchange is not None:
            self.deadline = inf
            if self._eof:
                self._be_patient(self._probe_s)
        self._wake_writers()

    def data_received(self, data: bytes) -> None:
        if self._exchange is not None or self._inquiring is not None:
            self._hold(data)
        elif not self._lingering and not self.transport.is_closing():
            self._feed(data)

    # Reading.

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > HELD_BYTES and not self._reading_paused:
            self._reading_paused = True
            self.transport.pause_reading()

    def _feed(self, data: bytes) -> None:
        reader = self._reader
        if reader.again(data):
            return
        begins = not reader.in_message
        try:
            if len(data) <= SLICE_BYTES:
                reader.feed(data)
            else:
                self._feed_slices(data)
        except Refusal as refusal:
            self._refuse(refusal)
            return
        if self._exchange is not None:
            if begins and not self._queue and not self._held:
                reader.learn(data)
        elif reader.in_message:
            self._read_on()

    def _read_on(self) -> None:
        """Waits for more of a message, once it is known whose it is."""
        reader = self._reader
        self._time_message()
        if reader.inquiry is not None:
            inquiry, reader.inquiry = reader.inquiry, None
            self._inquiring = self._loop.create_task(self._inquire(inquiry))
        elif reader.continue_due:
            reader.continue_due = False
            self.write_now(CONTINUE)

    async def _inquire(self, inquiry: Inquiry) -> None:
        refused: Refusal | None = None
        try:
            await inquiry()
        except Refusal as refusal:
            refused = refusal
        finally:
            self._inquiring = None
        if self._lingering or self.transport.is_closing():
            return
        if refused is None:
            self._go_on()
        else:
            self._refuse(refused)

    def _feed_slices(self, data: bytes) -> None:
        view = memoryview(data)
        at = 0
        while at < len(data) and self._reader.feed(view[at : at + SLICE_BYTES]):
            at += SLICE_BYTES
            if (self._exchange is not None or self._reader.inquiry is not None) and at < len(data):
                self._hold(data[at:])
                return

    def _feed_held(self) -> None:
        data = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        self._held.clear()
        self._held_bytes = 0
        self._feed(data)

    def _take(self, request: HttpRequest, keep_alive: bool, version_1_0: bool) -> None:
        self._phase = _IDLE
        if self._proxies is not None:
            request = self._proxies.behind(request)
        if self._exchange is None:
            self._dispatch(request, keep_alive=keep_alive, version_1_0=version_1_0)
        else:
            self._queue.append((request, keep_alive, version_1_0))

    def _take_no_more(self) -> None:
        self.last_answer = True
        self._reader.last = True

    def _forget_waiting(self) -> None:
        """Requests that will not have their turn."""
        for waiting in self._queue:
            if not isinstance(waiting, _Refused):
                self.budget.give_back(waiting[0].body_bytes)
        self._queue.clear()

    # Answering.

    def _dispatch(self, request: HttpRequest, *, keep_alive: bool, version_1_0: bool) -> None:
        exchange = HttpExchange(self, request, keep_alive=keep_alive, version_1_0=version_1_0)
        self._exchange = exchange
        if self._eof:
            self._be_patient(self._probe_s)
        elif not self.write_paused:
            self.deadline = inf
        self._server.run(exchange)

    def answered(self, *, keep_alive: bool) -> None:
        """The current answer is complete: the next request has its turn."""
        if len(self._server.running) == 1:
            self.flush()  # nobody else's could go along, and what its call leaves to be done would hold it up
        self._exchange = None
        if not keep_alive or self.transport.is_closing():
            self._close()
            return
        if self._queue:
            waiting = self._queue.pop(0)
            if isinstance(waiting, _Refused):
                self._refuse_now(waiting)
            else:
                request, keep_alive, version_1_0 = waiting
                self._dispatch(request, keep_alive=keep_alive, version_1_0=version_1_0)
            return
        self._go_on()

    def _go_on(self) -> None:
        """With what has come meanwhile."""
        if self._held and self._reader.inquiry is None:
            self._feed_held()
            if self._busy():
                return
        self._listen()

    def _busy(self) -> bool:
        return self._exchange is not None or self._inquiring is not None or self._lingering

    def _listen(self) -> None:
        """Waits for the rest of a request, or for the next one."""
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resume_reading()
        if self._eof or (self.last_answer and not self._reader.in_message):
            self._close()
        elif self._reader.in_message:
            self._read_on()
        elif not self.write_paused:
            self._be_patient(self._limits.idle_timeout_s)

    def _refuse(self, refusal: Refusal) -> None:
        self._reader.let_go()
        refused = _Refused(refusal.status, refusal.message, self._reader.path(), self._reader.headers)
        if self._exchange is not None:
            self._queue.append(refused)
        else:
            self._refuse_now(refused)

    def _refuse_now(self, refused: _Refused) -> None:
        """Answers, ends our side, and throws away what the caller still sends until it ends its own."""
        self._lingering = True
        self._held.clear()
        self.write_now(self._server.refusal(refused.status, refused.message, refused.path, refused.headers))
        if self._eof or (self._secure and not (self._reader.in_message and self._reader.head_done)):
            self._close()
            return
        if not self._secure:  # TLS has no end of one side alone in asyncio: who sends on reads our answer, and leaves.
            self.transport.write_eof()
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resume_reading()
        self._be_patient(LINGER_S)

    def _close(self) -> None:
        """Closes once everything written has been taken."""
        self._take_no_more()
        self.flush()
        self._unsent_mark = sys.maxsize if self._secure else self._unsent()
        self.transport.close()
        self._be_patient(FAREWELL_S if self._secure else self._limits.stall_timeout_s)

    def drop(self) -> None:
        """Closes at once; what the caller's side has no room for is lost."""
        self._exchange = None
        self.flush()
        self.transport.abort()

    def retire(self) -> None:
        """Takes no further request; closes now if none is being read or answered."""
        self._take_no_more()
        if self._exchange is None and not self._lingering and not self._reader.in_message:
            self._close()

    # Writing.

    def write_soon(self, data: bytes) -> None:
        """Writes at the end of this turn of the loop, together with what else is written in it."""
        if not self._out:
            self._server.outbox.add(self)
        self._out.append(data)
        self._out_bytes += len(data)
        if self._out_bytes > SOON_BYTES:
            self.flush()

    def write_now(self, data: bytes) -> None:
        """Writes at once, behind what was to be written soon."""
        if self._out:
            self._out.append(data)
            self.flush()
        else:
            self.transport.write(data)

    def flush(self) -> None:
        """Writes what was to be written soon."""
        out = self._out
        if out:
            data = out[0] if len(out) == 1 else b"".join(out)
            out.clear()
            self._out_bytes = 0
            self.transport.write(data)

    # Flow and time.

    async def drained(self) -> None:
        """Returns when the caller has taken enough."""
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake_writers(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _be_patient(self, seconds: float) -> None:
        self.deadline = deadline = self._loop.time() + seconds
        deadlines = self._server.deadlines
        if deadline < deadlines.soonest:
            deadlines.at_latest(deadline)

    def _time_message(self) -> None:
        phase = _BODY if self._reader.head_done else _HEAD
        if phase != self._phase or self.deadline == inf:
            self._phase = phase
            self._body_mark = 0
            self._be_patient(self._limits.body_timeout_s if phase == _BODY else self._limits.header_timeout_s)

    def expired(self) -> None:
        self.deadline = inf
        reader = self._reader
        if self.write_paused or self.transport.is_closing():
            self._expect_taking()
        elif self._lingering:
            self.transport.abort()
        elif self._exchange is not None:
            if self._eof:
                self._probe(self._exchange)
        elif not reader.in_message:
            self._close()
        elif self._phase == _BODY and reader.body_bytes - self._body_mark >= SLOWEST_BODY_BYTES:
            self._body_mark = reader.body_bytes
            self._be_patient(self._limits.body_timeout_s)
        else:
            part = "body" if reader.head_done else "headers"
            self._refuse(Refusal(408, f"The request {part} did not arrive in time."))

    def _unsent(self) -> int:
        """Bytes the caller has not taken. With TLS the transport does not know: there is another one below it."""
        return unacknowledged_bytes(self.transport) if self._secure else self.transport.get_write_buffer_size()

    def _expect_taking(self) -> None:
        unsent = self._unsent()
        if 0 < unsent < self._unsent_mark:
            self._unsent_mark = unsent
            self._be_patient(self._limits.stall_timeout_s)
        else:
            self.transport.abort()

    def _probe(self, exchange: HttpExchange) -> None:
        if exchange.probe():
            self._probe_s *= LONGER
            self._be_patient(self._probe_s)
