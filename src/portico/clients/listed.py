"""Models as `GET /v1/models` lists them → cards, and which of them a client asks where nobody chooses."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from portico.clients.told import Card

_MILLION: Final = 1_000_000
_MODALITIES: Final = ("text",)
_FIT: Final[Mapping[str, tuple[str, ...]]] = {
    "google": (r"gemini-([\d.]+)-flash", r"gemini-([\d.]+)-pro.*"),
    "anthropic": (r"claude-sonnet-([\d-]+)", r"claude-opus-([\d-]+)"),
    "openai": (r"gpt-([\d.]+)(?:-sol|-terra)?",),
}
"""By vendor, the names of models for everyday work, the best line first; the version is in brackets."""
_SMALL: Final[Mapping[str, tuple[str, ...]]] = {
    "google": (r"gemini-([\d.]+)-flash-lite",),
    "anthropic": (r"claude-haiku-([\d-]+)",),
    "openai": (r"gpt-([\d.]+)-luna", r"gpt-([\d.]+)-mini"),
}


def cards_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Card, ...]:
    """The models that answer text with text, under their own names; a row that cannot be read is left out. No two have one
    title: an operator's own name for a model has the model's, and some clients tell models apart by it."""
    read = (_card(row) for row in rows if not row.get("base") and row.get("kind", "chat") == "chat")
    cards = list({card.id: card for card in read if card is not None and card.chats}.values())
    times = Counter(card.title for card in cards)
    return tuple(
        msgspec.structs.replace(card, title=f"{card.title} ({card.id})") if times[card.title] > 1 else card
        for card in cards
    )


def others_of(rows: Iterable[Mapping[str, Any]], cards: Sequence[Card]) -> tuple[Card, ...]:
    """The same models under the other names that they answer under, for whoever asks by one of those."""
    own = {card.id: card for card in cards}
    names = [(row.get("id"), own.get(str(row.get("base")))) for row in rows]
    return tuple(
        msgspec.structs.replace(card, id=name, base=card.id, title=f"{card.title} ({name})")
        for name, card in names
        if card is not None and isinstance(name, str) and name and name not in own
    )


def default_of(cards: Sequence[Card], likes: Sequence[str]) -> Card:
    """Of the vendors that are liked best the newest model for everyday work, else whatever is there. `cards` has one."""
    for vendor in (*likes, *(vendor for vendor in _FIT if vendor not in likes)):
        if (found := _newest(cards, vendor, _FIT)) is not None:
            return found
    return cards[0]


def small_of(cards: Sequence[Card], model: Card) -> Card:
    """A quick and cheap model of the same vendor; the model itself where there is none."""
    return _newest(cards, model.owner, _SMALL) or model


def _newest(cards: Sequence[Card], vendor: str, lines: Mapping[str, tuple[str, ...]]) -> Card | None:
    own = [card for card in cards if card.owner == vendor and not card.base]
    for line in lines.get(vendor, ()):
        fitting = [(match, card) for card in own if (match := re.fullmatch(line, card.id))]
        if fitting:
            return max(fitting, key=lambda one: _version(one[0][1]))[1]
    return None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def _card(row: Mapping[str, Any]) -> Card | None:
    name = row.get("id")
    if not isinstance(name, str) or not name:
        return None
    reasoning, pricing = row.get("reasoning"), row.get("pricing")
    efforts = reasoning.get("supported_efforts") if isinstance(reasoning, Mapping) else None
    prices = pricing if isinstance(pricing, Mapping) else {}
    return Card(
        id=name,
        title=_text(row.get("name"), name),
        owner=_text(row.get("owned_by"), ""),
        context_tokens=_whole(row.get("context_length")) or 128_000,
        output_tokens=_whole(row.get("max_output")) or 4_096,
        inputs=_words(row.get("input_modalities")) or _MODALITIES,
        outputs=_words(row.get("output_modalities")) or _MODALITIES,
        efforts=tuple(reversed(_words(efforts))),
        input_usd=_usd(prices.get("prompt")),
        cached_usd=_usd(prices.get("input_cache_read")),
        cache_write_usd=_usd(prices.get("input_cache_write")),
        output_usd=_usd(prices.get("completion")),
    )


def _text(value: Any, otherwise: str) -> str:
    return value if isinstance(value, str) and value else otherwise


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _words(value: Any) -> tuple[str, ...]:
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list | tuple) else ()


def _usd(value: Any) -> Decimal | None:
    """Dollars for a million, of dollars for one."""
    try:
        usd = Decimal(value) * _MILLION if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return None if usd is None or not usd.is_finite() or usd < 0 else usd
