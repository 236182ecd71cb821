"""Asking the simulator as OpenAI, and judging its answers by the types of OpenAI's own SDK."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from portico.simulator import Simulator
from simulator.sim_memory import Json, Memory, exchange

KEY = {"authorization": "Bearer a-key"}
CHAT = "/v1/chat/completions"


async def post(sim: Simulator, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Memory:
    """The exchange of one POST, done."""
    one = exchange(path, body, headers=KEY | dict(headers or {}))
    await sim(one)
    return one


async def answer(sim: Simulator, path: str, body: Any) -> Json:
    """The answer to a POST that is not refused."""
    one = await post(sim, path, body)
    assert one.status == 200, one.data
    result: Json = one.json()
    return result


async def error(sim: Simulator, path: str, body: Any) -> Json:
    """The error of a POST that is refused as a bad request."""
    one = await post(sim, path, body)
    assert one.status == 400, one.data
    told: Json = one.json()["error"]
    assert set(told) == {"message", "type", "param", "code"}
    return told


async def events(sim: Simulator, path: str, body: Any) -> list[Json]:
    """The events of a stream, strictly framed."""
    one = await post(sim, path, body | {"stream": True})
    assert one.status == 200, one.data
    assert one.finished
    return framed(one.data, done=path.endswith("completions"))


def framed(data: bytes, *, done: bool) -> list[Json]:
    """The events of an SSE body: of Chat with [DONE] last, of Responses with their names before."""
    frames = data.decode().split("\n\n")
    assert frames.pop() == ""
    if done:
        assert frames.pop() == "data: [DONE]"
    made = []
    for frame in frames:
        name, _, rest = frame.partition("\n") if frame.startswith("event: ") else ("", "", frame)
        assert rest.startswith("data: ")
        event = json.loads(rest.removeprefix("data: "))
        assert name.removeprefix("event: ") == event.get("type", "")
        made.append(event)
    return made


def fits(model: type[BaseModel], value: Any) -> Any:
    """`value` as the SDK's type: every field of the right type, none that the type does not know."""
    made = model.model_validate(value, strict=True)
    _known(made, model.__name__)
    return made


def _known(value: Any, path: str) -> None:
    match value:
        case BaseModel():
            assert not value.model_extra, (path, value.model_extra)
            for name in type(value).model_fields:
                _known(getattr(value, name), f"{path}.{name}")
        case list():
            for one in value:
                _known(one, path)


def user(text: str, **more: Any) -> Json:
    """A chat request with one user message."""
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}


CITY: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}


def tools(*names: str) -> list[Json]:
    """Functions that take a city and a number of days."""
    return [{"type": "function", "function": {"name": name, "parameters": CITY}} for name in names]


def text(chunks: list[Json], field: str = "content") -> str:
    """What the deltas of the first choice say."""
    deltas = [one["delta"] for chunk in chunks for one in chunk["choices"] if one["index"] == 0]
    return "".join(delta.get(field) or "" for delta in deltas)


RESPONSES = "/v1/responses"


def request(given: Any, /, **more: Any) -> Json:
    """A Responses request with this input."""
    return {"model": "gpt-4o", "input": given, **more}


def functions(*names: str) -> list[Json]:
    """Functions that take a city and a number of days, as Responses has them."""
    return [{"type": "function", "name": name, "parameters": CITY, "strict": False} for name in names]
