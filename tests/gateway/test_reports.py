"""What is told of a request when it is over: once, truly, and never what was said."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.gemini import streams
from gateway.house import KEY, Act, Json, Script, answers, chat, fails, frame, open_house, says, until
from portico.catalog import load_catalog
from portico.http.budget import Budget
from portico.http.limits import Limits
from portico.http.routes import ROUTE_NAMES
from portico.relay.report import Report
from portico.telemetry import AccessLog, Metrics, Observing
from portico.wire.http import Exchange
from routing.route_cases import deployment

GEMINI = "/v1beta/models/gemini-3.5-flash"
HERE = deployment("gemini", model="gemini-3.5-flash")
HELLO: Json = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


class Told:
    """Keeps reports."""

    def __init__(self) -> None:
        self.finished_: list[Report] = []
        self.open: list[Report] = []

    def opened(self, report: Report) -> None:
        self.open.append(report)

    def closed(self, report: Report) -> None:
        self.open.remove(report)

    def finished(self, report: Report) -> None:
        self.finished_.append(report)

    @property
    def one(self) -> Report:
        (report,) = self.finished_
        return report


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    yield told
    assert told.open == []


def gist(report: Report) -> tuple[int, str, str, list[str]]:
    return report.status, report.outcome, report.error, [tried.outcome for tried in report.tries]


async def test_a_call_is_told_with_all_that_is_known(told: Told) -> None:
    async with open_house(observer=told) as house:
        body = json.dumps(chat(model="google/gemini-3.5-flash-thinking")).encode()
        answer = await house.ask(body, headers={"user-agent": "Test/1"})
        report = told.one
        assert report.request_id == answer.headers["x-portico-request-id"]
        assert (report.method, report.path, report.peer) == ("POST", "/v1/chat/completions", "127.0.0.1")
        assert (report.route, report.dialect, report.tenant) == ("chat_completions", "openai_chat", "alice")
        assert (report.asked, report.model) == ("google/gemini-3.5-flash-thinking", "gemini-3.5-flash")
        assert (report.user_agent, report.stream, report.status) == ("Test/1", False, 200)
        assert (report.bytes_in, report.bytes_out) == (len(body), len(answer.body))
        assert report.began < report.tries[0].sent < report.tries[0].answered < report.first_byte < report.ended
        assert (report.tries[0].provider, report.tries[0].model) == ("gemini", "gemini-3.5-flash")
        assert report.usage is not None
        usage = answer.json()["usage"]
        assert (report.usage.input_total, report.usage.output_total) == (
            usage["prompt_tokens"],
            usage["completion_tokens"],
        )


@pytest.mark.parametrize("path", ["/v1/chat/completions", f"{GEMINI}:streamGenerateContent?alt=sse"])
async def test_a_stream_is_told_with_its_bytes_and_its_last_usage(told: Told, path: str) -> None:
    async with open_house(observer=told) as house:
        body = HELLO if "Generate" in path else chat(stream=True)
        answer = await house.ask(body, path=path)
        report = told.one
        assert report.stream
        assert report.bytes_out == len(answer.body)
        assert report.usage is not None
        assert report.usage.output_total > 0
        assert gist(report) == (200, "ok", "", ["ok"])
        assert report.route == ("stream_generate_content" if "Generate" in path else "chat_completions")


def paced(count: int, gap_s: float) -> Act:
    """A stream whose events are apart; its first piece shows nothing."""

    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        exchange.write(b": here\r\n\r\n")
        await asyncio.sleep(gap_s)
        for number in range(count):
            exchange.write(frame(says(f"word{number} ", finish="STOP" if number == count - 1 else None)))
            await asyncio.sleep(gap_s)
        exchange.finish()

    return act


@pytest.mark.parametrize("path", ["/v1/chat/completions", f"{GEMINI}:streamGenerateContent?alt=sse"])
async def test_how_fast_a_stream_was_is_told(told: Told, path: str) -> None:
    async with open_house(Script(paced(6, 0.02)), observer=told) as house:
        await house.ask(HELLO if "Generate" in path else chat(stream=True), path=path)
        (tried,) = told.one.tries
        assert tried.first_s is not None
        assert tried.per_event_s is not None
        assert tried.sent < tried.answered < tried.shown < tried.ended <= told.one.ended
        assert tried.first_s >= 0.02
        assert tried.events == 6
        assert 0 < tried.per_event_s <= tried.ended - tried.shown
        pace = house.relay.health.pace(HERE, time.time())
        assert (pace.first_s, pace.per_event_s) == (tried.first_s, tried.per_event_s)


async def test_of_a_whole_answer_its_time_is_told_and_no_events(told: Told) -> None:
    async with open_house(observer=told) as house:
        await house.ask(chat())
        (tried,) = told.one.tries
        assert tried.first_s == tried.answered - tried.sent
        assert (tried.shown, tried.per_event_s) == (0.0, None)
        assert house.relay.health.pace(HERE, time.time()).first_s is None
        assert house.relay.health.pace(HERE, time.time(), streamed=False).first_s == tried.first_s


@pytest.mark.parametrize(
    ("markers", "stream", "status", "outcome", "error", "tries"),
    [
        ("", False, 200, "ok", "", ["ok"]),
        ("429", False, 429, "refused", "rate_limit_exceeded", ["rate_limit_exceeded"]),
        ("429", True, 429, "refused", "rate_limit_exceeded", ["rate_limit_exceeded"]),
        ("400", False, 400, "refused", "invalid_value", ["invalid_value"]),
        ("500", True, 500, "failed", "internal_error", ["internal_error"]),
        ("cut-before", False, 502, "failed", "upstream_incomplete", ["upstream_incomplete"]),
        ("garbage", False, 502, "failed", "bad_gateway", ["bad_gateway"]),
        ("once:malformed", False, 200, "ok", "", ["upstream_malformed_output", "ok"]),
        ("once:malformed", True, 200, "ok", "", ["upstream_malformed_output", "ok"]),
        ("words=300]][[sim:cut=2", True, 200, "failed", "upstream_incomplete", ["upstream_incomplete"]),
        ("words=300]][[sim:error-mid=2", True, 200, "failed", "overloaded", ["overloaded"]),
    ],
)
async def test_how_a_call_went_is_told_with_every_attempt(
    told: Told, markers: str, stream: bool, status: int, outcome: str, error: str, tries: list[str]
) -> None:
    async with open_house(observer=told) as house:
        await house.ask(chat(f"Hello [[sim:{markers}]]" if markers else "Hello", stream=stream))
        assert gist(told.one) == (status, outcome, error, tries)


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (streams(says("a", None), cut=True), "upstream_incomplete"),
        (streams(says("a", None), {"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}), "upstream_error"),
    ],
    ids=["cut", "an error inside"],
)
async def test_a_stream_that_passes_and_fails_is_told_as_failed(told: Told, act: Act, error: str) -> None:
    async with open_house(Script(act), observer=told) as house:
        await house.ask(HELLO, path=f"{GEMINI}:streamGenerateContent?alt=sse")
        assert gist(told.one) == (200, "failed", error, [error])


async def test_several_credentials_are_several_attempts(told: Told) -> None:
    script = Script(fails(503, "UNAVAILABLE"), answers(says("fine")))
    async with open_house(script, keys=("one", "two"), observer=told) as house:
        assert (await house.ask(chat())).status == 200
        assert gist(told.one) == (200, "ok", "", ["overloaded", "ok"])


@pytest.mark.parametrize(
    ("asked", "status", "error", "route", "tenant"),
    [
        ({"key": None}, 401, "invalid_api_key", "chat_completions", ""),
        ({"key": "sk-portico-wrong"}, 401, "invalid_api_key", "chat_completions", ""),
        ({"path": "/v1/nowhere"}, 404, "unknown_url", "", ""),
        ({"method": "PUT"}, 405, "method_not_allowed", "chat_completions", ""),
        ({"body": b"{"}, 400, "invalid_json", "chat_completions", "alice"),
        ({"body": chat(model="no-such-model")}, 404, "model_not_found", "chat_completions", "alice"),
        ({"path": "/v1/models", "method": "GET", "body": None}, 200, "", "list_models", "alice"),
    ],
)
async def test_what_is_no_call_is_told_too(
    told: Told, asked: dict[str, Any], status: int, error: str, route: str, tenant: str
) -> None:
    async with open_house(observer=told) as house:
        assert (await house.ask(**{"body": chat(), **asked})).status == status
        report = told.one
        assert (report.status, report.error, report.route, report.tenant) == (status, error, route, tenant)
        assert (report.outcome, report.tries, report.model) == ("refused" if error else "ok", [], "")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 2000\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", 431),
    ],
)
async def test_what_could_not_be_read_is_told_once(told: Told, raw: bytes, status: int) -> None:
    async with open_house(observer=told, limits=Limits(max_body_bytes=1000)) as house, house.connect() as wire:
        wire.writer.write(raw)
        answer = await wire.rest()
        assert answer.status == status
        report = told.one
        assert (report.status, report.outcome) == (status, "refused")
        assert report.request_id == answer.headers["x-portico-request-id"]
        assert report.bytes_out == len(answer.body)


@pytest.mark.parametrize("leave", ["leave", "reset"])
async def test_a_caller_who_goes_is_told_as_gone(told: Told, leave: str) -> None:
    async with open_house(observer=told) as house:
        async with house.open(chat("Hello [[sim:words=50]][[sim:stall-mid=30]]", stream=True)) as wire:
            await wire.chunk()
            getattr(wire, leave)()
            await until(lambda: told.finished_)
        assert gist(told.one) == (200, "caller_gone", "", ["cancelled"])


async def test_a_caller_who_goes_before_there_is_an_answer_has_no_status(told: Told) -> None:
    async with open_house(observer=told) as house:
        async with house.open(chat("Hello [[sim:stall=30]]")) as wire:
            await until(lambda: house.simulator.stats.requests == 1)
            wire.reset()
            await until(lambda: told.finished_)
        assert gist(told.one) == (0, "caller_gone", "", ["cancelled"])
        assert told.one.first_byte == 0.0


@pytest.mark.parametrize("path", ["/v1/chat/completions", f"{GEMINI}:generateContent"])
async def test_a_call_that_the_server_ends_is_told_so_once_and_its_caller_in_its_dialect(told: Told, path: str) -> None:
    body = HELLO if "Content" in path else chat()

    async def silent(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    script = Script(silent)
    async with open_house(script, observer=told) as house, house.open(body, path=path) as wire:
        await until(lambda: script.requests)
        await house.restart()
        answer = await wire.rest()
        assert answer.status == 503
        assert answer.headers["x-portico-request-id"] == told.one.request_id
        assert ("status" in answer.json()["error"]) == ("Content" in path)
        assert gist(told.one) == (503, "failed", "shutting_down", ["cancelled"])


# -- budgets


@pytest.mark.parametrize("path", ["/v1/chat/completions", f"{GEMINI}:generateContent"])
async def test_calls_beyond_the_budget_are_told_to_come_back_and_their_connection_goes_on(
    told: Told, path: str
) -> None:
    budget = Budget(max_calls=1)
    google = "Content" in path
    async with open_house(observer=told, budget=budget) as house:
        async with house.open(chat("Hello [[sim:words=50]][[sim:stall-mid=30]]", stream=True)) as busy:
            await busy.chunk()
            async with house.connect() as wire:
                for _ in range(2):
                    wire.status = 0
                    body = json.dumps(HELLO if google else chat()).encode()
                    wire.request("POST", path, {"host": "x", "authorization": f"Bearer {KEY}"}, body)
                    answer = await wire.rest()
                    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
                    error = answer.json()["error"]
                    assert error["status" if google else "code"] == ("UNAVAILABLE" if google else "overloaded")
                wire.status = 0
                wire.request("GET", "/v1/models", {"host": "x", "authorization": f"Bearer {KEY}"}, b"")
                assert (await wire.rest()).status == 200
            busy.reset()
            await until(lambda: budget.calls == 0)
        assert (await house.ask(chat())).status == 200
        assert [report.outcome for report in told.finished_] == ["refused", "refused", "ok", "caller_gone", "ok"]
        assert budget.refused_calls == 2


@pytest.mark.parametrize("path", ["/v1/chat/completions", f"{GEMINI}:generateContent"])
@pytest.mark.parametrize("size", [10_000, 2_000_000])
async def test_a_body_beyond_the_budget_is_told_to_come_back_in_its_callers_dialect(
    told: Told, path: str, size: int
) -> None:
    async with open_house(observer=told, budget=Budget(max_body_bytes=5000)) as house:
        answer = await house.ask(b"x" * size, path=path)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["x-portico-request-id"] == told.one.request_id
        assert ("status" in answer.json()["error"]) == ("Content" in path)
        assert gist(told.one) == (503, "refused", "overloaded", [])
        assert (await house.ask(chat())).status == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", f"{GEMINI}:generateContent"])
@pytest.mark.parametrize("key", [None, "sk-portico-wrong-key"])
async def test_a_stranger_is_told_the_same_of_a_long_body_as_of_a_short_one(
    told: Told, path: str, key: str | None
) -> None:
    async with open_house(observer=told) as house:
        short = await house.ask(b"x", path=path, key=key)
        long = await house.ask(b"x" * 100_000, path=path, key=key)
        assert (long.status, long.body) == (short.status, short.body)
        assert short.status == 401
        assert [report.error for report in told.finished_] == ["invalid_api_key", "invalid_api_key"]
        by_query = await house.ask(b"x" * 100_000, path=f"{path}?key={KEY}", key=None)
        assert by_query.status == 400


# -- what is never told

SECRET = "OPEN-SESAME"


@pytest.mark.parametrize("stream", [False, True])
async def test_nothing_of_what_was_said_and_no_key_reaches_the_log_or_the_metrics(stream: bool) -> None:
    lines: list[bytes] = []
    metrics = Metrics(
        workers=1,
        version="1",
        routes=ROUTE_NAMES,
        providers=["gemini"],
        models=list(load_catalog().models),
        errors=["overloaded"],
    )
    observing = Observing(metrics.tally(0), AccessLog(lines.append))
    headers = {"x-secret": SECRET, "cookie": f"a={SECRET}", "x-request-id": SECRET, "referer": f"http://x/{SECRET}"}
    secret_key = "sk-portico-wrong-" + SECRET
    asked: list[dict[str, Any]] = [
        {"body": chat(f"{SECRET} [[sim:words=20]]", stream=stream, user=SECRET, metadata={SECRET: SECRET})},
        {"body": chat(SECRET), "path": f"/v1/chat/completions?key={SECRET}&{SECRET}=1"},
        {"body": chat(SECRET), "key": secret_key},
        {"body": chat(SECRET), "key": None, "headers": {"x-api-key": secret_key}},
        {"body": chat(SECRET, model=f"gemini-{SECRET}")},
        {"body": chat(SECRET, stream=stream, temperature=SECRET)},
        {"body": chat(SECRET, tools=[{"type": SECRET}])},
        {"body": {**chat(SECRET), "messages": [{"role": SECRET, "content": SECRET}]}},
        {"body": f'{{"{SECRET}": '.encode()},
        {"body": HELLO, "path": f"{GEMINI}:generateContent?key={KEY}&access_token={SECRET}", "key": None},
        {"body": {"contents": [{"parts": [{"text": SECRET}]}]}, "path": f"{GEMINI}:streamGenerateContent"},
        {"body": chat(f"{SECRET} [[sim:429]]")},
        {"body": chat(f"{SECRET} [[sim:words=20]][[sim:cut=1]]", stream=True)},
        {"body": chat(SECRET), "path": f"/v1/{secret_key}/chat/completions", "headers": {"user-agent": secret_key}},
    ]
    async with open_house(observer=observing) as house:
        for one in asked:
            one["headers"] = {**headers, **one.get("headers", {})}
            await house.ask(**one)
        async with house.connect() as wire:
            wire.writer.write(f"POST /v1?{SECRET} HTTP/1.1\r\nhost: x\r\n{SECRET}: {SECRET}\r\nbroken\r\n\r\n".encode())
            assert (await wire.rest()).status == 400
    assert len(lines) == len(asked) + 1
    written = b"".join(lines) + metrics.text()
    assert SECRET.encode() not in written
    assert KEY.encode() not in written
    assert b"[simulated]" not in written
    assert b"good-key" not in written


async def test_nobody_needs_to_watch() -> None:
    async with open_house() as house:
        assert (await house.ask(chat())).status == 200
