"""Records as bytes: what one release wrote, the next reads."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.core.parts import Signature
from portico.vault import CallKept, MediaKept, OpaqueKept, TextKept, TurnRecord, codec

TEXT = st.text(max_size=20)
SIGNATURES = st.none() | st.builds(Signature, TEXT, TEXT, st.none() | TEXT)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
PARTS = st.one_of(
    st.builds(TextKept, st.integers(0, 2**53), SIGNATURES),
    st.builds(CallKept, TEXT, st.none() | TEXT, SIGNATURES, TEXT, st.integers(-(2**63), 2**63 - 1)),
    st.builds(MediaKept, TEXT, SIGNATURES),
    st.builds(OpaqueKept, TEXT, st.dictionaries(TEXT, JSON, max_size=3)),
)
RECORDS = st.builds(TurnRecord, TEXT, st.lists(PARTS, max_size=6).map(tuple), TEXT, TEXT, TEXT)


def as_elsewhere(record: TurnRecord) -> TurnRecord:
    """What another process may know of a record: all but the hashes of this one."""
    parts = [msgspec.structs.replace(one, spelt=0) if isinstance(one, CallKept) else one for one in record.parts]
    return msgspec.structs.replace(record, parts=tuple(parts))


@given(RECORDS)
def test_a_record_comes_back_as_it_was_but_for_what_only_its_process_knew(record: TurnRecord) -> None:
    assert codec.decode(codec.encode(record)) == as_elsewhere(record)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_record_are_none(data: bytes) -> None:
    for damaged in (data, codec.RECORD + data):
        record = codec.decode(damaged)
        assert record is None or codec.encode(record).startswith(codec.RECORD)


@given(RECORDS, st.data())
def test_a_record_that_is_cut_off_is_none(record: TurnRecord, data: st.DataObject) -> None:
    whole = codec.encode(record)
    assert codec.decode(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


def test_what_the_first_release_wrote_is_read() -> None:
    """The bytes are written out here: whoever changes the form gives it another number."""
    record = TurnRecord(
        "gemini-3",
        (
            TextKept(5),
            CallKept("c1", "u1", Signature("google", "QQ==", "gemini-3"), "d1"),
            OpaqueKept("gemini", {"toolCall": {"n": 2**70}}),
            MediaKept("m1"),
        ),
        " ",
        "\n",
        "text:t1",
    )
    written = (
        b"\x01\x95\xa8gemini-3\x94"
        b"\x93\x00\x05\xc0"
        b"\x95\x01\xa2c1\xa2u1\x93\xa6google\xa4QQ==\xa8gemini-3\xa2d1"
        b'\x93\x02\xa6gemini\xd9\x29{"toolCall":{"n":1180591620717411303424}}'
        b"\x93\x03\xa2m1\xc0"
        b"\xa1 \xa1\n\xa7text:t1"
    )
    assert codec.encode(record) == written
    assert codec.decode(written) == record


def test_a_later_form_with_more_at_its_end_is_read_as_far_as_it_is_known() -> None:
    assert codec.decode(b"\x01\x96\xa1s\x91\x94\x00\x05\xc0\x07\xa0\xa0\xa0\x2a") == TurnRecord("s", (TextKept(5),))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x03\x95", b"\x02call:a", b'{"signer":"s"}'])
def test_a_form_that_nobody_here_knows_is_none(data: bytes) -> None:
    assert codec.decode(data) is None


def test_a_row_may_say_where_the_record_is() -> None:
    assert codec.where(codec.elsewhere("media:é")) == "media:é"
    assert codec.where(codec.encode(TurnRecord("s", ()))) is None


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "part",
    [CallKept("\ud800"), TextKept(2**70), OpaqueKept("gemini", deep(100_000)), OpaqueKept("gemini", {"a": "\ud800"})],
    ids=["half a character", "a number too large", "too deep", "half a character in a value"],
)
def test_what_cannot_be_written_says_so(part: CallKept | TextKept | OpaqueKept) -> None:
    with pytest.raises(codec.Unwritable):
        codec.encode(TurnRecord("s", (part,)))
