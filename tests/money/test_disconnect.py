"""The disconnect contract (money.md): one test for each row, named after it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.house import Json, Script, answers, as_bytes, candidate, chat, fails, says, until
from money.acts import Steps, piece, seen, usage
from money.paid import USD, Paid, is_marked, paid_house
from portico.core.parts import Part, Reasoning, Text, ToolCall
from portico.ledger.settle import Checkpoint
from portico.providers import KINDS
from portico.relay.till import TillSettings
from portico.relay.verdict import delivered_bytes
from portico.wire.http import Exchange

STREAMS = [False, True]
ANSWER = says("Hello there", usageMetadata=usage(1000, 500))
DRAIN = {"on_disconnect": "drain"}
PASSING = "/v1beta/models/gemini-3.5-flash:"
CONTENTS: Json = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


def asking(dialect: str, *, stream: bool) -> tuple[str, Json]:
    """A path and a body for a translated or a passing call."""
    if dialect == "chat":
        return "/v1/chat/completions", chat(stream=stream)
    return PASSING + ("streamGenerateContent?alt=sse" if stream else "generateContent"), CONTENTS


DIALECTS = ["chat", "gemini"]


def unspent(paid: Paid) -> None:
    assert paid.account() == (100 * USD, 0)


# refused before any upstream call (auth, limit, validation, funds): nothing
@pytest.mark.parametrize("stream", STREAMS)
async def test_refused_before_any_upstream_call_pays_nothing(tmp_path: Path, stream: bool) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        assert (await paid.house.ask(chat(stream=stream), key="sk-wrong")).status == 401
        assert (await paid.house.ask(chat(stream=stream, temperature="hot"))).status == 400
        assert (await paid.house.ask(chat(stream=stream, model="no-such-model"))).status == 404
        assert act.asked == 0
        assert paid.entries() == []
        unspent(paid)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("policy", "balance", "status"),
    [({"budget_day_nanos": 1}, 100 * USD, 429), ({"models": ["gemini-2.5-*"]}, 100 * USD, 404), ({}, 1, 402)],
    ids=["limit", "scope", "funds"],
)
async def test_refused_for_a_limit_or_for_funds_pays_nothing(
    tmp_path: Path, policy: dict[str, Any], balance: int, status: int, dialect: str, stream: bool
) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act), policy=policy, balance=balance) as paid:
        path, body = asking(dialect, stream=stream)
        assert (await paid.house.ask(body, path=path)).status == status
        assert act.asked == 0
        assert paid.entries() == []
        assert paid.account() == (balance, 0)


# every candidate failed before its first event: nothing
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_candidate_failed_before_its_first_event_pays_nothing(
    tmp_path: Path, dialect: str, stream: bool
) -> None:
    script = Script(fails(503, "UNAVAILABLE"))
    async with paid_house(tmp_path / "books.db", script, keys=("one", "two")) as paid:
        path, body = asking(dialect, stream=stream)
        assert (await paid.house.ask(body, path=path)).status == 503
        assert len(script.requests) == 2
        receipt = await paid.settled()
        assert [kind for kind, _, _ in paid.entries()] == ["hold", "release"]
        assert "flags" not in receipt, "nothing is estimated, and nothing is a part of anything"
        unspent(paid)


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_failed_candidate_before_one_that_answers_is_not_charged(tmp_path: Path, stream: bool) -> None:
    script = Script(fails(503, "UNAVAILABLE"), answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script, keys=("one", "two")) as paid:
        assert (await paid.house.ask(chat(stream=stream))).status == 200
        await paid.settled()
        assert [kind for kind, _, _ in paid.entries()] == ["hold", "settle"]
        assert paid.account() == (100 * USD - paid.price(1000, 500), 0)


# caller gone before the first upstream event: nothing; upstream is cancelled
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_caller_gone_before_the_first_upstream_event_pays_nothing(tmp_path: Path, dialect: str) -> None:
    act = Steps(piece("never", 5))
    async with paid_house(tmp_path / "books.db", Script(act), policy=DRAIN) as paid:
        path, body = asking(dialect, stream=True)
        async with paid.house.open(body, path=path) as wire:
            await until(lambda: act.asked == 1)
            wire.reset()
        await until(lambda: act.cut == 1)
        await paid.settled()
        unspent(paid)


# caller gone mid-answer, policy cancel (default): the last cumulative usage the upstream reported
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_caller_gone_mid_answer_pays_the_last_usage_that_was_reported(tmp_path: Path, dialect: str) -> None:
    act = Steps(piece("one ", 40), piece("two ", 80), piece("three", 120, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        path, body = asking(dialect, stream=True)
        async with paid.house.open(body, path=path) as wire:
            act.let_go()
            await wire.chunk()
            act.let_go()
            await seen(wire, b"two")
            wire.reset()
        await until(lambda: act.cut == 1)
        receipt = await paid.settled()
        assert paid.account() == (100 * USD - paid.price(1000, 80), 0)
        assert is_marked(receipt, "partial")
        assert not is_marked(receipt, "estimated")


# … else the delivered text estimated, marked `estimated`
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_caller_gone_mid_answer_with_no_usage_pays_an_estimate(tmp_path: Path, dialect: str) -> None:
    delivered = "word " * 100
    act = Steps(piece(delivered), piece("more"), piece("end", 500, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        path, body = asking(dialect, stream=True)
        async with paid.house.open(body, path=path) as wire:
            act.let_go()
            await seen(wire, b"word word")
            wire.reset()
        await until(lambda: act.cut == 1)
        receipt = await paid.settled()
        assert is_marked(receipt, "estimated")
        charged = 100 * USD - paid.account()[0]
        assert paid.price(0, 1) < charged <= paid.price(200, len(delivered) // 4)
        assert charged <= paid.entries("hold")[0][2]


@pytest.mark.parametrize(
    ("part", "thoughts", "size"),
    [
        (Text("a door"), False, 6),
        (Text("門é"), False, 5),
        (Text("\ud800"), False, 3),
        (Reasoning("門"), False, 0),
        (Reasoning("門"), True, 3),
        (ToolCall("call_1", "f", '{"a":"門"}'), False, 11),
    ],
)
def test_what_was_delivered_is_counted_in_bytes_of_what_the_caller_sees(part: Part, thoughts: bool, size: int) -> None:
    assert delivered_bytes(part, thoughts=thoughts) == size


def delta(**said: Any) -> Json:
    return {"id": "c", "model": "gpt-4.1", "choices": [{"index": 0, "delta": said, "finish_reason": None}]}


def calls_with(arguments: str) -> list[Json]:
    return [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}]


def responded(kind: str, text: str) -> Json:
    return {
        "type": f"response.{kind}.delta",
        "item_id": "msg_1",
        "output_index": 0,
        "delta": text,
        "obfuscation": "xxx",
    }


PARTS: list[Json] = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "門" * 4}]},
    {"type": "text", "text": "Hi, there"},
]
"""As Mistral writes them."""
CREATED: Json = {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-4.1", "status": "in_progress"}}


@pytest.mark.parametrize(
    ("path", "events", "size"),
    [
        ("chat/completions", [delta(content="門\n" * 200)], 800),
        ("chat/completions", [delta(content="a"), delta(content="b\n"), delta(content="門\n" * 100)], 403),
        ("chat/completions", [delta(tool_calls=calls_with('{"a": "' + "x" * 393))], 400),
        ("chat/completions", [delta(function_call={"name": "f", "arguments": "x" * 400})], 400),
        ("chat/completions", [delta(content=PARTS)], 21),
        ("chat/completions", [delta(content="Well"), delta(reasoning_content="門" * 132)], 400),
        ("responses", [CREATED, responded("output_text", "word " * 80), responded("output_text", "\n" * 80)], 480),
        ("responses", [CREATED, responded("function_call_arguments", "門" * 100)], 300),
        ("responses", [CREATED, responded("reasoning_summary_text", "hmm "), responded("refusal", "No, never.. ")], 16),
    ],
)
async def test_caller_gone_from_a_stream_that_passes_pays_for_what_was_delivered(
    tmp_path: Path, path: str, events: list[Json], size: int
) -> None:
    """Whatever way the provider writes it in JSON."""
    act = Steps(*events, "never")
    async with paid_house(tmp_path / "books.db", Script(act), kinds=(KINDS["openai"],)) as paid:
        body = chat(stream=True, model="gpt-4.1")
        if path == "responses":
            body["input"] = body.pop("messages")
        async with paid.house.open(body, path=f"/v1/{path}") as wire:
            act.let_go(len(events))
            await seen(wire, as_bytes(events[-1])[-40:])
            wire.reset()
        await until(lambda: act.cut == 1)
        receipt = await paid.settled()
        assert receipt["usage"] == {"output_visible": {"text": size // 4}}
        assert is_marked(receipt, "estimated")


# caller gone mid-answer, policy drain (of the key, or of the house where the key has none): the real final usage
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("policy", "settings"), [(DRAIN, None), ({}, TillSettings(on_disconnect="drain"))])
async def test_caller_gone_mid_answer_with_drain_pays_the_real_final_usage(
    tmp_path: Path, dialect: str, policy: dict[str, Any], settings: TillSettings | None
) -> None:
    act = Steps(piece("one ", 40), piece("two ", 80), piece("three", 120, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act), policy=policy, settings=settings) as paid:
        path, body = asking(dialect, stream=True)
        async with paid.house.open(body, path=path) as wire:
            act.let_go()
            await wire.chunk()
            wire.reset()
        await until(lambda: paid.till.draining == 1)
        act.let_go(2)
        receipt = await paid.settled()
        assert (act.done, act.cut) == (1, 0)
        assert paid.account() == (100 * USD - paid.price(1000, 120), 0)
        assert is_marked(receipt, "drained")
        assert paid.till.draining == 0


def chunk(content: str, finish: str | None = None, **more: Any) -> Json:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return {"id": "c", "model": "gpt-4.1", "choices": [choice], **more}


COUNTED: Json = {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17}
CHUNKS = (chunk(""), chunk("one "), chunk("two ", "stop"), chunk("", usage=COUNTED, choices=[]))
EVENTS: tuple[Json, ...] = (
    {"type": "message_start", "message": {"id": "m", "model": "claude", "usage": {"input_tokens": 10}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "one "}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
    {"type": "message_stop"},
)


@pytest.mark.parametrize(
    ("kind", "path", "model", "events", "shown"),
    [
        ("openai", "/v1/chat/completions", "gpt-4.1", CHUNKS, 2),
        ("anthropic", "/v1/messages", "claude-sonnet-4-5", EVENTS, 3),
    ],
)
async def test_a_passing_stream_whose_first_event_shows_nothing_is_drained_too(
    tmp_path: Path, kind: str, path: str, model: str, events: tuple[Json, ...], shown: int
) -> None:
    act = Steps(*events)
    kinds = (KINDS[kind],)
    async with paid_house(tmp_path / "books.db", Script(act), policy=DRAIN, kinds=kinds) as paid:
        body = {**chat(stream=True, model=model), "max_tokens": 100}
        async with paid.house.open(body, path=path) as wire:
            for event in events[:shown]:
                act.let_go()
                await seen(wire, as_bytes(event))
            wire.reset()
        await until(lambda: paid.till.draining == 1)
        act.let_go(len(events))
        receipt = await paid.settled()
        assert (act.done, act.cut) == (1, 0)
        assert is_marked(receipt, "drained")
        assert not is_marked(receipt, "estimated")


async def test_drain_is_capped_in_seconds(tmp_path: Path) -> None:
    act = Steps(piece("one ", 40), piece("two", 80, "STOP"))
    short = TillSettings(drain_s=0.05)
    async with paid_house(tmp_path / "books.db", Script(act), policy=DRAIN, settings=short) as paid:
        async with paid.house.open(chat(stream=True)) as wire:
            act.let_go()
            await wire.chunk()
            wire.reset()
        await until(lambda: act.cut == 1)
        await paid.settled()
        assert paid.account() == (100 * USD - paid.price(1000, 40), 0)
        assert paid.till.draining == 0


async def test_drain_is_capped_in_concurrency(tmp_path: Path) -> None:
    first, second = [Steps(piece("one ", 40), piece("two", 80, "STOP")) for _ in range(2)]
    one = TillSettings(drains=1)
    async with paid_house(tmp_path / "books.db", Script(first, second), policy=DRAIN, settings=one) as paid:
        for act in (first, second):
            async with paid.house.open(chat(stream=True)) as wire:
                act.let_go()
                await wire.chunk()
                wire.reset()
            await until(lambda: paid.till.draining == 1)
        await until(lambda: second.cut == 1)
        assert (paid.till.draining, first.cut) == (1, 0)
        first.let_go()
        await paid.settled(2)
        assert paid.account() == (100 * USD - paid.price(1000, 40) - paid.price(1000, 80), 0)


# caller gone from a non-stream call: the answer is drained (120 s cap), then charged
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_caller_gone_from_a_non_stream_call_is_drained_and_charged(tmp_path: Path, dialect: str) -> None:
    act = Steps(ANSWER)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        path, body = asking(dialect, stream=False)
        async with paid.house.open(body, path=path) as wire:
            await until(lambda: act.asked == 1)
            wire.reset()
        await until(lambda: paid.till.draining == 1)
        act.let_go()
        receipt = await paid.settled()
        assert (act.done, act.cut) == (1, 0)
        assert paid.account() == (100 * USD - paid.price(1000, 500), 0)
        assert is_marked(receipt, "drained")
    assert TillSettings().drain_s == 120


async def test_caller_gone_with_one_of_two_answers_there_pays_nothing_where_none_is_drained(tmp_path: Path) -> None:
    there, never, none = Steps(ANSWER, held=False), Steps(ANSWER), TillSettings(drains=0)
    async with paid_house(tmp_path / "books.db", Script(there, never), settings=none) as paid:
        async with paid.house.open(chat(n=2)) as wire:
            await until(lambda: (there.done, never.asked) == (1, 1))
            assert await wire.is_silent(0.1)
            wire.reset()
        await paid.settled()
        assert never.cut == 1
        unspent(paid)


async def test_of_two_answers_that_are_drained_the_one_that_came_in_time_is_charged(tmp_path: Path) -> None:
    never, short = Steps(ANSWER), TillSettings(drain_s=0.3)
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER), never), settings=short) as paid:
        async with paid.house.open(chat(n=2)) as wire:
            await until(lambda: never.asked == 1)
            wire.reset()
        receipt = await paid.settled()
        assert paid.account() == (100 * USD - paid.price(1000, 500), 0)
        assert is_marked(receipt, "drained")
        assert is_marked(receipt, "partial")


async def test_nobody_else_is_asked_for_a_caller_who_has_left(tmp_path: Path) -> None:
    async def act(exchange: Exchange) -> None:
        await let_go.wait()
        await fails(503, "UNAVAILABLE")(exchange)

    let_go = asyncio.Event()
    script = Script(act)
    async with paid_house(tmp_path / "books.db", script, keys=("one", "two")) as paid:
        async with paid.house.open(chat()) as wire:
            await until(lambda: script.requests)
            wire.reset()
        await until(lambda: paid.till.draining == 1)
        let_go.set()
        await paid.settled()
        assert len(script.requests) == 1
        unspent(paid)


# upstream died mid-stream: usage reported so far; receipt says `partial`
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_upstream_died_mid_stream_pays_the_usage_so_far(tmp_path: Path, dialect: str) -> None:
    act = Steps(piece("one ", 40), piece("two ", 80), held=False, dies=True)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        path, body = asking(dialect, stream=True)
        await paid.house.ask(body, path=path)
        receipt = await paid.settled()
        assert paid.account() == (100 * USD - paid.price(1000, 80), 0)
        assert is_marked(receipt, "partial")


# the same where each event has come by itself, and where the provider says that it cannot go on
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("last", [(), ({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}},)])
async def test_upstream_died_after_many_events_pays_the_usage_so_far(
    tmp_path: Path, dialect: str, last: tuple[Json, ...]
) -> None:
    words = ("one ", "two ", "three ", "four ")
    act = Steps(*[piece(word, 40 * number) for number, word in enumerate(words, 1)], *last, dies=True)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        path, body = asking(dialect, stream=True)
        async with paid.house.open(body, path=path) as wire:
            for word in words:
                act.let_go()
                await seen(wire, word.encode())
            act.let_go()
            receipt = await paid.settled()
        assert paid.account() == (100 * USD - paid.price(1000, 160), 0)
        assert is_marked(receipt, "partial")


# answer empty for no reason the caller caused (malformed call, no image, no content): nothing, after one silent retry
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(
    "empty",
    [
        candidate(finish="STOP", usageMetadata=usage(1000, 0, thoughtsTokenCount=300)),
        candidate(finish="MALFORMED_FUNCTION_CALL", usageMetadata=usage(1000, 30)),
        candidate(finish="NO_IMAGE", usageMetadata=usage(1000, 30)),
    ],
    ids=["no content", "malformed call", "no image"],
)
async def test_answer_empty_for_no_reason_of_the_caller_pays_nothing_after_one_retry(
    tmp_path: Path, empty: Json, stream: bool
) -> None:
    script = Script(answers(empty))
    async with paid_house(tmp_path / "books.db", script) as paid:
        await paid.house.ask(chat(stream=stream))
        assert len(script.requests) == 2
        await paid.settled()
        unspent(paid)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("finish", ["STOP", "MALFORMED_FUNCTION_CALL", "NO_IMAGE"])
async def test_an_empty_answer_that_passes_pays_nothing(tmp_path: Path, finish: str, stream: bool) -> None:
    script = Script(answers(candidate(finish=finish, usageMetadata=usage(1000, 30))))
    async with paid_house(tmp_path / "books.db", script) as paid:
        path, body = asking("gemini", stream=stream)
        await paid.house.ask(body, path=path)
        await paid.settled()
        unspent(paid)


# answer stopped by a content filter: as reported
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("finish", ["SAFETY", "MAX_TOKENS"])
async def test_answer_stopped_by_a_content_filter_or_a_limit_pays_as_reported(
    tmp_path: Path, dialect: str, stream: bool, finish: str
) -> None:
    counts = usage(1000, 0, thoughtsTokenCount=70)
    script = Script(answers(candidate(finish=finish, usageMetadata=counts)))
    async with paid_house(tmp_path / "books.db", script) as paid:
        path, body = asking(dialect, stream=stream)
        assert (await paid.house.ask(body, path=path)).status == 200
        await paid.settled()
        assert paid.account() == (100 * USD - paid.price(1000, 70), 0)


# the gateway itself died: the last checkpoint's usage
async def test_the_first_event_and_every_few_seconds_are_checkpoints(tmp_path: Path) -> None:
    act = Steps(piece("one ", 40), piece("two ", 80), piece("three", 120, "STOP"))
    often = TillSettings(checkpoint_s=0.0)
    async with paid_house(tmp_path / "books.db", Script(act), settings=often) as paid:
        async with paid.house.open(chat(stream=True)) as wire:
            act.let_go()
            await wire.chunk()
            await until(lambda: checkpoints(paid) == 1)
            ((stored,),) = paid.counter.rows("SELECT checkpoint FROM holds")
            assert stored
            act.let_go()
            await until(lambda: checkpoints(paid) == 2)
            act.let_go()
            await wire.rest()
        await paid.settled()


# lanes
@pytest.mark.parametrize("stream", STREAMS)
async def test_the_usage_of_all_lanes_adds_up(tmp_path: Path, stream: bool) -> None:
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script) as paid:
        assert (await paid.house.ask(chat(stream=stream, n=3))).status == 200
        assert len(script.requests) == 3
        await paid.settled()
        assert [kind for kind, _, _ in paid.entries()] == ["hold", "settle"]
        assert paid.account() == (100 * USD - paid.price(3000, 1500), 0)


@pytest.mark.parametrize("stream", STREAMS)
async def test_of_a_lane_that_stays_empty_nothing_is_charged(tmp_path: Path, stream: bool) -> None:
    empty = answers(candidate(usageMetadata=usage(700, 0)))
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER), empty, empty)) as paid:
        assert (await paid.house.ask(chat(stream=stream, n=2))).status == 200
        await paid.settled()
        assert paid.account() == (100 * USD - paid.price(1000, 500), 0)


@pytest.mark.parametrize("stream", STREAMS)
async def test_how_long_a_prompt_was_is_told_by_the_lanes_that_reported(tmp_path: Path, stream: bool) -> None:
    pro, long = "gemini-3.1-pro-preview", says("Hello", usageMetadata=usage(250_000, 40))
    script = Script(answers(long), answers(says("word " * 40)))
    async with paid_house(tmp_path / "books.db", script) as paid:
        assert (await paid.house.ask(chat(stream=stream, n=2, model=pro))).status == 200
        receipt = await paid.settled()
        assert {line.get("above_tokens") for line in receipt["lines"]} == {200_000}


@pytest.mark.parametrize("stream", STREAMS)
async def test_prompts_of_several_lanes_are_none_that_is_longer_though_one_reported_nothing(
    tmp_path: Path, stream: bool
) -> None:
    pro, long = "gemini-3.1-pro-preview", answers(says("Hello", usageMetadata=usage(150_000, 40)))
    async with paid_house(tmp_path / "books.db", Script(long, long, answers(says("word " * 40)))) as paid:
        assert (await paid.house.ask(chat(stream=stream, n=3, model=pro))).status == 200
        receipt = await paid.settled()
        assert {line.get("above_tokens", 0) for line in receipt["lines"]} == {0}


async def test_who_is_told_of_a_failure_pays_nothing_for_a_lane_whose_answer_still_waited_for_its_hold(
    tmp_path: Path,
) -> None:
    begun, may_fail = Steps(piece("one ", 40), piece("two", 80, "STOP")), asyncio.Event()

    async def failing(exchange: Exchange) -> None:
        await may_fail.wait()
        await fails(503, "UNAVAILABLE")(exchange)

    script, fresh = Script(answers(ANSWER), begun, failing), TillSettings(fresh_s=60)
    async with paid_house(tmp_path / "books.db", script, settings=fresh) as paid:
        assert (await paid.house.ask(chat())).status == 200
        await paid.settled()
        paid.counter.close()  # the database is slow: the account is comfortable, so that providers are asked meanwhile
        async with paid.house.open(chat(stream=True, n=2)) as wire:
            await until(lambda: len(script.requests) == 3)
            begun.let_go()
            assert await wire.is_silent(0.1)
            may_fail.set()
            assert await wire.head() == 503
        paid.counter.open()
        receipt = await paid.settled(2)
        assert paid.account() == (100 * USD - paid.price(1000, 500), 0)
        assert (receipt["outcome"], receipt.get("charge_nanos", 0)) == ("overloaded", 0)


async def test_who_leaves_lanes_of_which_one_has_reported_pays_for_the_text_of_the_other_too(tmp_path: Path) -> None:
    done, open_yet = Steps(piece("one ", 40, "STOP")), Steps(piece("word " * 40), piece("two", 80, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(done, open_yet)) as paid:
        async with paid.house.open(chat(stream=True, n=2)) as wire:
            done.let_go()
            await until(lambda: done.done == 1 and open_yet.asked == 1)
            await wire.chunk()
            open_yet.let_go()
            await seen(wire, b"word")
            wire.reset()
        receipt = await paid.settled()
        assert paid.account() == (100 * USD - paid.price(1000, 40 + 50), 0)
        assert is_marked(receipt, "estimated")
        assert receipt["charge_nanos"] == -(-sum(line["amount_femtos"] for line in receipt["lines"]) // 10**6)


@pytest.mark.parametrize("stream", STREAMS)
async def test_of_lanes_that_reported_nothing_the_text_is_estimated_beside_the_usage_of_the_others(
    tmp_path: Path, stream: bool
) -> None:
    silent = answers(says("word " * 40))
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER), silent)) as paid:
        assert (await paid.house.ask(chat(stream=stream, n=2))).status == 200
        receipt = await paid.settled()
        assert paid.account() == (100 * USD - paid.price(1000, 500 + 50), 0)
        assert is_marked(receipt, "estimated")


async def test_an_estimate_beside_a_report_is_at_most_what_is_held_and_the_report_is_charged_in_full(
    tmp_path: Path,
) -> None:
    silent, dear = answers(says("word " * 10_000)), says("Hello", usageMetadata=usage(100_000, 500))
    async with paid_house(tmp_path / "books.db", Script(answers(dear), silent)) as paid:
        assert (await paid.house.ask(chat(n=2, max_tokens=600))).status == 200
        receipt = await paid.settled()
        assert paid.account() == (100 * USD - paid.price(100_000, 500), 0)
        assert is_marked(receipt, "estimated")
        assert is_marked(receipt, "capped")


async def test_no_usage_at_all_is_an_estimate_and_reported_zeros_are_believed(tmp_path: Path) -> None:
    script = Script(answers(says("word " * 40)), answers(says("Hello", usageMetadata={"totalTokenCount": 0})))
    async with paid_house(tmp_path / "books.db", script) as paid:
        await paid.house.ask(chat())
        assert is_marked(await paid.settled(), "estimated")
        spent = paid.account()[0]
        assert spent < 100 * USD
        await paid.house.ask(chat())
        assert not is_marked(await paid.settled(2), "estimated")
        assert paid.account()[0] == spent


async def test_within_a_few_seconds_there_is_one_checkpoint(tmp_path: Path) -> None:
    act = Steps(piece("one ", 40), piece("two ", 80), piece("three", 120, "STOP"), held=False)
    seldom = TillSettings(checkpoint_s=3600)
    async with paid_house(tmp_path / "books.db", Script(act), settings=seldom) as paid:
        await paid.house.ask(chat(stream=True))
        await paid.settled()
        assert checkpoints(paid) == 1
    assert TillSettings().checkpoint_s == 5


def checkpoints(paid: Paid) -> int:
    return sum(isinstance(one, Checkpoint) for one in paid.counter.written)
