"""Which of two models is the dearer: for what the one that was asked for is used for."""

from datetime import date

import msgspec
import pytest

from portico.catalog import Model, OperatorModel, PriceKind, PriceRow, load_catalog
from portico.catalog.books import SALE, PriceBooks, Published
from portico.relay.dearness import Dearness, dearest, dearness, is_within

CATALOG = load_catalog()
TODAY = date(2026, 11, 28)


def listed(name: str, like: str | None = None, *, published: tuple[Published, ...] = ()) -> Dearness:
    books, models = PriceBooks(CATALOG, published), CATALOG.models
    return dearness(books, models[name], None, TODAY, like=models[like or name])


def is_dearer(other: str, asked: str) -> bool:
    return not is_within(listed(other, asked), listed(asked))


PRICED = [one.name for one in CATALOG.models.values() if one.prices.in_force(TODAY) and not one.prices.free]


@pytest.mark.parametrize("name", PRICED)
def test_every_priced_model_costs_something_that_is_known(name: str) -> None:
    assert all(0 < price < float("inf") for price in listed(name))


@pytest.mark.parametrize(
    ("dearer", "cheaper"),
    [
        ("gpt-5.6-terra", "gpt-5-mini"),
        ("tts-1-hd", "tts-1"),  # by the character
        ("gpt-4o-mini-tts", "tts-1"),  # by the token, at about 20 of them a second
        ("tts-1-hd", "gpt-4o-mini-tts"),
        ("whisper-1", "gpt-transcribe"),  # by the second
        ("gemini-3.5-transcribe", "whisper-1"),  # its text is dear
        ("gemini-3-pro-image", "gemini-3.1-flash-image"),
        ("gemini-3.1-flash-image", "gpt-image-2"),  # of pictures, though not of text
        ("gpt-image-2", "gpt-image-1-mini"),
        ("gpt-4o-audio-preview", "gpt-audio"),  # of sound, for the same text
        ("gpt-audio", "gpt-audio-mini"),
        ("gemini-2.5-flash", "gemini-3.5-flash-lite"),  # of sound alone
        ("text-embedding-3-large", "text-embedding-3-small"),
        ("gemini-embedding-2", "gemini-embedding-001"),
    ],
)
def test_of_two_models_one_is_the_dearer(dearer: str, cheaper: str) -> None:
    assert is_dearer(dearer, cheaper)


@pytest.mark.parametrize(
    ("other", "asked"),
    [
        ("tts-1", "tts-1-hd"),
        ("gpt-transcribe", "whisper-1"),
        ("gpt-image-2", "gemini-3.1-flash-image"),  # of few words; and it tells none beside its pictures
        ("gpt-4o", "gpt-audio"),  # it makes no sound that would cost
        ("gpt-audio", "gpt-4o"),  # and who speaks is not asked to
        ("gemini-2.5-flash-lite", "gemini-2.5-flash"),
        ("gemma-4-31b-it", "gpt-5-nano"),
    ],
)
def test_and_what_a_model_is_not_asked_for_makes_it_no_dearer(other: str, asked: str) -> None:
    assert not is_dearer(other, asked)


@pytest.mark.parametrize(("other", "asked"), [("claude-sonnet-4-6", "gemini-3.1-pro-preview"), ("gpt-5.4", "gpt-4.1")])
def test_short_prompts_and_long_ones_are_compared_apart(other: str, asked: str) -> None:
    """Sonnet costs less than Gemini Pro beyond 200,000 tokens, and more below them."""
    assert is_dearer(other, asked)


def published(model: str, kind: PriceKind, nanos: int, modality: str = "any") -> Published:
    return Published(
        SALE, model, PriceRow(kind=kind, rate_nanos=nanos, effective_from=TODAY, source="", modality=modality), TODAY
    )


def test_a_published_price_counts() -> None:
    rows = (published("tts-1", PriceKind.OUTPUT, 1), published("gpt-5-nano", PriceKind.OUTPUT, 10**12))
    assert listed("gpt-5-nano", published=rows)[0] > listed("gpt-5-pro")[0]


def test_what_nobody_knows_the_price_of_is_within_no_limit_and_limits_to_nothing() -> None:
    models = CATALOG.with_models([OperatorModel("own", "acme/secret-model")]).models
    books = PriceBooks(CATALOG)
    own = dearness(books, models["own"], None, TODAY, like=models["own"])
    nano = dearness(books, models["gpt-5-nano"], None, TODAY, like=models["own"])
    assert not is_within(nano, own)
    assert not is_within(own, own)
    assert not is_within(dearness(books, models["own"], None, TODAY, like=models["gpt-5-nano"]), listed("gpt-5-nano"))


def test_a_use_without_a_price_is_one_that_may_cost_anything() -> None:
    model = msgspec.structs.replace(CATALOG.models["gpt-image-2"], name="own-image")
    rows = [one for one in model.prices.rows if one.modality != "image" or one.kind is not PriceKind.OUTPUT]
    halved: Model = msgspec.structs.replace(model, prices=msgspec.structs.replace(model.prices, rows=tuple(rows)))
    catalog = CATALOG.with_open(["acme"])  # one of its own
    catalog.models["own-image"] = halved
    told = dearness(PriceBooks(catalog), halved, None, TODAY, like=halved)
    assert told[0] == float("inf")


def test_the_limit_is_the_dearest_of_where_the_model_is_served() -> None:
    assert dearest([(1.0, 5.0), (2.0, 4.0)]) == (2.0, 5.0)
    assert is_within((2.0, 5.0), (2.0, 5.0))
    assert not is_within((2.0, 6.0), (2.0, 5.0))
