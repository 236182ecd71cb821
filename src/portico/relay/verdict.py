"""Whether an answer may be delivered: an empty one needs a reason the caller can act on (mapping.md 2.5, complaint 20)."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from portico.core.errors import (
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamError,
    UpstreamMalformedOutput,
    UpstreamRejected,
    UpstreamSignatureRejected,
)
from portico.core.events import Event, PartDelta, PartStarted
from portico.core.parts import Media, Opaque, Part, Reasoning, Text, ToolCall
from portico.core.request import Request
from portico.core.response import Finish, FinishReason, Response
from portico.relay.ports import UpstreamResponse
from portico.wire.jsontext import utf8_bytes

MAX_ERROR_BYTES: Final = 1024 * 1024
WORDS_S: Final = 10.0
"""How long the words of an error are waited for. Its status alone says whether another is to be asked."""
REFUSALS: Final = frozenset({400, 413, 422})
"""Statuses of what is wrong with a request, whoever is asked."""


async def words_of(response: UpstreamResponse) -> bytes:
    """What comes with a status that is no success; nothing if it does not come in time. Ends the response. Raises
    `UpstreamError`."""
    status = response.status
    try:
        if 300 <= status < 400:
            message = (
                f"The provider answers with a redirection ({status}), which is not followed: its address is another."
            )
            raise UpstreamBadGateway(message, upstream_status=status)
        async with asyncio.timeout(WORDS_S):
            return await response.read(MAX_ERROR_BYTES)
    except TimeoutError:
        return b""
    except UpstreamBadGateway as error:
        if status not in REFUSALS:
            raise UpstreamBadGateway(error.message, upstream_status=status) from None
        message = "The provider refused the request, with more words than are read."
        raise UpstreamRejected(message, upstream_status=status) from None
    finally:
        response.close()


def tells_error(body: Any) -> bool:
    """Whether a body is a provider's error, bare or alone in an array, whatever its status was."""
    if type(body) is dict and "error" not in body:
        return False
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    return isinstance(body, Mapping) and body.get("error") is not None and not {"candidates", "choices"} & body.keys()


def shows(event: Event, *, thoughts: bool) -> bool:
    """Whether the caller sees something of this event: text, media or a call; thoughts only if they are shown."""
    if isinstance(event, PartStarted):
        match event.part:
            case Text(text):
                return bool(text)
            case Reasoning(text):
                return thoughts and bool(text)
            case Media(thought=draft):
                return not draft
            case ToolCall():
                return True
            case _:
                return False
    return isinstance(event, PartDelta) and bool(event.text)


def holds_something(response: Response) -> bool:
    """Whether there is anything in a whole answer."""
    for candidate in response.candidates:
        for part in candidate.parts:
            if isinstance(part, Text):
                if part.text:
                    return True
            elif isinstance(part, (ToolCall, Opaque)) or (isinstance(part, Media) and not part.thought):
                return True
    return False


def fault_of_response(response: Response) -> UpstreamError | None:
    """What is wrong with a whole answer: nothing if it holds something, or its end explains itself."""
    if holds_something(response):
        return None
    return fault_of([candidate.finish for candidate in response.candidates if candidate.finish is not None])


def is_unexplained(response: Response) -> bool:
    """Whether an answer that holds nothing simply stopped: worth one more try, and then delivered as it is."""
    finishes = [candidate.finish for candidate in response.candidates]
    return all(finish is not None and finish.reason is FinishReason.STOP for finish in finishes)


def fault_of(finishes: list[Finish]) -> UpstreamError | None:
    """What is wrong with an answer of which nothing was shown; None if its end explains itself."""
    if not finishes:
        return UpstreamEmpty()
    for finish in finishes:
        said = f" ({finish.raw})" if finish.raw else ""
        if finish.reason is FinishReason.ERROR:
            return UpstreamMalformedOutput(f"The model produced output that cannot be read{said}.", reason=finish.raw)
        if finish.reason is FinishReason.OTHER:
            return UpstreamEmpty(f"The provider sent an answer with nothing in it{said}.", reason=finish.raw)
    return None


def may_be_of_signatures(error: UpstreamRejected, request: Request, *, strict: bool) -> bool:
    """Whether a refusal may be about thought signatures that the caller sent.

    It says so; or it says nothing we know of a request with functions and the provider's own tools. There a call's
    signature is good only with the parts that came before the call (mapping.md 1.12), which a client may lose while it
    keeps the signature. A strict caller wants the provider's own word then.
    """
    if isinstance(error, UpstreamSignatureRejected):
        return True
    unexplained = type(error) is UpstreamRejected and error.param is None and error.refused is None
    return unexplained and bool(request.tools and request.builtins) and not strict


def delivered_bytes(part: Part, *, thoughts: bool) -> int:
    """Bytes of text that the caller sees of a part: what it says, what it calls, and its thoughts if they are shown."""
    if isinstance(part, Text) or (thoughts and isinstance(part, Reasoning)):
        return utf8_bytes(part.text)
    return utf8_bytes(part.arguments) if isinstance(part, ToolCall) else 0
