"""Addresses of pages: which locale, which page, in which form. Pure.

    /docs/chat            English          /docs/chat.md          its Markdown twin
    /zh-CN/docs/chat      Simplified       /zh-HK/docs/chat.md    Traditional, as Markdown
    /                     the landing      /index.md  /zh-CN/index.md   its twins
    /models.json          a page of data has a JSON twin too

Locales are told by the address alone: a reader is never sent elsewhere by what a browser says (RFC 9110 12.5.4 is a hint),
but may be offered another one.
"""

import re
from enum import StrEnum
from typing import Final
from urllib.parse import quote

import msgspec


class Locale(StrEnum):
    """A language the house is written in; the value is the one of `lang` and of the address."""

    EN = "en"
    ZH_CN = "zh-CN"
    ZH_HK = "zh-HK"

    @property
    def prefix(self) -> str:
        return "" if self is Locale.EN else f"/{self.value}"

    @property
    def own_name(self) -> str:
        return _OWN_NAMES[self]


_OWN_NAMES: Final = {Locale.EN: "English", Locale.ZH_CN: "简体中文", Locale.ZH_HK: "繁體中文"}
HREFLANGS: Final = (
    ("en", Locale.EN),
    ("zh-CN", Locale.ZH_CN),
    ("zh-Hans", Locale.ZH_CN),
    ("zh-HK", Locale.ZH_HK),
    ("zh-Hant", Locale.ZH_HK),
    ("x-default", Locale.EN),
)
"""What search engines are told of a page: the region and the script of each, and which is for everybody else."""


def locale_of(tag: str) -> Locale | None:
    """The locale for a language tag (RFC 5646): script before region, and Chinese without either is Simplified."""
    language, *rest = tag.strip().casefold().split("-")
    if language == "zh":
        return Locale.ZH_HK if "hans" not in rest and {"hant", "hk", "tw", "mo"} & set(rest) else Locale.ZH_CN
    return Locale.EN if language == "en" else None


def preferred(accepted: str) -> Locale | None:
    """Which locale an Accept-Language asks for before all others; None: no language that the house is written in."""
    told: list[tuple[float, Locale]] = []
    for part in accepted[:_LONGEST_LIST].split(","):
        tag, _, weight = part.partition(";")
        said = re.fullmatch(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*", weight, re.ASCII)
        share = float(said[1]) if said is not None else 0.0 if weight else 1.0
        if share and (locale := locale_of(tag)) is not None:
            told.append((share, locale))
    return max(told, key=lambda pair: pair[0])[1] if told else None


_LONGEST_LIST: Final = 500


class Form(StrEnum):
    """What a page is asked for as."""

    HTML = "html"
    MARKDOWN = "md"
    JSON = "json"


_SUFFIXES: Final = {f".{form.value}": form for form in (Form.MARKDOWN, Form.JSON)}
MEDIA_TYPES: Final = {
    Form.HTML: "text/html; charset=utf-8",
    Form.MARKDOWN: "text/markdown; charset=utf-8",
    Form.JSON: "application/json",
}


class Address(msgspec.Struct, frozen=True):
    """A page in a locale and a form. `path` is the English address: "/", "/docs/chat", "/models/gpt-5.5"."""

    path: str
    locale: Locale = Locale.EN
    form: Form = Form.HTML

    @classmethod
    def of(cls, path: str) -> "Address":
        """What a path (unquoted, without a slash at its end) means, whether or not there is such a page."""
        locale = Locale.EN
        for other in (Locale.ZH_CN, Locale.ZH_HK):
            if path == other.prefix or path.startswith(f"{other.prefix}/"):
                locale, path = other, path.removeprefix(other.prefix) or "/"
                break
        form = Form.HTML
        for suffix, other_form in _SUFFIXES.items():
            if path.endswith(suffix) and not path.endswith("/" + suffix):
                form, path = other_form, path.removesuffix(suffix)
                path = "/" if path == "/index" else path
                break
        return cls(path or "/", locale, form)

    def __str__(self) -> str:
        """The path of it, percent-encoded; a colon of a model's name too, since behind one there is a verb."""
        suffix = "" if self.form is Form.HTML else f".{self.form.value}"
        path = quote(self.path, safe="/")
        if path == "/":
            return f"{self.locale.prefix}/index{suffix}" if suffix else f"{self.locale.prefix}" or "/"
        return f"{self.locale.prefix}{path}{suffix}"

    def in_locale(self, locale: Locale) -> "Address":
        return msgspec.structs.replace(self, locale=locale)

    def as_form(self, form: Form) -> "Address":
        return msgspec.structs.replace(self, form=form)
