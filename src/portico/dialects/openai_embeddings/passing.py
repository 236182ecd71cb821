"""Requests for embeddings between two ends that speak this dialect: only the model's name is changed."""

from typing import Any, Final

from portico.core.ask import Ask
from portico.core.dialect import LooksAtAll, Seen
from portico.core.errors import BodyNotJson, InvalidRequest, UpstreamBadGateway
from portico.wire import jsontext, raw
from portico.wire.sse import Frame


def renamed(body: bytes, model: str) -> bytes:
    """The body for an upstream model. Raises `BodyNotJson`, and `InvalidRequest` for one that names its model twice."""
    try:
        value = jsontext.decode(body)
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None
    if isinstance(value, dict) and value.get("model") == model:
        return body
    if raw.says_twice(body):
        raise InvalidRequest("The parameter 'model' is given twice.", param="$.model")
    return raw.patch(body, {"model": model})


def ask(body: bytes) -> Ask:
    """Nothing is written by a model that embeds; what it reads is at most the body."""
    try:
        value: Any = jsontext.decode(body)
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None
    return ask_of_rendered(value, len(body))


def ask_of_rendered(body: Any, size: int) -> Ask:
    """The same of a body that is a value, and takes so many bytes."""
    given = body.get("input") if isinstance(body, dict) else None
    inputs = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    characters = sum([_characters(one) for one in inputs])
    return Ask(size, max_output_tokens=0, own_tools=False, embedded_characters=characters, inputs=len(inputs))


def _characters(one: Any) -> int:
    """Of a text; a token stands for four."""
    if isinstance(one, str):
        return len(one)
    return CHARACTERS_A_TOKEN * len(one) if isinstance(one, list) else 0


CHARACTERS_A_TOKEN: Final = 4
"""As where nothing is reported of what was embedded (mapping.md 5.1)."""


class NeverStreams(LooksAtAll):
    """A stream of this dialect, of which there is none."""

    model: str | None = None
    ended = False
    counts = False

    def __init__(self, fresh_id: str) -> None:
        del fresh_id

    def feed(self, frame: Frame) -> list[Frame]:
        del frame
        raise UpstreamBadGateway("The provider sent a stream where embeddings were asked for.")

    def close(self) -> None:
        return

    def seen(self) -> Seen:
        return Seen()
