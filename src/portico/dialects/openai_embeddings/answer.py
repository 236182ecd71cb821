"""An answer of embeddings, either way. Vectors are told at unit length, whoever made them (mapping.md 5.1).

`base64` is what OpenAI's Python client asks for: 32-bit floats, little-endian.
"""

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.core.dialect import Seen
from portico.core.embedding import Embedded, wish_of
from portico.core.errors import UpstreamBadGateway
from portico.core.request import Request
from portico.core.usage import Usage
from portico.dialects.openai.counts import count
from portico.dialects.openai.errors import parse_error_object, tells_error
from portico.wire import jsontext


def tell(answer: Embedded, request: Request) -> Any:
    """The answer to a caller: a list with one vector for each text."""
    in_base64 = wish_of(request).encoding == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(vector) if in_base64 else vector}
        for index, vector in enumerate([unit(one) for one in answer.vectors])
    ]
    tokens = 0 if answer.usage is None else answer.usage.input_total
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": request.model, "usage": usage}


def unit(vector: Sequence[float]) -> list[float]:
    """The vector at length 1; one that has it, and one of zeros, stay as they are."""
    length = math.hypot(*vector)
    if not length or abs(length - 1) < SAME_LENGTH:
        return list(vector)
    return [value / length for value in vector]


SAME_LENGTH: Final = 1e-6
"""32-bit floats are no more exact."""


def _base64(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


# -- the other way ---------------------------------------------------------------------------------------------------


class _Vector(msgspec.Struct):
    embedding: list[float] | str
    index: int = 0


class _Answer(msgspec.Struct):
    data: list[_Vector]
    model: str | None = None


class _Head(msgspec.Struct):
    """What is looked at of an answer that passes; its vectors are stepped over."""

    data: list[msgspec.Raw]
    model: Any = None
    usage: Any = None


_HEAD = msgspec.json.Decoder(_Head)


def read(body: Any) -> Embedded:
    """The vectors of an answer of OpenAI's. Raises `UpstreamError`."""
    if tells_error(body):
        raise parse_error_object(body)
    try:
        answer = msgspec.convert(body, _Answer)
        vectors = [_floats(one.embedding) for one in sorted(answer.data, key=lambda one: one.index)]
    except (msgspec.ValidationError, ValueError, struct.error) as error:
        raise UpstreamBadGateway(f"The provider's answer holds no embeddings: {error}") from None
    told = body.get("usage")
    return Embedded(tuple(vectors), answer.model, _usage(told), told)


def _usage(told: Any) -> Usage | None:
    """None: nothing was counted. What is read is all there is, so that some (Voyage) tell the total alone."""
    for name in ("prompt_tokens", "total_tokens") if isinstance(told, Mapping) else ():
        said = told.get(name)
        if isinstance(said, int) and not isinstance(said, bool) and said >= 0:
            return Usage(input_uncached={"text": count(told, name)})
    return None


def _floats(embedding: list[float] | str) -> Sequence[float]:
    if isinstance(embedding, list):
        return embedding
    data = base64.b64decode(embedding, validate=True)
    return struct.unpack(f"<{len(data) // 4}f", data)


def see(body: bytes) -> Seen:
    """What an answer that passes tells. Raises `UpstreamError`."""
    try:
        head = _HEAD.decode(body)
    except jsontext.NOT_DECODED:
        try:
            value = jsontext.decode(body)
        except jsontext.NotJson as error:
            raise UpstreamBadGateway(f"The provider's answer is not JSON: {error}") from None
        if tells_error(value):
            raise parse_error_object(value) from None
        raise UpstreamBadGateway("The provider's answer holds no embeddings.") from None
    model, usage = head.model if isinstance(head.model, str) else None, _usage(head.usage)
    return Seen(model, usage, raw_usage=None if usage is None else head.usage)
