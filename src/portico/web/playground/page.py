"""The page, and what it asks of us while it is open: its own calls go to the API, as anybody's do."""

import asyncio
import re
from functools import lru_cache
from typing import Any, Final

from portico.accounts.lending import lent_keys
from portico.core.errors import InvalidRequest, NotFound
from portico.web.addresses import Address, Locale
from portico.web.book import body_of, every_source
from portico.web.inside.asked import Asked, Reply, Sent, Shown
from portico.web.playground.models import offered
from portico.web.playground.tree import MAX_CHARACTERS, Node, to_tree
from portico.wire import jsontext

ERRORS: Final = "/docs/errors"
FIRST: Final = ("gemini-3.8-flash", "gpt-5.5", "claude-sonnet-5-5")
"""Of these the first that is served is chosen, where the address says none."""
_BODY_BYTES: Final = 64 * 1024 * 1024
_at_a_time: Final = asyncio.Semaphore(1)


async def look(asked: Asked) -> Reply:
    """The page, with the keys that can be billed and the models that can be asked."""
    visitor = asked.visitor
    keys = await asked.backstage.reading.read(
        lambda db: lent_keys(db, asked.seal, user_id=visitor.user.id, account_id=asked.account_id)
    )
    vendors = offered(asked.backstage.showroom)
    names = [one["name"] for _, models in vendors for one in models]
    said = asked.first("model")
    chosen = said or next((name for name in FIRST if name in names), names[0] if names else "")
    data = {
        "keys": keys,
        "vendors": vendors,
        "models": [one for _, models in vendors for one in models],
        "named": said if said and said not in names else "",
        "chosen": chosen,
        "max_bytes": asked.backstage.extras.get("max_body_bytes", _BODY_BYTES),
        "simulated": asked.backstage.showroom.simulated,
        "errors_page": str(Address(ERRORS, asked.locale)),
    }
    return Shown(template="playground/page", title="Playground", data=data, images="blob:")


async def render(asked: Asked) -> Reply:
    """A text in Markdown, as a tree. Raises `InvalidRequest`."""
    text = next(iter(asked.form.get("text", ())), "")
    if len(text) > MAX_CHARACTERS:
        raise InvalidRequest("This is too long to be set.", param="text")
    async with _at_a_time:
        return _json({"nodes": await asyncio.to_thread(to_tree, text)})


async def explain(asked: Asked) -> Reply:
    """What an error means and what helps, as the documentation has it. Raises `NotFound`."""
    found = await asyncio.to_thread(explained, asked.names["code"], asked.locale)
    return _json({"nodes": found, "doc": f"{Address(ERRORS, asked.locale)}#{asked.names['code']}"})


@lru_cache(maxsize=256)
def explained(code: str, locale: Locale) -> list[Node]:
    """The section of an error. Raises `NotFound`."""
    source = every_source(locale)[ERRORS]
    section = rf"^###[^\n]*\{{#{re.escape(code)}\}}\n(.*?)(?=^##)"
    match = re.search(section, body_of(source, "") + "\n## ", re.MULTILINE | re.DOTALL)
    if match is None:
        raise NotFound("There is no such error.")
    text = re.sub(
        r"^\s*\*\*[^*]+\*\*[。.]?\s*", "", match[1]
    )  # status, and whether it is charged: that is told of this call
    told = re.sub(r"\]\((/[^)\s]*|#[^)\s]*)\)", "]", text)  # links of the page that lead within it
    return to_tree(re.sub(r"\[([^\]]*)\](?!\()", r"\1", told))


def _json(told: Any) -> Sent:
    return Sent(body=jsontext.encode(told), media_type="application/json")
