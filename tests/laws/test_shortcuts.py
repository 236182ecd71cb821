"""What most bodies are is read and written by one look. A shortcut never says anything else than the careful way."""

import copy
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws.corpus import Exchange, exchanges, files
from laws.test_answers import REPLY
from portico.core.assembly import assemble
from portico.core.dialect import Reading
from portico.core.errors import PorticoError
from portico.core.events import Event, Failed, PartDelta, UsageReported
from portico.core.parts import Reasoning, Text
from portico.core.response import Candidate, Finish, FinishReason
from portico.core.telling import events_of
from portico.core.usage import Usage
from portico.dialects import gemini
from portico.dialects.gemini import asking as gemini_asking
from portico.dialects.gemini import response as gemini_response
from portico.dialects.gemini import usage as gemini_usage
from portico.dialects.gemini.fields import camelise
from portico.dialects.gemini.stream import GeminiReader
from portico.dialects.openai_chat import response as chat_response
from portico.dialects.openai_chat import usage as chat_usage
from portico.wire import jsontext
from portico.wire.sse import Frame

GEMINIS = [path for path in files() if path.parent.name in ("gemini", "vertex")]
EACH_FILE = pytest.mark.parametrize("path", GEMINIS, ids=lambda path: f"{path.parent.name}/{path.stem}")
READING = Reading(mint=lambda: "call_1")

FRAME: dict[str, Any] = {
    "candidates": [{"content": {"parts": [{"text": "more"}], "role": "model"}, "index": 0, "finishReason": "STOP"}],
    "usageMetadata": {
        "promptTokenCount": 3,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 1,
        "totalTokenCount": 6,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
    },
    "modelVersion": "models/gemini-x",
    "responseId": "r",
}
STRANGE: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, -1, 2.5, 10**30, "", "more", "STOP", "IMAGE", [], {}, [{}], [None], {"text": "x"}]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in inside for place in [(*path, key), *places(item, (*path, key))]]


PLACES = places(FRAME)


def changed(place: tuple[Any, ...], value: Any, extra: str | None) -> dict[str, Any]:
    """The frame with one value replaced, or with a field added beside it."""
    body = copy.deepcopy(FRAME)
    holder: Any = body
    for key in place[:-1]:
        holder = holder[key]
    if extra is not None and isinstance(holder, dict):
        holder[extra] = value
    else:
        holder[place[-1]] = value
    return body


CHANGES = {
    "place": st.sampled_from(PLACES),
    "value": STRANGE,
    "extra": st.none() | st.sampled_from(["new", "text", "thought", "thoughtSignature", "cachedContentTokenCount"]),
}


def careful(frames: list[Frame]) -> list[Event]:
    reader = GeminiReader(READING)
    return [event for frame in frames for event in reader.feed(frame)] + reader.close()


def quick(frames: list[Frame]) -> list[Event]:
    reader = GeminiReader(READING)
    return [event for frame in frames for event in events_of(reader, frame)] + reader.close()


def without_counts(events: list[Event]) -> list[Event | str]:
    """The events, failures by what they say."""
    kept = [event for event in events if not isinstance(event, UsageReported)]
    return [str(event.error) if isinstance(event, Failed) else event for event in kept]


def same_whole(body: Any) -> bool:
    """Whether the shortcut was taken; if so, it said what the careful way says."""
    try:
        plain = gemini_response._plain(body)
    except (AttributeError, TypeError, ValueError):
        with pytest.raises((AttributeError, TypeError, ValueError)):
            gemini_response._parse(camelise(body), READING)
        return False
    if plain is not None:
        assert plain == gemini_response._parse(camelise(body), READING)
        (choice,) = plain.candidates
        if (short := chat_response._plain_choice(choice)) is not None:
            assert list(short.items()) == list(chat_response._choice(choice, REPLY, []).items())
        if plain.usage is not None:
            same_counts(plain.usage)
    return plain is not None


def same_counts(usage: Usage) -> None:
    if (plain := chat_usage._plain(usage)) is None:
        return
    with patch.object(chat_usage, "_plain", return_value=None):
        careful = chat_usage.render_usage(usage)
    assert jsontext.encode(plain) == jsontext.encode(careful)


def same_usage(metadata: Any) -> bool:
    plain = gemini_usage._plain(metadata) if metadata.get("totalTokenCount") is not None else None
    if plain is None:
        return False
    with patch.object(gemini_usage, "_plain", return_value=None):
        assert gemini_usage.parse_usage(metadata) == plain
    return True


@EACH_FILE
def test_recorded_answers_are_read_the_same_both_ways(path: Path) -> None:
    for exchange in exchanges(path):
        for body in _bodies(exchange):
            if isinstance(body, dict):
                same_whole(body)
                if isinstance(metadata := body.get("usageMetadata"), dict):
                    same_usage(metadata)


def _bodies(exchange: Exchange) -> list[Any]:
    frames = exchange.frames or ()
    return [exchange.body, *[jsontext.decode(frame.data) for frame in frames if frame.data.startswith(b"{")]]


@EACH_FILE
def test_recorded_streams_are_read_the_same_both_ways(path: Path) -> None:
    for exchange in exchanges(path):
        frames = exchange.frames
        if frames is None or exchange.status != 200:
            continue
        short, long = quick(frames), careful(frames)
        assert without_counts(short) == without_counts(long)
        if not any(isinstance(event, Failed) for event in long):
            assert assemble(short) == assemble(long)


def test_the_shortcuts_are_taken_where_they_should_be() -> None:
    assert same_whole(FRAME)
    assert same_usage(FRAME["usageMetadata"])
    more = copy.deepcopy(FRAME)
    del more["candidates"][0]["finishReason"]
    reader = GeminiReader(READING)
    reader.feed(Frame(jsontext.encode(more)))
    assert reader.more(Frame(jsontext.encode(more))) == PartDelta(0, 0, "more")
    (counted,) = reader.put_off()
    assert isinstance(counted, UsageReported)
    assert counted.usage.output_visible == {"text": 2}


@settings(max_examples=400)
@given(**CHANGES)
def test_an_answer_changed_anywhere_is_read_the_same_both_ways(place: Any, value: Any, extra: str | None) -> None:
    body = changed(place, value, extra)
    same_whole(body)
    if isinstance(body.get("usageMetadata"), dict):
        same_usage(body["usageMetadata"])


@settings(max_examples=400)
@given(**CHANGES)
def test_a_frame_changed_anywhere_is_read_the_same_both_ways(place: Any, value: Any, extra: str | None) -> None:
    plain = copy.deepcopy(FRAME)
    del plain["candidates"][0]["finishReason"]
    odd = changed(place, value, extra)
    if odd["candidates"] and isinstance(odd["candidates"], list) and isinstance(odd["candidates"][0], dict):
        odd["candidates"][0].pop("finishReason", None)
    frames = [Frame(jsontext.encode(body)) for body in (plain, plain, odd, plain, FRAME)]
    short, long = quick(frames), careful(frames)
    if any(isinstance(event, Failed) for event in long):
        assert any(isinstance(event, Failed) for event in short) or "usageMetadata" in str(place)
    else:
        assert assemble(short) == assemble(long)


@settings(max_examples=200)
@given(
    reason=st.sampled_from(FinishReason),
    message=st.none() | st.just("said"),
    parts=st.lists(st.sampled_from([Text(""), Text("a"), Text("b", ext={"x": {}}), Reasoning("c")]), max_size=3),
)
def test_a_choice_is_written_the_same_both_ways(
    reason: FinishReason, message: str | None, parts: list[Text | Reasoning]
) -> None:
    candidate = Candidate(0, tuple(parts), Finish(reason, "WORD", message))
    if (short := chat_response._plain_choice(candidate)) is not None:
        assert list(short.items()) == list(chat_response._choice(candidate, REPLY, []).items())


# -- what a request can cost -------------------------------------------------------------------------------------------

LOOKED_AT = ("text_bytes", "media", "media_bytes", "tools", "max_output_tokens", "candidates", "service_tier")


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_rendered_body_asks_for_what_its_bytes_ask_for(path: Path) -> None:
    for exchange in exchanges(path):
        try:
            request = exchange.dialect.parse_request(exchange.request, model=exchange.model)
            body = gemini.DIALECT.render_request(request, exchange.target_in(gemini.DIALECT)).body
        except PorticoError:
            continue  # what is wrong with it is told elsewhere
        data = jsontext.encode(body)
        short, careful = gemini_asking.ask_of_rendered(body, len(data)), gemini_asking.ask(data)
        for name in LOOKED_AT:
            assert getattr(short, name) == getattr(careful, name), (exchange.id, name)


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thoughtSignature": "c2ln"},
        {"inlineData": {"mime_type": "image/png", "data": "aGk="}},
        {"inlineData": {"mimeType": 7, "data": "aGk="}},
        {"inlineData": None, "fileData": {"fileUri": "files/a"}},
        {"functionCall": {"name": "f", "args": {"inlineData": {"data": "aGk="}}}},
        {"functionResponse": {"name": "f", "response": {}, "parts": [{"inlineData": {"data": "aGk="}}]}},
        {"functionResponse": {"name": "f", "response": {}, "parts": None}},
        {"executableCode": {"code": "1"}},
    ],
)
@pytest.mark.parametrize("more", [{}, {"cachedContent": "cachedContents/a"}, {"tools": [{"googleSearch": {}}]}])
def test_any_part_of_a_rendered_body_is_counted_as_its_bytes_are(part: dict[str, Any], more: dict[str, Any]) -> None:
    functions = {"functionDeclarations": [{"name": "f"}]}
    config = {"maxOutputTokens": 7, "candidateCount": 2}
    body = {"contents": [{"parts": [{"text": "hi"}, part]}], "tools": [functions], "generationConfig": config, **more}
    data = jsontext.encode(body)
    short, careful = gemini_asking.ask_of_rendered(body, len(data)), gemini_asking.ask(data)
    assert [getattr(short, name) for name in LOOKED_AT] == [getattr(careful, name) for name in LOOKED_AT]
