"""[defaults]: what an operator wants where a caller says nothing."""

import re
from collections.abc import Mapping
from typing import Any, Final

from portico.catalog import EFFORTS
from portico.config.rules import COUNT, SWITCH, Rule, one_of, read_rules
from portico.config.sources import Sources
from portico.relay.defaults import Defaults
from portico.relay.media import IMAGE_FORMS

THRESHOLDS: Final = ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")
"""From which probability of harm on Google blocks (mapping.md 1.16)."""


def _are_thresholds(value: Any) -> bool:
    return isinstance(value, dict) and all(
        re.fullmatch(r"HARM_CATEGORY_[A-Z_]+", category) and threshold in THRESHOLDS
        for category, threshold in value.items()
    )


RULES: Final[Mapping[str, Rule]] = {
    "image_form": one_of(*IMAGE_FORMS),
    "markdown_slice_bytes": COUNT,
    "show_thoughts": SWITCH,
    "reasoning_details": SWITCH,
    "small_max_tokens": COUNT,
    "effort": one_of(*EFFORTS),
    "safety": Rule(
        f'a table such as {{ HARM_CATEGORY_HARASSMENT = "BLOCK_NONE" }}, thresholds being {", ".join(THRESHOLDS)}',
        _are_thresholds,
        in_environment=False,
    ),
}
"""The keys of [defaults]; each but the last is also PORTICO_<KEY>."""

KEYS: Final = frozenset(RULES)


def read_defaults(sources: Sources, table: Mapping[str, Any]) -> Defaults:
    return Defaults(**read_rules(sources, "defaults", table, RULES, prefix="PORTICO_"))
