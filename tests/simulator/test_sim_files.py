"""The simulator's files, OpenAI's and Google's: what they tell, and what they refuse."""

from collections.abc import Mapping
from typing import Any

import pytest

from portico.simulator import Simulator
from portico.wire.http import HttpRequest
from simulator.sim_memory import Memory

OPENAI: Mapping[str, str] = {"authorization": "Bearer a-key", "content-type": "multipart/form-data; boundary=b"}
GOOGLE: Mapping[str, str] = {"x-goog-api-key": "a-key"}
START: Mapping[str, str] = {
    "x-goog-upload-protocol": "resumable",
    "x-goog-upload-command": "start",
    "x-goog-upload-header-content-type": "text/plain",
    "host": "simulated",
}


def form(*parts: tuple[str, str]) -> bytes:
    """Fields; one whose name begins with `@` is a file."""
    told = ""
    for name, value in parts:
        file = '; filename="a.txt"' if name[0] == "@" else ""
        told += f'--b\r\nContent-Disposition: form-data; name="{name.lstrip("@")}"{file}\r\n\r\n{value}\r\n'
    return f"{told}--b--\r\n".encode()


async def ask(
    sim: Simulator,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] = OPENAI,
    query: str = "",
) -> Memory:
    one = Memory(HttpRequest(method, path, query, dict(headers), body))
    await sim(one)
    return one


async def bring(sim: Simulator, data: bytes, command: str = "upload, finalize", offset: int = 0, **more: str) -> Memory:
    """A file of Google's: begun, and its first piece brought."""
    begun = await ask(sim, "POST", "/upload/v1beta/files", b"{}", {**GOOGLE, **START, **more})
    query = begun.headers["x-goog-upload-url"].partition("?")[2]
    piece = {"x-goog-upload-command": command, "x-goog-upload-offset": str(offset)}
    return await ask(sim, "POST", "/upload/v1beta/files", data, piece, query)


async def test_openai_gives_back_what_is_no_model_s_to_read() -> None:
    sim = Simulator()
    made = (await ask(sim, "POST", "/v1/files", form(("purpose", "batch"), ("@file", "Hi")))).json()
    assert (made["bytes"], made["filename"], made["purpose"]) == (2, "a.txt", "batch")
    assert (await ask(sim, "GET", f"/v1/files/{made['id']}/content")).data == b"Hi"
    read = (await ask(sim, "POST", "/v1/files", form(("purpose", "user_data"), ("@file", "Hi")))).json()
    assert (await ask(sim, "GET", f"/v1/files/{read['id']}/content")).status == 400
    assert [one["id"] for one in (await ask(sim, "GET", "/v1/files")).json()["data"]] == [read["id"], made["id"]]


REFUSED: list[tuple[bytes, str | None]] = [
    (form(("purpose", "poetry"), ("@file", "Hi")), None),
    (form(("@file", "Hi")), "purpose"),
    (form(("purpose", "batch")), "file"),
    (form(("purpose", "batch"), ("file", "Hi")), "file"),
    (form(("purpose", "batch"), ("@file", "Hi"), ("colour", "red")), "colour"),
    (b"{}", None),
]


@pytest.mark.parametrize(("body", "param"), REFUSED)
async def test_openai_refuses_a_form_that_is_wrong(body: bytes, param: str | None) -> None:
    refused = await ask(Simulator(), "POST", "/v1/files", body)
    assert (refused.status, refused.json()["error"]["param"]) == (400, param)


async def test_a_key_sees_its_own_files_alone() -> None:
    sim = Simulator()
    made = (await ask(sim, "POST", "/v1/files", form(("purpose", "batch"), ("@file", "Hi")))).json()
    other = {**OPENAI, "authorization": "Bearer other-key"}
    assert (await ask(sim, "GET", f"/v1/files/{made['id']}", headers=other)).status == 404
    assert (await ask(sim, "GET", "/v1/files", headers=other)).json()["data"] == []
    assert (await ask(sim, "GET", "/v1/files", headers={})).status == 401
    file = (await bring(sim, b"Hello")).json()["file"]
    path = f"/v1beta/{file['name']}"
    assert (await ask(sim, "GET", path, headers=GOOGLE)).json() == file
    assert (await ask(sim, "GET", path, headers={"x-goog-api-key": "other-key"})).status == 403


WRONG_PIECES: list[tuple[dict[str, Any], str]] = [
    ({"offset": 5}, "offset"),
    ({"command": "upload"}, "multiple"),
    ({"command": "dance"}, "command"),
    ({"x-goog-upload-header-content-length": "7"}, "announced"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG_PIECES)
async def test_google_takes_pieces_in_order_and_the_length_that_was_announced(wrong: dict[str, Any], said: str) -> None:
    refused = await bring(Simulator(), b"Hello", **wrong)
    assert refused.status == 400
    assert said in refused.json()["error"]["message"]


async def test_google_keeps_a_file_for_two_days() -> None:
    now = 1_800_000_000.0
    sim = Simulator(now=lambda: now)
    file = (await bring(sim, b"Hello")).json()["file"]
    now += 48 * 3600 - 1
    assert (await ask(sim, "GET", f"/v1beta/{file['name']}", headers=GOOGLE)).status == 200
    now += 1
    assert (await ask(sim, "GET", f"/v1beta/{file['name']}", headers=GOOGLE)).status == 403
