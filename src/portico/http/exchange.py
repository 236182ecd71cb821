"""One request at the server and the one answer it gets: how an answer becomes bytes.

An answer is framed here and nowhere else. A call of `send` is one write to the transport; what `start`, `write` and
`finish` write in one turn of the loop goes out together (`http/outbox.py`).
Once the caller has gone every method does nothing: the app learns of it by being cancelled.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from portico.core.errors import GatewayBusy
from portico.http.budget import NO_ROOM
from portico.http.fields import STATUS_LINES, render_fields
from portico.wire.http import Headers, HttpRequest

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from portico.http.connection import Connection

_BODILESS: Final = frozenset({204, 304})
_CHUNKED: Final = -1
_UNTIL_CLOSE: Final = -2
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_LAST_CHUNK: Final = b"0\r\n\r\n"
MAX_ZEROS: Final = 8
"""Before the size of one chunk: parsers read at least sixteen digits, and no chunk written here needs more than eight."""


class HttpExchange:
    """`wire.http.Exchange` on one connection."""

    __slots__ = (
        "_budget",
        "_connection",
        "_keep_alive",
        "_lacks_room",
        "_left",
        "_mute",
        "_started",
        "_zeros",
        "ended",
        "request",
        "room_bytes",
        "task",
        "version_1_0",
        "when_gone",
        "written_bytes",
    )

    def __init__(self, connection: "Connection", request: HttpRequest, *, keep_alive: bool, version_1_0: bool) -> None:
        self.request = request
        self.task: asyncio.Task[None] | None = None
        self.ended = False
        """The answer is complete, or the connection is gone: nothing more can be written."""
        self.room_bytes = 0
        """What it has taken of the budget beside its body."""
        self._budget = connection.budget
        self._lacks_room = False
        self._connection: Connection | None = connection
        self._keep_alive = keep_alive
        self.version_1_0 = version_1_0
        self.when_gone: Callable[[], None] | None = None
        """Called when the caller goes away, instead of the task being cancelled."""
        self._started = False
        self.written_bytes = 0
        self._zeros = 0
        self._mute = request.method == "HEAD"
        """The answer has no body, whatever is written."""
        self._left = _CHUNKED
        """Bytes of a declared body still to come, or one of the two framings without a length."""

    @property
    def started(self) -> bool:
        return self._started

    def ends(self) -> tuple[tuple[str, int] | None, tuple[str, int | None] | None]:
        """Addresses of the two ends of the connection: its other end, and this one (path and None: a Unix socket)."""
        connection = self._connection
        if connection is None:
            return None, None
        there = connection.transport.get_extra_info("peername")
        here = connection.transport.get_extra_info("sockname")
        caller = (there[0], there[1]) if isinstance(there, tuple) else None
        return caller, (here[0], here[1]) if isinstance(here, tuple) else (here, None) if here else None

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        fields, noted = render_fields(headers)
        length = len(body)
        if noted and (declared := noted.get("content-length")) is not None:
            if self._mute and not body:
                length = _checked_length(declared)
            elif declared != str(length):
                raise ValueError("content-length is not the length of the body")
        if status not in _BODILESS:
            framing = f"content-length: {length}\r\n"
        elif body:
            raise ValueError(f"an answer of status {status} has no body")
        else:
            framing = ""
        head = self._head(status, fields, framing, noted)
        self.written_bytes = len(body)
        connection = self._connection
        if connection is not None:
            connection.write_soon(head if self._mute else head + body)
            self._end(connection)

    def start(self, status: int, headers: Headers) -> None:
        fields, noted = render_fields(headers)
        declared = noted.get("content-length")
        if status in _BODILESS:
            framing = ""
        elif declared is not None:
            self._left = _checked_length(declared)
            framing = f"content-length: {declared}\r\n"
        elif self.version_1_0:
            self._left = _UNTIL_CLOSE
            self._keep_alive = False
            framing = ""
        else:
            framing = "transfer-encoding: chunked\r\n"
        head = self._head(status, fields, framing, noted)
        if not framing and self._left == _CHUNKED:
            self._mute = True
        if self._connection is not None:
            self._connection.write_soon(head)

    def write(self, data: bytes) -> bool:
        if not self._started:
            raise RuntimeError("write before start")
        self.written_bytes += len(data)
        connection = self._connection
        if connection is None:
            return True
        if self._mute or not data:  # An empty chunk would end the body.
            return not connection.write_paused
        self._zeros = 0
        if self._left == _CHUNKED:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        elif self._left >= 0:
            self._left -= len(data)
            if self._left < 0:
                raise ValueError("the body is longer than its content-length")
        connection.write_soon(data)
        return not connection.write_paused

    async def drain(self) -> None:
        connection = self._connection
        if connection is not None and connection.write_paused:
            await connection.drained()

    def finish(self) -> None:
        if not self._started:
            raise RuntimeError("finish before start")
        connection = self._connection
        if connection is None:
            return
        if not self._mute:
            if self._left > 0:
                raise ValueError("the body is shorter than its content-length")
            if self._left == _CHUNKED:
                connection.write_soon(_LAST_CHUNK)
        self._end(connection)

    def probe(self) -> bool:
        """Writes something that says nothing, to see whether anybody takes it; False if there is nothing of the kind.

        Before the answer that is an interim response, which every client has to skip (RFC 9110 15.2); within a chunked
        one a leading zero of the next chunk's size (RFC 9112 7.1: a size is any number of digits).
        """
        connection = self._connection
        if connection is None or self.version_1_0:
            return False
        if not self._started:
            connection.write_now(CONTINUE)
            return True
        if self._left != _CHUNKED or self._mute or self._zeros == MAX_ZEROS:
            return False
        self._zeros += 1
        connection.write_now(b"0")
        return True

    def take_room(self, size: int) -> None:
        if self.task is None or not self._budget.take_at_once(size):  # what is over gives nothing back any more
            if not self._lacks_room:  # one request is refused, however many files it names
                self._lacks_room = True
                self._budget.refused_bodies += 1
            raise GatewayBusy(NO_ROOM)
        self.room_bytes += size

    def on_gone(self, tell: "Callable[[], None] | None") -> None:
        self.when_gone = tell

    def abort(self) -> None:
        connection = self._connection
        if connection is not None:
            self.detach()
            connection.drop()

    def detach(self) -> None:
        """Nothing more reaches the connection."""
        self._connection = None
        self.ended = True

    def _head(self, status: int, fields: str, framing: str, noted: Mapping[str, str]) -> bytes:
        if self._started:
            raise RuntimeError("an answer was already started")
        if status < 200:
            raise ValueError(f"{status} is not the status of a final answer")
        self._started = True
        if noted and noted.get("connection", "").lower() == "close":
            self._keep_alive = False
        connection = self._connection
        if connection is not None and connection.last_answer:
            self._keep_alive = False
        if not self._keep_alive:
            persistence = "connection: close\r\n"
        else:
            persistence = "connection: keep-alive\r\n" if self.version_1_0 else ""
        return f"{STATUS_LINES[status]}{fields}{framing}{persistence}\r\n".encode("latin-1")

    def _end(self, connection: "Connection") -> None:
        self._connection = None
        self.ended = True
        connection.answered(keep_alive=self._keep_alive)


def _checked_length(declared: str) -> int:
    if not (declared.isascii() and declared.isdigit()):
        raise ValueError("content-length is not a number")
    return int(declared)
