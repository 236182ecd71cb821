"""Messages that pass: what is changed of them, and what is seen (mapping.md 7)."""

from typing import Any

import pytest

from dialects.dialect_rows import byte_by_byte
from portico.core.dialect import Passing
from portico.core.errors import InvalidRequest, UpstreamError
from portico.dialects.anthropic_messages import DIALECT
from portico.wire import jsontext
from portico.wire.sse import Frame

assert DIALECT.passing is not None
PASSING: Passing = DIALECT.passing


def test_only_the_model_of_a_body_is_changed() -> None:
    body = b'{ "messages":[ {"role":"user", "content":"\\u00e9"} ],"model" : "mine", "new_field": 1.0 }'
    assert PASSING.renamed(body, "claude-x") == body.replace(b'"mine"', b'"claude-x"')


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"model": []}', b'{"model": "a", "model": "b"}'])
def test_a_body_must_say_once_which_model_it_wants(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        PASSING.renamed(body, "claude-x")


@pytest.mark.parametrize("odd", [None, 5, "x", [], [[]], {}, {"text": []}])
@pytest.mark.parametrize("name", ["content", "usage", "model", "stop_reason", "error", "input_tokens"])
def test_whatever_stands_in_an_answer_is_survived(name: str, odd: Any) -> None:
    body = {"content": [{"type": "text", "text": "x"}], "usage": {"input_tokens": 1, "service_tier": odd}, name: odd}
    try:
        PASSING.response(jsontext.encode(body))
    except UpstreamError:
        assert name in ("content", "error")


STREAM: list[tuple[str, dict[str, Any]]] = [
    ("message_start", {"message": {"model": "c", "usage": {"input_tokens": 5, "service_tier": []}}}),
    ("ping", {}),
    ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "hi"}}),
    ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
    ("message_stop", {}),
]


def test_a_stream_passes_as_it_came_and_is_counted() -> None:
    frames = [Frame(jsontext.encode({"type": kind, **fields}), kind) for kind, fields in STREAM]
    for sent in (frames, byte_by_byte(b"".join([DIALECT.frame(frame) for frame in frames]))):
        watch = PASSING.watch("id")
        assert [one for frame in sent for one in watch.feed(frame)] == frames
        watch.close()
        seen = watch.seen()
        assert (seen.model, seen.empty) == ("c", False)
        assert seen.usage is not None
        assert seen.usage.output_total == 2
