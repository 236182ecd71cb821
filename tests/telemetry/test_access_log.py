"""The access log: one line a request, whole whoever else writes, and never in anybody's way."""

import asyncio
import fcntl
import json
import os
import re
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.relay.report import Report, Try
from portico.telemetry.lines import PIPE_BYTES, WAITING_BYTES, LineWriter, another, appending, batches
from portico.telemetry.logs import AccessLog

PATIENCE_S = 45.0


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def line_of(report: Report, tokens: list[int] | None = None, at: float = 1_800_000_000.0625) -> dict[str, Any]:
    written: list[bytes] = []
    AccessLog(written.append, wall=lambda: at).log(report, tokens)
    (line,) = written
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    told = json.loads(line)
    assert isinstance(told, dict)
    return told


def test_a_line_says_who_asked_for_what_and_how_it_went() -> None:
    report = Report("req_1", "POST", "/v1/chat/completions", "10.0.0.9", "SDK/1.0", 300, 5.0)
    report.route, report.dialect, report.tenant = "chat_completions", "openai_chat", "default"
    report.asked, report.model, report.stream = "gemini-3.5-flash-thinking", "gemini-3.5-flash", True
    report.tries = [Try("a", "up-1", 5.0, 5.1, "overloaded"), Try("b", "up-2", 5.1, 5.2, "ok")]
    report.status, report.first_byte, report.ended, report.bytes_out = 200, 5.25, 6.5, 900
    assert line_of(report, [4, 20, 2, 4, 1, 5, 7]) == {
        "time": "2027-01-15T08:00:00.062Z",
        "request_id": "req_1",
        "method": "POST",
        "path": "/v1/chat/completions",
        "status": 200,
        "outcome": "ok",
        "duration_ms": 1500.0,
        "first_byte_ms": 250.0,
        "route": "chat_completions",
        "dialect": "openai_chat",
        "tenant": "default",
        "model": "gemini-3.5-flash-thinking",
        "upstream_model": "up-2",
        "provider": "b",
        "attempts": 2,
        "stream": True,
        "bytes_in": 300,
        "bytes_out": 900,
        "input_tokens": 31,
        "cached_tokens": 20,
        "output_tokens": 12,
        "reasoning_tokens": 7,
        "peer": "10.0.0.9",
        "user_agent": "SDK/1.0",
    }


def test_what_is_not_known_is_left_out_and_no_tokens_are_not_none_reported() -> None:
    report = Report("req_1", "GET", "/v1/models", ended=0.001)
    assert set(line_of(report)) == {"time", "request_id", "method", "path", "status", "outcome", "duration_ms"}
    assert line_of(report, [0] * 7)["output_tokens"] == 0


@pytest.mark.parametrize(
    "key",
    [
        "sk-portico-SAMPLE0SAMPLE0",
        "AIzaSAMPLE_sample-SAMPLE",
        "eyJhbGciOi.J9.sample",
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_what_looks_like_a_key_is_taken_out_of_a_path_and_of_a_clients_name(key: str) -> None:
    told = line_of(Report(path=f"/v1/{key}/chat", user_agent=f"Client ({key})"))
    assert key not in str(told)
    assert (told["path"], told["user_agent"]) == ("/v1/…/chat", "Client (…)")


@pytest.mark.parametrize(
    "path",
    ["/v1beta/models/gemini-2.5-flash-native-audio-preview-09-2025:streamGenerateContent", "/v1/chat/completions"],
)
def test_a_path_that_is_served_is_told_as_it_is(path: str) -> None:
    assert line_of(Report(path=path))["path"] == path


@given(st.text(), st.text(max_size=10_000))
def test_whatever_a_caller_says_a_line_is_one_line_and_short(path: str, agent: str) -> None:
    log: list[bytes] = []
    AccessLog(log.append).log(Report(path=path * 300, user_agent=agent), None)
    assert json.loads(log[0])["status"] == 0
    assert log[0].count(b"\n") == 1
    assert len(log[0]) < PIPE_BYTES


# -- writing


def numbered(count: int, size: int = 100) -> list[bytes]:
    return [b"%0*d\n" % (size, number) for number in range(count)]


async def test_lines_are_written_in_order_and_in_few_writes(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    writer = LineWriter(appending(path))
    lines = numbered(5000)
    for line in lines:
        writer.write(line)
    writer.close()
    assert path.read_bytes() == b"".join(lines)
    assert (writer.written, writer.dropped, writer.waiting_bytes) == (5000, 0, 0)
    assert path.stat().st_mode & 0o077 == 0o040


async def test_a_line_is_written_though_no_other_follows(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    writer = LineWriter(appending(path))
    writer.write(b"alone\n")
    await until(lambda: path.read_bytes() == b"alone\n")
    writer.close()


async def test_a_full_pipe_holds_up_nobody_and_what_it_does_not_take_is_counted() -> None:
    read_end, write_end = os.pipe()
    writer = LineWriter(another(write_end))
    line = b"x" * 999 + b"\n"
    sent = 3 * WAITING_BYTES // len(line)
    for number in range(sent):
        writer.write(line)
        if number % 500 == 0:
            await asyncio.sleep(0)
    assert writer.dropped > 0
    assert writer.waiting_bytes <= WAITING_BYTES + 2 * 64 * 1024
    received = bytearray()

    def read() -> None:
        while piece := os.read(read_end, 65536):
            received.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    await until(lambda: writer.written + writer.dropped == sent)
    writer.close()
    os.close(write_end)
    reader.join(PATIENCE_S)
    os.close(read_end)
    assert bytes(received) == line * writer.written


async def test_a_log_that_nobody_reads_any_more_loses_lines_and_nothing_else() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    writer = LineWriter(another(write_end))
    writer.write(b"lost\n")
    await until(lambda: writer.dropped == 1)
    writer.write(b"lost too\n")
    writer.close()
    os.close(write_end)
    assert (writer.written, writer.dropped) == (0, 2)


@pytest.mark.parametrize("redirected", [False, True], ids=["opened", "standard output"])
async def test_a_disk_that_is_full_loses_whole_lines_and_the_operator_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, redirected: bool
) -> None:
    path = tmp_path / "access.log"
    shell = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    writer = LineWriter(another(shell) if redirected else appending(path))
    before, during, after = (numbered(count) for count in (20, 5, 3))
    room = sum(map(len, before)) + len(during[0]) + 2
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        for lines, lost in ((before, 0), (during, 4), (during, 9)):
            for line in lines:
                writer.write(line)
            await until(lambda: writer.waiting_bytes == 0)
            assert writer.dropped == lost
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    for line in after:
        writer.write(line)
    writer.close()
    os.close(shell)
    assert path.read_bytes() == b"".join([*before, during[0], *after])
    assert (writer.written, writer.dropped) == (24, 9)
    assert [record.getMessage() for record in caplog.records] == [
        "the access log cannot be written: File too large. Its lines are lost until it can.",
        "the access log is written again. Lines lost so far: 9",
    ]


async def test_a_renamed_log_is_opened_anew(tmp_path: Path) -> None:
    path, old = tmp_path / "access.log", tmp_path / "access.log.1"
    writer = LineWriter(appending(path))
    writer.write(b"before\n")
    path.rename(old)
    writer.reopen()
    writer.write(b"after\n")
    writer.close()
    assert old.read_bytes() == b"before\n"
    assert path.read_bytes() == b"after\n"


async def test_a_log_that_cannot_be_opened_anew_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    writer = LineWriter(appending(folder / "access.log"))
    folder.rename(tmp_path / "away")
    writer.reopen()
    writer.write(b"after\n")
    writer.close()
    assert (tmp_path / "away" / "access.log").read_bytes() == b"after\n"
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == "the access log cannot be opened anew: No such file or directory. The old one is written on."


async def test_a_log_that_cannot_be_opened_is_tried_again_and_keeps_nobody_from_serving(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "logs" / "access.log"
    writer = LineWriter(appending(path))
    writer.write(b"lost\n")
    await until(lambda: writer.dropped == 1)
    path.parent.mkdir()
    writer.write(b"written\n")
    writer.close()
    assert path.read_bytes() == b"written\n"
    assert (writer.written, writer.dropped, writer.waiting_bytes) == (1, 1, 0)
    assert [record.getMessage() for record in caplog.records] == [
        "the access log cannot be opened: No such file or directory. Its lines are lost until it can.",
        "the access log is written again. Lines lost so far: 1",
    ]


def write_as_a_process(opener: Callable[[], int], name: int, count: int) -> int:
    """A child process that writes lines of its own; returns its id."""
    pid = os.fork()
    if pid:
        return pid

    async def main() -> None:
        writer = LineWriter(opener)
        for number in range(count):
            writer.write(b"%d %d %s\n" % (name, number, b"x" * (50 + number % 900)))
            if number % 50 == 0:
                await asyncio.sleep(0)
        writer.close()

    try:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_lines_of_several_processes_are_not_torn(tmp_path: Path, kind: str) -> None:
    processes, count = 3, 2000
    path = tmp_path / "access.log"
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    opener = appending(path) if kind == "file" else another(write_end)
    pids = [write_as_a_process(opener, name, count) for name in range(processes)]
    os.close(write_end)
    data = bytearray()
    while piece := os.read(read_end, 65536):
        data.extend(piece)
    os.close(read_end)
    for pid in pids:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    text = path.read_bytes() if kind == "file" else bytes(data)
    seen: dict[int, list[int]] = {}
    for line in text.splitlines():
        match = re.fullmatch(rb"(\d) (\d+) x{50,}", line)
        assert match is not None, line
        assert len(line) == len(match[1]) + len(match[2]) + 2 + 50 + int(match[2]) % 900
        seen.setdefault(int(match[1]), []).append(int(match[2]))
    assert seen == {name: list(range(count)) for name in range(processes)}


@given(st.lists(st.binary(max_size=300)), st.integers(1, 500))
def test_batches_are_the_lines_in_order_and_within_bounds(lines: list[bytes], limit: int) -> None:
    made = batches(lines, limit)
    assert [line for batch in made for line in batch] == lines
    assert all(batch for batch in made)
    assert all(sum(map(len, batch)) <= limit or len(batch) == 1 for batch in made)
