"""What a call can cost at most, before anybody knows: integers over sizes, without a tokeniser (money.md, A call 1).

    text        half a token for a byte of the rendered body: on the recordings the worst is 0.39
    tools       of the provider: its hidden prompt, what it may bring in, its fee; of the caller: Claude's hidden prompt
    media       by kind: so much each, and by its base64 bytes; by address or cached, what is not known is guessed;
                a picture by what the model counts it as at most, where that is known
    input       at most what the model takes in (of each text that is embedded), at the rate of a cache write where writing
                has one
    metered     characters or seconds, where the model is billed by them
    output      min(asked for, the model's limit), else what a hold is by default, for each candidate
    rates       the dearest context band that so long a prompt can be in, and the dearest modality there is

It never fails a call for being low: the hold is extended, and a settlement above it is booked in full. It is held to be at
least the real charge for text, tools of the caller and inline images; for the rest the shortfall is measured by a test.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from portico.catalog import ANY, PriceKind, PriceRow, PriceUnit, fee_of
from portico.catalog.books import Rates
from portico.core.ask import CACHE, FILE, TOOL_NAMES, Ask, MediaCount
from portico.core.dialect import Dialect
from portico.core.parts import Ext, Media, Opaque, Part, ToolResult
from portico.core.request import Request
from portico.core.target import Capabilities

__all__ = ["Ask", "Ceiling", "ask_of_raw", "ask_of_request", "ceiling"]

_Piece: TypeAlias = tuple[str, int, bool]
"""Modality (ANY: whichever is dearest), tokens, and whether they are cached."""
BYTES_A_TOKEN: Final = 2
PER_MTOK: Final = 1_000_000
PERMILLE: Final = 1000


class MediaRule(msgspec.Struct, frozen=True):
    """Tokens of inline media: `each`, one more for every `bytes_a_token` of base64, at most `most` each."""

    each: int
    bytes_a_token: int
    most: int


MEDIA: Final = {
    # 258 to 1,290 are recorded for one image; large ones are cut into tiles of 258.
    "image": MediaRule(1_300, 128, 5_200),
    # 32 tokens a second: sound of 8 kbit/s and more.
    "audio": MediaRule(64, 32, 1_048_576),
    # 290 tokens a second: a clip of a few seconds, or pictures of 40 kbit/s and more.
    "video": MediaRule(1_600, 16, 1_048_576),
    # 258 to 1,290 a page; a page of print takes some 20 kilobytes.
    "document": MediaRule(1_300, 16, 1_048_576),
}
FILE_TOKENS: Final = 131_072
"""For media by address: some seven minutes of film, or a hundred pages."""
PICTURE_TOKENS: Final = 4_096
"""Output tokens that are pictures, for each candidate: two of the largest size, or three."""


class ToolRule(msgspec.Struct, frozen=True):
    """A tool of the provider: tokens of its hidden prompt, tokens that it brings in, and uses that have a fee."""

    prompt: int
    brings: int
    uses: int = 0


TOOLS: Final = {
    "web_search": ToolRule(512, 0, uses=4),
    "google_maps": ToolRule(512, 1_024, uses=2),
    "code_execution": ToolRule(64, 4_096),
    "code_interpreter": ToolRule(64, 4_096),
    "url_context": ToolRule(512, 16_384),
    "file_search": ToolRule(512, 4_096),
}
OTHER_TOOL: Final = ToolRule(512, 16_384)
"""One that nothing is known of."""


class Ceiling(msgspec.Struct, frozen=True):
    """What to hold. `output_tokens` are those of all candidates; each is to be watched by the hold's owner."""

    nanos: int
    input_tokens: int
    output_tokens: int


def ceiling(ask: Ask, rates: Rates, able: Capabilities, *, default_hold_tokens: int) -> Ceiling:
    """The most that a request may cost at these rates, in nano-dollars. 0 where the model is free, or its price unknown.

    `able` are the model's own capabilities at the provider, also where nobody holds a request to them (a body that passes).
    """
    text_tokens = -(-ask.text_bytes // BYTES_A_TOKEN)
    pieces: list[_Piece] = []
    if ask.own_tools:
        text_tokens += able.tools_prompt_tokens
    if ask.media or ask.tools:
        pieces = [("text", text_tokens, False), *_media_pieces(ask, able)]
        pieces += [("text", _rule(tool).prompt + _rule(tool).brings, False) for tool in ask.tools]
        text_tokens = sum([tokens for _, tokens, _ in pieces])
    input_tokens = min(text_tokens, able.max_input_tokens * ask.inputs)
    each = _output_tokens(ask, able, default_hold_tokens)
    if rates.free or not rates.known:
        return Ceiling(0, input_tokens, each * ask.candidates)
    reached = 0
    for band in _bands(rates):
        reached += band < input_tokens
    if not pieces and not ask.metered and able.output_modalities == _TEXT_ONLY:  # as nearly all are
        read, written = _text_rates(rates, reached, ask.long_cache)
        scaled = input_tokens * read + each * written * ask.candidates
        nanos = -(-scaled * rates.markup_permille // (PER_MTOK * PERMILLE))
        return Ceiling(nanos, input_tokens, each * ask.candidates)
    if pieces:
        scaled = _input_scaled(pieces, input_tokens, rates, reached, ask.long_cache)
    else:
        scaled = input_tokens * _dearest_read(rates, "text", reached, ask.long_cache)
    scaled += _output_scaled(each, able, rates, reached) * ask.candidates
    for tool in ask.tools:
        scaled += _fee_nanos(tool, rates) * PER_MTOK
    for item, count in ask.metered.items():
        if (row := fee_of(rates.sale, item)) is not None:
            scaled += row.rate_nanos * count * PER_MTOK
    nanos = -(-scaled * rates.markup_permille // (PER_MTOK * PERMILLE))
    return Ceiling(nanos, input_tokens, each * ask.candidates)


def _output_tokens(ask: Ask, able: Capabilities, default_hold_tokens: int) -> int:
    """Of one candidate. A model that paints beside writing is given room for a picture, whatever was asked for (mapping.md
    1.15); of one that only paints, the picture is what was asked for."""
    if ask.max_output_tokens is None:
        return min(default_hold_tokens, able.max_output_tokens)
    asked = ask.max_output_tokens
    if able.output_modalities >= _TEXT_AND_PICTURES:
        asked = max(asked, PICTURE_TOKENS)
    return min(asked, able.max_output_tokens)


def _media_pieces(ask: Ask, able: Capabilities) -> list[_Piece]:
    """What is not text."""
    pieces: list[_Piece] = []
    for kind, count in ask.media.items():
        if kind == CACHE:
            pieces.append((ANY, able.max_input_tokens, True))
        elif kind == FILE:
            pieces.append((ANY, FILE_TOKENS * count, False))
        elif kind == "image" and able.image_tokens:
            pieces.append((kind, able.image_tokens * count, False))
        else:
            rule = MEDIA.get(kind, MEDIA["document"])
            tokens = rule.each * count + ask.media_bytes.get(kind, 0) // rule.bytes_a_token
            # Newer models count a page as a picture.
            pieces.append((ANY if kind == "document" else kind, min(tokens, rule.most * count), False))
    return pieces


def _input_scaled(pieces: list[_Piece], input_tokens: int, rates: Rates, reached: int, long_cache: bool) -> int:
    """Nano-dollars times a million, the dearest tokens first, as many as the model takes in."""
    priced = [
        (
            _dearest(rates, "input", kind, reached, cached)
            if cached
            else _dearest_read(rates, kind, reached, long_cache),
            tokens,
        )
        for kind, tokens, cached in pieces
    ]
    priced.sort(reverse=True)
    scaled, left = 0, input_tokens
    for rate, tokens in priced:
        taken = min(tokens, left)
        scaled += rate * taken
        left -= taken
    return scaled


def _output_scaled(each: int, able: Capabilities, rates: Rates, reached: int) -> int:
    """The same for one candidate: of a model that paints and writes, only so much can be pictures."""
    text = _dearest(rates, "output", "text", reached)
    if able.output_modalities == _TEXT_ONLY:
        return each * text
    painted = min(each, PICTURE_TOKENS) if "image" in able.output_modalities else 0
    if able.output_modalities == _PICTURES_ONLY:
        painted = each
    picture = max(text, _dearest(rates, "output", "image", reached)) if painted else text
    spoken = max([text, *(_dearest(rates, "output", one, reached) for one in ("audio", "video"))])
    other = spoken if able.output_modalities - {"text", "image"} else text
    return painted * picture + (each - painted) * other


_TEXT_ONLY: Final = frozenset({"text"})
_PICTURES_ONLY: Final = frozenset({"image"})
_TEXT_AND_PICTURES: Final = frozenset({"text", "image"})


def _bands(rates: Rates) -> list[int]:
    """The prompt lengths beyond which other rows hold, in order."""
    bands: list[int] | None = rates.memo.get("sale_bands")
    if bands is None:
        bands = rates.memo["sale_bands"] = sorted({row.above_tokens for row in rates.sale} - {0})
    return bands


def _text_rates(rates: Rates, reached: int, long_cache: bool) -> tuple[int, int]:
    """What a token of text costs at most that is read, and one that is written."""
    key = ("text", reached, long_cache)
    found: tuple[int, int] | None = rates.memo.get(key)
    if found is None:
        read, written = _dearest_read(rates, "text", reached, long_cache), _dearest(rates, "output", "text", reached)
        found = rates.memo[key] = (read, written)
    return found


def _dearest_read(rates: Rates, modality: str, reached: int, long_cache: bool) -> int:
    """The dearest rate of tokens that are read, or read and written to a cache: who is cached is the provider's to say."""
    key = ("read", modality, reached, long_cache)
    found: int | None = rates.memo.get(key)
    if found is None:
        kinds = _READ_LONG if long_cache else _READ
        found = rates.memo[key] = max([_dearest(rates, kind, modality, reached) for kind in kinds])
    return found


_READ: Final = (PriceKind.INPUT.value, PriceKind.CACHE_WRITE.value)
_READ_LONG: Final = (*_READ, PriceKind.CACHE_WRITE_1H.value)


def _dearest(rates: Rates, kind: str, modality: str, reached: int, cached: bool = False) -> int:
    """The dearest rate for tokens of a modality in any band that a prompt can be in which may be beyond so many of them."""
    key = ("dearest", kind, modality, cached, reached)
    found: int | None = rates.memo.get(key)
    if found is None:
        bands = (0, *_bands(rates)[:reached])
        rows = [row for row in rates.sale if row.kind.value == kind and row.above_tokens in bands]
        found = rates.memo[key] = max([row.rate_nanos for row in _fitting(rows, modality, cached)], default=0)
    return found


def _fitting(rows: list[PriceRow], modality: str, cached: bool) -> list[PriceRow]:
    """Of each band the row for the modality, else the one for any; cached ones where there are any, if they are wanted."""
    if cached and any(row.cached for row in rows):
        return [row for row in rows if row.cached]
    rows = [row for row in rows if not row.cached]
    own = {row.above_tokens for row in rows if row.modality == modality}
    if modality == ANY:
        return rows
    return [row for row in rows if row.modality == modality or (row.modality == ANY and row.above_tokens not in own)]


def _fee_nanos(tool: str, rates: Rates) -> int:
    row = fee_of(rates.sale, tool)
    if row is None:
        return 0
    return row.rate_nanos * (1 if row.unit is PriceUnit.PROMPT else _rule(tool).uses)


def _rule(tool: str) -> ToolRule:
    return TOOLS.get(tool, OTHER_TOOL)


# -- what is looked at -------------------------------------------------------------------------------------------------


def ask_of_request(request: Request, body_bytes: int) -> Ask:
    """The sizes of a request whose rendered body has so many bytes. Walks its parts and takes lengths."""
    media = MediaCount()
    marks: list[Ext] = [request.ext]
    for message in request.messages:
        for part in message.parts:
            _count(part, media)
            if not isinstance(part, Opaque):
                marks.append(part.ext)
    marks += [tool.ext for tool in request.tools]
    own = (request.ext or {}).get("gemini", {})
    if own.get("cachedContent"):
        media.by_address(CACHE)
    return Ask(
        text_bytes=max(0, body_bytes - media.inline_bytes),
        media=media.counts,
        media_bytes=media.sizes,
        tools=frozenset([TOOL_NAMES.get(tool.kind, tool.kind) for tool in request.builtins])
        if request.builtins
        else _NONE,
        max_output_tokens=request.sampling.max_tokens,
        candidates=request.sampling.n or 1,
        service_tier=request.service_tier,
        own_tools=bool(request.tools),
        long_cache=any(_lasts_long(bag) for ext in marks if ext for bag in ext.values()),
    )


def _lasts_long(bag: Mapping[str, Any]) -> bool:
    """Whether it asks for an hour of cache (Anthropic's `cache_control`) or longer (OpenAI's retention)."""
    mark = bag.get("cache_control")
    return bool(bag.get("prompt_cache_retention")) or (
        isinstance(mark, Mapping) and mark.get("ttl") not in (None, "5m")
    )


def ask_of_raw(body: bytes, dialect: Dialect) -> Ask:
    """The sizes of a body of a dialect that passes untouched. Raises `BodyNotJson`, and ValueError if none can pass."""
    if dialect.passing is None:
        raise ValueError(f"nothing passes untouched in {dialect.name}")
    return dialect.passing.ask(body)


_NONE: Final[frozenset[str]] = frozenset()


def _count(part: Part, media: MediaCount) -> None:
    if isinstance(part, Media):
        if part.data is not None:
            media.inline(part.mime, len(part.data))
        else:
            media.by_address()
    elif isinstance(part, ToolResult):
        for inner in part.parts:
            if isinstance(inner, Media):
                _count(inner, media)
