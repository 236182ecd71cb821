"""What one deployment costs beside another, for what a model is used for: a price for each of its uses.

    chat, embeddings   a million tokens in and a million out, of each kind that the model takes or makes; of text twice: in
                       short prompts, and in one that is as long as that
    pictures           a million tokens of them, of some words; the same of as many pictures
    speech             so many seconds of it: the text in and the sound out, or the characters
    transcription      so many seconds: the sound in and the text out, or the seconds

The first of them is what the model is for. Enough to say which of two models is the dearer; what a call is charged is
another matter (`metering.charge`).
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from portico.catalog import Model, ModelKind
from portico.catalog.books import PriceBooks, Rates
from portico.core.usage import MODALITIES, Usage
from portico.metering.charge import charge, is_metered
from portico.metering.estimate import CHARACTERS_A_TOKEN, HEARD_TOKENS_A_SECOND, SPOKEN_TOKENS_A_SECOND
from portico.routing import Deployment

Dearness: TypeAlias = tuple[float, ...]
"""Nano-dollars for each use of the model that was asked for; infinite where no price is known, since that may be any."""

_MILLION: Final = 1_000_000
_SECONDS: Final = 50_000
_CHARACTERS_A_SECOND: Final = 15
"""Of English that is read aloud: 150 words a minute."""
_PICTURE_TOKENS_A_WORD: Final = 10
"""Of a picture, for each token of text that describes it."""
_OPENAI_SOUND: Final = (HEARD_TOKENS_A_SECOND, SPOKEN_TOKENS_A_SECOND)
_SOUND: Final[Mapping[str, tuple[int, int]]] = {"google": (32, 25)}
"""By vendor, tokens of a second that is heard and of one that is spoken (ai.google.dev: audio understanding, speech)."""


class _Work(NamedTuple):
    """Something to be paid for, told in every unit that it may be billed in."""

    usage: Usage
    uses: Mapping[str, int] = {}
    prompts: int = _MILLION
    """In so many prompts, which are therefore short."""


def dearness(books: PriceBooks, model: Model, deployment: Deployment | None, on: date, *, like: Model) -> Dearness:
    """What it costs there to use a model like another one. Prices of one `like` can be compared, one by one. Without a
    deployment it is what the model is listed at."""
    rates = books.rates(
        model=model,
        provider="" if deployment is None else deployment.provider.name,
        provider_kind="" if deployment is None else deployment.provider.kind.name,
        upstream_model=model.name if deployment is None else deployment.upstream_model,
        account="",
        on=on,
    )
    wanted, able = like.capabilities, (model if deployment is None else deployment).capabilities
    takes = wanted.input_modalities & able.input_modalities
    makes = wanted.output_modalities & able.output_modalities
    key = ("dearness", like.kind, wanted.input_modalities, wanted.output_modalities, takes, makes, model.vendor)
    found: Dearness | None = rates.memo.get(key)
    if found is None:
        works = _works(like, takes, makes, _SOUND.get(model.vendor, _OPENAI_SOUND))
        found = rates.memo[key] = tuple([_price(one, rates) for one in works])
    return found


def dearest(of: Iterable[Dearness]) -> Dearness:
    """The highest price of each use."""
    return tuple([max(prices) for prices in zip(*of, strict=True)])


def is_within(one: Dearness, limit: Dearness) -> bool:
    """Whether no use costs more than that. What nobody knows the price of is a limit to nothing."""
    return len(one) == len(limit) and all(price <= most < math.inf for price, most in zip(one, limit, strict=True))


def _works(like: Model, takes: frozenset[str], makes: frozenset[str], sound: tuple[int, int]) -> Iterator[_Work]:
    """What a model is used for, as far as somebody `takes` and `makes` it."""
    heard, spoken = sound
    words = _CHARACTERS_A_SECOND * _SECONDS // CHARACTERS_A_TOKEN
    if like.kind is ModelKind.SPEECH:
        usage = Usage(input_uncached={"text": words}, output_visible={"audio": spoken * _SECONDS})
        yield _Work(usage, {"characters": _CHARACTERS_A_SECOND * _SECONDS})
        return
    if like.kind is ModelKind.TRANSCRIPTION:
        usage = Usage(input_uncached={"audio": heard * _SECONDS}, output_visible={"text": words})
        yield _Work(usage, {"seconds": _SECONDS})
        return
    if like.kind is ModelKind.IMAGE:
        said = {"text": _MILLION // _PICTURE_TOKENS_A_WORD} if "text" in makes else {}
        for given in ({}, {"image": _MILLION} if "image" in takes else {}):
            asked = {"text": _MILLION // _PICTURE_TOKENS_A_WORD, **given}
            yield _Work(Usage(input_uncached=asked, output_visible={"image": _MILLION, **said}))
        return
    wanted = like.capabilities.input_modalities | like.capabilities.output_modalities
    for modality in sorted(wanted.intersection(MODALITIES), key=lambda one: (one != "text", one)):
        usage = Usage(
            input_uncached={modality: _MILLION} if modality in takes else {},
            output_visible={modality: _MILLION} if modality in makes else {},
        )
        yield _Work(usage)
        if modality == "text":
            yield _Work(usage, prompts=1)


def _price(work: _Work, rates: Rates) -> float:
    if not rates.known and not rates.free:
        return math.inf
    metered = is_metered(work.uses, rates)
    told = charge(None if metered else work.usage, work.uses if metered else {}, rates, prompts=work.prompts)
    return math.inf if told.unpriced else told.nanos
