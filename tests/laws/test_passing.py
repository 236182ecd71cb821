"""Between two ends of one dialect an answer passes as it is, and what is seen of it is what reading it would tell."""

import json
import random
from pathlib import Path

import pytest

from laws.corpus import Exchange, files
from laws.judge import NotThisShape, hold
from laws.test_answers import assembled, events_of, streamed, whole
from laws.test_raw import awkward, spelt_awkwardly
from portico.core.dialect import Passing, StreamWatch
from portico.core.errors import UpstreamError
from portico.core.events import Failed
from portico.wire import jsontext, raw
from portico.wire.sse import Frame

EACH_FILE = pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")


def passing_of(exchange: Exchange) -> Passing:
    passing = exchange.dialect.passing
    if passing is None:
        raise NotThisShape
    return passing


def what_is_seen_of_a_whole_answer_is_what_it_tells(exchange: Exchange) -> None:
    body = whole(exchange)
    passing = passing_of(exchange)
    response = exchange.dialect.parse_response(body, exchange.reading())
    seen = passing.response(jsontext.encode(body))
    assert (seen.model, seen.usage, seen.service_tier) == (response.model, response.usage, response.service_tier)


def a_stream_passes_as_it_is_and_is_seen_as_it_is_read(exchange: Exchange) -> None:
    recorded = streamed(exchange)
    watch = passing_of(exchange).watch("fresh")
    dice = random.Random(exchange.id)
    spelt = [
        frame
        if frame.data == b"[DONE]"
        else Frame(one_line(awkward(json.loads(frame.data), dice)).encode("utf-8", "surrogatepass"))
        for frame in recorded
    ]
    events = events_of(exchange.dialect, recorded, exchange.reading())
    if any(isinstance(event, Failed) for event in events):
        assert refused(watch, spelt) or watch.ended
        return
    passed = [out for frame in spelt for out in watch.feed(frame)]
    watch.close()
    if exchange.dialect.name != "gemini":
        assert [frame.data for frame in passed] == [frame.data for frame in spelt]
    else:
        one_id(passed, spelt)
    response, seen = assembled(events), watch.seen()
    assert (seen.model, seen.usage, seen.service_tier) == (response.model, response.usage, response.service_tier)


def one_id(passed: list[Frame], spelt: list[Frame]) -> None:
    """Google's frames all have one id, and are otherwise as they came."""
    ids = {json.loads(frame.data)["responseId"] for frame in passed}
    assert len(ids) == 1
    for sent, came in zip(passed, spelt, strict=True):
        assert sent == came or without_id(sent.data) == without_id(came.data)


def a_body_is_sent_as_it_came_but_for_the_patch(exchange: Exchange) -> None:
    """Of bodies that name their model: spacing, order, escapes and numbers are as they came."""
    if passing_of(exchange).model_in_path:
        raise NotThisShape
    for body in spelt_awkwardly(exchange):
        came, told = raw.members(body), json.loads(body)
        sent = passing_of(exchange).renamed(body, "upstream-name")
        after = raw.members(sent)
        expected = {**told, "model": "upstream-name"}
        options = told.get("stream_options") or {}
        counts_apart = passing_of(exchange).watch_for is not None  # and so they have to be asked for
        if counts_apart and told.get("stream") is True and not options.get("include_usage"):
            expected["stream_options"] = {**options, "include_usage": True}
        assert json.loads(sent) == expected
        for name in told.keys() - {"model", "stream_options"}:
            assert sent[after[name].start : after[name].end] == body[came[name].start : came[name].end]
        assert passing_of(exchange).renamed(sent, "upstream-name") == sent
        assert passing_of(exchange).ask(body).text_bytes > 0


def refused(watch: StreamWatch, frames: list[Frame]) -> bool:
    try:
        for frame in frames:
            watch.feed(frame)
        watch.close()
    except UpstreamError:
        return True
    return False


def one_line(text: str) -> str:
    return text.replace("\r\n", " ").replace("\n", " ")


def without_id(data: bytes) -> list[bytes]:
    """The members as they are spelt, but for the one that may be changed."""
    return [data[span.start : span.end] for name, span in raw.members(data).items() if name != "responseId"]


@EACH_FILE
def test_what_is_seen_of_a_whole_answer_is_what_it_tells(path: Path) -> None:
    hold(what_is_seen_of_a_whole_answer_is_what_it_tells, path)


@EACH_FILE
def test_a_stream_passes_as_it_is_and_is_seen_as_it_is_read(path: Path) -> None:
    hold(a_stream_passes_as_it_is_and_is_seen_as_it_is_read, path)


@EACH_FILE
def test_a_body_is_sent_as_it_came_but_for_the_patch(path: Path) -> None:
    hold(a_body_is_sent_as_it_came_but_for_the_patch, path)
