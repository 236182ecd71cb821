"""Answers: whole or streamed, read or written again in any dialect, an answer stays the same answer."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from laws import anthropic_streams, responses_streams
from laws.corpus import DIALECTS, Exchange, files
from laws.judge import ANSWERS, Law, NotThisShape, Skip, hold, same, told
from laws.loss_table import ALLOWED
from laws.streams import cut_by_part, cut_by_text, joined
from laws.test_requests import without_ext
from portico.core.assembly import Assembler, assemble, tell
from portico.core.dialect import Dialect, Reading, Reply
from portico.core.events import Event, Failed
from portico.core.loss import Loss
from portico.core.normal import normal
from portico.core.response import Response
from portico.wire import jsontext
from portico.wire.sse import Frame, SseDecoder

EACH_FILE = pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
EACH_DIALECT = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
REPLY = Reply(id="law", created=0, include_usage=True, thoughts=True, seals=True, image_form="images")


def whole(exchange: Exchange) -> Any:
    """The body of an unstreamed answer that succeeded."""
    if exchange.frames is not None:
        raise NotThisShape
    if exchange.status != 200:
        raise NotThisShape
    return exchange.body


def streamed(exchange: Exchange) -> list[Frame]:
    frames = exchange.frames
    if frames is None:
        raise NotThisShape
    if exchange.status != 200:
        raise NotThisShape
    return frames


def events_of(dialect: Dialect, frames: list[Frame], reading: Reading) -> list[Event]:
    reader = dialect.reader(reading)
    return [event for frame in frames for event in reader.feed(frame)] + reader.close()


def assembled(events: list[Event]) -> Response:
    """The answer a stream told; a stream that failed breaks the law."""
    failed = [event.error for event in events if isinstance(event, Failed)]
    assert not failed, f"the stream failed: {failed[0]!r}"
    return assemble(events)


def check_codes(exchange: Exchange, dialect: Dialect, losses: list[Loss]) -> None:
    strangers = {loss.code for loss in losses} - ALLOWED[exchange.dialect.name, dialect.name]
    assert not strangers, f"losses not in the table: {strangers}"


# -- whole answers


def answer_into(dialect: Dialect, *, emptied: bool) -> Law:
    def law(exchange: Exchange) -> None:
        response = exchange.dialect.parse_response(whole(exchange), exchange.reading())
        refuse_what_has_no_word(exchange, dialect, response)
        refuse_several(dialect, response)
        if emptied:
            response = without_ext(response)
        rendered = dialect.render_response(response, REPLY)
        check_codes(exchange, dialect, rendered.losses)
        again = dialect.parse_response(jsontext.decode(jsontext.encode(rendered.body)), exchange.reading())
        same(settled(again), settled(response), rendered.losses)
        if not emptied:
            told(ANSWERS, exchange, dialect.name, rendered.losses)

    law.__name__ = f"answer into {dialect.name}{' with ext emptied' if emptied else ''}"
    return law


def refuse_what_has_no_word(exchange: Exchange, dialect: Dialect, response: Response) -> None:
    if dialect.name == "anthropic_messages" and response.usage is None:
        raise Skip("no usage was reported, and a message must have one")
    if dialect.name == "anthropic_messages" and len(response.candidates) != 1:
        raise Skip("a message is one answer, neither several nor none")
    finishes = [candidate.finish.raw for candidate in response.candidates if candidate.finish is not None]
    if dialect.name == "gemini" and "pause_turn" in finishes:
        raise Skip("Google has no word for a turn that is to be continued")


def refuse_several(dialect: Dialect, response: Response) -> None:
    if dialect.name == "openai_responses" and len(response.candidates) > 1:
        raise Skip("a Responses body holds one answer; serving refuses to ask for several")


def settled(response: Response) -> Any:
    """The normal form of an answer, ids and dates given where the provider gave none (mapping.md 2.1)."""
    return normal(msgspec.structs.replace(response, id=response.id or "law"))


@EACH_FILE
@EACH_DIALECT
@pytest.mark.parametrize("emptied", [False, True], ids=["whole", "ext emptied"])
def test_an_answer_said_again_is_the_same_answer(dialect: Dialect, emptied: bool, path: Path) -> None:
    hold(answer_into(dialect, emptied=emptied), path)


# -- a body cut into a stream


def cut_into_a_stream(size: int | None) -> Law:
    def law(exchange: Exchange) -> None:
        body = whole(exchange)
        if exchange.dialect.name == "openai_chat":
            raise NotThisShape
        response = exchange.dialect.parse_response(body, exchange.reading())
        if any(candidate.finish is None for candidate in response.candidates) or not response.candidates:
            raise Skip("it has no end, so a stream of it is cut")
        if exchange.dialect.name == "openai_responses":
            pieces = responses_streams.cut(body, size)
        elif exchange.dialect.name == "anthropic_messages":
            pieces = anthropic_streams.cut(body, size)
        else:
            pieces = cut_by_part(body) if size is None else cut_by_text(body, size)
        frames = [Frame(jsontext.encode(piece)) for piece in pieces]
        same(normal(assembled(events_of(exchange.dialect, frames, exchange.reading()))), normal(response))

    law.__name__ = f"a body cut into a stream, by {'part' if size is None else f'{size} characters'}"
    return law


@EACH_FILE
@pytest.mark.parametrize("size", [None, 1, 7, 64])
def test_a_body_cut_into_a_stream_is_read_as_the_body(size: int | None, path: Path) -> None:
    hold(cut_into_a_stream(size), path)


# -- recorded streams


def is_read_as_joined(exchange: Exchange) -> None:
    frames = streamed(exchange)
    if exchange.dialect.name == "openai_chat":
        raise NotThisShape
    bodies = [jsontext.decode(frame.data) for frame in frames]
    if any("error" in body for body in bodies):
        raise NotThisShape
    if exchange.dialect.name == "openai_responses":
        is_read_as(exchange, frames, responses_streams.joined(bodies) if responses_streams.is_whole(bodies) else None)
        return
    if exchange.dialect.name == "anthropic_messages":
        ended = any((body.get("delta") or {}).get("stop_reason") for body in bodies)
        is_read_as(exchange, frames, anthropic_streams.joined(bodies) if ended else None)
        return
    if not any(candidate.get("finishReason") for body in bodies for candidate in body.get("candidates") or ()):
        raise Skip("it has no end, so a stream of it is cut")
    is_read_as(exchange, frames, joined(bodies))


def is_read_as(exchange: Exchange, frames: list[Frame], body: Any) -> None:
    if body is None:
        raise Skip("it has no end, so a stream of it is cut")
    expected = exchange.dialect.parse_response(body, exchange.reading())
    actual = assemble(events_of(exchange.dialect, frames, exchange.reading()))
    same(normal(actual), normal(expected))


@EACH_FILE
def test_a_recorded_stream_is_read_as_its_parts_joined(path: Path) -> None:
    hold(is_read_as_joined, path)


def cut_differently(size: int) -> Law:
    def law(exchange: Exchange) -> None:
        frames = streamed(exchange)
        data = b"".join(exchange.dialect.frame(frame) for frame in frames)
        if len(data) > MAX_BYTES_FOR_SMALL_CUTS and size < 64:
            data = data[:MAX_BYTES_FOR_SMALL_CUTS]
            frames = [*SseDecoder().feed(data)]
            data = b"".join(exchange.dialect.frame(frame) for frame in frames)
        decoder = SseDecoder()
        again = [frame for at in range(0, len(data), size) for frame in decoder.feed(data[at : at + size])]
        again += decoder.close()
        assert [frame.data for frame in again] == [frame.data for frame in frames]

    law.__name__ = f"a stream's bytes cut every {size}"
    return law


MAX_BYTES_FOR_SMALL_CUTS = 200_000


@EACH_FILE
@pytest.mark.parametrize("size", [1, 7, 64, 10**9])
def test_cutting_a_streams_bytes_differently_changes_nothing(size: int, path: Path) -> None:
    hold(cut_differently(size), path)


def stream_into(dialect: Dialect) -> Law:
    def law(exchange: Exchange) -> None:
        frames = streamed(exchange)
        events = events_of(exchange.dialect, frames, exchange.reading())
        failed = any(isinstance(event, Failed) for event in events)
        if failed and not exchange.trusted:
            raise Skip("a mock of a broken stream")
        refuse_what_has_no_word(exchange, dialect, assemble(events))
        refuse_several(dialect, assemble(events))
        rewritten_is_the_same(exchange, dialect, events)

    law.__name__ = f"stream into {dialect.name}"
    return law


def told_into(dialect: Dialect) -> Law:
    def law(exchange: Exchange) -> None:
        response = exchange.dialect.parse_response(whole(exchange), exchange.reading())
        if not response.candidates or any(candidate.finish is None for candidate in response.candidates):
            raise Skip("it has no end, so a stream of it is cut")
        refuse_what_has_no_word(exchange, dialect, response)
        refuse_several(dialect, response)
        rewritten_is_the_same(exchange, dialect, tell(response))

    law.__name__ = f"an answer told as a stream into {dialect.name}"
    return law


def rewritten_is_the_same(exchange: Exchange, dialect: Dialect, events: list[Event]) -> None:
    """assemble(read(write(events))) is assemble(events), minus declared losses, usage asked for."""
    writer = dialect.writer(REPLY)
    frames = [frame for event in events for frame in writer.feed(event)] + writer.close()
    check_codes(exchange, dialect, writer.losses)
    again, first = Assembler(), Assembler()
    for event in events:
        first.feed(event)
    for event in events_of(dialect, frames, exchange.reading()):
        again.feed(event)
    assert again.finished == first.finished, f"{first.error!r} became {again.error!r}"
    same(settled(again.response()), settled(first.response()), writer.losses)


@EACH_FILE
@EACH_DIALECT
def test_a_stream_written_again_tells_the_same_answer(dialect: Dialect, path: Path) -> None:
    hold(stream_into(dialect), path)


@EACH_FILE
@EACH_DIALECT
def test_an_answer_told_as_a_stream_is_the_same_answer(dialect: Dialect, path: Path) -> None:
    hold(told_into(dialect), path)


# -- failures


def errors_are_told(exchange: Exchange) -> None:
    if exchange.status == 200:
        raise NotThisShape
    error = exchange.dialect.parse_error(exchange.status, jsontext.encode(exchange.body))
    assert 400 <= error.http_status <= 599
    for dialect in DIALECTS.values():
        body = jsontext.decode(jsontext.encode(dialect.render_error(error)))
        assert isinstance(body["error"]["message"], str)
        assert body["error"]["message"]


@EACH_FILE
def test_a_recorded_error_is_an_error_in_every_dialect(path: Path) -> None:
    hold(errors_are_told, path)
