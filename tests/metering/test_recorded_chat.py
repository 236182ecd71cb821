"""Usage of recorded Chat answers of OpenAI's models, charged and compared with a dot product that is written apart."""

import tomllib
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any

import pytest

from laws.corpus import Exchange, exchanges, files
from metering.pricing import CATALOG, rates_of
from metering.recorded import MEASURED
from portico.catalog import tier_of
from portico.core.ask import Ask
from portico.dialects import openai_chat
from portico.dialects.openai_chat.usage import parse_usage
from portico.metering.ceiling import ask_of_request, ceiling
from portico.metering.charge import charge
from portico.wire import jsontext

pytestmark = pytest.mark.skipif(not files(), reason="no recordings")
FILE = tomllib.loads(resources.files("portico.catalog").joinpath("data", "openai.toml").read_text("utf-8"))
DAY = date(2026, 11, 28)
NANO = Fraction(1, 10**9)


@dataclass(frozen=True)
class Told:
    """A recorded answer whose usage was told, the model it is charged as, and the tier that the answer names."""

    exchange: Exchange
    model: str
    usage: dict[str, Any]
    tier: str | None


@cache
def told() -> list[Told]:
    found = []
    for path in files():
        for exchange in exchanges(path):
            known = CATALOG.known(exchange.model)
            if exchange.kind != "openai" or exchange.status != 200 or known is None or not known.prices.rows:
                continue
            answers = [body for body in _bodies(exchange) if isinstance(body.get("usage"), dict)]
            if answers:
                found.append(Told(exchange, known.name, answers[-1]["usage"], answers[-1].get("service_tier")))
    return found


def _bodies(exchange: Exchange) -> list[dict[str, Any]]:
    if exchange.frames is None:
        return [exchange.body] if isinstance(exchange.body, dict) else []
    return [jsontext.decode(frame.data) for frame in exchange.frames if frame.data.startswith(b"{")]


def dollars(one: Told) -> Fraction:
    """Of the numbers as OpenAI tells them: cached and written ones are inside prompt_tokens, audio in both."""
    inside, written = one.usage.get("prompt_tokens_details") or {}, one.usage.get("completion_tokens_details") or {}
    prompt, answer = int(one.usage["prompt_tokens"]), int(one.usage.get("completion_tokens") or 0)
    cached, kept = int(inside.get("cached_tokens") or 0), int(inside.get("cache_write_tokens") or 0)
    heard, spoken = int(inside.get("audio_tokens") or 0), int(written.get("audio_tokens") or 0)
    long = prompt > 272_000
    read = rate(one.model, "input", long)
    audio = rate(one.model, "input", long, "audio") or read
    sum_ = (prompt - cached - kept - heard) * read + heard * audio
    sum_ += cached * (rate(one.model, "cached", long) or read) + kept * (rate(one.model, "write", long) or read)
    write = rate(one.model, "output", long)
    return (sum_ + (answer - spoken) * write + spoken * (rate(one.model, "output", long, "audio") or write)) / 10**6


def rate(model: str, column: str, long: bool, modality: str = "any") -> Fraction:
    """Dollars per million; 0 if there is none."""
    found = Fraction(0)
    for entry in FILE["models"][model]["prices"]:
        band = entry.get("above_tokens", 0)
        if column in entry and "tier" not in entry and entry.get("modality", "any") == modality and (long or not band):
            found = Fraction(entry[column])
    return found


def test_usage_of_recorded_chat_answers_is_charged_as_by_hand() -> None:
    judged = 0
    for one in told():
        if tier_of(one.tier).value != "standard":
            continue
        paid = charge(parse_usage(one.usage), {}, rates_of(one.model, kind="openai", provider="openai", on=DAY))
        by_hand = dollars(one) / NANO
        assert by_hand <= paid.nanos < by_hand + 1, one.exchange.id
        assert not paid.unpriced, one.exchange.id
        judged += 1
    MEASURED[f"{judged} recorded Chat answers of OpenAI charged as by hand"] = 1
    assert judged > 350


def test_every_token_of_a_recorded_chat_answer_is_on_a_line() -> None:
    for one in told():
        rates = rates_of(one.model, kind="openai", provider="openai", on=DAY)
        tokens = sum(line.count for line in charge(parse_usage(one.usage), {}, rates).lines)
        assert tokens == one.usage["prompt_tokens"] + (one.usage.get("completion_tokens") or 0), one.exchange.id


def is_promised(ask: Ask) -> bool:
    return not ask.tools and ask.media.keys() <= {"image"}


def test_a_ceiling_covers_the_charge_of_text_tools_and_inline_images() -> None:
    judged = 0
    for one in told():
        body = one.exchange.request
        if not (one.exchange.trusted and isinstance(body, dict) and body.get("messages")):
            continue
        ask = ask_of_request(openai_chat.DIALECT.parse_request(body), len(jsontext.encode(body)))
        if not is_promised(ask):
            continue
        rates = rates_of(one.model, kind="openai", provider="openai", on=DAY)
        most = ceiling(ask, rates, CATALOG.models[one.model].capabilities, default_hold_tokens=8_192)
        paid = charge(parse_usage(one.usage), {}, rates)
        assert most.nanos >= paid.nanos, one.exchange.id
        judged += 1
    MEASURED[f"{judged} ceilings of recorded Chat requests of OpenAI are at least the charge"] = 1
    assert judged > 300
