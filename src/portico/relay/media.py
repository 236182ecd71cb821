"""Remote media: files that a caller names by address become inline data before a request is rendered (mapping.md 1.4).

Addresses that the provider knows itself stay as they are: its own files, Cloud Storage, YouTube.
"""

import asyncio
import base64
import re
from typing import Final

import msgspec

from portico.core.errors import InvalidRequest
from portico.core.mime import settled_mime
from portico.core.parts import Media, Part, ToolResult
from portico.core.request import Request
from portico.relay.ports import MediaFetcher

MAX_FILES: Final = 64
"""Different addresses in one request."""
AT_ONCE: Final = 8
_HEAD_BYTES: Final = 32

_KNOWN_TO_GOOGLE: Final = re.compile(
    r"https?://(generativelanguage\.googleapis\.com/|((www|m)\.)?youtube\.com/|youtu\.be/)", re.IGNORECASE
)


def remote_address(part: Part) -> str | None:
    """Where a part must be fetched from: an http(s) address of media that the provider does not know itself."""
    if not isinstance(part, Media) or part.uri is None:
        return None
    remote = part.uri[:8].lower().startswith(("http://", "https://")) and not _KNOWN_TO_GOOGLE.match(part.uri)
    return part.uri if remote else None


async def with_media(request: Request, fetcher: MediaFetcher) -> Request:
    """The request with every remote file inline. Raises `InvalidRequest` with the path of the message."""
    wanted: dict[str, int] = {}
    for message in request.messages:
        for part in _all_parts(message.parts):
            if (address := remote_address(part)) is not None:
                wanted.setdefault(address, message.at)
    if not wanted:
        return request
    if len(wanted) > MAX_FILES:
        raise InvalidRequest(
            f"At most {MAX_FILES} remote files fit one request.", param=request.where.field("messages")
        )
    inline = await _fetched(request, wanted, fetcher)
    messages = [
        msgspec.structs.replace(message, parts=tuple([_inline(part, inline) for part in message.parts]))
        for message in request.messages
    ]
    return msgspec.structs.replace(request, messages=tuple(messages))


async def _fetched(request: Request, wanted: dict[str, int], fetcher: MediaFetcher) -> dict[str, Media]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(url: str, at: int) -> Media | InvalidRequest:
        async with gate:
            try:
                found = await fetcher.fetch(url)
            except InvalidRequest as error:
                return error.under(request.where.at_message(at))
        mime = settled_mime(found.mime, name=url, head=found.data[:_HEAD_BYTES])
        return Media(mime, data=base64.b64encode(found.data).decode("ascii"))

    results = await asyncio.gather(*[one(url, at) for url, at in wanted.items()])
    inline: dict[str, Media] = {}
    for url, result in zip(wanted, results, strict=True):
        if isinstance(result, InvalidRequest):
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
