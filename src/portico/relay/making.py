"""Answers that are for one thing, pictures: an answer without one is a failure, and one has the format that was asked for.

A dialect says what its answers are for (`core.dialect.Product`). One that is of no use in pieces is asked for whole, also
where a stream is wanted: each lane's answer is told as a stream once it is there.
"""

import asyncio
import base64

import msgspec

from portico.core.assembly import tell
from portico.core.dialect import Product
from portico.core.parts import Media, Part
from portico.core.request import Picture
from portico.core.response import Response
from portico.relay.call import Attempt, Call
from portico.relay.fanout import lane_of
from portico.relay.pump import Teller
from portico.wire.sse import Frame

_LOSSY = ("jpeg", "webp")


def is_asked_whole(call: Call) -> bool:
    """Whether a provider is asked for a whole answer though its caller wants a stream."""
    product = call.dialect.product
    return product is not None and product.whole


def some_will_do(call: Call) -> bool:
    """Whether of several answers those that come are enough."""
    return call.dialect.product is not None and call.dialect.product.some_will_do


def require(product: Product | None, response: Response) -> None:
    """Raises what is wrong with an answer that does not hold what it is for."""
    if product is not None and not product.holds(response):
        raise product.lacking(response)


async def in_format(response: Response, picture: Picture | None) -> Response:
    """The answer with its pictures in the format that was asked for, made beside everything else. One that cannot be read
    here stays as it came: the answer says what it is."""
    if picture is None or picture.format is None or not any(_wants(part, picture) for part in _parts(response)):
        return response
    return await asyncio.to_thread(_converted, response, picture)


def _parts(response: Response) -> list[Part]:
    return [part for candidate in response.candidates for part in candidate.parts]


def _wants(part: Part, picture: Picture) -> bool:
    """Whether a part is a picture that is to be made anew."""
    if not isinstance(part, Media) or part.thought or part.data is None or not (part.mime or "").startswith("image/"):
        return False
    return part.mime != f"image/{picture.format}" or (
        picture.format in _LOSSY and picture.compression not in (None, 100)
    )


def _converted(response: Response, picture: Picture) -> Response:
    candidates = []
    for candidate in response.candidates:
        parts = tuple([_made(part, picture) if _wants(part, picture) else part for part in candidate.parts])
        candidates.append(msgspec.structs.replace(candidate, parts=parts))
    return msgspec.structs.replace(response, candidates=tuple(candidates))


def _made(part: Part, picture: Picture) -> Part:
    from portico.relay.pictures import recoded  # noqa: PLC0415 -- a tenth of the start, and few callers want it

    if not isinstance(part, Media) or part.data is None or picture.format is None:
        return part
    try:
        raw = recoded(base64.b64decode(part.data, validate=True), picture.format, picture.compression)
    except ValueError:
        return part
    return Media(f"image/{picture.format}", data=base64.b64encode(raw).decode("ascii"))


def told(call: Call, attempt: Attempt, response: Response) -> list[Frame]:
    """A lane's whole answer as what its caller's stream goes on with."""
    if call.teller is None:
        call.teller = Teller(call.dialect, call.reply, lane_of(call.request).count, call.used)
    teller = call.teller
    teller.shown, teller.pictures = call.shown, call.pictures
    frames = [frame for event in tell(response) for frame in teller.feed(attempt.lane, event)]
    call.seen = teller.seen
    call.note_model(teller.seen.model)
    if attempt.asked is not None:
        call.commit(attempt)
    return frames
