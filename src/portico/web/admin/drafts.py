"""A draft of prices: written here as text, compared with what is in force, and published from a day on."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from portico.accounts.lending import SEAL, seal_of_a_form
from portico.core.errors import InvalidRequest
from portico.web.admin.forms import Act, acted, page
from portico.web.inside.asked import Asked, Led, Reply, Shown

NEW: Final = "new"
DAYS: Final = 7
EXAMPLE: Final = """\
[[prices]]
model = ""
input = ""
cached = ""
output = ""
"""


async def draft(asked: Asked) -> Shown:
    name = asked.names["draft"]
    if name == NEW:
        text = asked.said("text", EXAMPLE) if asked.said("do") == "save" else _example(asked)
        data: dict[str, Any] = {"draft": None, "text": text, "changes": None, "used": {}, "unchanged": 0}
        return page(asked, "draft", "A draft of prices", **data, sealed=await _sealed(asked))
    found = await asked.do("prices draft show", draft=name)
    changes, unchanged = None, 0
    problem = found.problem
    if found.prices:
        try:
            told = await asked.do("prices diff", prices=_plain(found.prices))
            changes, unchanged = told.changes, told.unchanged
        except InvalidRequest as error:
            problem = error.message
    text = asked.form["text"][0] if asked.said("do") == "save" and "text" in asked.form else found.text
    return page(
        asked,
        "draft",
        found.title or "A draft of prices",
        draft=found,
        problem=problem,
        text=text,
        changes=changes,
        unchanged=unchanged,
        used=await _used(asked),
        today=asked.backstage.showroom.now().date(),
        sealed=await _sealed(asked),
    )


async def _sealed(asked: Asked) -> str:
    """What makes the form's address one at which a long text is read."""
    sealed = await asked.backstage.reading.read(lambda db: seal_of_a_form(db, asked.seal))
    return f"?{urlencode({SEAL: sealed})}" if sealed else ""


def _example(asked: Asked) -> str:
    """A new draft, of the model that an address names."""
    model = asked.first("model")
    return EXAMPLE.replace('model = ""', f"model = {msgspec.json.encode(model).decode()}") if model else EXAMPLE


def _plain(lines: Any) -> list[Any]:
    found: list[Any] = msgspec.to_builtins(lines)
    return found


async def _used(asked: Asked) -> Mapping[str, Any]:
    """What each model was called for in the last seven days: what a change of its price would have touched."""
    first = asked.backstage.showroom.now().date() - timedelta(days=DAYS - 1)
    found = await asked.do("usage", by="model", limit=500, **{"from": first.isoformat()})
    return {row.model: row for row in found.data}


async def act_on_draft(asked: Asked) -> Reply:
    return await acted(asked, _ACTS, draft)


async def _save(asked: Asked) -> Led:
    name = asked.names["draft"]
    text = next(iter(asked.form.get("text", ())), "")
    saved = await asked.do(
        "prices draft save", text=text, title=asked.said("title"), draft=None if name == NEW else name
    )
    return Led(to=f"/admin/prices/drafts/{saved.id}", done="kept")


async def _publish(asked: Asked) -> Led:
    """From a day on: that of the form, where a line says none of its own; else at once. Then the draft is dropped."""
    found = await asked.do("prices draft show", draft=asked.names["draft"])
    if found.problem:
        raise InvalidRequest(found.problem)
    lines = _plain(found.prices)
    if begins := asked.said("begins"):
        lines = [{"effective_from": begins, **line} for line in lines]
    done = await asked.do("prices publish", prices=lines)
    await asked.do("prices draft drop", draft=found.id)
    return Led(to="/admin/prices", done="published" if done.changes else "unchanged")


async def _drop(asked: Asked) -> Led:
    found = await asked.do("prices draft show", draft=asked.names["draft"])
    asked.require_name(found.title or found.id)
    await asked.do("prices draft drop", draft=found.id)
    return Led(to="/admin/prices", done="dropped")


_ACTS: Final[dict[str, Act]] = {"save": _save, "publish": _publish, "drop": _drop}
