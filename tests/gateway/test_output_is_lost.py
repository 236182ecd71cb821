"""Commands whose output cannot be written: a full disk behind `>`, a reader that has seen enough."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from gateway.commands import environment
from gateway.house import soon

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")

COMMANDS = ["--version", "models", "keys create --help", "keys list"]
BUFFERED = [{"PYTHONUNBUFFERED": ""}, {"PYTHONUNBUFFERED": "1"}]
"""What cannot be written is found at once, or when everything has been said."""


async def _started(words: str, folder: Path, output: int, extra: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "portico", *words.split()),
        cwd=folder,
        env=environment(extra),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=asyncio.subprocess.PIPE,
    )


async def _ended(words: str, folder: Path, output: int, extra: dict[str, str]) -> tuple[int | None, str]:
    process = await _started(words, folder, output, extra)
    _, said = await soon(process.communicate())
    return process.returncode, said.decode()


@pytest.mark.parametrize("extra", BUFFERED)
@pytest.mark.parametrize("words", COMMANDS)
async def test_a_full_disk_is_one_line_and_exit_code_1(words: str, extra: dict[str, str], tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        code, said = await _ended(words, tmp_path, full, extra)
    finally:
        os.close(full)
    assert said.splitlines() == [
        "Error: the output could not be written: No space left on device. A change may have been made all the same."
    ]
    assert code == 1


@pytest.mark.parametrize("extra", BUFFERED)
@pytest.mark.parametrize("words", COMMANDS)
async def test_a_reader_that_has_seen_enough_is_no_error_to_speak_of(
    words: str, extra: dict[str, str], tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert await _ended(words, tmp_path, writing, extra) == (1, "")
    finally:
        os.close(writing)


@pytest.mark.parametrize("extra", BUFFERED)
async def test_a_gateway_whose_greeting_cannot_be_written_serves_all_the_same(
    extra: dict[str, str], tmp_path: Path
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        process = await _started("serve --simulate --port 0 --access-log off --workers 2", tmp_path, full, extra)
    finally:
        os.close(full)
    assert process.stderr is not None
    line = (await soon(process.stderr.readline())).decode()
    assert re.fullmatch(r"Careful: the greeting could not be written: No space left on device\. .*:\d+\n", line)
    host, port = line.rsplit("//", 1)[1].split(":")
    reader, writer = await soon(asyncio.open_connection(host, int(port)))
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b" 200 " in await soon(reader.readline())
    writer.close()
    process.terminate()
    _, said = await soon(process.communicate())
    assert (process.returncode, said) == (0, b"")
