"""Embeddings: a request's messages are the texts, and an answer has one vector for each (mapping.md 5.1).

The request is an ordinary `Request`: each text, or set of parts, is a message of the user's, in order. `dimensions`,
`task_type` and `title` are its `EmbeddingWish`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from portico.core.loss import Loss
from portico.core.request import Request
from portico.core.target import Target
from portico.core.usage import Usage, added

ORIGIN: Final = "embedding"
"""Where an `EmbeddingWish` rides in the `ext` of a request."""


class EmbeddingWish(msgspec.Struct, frozen=True):
    """How the vectors shall be. `task_type` is one of Google's words, `encoding` `float` or `base64`."""

    dimensions: int | None = None
    task_type: str | None = None
    title: str | None = None
    encoding: str = "float"
    batch: bool = True
    """The caller asked for many at once, and reads a list; else for one, and reads that."""
    others: tuple[str, ...] = ()
    """Fields of the caller's own dialect that nobody here understands."""


def wish_of(request: Request) -> EmbeddingWish:
    """How the vectors of a request shall be."""
    found = (request.ext or {}).get(ORIGIN, {}).get("wish")
    return found if isinstance(found, EmbeddingWish) else EmbeddingWish()


class Embedded(msgspec.Struct, frozen=True):
    """The vectors of an answer, in the order of the texts. `usage` None: none was reported."""

    vectors: tuple[Sequence[float], ...]
    model: str | None = None
    usage: Usage | None = None
    raw_usage: Any = None


class EmbeddingCall(msgspec.Struct, frozen=True):
    """A rendered request, and what the provider is asked in it: `embed`, `batch_embed` or `predict`."""

    verb: str
    body: Any
    losses: list[Loss] = []


class Embedding(msgspec.Struct, frozen=True):
    """How a dialect asks for embeddings, and is asked."""

    parse: Callable[[Any, str | None], Request]
    """(body, model in the path) -> the request. Raises `InvalidRequest`."""
    render: Callable[[Request, Target], EmbeddingCall]
    read: Callable[[Any], Embedded]
    """A provider's answer. Raises `UpstreamBadGateway` for what is none."""
    tell: Callable[[Embedded, Request], Any]
    """The answer to the caller of a request."""
    most: Callable[[Target], int]
    """How many texts one call takes."""


def joined(answers: Iterable[Embedded]) -> Embedded:
    """The answers of several calls, in the order of their texts, as one."""
    all_ = list(answers)
    if len(all_) == 1:
        return all_[0]
    usage: Usage | None = None
    for one in all_:
        if one.usage is not None:
            usage = one.usage if usage is None else added(usage, one.usage)
    return Embedded(
        tuple([vector for one in all_ for vector in one.vectors]),
        next((one.model for one in all_ if one.model is not None), None),
        usage,
        [one.raw_usage for one in all_ if one.raw_usage is not None] or None,
    )
