"""What the house says in its own voice, in each locale: English is the text in the code, the others are looked up.

    say("Prices")                          "Prices", "价格", "價格"
    say("%(n)s calls", n=whole(1200))      "1,200 calls", "1,200 次调用", "1,200 次呼叫"
    say("%(n)s calls", n=whole(1))         "1 call", "1 次调用", "1 次呼叫"

A text without a translation is a defect that the tests find; a reader sees English then, not an error. Of one thing only
English says it otherwise: its catalog has those texts.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any, Final

from babel.dates import format_date
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from markupsafe import escape

from portico.web.addresses import Locale

_BABEL: Final[Mapping[Locale, str]] = {
    Locale.EN: "en_US",
    Locale.ZH_CN: "zh_Hans_CN",
    Locale.ZH_HK: "zh_Hant_HK",
}


@cache
def translations(locale: Locale) -> Mapping[str, str]:
    """English -> the text of a locale: of one file for each part of the house."""
    if locale is Locale.EN:
        return {}
    return {str(message.id): str(message.string) for message in _messages(locale) if message.id and message.string}


@cache
def of_one() -> Mapping[str, tuple[str, str]]:
    """English of several things -> by which name their count is put in, and English of one of them."""
    counted = [message for message in _messages(Locale.EN) if message.pluralizable]
    return {str(message.id[1]): (message.context or "n", str(message.id[0])) for message in counted}


def _messages(locale: Locale) -> Iterator[Message]:
    for source in sorted((files("portico.web") / "locale" / locale.value).iterdir(), key=lambda one: one.name):
        yield from read_po(BytesIO(source.read_bytes()), locale=_BABEL[locale])


ISOLATES: Final = "\u2068\u2069"
"""What a text stands between whose direction is its own (Unicode Standard Annex 9): FSI and PDI."""
_FROM_THE_RIGHT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def _by_itself(value: Any) -> Any:
    """A name that is read from the right does not take the sum along that stands beside it."""
    if not isinstance(value, str) or _FROM_THE_RIGHT.search(value) is None:
        return value
    begin, end = ISOLATES
    return type(value)(begin) + value + end


class Say:
    """One locale's voice. What is put into a text is escaped, unless it is markup; so is the text itself."""

    def __init__(self, locale: Locale, *, markup: bool) -> None:
        """`markup`: for HTML; otherwise for Markdown, which is not escaped."""
        self.locale = locale
        self._texts = translations(locale)
        self._of_one = of_one() if locale is Locale.EN else {}
        self._markup = markup

    def __call__(self, text: str, **values: Any) -> str:
        told = self._texts.get(text, text)
        if not values:
            return told
        if text in self._of_one:
            count, one = self._of_one[text]
            told = one if str(values.get(count)) == "1" else told
        if self._markup:
            return escape(told) % {name: _by_itself(value) for name, value in values.items()}
        return told % values

    def counted(self, text: str) -> str | dict[str, str]:
        """A text for a script, which puts the values in by itself; with the same of one thing, if it is said otherwise."""
        if text not in self._of_one:
            return self(text)
        count, one = self._of_one[text]
        return {"several": text, "count": count, "one": one}

    def day(self, day: date) -> str:
        """A date as it is written out: Nov 28, 2026; 2026年11月28日."""
        return str(format_date(day, "medium", locale=_BABEL[self.locale]))


def whole(number: int) -> str:
    """A number with its thousands set apart, the same in every locale (never 105万)."""
    return f"{number:,}"


def wait(milliseconds: int) -> str:
    """A stretch of time, the same in every locale: 630 ms, 1.25 s."""
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:g} s"
