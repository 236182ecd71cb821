"""Counts of tokens as OpenAI's APIs tell them: whole numbers, with details by modality."""

from collections.abc import Mapping
from typing import Any

from portico.core.usage import MODALITIES, MOST


def count(fields: Mapping[str, Any], name: str) -> int:
    """A count of an object of counts; what is none, or below it, is 0, and what is above all of them the most."""
    value = fields.get(name)
    return int(min(max(0, value), MOST)) if isinstance(value, (int, float)) else 0


def by_modality(fields: Any) -> dict[str, int]:
    """The counts of `…_tokens_details`, those that are 0 left out."""
    if not isinstance(fields, Mapping):
        return {}
    return {name: n for name in MODALITIES if (n := count(fields, f"{name}_tokens"))}
