"""The models that the playground offers: what is served here and answers in a conversation, and how each is asked."""

from collections.abc import Iterator
from typing import Any, Final

from portico.catalog import Model
from portico.catalog.model import ModelKind
from portico.web.asks import CALLERS
from portico.web.showroom import Offer, Showroom

_KINDS: Final = (ModelKind.CHAT, ModelKind.IMAGE, ModelKind.COMPUTER_USE)
_ASKED: Final = frozenset({"text", "image"})
"""What a conversation can be answered with."""


def offered(room: Showroom) -> list[tuple[str, list[dict[str, Any]]]]:
    """What is served, by the name of its vendor."""
    found: dict[str, list[dict[str, Any]]] = {}
    for model, offer in _served(room):
        found.setdefault(model.owned_by, []).append(_told(model, offer))
    return sorted(found.items())


def _served(room: Showroom) -> Iterator[tuple[Model, Offer]]:
    today = room.now().date()
    for model in room.catalog().models.values():
        able = model.capabilities
        if model.kind not in _KINDS or not able.output_modalities & _ASKED or model.is_gone(today):
            continue
        if able.dialects and not set(able.dialects) & set(CALLERS):  # pictures that only have an API of their own
            continue
        offers = room.offers(model)
        if offers:
            yield model, offers[0]


def _told(model: Model, offer: Offer) -> dict[str, Any]:
    """What a script has to know to ask a model in any dialect."""
    able = model.capabilities_at(offer.kind)
    thinking = able.thinking
    return {
        "name": model.name,
        "title": model.title,
        "takes": sorted(able.input_modalities),
        "makes": sorted(able.output_modalities),
        "tools": able.tools,
        "schema": able.json_schema and able.json_mode,
        "temperature": able.sampling,
        "longest": able.max_output_tokens,
        "window": able.max_input_tokens,
        "thinks": thinking.control.value,
        "levels": list(thinking.levels),
        "adaptive": thinking.adaptive,
        "budget": [thinking.min_budget, thinking.max_budget],
        "off": thinking.off_type,
        "field": able.max_tokens_field,
        "speaks": list(able.dialects or offer.dialects),
    }
