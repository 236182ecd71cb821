"""What an operator's machines ask of a running Portico: is it alive, is it ready, what are its numbers."""

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from databases import started_books
from gateway.commands import Command, catches, has_open, portico, run
from gateway.house import PATIENCE_S, Answer, Wire, as_bytes, chat, soon, until
from portico.http.operations import Operations
from portico.http.readiness import Readiness
from portico.http.server import Server
from portico.providers import Secret
from portico.wire.http import Exchange

ADMIN, CALLERS = "admin-sample-key", "sk-portico-sample-key"
ENV = {"PORTICO_API_KEY": CALLERS, "PORTICO_ADMIN_KEY": ADMIN}


async def ask(port: int, path: str, *, key: str | None = None, method: str = "GET", body: bytes = b"") -> Answer:
    wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port, limit=2**20)))
    headers = {"host": "x"} if key is None else {"host": "x", "authorization": f"Bearer {key}"}
    wire.request(method, path, headers, body)
    try:
        if method == "HEAD":
            return Answer(await wire.head(), wire.headers, b"")
        return await wire.rest()
    finally:
        wire.drop()


@pytest.fixture(autouse=True)
def books(tmp_path: Path) -> None:
    started_books(tmp_path)


@contextlib.asynccontextmanager
async def serving(app: Operations) -> AsyncIterator[int]:
    server = await Server(app).start()
    try:
        yield server.port
    finally:
        await server.stop(grace_s=0)


async def inner(exchange: Exchange) -> None:
    exchange.send(200, [], b"inner")


def numbers() -> bytes:
    return b"# numbers\n"


# -- alive and ready


async def test_who_asks_whether_it_lives_and_is_ready_needs_no_key() -> None:
    readiness = Readiness("starting")
    async with serving(Operations(inner, readiness)) as port:
        answer = await ask(port, "/healthz")
        assert (answer.status, answer.json()) == (200, {"status": "ok"})
        answer = await ask(port, "/readyz")
        assert (answer.status, answer.json()) == (503, {"status": "unready", "reasons": ["starting"]})
        readiness.clear("starting")
        answer = await ask(port, "/readyz")
        assert (answer.status, answer.json()) == (200, {"status": "ready"})
        readiness.wait_for("draining")
        readiness.wait_for("a store")
        assert (await ask(port, "/readyz")).json()["reasons"] == ["a store", "draining"]
        assert (await ask(port, "/healthz")).status == 200


@pytest.mark.parametrize(
    ("down_s", "query", "status"),
    [(0.0, "", 200), (4.9, "", 200), (5.0, "", 503), (600.0, "", 503), (600.0, "?exclude=storage", 200)],
)
async def test_a_database_that_is_certainly_away_speaks_against_it_until_it_is_back(
    down_s: float, query: str, status: int
) -> None:
    away = [down_s]
    async with serving(Operations(inner, Readiness(storage_down_s=lambda: away[0]))) as port:
        answer = await ask(port, f"/readyz{query}")
        assert answer.status == status
        assert answer.json().get("reasons", ["storage"]) == ["storage"]
        assert (await ask(port, "/healthz")).status == 200
        away[0] = 0.0
        assert (await ask(port, "/readyz")).status == 200


async def test_what_else_speaks_against_it_cannot_be_excluded_with_the_database() -> None:
    async with serving(Operations(inner, Readiness("draining", storage_down_s=lambda: 60.0))) as port:
        assert (await ask(port, "/readyz?exclude=storage")).json()["reasons"] == ["draining"]
        assert (await ask(port, "/readyz")).json()["reasons"] == ["draining", "storage"]


async def test_served_from_a_file_that_is_away_it_is_unready_and_ready_again(tmp_path: Path) -> None:
    """By itself, with nobody calling."""
    books, elsewhere = tmp_path / ".portico", tmp_path / "elsewhere"
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as gateway:
        port = await gateway.port()
        assert (await ask(port, "/readyz")).status == 200
        books.rename(elsewhere)
        await until_ready(port, status=503)
        assert (await call(port)).status == 200  # of an open account
        elsewhere.rename(books)
        await until_ready(port, status=200)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_head_is_answered_and_other_methods_are_not(path: str) -> None:
    async with serving(Operations(inner, Readiness())) as port:
        assert (await ask(port, path, method="HEAD")).status == 200
        answer = await ask(port, path, method="POST")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_every_other_path_is_the_inner_apps() -> None:
    async with serving(Operations(inner, Readiness())) as port:
        for path in ("/", "/healthz/", "/v1/healthz", "/metrics"):
            assert (await ask(port, path)).body == b"inner"
    async with serving(Operations(None, Readiness())) as port:
        assert (await ask(port, "/")).status == 404


# -- who may see the numbers


async def test_the_admin_key_and_no_other_opens_the_numbers() -> None:
    key = Secret(ADMIN, "a test")
    async with serving(Operations(inner, Readiness(), metrics=numbers, admin_key=key)) as port:
        for wrong in (None, CALLERS, ADMIN + "x", "", "ä"):
            answer = await ask(port, "/metrics", key=wrong)
            assert (answer.status, answer.headers["www-authenticate"].split()[0]) == (401, "Bearer")
            assert b"numbers" not in answer.body
        answer = await ask(port, "/metrics", key=ADMIN)
        assert (answer.status, answer.body) == (200, b"# numbers\n")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert (await ask(port, "/metrics", key=ADMIN, method="HEAD")).status == 200
        assert (await ask(port, "/metrics", key=ADMIN, method="POST")).status == 405


async def test_a_listener_of_their_own_tells_the_numbers_to_whoever_asks() -> None:
    async with serving(Operations(None, Readiness(), metrics=numbers, public=True)) as port:
        assert (await ask(port, "/metrics")).body == b"# numbers\n"
        assert (await ask(port, "/healthz")).status == 200


# -- as a command


async def call(port: int, **more: object) -> Answer:
    return await ask(port, "/v1/chat/completions", key=CALLERS, method="POST", body=as_bytes(chat(**more)))  # type: ignore[arg-type]


class Numbers:
    """A scrape."""

    def __init__(self, text: bytes) -> None:
        families = text_string_to_metric_families(text.decode())
        self._samples = [sample for family in families for sample in family.samples]

    def __getitem__(self, name: str) -> float:
        """The sum of all samples of a name."""
        return sum(sample.value for sample in self._samples if sample.name == name)

    def each(self, name: str) -> list[float]:
        return [sample.value for sample in self._samples if sample.name == name]


async def scraped(port: int) -> Numbers:
    answer = await ask(port, "/metrics", key=ADMIN)
    assert answer.status == 200
    return Numbers(answer.body)


def lines_of(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


async def test_without_a_setting_there_are_no_numbers_and_their_path_is_unknown(tmp_path: Path) -> None:
    env = {"PORTICO_API_KEY": CALLERS}
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=env) as gateway:
        port = await gateway.port()
        for key in (None, CALLERS):
            assert (await ask(port, "/metrics", key=key)).status == 404
        assert (await ask(port, "/readyz")).json() == {"status": "ready"}


async def test_complaint_16_resident_memory_is_told_and_all_else_that_is_promised(tmp_path: Path) -> None:
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as gateway:
        port = await gateway.port()
        assert (await call(port)).status == 200
        await until_counted(port, "portico_requests_total", 1)
        told = await scraped(port)
        assert 10e6 < told["process_resident_memory_bytes"] < 1e9
        assert told["process_cpu_seconds_total"] > 0
        assert told["process_start_time_seconds"] > 1.7e9
        assert told["portico_open_connections"] == 1
        assert told["portico_upstream_connections"] == 1
        assert told["portico_upstream_attempts_total"] == 1
        assert told["portico_tokens_total"] > 0
        assert told["portico_event_loop_lag_seconds_count"] >= 0
        for gone in ("portico_open_calls", "portico_open_streams", "portico_body_bytes_in_flight"):
            assert told[gone] == 0
        assert told["portico_build_info"] == 1


async def test_a_worker_may_open_as_many_files_as_the_system_lets_it(tmp_path: Path) -> None:
    limited = "import resource, runpy; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 512));"
    program = ("-c", f"{limited} runpy.run_module('portico', run_name='__main__')")
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV, program=program) as gateway:
        told = await scraped(await gateway.port())
        assert told["process_max_fds"] == 512
        assert 0 < told["process_open_fds"] < 64


async def until_ready(port: int, status: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await ask(port, "/readyz")).status != status:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def until_counted(port: int, name: str, count: float) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await scraped(port))[name] < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_what_is_open_is_told_while_it_is(tmp_path: Path) -> None:
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as gateway:
        port = await gateway.port()
        wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port, limit=2**20)))
        body = as_bytes(chat("Hello [[sim:words=50]][[sim:stall-mid=60]]", stream=True))
        wire.request("POST", "/v1/chat/completions", {"host": "x", "authorization": f"Bearer {CALLERS}"}, body)
        await wire.chunk()
        told = await scraped(port)
        assert (told["portico_open_calls"], told["portico_open_streams"]) == (1, 1)
        assert told["portico_body_bytes_in_flight"] == len(body)
        wire.reset()
        await until_counted(port, "portico_requests_total", 1)
        told = await scraped(port)
        assert (told["portico_open_calls"], told["portico_body_bytes_in_flight"]) == (0, 0)


async def test_standard_output_that_is_no_terminal_has_a_line_a_call_and_none_a_probe(tmp_path: Path) -> None:
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as gateway:
        port = await gateway.port()
        for path in ("/healthz", "/readyz", "/metrics"):
            await ask(port, path, key=ADMIN)
        assert (await call(port)).status == 200
        assert (await call(port, model="no-such-model")).status == 404
        gateway.send(signal.SIGTERM)
        _, said, _ = await gateway.end()
        assert [(line["status"], line["outcome"]) for line in lines_of(said)] == [(200, "ok"), (404, "refused")]


@pytest.mark.parametrize(("where", "stream"), [("stdout", 1), ("stderr", 2), ("off", None)])
async def test_the_option_says_where_lines_go(tmp_path: Path, where: str, stream: int | None) -> None:
    async with portico(
        "serve", "--simulate", "--port", "0", "--access-log", where, folder=tmp_path, env=ENV
    ) as gateway:
        assert (await call(await gateway.port())).status == 200
        gateway.send(signal.SIGTERM)
        said = await gateway.end()
        for number in (1, 2):
            assert len(lines_of(str(said[number]))) == (1 if number == stream else 0)


async def test_a_log_that_nobody_reads_stops_no_call(tmp_path: Path) -> None:
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as gateway:
        port = await gateway.port()
        wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port, limit=2**20)))
        for _ in range(1000):  # about 600 KB of lines, into a pipe of 64 KB that is not read
            wire.status = 0
            wire.request("GET", "/v1/models/gemini-3.5-flash", {"host": "x", "authorization": f"Bearer {CALLERS}"}, b"")
            assert (await wire.rest()).status == 200
        wire.drop()


async def test_a_renamed_log_is_opened_anew_on_a_hangup_by_every_worker(tmp_path: Path) -> None:
    log, old = tmp_path / "logs" / "access.log", tmp_path / "logs" / "access.log.1"
    log.parent.mkdir()
    arguments = ("serve", "--simulate", "--port", "0", "--workers", "2", "--access-log", "logs/access.log")
    async with portico(*arguments, folder=tmp_path, env=ENV) as gateway:
        port = await gateway.port()
        assert (await call(port)).status == 200
        await until(lambda: len(lines_of(log.read_text())) == 1)
        await gateway.has_workers(2)
        await until(lambda: all(catches(pid, signal.SIGHUP) and has_open(pid, log) for pid in gateway.children))
        log.rename(old)
        gateway.send(signal.SIGHUP)
        await until(lambda: all(has_open(pid, log) for pid in gateway.children))
        for _ in range(8):
            assert (await call(port)).status == 200
        gateway.send(signal.SIGTERM)
        assert (await gateway.end())[0] == 0
        assert [len(lines_of(file.read_text())) for file in (old, log)] == [1, 8]


async def test_a_log_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    code, _, err = await run(
        "serve", "--simulate", "--port", "0", "--access-log", "./nowhere/a.log", folder=tmp_path, env=ENV
    )
    assert code == 1
    assert "Cannot write the access log" in err
    assert "nowhere/a.log" in err


async def metrics_port(gateway: Command) -> int:
    return int((await gateway.read_until(r"Metrics +http://127.0.0.1:(\d+)/metrics")).group(1))


async def test_a_scrape_tells_of_every_worker_and_what_a_dead_one_counted_stays(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text('[metrics]\nlisten = "127.0.0.1:0"\n')
    arguments = ("serve", "--simulate", "--port", "0", "--workers", "2", "--access-log", "off")
    async with portico(*arguments, folder=tmp_path, env={"PORTICO_API_KEY": CALLERS}) as gateway:
        own = await metrics_port(gateway)
        port = await gateway.port()
        assert (await ask(port, "/metrics", key=CALLERS)).status == 404
        for _ in range(10):
            assert (await call(port)).status == 200
        await until_counted(own, "portico_calls_total", 10)
        await gateway.has_workers(2)
        first, second = gateway.children
        os.kill(second, signal.SIGKILL)
        await until_counted(own, "portico_worker_restarts_total", 1)
        assert (await scraped(own))["portico_calls_total"] == 10
        async with asyncio.timeout(PATIENCE_S):
            while not all((await scraped(own)).each("process_resident_memory_bytes")):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert first in gateway.children
        for _ in range(10):
            assert (await call(port)).status == 200
        await until_counted(own, "portico_calls_total", 20)


async def test_an_address_that_is_taken_is_said_at_the_start(tmp_path: Path) -> None:
    async with serving(Operations(None, Readiness())) as taken:
        env = {**ENV, "PORTICO_METRICS_LISTEN": f"127.0.0.1:{taken}"}
        code, _, err = await run("serve", "--simulate", "--port", "0", folder=tmp_path, env=env)
        assert code == 1
        assert re.search(rf"Cannot listen on 127.0.0.1:{taken} for metrics", err)
