"""Files at providers: brought, listed, shown, given back and deleted, each for who brought it (mapping.md 5.7)."""

import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import databases
from gateway.house import KEY, OTHER_KEY, Answer, House, Json, Script, answers, chat, open_house, says
from money.paid import Counter
from portico.core.masking import fingerprint
from portico.http.limits import Limits
from portico.http.server import Server
from portico.providers import KINDS, NO_KEY, Secret
from portico.relay.relay import Settings
from portico.relay.tickets import Ticket, issued
from portico.simulator import Simulator
from portico.vault import Resources
from portico.vault.resources import FILE
from portico.wire.http import App, Exchange

OPENAI_KIND, GEMINI_KIND = KINDS["openai"], KINDS["gemini"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
BOUNDARY = "gateway-boundary-7"


class Filed:
    """A house that knows whose files are whose."""

    def __init__(self, house: House, resources: Resources, counter: Counter) -> None:
        self.house = house
        self.resources = resources
        self.counter = counter

    async def ask(self, method: str, path: str, body: Any = None, *, key: str = KEY, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.house.ask(body, path=path, method=method, key=key, headers=named)

    async def bring(self, data: bytes = b"Hello", *, key: str = KEY, path: str = "/v1/files", **more: str) -> Answer:
        """As OpenAI's clients do."""
        fields = {"purpose": "user_data", **{name: value for name, value in more.items() if "x_" not in name}}
        headers = {name: value for name, value in more.items() if "x_" in name}
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return await self.ask("POST", path, form(data, **fields), key=key, content_type=kind, **headers)

    async def google(self, method: str, path: str, body: Any = None, *, key: str = KEY, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        fields = {"x-goog-api-key": key, **named}
        return await self.house.ask(body, path=path, method=method, key=None, headers=fields)

    async def begin(self, size: int, *, key: str = KEY, mime: str = "image/png", file: Json | None = None) -> Answer:
        """As Google's clients do."""
        return await self.google(
            "POST",
            "/upload/v1beta/files",
            {"file": file or {"display_name": "A picture"}},
            key=key,
            x_goog_upload_protocol="resumable",
            x_goog_upload_command="start",
            x_goog_upload_header_content_length=str(size),
            x_goog_upload_header_content_type=mime,
        )

    async def piece(self, begun: Answer, data: bytes, offset: int = 0, command: str = "upload, finalize") -> Answer:
        """Without a key, as Google's clients bring them."""
        address = begun.headers["x-goog-upload-url"]
        assert address.startswith("http://gateway/upload/")  # the host that the client named
        path = address.removeprefix("http://gateway")
        headers = {"x-goog-upload-command": command, "x-goog-upload-offset": str(offset)}
        return await self.house.ask(data, path=path, key=None, headers=headers)


def form(data: bytes, *, filename: str = "hello.txt", kind: str = "text/plain", **fields: str) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
    parts.append(f"{head}Content-Type: {kind}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@contextlib.asynccontextmanager
async def filed(folder: Path, provider: App | None = None, **options: Any) -> AsyncIterator[Filed]:
    path = folder / "books.db"
    databases.sqlite_books(path)
    counter = Counter(path)
    resources = Resources(counter, counter, now=time.time)
    try:
        async with open_house(provider or Simulator(now=time.time), resources=resources, **options) as house:
            yield Filed(house, resources, counter)
    finally:
        counter.shut()


def code_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.error["code"]


# -- OpenAI's own ----------------------------------------------------------------------------------------------------


async def test_a_file_lives_its_life_at_openai(tmp_path: Path) -> None:
    async with filed(tmp_path, kinds=(OPENAI_KIND,)) as at:
        brought = await at.bring(PNG, purpose="batch", filename="pixel.png", kind="image/png")
        assert brought.status == 200, brought.body
        file = brought.json()
        assert (file["object"], file["bytes"], file["filename"]) == ("file", len(PNG), "pixel.png")
        assert (await at.ask("GET", f"/v1/files/{file['id']}")).json() == file
        assert (await at.ask("GET", f"/v1/files/{file['id']}/content")).body == PNG
        listed = (await at.ask("GET", "/v1/files")).json()
        assert (listed["data"], listed["has_more"]) == ([file], False)
        gone = await at.ask("DELETE", f"/v1/files/{file['id']}")
        assert gone.json() == {"id": file["id"], "object": "file", "deleted": True}
        assert code_of(await at.ask("GET", f"/v1/files/{file['id']}")) == (404, "not_found")
        assert (await at.ask("GET", "/v1/files")).json()["data"] == []


async def test_what_somebody_brought_is_no_page_of_the_house(tmp_path: Path) -> None:
    """A link with the key of whoever wrote it opens in any browser, also of somebody who is signed in."""
    page = b"<script>fetch('/console')</script>"

    async def provider(exchange: Exchange) -> None:
        if exchange.request.path.endswith("/content"):
            exchange.send(200, [("content-type", "text/html")], page)
        else:
            exchange.send(200, [("content-type", "application/json")], b'{"id":"file-abc1","object":"file"}')

    async with filed(tmp_path, provider, kinds=(OPENAI_KIND,)) as at:
        assert (await at.bring(page)).status == 200
        shown = await at.ask("GET", f"/openai/files/file-abc1/content?key={KEY}", key="")
        assert (shown.status, shown.body) == (200, page)
        assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert shown.headers["x-content-type-options"] == "nosniff"


async def test_the_form_passes_as_it_is_with_the_gateway_s_own_credential(tmp_path: Path) -> None:
    told = {"id": "file-abc1", "object": "file", "new": 1}
    script = Script(answers(told))
    async with filed(tmp_path, script, kinds=(OPENAI_KIND,)) as at:
        brought = await at.bring(b"\x00\xff" * 50, purpose="vision", unheard_of="yes")
        assert brought.json() == told
        (request,) = script.requests
        assert request.body == form(b"\x00\xff" * 50, purpose="vision", unheard_of="yes")
        assert request.headers["content-type"] == f"multipart/form-data; boundary={BOUNDARY}"
        assert request.headers["authorization"] == "Bearer good-key"
        assert request.path == "/v1/files"


@pytest.mark.parametrize("path", ["/v1/files", "/files", "/v1beta/openai/files"])
async def test_files_are_where_clients_look_for_them(tmp_path: Path, path: str) -> None:
    async with filed(tmp_path, kinds=(OPENAI_KIND,)) as at:
        file = (await at.bring(path=path)).json()
        assert (await at.ask("GET", f"{path}/{file['id']}")).json() == file


async def test_a_refusal_is_the_provider_s_and_nothing_is_kept(tmp_path: Path) -> None:
    async with filed(tmp_path, kinds=(OPENAI_KIND,)) as at:
        refused = await at.bring(purpose="poetry")
        assert refused.status == 400
        assert "'poetry' is not one of" in refused.error["message"]
        assert (await at.ask("GET", "/v1/files/x/content")).status == 404
        assert (await at.ask("GET", "/v1/files")).json()["data"] == []


# -- whose -----------------------------------------------------------------------------------------------------------


async def test_another_s_file_is_as_if_it_were_not(tmp_path: Path) -> None:
    async with filed(tmp_path, kinds=(OPENAI_KIND,)) as at:
        name = (await at.bring(purpose="batch")).json()["id"]
        for method, end in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
            taken = await at.ask(method, f"/v1/files/{name}{end}", key=OTHER_KEY)
            never = await at.ask(method, f"/v1/files/file-never{end}", key=OTHER_KEY)
            assert taken.status == never.status == 404
            assert taken.body.decode().replace(name, "X") == never.body.decode().replace("file-never", "X")
        assert (await at.ask("GET", "/v1/files", key=OTHER_KEY)).json()["data"] == []
        assert (await at.ask("GET", f"/v1/files/{name}")).status == 200


async def test_a_file_is_used_with_the_key_that_brought_it(tmp_path: Path) -> None:
    async with filed(tmp_path, kinds=(OPENAI_KIND,), keys=("key-one", "key-two")) as at:
        name = (await at.bring()).json()["id"]
        content = [{"type": "file", "file": {"file_id": name}}]
        ask = {"model": "gpt-5.5", "messages": [{"role": "user", "content": content}]}
        for _ in range(6):
            answer = await at.ask("POST", "/v1/chat/completions", ask)
            assert answer.status == 200, answer.body
        assert {seen.key for seen in at.house.simulator.stats.seen} == {"key-one"}
        assert (await at.ask("POST", "/v1/chat/completions", ask, key=OTHER_KEY)).status == 404
        other = await at.ask("POST", "/v1/chat/completions", ask | {"model": "gpt-5.5", "n": 1}, key=OTHER_KEY)
        assert other.status == 404


async def test_a_picture_to_be_changed_may_be_a_file_of_one_s_own(tmp_path: Path) -> None:
    script = Script(answers({"id": "file-abc1", "object": "file"}), answers({"created": 1, "data": [{"b64_json": ""}]}))
    async with filed(tmp_path, script, kinds=(OPENAI_KIND,)) as at:
        assert (await at.bring()).status == 200
        edit = {"model": "gpt-image-2", "prompt": "A hat", "images": [{"file_id": "file-abc1"}]}
        assert (await at.ask("POST", "/v1/images/edits", edit, key=OTHER_KEY)).status == 404
        assert len(script.requests) == 1
        assert (await at.ask("POST", "/v1/images/edits", edit)).status == 200


async def test_a_key_that_is_not_let_in_gives_way_to_the_next(tmp_path: Path) -> None:
    async with filed(tmp_path, kinds=(OPENAI_KIND,), keys=("bad-key-1", "good-key")) as at:
        name = (await at.bring()).json()["id"]
        (found,) = (await at.resources.owned("alice", [(FILE, name)]))[FILE, name]
        assert found.credential == fingerprint("good-key")


async def test_a_file_whose_key_is_gone_says_so(tmp_path: Path) -> None:
    async with filed(tmp_path, kinds=(OPENAI_KIND,)) as at:
        name = (await at.bring()).json()["id"]
        at.house._keys = ("another-key",)
        await at.house.restart()
        answer = await at.ask("GET", f"/v1/files/{name}")
        assert answer.status == 404
        assert "no longer configured" in answer.error["message"]
        assert (await at.ask("GET", "/v1/files")).json()["data"] == []


async def test_a_file_that_is_gone_at_its_provider_is_gone(tmp_path: Path) -> None:
    async with filed(tmp_path, kinds=(OPENAI_KIND,)) as at:
        name = (await at.bring()).json()["id"]
        other = Simulator()  # which has lost everything
        at.house.simulator._doors = other._doors
        assert (await at.ask("GET", "/v1/files")).json()["data"] == []
        assert (await at.ask("DELETE", f"/v1/files/{name}")).status == 404
        assert await at.resources.owned("alice", [(FILE, name)]) == {}


async def test_a_list_comes_in_pages(tmp_path: Path) -> None:
    async with filed(tmp_path, kinds=(OPENAI_KIND,)) as at:
        names = {(await at.bring()).json()["id"] for _ in range(5)}
        await at.bring(key=OTHER_KEY)
        seen: list[str] = []
        after = ""
        while True:
            page = (await at.ask("GET", f"/v1/files?limit=2{after}")).json()
            seen += [one["id"] for one in page["data"]]
            assert len(page["data"]) <= 2
            if not page["has_more"]:
                break
            after = f"&after={page['last_id']}"
        assert len(seen) == 5
        assert set(seen) == names
        assert (await at.ask("GET", "/v1/files?purpose=batch")).json()["data"] == []
        for limit in ("0", "0" * 8 + "1" * 5000):
            assert (await at.ask("GET", f"/v1/files?limit={limit}")).error["param"] == "limit"


# -- which provider --------------------------------------------------------------------------------------------------


async def test_a_caller_may_say_at_which_provider(tmp_path: Path) -> None:
    async with filed(tmp_path, kinds=(OPENAI_KIND, GEMINI_KIND)) as at:
        assert (await at.bring()).json()["id"].startswith("file-")
        assert (await at.bring(x_portico_providers="gemini")).json()["id"].startswith("files/")
        unknown = await at.bring(x_portico_providers="nowhere")
        assert (unknown.status, unknown.error["param"]) == (400, "x-portico-providers")
        both = (await at.ask("GET", "/v1/files")).json()["data"]
        assert len(both) == 2


async def test_a_server_that_turns_out_to_keep_none_gives_way_to_the_next(tmp_path: Path) -> None:
    """The first provider is a server of OpenAI's dialect without files."""

    nothing = Script(answers({"error": {"message": "Not Found"}}, 404))
    async with filed(tmp_path, nothing, kinds=(KINDS["openai-compatible"],)) as at:
        answer = await at.bring()
        assert code_of(answer) == (404, "not_offered")
        assert "openai-compatible keeps no files" in answer.error["message"]
    google = Simulator(now=time.time)

    async def first(exchange: Exchange) -> None:
        await (google if exchange.request.path.startswith("/upload/") else nothing)(exchange)

    async with filed(tmp_path / "..", first, kinds=(KINDS["openai-compatible"], GEMINI_KIND)) as at:
        assert (await at.bring()).json()["id"].startswith("files/")


async def test_a_page_holds_what_is_there_though_some_are_gone(tmp_path: Path) -> None:
    gone: set[str] = set()
    made = iter(range(100))

    async def act(exchange: Exchange) -> None:
        request = exchange.request
        name = request.path.rpartition("/")[2] if request.method == "GET" else f"file-{next(made):02}"
        told = {"error": {"message": "No such File object"}} if name in gone else {"id": name, "object": "file"}
        return await answers(told, 404 if name in gone else 200)(exchange)

    async with filed(tmp_path, act, kinds=(OPENAI_KIND,)) as at:
        names = [(await at.bring()).json()["id"] for _ in range(9)]
        gone |= {names[0], names[2], names[3], names[6]}
        seen: list[str] = []
        after = ""
        for _ in range(9):
            page = (await at.ask("GET", f"/v1/files?limit=2{after}")).json()
            seen += [one["id"] for one in page["data"]]
            if not page["has_more"]:
                break
            assert len(page["data"]) == 2
            after = f"&after={page['last_id']}"
        assert seen == [name for name in names if name not in gone]


async def test_where_nobody_keeps_files_that_is_said(tmp_path: Path) -> None:
    async with filed(tmp_path, kinds=(KINDS["vertex"],)) as at:
        answer = await at.bring()
        assert code_of(answer) == (404, "not_offered")
        assert "base64" in answer.error["message"]
    async with filed(tmp_path / "..", kinds=(OPENAI_KIND,)) as at:
        begun = await at.begin(5)
        assert begun.status == 404
        assert begun.json()["error"]["status"] == "NOT_FOUND"


async def test_without_a_registry_there_are_no_files() -> None:
    async with open_house(kinds=(OPENAI_KIND,)) as house:
        assert (await house.ask(None, path="/v1/files", method="GET")).status == 404


# -- Google's --------------------------------------------------------------------------------------------------------


async def test_a_file_comes_in_pieces_to_google_and_lives_its_life(tmp_path: Path) -> None:
    async with filed(tmp_path) as at:
        data = bytes(range(256)) * 1024 + b"rest"
        begun = await at.begin(len(data))
        assert begun.headers["x-goog-upload-status"] == "active"
        first = await at.piece(begun, data[:262144], 0, "upload")
        assert first.headers["x-goog-upload-status"] == "active"
        last = await at.piece(begun, data[262144:], 262144)
        assert last.headers["x-goog-upload-status"] == "final"
        file = last.json()["file"]
        assert (file["sizeBytes"], file["displayName"], file["state"]) == (str(len(data)), "A picture", "ACTIVE")
        path = f"/v1beta/{file['name']}"
        assert (await at.google("GET", path)).json() == file
        assert (await at.google("GET", "/v1beta/files")).json() == {"files": [file]}
        assert (await at.google("GET", "/v1beta/files", key=OTHER_KEY)).json() == {}
        assert (await at.google("GET", path, key=OTHER_KEY)).status == 404
        assert (await at.google("GET", f"{path}:download?alt=media")).status == 400  # Google's own refusal
        assert (await at.google("DELETE", path)).json() == {}
        assert (await at.google("GET", path)).status == 404


async def test_what_was_brought_is_used_in_a_call_by_its_owner_alone(tmp_path: Path) -> None:
    async with filed(tmp_path, keys=("key-one", "key-two")) as at:
        file = (await at.piece(await at.begin(len(PNG)), PNG)).json()["file"]
        part = {"fileData": {"fileUri": file["uri"], "mimeType": "image/png"}}
        body = {"contents": [{"role": "user", "parts": [part, {"text": "Look"}]}]}
        path = "/v1beta/models/gemini-3.5-flash:generateContent"
        for _ in range(4):
            assert (await at.google("POST", path, body)).status == 200
        assert {seen.key for seen in at.house.simulator.stats.seen if seen.key} == {"key-one"}
        assert (await at.google("POST", path, body, key=OTHER_KEY)).status == 404


@pytest.mark.parametrize("size", [1, 7, 64])
async def test_pieces_of_any_size_are_one_file(tmp_path: Path, size: int) -> None:
    """A provider that takes pieces of any size: they come there as they were cut."""
    pieces: list[tuple[str, bytes]] = []

    async def act(exchange: Exchange) -> None:
        request = exchange.request
        if request.headers["x-goog-upload-command"] == "start":
            host = request.headers["host"]
            exchange.send(200, [("x-goog-upload-url", f"http://{host}/upload/v1beta/files?upload_id=u")], b"")
            return
        pieces.append((request.headers["x-goog-upload-offset"], request.body))
        final = "finalize" in request.headers["x-goog-upload-command"]
        told = {"file": {"name": "files/abc"}} if final else {}
        status = "final" if final else "active"
        exchange.send(200, [("x-goog-upload-status", status)], json.dumps(told).encode())

    async with filed(tmp_path, act) as at:
        begun = await at.begin(100)
        data = bytes(range(100))
        for offset in range(0, 100, size):
            command = "upload" if offset + size < 100 else "upload, finalize"
            assert (await at.piece(begun, data[offset : offset + size], offset, command)).status == 200
        assert b"".join(piece for _, piece in pieces) == data
        assert [int(offset) for offset, _ in pieces] == list(range(0, 100, size))
        assert (await at.resources.owned("alice", [(FILE, "files/abc")])).keys() == {(FILE, "files/abc")}


async def test_an_address_for_pieces_cannot_be_made_up(tmp_path: Path) -> None:
    secret = Secret("good-key", "a test")
    async with filed(tmp_path) as at:
        base = f"http://127.0.0.1:{at.house._provider_server.port}/upload/v1beta/files?upload_id=x"
        now = time.time()
        forged = [
            issued("alice", "gemini", Secret("stolen", "a test"), base, now),
            issued("alice", "gemini", secret, base, now - 2 * 24 * 3600),
            issued("alice", "gemini", secret, "http://127.0.0.1:9/elsewhere", now),
            issued("alice", "gemini", secret, "https://googleapis.com.example.com/", now),
            issued("alice", "nobody", secret, base, now),
            issued("alice", "gemini", secret, base, now)[:-2],
            "x" * 10_000,
            "%C3%A4",
            "",
            *[
                base64.urlsafe_b64encode(said + b"x" * 32).rstrip(b"=").decode()
                for said in (
                    b'["alice","gemini","m","http://[",99999999999]',
                    b'["alice","gemini","m","u",1,' + b"[" * 4000,
                    b"\xff\xfe",
                    b"",
                )
            ],
            issued("alice", "gemini", secret, "http://[", now),
        ]
        for ticket in forged:
            answer = await at.house.ask(b"", path=f"/upload/v1beta/files?upload_id={ticket}", key=None)
            assert answer.status in (400, 401), ticket
        assert at.house.simulator.stats.requests == 0
        good = issued("alice", "gemini", secret, base, now)
        assert Ticket.read(good, at.house.relay.files._providers.values(), now) is not None  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["openai-compatible", "gemini"])
async def test_a_provider_that_wants_no_key_seals_no_address(tmp_path: Path, kind: str) -> None:
    """Anybody can write what is sealed with nothing."""
    script = Script(answers({}))
    async with filed(tmp_path, script, kinds=(KINDS[kind],), keys=("",)) as at:
        url = f"http://127.0.0.1:{at.house._provider_server.port}/v1/chat/completions"
        ticket = issued("alice", kind, NO_KEY, url, time.time())
        answer = await at.house.ask(b"{}", path=f"/upload/v1beta/files?upload_id={ticket}", key=None)
        assert answer.status == 401
        assert (await at.begin(3)).status == 404
        assert script.requests == []


async def test_a_long_piece_without_a_key_is_let_in_by_its_address_alone(tmp_path: Path) -> None:
    data = b"\x01" * (4 * 1024 * 1024)
    async with filed(tmp_path) as at:
        begun = await at.begin(len(data))
        assert (await at.piece(begun, data)).json()["file"]["sizeBytes"] == str(len(data))
        refused = await at.house.ask(data, path="/upload/v1beta/files?upload_id=none", key=None)
        assert refused.status == 401


async def test_a_file_is_at_most_as_long_as_a_body(tmp_path: Path) -> None:
    limits, settings = Limits(max_body_bytes=1000), Settings(max_body_bytes=1000)
    async with filed(tmp_path, limits=limits, settings=settings, kinds=(OPENAI_KIND, GEMINI_KIND)) as at:
        whole = await at.bring(b"x" * 2000)
        assert whole.status == 413
        assert "1000 bytes" in whole.error["message"]
        begun = await at.begin(2000)
        assert (begun.status, "1000 bytes" in begun.json()["error"]["message"]) == (413, True)
        begun = await at.begin(900)
        late = await at.piece(begun, b"x" * 900, 200)
        assert late.status == 413


# -- OpenAI's callers, Google's files --------------------------------------------------------------------------------


async def test_an_openai_caller_s_file_is_brought_to_google_where_there_is_no_other(tmp_path: Path) -> None:
    async with filed(tmp_path) as at:
        brought = await at.bring(PNG, filename="pixel.png", kind="application/octet-stream")
        assert brought.status == 200, brought.body
        file = brought.json()
        assert file["object"] == "file"
        assert (file["filename"], file["bytes"], file["purpose"]) == ("pixel.png", len(PNG), "user_data")
        assert file["status"] == "processed"
        assert file["expires_at"] - file["created_at"] == 48 * 3600
        name = file["id"]
        for path in (f"/v1/files/{name}", f"/v1/files/{name.replace('/', '%2F')}"):
            assert (await at.ask("GET", path)).json() == file
        assert (await at.ask("GET", "/v1/files")).json()["data"] == [file]
        assert (await at.google("GET", f"/v1beta/{name}")).json()["mimeType"] == "image/png"
        assert code_of(await at.ask("GET", f"/v1/files/{name}/content")) == (404, "not_offered")
        content = [{"type": "file", "file": {"file_id": name}}, {"type": "text", "text": "Look"}]
        body = chat() | {"messages": [{"role": "user", "content": content}]}
        answer = await at.ask("POST", "/v1/chat/completions", body)
        assert answer.status == 200, answer.body
        sent = at.house.simulator.stats.last.body
        assert sent["contents"][0]["parts"][0]["fileData"]["fileUri"] == name
        assert (await at.ask("DELETE", f"/v1/files/{name}")).json()["deleted"] is True
        assert (await at.ask("GET", f"/v1/files/{name}")).status == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"{}", None),
        (form(b"x"), "purpose"),
        (form(b"x", purpose="a").replace(b'"file"', b'"fill"'), "file"),
    ],
)
async def test_a_form_for_google_is_looked_at(tmp_path: Path, body: bytes, param: str | None) -> None:
    async with filed(tmp_path) as at:
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        answer = await at.ask("POST", "/v1/files", body, content_type=kind)
        assert (answer.status, answer.error["param"]) == (400, param)


async def test_a_name_that_is_another_s_cannot_be_taken(tmp_path: Path) -> None:
    """The provider gave a name anew that the registry still has for its last owner."""
    script = Script(answers({"id": "file-abc1", "object": "file"}))
    async with filed(tmp_path, script, kinds=(OPENAI_KIND,)) as at:
        assert (await at.bring()).status == 200
        taken = await at.bring(key=OTHER_KEY)
        assert taken.status == 409
        assert [request.method for request in script.requests] == ["POST", "POST", "DELETE"]


@pytest.mark.parametrize("ends", [10**30, -(10**30), 2**63])
async def test_an_end_that_no_file_has_is_none(tmp_path: Path, ends: int) -> None:
    script = Script(answers({"id": "file-abc1", "object": "file", "expires_at": ends}))
    async with filed(tmp_path, script, kinds=(OPENAI_KIND,)) as at:
        assert (await at.bring()).status == 200
        assert (await at.ask("GET", "/v1/files/file-abc1")).status == 200


async def test_a_file_is_brought_to_no_other_address_than_its_providers(tmp_path: Path) -> None:
    """What a provider names may be a door of the house that only the gateway can reach."""
    behind = Script(answers({"file": {"name": "files/abc"}}))
    inner = Server(behind)
    await inner.start()

    async def act(exchange: Exchange) -> None:
        exchange.send(200, [("x-goog-upload-url", f"http://127.0.0.1:{inner.port}/secret")], b"{}")

    try:
        async with filed(tmp_path, Script(act)) as at:
            assert code_of(await at.bring(PNG)) == (502, "bad_gateway")
    finally:
        await inner.stop(grace_s=0)
    assert behind.requests == []


async def test_a_file_that_cannot_be_written_down_is_not_left_at_its_provider(tmp_path: Path) -> None:
    script = Script(answers({"id": "file-abc1", "object": "file"}))
    async with filed(tmp_path, script, kinds=(OPENAI_KIND,)) as at:
        at.counter.away = True
        assert (await at.bring()).status == 503
        assert [request.method for request in script.requests] == ["POST", "DELETE"]
        at.counter.open()
        assert (await at.ask("GET", "/v1/files")).json()["data"] == []


async def test_anthropic_s_files_are_had_by_its_own_clients(tmp_path: Path) -> None:
    told = {"id": "file_011abc", "type": "file", "filename": "a.txt"}
    script = Script(answers(told))
    async with filed(tmp_path, script, kinds=(KINDS["anthropic"],)) as at:
        headers = {"anthropic_version": "2023-06-01", "content_type": f"multipart/form-data; boundary={BOUNDARY}"}
        brought = await at.ask("POST", "/v1/files", form(b"x"), **headers)
        assert brought.json() == told
        assert (await at.ask("GET", "/v1/files/file_011abc", anthropic_version="2023-06-01")).json() == told
        listed = (await at.ask("GET", "/v1/files", anthropic_version="2023-06-01")).json()
        assert listed["data"] == [told]
        assert script.requests[0].headers["anthropic-beta"] == "files-api-2025-04-14"
        assert script.requests[0].headers["x-api-key"] == "good-key"
        missing = await at.ask("GET", "/v1/files/file_none", anthropic_version="2023-06-01")
        assert missing.json()["error"]["type"] == "not_found_error"


async def test_an_answer_is_told_in_openai_s_words_when_the_provider_is_broken(tmp_path: Path) -> None:
    async with filed(tmp_path, Script(answers(b"<html>", 200)), kinds=(OPENAI_KIND,)) as at:
        assert (await at.bring()).status == 502
    async with filed(tmp_path / "..", Script(answers(says("Hi")))) as at:
        assert (await at.bring()).status == 502
