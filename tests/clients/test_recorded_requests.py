"""What real clients send, reduced to its shape (clients/shape.py), is answered, whichever model it asks for.

Each request goes to a gateway before the strict simulator, once for each vendor's model. A case is there because a client
sent it: one that broke on Portico, or that would be the first to.
"""

import json
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from gateway.house import House, Json, house_in_a_thread
from portico.core.assembly import assemble
from portico.core.dialect import Dialect, Reading
from portico.core.events import Event, Failed
from portico.core.response import Candidate, FinishReason, Response
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.providers import KINDS
from portico.wire.sse import Frame, SseDecoder

REQUESTS: Final = Path(__file__).parent / "requests"
MODELS: Final = ("gemini-3.5-flash", "gpt-5.5", "claude-sonnet-5-5")
DIALECTS: Final = {
    "/chat/completions": openai_chat.DIALECT,
    "/responses": openai_responses.DIALECT,
    "/messages": anthropic_messages.DIALECT,
    ":generateContent": gemini.DIALECT,
    ":streamGenerateContent": gemini.DIALECT,
}
"""By the end of the path."""


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    kinds = [KINDS["gemini"], KINDS["openai"], KINDS["anthropic"]]
    with house_in_a_thread(kinds=kinds) as house:
        yield house


def cases() -> Iterator[object]:
    for path in sorted(REQUESTS.glob("*.json")):
        for number, request in enumerate(json.loads(path.read_text(encoding="utf-8"))):
            yield pytest.param(request, id=f"{path.stem}-{number}")


def dialect_of(path: str) -> Dialect:
    return next(dialect for end, dialect in DIALECTS.items() if path.endswith(end))


def asking(request: Json, model: str) -> tuple[str, Json]:
    """Path and body of a request, for another model."""
    path = re.sub(r"/models/[^/:]+:", f"/models/{model}:", request["path"])
    body = request["body"] if "/models/" in path else request["body"] | {"model": model}
    return f"{path}?{request['query']}" if request["query"] else path, body


def reading() -> Reading:
    numbers = count()
    return Reading(mint=lambda: f"call_{next(numbers)}")


def read(dialect: Dialect, frames: list[Frame]) -> Response:
    reader = dialect.reader(reading())
    events: list[Event] = [event for frame in frames for event in reader.feed(frame)] + reader.close()
    assert not [event for event in events if isinstance(event, Failed)], events
    return assemble(events)


def answered(dialect: Dialect, content_type: str, body: bytes) -> Response:
    """What the answer says; a stream says the same however its bytes are cut."""
    if content_type.startswith("text/event-stream"):
        one_by_one, at_once = SseDecoder(), SseDecoder()
        frames = [frame for byte in body for frame in one_by_one.feed(bytes([byte]))] + one_by_one.close()
        assert frames == at_once.feed(body) + at_once.close()
        return read(dialect, frames)
    told = json.loads(body)
    if isinstance(told, list):  # Gemini's stream without alt=sse
        return read(dialect, [Frame(json.dumps(one).encode()) for one in told])
    return dialect.parse_response(told, reading())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("request_", [*cases()])
async def test_what_a_client_sent_is_answered(house: House, request_: Json, model: str) -> None:
    path, body = asking(request_, model)
    answer = await house.ask(body, path=path, headers=request_["headers"])
    assert answer.status == 200, answer.body
    if request_["path"].endswith(":countTokens"):
        assert json.loads(answer.body)["totalTokens"] > 0
        return
    response = answered(dialect_of(request_["path"]), answer.headers["content-type"], answer.body)
    assert all(candidate.parts or _cut_short(candidate) for candidate in response.candidates), answer.body
    assert response.candidates


def _cut_short(candidate: Candidate) -> bool:
    """The limit was reached before a word was said: titles of 16 tokens are asked for, which thoughts use up."""
    return candidate.finish is not None and candidate.finish.reason is FinishReason.LENGTH
