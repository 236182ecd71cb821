"""Remote media: the gateway fetches what a caller names by address and sends it inline (mapping.md 1.4)."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.house import Json, Script, answers, open_house, says
from portico.http.server import Server
from portico.wire.http import Exchange

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


async def serve_files(exchange: Exchange) -> None:
    """A picture whose server does not say what it is."""
    if exchange.request.path == "/picture":
        exchange.send(200, [("content-type", "application/octet-stream")], PNG)
    else:
        exchange.send(404, [], b"")


def seeing(*urls: str) -> Json:
    pictures = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    content = [{"type": "text", "text": "What is this?"}, *pictures]
    return {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": content}]}


async def test_a_picture_by_address_goes_inline_its_type_seen() -> None:
    script = Script(answers(says("a picture")))
    files = await Server(serve_files).start(port=0)
    async with open_house(script, allow=["127.0.0.1"]) as house:
        answer = await house.ask(seeing(f"http://127.0.0.1:{files.port}/picture"))
    await files.stop(grace_s=0)
    assert answer.status == 200
    parts = script.bodies[0]["contents"][0]["parts"]
    assert parts[1] == {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}}


@pytest.mark.parametrize("path", ["/nothing-here", "/picture"])
async def test_what_cannot_or_may_not_be_fetched_is_a_400_that_names_the_message(path: str) -> None:
    script = Script(answers(says("never asked")))
    files = await Server(serve_files).start(port=0)
    allow = ["127.0.0.1"] if path == "/nothing-here" else []
    async with open_house(script, allow=allow) as house:
        answer = await house.ask(seeing(f"http://127.0.0.1:{files.port}{path}"))
    await files.stop(grace_s=0)
    assert answer.status == 400
    assert answer.error["param"] == "messages[0]"
    assert script.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/watch?v=abc",
        "https://youtu.be/abc",
        "https://generativelanguage.googleapis.com/v1beta/files/abc",
        "gs://bucket/picture.png",
    ],
)
async def test_an_address_that_google_knows_itself_is_left_to_it(url: str) -> None:
    script = Script(answers(says("seen")))
    async with open_house(script) as house:
        answer = await house.ask(seeing(url))
    assert answer.status == 200
    assert script.bodies[0]["contents"][0]["parts"][1]["fileData"]["fileUri"] == url


@pytest.mark.parametrize("fetch", [True, False])
async def test_translate_fetches_only_when_it_is_told_to(fetch: bool, tmp_path: Path) -> None:
    files = await Server(serve_files).start(port=0)
    body = json.dumps(seeing(f"http://127.0.0.1:{files.port}/picture"))
    command = [sys.executable, "-m", "portico", "translate", "request", "--from", "openai_chat", "--to", "gemini"]
    environment = {**os.environ, "PORTICO_MEDIA_ALLOW": "127.0.0.0/8"}

    def run() -> subprocess.CompletedProcess[str]:
        flags = ["--fetch"] if fetch else []
        return subprocess.run(
            [*command, *flags], input=body, capture_output=True, text=True, env=environment, cwd=tmp_path, check=True
        )

    done = await asyncio.to_thread(run)
    await files.stop(grace_s=0)
    (_, picture) = json.loads(done.stdout)["body"]["contents"][0]["parts"]
    assert ("inlineData" if fetch else "fileData") in picture
