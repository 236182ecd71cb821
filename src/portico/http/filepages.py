"""Files at providers, for those who brought them (relay/files.py):

    POST   /v1/files                     a form: `file`, `purpose`; which provider: x-portico-providers, else the first
    GET    /v1/files                     the caller's own: limit, after, purpose
    GET    /v1/files/{id}                what its provider says of it
    GET    /v1/files/{id}/content        what is in it
    DELETE /v1/files/{id}                it is gone
    POST   /upload/v1beta/files          Google's way to bring one, in pieces
    GET    /v1beta/files, …/{id}         Google's twins of the above; DELETE …/{id}, GET …/{id}:download

Each counts as a request of its key (relay/admitting.py). Anthropic's clients have theirs under /v1/files too, by the
version that they say they speak. Another tenant's is a 404 that nothing tells from what never was.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.accounts import Caller
from portico.core.digits import whole
from portico.core.errors import InvalidRequest, MethodNotAllowed
from portico.http.query import Query
from portico.http.routes import GEMINI, MESSAGES, Action, Route
from portico.relay.files import FileAnswer, Files, Page
from portico.relay.tickets import Ticket
from portico.wire import jsontext
from portico.wire.http import Exchange, Headers

LARGEST_PAGE: Final = 100
GOOGLES_PAGE: Final = 10
MOST_ASKED: Final = 10_000
"""OpenAI's default; whoever asks for so many gets the largest page and is told that there are more."""


_NO_PAGE: Final[Headers] = (
    ("content-security-policy", "default-src 'none'; sandbox"),
    ("x-content-type-options", "nosniff"),
)
"""What somebody brought is no page of this house and runs nothing here: a key may stand in an address, which can be given
to anybody, also to who is signed in."""


class FilePages:
    """Answers these routes."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def ticket(self, query: Query) -> Ticket | None:
        """Whose file an upload brings a piece of, where its address says so."""
        said = query.parameters.get("upload_id")
        return None if said is None else self._files.ticket(said)

    def is_opened_by(self, path: str, query: Query) -> bool:
        """Whether the address of a request alone says that it may come."""
        said = query.parameters.get("upload_id") if path.startswith("/upload/") else None
        return said is not None and self._files.ticket(said) is not None

    async def go_on(self, exchange: Exchange, ticket: Ticket) -> None:
        """Answers whoever brings a piece. Raises as `serve`."""
        _send(exchange, await self._files.go_on(ticket, exchange.request))

    async def serve(self, exchange: Exchange, route: Route, query: Query, caller: Caller) -> None:
        """Answers one request. Raises what is wrong with it, `NotFound`, `StorageUnavailable`, and as providers do."""
        request, dialect = exchange.request, route.dialect
        headers, tenant = request.headers, caller.tenant
        await self._files.admit(caller, brings=request.method == "POST")
        if route.action is Action.UPLOAD:
            if "upload_id" in query.parameters:
                raise InvalidRequest(
                    "The address is not one that was given, or no longer. Begin anew.", param="upload_id"
                )
            answer = await self._files.begin(tenant, request, dialect)
        elif route.action is Action.FILES and request.method == "POST":
            if dialect is GEMINI:
                raise MethodNotAllowed("Files are brought to /upload/v1beta/files.", allow="GET, HEAD")
            answer = await self._files.create(dialect, tenant, request)
        elif route.action is Action.FILES:
            answer = FileAnswer(jsontext.encode(await self._listed(route, query, tenant, headers)))
        else:
            name = f"files/{route.item}" if dialect is GEMINI else route.item or ""
            if route.action is Action.FILE_CONTENT:
                found = await self._files.content(dialect, tenant, name, headers)
                answer = FileAnswer(found.body, (*found.headers, *_NO_PAGE), found.status)
            elif request.method == "DELETE":
                answer = await self._files.delete(dialect, tenant, name, headers)
            else:
                answer = await self._files.show(dialect, tenant, name, headers)
        _send(exchange, answer)

    async def _listed(self, route: Route, query: Query, tenant: str, headers: Mapping[str, str]) -> dict[str, Any]:
        asked = query.parameters
        size, token = ("pageSize", "pageToken") if route.dialect is GEMINI else ("limit", "after")
        if route.dialect is MESSAGES:
            token = "after_id"  # noqa: S105
        limit = _limit(asked.get(size), size, GOOGLES_PAGE if route.dialect is GEMINI else LARGEST_PAGE)
        page = await self._files.page(route.dialect, tenant, headers, limit=limit, after=asked.get(token, ""))
        if route.dialect is GEMINI:
            told = {"files": list(page.files)} if page.files else {}
            return {**told, "nextPageToken": page.names[-1]} if page.more else told
        return _openai_list(page, asked.get("purpose"))


def _openai_list(page: Page, purpose: str | None) -> dict[str, Any]:
    files = [one for one in page.files if purpose is None or one.get("purpose") == purpose]
    return {
        "object": "list",
        "data": files,
        "first_id": page.names[0] if page.names else None,
        "last_id": page.names[-1] if page.names else None,
        "has_more": page.more,
    }


def _limit(said: str | None, name: str, default: int) -> int:
    if said is None:
        return default
    number = whole(said) or 0
    if not 1 <= number <= MOST_ASKED:
        raise InvalidRequest(f"{name}: a whole number, 1 to {MOST_ASKED}.", param=name)
    return min(number, LARGEST_PAGE)


def _send(exchange: Exchange, answer: FileAnswer) -> None:
    headers = list(answer.headers)
    if all(name != "content-type" for name, _ in headers):
        headers.append(("content-type", "application/json"))
    exchange.send(answer.status, [*headers, ("cache-control", "no-store")], answer.body)
