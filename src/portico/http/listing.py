"""The models there are, as callers of each dialect list them (mapping.md 5.5): the same names in every list.

`scope` are the globs of the caller's key: what they do not hold is not there. `serves` says of a model whether anybody
here serves it: what nobody does is not there either. `rates` says what this caller pays; only OpenAI's rows tell it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol, TypeAlias

from portico.accounts import is_in_scope, require_in_scope
from portico.catalog import Catalog, ListedModel, Model, ModelKind
from portico.core.digits import whole
from portico.core.errors import InvalidRequest, ModelNotFound
from portico.core.target import ThinkingControl
from portico.http.offered import RatesOf, beside
from portico.wire.names import snake

Scope: TypeAlias = tuple[str, ...]
Serves: TypeAlias = Callable[[Model], bool]

NO_QUERY: Final[Mapping[str, str]] = {}
DEFAULT_PAGE: Final = 50
ANTHROPIC_PAGE: Final = 20
LARGEST_PAGE: Final = 1000
_GENERATING: Final = ("generateContent", "streamGenerateContent", "countTokens")
_EMBEDDING: Final = ("embedContent", "batchEmbedContents", "countTokens")


def find_row(catalog: Catalog, name: str, scope: Scope = (), serves: Serves | None = None) -> ListedModel:
    """One model by any name it is known by; the row carries its own. Raises `ModelNotFound`."""
    rows = {row.id: row for row in catalog.listing()}
    row = rows.get(name) or rows[catalog.resolve(name).name]
    model = catalog.models[row.base or row.id]
    require_in_scope(scope, model.name, model.vendor, name)
    if serves is not None and not serves(model):
        raise ModelNotFound(
            f"The model {name!r} is known, but no provider that serves it is configured.", param="model"
        )
    return row


def _listed(catalog: Catalog, today: date, scope: Scope, serves: Serves | None) -> list[ListedModel]:
    rows = [row for row in catalog.listing(today=today) if _is_listed(catalog.models[row.base or row.id], row, scope)]
    if serves is None:
        return rows
    served = {name for name in {row.base or row.id for row in rows} if serves(catalog.models[name])}
    return [row for row in rows if (row.base or row.id) in served]


def _is_listed(model: Model, row: ListedModel, scope: Scope) -> bool:
    return is_in_scope(scope, model.name, model.vendor, row.id)


# -- OpenAI ----------------------------------------------------------------------------------------------------------


def openai_list(
    catalog: Catalog,
    today: date,
    query: Mapping[str, str] = NO_QUERY,  # noqa: ARG001 - OpenAI's list has one page
    scope: Scope = (),
    *,
    serves: Serves | None = None,
    rates: RatesOf | None = None,
) -> dict[str, Any]:
    told: dict[str, dict[str, Any]] = {}
    rows = []
    for row in _listed(catalog, today, scope, serves):
        name = row.base or row.id
        if name not in told:
            told[name] = _beside(catalog.models[name], today, rates)
        rows.append(_openai_row(catalog, row, told[name]))
    return {"object": "list", "data": rows}


def openai_model(
    catalog: Catalog,
    name: str,
    today: date,
    scope: Scope = (),
    *,
    serves: Serves | None = None,
    rates: RatesOf | None = None,
) -> dict[str, Any]:
    """One model, under the name asked for. Raises `ModelNotFound`."""
    row = find_row(catalog, name, scope, serves)
    return {**_openai_row(catalog, row, _beside(catalog.models[row.base or row.id], today, rates)), "id": name}


def _beside(model: Model, today: date, rates: RatesOf | None) -> dict[str, Any]:
    """What is told of a model, and the same for all its names. Kept as long as its rates are."""
    asked = None if rates is None else rates(model, today)
    if asked is None:
        return beside(model)
    key = ("listed", model.name)
    found: dict[str, Any] | None = asked.memo.get(key)
    if found is None:
        found = asked.memo[key] = beside(model, asked)
    return found


def _openai_row(catalog: Catalog, row: ListedModel, told: Mapping[str, Any]) -> dict[str, Any]:
    """A model as OpenAI lists it, and what people want to know beside."""
    title = catalog.models[row.base or row.id].title
    rendered: dict[str, Any] = {
        "id": row.id,
        "name": title if row.base is None else f"{title} ({row.id})",
        "object": "model",
        "created": row.created,
        "owned_by": row.owned_by,
        "context_length": row.context_length,
        "max_output": row.max_output,
        "input_modalities": list(row.input_modalities),
        "output_modalities": list(row.output_modalities),
        "description": row.description.en,
        **told,
    }
    if row.base is not None:
        rendered["base"] = row.base
    return rendered


# -- Anthropic -------------------------------------------------------------------------------------------------------


def anthropic_list(
    catalog: Catalog,
    today: date,
    query: Mapping[str, str],
    scope: Scope = (),
    *,
    serves: Serves | None = None,
    rates: RatesOf | None = None,  # noqa: ARG001 - its rows have no room for prices
) -> dict[str, Any]:
    """A page of `limit` models (20 unless told, at most 1000) behind `after_id` or before `before_id`.

    Raises `InvalidRequest`."""
    rows = _listed(catalog, today, scope, serves)
    limit = _whole(query, "limit")
    if not limit and query.get("limit"):
        raise InvalidRequest(f"limit: 1 to {LARGEST_PAGE}.", param="limit")
    size = min(limit or ANTHROPIC_PAGE, LARGEST_PAGE)
    after, before = query.get("after_id"), query.get("before_id")
    if after and before:
        raise InvalidRequest("after_id or before_id, not both.", param="before_id")
    if before:
        end = _place(rows, before, "before_id")
        start = max(0, end - size)
        page, more = rows[start:end], start > 0
    else:
        start = _place(rows, after, "after_id") + 1 if after else 0
        page, more = rows[start : start + size], start + size < len(rows)
    return {
        "data": [_anthropic_row(catalog, row, row.id) for row in page],
        "has_more": more,
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
    }


def anthropic_model(
    catalog: Catalog,
    name: str,
    today: date,  # noqa: ARG001 - prices have days
    scope: Scope = (),
    *,
    serves: Serves | None = None,
    rates: RatesOf | None = None,  # noqa: ARG001
) -> dict[str, Any]:
    """One model, under the name asked for. Raises `ModelNotFound`."""
    return _anthropic_row(catalog, find_row(catalog, name, scope, serves), name)


def _place(rows: Sequence[ListedModel], id_: str, param: str) -> int:
    found = next((number for number, row in enumerate(rows) if row.id == id_), None)
    if found is None:
        raise InvalidRequest(f"{param}: the id of a model of this list.", param=param)
    return found


def _anthropic_row(catalog: Catalog, row: ListedModel, name: str) -> dict[str, Any]:
    title = catalog.resolve(row.id).model.title
    return {
        "type": "model",
        "id": name,
        "display_name": title if row.base is None else f"{title} ({row.id})",
        "created_at": datetime.fromtimestamp(row.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


# -- Gemini ----------------------------------------------------------------------------------------------------------


def gemini_list(
    catalog: Catalog,
    today: date,
    query: Mapping[str, str],
    scope: Scope = (),
    *,
    serves: Serves | None = None,
    rates: RatesOf | None = None,  # noqa: ARG001 - its rows have no room for prices
) -> dict[str, Any]:
    """A page of `pageSize` models (50 unless told, at most 1000) from `pageToken` on. Raises `InvalidRequest`."""
    rows = _listed(catalog, today, scope, serves)
    size = min(_whole(query, "pageSize") or DEFAULT_PAGE, LARGEST_PAGE)
    start = _whole(query, "pageToken")
    if start >= len(rows) > 0:
        raise InvalidRequest("The parameter 'pageToken' is not one that was given out here.", param="pageToken")
    page: dict[str, Any] = {"models": [_gemini_row(catalog, row, row.id) for row in rows[start : start + size]]}
    if start + size < len(rows):
        page["nextPageToken"] = str(start + size)
    return page


def gemini_model(
    catalog: Catalog,
    name: str,
    today: date,  # noqa: ARG001 - prices have days
    scope: Scope = (),
    *,
    serves: Serves | None = None,
    rates: RatesOf | None = None,  # noqa: ARG001
) -> dict[str, Any]:
    """One model, under the name asked for. Raises `ModelNotFound`."""
    return _gemini_row(catalog, find_row(catalog, name, scope, serves), name.removeprefix("models/"))


def _whole(query: Mapping[str, str], camel: str) -> int:
    """A whole number of a query, by its name in either spelling; 0 without one."""
    number = whole(query.get(camel) or query.get(snake(camel)) or "0")
    if number is None:
        raise InvalidRequest(f"The parameter {camel!r} is a whole number.", param=camel)
    return number


def _gemini_row(catalog: Catalog, row: ListedModel, name: str) -> dict[str, Any]:
    model = catalog.resolve(row.id).model
    return {
        "name": f"models/{name}",
        "baseModelId": model.name,
        "version": ".".join(str(number) for number in model.capabilities.generation),
        "displayName": model.title if row.base is None else f"{model.title} ({row.id})",
        "description": row.description.en,
        "inputTokenLimit": row.context_length,
        "outputTokenLimit": row.max_output,
        "supportedGenerationMethods": list(_EMBEDDING if row.kind is ModelKind.EMBEDDING else _GENERATING),
        "thinking": model.capabilities.thinking.control is not ThinkingControl.NONE,
    }


# -- which is whose ----------------------------------------------------------------------------------------------------


class _One(Protocol):
    def __call__(
        self,
        catalog: Catalog,
        name: str,
        today: date,
        scope: Scope = (),
        *,
        serves: Serves | None = None,
        rates: RatesOf | None = None,
    ) -> dict[str, Any]: ...


class _Many(Protocol):
    def __call__(
        self,
        catalog: Catalog,
        today: date,
        query: Mapping[str, str],
        scope: Scope = (),
        *,
        serves: Serves | None = None,
        rates: RatesOf | None = None,
    ) -> dict[str, Any]: ...


LISTINGS: Final[Mapping[str, tuple[_One, _Many]]] = {
    "openai_chat": (openai_model, openai_list),
    "anthropic_messages": (anthropic_model, anthropic_list),
    "gemini": (gemini_model, gemini_list),
}
"""By dialect: how one model is shown, and how all are listed."""
