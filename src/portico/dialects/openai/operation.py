"""Dialects of OpenAI's operations beside chat: callers speak them, and providers who speak them too have bodies passed on.

A request of theirs can be put to any model that is able, in its provider's own dialect. The other way nothing is
translated: no request of another dialect becomes one of these.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from portico.core.ask import Ask
from portico.core.dialect import (
    Demands,
    Dialect,
    ParseRequest,
    Passing,
    Product,
    RawWriter,
    Reading,
    Rendered,
    Reply,
    StreamWriter,
)
from portico.core.embedding import Embedding
from portico.core.errors import PorticoError
from portico.core.events import Event, Failed
from portico.core.loss import Loss, Where
from portico.core.request import Request
from portico.core.response import Response
from portico.core.target import Target
from portico.dialects.openai.errors import parse_error, render_error
from portico.wire import jsontext
from portico.wire.sse import KEEP_ALIVE, Frame, encode


class ErrorWriter(StreamWriter):
    """Of a stream that is never translated: it only tells what went wrong."""

    def __init__(self, reply: Reply) -> None:
        del reply
        self.losses: list[Loss] = []

    def feed(self, event: Event) -> list[Frame]:
        return [error_frame(event.error)] if isinstance(event, Failed) else []

    def close(self) -> list[Frame]:
        return []


def error_frame(error: PorticoError) -> Frame:
    """How a failure is told in a stream that has begun."""
    return Frame(jsontext.encode({"type": "error", **render_error(error)}), "error")


def operation(
    name: str,
    *,
    parse_request: ParseRequest,
    demands: Demands,
    passing: Passing,
    render_response: Callable[[Response, Reply], Rendered] | None = None,
    writer: Callable[[Reply], StreamWriter] = ErrorWriter,
    read_body: Callable[[bytes], Any] | None = None,
    embedding: Embedding | None = None,
    ask: Callable[[Any, int], Ask] | None = None,
    raw_answers: bool = False,
    raw_writer: Callable[[Reply], RawWriter | None] | None = None,
    where: Where | None = None,
    product: Product | None = None,
) -> Dialect:
    """The dialect of one operation. `ask`: of bodies that are rendered in it all the same."""
    return Dialect(
        name=name,
        parse_request=parse_request,
        render_request=_unasked,
        parse_response=_unasked,
        render_response=render_response or _unasked,
        reader=_unasked,
        writer=writer,
        parse_error=parse_error,
        render_error=render_error,
        frame=encode,
        where=where or Where(),
        ask=ask or _unasked,
        passing=passing,
        keep_alive=KEEP_ALIVE,
        embedding=embedding,
        read_body=read_body,
        demands=demands,
        product=product,
        receives=False,
        raw_answers=raw_answers,
        raw_writer=raw_writer,
    )


def _unasked(*args: Request | Response | Target | Reading | Reply | Ask | Any) -> NoReturn:
    """What nobody may ask of such a dialect."""
    raise TypeError(f"an operation of OpenAI's is passed on or translated from, never into: {type(args[0]).__name__}")
