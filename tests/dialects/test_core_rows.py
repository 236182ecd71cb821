"""`core/`: the laws of usage, assembly and losses, over values nobody thought of."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.core.assembly import assemble, tell
from portico.core.loss import CODES, Loss, changes_header
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Candidate, Finish, FinishReason, Response
from portico.core.usage import MODALITIES, Usage, minus, split, take, total

MANY = settings(deadline=None, derandomize=True, max_examples=200)
COUNTS = st.integers(0, 10**7)
TOKENS = st.dictionaries(st.sampled_from(MODALITIES), st.integers(1, 10**6))

# -- usage (2.9) ------------------------------------------------------------------------------------------------------


def clean(tokens: Any) -> bool:
    return all(count > 0 for count in tokens.values()) and set(tokens) <= set(MODALITIES)


@MANY
@given(count=COUNTS, details=st.dictionaries(st.sampled_from(MODALITIES), COUNTS))
def test_a_split_is_exactly_the_count(count: int, details: dict[str, int]) -> None:
    """Whatever the details say: what they leave out is text, what they overstate is cut."""
    made = split(count, details)
    assert total(made) == count
    assert clean(made)
    if total(details) <= count:
        assert all(made.get(name, 0) >= n for name, n in details.items())


@MANY
@given(tokens=TOKENS, count=COUNTS)
def test_taking_gives_at_most_what_is_there(tokens: dict[str, int], count: int) -> None:
    taken = take(tokens, count)
    assert total(taken) == min(count, total(tokens))
    assert all(n <= tokens[name] for name, n in taken.items())
    assert clean(taken)
    if "text" in tokens and count:
        assert taken.get("text", 0) == min(count, tokens["text"])


@MANY
@given(tokens=TOKENS, less=TOKENS)
def test_subtracting_is_never_negative_and_loses_nothing(tokens: dict[str, int], less: dict[str, int]) -> None:
    left = minus(tokens, less)
    assert total(left) == max(0, total(tokens) - total(less))
    assert clean(left)


@MANY
@given(tokens=TOKENS, count=COUNTS)
def test_what_is_taken_and_what_is_left_are_the_whole(tokens: dict[str, int], count: int) -> None:
    taken = take(tokens, count)
    left = minus(tokens, taken)
    assert {name: taken.get(name, 0) + left.get(name, 0) for name in {*taken, *left}} == tokens


@MANY
@given(buckets=st.lists(TOKENS, min_size=7, max_size=7))
def test_totals_are_sums_of_disjoint_buckets(buckets: list[dict[str, int]]) -> None:
    a, b, c, d, e, f, g = buckets
    usage = Usage(a, b, c, d, e, f, g)
    assert usage.input_total == sum(map(total, buckets[:5]))
    assert usage.output_total == sum(map(total, buckets[5:]))


# -- assembly ---------------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=20)
NAMED = st.text(min_size=1, max_size=8)
SIGNATURES = st.none() | st.builds(Signature, st.just("google"), NAMED, st.none() | NAMED)
EXTS = st.none() | st.builds(lambda key, value: {"gemini": {key: value}}, NAMED, TEXTS)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, TEXTS, SIGNATURES, EXTS),
    st.builds(Reasoning, TEXTS, SIGNATURES, EXTS),
    st.builds(Media, st.none() | NAMED, data=st.none() | NAMED, uri=st.none() | NAMED, signature=SIGNATURES, ext=EXTS),
    st.builds(ToolCall, NAMED, NAMED, TEXTS, minted=st.booleans(), signature=SIGNATURES, ext=EXTS),
    st.builds(Opaque, st.just("gemini"), st.just({"toolCall": {}})),
)
FINISHES = st.builds(Finish, st.sampled_from(FinishReason), st.none() | NAMED, st.none() | NAMED, st.booleans())


@st.composite
def responses(draw: st.DrawFn) -> Response:
    count = draw(st.integers(0, 3))
    candidates = tuple(
        Candidate(
            index,
            tuple(draw(st.lists(PARTS, max_size=4))),
            # A stream cannot tell of a candidate of which nothing is known.
            draw(FINISHES),
            draw(EXTS),
        )
        for index in range(count)
    )
    usage = draw(st.none() | st.builds(Usage, TOKENS, TOKENS))
    return Response(
        id=draw(st.none() | NAMED),
        model=draw(st.none() | NAMED),
        candidates=candidates,
        usage=usage,
        created=draw(st.none() | st.integers(0, 2**40)),
        service_tier=draw(st.none() | NAMED) if usage is not None else None,
        ext=draw(EXTS),
    )


@MANY
@given(response=responses())
def test_an_answer_told_and_assembled_is_the_answer(response: Response) -> None:
    assert assemble(tell(response)) == response


# -- losses -----------------------------------------------------------------------------------------------------------

LOSSES = st.lists(
    st.builds(Loss, st.sampled_from(sorted(CODES)), st.text(max_size=60), st.text(max_size=300)), max_size=40
)


@MANY
@given(losses=LOSSES, limit=st.integers(64, 4096))
def test_the_header_is_short_ascii_json_whatever_was_lost(losses: list[Loss], limit: int) -> None:
    header = changes_header(losses, limit)
    assert len(header) <= limit
    assert header.isascii()
    assert header.isprintable()
    told = json.loads(header)
    left = told.pop()["more"] if told and "more" in told[-1] else 0
    assert len(told) + left == len(losses)
    for entry, loss in zip(told, losses, strict=False):
        assert entry == {"code": loss.code, "path": loss.path, "message": loss.message}


def test_the_header_escapes_what_http_cannot_carry() -> None:
    header = changes_header([Loss("1.1:n", "$.n", "漢𝄞\r\nx-evil: 1\x7f\x00")])
    assert "\r" not in header
    assert "\n" not in header
    assert json.loads(header)[0]["message"] == "漢𝄞\r\nx-evil: 1\x7f\x00"


def test_every_code_names_a_row() -> None:
    """A code is a row of mapping.md and a word; text, calls, results, media and usage have none."""
    for code, excuse in CODES.items():
        row, _, word = code.partition(":")
        assert row.replace(".", "").isdigit()
        assert word
        assert not {field.partition(".")[0] for field in excuse.erases} & {"text", "call", "usage"}


@pytest.mark.parametrize("count", [0, 1, 500])
def test_a_list_of_losses_of_any_length_fits(count: int) -> None:
    header = changes_header([Loss("1.1:unsupported", f"$.field_{n}", "nothing for it") for n in range(count)])
    assert len(header) <= 2048
    assert (json.loads(header) == []) is (count == 0)
