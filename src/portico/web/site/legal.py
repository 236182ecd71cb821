"""Terms and privacy: the operator's own texts, or what can be said of every Portico by itself.

The texts that come with Portico tell what the program stores and for how long, by the settings of the one that is looked
at. Whoever runs it says the rest in a text of their own (`[web] legal`).
"""

import re
from collections.abc import Mapping
from typing import Final

from portico.web.addresses import Locale
from portico.web.book import body_of, pages
from portico.web.markdown import to_html, to_twin
from portico.web.page import View, Visit, at
from portico.web.render import Links
from portico.web.showroom import Showroom
from portico.web.words import Say

NAMES: Final = ("terms", "privacy")
_TITLE: Final = re.compile(r"\A\s*# (?P<title>[^\n]+)\n")


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    source = pages(visit.locale)[visit.address.path]
    name = source.path.rpartition("/")[2]
    own, written_in = _own(showroom, name, visit.locale)
    body = own if own is not None else body_of(source, visit.base_url, showroom.keeping)
    title = _TITLE.match(body) if own is not None else None
    if title is not None:
        body = body[title.end() :]
    say, links = Say(visit.locale, markup=False), Links(visit)
    return View(
        template="legal",
        title=source.title if title is None else title["title"].strip(),
        summary=source.summary if own is None else say("What whoever runs this Portico says."),
        data={
            "own": own is not None,
            "written_in": written_in,
            "html": to_html(body, relink=links.relink, say=say),
            "markdown": to_twin(body, relink=links.whole),
        },
    )


def _own(showroom: Showroom, name: str, locale: Locale) -> tuple[str | None, Locale]:
    """The operator's text, and its language: English where there is none in the reader's."""
    for other in (locale, Locale.EN):
        if (text := showroom.legal.get((name, other.value))) is not None:
            return text, other
    return None, locale


PAGES: Final = tuple(at(f"/legal/{name}", look) for name in NAMES)
