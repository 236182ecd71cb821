"""Files at providers: brought, listed, shown and deleted for the tenant that made them, with the credential that did.

A provider knows only the gateway's credentials, so whose a file is stands in the registry (`vault/resources.py`). It is
written before its owner hears of the file; whatever is not in it for a tenant is a 404. A list is of the tenant's own, each
asked for at its provider. Nothing is charged.

Google's files come in pieces to an address that it gives for each, and its clients show no key there: the gateway's own
address for it holds a ticket that nobody else can write (`relay/tickets.py`).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.accounts import Caller
from portico.core.dialect import Dialect
from portico.core.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    NotOffered,
    RequestTooLarge,
    StorageUnavailable,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefusedAccount,
    UpstreamUnreachable,
)
from portico.core.mime import settled_mime
from portico.providers import Provider, Secret
from portico.providers.filing import Filing, StoredFile, as_openai
from portico.relay.admitting import admit
from portico.relay.ports import Upstream, UpstreamRequest
from portico.relay.signing import Signer
from portico.relay.tickets import Ticket, can_seal, is_at, issued
from portico.relay.till import Till
from portico.vault import Resource, Resources
from portico.vault.resources import FILE
from portico.wire import jsontext, multipart
from portico.wire.http import Headers, HttpRequest

CHAT: Final = "openai_chat"
GEMINI: Final = "gemini"
ONLY_HEADER: Final = "x-portico-providers"
JSON: Final = ("content-type", "application/json")
AT_ONCE: Final = 8
"""Files of a list that are asked for at a time."""
MAX_OBJECT_BYTES: Final = 1024 * 1024
MAX_FILE_BYTES: Final = 512 * 1024 * 1024
UPLOAD: Final = "x-goog-upload-"
_ASKED: Final = ("protocol", "command", "offset", "header-content-length", "header-content-type")
_TOLD: Final = ("status", "chunk-granularity", "size-received", "header-content-type")
_NEXT_KEY: Final = (
    UpstreamRateLimited,
    UpstreamAuthFailed,
    UpstreamRefusedAccount,
    UpstreamOverloaded,
    UpstreamUnreachable,
)
_SHOWN: Final = ("content-type", "content-disposition", "x-portico-simulated")


class FileAnswer(msgspec.Struct, frozen=True):
    """What a caller is answered."""

    body: bytes
    headers: Headers = (JSON,)
    status: int = 200


class Page(msgspec.Struct, frozen=True):
    """Some of a tenant's files, as their providers told of them."""

    files: Sequence[Any]
    names: Sequence[str]
    more: bool


class _Place(msgspec.Struct, frozen=True):
    """Where a file is: a provider, how it keeps files, and the credential for it."""

    provider: Provider
    filing: Filing
    credential: Secret


class _Got(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Files:
    """Serves from the providers that it was last told of. `now`: seconds since 1970."""

    def __init__(
        self,
        upstream: Upstream,
        signer: Signer,
        resources: Resources,
        *,
        till: Till | None,
        now: Callable[[], float],
        max_bytes: int,
    ) -> None:
        """`max_bytes`: of one file. Without a till nothing is counted."""
        self._till = till
        self._upstream = upstream
        self._signer = signer
        self._resources = resources
        self._now = now
        self.max_bytes = max_bytes
        self._providers: dict[str, Provider] = {}

    def serve(self, providers: Iterable[Provider]) -> None:
        """From now on these providers are asked."""
        self._providers = {one.name: one for one in providers}

    async def admit(self, caller: Caller, *, brings: bool) -> None:
        """Counts what a key asks of files as a request; `brings`: it is to bring one. Raises as `admitting.admit`."""
        if self._till is not None:
            await admit(self._till, caller, funded=brings)

    # -- bringing

    async def create(self, dialect: Dialect, tenant: str, request: HttpRequest) -> FileAnswer:
        """Brings a file that came whole, as a form. Raises what is wrong with it, `NotOffered`, and as the provider."""
        able = self._chosen(dialect, request.headers)
        for number, (provider, filing) in enumerate(able, 1):
            try:
                if filing.dialect != dialect.name:
                    return await self._brought(tenant, provider, filing, request)
                place, got = await self._with_a_key(provider, filing, request, request.headers.get("content-type", ""))
            except NotOffered:
                if number == len(able):
                    raise
                continue
            await self._recorded(tenant, place, filing.read(_decoded(got.body)))
            return FileAnswer(got.body, _shown(got))
        raise NotOffered

    async def begin(self, tenant: str, request: HttpRequest, dialect: Dialect) -> FileAnswer:
        """Begins one of Google's that comes in pieces. Raises as `create`."""
        provider, filing = self._chosen(dialect, request.headers)[0]
        if not all(map(can_seal, provider.keys)):
            raise NotOffered(f"{provider.name} has no credential, without which no file is brought in pieces.")
        said = request.headers.get(f"{UPLOAD}header-content-length", "")
        if said.isdecimal() and int(said[:20]) > self.max_bytes:
            raise self._too_large()
        place, got = await self._with_a_key(provider, filing, request, request.headers.get("content-type", ""))
        address = got.headers.get(f"{UPLOAD}url")
        if address is None:  # it came whole after all
            await self._recorded(tenant, place, filing.read(_decoded(got.body)))
            return FileAnswer(got.body, _shown(got))
        ticket = issued(tenant, provider.name, place.credential, address, self._now())
        host = request.headers.get("host", "localhost")
        ours = f"{request.scheme}://{host}{request.path}?upload_id={ticket}&upload_protocol=resumable"
        return FileAnswer(got.body, (*_shown(got), (f"{UPLOAD}url", ours)))

    def ticket(self, text: str) -> Ticket | None:
        """What a ticket says; None for one that is none, or no longer."""
        return Ticket.read(text, self._providers.values(), self._now())

    async def go_on(self, ticket: Ticket, request: HttpRequest) -> FileAnswer:
        """Brings a piece of one. Raises as `create`."""
        place = self._place(ticket.provider, ticket.credential)
        offset = request.headers.get(f"{UPLOAD}offset", "0")
        if not offset.isdecimal() or int(offset[:20]) + len(request.body) > self.max_bytes:
            raise self._too_large()
        headers = [pair for pair in _asked(request.headers) if pair[0] != "content-type"]
        got = await self._sent(place, "POST", ticket.url, request.take_body(), headers)
        if (
            got.headers.get(f"{UPLOAD}status") == "final"
            and (file := place.filing.read(_decoded(got.body))) is not None
        ):
            await self._recorded(ticket.tenant, place, file)
        return FileAnswer(got.body, _shown(got))

    async def _brought(self, tenant: str, provider: Provider, filing: Filing, request: HttpRequest) -> FileAnswer:
        """A form of OpenAI's, brought to Google."""
        form = _form(request.body)
        data = form.data
        headers: list[tuple[str, str]] = [
            (f"{UPLOAD}protocol", "resumable"),
            (f"{UPLOAD}command", "start"),
            (f"{UPLOAD}header-content-length", str(len(data))),
            (f"{UPLOAD}header-content-type", form.mime),
        ]
        started = jsontext.encode({"file": {"display_name": form.filename}})
        begin = HttpRequest("POST", request.path, "", dict(headers), started)
        place, got = await self._with_a_key(provider, filing, begin, JSON[1])
        address = got.headers.get(f"{UPLOAD}url")
        if address is None or not is_at(address, provider):
            raise UpstreamBadGateway("The provider gave no address of its own to bring the file to.")
        done = await self._sent(
            place, "POST", address, data, [(f"{UPLOAD}command", "upload, finalize"), (f"{UPLOAD}offset", "0")]
        )
        file = await self._recorded(tenant, place, filing.read(_decoded(done.body)))
        return FileAnswer(jsontext.encode(as_openai(file, form.purpose)), _simulated(done))

    async def _recorded(self, tenant: str, place: _Place, file: StoredFile | None) -> StoredFile:
        if file is None:
            raise UpstreamBadGateway("The provider did not say which file it made.")
        provider = place.provider
        try:
            await self._resources.record(
                Resource(provider.name, FILE, file.name, tenant, place.credential.mark, expires_us=file.expires_us)
            )
        except (Conflict, StorageUnavailable):
            with contextlib.suppress(UpstreamError):  # nobody could use it
                await self._sent(place, "DELETE", place.filing.url(provider.base_url, file.name))
            raise
        return file

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(f"A file may have {self.max_bytes} bytes.")

    # -- what there is

    async def page(
        self, dialect: Dialect, tenant: str, headers: Mapping[str, str], *, limit: int, after: str = ""
    ) -> Page:
        """The tenant's files that callers of a dialect can be told of, by name. Raises as `create`."""
        only = self._only(headers)
        able = {one.name for one, _ in self._able(dialect) if not only or one.name in only}
        files: list[Any] = []
        names: list[str] = []
        last = (after, "\U0010ffff") if after else ("", "")
        while len(files) <= limit:
            found = await self._resources.list(tenant, FILE, limit=limit + 1, after=last)
            mine = [one for one in found if one.provider in able]
            asked = mine[: limit + 1 - len(files)]
            told = await self._told(dialect, asked, headers)
            files += [file for _, file in told]
            names += [one.name for one, _ in told]
            if len(asked) == len(mine) and len(found) <= limit:
                break
            until = asked[-1] if len(asked) < len(mine) else found[-1]
            last = (until.name, until.provider)
        return Page(files[:limit], names[:limit], len(files) > limit)

    async def _told(
        self, dialect: Dialect, found: Sequence[Resource], headers: Mapping[str, str]
    ) -> list[tuple[Resource, Any]]:
        """What their providers say of some; those that are gone there are left out."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(resource: Resource) -> Any:
            async with slots:
                try:
                    place = self._place(resource.provider, resource.credential)
                    return self._as_asked(dialect, place, await self._asked_for(place, resource.name, headers))
                except NotFound:
                    return None

        told = await asyncio.gather(*[one(resource) for resource in found])
        return [(resource, file) for resource, file in zip(found, told, strict=True) if file is not None]

    async def show(self, dialect: Dialect, tenant: str, name: str, headers: Mapping[str, str]) -> FileAnswer:
        """What its provider says of a file. Raises `NotFound`, `StorageUnavailable`, and as the provider."""
        place = await self._owned(dialect, tenant, name)
        got = await self._asked_for(place, name, headers)
        if place.filing.dialect == dialect.name:
            return FileAnswer(got.body, _shown(got))
        return FileAnswer(jsontext.encode(self._as_asked(dialect, place, got)), _simulated(got))

    async def content(self, dialect: Dialect, tenant: str, name: str, headers: Mapping[str, str]) -> FileAnswer:
        """What is in it. Raises as `show`, and `NotOffered` where its provider does not give that back."""
        place = await self._owned(dialect, tenant, name)
        end = "/content"
        if place.filing.in_pieces:
            if dialect.name != place.filing.dialect:
                raise NotOffered(f"{place.provider.name} does not give back what was brought to it.")
            end = ":download?alt=media"
        url = place.filing.url(place.provider.base_url, name, end)
        got = await self._found(place, name, "GET", url, headers, MAX_FILE_BYTES)
        return FileAnswer(got.body, _shown(got))

    async def delete(self, dialect: Dialect, tenant: str, name: str, headers: Mapping[str, str]) -> FileAnswer:
        """It is gone, at its provider and here. Raises as `show`."""
        place = await self._owned(dialect, tenant, name)
        url = place.filing.url(place.provider.base_url, name)
        try:
            got = await self._found(place, name, "DELETE", url, headers)
        except NotFound:
            await self._resources.delete(tenant, place.provider.name, FILE, name)
            raise
        await self._resources.delete(tenant, place.provider.name, FILE, name)
        if place.filing.dialect == dialect.name:
            return FileAnswer(got.body, _shown(got))
        return FileAnswer(jsontext.encode({"id": name, "object": "file", "deleted": True}), _simulated(got))

    def _as_asked(self, dialect: Dialect, place: _Place, got: _Got) -> Any:
        told = _decoded(got.body)
        if place.filing.dialect == dialect.name:
            return told
        file = place.filing.read(told)
        if file is None:
            raise UpstreamBadGateway("The provider told of no file.")
        return as_openai(file)

    # -- whom to ask

    def _able(self, dialect: Dialect) -> list[tuple[Provider, Filing]]:
        """Providers whose files callers of a dialect can have, those of their own dialect first."""
        filed = [(one, one.kind.files) for one in self._providers.values() if one.kind.files is not None]
        own = [(one, filing) for one, filing in filed if filing.dialect == dialect.name]
        others = [(one, filing) for one, filing in filed if dialect.name == CHAT and filing.dialect == GEMINI]
        return own + others

    def _only(self, headers: Mapping[str, str]) -> frozenset[str]:
        """The providers that a caller names. Raises `InvalidRequest` for one that there is none of."""
        names = frozenset([one.strip() for one in headers.get(ONLY_HEADER, "").split(",") if one.strip()])
        if odd := names - self._providers.keys():
            raise InvalidRequest(f"There is no provider {min(odd)!r}.", param=ONLY_HEADER)
        return names

    def _chosen(self, dialect: Dialect, headers: Mapping[str, str]) -> list[tuple[Provider, Filing]]:
        """Whom to bring a file to; the next one if one turns out to keep none. Raises `InvalidRequest`, `NotOffered`."""
        only = self._only(headers)
        able = [pair for pair in self._able(dialect) if not only or pair[0].name in only]
        if not able:
            which = "of those that were named " if only else ""
            raise NotOffered(
                f"No provider {which}keeps files for callers of this API. Send files inside the request, as base64."
            )
        return able

    async def _owned(self, dialect: Dialect, tenant: str, name: str) -> _Place:
        """Where a tenant's file is. Raises `NotFound`."""
        found = await self._resources.owned(tenant, [(FILE, name)])
        able = {one.name for one, _ in self._able(dialect)}
        for resource in found.get((FILE, name), ()):
            if resource.provider in able:
                return self._place(resource.provider, resource.credential)
        raise _not_found(name)

    def _place(self, name: str, mark: str) -> _Place:
        provider = self._providers.get(name)
        if provider is not None and (filing := provider.kind.files) is not None:
            for credential in provider.keys:
                if credential.mark == mark:
                    return _Place(provider, filing, credential)
        raise NotFound("The credential that the file was made with is no longer configured.")

    # -- asking

    async def _with_a_key(
        self, provider: Provider, filing: Filing, request: HttpRequest, content: str
    ) -> tuple[_Place, _Got]:
        """The first of a provider's credentials that is let in brings something new. Raises `NotOffered` where there is no
        such address."""
        url, body = filing.upload_url(provider.base_url), request.body
        headers = [*_asked(request.headers), *_forwarded(filing, request.headers)]
        if content:
            headers.append(("content-type", content))
        for number, credential in enumerate(provider.keys, 1):
            place = _Place(provider, filing, credential)
            try:
                return place, await self._sent(place, "POST", url, body, headers)
            except _NEXT_KEY:
                if number == len(provider.keys):
                    raise
            except UpstreamError as error:
                if error.upstream_status in (404, 405):
                    raise NotOffered(f"{provider.name} keeps no files.") from None
                raise
        raise NotOffered(f"{provider.name} has no credential.")

    async def _asked_for(self, place: _Place, name: str, headers: Mapping[str, str]) -> _Got:
        return await self._found(place, name, "GET", place.filing.url(place.provider.base_url, name), headers)

    async def _found(
        self,
        place: _Place,
        name: str,
        method: str,
        url: str,
        headers: Mapping[str, str],
        most: int = MAX_OBJECT_BYTES,
    ) -> _Got:
        """Raises `NotFound` where the provider says so."""
        try:
            return await self._sent(place, method, url, b"", _forwarded(place.filing, headers), most)
        except UpstreamError as error:
            if error.upstream_status == 404 or (place.filing.in_pieces and error.upstream_status == 403):
                raise _not_found(name) from None
            raise

    async def _sent(
        self,
        place: _Place,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
        most: int = MAX_OBJECT_BYTES,
    ) -> _Got:
        provider = place.provider
        spoken = next(
            (one for one in provider.kind.spoken if one.dialect.name == place.filing.dialect), provider.kind.spoken[0]
        )
        shown = await self._signer.headers(provider, spoken, place.credential)
        named = {name for name, _ in headers} | {"content-type"}
        kept = [*[pair for pair in shown if pair[0].lower() not in named], *headers]
        request = UpstreamRequest(url=url, headers=kept, body=body, method=method)
        response = await self._upstream.send(request)
        try:
            answer = await response.read(most)
        finally:
            response.close()
        if response.status == 401:
            self._signer.refused(place.credential)
        if response.status >= 300:
            raise spoken.dialect.parse_error(response.status, place.credential.hidden_in(answer))
        return _Got(response.status, response.headers, answer)


class _Form(msgspec.Struct, frozen=True):
    data: bytes
    filename: str
    mime: str
    purpose: str


def _form(body: bytes) -> _Form:
    """A form of OpenAI's with a file. Raises `InvalidRequest`."""
    try:
        found = {field.name: field for field in multipart.fields(body)}
    except multipart.NotMultipart as error:
        raise InvalidRequest(f"The request body is no multipart/form-data: {error}.") from None
    for name in ("file", "purpose"):
        if name not in found:
            raise InvalidRequest(f"Missing required parameter: '{name}'.", param=name)
    file, data = found["file"], found["file"].value(body)
    filename = file.filename or "file"
    mime = settled_mime(file.content_type, name=filename, head=data[:64]) or "application/octet-stream"
    if not (mime.isascii() and mime.isprintable()):
        raise InvalidRequest("The file's content type is none.", param="file")
    return _Form(data, filename, mime, found["purpose"].value(body).decode("utf-8", "replace")[:64])


def _asked(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """What of Google's way to bring files goes on to it."""
    names = [f"{UPLOAD}{name}" for name in _ASKED]
    return [(name, headers[name]) for name in names if name in headers and headers[name].isprintable()]


def _forwarded(filing: Filing, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    said = [(name, headers[name]) for name in filing.forwarded if name in headers and headers[name].isprintable()]
    named = {name for name, _ in said}
    return [*said, *[pair for pair in filing.headers if pair[0] not in named]]


def _shown(got: _Got) -> Headers:
    names = [*_SHOWN, *[f"{UPLOAD}{name}" for name in _TOLD]]
    return [(name, got.headers[name]) for name in names if name in got.headers]


def _simulated(got: _Got) -> Headers:
    return [JSON, *[pair for pair in _shown(got) if pair[0] == "x-portico-simulated"]]


def _decoded(body: bytes) -> Any:
    try:
        return jsontext.decode(body)
    except jsontext.NotJson as error:
        raise UpstreamBadGateway(f"The provider's answer is not JSON: {error}") from None


def _not_found(name: str) -> NotFound:
    return NotFound(f"There is no file {name[:200]!r}.")
