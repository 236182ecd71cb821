"""An exchange held in memory, and short words for asking the simulator."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portico.simulator import Simulator
from portico.wire.http import Headers, HttpRequest

Json = dict[str, Any]


class Memory:
    """An Exchange without a server: keeps what was written, and can refuse to take more."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.status = 0
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []
        self.finished = self.aborted = False
        self.open = asyncio.Event()
        self.open.set()

    @property
    def started(self) -> bool:
        return self.status != 0

    @property
    def written_bytes(self) -> int:
        return len(self.data)

    @property
    def ended(self) -> bool:
        return self.finished or self.aborted

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        assert not self.started
        self.start(status, headers)
        self.pieces.append(body)
        self.finish()

    def start(self, status: int, headers: Headers) -> None:
        assert not self.started
        assert not self.aborted
        self.status, self.headers = status, dict(headers)

    def write(self, data: bytes) -> bool:
        assert self.started
        assert not self.finished
        assert not self.aborted
        self.pieces.append(data)
        return self.open.is_set()

    async def drain(self) -> None:
        await self.open.wait()

    def finish(self) -> None:
        self.finished = True

    def abort(self) -> None:
        self.aborted = True

    def take_room(self, size: int) -> None:
        """There is always room."""

    def on_gone(self, tell: Callable[[], None] | None) -> None:
        del tell  # nobody leaves

    def json(self) -> Any:
        return json.loads(self.data)

    def events(self) -> list[Json]:
        """The events of an SSE body, strictly framed as Google frames them."""
        frames = self.data.decode().split("\r\n\r\n")
        assert frames.pop() == ""
        assert all(frame.startswith("data: ") for frame in frames)
        return [json.loads(frame.removeprefix("data: ")) for frame in frames]


def exchange(path: str, body: Any = None, *, query: str = "", headers: Mapping[str, str] | None = None) -> Memory:
    """A POST of `body` (JSON, or bytes as they are), or a GET if it is None. The key is valid unless headers say so."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    given = {"x-goog-api-key": "a-key"} if headers is None else dict(headers)
    return Memory(HttpRequest("GET" if body is None else "POST", path, query, given, data))


async def ask(sim: Simulator, model: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Memory:
    """The exchange of one generateContent, done."""
    one = exchange(f"/v1beta/models/{model}:generateContent", body, headers=headers)
    await sim(one)
    return one


async def stream(sim: Simulator, model: str, body: Any, *, query: str = "alt=sse") -> Memory:
    """The exchange of one streamGenerateContent, done."""
    one = exchange(f"/v1beta/models/{model}:streamGenerateContent", body, query=query)
    await sim(one)
    return one


async def answer(sim: Simulator, model: str, body: Any) -> Json:
    """The response of one generateContent that is not refused."""
    one = await ask(sim, model, body)
    assert one.status == 200, one.data
    result: Json = one.json()
    return result


def user(text: str, **config: Any) -> Json:
    """A request with one user text and this generationConfig."""
    body: Json = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    if config:
        body["generationConfig"] = config
    return body


def tools(*names: str) -> list[Json]:
    """Declarations that take a city and a number."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    }
    return [{"functionDeclarations": [{"name": name, "parametersJsonSchema": schema} for name in names]}]


def parts(response: Json) -> list[Json]:
    """The parts of the first candidate."""
    result: list[Json] = response["candidates"][0].get("content", {}).get("parts", [])
    return result


def text(responses: Sequence[Json]) -> str:
    """The visible text of one response, or of the events of a stream."""
    return "".join(part.get("text", "") for one in responses for part in parts(one) if not part.get("thought"))


def results(response: Json) -> Json:
    """The user content that answers every call of a response."""
    calls = [part["functionCall"] for part in parts(response) if "functionCall" in part]
    answers = [{"name": call["name"], "response": {"output": f"result of {call['name']}"}} for call in calls]
    return {"role": "user", "parts": [{"functionResponse": one} for one in answers]}
