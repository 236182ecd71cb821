"""A template becomes a page behind the door, in the reader's language."""

from collections.abc import Iterable
from typing import Any, Final

from portico.web import words
from portico.web.addresses import Address, Locale
from portico.web.inside.asked import Asked, Needs, Shown
from portico.web.inside.guard import TOKEN_FIELD
from portico.web.inside.notices import NOTICES
from portico.web.money import usd
from portico.web.page import View, Visit
from portico.web.render import closed_up, common, environment
from portico.web.slip import width

CONSOLE: Final = (
    ("/console", "Overview", Needs.VIEWER),
    ("/console/usage", "Usage", Needs.VIEWER),
    ("/console/keys", "Keys", Needs.VIEWER),
    ("/console/playground", "Playground", Needs.MEMBER),
    ("/console/top-up", "Top up", Needs.VIEWER),
    ("/console/people", "People", Needs.VIEWER),
    ("/console/settings", "Settings", Needs.PERSON),
)
"""The rail of the console: address, name in English, who may look there."""
ADMIN: Final = (
    ("/admin", "Overview", Needs.OPERATOR),
    ("/admin/accounts", "Accounts", Needs.OPERATOR),
    ("/admin/users", "Users", Needs.OPERATOR),
    ("/admin/keys", "Keys", Needs.OPERATOR),
    ("/admin/codes", "Codes", Needs.OPERATOR),
    ("/admin/payments", "Payments", Needs.OPERATOR),
    ("/admin/providers", "Providers", Needs.OPERATOR),
    ("/admin/deployments", "Deployments", Needs.OPERATOR),
    ("/admin/prices", "Prices", Needs.OPERATOR),
    ("/admin/usage", "Usage and margin", Needs.OPERATOR),
    ("/admin/live", "Live calls", Needs.OPERATOR),
    ("/admin/audit", "Audit", Needs.OPERATOR),
)


def render(asked: Asked, shown: Shown) -> str:
    """The page. To be called beside the loop."""
    visit = Visit(Address(asked.path, asked.locale), asked.base_url, asked.query)
    view = View(template="", title=shown.title, summary="", follows=False)
    visitor = asked.visitor_or_none
    seen: dict[str, Any] = {
        **common(visit, view, html=True, theme=asked.theme),
        "asked": asked,
        "visitor": visitor,
        "may": (lambda needs: visitor.may(needs)) if visitor is not None else (lambda _needs: False),
        "Needs": Needs,
        "token_field": TOKEN_FIELD,
        "notice": NOTICES.get(asked.first("done"), ""),
        "errors": shown.errors,
        "rail": _rail(asked),
        "desk": "admin" if asked.path.startswith("/admin") else "console",
        "NANOS": 1_000_000_000,
        "whole": words.whole,
        "places": _places,
        "all_locales": tuple(Locale),
        **shown.data,
    }
    told = environment(html=True).get_template(f"{shown.template}.html").render(seen)
    return told if asked.locale is Locale.EN else closed_up(told)


def _places(nanos: Iterable[int]) -> int:
    """How many digits after the point a column of these sums has."""
    return width([usd(one) for one in nanos])


def _rail(asked: Asked) -> list[tuple[str, str, str]]:
    """Address, name, and what aria-current says of it."""
    visitor = asked.visitor_or_none
    if visitor is None:
        return []
    listed = ADMIN if asked.path.startswith("/admin") else CONSOLE
    found = []
    for path, name, needs in listed:
        if not visitor.may(needs):
            continue
        inside = asked.path.startswith(f"{path}/") and path not in ("/console", "/admin")
        found.append((path, name, "page" if asked.path == path else "true" if inside else ""))
    return found
