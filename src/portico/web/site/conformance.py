"""What is carried to every chat model and between any two dialects, and with what loss, as the last run of the laws over
all recordings found it.

`data/conformance.json` is written by `make conformance`; the words of a loss are those of the table in `core/loss.py`.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from portico.core.loss import CODES, UNSEEN
from portico.web.labels import DIALECTS
from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site.shelf import VENDORS
from portico.web.words import Say


class Law(msgspec.Struct, frozen=True):
    """One law, and over how many recordings it was judged."""

    law: str
    judged: int
    skipped: dict[str, int]


class Losses(msgspec.Struct, frozen=True):
    """By code, in how many recordings it was told."""

    requests: dict[str, int]
    answers: dict[str, int]


class Pair(msgspec.Struct, frozen=True, rename={"whence": "from"}):
    """What was said in one dialect, said in another."""

    whence: str
    into: str
    requests: int
    answers: int
    losses: Losses

    @property
    def kinds(self) -> int:
        return len({*self.losses.requests, *self.losses.answers})


class Asked(msgspec.Struct, frozen=True):
    """What became of recorded requests of one dialect's callers at a model."""

    passed: int
    """Their bytes go to the provider as they are."""
    whole: int
    """Translated, and nothing is lost that an answer would show."""
    lost: int
    refused: int
    losses: dict[str, int]
    refusals: dict[str, int]
    """By the path of what cannot be carried."""

    @property
    def judged(self) -> int:
        return self.passed + self.whole + self.lost + self.refused

    @property
    def carried(self) -> int:
        return self.passed + self.whole


class Alike(msgspec.Struct, frozen=True):
    """Models of one vendor of which the same was found."""

    models: tuple[str, ...]
    callers: dict[str, Asked]


class Found(msgspec.Struct, frozen=True):
    """One run of the laws."""

    date: date
    laws: tuple[Law, ...]
    pairs: tuple[Pair, ...]
    models: tuple[Alike, ...]

    def of(self, model: str) -> Alike | None:
        """What was found of a model; None: it was not asked."""
        return next((one for one in self.models if model in one.models), None)


class Worded(msgspec.Struct, frozen=True):
    """A law in English, with what is put into it."""

    text: str
    values: dict[str, str] = {}


LAWS: Final[tuple[tuple[str, str], ...]] = (
    (
        r"request into (?P<dialect>\w+) with ext emptied",
        "A request without what its own dialect alone knows, said again in %(dialect)s",
    ),
    (r"request into (?P<dialect>\w+)", "A request said again in %(dialect)s is the same request"),
    (r"request for some-model", "A request for a server of OpenAI's dialect says the same"),
    (r"request for (?P<model>\S+)", "A request for %(model)s in Chat Completions says the same"),
    (
        r"a request asked of each model",
        "A request asked of each chat model is carried, or its loss is told, or it is refused",
    ),
    (r"held_to_its_model", "A request held to what its model takes loses only what is told"),
    (
        r"answer into (?P<dialect>\w+) with ext emptied",
        "An answer without what its own dialect alone knows, told again in %(dialect)s",
    ),
    (r"answer into (?P<dialect>\w+)", "An answer told again in %(dialect)s is the same answer"),
    (
        r"an answer told as a stream into (?P<dialect>\w+)",
        "A whole answer told as a stream in %(dialect)s is the same answer",
    ),
    (r"stream into (?P<dialect>\w+)", "A stream told again in %(dialect)s is the same answer"),
    (r"a body cut into a stream, by part", "A whole answer cut into a stream part by part is the same answer"),
    (
        r"a body cut into a stream, by (?P<n>\d+) characters",
        "A whole answer cut into a stream, %(n)s characters at a time, is the same answer",
    ),
    (r"a stream's bytes cut every 1000000000", "A stream whose bytes come all at once is read the same"),
    (r"a stream's bytes cut every (?P<n>\d+)", "A stream whose bytes come %(n)s at a time is read the same"),
    (r"is_read_as_joined", "A stream is read as the answer that its pieces make together"),
    (r"errors_are_told", "An error is told as an error"),
    (
        r"a_body_is_sent_as_it_came_but_for_the_patch",
        "A body that passes is sent as it came, but for what has to be changed",
    ),
    (
        r"a_stream_passes_as_it_is_and_is_seen_as_it_is_read",
        "A stream that passes is passed as it came, and what is seen of it is what it says",
    ),
    (r"what_is_seen_of_a_whole_answer_is_what_it_tells", "What is seen of an answer that passes is what it says"),
)
"""By what a law's name in the record looks like, the law in English."""


def in_words(law: str) -> Worded:
    """A law as the page says it; by its own name if there are no words for it."""
    for pattern, text in LAWS:
        if (match := re.fullmatch(pattern, law)) is not None:
            values = match.groupdict()
            if "dialect" in values:
                values["dialect"] = DIALECTS[values["dialect"]][0]
            return Worded(text, values)
    return Worded(law.replace("_", " "))


def place_of(code: str) -> str:
    """The id of a loss on the page."""
    return "loss-" + code.replace(":", "-").replace(".", "-")


@cache
def found() -> Found:
    data = files("portico.web") / "data" / "conformance.json"
    return msgspec.json.decode(data.read_bytes(), type=Found)


def meaning(code: str) -> str:
    """What is lost, in English."""
    return CODES[code].says


async def look(showroom: Showroom, visit: Visit, __: Mapping[str, str]) -> View:
    say = Say(visit.locale, markup=False)
    run = found()
    catalog = showroom.catalog()
    named = {name: catalog.known(name) for one in run.models for name in one.models}
    by_vendor: dict[str, list[Alike]] = {}
    for one in run.models:
        vendor = next((model.vendor for name in one.models if (model := named[name]) is not None), "")
        by_vendor.setdefault(VENDORS.get(vendor, vendor), []).append(one)
    return View(
        template="conformance",
        title=say("Conformance"),
        summary=say(
            "What is carried to each model and between any two dialects, and with what loss: judged over recorded traffic."
        ),
        data={
            "run": run,
            "dialects": DIALECTS,
            "pairs": {(pair.whence, pair.into): pair for pair in run.pairs},
            "meaning": meaning,
            "place": place_of,
            "in_words": in_words,
            "codes": CODES,
            "unseen": UNSEEN,
            "vendors": by_vendor,
            "here": {name for name, model in named.items() if model is not None and showroom.offers(model)},
            "judged": sum(law.judged for law in run.laws),
            "skipped": sum(sum(law.skipped.values()) for law in run.laws),
        },
        twin=msgspec.to_builtins(run),
    )


PAGES: Final = (at("/conformance", look),)
