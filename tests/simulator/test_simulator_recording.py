"""What a simulator is asked can be written down: each request once, with its status, and without its credentials."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.commands import portico
from gateway.house import as_bytes
from portico.simulator import Simulator
from portico.simulator.recording import Recording
from portico.wire.http import HttpRequest
from simulator.sim_memory import Memory, user

PATH = "/v1beta/models/gemini-3.5-flash:streamGenerateContent"
HEADERS = {"x-goog-api-key": "secret-of-mine", "authorization": "Bearer secret-of-mine", "user-agent": "ours"}


async def recorded(method: str, path: str, body: bytes) -> dict[str, Any]:
    lines: list[bytes] = []
    await Recording(Simulator(), lines.append)(Memory(HttpRequest(method, path, "alt=sse", HEADERS, body)))
    (line,) = lines
    assert line.endswith(b"\n")
    assert b"secret-of-mine" not in line
    told: dict[str, Any] = json.loads(line)
    return told


async def test_a_line_says_what_was_asked_and_how_it_went() -> None:
    body = user("Hello")
    assert await recorded("POST", PATH, as_bytes(body)) == {
        "method": "POST",
        "path": PATH,
        "query": "alt=sse",
        "headers": {"user-agent": "ours"},
        "body": body,
        "body_bytes": len(as_bytes(body)),
        "status": 200,
    }


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [(PATH, b"no json", 400), (PATH.replace("gemini", "other"), as_bytes(user("Hello")), 404), ("/nowhere", b"", 404)],
)
async def test_what_was_refused_is_there_as_well(path: str, body: bytes, status: int) -> None:
    assert (await recorded("POST", path, body))["status"] == status


async def test_the_command_adds_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "asked.jsonl"
    file.write_text("before\n")
    async with portico("simulate", "--port", "0", "--record", str(file), folder=tmp_path) as command:
        reader, writer = await asyncio.open_connection("127.0.0.1", await command.port())
        writer.write(b"GET /v1beta/models HTTP/1.1\r\nhost: x\r\nx-goog-api-key: any\r\nconnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
    before, line = file.read_text().splitlines()
    assert before == "before"
    assert json.loads(line)["path"] == "/v1beta/models"
