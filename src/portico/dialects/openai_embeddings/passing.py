"""Requests for embeddings between two ends that speak this dialect: only the model's name is changed."""

from typing import Any

from portico.core.ask import Ask
from portico.core.dialect import Seen
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
    given = value.get("input") if isinstance(value, dict) else None
    texts = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    characters = sum([len(text) for text in texts if isinstance(text, str)])
    return Ask(len(body), max_output_tokens=0, own_tools=False, embedded_characters=characters)


class NeverStreams:
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
