"""How long a recording is, and speech in the formats that callers hear it in (mapping.md 5.3, 5.4)."""

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.hearing import RATE, samples, seconds_in, wav
from portico.core.audio import PcmShape, wav_header
from portico.core.recording import MAX_SECONDS, seconds_of, seconds_of_samples, whole_seconds
from portico.core.speaking import FORMATS, speaking, spoken
from portico.simulator.openai import sounds


def box(name: bytes, *inside: bytes) -> bytes:
    data = b"".join(inside)
    return struct.pack(">I4s", len(data) + 8, name) + data


def wide_box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, name, len(data) + 16) + data


MVHD = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 600, 1_500), bytes(80))
MVHD_LONG = box(b"mvhd", struct.pack(">IQQIQ", 1 << 24, 0, 0, 600, 1_500), bytes(80))
FTYP = box(b"ftyp", b"M4A \0\0\0\0")
VORBIS = b"\x01vorbis" + struct.pack("<IBI", 0, 1, 24_000) + bytes(20)


def page(position: int, data: bytes) -> bytes:
    return struct.pack("<4sBBqIII", b"OggS", 0, 0, position, 1, 0, 0) + bytes([1, len(data)]) + data


def aiff(frames: int) -> bytes:
    rate = struct.pack(">HQ", 16_383 + 14, RATE << 49)  # 24,000 as a float of 80 bits
    common = struct.pack(">4sIhIh", b"COMM", 18, 1, frames, 16) + rate
    return b"FORM....AIFF" + struct.pack(">4sI", b"ANNO", 3) + b"odd\0" + common


EXACT = [
    ("wav", wav(1.5)),
    ("wav with another chunk", wav(1.5)[:36] + struct.pack("<4sI", b"LIST", 3) + b"abc\0" + wav(1.5)[36:]),
    ("wav of a stream", wav_header(None, PcmShape()) + samples(1.5)),
    ("flac", sounds.told(sounds.tone(1.5, 440), "flac")),
    ("opus", sounds.told(sounds.tone(1.5, 440), "opus")),
    ("vorbis", page(0, VORBIS) + page(36_000, b"sound")),
    ("mp4", FTYP + box(b"free", b"abc") + box(b"moov", box(b"trak"), MVHD)),
    ("mp4, a box of 64 bits, and long numbers", FTYP + wide_box(b"mdat", b"abc") + box(b"moov", MVHD_LONG)),
]


@pytest.mark.parametrize(("kind", "data"), EXACT, ids=[kind for kind, _ in EXACT])
def test_a_length_that_stands_in_headers_is_read_from_them(kind: str, data: bytes) -> None:
    expected = 2.5 if kind.startswith("mp4") else 1.5
    assert seconds_of(data) == pytest.approx(expected)


def test_boxes_before_the_header_of_a_film_are_stepped_over() -> None:
    assert seconds_of(FTYP + box(b"moov", box(b"udta", b"abc"), MVHD)) == 2.5
    assert seconds_of(FTYP + box(b"moov", box(b"udta", b"abc"))) is None


def test_an_aiff_says_how_many_frames_it_has() -> None:
    assert seconds_of(aiff(36_000)) == pytest.approx(1.5)


@pytest.mark.parametrize("format_", ["mp3", "aac"])
@pytest.mark.parametrize("before", [b"", b"ID3\x04\0\0\0\0\x01\x05" + b"\xff\xfb" * 66 + b"x", b"junk\xff\xfbjunk"])
@pytest.mark.parametrize("after", [b"", b"TAG" + bytes(125)])
def test_a_length_that_stands_nowhere_is_the_sum_of_frames(format_: str, before: bytes, after: bytes) -> None:
    data = sounds.told(sounds.tone(2.5, 440), format_)
    assert seconds_of(before + data + after) == pytest.approx(2.5, abs=0.12)


def test_a_long_recording_is_looked_at_only_so_far() -> None:
    (frame,) = {sounds.told(sounds.tone(0.01, 440), "aac")}
    assert seconds_of(frame * 250_000) == pytest.approx(250_000 * 1024 / RATE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"RIFF....WAVE",
        b"RIFF....WAVEdata\xff\xff\xff\xff",
        b"fLaC",
        b"fLaC" + bytes(40),
        b"OggS",
        b"OggS" + bytes(60),
        b"\0\0\0\x20ftyp",
        b"\0\0\0\x10ftypM4A \0\0\0\0" + struct.pack(">I4s", 4, b"moov"),
        b"ID3",
        b"\xff\xfb",
        b"FORM....AIFFCOMM",
        b"\x1a\x45\xdf\xa3 webm",
        b"a text \xff\xfb\x90\x64 that holds what a frame begins with",
        samples(0.5),
        box(b"ftyp", b"M4A ") + box(b"moov", box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1, 2**32 - 1), bytes(80))),
    ],
)
def test_what_cannot_be_read_has_no_length(data: bytes) -> None:
    assert seconds_of(data) is None


MVHD_OF_A_STREAM = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 600, 0), bytes(80))
UNSAID = {
    "a film in fragments": FTYP + box(b"moov", MVHD_OF_A_STREAM) + box(b"moof") + box(b"mdat", bytes(5000)),
    "flac": b"fLaC" + bytes(14) + (RATE << 4).to_bytes(3, "big") + bytes(5000),
    "opus": page(0, b"OpusHead" + bytes(11)) + page(0, bytes(255)),
    "wav": wav_header(0, PcmShape()) + samples(1.5),
}


@pytest.mark.parametrize("kind", UNSAID)
def test_a_length_of_nothing_is_one_that_was_not_known_when_it_was_written(kind: str) -> None:
    assert seconds_of(UNSAID[kind]) is None


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([data[:200] for _, data in EXACT] + [sounds.told(sounds.tone(0.1, 440), "mp3"), aiff(9)]),
    st.lists(st.tuples(st.integers(0, 199), st.integers(0, 255)), max_size=6),
    st.integers(0, 200),
)
def test_whatever_stands_in_a_file_it_has_a_sensible_length_or_none(
    data: bytes, changes: list[tuple[int, int]], end: int
) -> None:
    spoiled = bytearray(data)
    for at, value in changes:
        spoiled[at % len(spoiled)] = value
    found = seconds_of(bytes(spoiled[:end]))
    assert found is None or (math.isfinite(found) and 0 <= found <= MAX_SECONDS)


@pytest.mark.parametrize(("seconds", "whole"), [(0.0, 0), (0.01, 1), (1.0, 1), (1.0000001, 1), (1.01, 2), (59.5, 60)])
def test_every_second_that_was_begun_counts(seconds: float, whole: int) -> None:
    assert whole_seconds(seconds) == whole


def test_samples_are_as_long_as_there_are() -> None:
    assert seconds_of_samples(samples(2.5)) == 2.5


# -- speech in a format --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("size", [1, 7, 4_801, 10**6])
def test_speech_in_pieces_is_the_same_speech(format_: str, size: int) -> None:
    pcm = samples(0.2 if size == 1 else 0.5)
    machine = speaking(format_, PcmShape())
    told = b"".join([machine.feed(pcm[at : at + size]) for at in range(0, len(pcm), size)]) + machine.close()
    whole = spoken(format_, pcm, PcmShape())
    if format_ == "wav":
        assert told[44:] == whole[44:] == pcm
        assert seconds_in(whole) == pytest.approx(len(pcm) / 48_000)
    else:
        assert told == whole


@pytest.mark.parametrize("shape", [PcmShape(), PcmShape(16_000), PcmShape(48_000, 2), PcmShape(44_100)])
def test_an_mp3_is_as_long_as_what_was_said(shape: PcmShape) -> None:
    pcm = bytes(2 * shape.channels * shape.rate_hz)
    assert seconds_of(spoken("mp3", pcm, shape)) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(("format_", "size"), [("mp3", 0), ("pcm", 0), ("wav", 44)])
def test_nothing_said_is_an_empty_sound(format_: str, size: int) -> None:
    machine = speaking(format_, PcmShape())
    assert len(machine.feed(b"") + machine.close()) == size
