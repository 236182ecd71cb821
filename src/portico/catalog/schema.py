"""The shape of a data file, key by key. Unknown keys are refused everywhere: a misspelt one is an error, not a default."""

from datetime import date
from typing import Any, Literal

import msgspec

from portico.catalog.model import Description, ModelKind
from portico.catalog.price import PriceUnit, Tier

Table = dict[str, Any]
"""A TOML table that templates are joined with before it is checked."""


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry in which a misspelt key is an error."""


class PriceEntry(Strict, frozen=True, kw_only=True):
    """Up to five rows on one line: dollars per million tokens, in digits."""

    input: str | None = None
    cached: str | None = None
    write: str | None = None
    """Written to a cache for minutes."""
    write_1h: str | None = None
    """Written to a cache for an hour or more."""
    output: str | None = None
    modality: Literal["any", "text", "image", "audio", "video", "document"] = "any"
    above_tokens: int = 0
    tier: Tier = Tier.STANDARD
    backend: Literal["", "gemini", "vertex", "openai", "azure-openai", "anthropic"] = ""
    effective_from: date | None = None
    source: str | None = None


class FeeEntry(Strict, frozen=True, kw_only=True):
    """Dollars for one unit of use of a tool or store."""

    usd: str
    unit: PriceUnit
    source: str


class TierEntry(Strict, frozen=True):
    """Factors on the standard rates."""

    input: str
    cached: str
    output: str


class ToolEntry(Strict, frozen=True):
    input_billed: bool


class RuleEntry(Strict, frozen=True):
    pattern: str
    capabilities: Table
    keeps_version: bool = False


class ModelEntry(Strict, frozen=True, kw_only=True):
    """One `[models."NAME"]` table."""

    title: str
    kind: ModelKind
    description: Description
    capabilities: Table
    source: str
    as_of: date
    prices: list[PriceEntry] | Literal["free"]
    fees: str | None = None
    tiers: list[Tier] = []
    created: date | None = None
    preview: bool = False
    retired: bool = False
    shutdown: dict[str, date] = {}
    """By kind of provider, the first day without the model."""
    successor: str | None = None
    aliases: list[str] = []
    embedding_dimensions: int | None = None


class FileEntry(Strict, frozen=True, kw_only=True):
    """A whole file. Named tables are checked one by one, so that an error can say which."""

    vendor: str
    owned_by: str
    prices_effective_from: date
    """For rows that say nothing: long before the first call, as nobody wrote down when they began."""
    backends: list[str]
    """The kinds of provider whose dates say when a model is gone."""
    tiers: dict[Tier, Table] = {}
    tools: dict[str, Table] = {}
    fees: dict[str, dict[str, Table]] = {}
    thinking: dict[str, Table]
    capabilities: dict[str, Table]
    inference: list[RuleEntry]
    models: dict[str, Table]
