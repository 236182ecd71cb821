"""The media of a call. Before a request is rendered, files named by address become inline, and what a provider of the plan
does not take becomes what it does (mapping.md 1.4, 1.5); its caller says how the answer's images shall come (2.8).

Addresses that the provider knows itself stay as they are. Who speaks the provider's own dialect is not meddled with.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from portico.core.dialect import Dialect
from portico.core.errors import GatewayBusy, InvalidRequest, PorticoError, RequestTooLarge
from portico.core.mime import by_extension, settled_mime
from portico.core.parts import Media, Part, ToolResult
from portico.core.request import Request
from portico.providers import ProviderKind
from portico.providers.intake import Intake
from portico.relay.convert import Converted, converted, holds_media, media_of, refuse_too_much, takes_time
from portico.relay.ports import MediaFetcher, TakeRoom

MAX_FILES: Final = 64
"""Different addresses in one request."""
AT_ONCE: Final = 8
_HEAD_BYTES: Final = 32
IMAGE_FORMS: Final = ("markdown", "images", "parts")
IMAGE_FORM_HEADER: Final = "x-portico-image-form"


def image_form(headers: Mapping[str, str], default: str) -> str:
    """How a caller wants the images of the answer (mapping.md 2.8). Raises `InvalidRequest` for a word that is no form."""
    said = headers.get(IMAGE_FORM_HEADER, default).strip().lower()
    if said not in IMAGE_FORMS:
        message = f"{IMAGE_FORM_HEADER} is one of {', '.join(IMAGE_FORMS)}, not {said[:40]!r}."
        raise InvalidRequest(message, param=IMAGE_FORM_HEADER)
    return said


def intakes_of(dialect: Dialect, kinds: Iterable[ProviderKind]) -> list[Intake]:
    """What media must fit into, for a caller of this dialect: the intakes of the providers that speak another."""
    intakes: dict[int, Intake] = {}
    for kind in kinds:
        if kind.intake is not None and not kind.speaks(dialect):
            intakes[id(kind.intake)] = kind.intake
    return list(intakes.values())


Admitted: TypeAlias = Callable[[], Awaitable[None]]
"""Returns when something may be fetched. Raises why not."""


async def with_media(
    request: Request,
    fetcher: MediaFetcher | None,
    intakes: Sequence[Intake],
    admitted: Admitted | None = None,
    take_room: TakeRoom | None = None,
) -> Converted:
    """The request with media that every one of these providers takes, remote files inline.

    Without a fetcher an address is left to the provider. Raises `InvalidRequest` with the path of the message,
    `RequestTooLarge`, as `admitted`, which is asked before anything is fetched, and as `take_room`.
    """
    if not intakes or not holds_media(request):
        return Converted(request)
    if fetcher is not None:
        request = await fetched(request, fetcher, intakes, admitted, take_room)
    if takes_time(request, intakes):
        return await asyncio.to_thread(converted, request, intakes)
    return converted(request, intakes)


async def fetched(
    request: Request,
    fetcher: MediaFetcher,
    intakes: Sequence[Intake],
    admitted: Admitted | None = None,
    take_room: TakeRoom | None = None,
) -> Request:
    """The request with every remote file inline."""
    wanted: dict[str, int] = {}
    for message in request.messages:
        for part in _all_parts(message.parts):
            if (address := remote_address(part, intakes)) is not None:
                wanted.setdefault(address, message.at)
    if not wanted:
        return request
    if len(wanted) > MAX_FILES:
        raise InvalidRequest(
            f"At most {MAX_FILES} remote files fit one request.", param=request.where.field("messages")
        )
    if admitted is not None:
        await admitted()
    inline = await _all_fetched(request, wanted, fetcher, intakes, take_room)
    messages = [
        msgspec.structs.replace(message, parts=tuple([_inline(part, inline) for part in message.parts]))
        for message in request.messages
    ]
    return msgspec.structs.replace(request, messages=tuple(messages))


def remote_address(part: Part, intakes: Sequence[Intake]) -> str | None:
    """Where a part must be fetched from: an http(s) address of media that not every provider knows itself."""
    if not isinstance(part, Media) or part.uri is None:
        return None
    remote = part.uri[:8].lower().startswith(("http://", "https://"))
    return part.uri if remote and not all(intake.knows(part.uri, part.mime) for intake in intakes) else None


async def _all_fetched(
    request: Request,
    wanted: dict[str, int],
    fetcher: MediaFetcher,
    intakes: Sequence[Intake],
    take_room: TakeRoom | None,
) -> dict[str, Media]:
    gate = asyncio.Semaphore(AT_ONCE)
    size = sum(len(part.data or "") for part in media_of(request))

    async def one(url: str, at: int) -> Media | PorticoError:
        nonlocal size
        async with gate:
            try:
                refuse_too_much(request, size, intakes)
                found = await fetcher.fetch(url, take_room)
            except InvalidRequest as error:
                return error.under(request.where.at_message(at))
            except (RequestTooLarge, GatewayBusy) as error:
                return error
        mime = settled_mime(found.mime, head=found.data[:_HEAD_BYTES]) or by_extension(url)
        data = base64.b64encode(found.data).decode("ascii")
        size += len(data)
        return Media(mime, data=data)

    results = await asyncio.gather(*[one(url, at) for url, at in wanted.items()])
    inline: dict[str, Media] = {}
    for url, result in zip(wanted, results, strict=True):
        if isinstance(result, PorticoError):
            raise result
        inline[url] = result
    return inline


def _all_parts(parts: tuple[Part, ...]) -> list[Part]:
    return [inner for part in parts for inner in ((part, *part.parts) if isinstance(part, ToolResult) else (part,))]


def _inline(part: Part, inline: dict[str, Media]) -> Part:
    if isinstance(part, ToolResult):
        parts = tuple([_inline_media(item, inline) if isinstance(item, Media) else item for item in part.parts])
        return msgspec.structs.replace(part, parts=parts)
    return _inline_media(part, inline) if isinstance(part, Media) else part


def _inline_media(part: Media, inline: dict[str, Media]) -> Media:
    found = inline.get(part.uri or "")
    if found is None:
        return part
    return msgspec.structs.replace(part, mime=part.mime or found.mime, data=found.data, uri=None)
