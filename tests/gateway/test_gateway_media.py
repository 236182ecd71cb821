"""Media on their way in: fetched by address, made to fit the provider, or refused (mapping.md 1.4, 1.5)."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from edges.sockets import until
from gateway.house import House, Json, Script, answers, open_house, says
from portico.http.budget import Budget
from portico.http.server import Server
from portico.providers import KINDS
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


# -- what fetched files take of the room for bodies ----------------------------------------------------------------------

FILE = PNG + bytes(30_000 - len(PNG))
IN_BASE64 = 40_000


class Library:
    """Serves pictures of 30,000 bytes at every address: `/declared…` with their length, `/pieces…` without."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, exchange: Exchange) -> None:
        self.asked += 1
        if exchange.request.path.startswith("/declared"):
            exchange.send(200, [("content-type", "image/png")], FILE)
            return
        exchange.start(200, [("content-type", "image/png")])
        for at in range(0, len(FILE), 1000):
            exchange.write(FILE[at : at + 1000])
            await asyncio.sleep(0)
        exchange.finish()


class Patient:
    """A provider that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.go = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        self.asked += 1
        await self.go.wait()
        await answers(says("seen"))(exchange)


@asynccontextmanager
async def shelves(room: int) -> AsyncIterator[tuple[House, Patient, Library, str]]:
    """A gateway with so much room for bodies, a provider that waits, and pictures below an address."""
    library, patient = Library(), Patient()
    files = await Server(library).start(port=0)
    budget = Budget(max_body_bytes=room)
    async with open_house(patient, allow=["127.0.0.1"], budget=budget) as house:
        yield house, patient, library, f"http://127.0.0.1:{files.port}"
    await files.stop(grace_s=0)
    assert budget.body_bytes == 0


@pytest.mark.parametrize("path", ["declared", "pieces"])
async def test_a_fetched_file_takes_the_room_of_one_in_the_body_until_its_call_is_over(path: str) -> None:
    async with shelves(100_000) as (house, patient, library, address):
        asked = seeing(f"{address}/{path}")
        for fetched in (1, 1):  # the second time it is remembered
            call = asyncio.create_task(house.ask(asked))
            await until(lambda: patient.asked > 0)
            assert IN_BASE64 < house.budget.body_bytes < IN_BASE64 + 1000
            patient.go.set()
            assert (await call).status == 200
            await until(lambda: house.budget.body_bytes == 0)
            patient.asked = 0
            patient.go.clear()
            assert library.asked == fetched


@pytest.mark.parametrize("path", ["declared", "pieces"])
async def test_files_that_no_room_is_left_for_are_a_503_and_reach_no_provider(path: str) -> None:
    async with shelves(100_000) as (house, patient, _, address):
        patient.go.set()
        refused = await house.ask(seeing(*[f"{address}/{path}/{number}" for number in range(6)]))
        assert (refused.status, refused.error["code"]) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        assert (patient.asked, house.budget.refused_bodies) == (0, 1)
        await until(lambda: house.budget.body_bytes == 0)
        assert (await house.ask(seeing(*[f"{address}/{path}/{number}" for number in range(2)]))).status == 200


async def test_callers_with_files_leave_each_other_no_more_room_than_there_is() -> None:
    async with shelves(100_000) as (house, patient, _, address):
        calls = [asyncio.create_task(house.ask(seeing(f"{address}/declared/{number}"))) for number in range(5)]
        await until(lambda: sum(call.done() for call in calls) == 3)
        assert {call.result().status for call in calls if call.done()} == {503}
        await until(lambda: patient.asked == 2)
        patient.go.set()
        assert sorted([(await call).status for call in calls]) == [200, 200, 503, 503, 503]


# -- what the provider does not take ----------------------------------------------------------------------------------


def moving_gif() -> bytes:
    out = BytesIO()
    frames = [Image.new("L", (4, 4), shade) for shade in (0, 200)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def data_uri(mime: str, raw: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(raw).decode()}"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_gif_goes_out_as_a_png_and_a_text_file_as_text(stream: bool) -> None:
    async with open_house() as house:
        body = seeing(data_uri("image/gif", moving_gif()))
        document = {"filename": "a.yaml", "file_data": base64.b64encode(b"a: 1").decode()}
        body["messages"][0]["content"].append({"type": "file", "file": document})
        answer = await house.ask({**body, "stream": stream})
        _, picture, text = house.simulator.stats.last.body["contents"][0]["parts"]
    assert answer.status == 200
    assert picture["inlineData"]["mimeType"] == "image/png"
    assert base64.b64decode(picture["inlineData"]["data"]).startswith(b"\x89PNG")
    assert text == {"text": "a.yaml\na: 1"}
    assert answer.changes == [
        {
            "code": "1.5:frames",
            "path": "$.messages[0]",
            "message": "of the file (image/gif) the model sees the first frame",
        }
    ]


# (content part, what the message says)
REFUSED: dict[str, tuple[Json, str]] = {
    "a broken gif": ({"type": "image_url", "image_url": {"url": data_uri("image/gif", b"GIF89a")}}, "cut short"),
    "an archive": ({"type": "file", "file": {"file_data": "UEsDBAAA//4=", "filename": "a.zip"}}, "cannot be told"),
    "a word document": (
        {"type": "image_url", "image_url": {"url": data_uri("application/msword", b"\xd0\xcf\x11\xe0")}},
        "does not take",
    ),
    "another provider's file": ({"type": "file", "file": {"file_id": "file-abc"}}, "file-abc"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_made_to_fit_is_a_400_before_anybody_is_asked(name: str) -> None:
    part, said = REFUSED[name]
    async with open_house() as house:
        body = {"model": "gemini-3.5-flash", "messages": [{"role": "user", "content": [part]}]}
        answer = await house.ask(body)
        asked = house.simulator.stats.requests
    assert (answer.status, answer.error["param"]) == (400, "messages[0]")
    assert said in answer.error["message"]
    assert asked == 0


@pytest.mark.parametrize("remote", [False, True])
async def test_more_than_the_provider_takes_inline_is_a_413(remote: bool) -> None:
    """1.5, over the limit"""
    gemini = KINDS["gemini"]
    assert gemini.intake is not None
    small = msgspec.structs.replace(gemini, intake=msgspec.structs.replace(gemini.intake, max_inline_bytes=50))
    files = await Server(serve_files).start(port=0)
    script = Script(answers(says("never asked")))
    async with open_house(script, allow=["127.0.0.1"], kinds=[small]) as house:
        url = f"http://127.0.0.1:{files.port}/picture" if remote else data_uri("image/png", PNG)
        answer = await house.ask(seeing(url))
    await files.stop(grace_s=0)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (413, "request_too_large", "messages")
    assert script.requests == []


async def test_translate_converts_as_serving_does(tmp_path: Path) -> None:
    body = json.dumps(seeing(data_uri("image/gif", moving_gif()), data_uri("application/json", b"{}")))
    command = [sys.executable, "-m", "portico", "translate", "request", "--from", "openai_chat", "--to", "gemini"]
    done = await asyncio.to_thread(
        subprocess.run, command, input=body.encode(), capture_output=True, cwd=tmp_path, check=True
    )
    told = json.loads(done.stdout)
    _, picture, text = told["body"]["contents"][0]["parts"]
    assert picture["inlineData"]["mimeType"] == "image/png"
    assert text == {"text": "{}"}
    assert [loss["code"] for loss in told["losses"]] == ["1.5:frames"]
