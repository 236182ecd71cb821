"""Pieces of an answer are counted as the client's lines tell of them, and no others."""

import json

from clients.client import Said
from clients.jsonlines import text_delta, told


def line(kind: str, text: str) -> str:
    return json.dumps({"type": "stream_event", "event": {"delta": {"type": kind, "text": text}}})


def test_the_pieces_make_the_answer() -> None:
    lines = ["Welcome", line("thinking_delta", "hm"), line("text_delta", "one "), '{"event": null}', "[]"]
    said = told(Said(0, "\n".join([*lines, line("text_delta", "two")]), "a warning"), text_delta)
    assert said == Said(0, "one two", "a warning", pieces=2)


def test_what_tells_no_pieces_is_left_as_it_is() -> None:
    said = Said(1, "API Error: 404\n" + line("thinking_delta", "hm"))
    assert told(said, text_delta) == said
    assert told(said, text_delta).pieces is None
