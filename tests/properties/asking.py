"""Asking the strict simulator without a socket, and counting which rows were asked about."""

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import event

import tally
from portico.catalog import load_catalog
from portico.core.dialect import Rendered
from portico.core.target import Target
from portico.dialects import gemini, openai_chat
from portico.simulator import Simulator
from portico.wire import jsontext
from portico.wire.http import Headers, HttpRequest
from portico.wire.sse import Frame, SseDecoder
from properties.chat_requests import Aim, Asked

CHAT, GEMINI = openai_chat.DIALECT, gemini.DIALECT
CATALOG = load_catalog()
SIMULATOR = Simulator()
HITS: Counter[str] = tally.counter("rows hit")
"""Row of mapping.md -> requests that exercised it."""
ASKED: Counter[str] = tally.counter("requests asked")


class Memory:
    """An exchange that keeps what is written and never waits."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.status = 0
        self.data = bytearray()

    @property
    def started(self) -> bool:
        return self.status != 0

    @property
    def ended(self) -> bool:
        return False

    @property
    def written_bytes(self) -> int:
        return len(self.data)

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        self.start(status, headers)
        self.write(body)

    def start(self, status: int, headers: Headers) -> None:
        del headers
        self.status = status

    def write(self, data: bytes) -> bool:
        self.data += data
        return True

    async def drain(self) -> None: ...

    def finish(self) -> None: ...

    def abort(self) -> None: ...

    def take_room(self, size: int) -> None:
        """There is always room."""

    def on_gone(self, tell: Callable[[], None] | None) -> None:
        del tell  # nobody leaves


def at_once(coroutine: Coroutine[Any, Any, None]) -> None:
    """Runs what never waits; so no event loop is needed."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


def rendered(asked: Asked, aim: Aim, name: str) -> Rendered:
    """The body Google would get. Counts the rows."""
    for row in asked.rows:
        event(row)
    HITS.update(asked.rows)
    ASKED[name] += 1
    request = CHAT.parse_request(jsontext.decode(jsontext.encode(asked.body)))
    return GEMINI.render_request(request, target(aim))


def target(aim: Aim) -> Target:
    return Target(aim.model, aim.kind, CATALOG.capabilities_for(aim.model, aim.kind), small_max_tokens=2048)


def posted(aim: Aim, body: Any, *, stream: bool = False) -> Memory:
    """The simulator's answer to a body."""
    method = "streamGenerateContent" if stream else "generateContent"
    path = f"/v1beta/models/{aim.model}:{method}"
    if aim.kind == "vertex":
        path = f"/v1beta1/projects/p/locations/global/publishers/google/models/{aim.model}:{method}"
    headers = {"authorization": "Bearer a-key"} if aim.kind == "vertex" else {"x-goog-api-key": "a-key"}
    exchange = Memory(HttpRequest("POST", path, "alt=sse" if stream else "", headers, jsontext.encode(body)))
    at_once(SIMULATOR(exchange))
    return exchange


def frames(exchange: Memory) -> list[Frame]:
    """The frames of a streamed answer."""
    decoder = SseDecoder()
    return decoder.feed(bytes(exchange.data)) + decoder.close()
