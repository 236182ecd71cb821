"""Raw speech and its container; voices by either vendor's name (mapping.md 2.8, 5.3)."""

import base64
import io
import struct
import wave

import pytest

from portico.core.audio import Base64Joiner, PcmShape, decoded, is_raw, pcm_of, shape_of, wav_of
from portico.core.voices import GOOGLE, OPENAI, google_voice

SAMPLES = bytes(range(200)) * 6


@pytest.mark.parametrize("shape", [PcmShape(), PcmShape(16_000), PcmShape(44_100, 2)])
@pytest.mark.parametrize("pcm", [b"", b"\x01\x02" * 4, SAMPLES])
def test_a_wav_is_what_players_take_it_for(shape: PcmShape, pcm: bytes) -> None:
    made = wav_of(pcm, shape)
    assert len(made) == 44 + len(pcm)
    with wave.open(io.BytesIO(made)) as read:
        assert (read.getframerate(), read.getnchannels(), read.getsampwidth()) == (shape.rate_hz, shape.channels, 2)
        assert read.readframes(10**6) == pcm
    assert pcm_of(made) == pcm


def test_samples_are_found_behind_whatever_else_a_wav_holds() -> None:
    made = wav_of(SAMPLES, PcmShape())
    listed = made[:36] + struct.pack("<4sI", b"LIST", 3) + b"abc\0" + made[36:]
    assert pcm_of(listed) == SAMPLES
    assert pcm_of(made[:36]) == b""
    assert pcm_of(b"no wav") == b"no wav"


@pytest.mark.parametrize(
    ("mime", "raw", "rate", "channels"),
    [
        ("audio/L16;codec=pcm;rate=24000", True, 24_000, 1),
        ('AUDIO/l16; Rate="16000" ;channels=2', True, 16_000, 2),
        ("audio/pcm", True, 24_000, 1),
        ("audio/L16;rate=;channels=x", True, 24_000, 1),
        ("audio/L16;rate=9999999", True, 24_000, 1),
        ("audio/L16;rate=²", True, 24_000, 1),
        ("audio/wav", False, 24_000, 1),
        ("audio/mpeg", False, 24_000, 1),
    ],
)
def test_a_type_says_how_samples_are_to_be_read(mime: str, raw: bool, rate: int, channels: int) -> None:
    assert is_raw(mime) is raw
    assert shape_of(mime) == PcmShape(rate, channels)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 10**6])
def test_pieces_may_be_read_one_by_one_or_joined_as_text(size: int) -> None:
    joiner = Base64Joiner()
    pieces = [joiner.feed(SAMPLES[at : at + size]) for at in range(0, len(SAMPLES), size)]
    pieces.append(joiner.close())
    assert b"".join([base64.b64decode(piece, validate=True) for piece in pieces]) == SAMPLES
    assert base64.b64decode("".join(pieces), validate=True) == SAMPLES
    assert joiner.close() == ""


@pytest.mark.parametrize("text", ["+/+/", "-_-_", "+/+/\n+/+/", "QQ", "QQ==", "", " "])
def test_base64_is_decoded_however_it_is_spelt(text: str) -> None:
    plain = "".join(text.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    assert decoded(text) == base64.b64decode(plain + "=" * (-len(plain) % 4))


@pytest.mark.parametrize("text", ["§", "A", "QQ=A", "a b c!"])
def test_what_is_no_base64_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        decoded(text)


@pytest.mark.parametrize("voice", GOOGLE)
def test_googles_voices_are_known_in_any_case(voice: str) -> None:
    assert {google_voice(voice), google_voice(voice.upper()), google_voice(f" {voice.lower()} ")} == {voice}


@pytest.mark.parametrize(("voice", "is_"), OPENAI.items())
def test_each_of_openais_voices_is_one_of_googles(voice: str, is_: str) -> None:
    assert google_voice(voice) == is_
    assert is_ in GOOGLE


def test_there_are_thirty_voices_and_no_others() -> None:
    assert len(set(GOOGLE)) == 30
    assert google_voice("bob") is None
    assert google_voice("") is None
