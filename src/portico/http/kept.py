"""Answers that are kept, for those who keep them:

    GET    /v1/responses/{id}               the answer as it was told
    DELETE /v1/responses/{id}               it is gone, and with it what was new in its request
    GET    /v1/responses/{id}/input_items   what it was asked with, all before it included: order=desc, limit=20, after=

Another tenant's is a 404 that nothing tells from what never was.
"""

from typing import Any, Final

from portico.accounts import Caller
from portico.core.dialect import State
from portico.core.digits import whole
from portico.core.errors import InvalidRequest, NotFound, RequestTooLarge, RouteNotFound
from portico.http.query import Query
from portico.http.routes import Action, Route
from portico.vault.responses import ChainTooLong, StoredResponses
from portico.wire import jsontext
from portico.wire.http import Exchange

_HEADERS: Final = (("content-type", "application/json"), ("cache-control", "no-store"))
DEFAULT_PAGE: Final = 20
LARGEST_PAGE: Final = 100


class ResponsePages:
    """Answers these routes from the store."""

    def __init__(self, stored: StoredResponses) -> None:
        self._stored = stored

    async def serve(self, exchange: Exchange, route: Route, query: Query, caller: Caller) -> None:
        """Answers one request. Raises what is wrong with it, `NotFound`, `StorageUnavailable`."""
        state, id_ = route.dialect.state, route.item or ""
        if state is None:
            raise RouteNotFound
        if route.action is Action.RESPONSE_ITEMS:
            body = await self._items(caller, state, id_, query)
        elif exchange.request.method == "DELETE":
            body = await self._deleted(caller, id_)
        else:
            body = await self._shown(caller, id_, query)
        exchange.send(200, list(_HEADERS), body)

    async def _shown(self, caller: Caller, id_: str, query: Query) -> bytes:
        if query.parameters.get("stream") in ("true", "1"):
            raise InvalidRequest("A kept response is not told as a stream.", param="stream")
        turn = await self._stored.find(caller.tenant, id_)
        if turn is None:
            raise _not_found(id_)
        return turn.response

    async def _deleted(self, caller: Caller, id_: str) -> bytes:
        if not await self._stored.delete(caller.tenant, id_):
            raise _not_found(id_)
        return jsontext.encode({"id": id_, "object": "response", "deleted": True})

    async def _items(self, caller: Caller, state: State, id_: str, query: Query) -> bytes:
        try:
            turns = await self._stored.chain(caller.tenant, id_)
        except ChainTooLong:
            raise RequestTooLarge("The conversation is longer than can be listed.") from None
        if not turns:
            raise _not_found(id_)
        return jsontext.encode(_page(state.input_items(turns), query))


def _page(items: list[dict[str, Any]], query: Query) -> dict[str, Any]:
    """Some of the items, as asked for. Raises `InvalidRequest`."""
    order, after = query.parameters.get("order"), query.parameters.get("after")
    size = whole(query.parameters.get("limit", str(DEFAULT_PAGE))) or 0
    if order not in (None, "asc", "desc"):
        raise InvalidRequest("order: asc or desc.", param="order")
    if not 1 <= size <= LARGEST_PAGE:
        raise InvalidRequest(f"limit: a whole number, 1 to {LARGEST_PAGE}.", param="limit")
    if order != "asc":
        items.reverse()
    if after is not None:
        start = next((number for number, item in enumerate(items, 1) if item.get("id") == after), None)
        if start is None:
            raise InvalidRequest("after: the id of an item of this list.", param="after")
        items = items[start:]
    page = items[:size]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0].get("id") if page else None,
        "last_id": page[-1].get("id") if page else None,
        "has_more": len(items) > size,
    }


def _not_found(id_: str) -> NotFound:
    return NotFound(f"Response with id '{id_[:100]}' not found.")
