"""What GPT and Claude cost, row by row: each sum was worked out by hand from the price that stands beside it."""

from datetime import date

import msgspec
import pytest

from metering.pricing import CATALOG, DOLLAR, MTOK, made, rates_of, row
from portico.catalog import PriceKind, Tier, tier_of
from portico.core.ask import Ask
from portico.core.parts import Media, Text
from portico.core.request import Message, Request, Role, Tool
from portico.core.target import Capabilities
from portico.core.usage import Usage
from portico.metering.ceiling import ask_of_request, ceiling
from portico.metering.charge import charge

DAY = date(2026, 11, 28)
OPUS = Usage(
    input_uncached={"text": 1_000},
    input_cache_read={"text": 2_000},
    input_cache_write={"text": 300},
    input_cache_write_1h={"text": 400},
    output_visible={"text": 500},
)
PLAIN = Usage(input_uncached={"text": 1_000}, input_cache_read={"text": 2_000}, output_visible={"text": 500})
WRITTEN = Usage(input_uncached={"text": 700}, input_cache_write={"text": 300}, output_visible={"text": 100})
LONG = Usage(input_uncached={"text": 200_000}, input_cache_read={"text": 72_001}, output_visible={"text": 1_000})
HEARD = Usage(input_uncached={"text": 10, "audio": 90}, output_visible={"text": 20, "audio": 80})
THOUGHT = Usage(input_uncached={"text": 100}, output_visible={"text": 50}, output_reasoning={"text": 450})

# model, kind of provider, tier, usage, searches, nano-dollars
ROWS = [
    # 1,000 x 4 + 2,000 x 0.20 + 300 x 5 + 400 x 8 + 500 x 20 = 19,100 micro-dollars
    ("claude-opus-5-5", "anthropic", Tier.STANDARD, OPUS, 0, 19_100_000),
    # and three searches at a cent
    ("claude-opus-5-5", "anthropic", Tier.STANDARD, OPUS, 3, 49_100_000),
    # a batch is half of the tokens; searches are not
    ("claude-opus-5-5", "anthropic", Tier.BATCH, OPUS, 3, 39_550_000),
    ("claude-opus-5-5", "anthropic", Tier.FAST, OPUS, 0, 38_200_000),
    ("claude-opus-5-5", "anthropic", Tier.PRIORITY, OPUS, 0, 19_100_000),
    # 1,000 x 1 + 2,000 x 0.10 + 500 x 5 = 3,700
    ("claude-haiku-4-5", "anthropic", Tier.STANDARD, PLAIN, 0, 3_700_000),
    # 272,001 is beyond 100,000: 200,000 x 0.50 + 72,001 x 0.05 + 1,000 x 2.50 = 106,100.05
    ("claude-haiku-5-5", "anthropic", Tier.STANDARD, LONG, 0, 106_100_050),
    # 1,000 x 0.10 + 2,000 x 0.01 + 500 x 0.50 = 370
    ("claude-haiku-5-5", "anthropic", Tier.STANDARD, PLAIN, 0, 370_000),
    # 1,000 x 5 + 2,000 x 0.50 + 500 x 30 = 21,000
    ("gpt-5.5", "openai", Tier.STANDARD, PLAIN, 0, 21_000_000),
    ("gpt-5.5", "openai", Tier.FLEX, PLAIN, 0, 10_500_000),
    # 1,000 x 12.50 + 2,000 x 1.25 + 500 x 75 = 52,500, and a search at a cent, which no tier changes
    ("gpt-5.5", "openai", Tier.PRIORITY, PLAIN, 1, 62_500_000),
    # 272,001 is beyond 272,000: 200,000 x 10 + 72,001 x 1 + 1,000 x 45 = 2,117,001
    ("gpt-5.5", "openai", Tier.STANDARD, LONG, 0, 2_117_001_000),
    # 1,000 x 2.50 + 2,000 x 1.25 + 500 x 10 = 10,000
    ("gpt-4o", "openai", Tier.STANDARD, PLAIN, 0, 10_000_000),
    # a write of a model without a price for it is input: 700 x 5 + 300 x 5 + 100 x 30 = 8,000
    ("gpt-5.5", "openai", Tier.STANDARD, WRITTEN, 0, 8_000_000),
    # 700 x 4 + 300 x 5 + 100 x 20 = 6,300
    ("gpt-5.6-sol", "openai", Tier.STANDARD, WRITTEN, 0, 6_300_000),
    ("gpt-5.6-sol", "openai", Tier.FAST, WRITTEN, 0, 12_600_000),
    # 10 x 2.50 + 90 x 32 + 20 x 10 + 80 x 64 = 8,225
    ("gpt-audio-1.5", "openai", Tier.STANDARD, HEARD, 0, 8_225_000),
    # thoughts are output: 100 x 1.25 + 500 x 10 = 5,125
    ("gpt-5", "openai", Tier.STANDARD, THOUGHT, 0, 5_125_000),
]


@pytest.mark.parametrize(("name", "kind", "tier", "usage", "searches", "nanos"), ROWS)
def test_a_charge_is_the_sum_that_was_worked_out_by_hand(
    name: str, kind: str, tier: Tier, usage: Usage, searches: int, nanos: int
) -> None:
    rates = rates_of(name, kind=kind, provider=kind, tier=tier, on=DAY)
    uses = {"web_search": searches} if searches else {}
    made_charge = charge(usage, uses, rates)
    assert (made_charge.nanos, made_charge.cost_nanos, made_charge.unpriced) == (nanos, nanos, False)


@pytest.mark.parametrize(("name", "kind", "tier", "usage", "searches", "nanos"), ROWS)
def test_a_ceiling_for_that_many_bytes_and_tokens_covers_it(
    name: str, kind: str, tier: Tier, usage: Usage, searches: int, nanos: int
) -> None:
    rates = rates_of(name, kind=kind, provider=kind, tier=tier, on=DAY)
    able = CATALOG.models[name].capabilities_at(kind)
    audio = usage.input_uncached.get("audio", 0)
    ask = Ask(
        text_bytes=2 * (usage.input_total - audio),
        media={"audio": 1} if audio else {},
        media_bytes={"audio": 32 * audio} if audio else {},
        tools=frozenset({"web_search"}) if searches else frozenset(),
        max_output_tokens=usage.output_total,
        long_cache=True,
    )
    assert ceiling(ask, rates, able, default_hold_tokens=8_192).nanos >= nanos


def test_each_write_has_a_line_of_its_own_kind() -> None:
    lines = charge(OPUS, {}, rates_of("claude-opus-5-5", kind="anthropic", on=DAY)).lines
    found = {line.item: (line.count, line.rate_nanos) for line in lines}
    assert found["input_cache_write"] == (300, 5 * DOLLAR)
    assert found["input_cache_write_1h"] == (400, 8 * DOLLAR)


def test_a_write_without_a_price_is_charged_as_the_next_thing_that_has_one() -> None:
    usage = Usage(input_cache_write={"text": 10}, input_cache_write_1h={"text": 10})
    bare = made(row("input", DOLLAR), row("output", 0))
    assert charge(usage, {}, bare).nanos == 20 * DOLLAR // MTOK
    short = made(row("input", DOLLAR), row(PriceKind.CACHE_WRITE.value, 2 * DOLLAR), row("output", 0))
    assert charge(usage, {}, short).nanos == 40 * DOLLAR // MTOK


@pytest.mark.parametrize(
    ("word", "tier"),
    [(None, Tier.STANDARD), ("auto", Tier.STANDARD), ("default", Tier.STANDARD), ("standard_only", Tier.STANDARD),
     ("flex", Tier.FLEX), ("priority", Tier.PRIORITY), ("fast", Tier.FAST), ("batch", Tier.BATCH),
     ("ultrafast", Tier.ULTRAFAST)],
)  # fmt: skip
def test_a_tier_is_known_by_the_words_of_every_provider(word: str | None, tier: Tier) -> None:
    assert tier_of(word) is tier


# -- ceilings ----------------------------------------------------------------------------------------------------------

CLAUDE = Capabilities(max_input_tokens=10**6, image_tokens=4_800, tools_prompt_tokens=1_024)
WRITES = made(
    row("input", DOLLAR),
    row("input_cache_write", 2 * DOLLAR),
    row("input_cache_write_1h", 3 * DOLLAR),
    row("output", 0),
)
IN = DOLLAR // MTOK


def held(ask: Ask) -> int:
    return ceiling(ask, WRITES, CLAUDE, default_hold_tokens=0).nanos


def test_input_is_held_at_the_rate_of_a_cache_write_that_the_provider_may_make() -> None:
    ask = Ask(200, own_tools=False)
    assert held(ask) == 100 * 2 * IN
    assert held(msgspec.structs.replace(ask, long_cache=True)) == 100 * 3 * IN


def test_a_picture_is_held_as_what_the_model_counts_at_most() -> None:
    assert held(Ask(0, {"image": 2}, {"image": 10}, own_tools=False)) == 2 * 4_800 * 2 * IN


def test_tools_of_the_caller_bring_their_hidden_prompt() -> None:
    assert held(Ask(0)) == 1_024 * 2 * IN


@pytest.mark.parametrize(
    ("ext", "long_cache"),
    [
        (None, False),
        ({"anthropic_messages": {"cache_control": {"type": "ephemeral"}}}, False),
        ({"anthropic_messages": {"cache_control": {"type": "ephemeral", "ttl": "5m"}}}, False),
        ({"anthropic_messages": {"cache_control": {"type": "ephemeral", "ttl": "1h"}}}, True),
    ],
)
def test_a_request_says_whether_it_has_tools_and_asks_for_an_hour(
    ext: dict[str, dict[str, object]] | None, long_cache: bool
) -> None:
    marked = Text("hi", ext=ext)
    bare = Request("m", (Message(Role.USER, (marked, Media("image/png", "aaaa"))),))
    asked = ask_of_request(bare, 100)
    assert (asked.own_tools, asked.long_cache, asked.media) == (False, long_cache, {"image": 1})
    tooled = msgspec.structs.replace(bare, tools=(Tool("f", ext=ext),), messages=())
    assert ask_of_request(tooled, 100).long_cache is long_cache
    assert ask_of_request(tooled, 100).own_tools


def test_a_cache_kept_for_a_day_is_a_long_one() -> None:
    request = Request("m", (), ext={"openai_chat": {"prompt_cache_retention": "24h"}})
    assert ask_of_request(request, 100).long_cache
