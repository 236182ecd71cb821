"""[web]: the pages that visitors see."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from portico.config.rules import SWITCH, Rule, read_rules
from portico.config.sources import Sources


class WebConfig(msgspec.Struct, frozen=True):
    """[web]. Without pages every path that is no call's is an error, told as calls are."""

    pages: bool = True
    public_url: str | None = None
    """The address of the house as the world knows it, without a slash at its end; None: a visitor's own Host is."""
    contact: str | None = None
    """Whom to write to about a weakness, as a URI: mailto:…, https://…, tel:…"""
    legal: Mapping[tuple[str, str], str] = {}
    """The operator's own texts, as Markdown: by (`terms` or `privacy`, locale)."""


LEGAL: Final[Mapping[str, tuple[str, str]]] = {
    f"{name}{ending}.md": (name, locale)
    for name in ("terms", "privacy")
    for locale, ending in (("en", ""), ("zh-CN", ".zh-CN"), ("zh-HK", ".zh-HK"))
}
"""What the files of [web] legal are called."""
_URI: Final = re.compile(r"(?:mailto:[^@\s<>]+@[^@\s<>]+|https://[^\s<>/]+(?:/[^\s<>]*)?|tel:[0-9+().-]+)")
_EMAIL: Final = re.compile(r"[^@\s<>:/]+@[^@\s<>:/]+")


_URL: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
RULES: Final[Mapping[str, Rule]] = {
    "pages": SWITCH,
    "public_url": Rule(
        "an address such as 'https://portico.example', without a path",
        lambda value: isinstance(value, str) and _URL.fullmatch(value.rstrip("/")) is not None,
    ),
    "contact": Rule(
        "an e-mail address, or a mailto:, https:// or tel: address",
        lambda value: isinstance(value, str) and bool(_URI.fullmatch(value) or _EMAIL.fullmatch(value)),
    ),
    "legal": Rule("a folder with terms.md, privacy.md or both", lambda value: isinstance(value, str) and bool(value)),
}
"""The keys of [web]; each is also PORTICO_WEB_<KEY>."""

KEYS: Final = frozenset(RULES)


def read_web(sources: Sources, table: Mapping[str, Any]) -> WebConfig:
    values = read_rules(sources, "web", table, RULES, prefix="PORTICO_WEB_")
    if "public_url" in values:
        values["public_url"] = values["public_url"].rstrip("/")
    if _EMAIL.fullmatch(values.get("contact", "")):
        values["contact"] = f"mailto:{values['contact']}"
    if "legal" in values:
        values["legal"] = _texts(sources, sources.home / values["legal"])
    return WebConfig(**values)


def _texts(sources: Sources, folder: Path) -> dict[tuple[str, str], str]:
    """The texts in the folder; what is wrong with it is told."""
    texts: dict[tuple[str, str], str] = {}
    for name, what in LEGAL.items():
        file = folder / name
        if not file.is_file():
            continue
        try:
            texts[what] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            sources.at("web", "legal", f"{file} cannot be read: {getattr(error, 'strerror', None) or 'not text'}")
    for name, locale in texts:
        if (name, "en") not in texts:
            sources.at("web", "legal", f"{folder} has {name} for {locale}, and no {name}.md for everybody else")
    if not texts:
        sources.at("web", "legal", f"{folder} has neither terms.md nor privacy.md")
    return texts
