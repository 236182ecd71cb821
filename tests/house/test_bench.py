"""The bench measures what it says: sizes of its loads, CPU time of whole process trees, and a table that can be read.

No figure of speed is asserted here; those are in `make bench`.
"""

import asyncio
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from bench import bare, workloads
from bench.__main__ import MARKS, README, write_table
from bench.contenders import CONTENDERS, ROOT
from bench.load import Ask, is_whole, percentile, read_streams
from bench.machine import cpu_us, forget_peak, peak_rss_bytes, rss_bytes, tree
from bench.ours import SETTINGS, command, config_for, digest_of
from bench.profile import Sampler
from bench.proof import prove_stream, prove_whole
from bench.rows import ALONE, ROWS, TOGETHER
from bench.soak import spread, verdict, watch
from bench.table import BARS, judged, note, rendered, report
from bench.upstream import Manner, Provider, Wire
from portico.config import load_config
from portico.web.evidence import Figure, number

MODEL = "gemini-3.5-flash"


# -- workloads -------------------------------------------------------------------------------------------------------


def test_the_small_chat_is_two_messages_of_some_300_bytes() -> None:
    body = workloads.small(MODEL)
    assert len(body["messages"]) == 2
    assert 240 <= len(workloads.encoded(body)) <= 320


def test_an_agents_turn_is_62_messages_20_calls_20_tools_and_52_kb() -> None:
    body = workloads.agent(MODEL)
    calls = [call["id"] for message in body["messages"] for call in message.get("tool_calls", [])]
    answered = [message["tool_call_id"] for message in body["messages"] if message["role"] == "tool"]
    assert (len(body["messages"]), len(body["tools"]), len(calls)) == (62, 20, 20)
    assert answered == calls
    assert len(workloads.encoded(body)) == pytest.approx(52 * 1024, rel=0.02)


def test_an_image_is_5_mb_and_the_large_answer_200_kb() -> None:
    assert len(workloads.encoded(workloads.image(MODEL))) == pytest.approx(5_000_000, rel=0.01)
    assert len(workloads.gemini_answer(workloads.LARGE_TEXT)) == pytest.approx(200_000, rel=0.01)


@pytest.mark.parametrize("made", [workloads.small, workloads.agent, workloads.image])
def test_a_workload_is_the_same_each_time(made: object) -> None:
    assert callable(made)
    assert made(MODEL) == made(MODEL)


# -- what the kernel knows -------------------------------------------------------------------------------------------

_PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
child.stdout.read(1)
if sys.argv[2] == "ended":
    child.stdin, _ = None, child.communicate()
print("ready", flush=True)
sys.stdin.read()
child.kill()
child.wait()
"""
_BUSY = """
import time
while time.process_time() < 0.3: pass
print("x", flush=True)
"""
_BUSY_AND_WAITS = _BUSY + "time.sleep(60)"


@contextmanager
def _parent(child: str, end: str) -> Iterator[int]:
    """A process that does next to nothing, and has a child that was busy for 0.3 s and now waits, or has ended."""
    command = [sys.executable, "-c", _PARENT, child, end]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        yield parent.pid


@pytest.mark.parametrize(("child", "end", "members"), [(_BUSY_AND_WAITS, "waits", 2), (_BUSY, "ended", 1)])
def test_the_cpu_time_of_a_busy_child_counts(child: str, end: str, members: int) -> None:
    with _parent(child, end) as pid:
        assert len(tree(pid)) == members
        assert cpu_us(pid) >= 290_000


def test_memory_is_that_of_the_tree_and_its_peak_can_be_forgotten() -> None:
    with _parent(_BUSY_AND_WAITS, "waits") as pid:
        parent, child = tree(pid)
        assert rss_bytes(pid) > rss_bytes(child) > 0
        forget_peak(pid)
        assert peak_rss_bytes(pid) >= peak_rss_bytes(child) > 0
        assert parent == pid


def test_nothing_is_known_of_a_process_that_is_gone() -> None:
    with _parent(_BUSY, "ended") as pid:
        pass
    assert (cpu_us(pid), rss_bytes(pid), peak_rss_bytes(pid)) == (0, 0, 0)


# -- the stand-in for a provider, and who reads it -------------------------------------------------------------------

_GEMINI = f"/v1beta/models/{MODEL}:generateContent"
_GEMINI_STREAM = f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"
_OPENAI = "/v1/chat/completions"


@asynccontextmanager
async def _upstream(manner: Manner) -> AsyncIterator[int]:
    provider = Provider()
    provider.manner = manner
    server = await asyncio.get_running_loop().create_server(lambda: Wire(provider), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def _bare(upstream_port: int) -> AsyncIterator[int]:
    async with bare.serving(0, upstream_port) as server:
        yield server.sockets[0].getsockname()[1]


async def _said(port: int, request: bytes, size: int) -> bytes:
    """The answer to a request that is sent in pieces."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for at in range(0, len(request), size):
        writer.write(request[at : at + size])
        await writer.drain()
    answer = b""
    while not is_whole(answer) and (data := await reader.read(65536)):
        answer += data
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize("size", [1, 100, 10**6])
@pytest.mark.parametrize(("path", "key"), [(_GEMINI, "candidates"), (_OPENAI, "choices")])
async def test_the_stand_in_answers_in_the_dialect_of_the_path(path: str, key: str, size: int) -> None:
    async with _upstream(Manner()) as port:
        request = Ask(port, path, {"X-Key": "k"}, workloads.encoded(workloads.small(MODEL))).wire()
        answer = await _said(port, request, size)
    assert key in msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("path", [_GEMINI, _OPENAI])
async def test_a_late_answer_says_how_long_it_was_held(path: str) -> None:
    async with _upstream(Manner(delay_ms=1)) as port:
        answer = await _said(port, Ask(port, path, {}, b"{}").wire(), 10**6)
    assert is_whole(answer)
    text = answer.partition(b"\r\n\r\n")[2].decode()
    msgspec.json.decode(text)
    received, sent = (float(text.partition(mark)[2].split()[0]) for mark in ("r=", "s="))
    assert 0 < received <= sent


@pytest.mark.parametrize(("path", "stream"), [(_GEMINI_STREAM, False), (_OPENAI, True)])
async def test_every_event_of_every_stream_is_counted(path: str, stream: bool) -> None:
    body = {**workloads.small(MODEL), **({"stream": True} if stream else {})}
    async with _upstream(Manner(events=7, pace_ms=1)) as port:
        ask = Ask(port, path, {}, workloads.encoded(body))
        loaded = await read_streams(ask, count=3, seconds=0, stagger_s=0, patience_s=30)
    assert (loaded.answers, loaded.failed, loaded.events) == (3, 0, 21)
    assert len(loaded.late_ms) == 21
    assert min(loaded.late_ms) >= 0


async def test_what_is_refused_or_cut_off_has_failed() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        ask = Ask(server.sockets[0].getsockname()[1], _GEMINI_STREAM, {}, b"{}")
        loaded = await read_streams(ask, count=3, seconds=0, stagger_s=0, patience_s=30)
    assert (loaded.answers, loaded.failed, loaded.events) == (0, 3, 0)


@pytest.mark.parametrize("path", [_GEMINI, _OPENAI])
async def test_a_whole_answer_is_proved_and_a_shorter_one_is_not(path: str) -> None:
    async with _upstream(Manner()) as port:
        ask = Ask(port, path, {}, workloads.encoded(workloads.small(MODEL)))
        await asyncio.to_thread(prove_whole, ask)
        with pytest.raises(RuntimeError, match="characters"):
            await asyncio.to_thread(prove_whole, ask, large=True)


@pytest.mark.parametrize(("path", "stream"), [(_GEMINI_STREAM, False), (_OPENAI, True)])
async def test_a_whole_stream_is_proved_and_a_shorter_one_is_not(path: str, stream: bool) -> None:
    body = {**workloads.small(MODEL), **({"stream": True} if stream else {})}
    async with _upstream(Manner(events=7, pace_ms=1)) as port:
        ask = Ask(port, path, {}, workloads.encoded(body))
        await asyncio.to_thread(prove_stream, ask, events=7)
        with pytest.raises(RuntimeError, match="characters"):
            await asyncio.to_thread(prove_stream, ask, events=8)


# -- the relay that only relays --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 100, 10**6])
async def test_the_bare_relay_brings_back_what_the_provider_said(size: int) -> None:
    async with _upstream(Manner()) as provider, _bare(provider) as port:
        request = Ask(port, _GEMINI, {"X-Key": "k"}, workloads.encoded(workloads.small(MODEL))).wire()
        assert await _said(port, request, size) == await _said(provider, request, size)


async def test_the_bare_relay_carries_streams_one_after_another_beside_each_other() -> None:
    async with _upstream(Manner(events=7, pace_ms=1)) as provider, _bare(provider) as port:
        ask = Ask(port, _GEMINI_STREAM, {}, workloads.encoded(workloads.small_to_gemini()))
        loaded = await read_streams(ask, count=3, seconds=0.05, stagger_s=0, patience_s=30)
    assert (loaded.failed, loaded.events) == (0, 7 * loaded.answers)
    assert loaded.answers >= 3


async def test_the_bare_relay_hangs_up_where_there_is_no_provider() -> None:
    async with _upstream(Manner()) as provider:
        pass
    async with _bare(provider) as port:
        assert await _said(port, Ask(port, _GEMINI, {}, b"{}").wire(), 10**6) == b""


# -- Portico as it is measured ---------------------------------------------------------------------------------------


def test_everything_that_a_checkout_knows_is_switched_on(tmp_path: Path) -> None:
    text = config_for({name: [key] for name, key, _ in SETTINGS}, tmp_path, 9)
    tables = tomllib.loads(text)
    assert tables["providers"][0]["base_url"] == "http://127.0.0.1:9"
    assert all(tables[name][key] == value.format(folder=tmp_path) for name, key, value in SETTINGS)
    assert tomllib.loads(config_for({}, tmp_path, 9)).keys() == {"providers"}


def test_the_configuration_that_is_measured_is_one_that_portico_takes(tmp_path: Path) -> None:
    folder = tmp_path / "portico"
    folder.mkdir()
    command(ROOT, folder, 1, 9)
    config = load_config({"GEMINI_API_KEY": "k"}, file=folder / "portico.toml")
    assert config.providers[0].base_url.startswith("http://127.0.0.1:9/")


def test_a_compiled_copy_is_of_this_source_and_no_other(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (tmp_path / "setup.py").write_text("")
    (source / "a.py").write_text("A = 1\n")
    before = digest_of(tmp_path)
    assert digest_of(tmp_path) == before
    (source / "a.py").write_text("A = 2\n")
    assert digest_of(tmp_path) != before


# -- what is printed -------------------------------------------------------------------------------------------------

HEADS = {"nginx": "nginx<br>bytes", "portico": "portico", "litellm": "litellm"}


def _found(*figures: Figure) -> dict[tuple[str, str], Figure]:
    return {(figure.row, figure.gateway): figure for figure in figures}


FOUND = _found(
    Figure("small", "nginx", (20.0, 19.0, 60.0), answered=100),
    Figure("small", "portico", (80.0,), answered=100),
    Figure("small", "litellm", (36_000.0,), answered=90, failed=10),
    Figure("latency_p50", "portico", (0.25,), answered=100),
)


def test_the_table_has_a_line_for_each_row_measured_with_ratios_to_the_floor() -> None:
    assert rendered(FOUND, HEADS).splitlines() == [
        "|  |  | nginx<br>bytes | portico | litellm |",
        "| --- | --- | --: | --: | --: |",
        "| small chat | CPU us / request | 20.0 | 80.0 (4.00x) | 36,000 (1,800x) [10 of 100 failed] |",
        "| latency added, p50 | ms |  | 0.25 |  |",
    ]


def test_a_bar_is_judged_where_both_sides_were_measured() -> None:
    assert judged(FOUND) == [
        ("small chat: 4 x nginx (bar 5, aim 3.5)", True),
        ("small chat: 1/450 x litellm (bar 1/200)", True),
        ("latency added, p50: 0.25 ms (bar 0.40, aim 0.20)", True),
    ]


@pytest.mark.parametrize(("value", "failed"), [(101.0, 0), (90.0, 1)])
def test_a_bar_is_missed_by_a_higher_value_or_by_any_failure(value: float, failed: int) -> None:
    found = FOUND | _found(Figure("small", "portico", (value,), answered=100, failed=failed))
    assert not judged(found)[0][1]


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0129, "0.013"), (0.2, "0.20"), (9.994, "9.99"), (37.16, "37.2"), (1234.5, "1,234")]
)
def test_numbers_have_three_figures(value: float, shown: str) -> None:
    assert number(value) == shown


def test_the_report_says_when_where_and_what_was_not_measured() -> None:
    head = note("a machine", ["nginx 1"], ["litellm: needs patience"], quick=True, now=datetime(2026, 1, 2, tzinfo=UTC))
    text = report(head, FOUND, HEADS)
    for said in (
        "2026-01-02 00:00 UTC",
        "a machine",
        "nginx 1",
        "Not measured: litellm: needs patience",
        "Short loads",
    ):
        assert said in text
    assert "- reached: small chat" in text


def test_the_table_is_written_where_the_page_says(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{MARKS[0]}old\n{MARKS[1]}after\n")
    write_table("new", page)
    write_table("newer", page)
    assert page.read_text() == f"before\n{MARKS[0]}\nnewer\n\n{MARKS[1]}after\n"


def test_the_benchs_own_page_has_a_place_for_the_table() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count(MARKS[0]) == text.count(MARKS[1]) == 1


def test_bars_and_contenders_name_rows_that_there_are() -> None:
    assert {bar.row for bar in BARS} <= set(ROWS)
    assert {bar.than for bar in BARS} - {""} <= set(CONTENDERS)
    assert {row for contender in CONTENDERS.values() for row in contender.rows} <= {*TOGETHER, *ALONE}


# -- the soak --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "apart"),
    [
        ([40, 45, 49, 50, 50, 50, 50, 50, 50, 50, 50, 50], 0.0),
        ([50, 50, 50, 50, 59, 50, 50, 50, 50, 50, 58, 50], 0.0),
        ([50, 50, 50, 50, 50, 51, 52, 52, 53, 54, 55, 56], 0.08),
    ],
    ids=["warming up does not count", "nor do samples that stick out", "a leak does"],
)
def test_memory_is_flat_if_its_floor_does_not_rise(samples: list[float], apart: float) -> None:
    assert spread(samples) == pytest.approx(apart)


_GROWING = """
import sys
held = []
print("ready", flush=True)
for line in sys.stdin:
    held.append(bytearray(b"x") * int(line))
    print("held", flush=True)
"""


@pytest.mark.parametrize(("leak_bytes", "flat"), [(0, True), (512 * 1024, False)])
def test_a_soak_finds_a_leak_of_a_living_process(leak_bytes: int, flat: bool) -> None:
    """Each reading makes the process keep something more, so that however fast this machine is, it leaks all the time."""
    with subprocess.Popen([sys.executable, "-c", _GROWING], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as leaky:
        assert leaky.stdin is not None
        assert leaky.stdout is not None
        assert leaky.stdout.readline() == b"ready\n"
        stdin, stdout = leaky.stdin, leaky.stdout

        def read() -> int:
            stdin.write(b"%d\n" % leak_bytes)
            stdin.flush()
            stdout.readline()
            return rss_bytes(leaky.pid)

        samples = asyncio.run(watch(read, time.monotonic() + 2.5, Counter(), sample_s=0.04, read_s=0.004))
        stdin.close()
    assert len(samples) >= 5
    assert verdict(samples)[0] is flat


def test_a_profile_shows_where_the_time_went() -> None:
    def busy() -> int:
        return sum(range(10_000))

    sampler = Sampler()
    sampler.start()
    giving_up = time.monotonic() + 60
    while not any(line.endswith(" busy") for line in sampler.lines) and time.monotonic() < giving_up:
        busy()
    assert " busy" in sampler.report()


def test_a_percentile_is_a_value_that_was_measured() -> None:
    ordered = [float(value) for value in range(100)]
    assert (percentile(ordered, 0.5), percentile(ordered, 0.99), percentile([], 0.5)) == (50.0, 99.0, 0.0)
