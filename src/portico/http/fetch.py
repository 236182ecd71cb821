"""Fetches files that callers name by address, with the guard of `guard.py` on every hop.

A file is read as a stream up to a cap, within a time, and takes room as a body of its size would. Redirects are followed by
hand, since each leads to a new address that must be judged. No proxy is used, for it would look names up again where nobody
judges (docs/decisions/0010). What was fetched is remembered for a while: agents send the same address
again with every turn.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from urllib.parse import urljoin

from portico.core.errors import InvalidRequest, UpstreamError
from portico.http.address import parse_address
from portico.http.client import HttpUpstream
from portico.http.resolve import Resolve
from portico.relay.ports import Fetched, TakeRoom, UpstreamRequest

MIB: Final = 1024 * 1024
MAX_REDIRECTS: Final = 5
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_AROUND_BYTES: Final = 512
"""What remembering a file takes beside its data, its address and its type."""
_USER: Final = re.compile(r"^(\w+://)[^/\\]*@")


class MediaUnavailable(InvalidRequest):
    """The file at this address could not be fetched."""

    code = "media_unavailable"


class Fetcher:
    """Implements `relay.ports.MediaFetcher`."""

    def __init__(
        self,
        resolve: Resolve,
        clock: Callable[[], float],
        *,
        max_bytes: int = 20 * MIB,
        timeout_s: float = 30.0,
        remember_bytes: int = 64 * MIB,
        remember_s: float = 300.0,
    ) -> None:
        self._http = HttpUpstream(resolve=resolve, max_idle_per_origin=0)
        self._clock = clock
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._remember_bytes = remember_bytes
        self._remember_s = remember_s
        self._remembered: OrderedDict[str, tuple[float, Fetched]] = OrderedDict()
        self._size = 0

    async def fetch(self, url: str, take_room: TakeRoom | None = None) -> Fetched:
        room = _Room(take_room)
        known = self._remembered.get(url)
        if known is not None and known[0] > self._clock():
            self._remembered.move_to_end(url)
            room.grow(len(known[1].data))
            return known[1]
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self._followed(url, room)
        except TimeoutError:
            raise MediaUnavailable(f"{_shown(url)} did not arrive within {self._timeout_s:g} s.") from None
        except UpstreamError as error:
            raise MediaUnavailable(f"{_shown(url)} could not be fetched: {error.message}") from None
        self._remember(url, found)
        return found

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _followed(self, url: str, room: "_Room") -> Fetched:
        for _ in range(MAX_REDIRECTS + 1):
            url = url.partition("#")[0]
            try:
                parse_address(url)
            except ValueError as error:
                raise MediaUnavailable(f"{_shown(url)} is not an address to fetch from: {error}.") from None
            request = UpstreamRequest(
                url=url,
                headers=[("accept", "*/*"), ("user-agent", "portico")],
                method="GET",
                first_byte_timeout_s=self._timeout_s,
                idle_timeout_s=self._timeout_s,
            )
            answer = await self._http.send(request)
            try:
                if answer.status in REDIRECTS and (location := answer.headers.get("location")):
                    url = _redirected(url, location)
                    continue
                if answer.status != 200:
                    raise MediaUnavailable(f"{_shown(url)} answered {answer.status}.")
                declared = answer.headers.get("content-length", "")
                if declared.isdigit():
                    if int(declared) > self._max_bytes:
                        raise self._too_large(url)
                    room.grow(int(declared))
                pieces: list[bytes] = []
                size = 0
                async for piece in answer:
                    size += len(piece)
                    if size > self._max_bytes:
                        raise self._too_large(url)
                    room.grow(size)
                    pieces.append(piece)
                return Fetched(b"".join(pieces), answer.headers.get("content-type"))
            finally:
                answer.close()
        raise MediaUnavailable(f"{_shown(url)} redirects too often.")

    def _too_large(self, url: str) -> MediaUnavailable:
        return MediaUnavailable(f"{_shown(url)} is larger than {self._max_bytes // MIB} MiB.")

    def _remember(self, url: str, found: Fetched) -> None:
        if (size := _size(url, found)) > self._remember_bytes:
            return
        old = self._remembered.pop(url, None)
        self._size += size - (_size(url, old[1]) if old else 0)
        self._remembered[url] = (self._clock() + self._remember_s, found)
        while self._size > self._remember_bytes:
            other, (_, dropped) = self._remembered.popitem(last=False)
            self._size -= _size(other, dropped)


class _Room:
    """What one file takes of the gateway's room: as much as if the caller had sent it, in base64."""

    def __init__(self, take: TakeRoom | None) -> None:
        self._take = take
        self._taken = 0

    def grow(self, size: int) -> None:
        """It is so many bytes, at least. Raises `GatewayBusy`."""
        wanted = -(-size // 3) * 4
        if self._take is not None and wanted > self._taken:
            self._take(wanted - self._taken)
            self._taken = wanted


def _size(url: str, found: Fetched) -> int:
    """What it takes to remember a file: an empty one has an address, too, and a caller can make up any number of them."""
    return _AROUND_BYTES + len(url) + len(found.mime or "") + len(found.data)


def _redirected(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise MediaUnavailable(f"{_shown(url)} redirects to what is no address.") from None


def _shown(url: str) -> str:
    """An address without its user, password and query, which may hold a secret."""
    plain = _USER.sub(r"\1", url.partition("?")[0].partition("#")[0])
    return plain if len(plain) <= 200 else plain[:200] + "…"
