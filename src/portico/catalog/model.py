"""A model as the catalog knows it: what it is called, what it can do, what it costs, how long it lives."""

from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from portico.catalog.price import PriceList
from portico.catalog.thinking import UNSAID
from portico.core.request import Thinking
from portico.core.target import COMPATIBLE, Capabilities, ThinkingControl


class ModelKind(StrEnum):
    """What a model is for, which decides the routes it serves."""

    CHAT = "chat"
    IMAGE = "image"
    SPEECH = "speech"
    TRANSCRIPTION = "transcription"
    EMBEDDING = "embedding"
    COMPUTER_USE = "computer_use"


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line for a reader who chooses a model, in each language of the house."""

    en: str
    zh_cn: str = msgspec.field(name="zh-CN")
    zh_hk: str = msgspec.field(name="zh-HK")

    def in_locale(self, locale: str) -> str:
        """The line for `en`, `zh-CN` or `zh-HK`; English for any other."""
        return {"zh-CN": self.zh_cn, "zh-HK": self.zh_hk}.get(locale, self.en)


class ModelTarget(msgspec.Struct, frozen=True):
    """Where an operator sends a name: a provider by its configured name, and the name the model has there."""

    provider: str
    upstream_model: str


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model that callers can ask for.

    Without `targets` every provider of a kind that speaks for its vendor serves it, under its own name.
    """

    name: str
    title: str
    kind: ModelKind = ModelKind.CHAT
    vendor: str = "google"
    owned_by: str = "google"
    description: Description
    capabilities: Capabilities
    """At Google's own API; `capabilities_at` knows other backends."""
    backend_capabilities: dict[str, Capabilities] = {}
    """Only for backends where they differ."""
    backends: tuple[str, ...] = ()
    """The kinds of provider whose shutdown dates count; when it is gone from all, it is gone."""
    prices: PriceList = PriceList()
    source: str
    as_of: date
    created: date | None = None
    preview: bool = False
    retired: bool = False
    """The provider no longer serves it, whatever its dates say."""
    shutdown: dict[str, date] = {}
    """By backend, the first day on which it is no longer served."""
    successor: str | None = None
    aliases: tuple[str, ...] = ()
    targets: tuple[ModelTarget, ...] = ()
    embedding_dimensions: int | None = None

    def capabilities_at(self, provider_kind: str) -> Capabilities:
        """What the model can do at a kind of provider (`gemini`, `vertex`, `openai` …).

        At a server of OpenAI's dialect a model of another vendor is away from home: how it is asked is that server's own
        affair, so of what is known only the limits, the modalities and who reads its signatures hold.
        """
        known = self.backend_capabilities.get(provider_kind, self.capabilities)
        if provider_kind != COMPATIBLE_KIND or self.vendor == COMPATIBLE_VENDOR or not known.judged:
            return known
        return away(known)

    @property
    def thinking_can_be_steered(self) -> bool:
        return self.capabilities.thinking.control is not ThinkingControl.NONE

    def is_gone(self, today: date, provider_kind: str | None = None) -> bool:
        """Whether it is retired, or shut down at that kind of provider; without one, at every backend."""
        if self.retired:
            return True
        if self.targets:
            return False
        kinds = self.backends if provider_kind is None else (provider_kind,)
        return bool(kinds) and all(kind in self.shutdown and self.shutdown[kind] <= today for kind in kinds)


COMPATIBLE_KIND: Final = "openai-compatible"
COMPATIBLE_VENDOR: Final = "openai"


def away(known: Capabilities) -> Capabilities:
    """A known model at somebody else's server, which speaks OpenAI's dialect and is held to nothing."""
    return msgspec.structs.replace(
        COMPATIBLE,
        family=known.family,
        generation=known.generation,
        max_input_tokens=known.max_input_tokens,
        max_output_tokens=known.max_output_tokens,
        input_modalities=known.input_modalities,
        output_modalities=known.output_modalities,
    )


class Resolved(msgspec.Struct, frozen=True):
    """What a name asked for means: a model, and what the name said about thinking and searching the web."""

    model: Model
    asked: str
    """The name as the caller wrote it, which the answer echoes."""
    thinking: Thinking = UNSAID
    search: bool = False

    @property
    def name(self) -> str:
        """The canonical name, without prefix, alias or suffix."""
        return self.model.name


class OperatorModel(msgspec.Struct, frozen=True):
    """An operator's `[[models]]` entry: a name of their choice for "provider/upstream-model"."""

    name: str
    target: str


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One row of GET /v1/models. `created` is in seconds since 1970."""

    id: str
    created: int
    owned_by: str
    kind: ModelKind
    context_length: int
    max_output: int
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    description: Description
    base: str | None = None
    """The model that an alias or a thinking variant stands for."""
