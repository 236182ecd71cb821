"""[web]: the pages that visitors see."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.config.rules import SWITCH, Rule, read_rules
from portico.config.sources import Sources


class WebConfig(msgspec.Struct, frozen=True):
    """[web]. Without pages every path that is no call's is an error, told as calls are."""

    pages: bool = True
    public_url: str | None = None
    """The address of the house as the world knows it, without a slash at its end; None: a visitor's own Host is."""


_URL: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
RULES: Final[Mapping[str, Rule]] = {
    "pages": SWITCH,
    "public_url": Rule(
        "an address such as 'https://portico.example', without a path",
        lambda value: isinstance(value, str) and _URL.fullmatch(value.rstrip("/")) is not None,
    ),
}
"""The keys of [web]; each is also PORTICO_WEB_<KEY>."""

KEYS: Final = frozenset(RULES)


def read_web(sources: Sources, table: Mapping[str, Any]) -> WebConfig:
    values = read_rules(sources, "web", table, RULES, prefix="PORTICO_WEB_")
    if "public_url" in values:
        values["public_url"] = values["public_url"].rstrip("/")
    return WebConfig(**values)
