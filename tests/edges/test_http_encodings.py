"""Compressed answers: what comes out is what went in, however it is cut, and never much at once."""

import gzip
import random
import subprocess
import sys
import zlib
from collections.abc import Callable

import brotli
import pytest

from portico.core.errors import UpstreamBadGateway, UpstreamIncomplete
from portico.http import encodings
from portico.http.encodings import PIECE_BYTES, Decoder, decoder_for

CODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=5),
}
NOISE = random.Random(1).randbytes(400_000)
BODIES = {
    "nothing": b"",
    "little": b"hello world",
    "text": b'data: {"a": 1}\n\n' * 20_000,
    "noise": NOISE,
    "the size of a step": b"ab" * (encodings._BROTLI_BYTES // 2),
}


def decode(decoder: Decoder, *pieces: bytes) -> list[bytes]:
    """What comes out, as `Answer` takes it."""
    out = []
    for piece in pieces:
        out.append(decoder.feed(piece))
        while decoder.more:
            out.append(decoder.feed(b""))
    decoder.end()
    return out


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def made(coding: str) -> Decoder:
    decoder = decoder_for(coding)
    assert decoder is not None
    return decoder


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("coding", CODE)
@pytest.mark.parametrize("size", [7, 1000, 10**7])
def test_cutting_compressed_bytes_differently_changes_nothing(coding: str, body: bytes, size: int) -> None:
    coded = CODE[coding](body)
    out = decode(made(coding), *cut(coded, size))
    assert b"".join(out) == body
    assert max(map(len, out)) <= PIECE_BYTES


@pytest.mark.parametrize("coding", CODE)
def test_a_bomb_comes_out_in_small_pieces_and_not_for_ever(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = CODE[coding](bytes(20_000_000))
    assert len(bomb) < 30_000
    out = decode(made(coding), bomb)
    assert (sum(map(len, out)), max(map(len, out)) <= PIECE_BYTES) == (20_000_000, True)
    monkeypatch.setattr(encodings, "DECODED_BYTES", 1_000_000)
    with pytest.raises(UpstreamBadGateway, match="too large"):
        decode(made(coding), bomb)


@pytest.mark.parametrize("coding", CODE)
def test_compressed_data_that_stops_early_is_incomplete(coding: str) -> None:
    coded = CODE[coding](b"hello world" * 100)
    for end in range(1, len(coded)):
        with pytest.raises(UpstreamIncomplete):
            decode(made(coding), coded[:end])


@pytest.mark.parametrize("coding", CODE)
def test_what_is_not_in_its_encoding_is_a_bad_gateway(coding: str) -> None:
    with pytest.raises(UpstreamBadGateway):
        decode(made(coding), b"\xff" * 100)


@pytest.mark.parametrize("together", [True, False])
def test_nothing_follows_the_end_of_brotli(together: bool) -> None:
    coded = CODE["br"](b"hello")
    with pytest.raises(UpstreamBadGateway):
        decode(made("br"), *([coded + b"x"] if together else [coded, b"x"]))


def test_brotli_is_not_loaded_before_an_answer_is_compressed_with_it() -> None:
    program = """
import sys, portico.http.client, portico.http.encodings
assert "brotli" not in sys.modules
portico.http.encodings.decoder_for("br")
assert "brotli" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
