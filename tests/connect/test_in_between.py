"""What stands between a client and its Portico is told: somebody else's answer, a stream that is kept back or cut, TLS."""

import asyncio
import json
import shutil
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from connect.test_connect import Said, connect, files_in, portico
from portico.cli.connect import call
from portico.cli.connect.ask import root_of
from portico.cli.connect.call import Answered

Answer: TypeAlias = Callable[[bytes], bytes]
MARK = b"x-portico-request-id: req_1\r\n"
MODELS = json.dumps({"object": "list", "data": [{"id": "m", "owned_by": "google", "kind": "chat"}]}).encode()


def whole(status: str, body: bytes, *headers: bytes, kind: bytes = b"application/json") -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: %b\r\nconnection: close\r\n" % (status.encode(), kind)
    return head + b"".join(headers) + b"content-length: %d\r\n\r\n" % len(body) + body


@asynccontextmanager
async def somebody(answer: Answer, *, slowly_s: float = 0) -> AsyncIterator[str]:
    """A server that gives one answer to each request, by its first line; to a call after a while."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            await asyncio.sleep(slowly_s)
        writer.write(answer(head.split(b"\r\n")[0]))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def checked(home: Path, stream: bytes, name: str = "codex", *, slowly_s: float = 0) -> Said:
    """A check of a client whose Portico answers so to its call."""

    def answer(line: bytes) -> bytes:
        return whole("200 OK", MODELS, MARK) if b"/v1/models" in line else stream

    async with somebody(answer, slowly_s=slowly_s) as url:
        where = (name, "--url", url, "--key", "sk-portico-x")
        assert (await connect(*where, "--write")).code == 0
        return await connect(*where[:3], "--check", "--json")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (whole("502 Bad Gateway", b"<html>", b"server: nginx\r\n"), "it is not Portico who says so but 'nginx'"),
        (whole("200 OK", b"<html>hello"), "does not answer with a list of models"),
        (whole("200 OK", b'{"data": 7}'), "does not answer with a list of models"),
        (whole("200 OK", b'{"data": []}'), "lists no model that chats"),
        (whole("429 Too Many", b'{"error": {"message": "Slowly."}}', MARK), "Portico answered 429: Slowly. A limit"),
        (whole("402 Pay", b'{"error": {"message": "Empty."}}', MARK), "Portico answered 402: Empty. The balance"),
        (b"SSH-2.0-hello\r\n", "does not speak HTTP"),
        (b"", "is not reached"),
    ],
)
async def test_who_answers_instead_is_told(answer: bytes, why: str, home: Path) -> None:
    async with somebody(lambda _: answer) as url:
        said = await connect("codex", "--url", url)
    assert said.code == 1
    assert why in said.errors


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (whole("200 OK", b"data: {}\n\n", kind=b"text/event-stream"), "is not a Portico"),
        (whole("200 OK", b"{}", MARK), "The answer is no stream"),
        (whole("200 OK", b"", MARK, kind=b"text/event-stream"), "ended without an event"),
        (whole("200 OK", b"data: {\n\n", MARK, kind=b"text/event-stream"), "is damaged"),
        (
            whole("200 OK", b'data: {"type":"error","error":{"message":"Oh."}}\n\n', MARK, kind=b"text/event-stream"),
            "ends in an error: Oh.",
        ),
        (whole("404 Not", b'{"error": {"message": "No m."}}', MARK), "Portico answered 404: No m."),
    ],
)
async def test_what_becomes_of_a_stream_on_its_way_is_told(stream: bytes, why: str, home: Path) -> None:
    said = await checked(home, stream)
    assert said.code == 1
    assert any(why in problem for problem in said.json["problems"])


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("what", ["the list", "the call"])
async def test_no_key_follows_to_where_an_answer_sends_one_on(status: str, what: str, home: Path) -> None:
    reached: list[bytes] = []

    def elsewhere(line: bytes) -> bytes:
        reached.append(line)
        return whole("200 OK", MODELS, MARK)

    async with somebody(elsewhere) as other:

        def onward(line: bytes) -> bytes:
            path = line.split()[1]
            if what == "the call" and b"/v1/models" in line:
                return whole("200 OK", MODELS, MARK)
            return whole(status, b"", b"location: %b%b\r\n" % (other.encode(), path))

        async with somebody(lambda _: whole("200 OK", MODELS, MARK)) as url:
            assert (await connect("claude-code", "--url", url, "--key", "sk-portico-x", "--write")).code == 0
        async with somebody(onward) as asked:
            for path, text in files_in(home).items():
                (home / path).write_text(text.replace(url, asked))
            said = await connect("claude-code", "--url", asked, "--check", "--json")
        assert (said.code, reached) == (1, [])
        assert f"sends one on to {other}" in said.json["problems"][-1]
        assert f"--url {other}," in said.json["problems"][-1]


async def test_https_where_http_is_spoken_is_told(home: Path) -> None:
    async with portico() as (_, where):
        said = await connect("codex", "--url", where[1].replace("http://", "https://"))
    assert said.code == 1
    assert said.errors.endswith("Is it http:// rather than https://?\n")


@asynccontextmanager
async def behind_tls(folder: Path) -> AsyncIterator[tuple[str, Path]]:
    """A server with a certificate that it signed itself."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ("-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate))
    process = await asyncio.create_subprocess_exec(*made, *names, stderr=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole("200 OK", MODELS, MARK))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", certificate


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
async def test_a_certificate_that_nobody_vouches_for_is_told_with_what_to_do(home: Path, tmp_path: Path) -> None:
    async with behind_tls(tmp_path) as (url, certificate):
        said = await connect("codex", "--url", url)
        assert said.code == 1
        assert "its certificate is not trusted here" in said.errors
        assert "SSL_CERT_FILE" in said.errors
        assert "NODE_EXTRA_CA_CERTS" in said.errors
        assert (await connect("codex", "--url", url, env={"SSL_CERT_FILE": str(certificate)})).code == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
async def test_http_where_https_is_spoken_is_told(home: Path, tmp_path: Path) -> None:
    async with behind_tls(tmp_path) as (url, _):
        said = await connect("codex", "--url", url.replace("https://", "http://"))
    assert said.code == 1
    assert said.errors.endswith("Is it https:// rather than http://?\n")


async def test_a_proxy_that_is_not_there_is_named(home: Path) -> None:
    env = {"http_proxy": "http://127.0.0.1:1", "no_proxy": ""}
    said = await connect("codex", "--url", "http://portico.invalid", env=env)
    assert "through the proxy 127.0.0.1:1, as HTTP_PROXY says" in said.errors


def test_a_stream_that_was_kept_back_is_known_by_its_times() -> None:
    def answered(first_s: float, last_s: float, texts: int) -> bool:
        told = Answered(request_id="r", first_s=first_s, last_s=last_s, texts=texts, tokens=1)
        return told.in_one_piece

    assert answered(4.0, 4.01, 20)
    assert not answered(0.5, 4.0, 20)
    assert not answered(0.02, 0.02, 20)
    assert not answered(4.0, 4.0, 2)


def chat(*texts: str, reason: str = "stop") -> bytes:
    deltas = [{"role": "assistant"}, *({"content": text} for text in texts)]
    choices = [{"index": 0, "delta": delta} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": reason})
    lines = [json.dumps({"choices": [choice]}) for choice in choices]
    body = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])
    return whole("200 OK", body.encode(), MARK, kind=b"text/event-stream")


@pytest.mark.parametrize(
    ("stream", "is_kept_back"),
    [
        (chat("one ", "two ", "three"), True),
        (chat("one two three"), False),
        (chat(reason="length"), False),
    ],
)
async def test_a_stream_is_kept_back_if_it_has_more_to_say_than_one_thing(
    stream: bytes, is_kept_back: bool, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said at once after a while of thoughts is said as it happens."""
    monkeypatch.setattr(call, "_STALL_S", 0.0)
    said = await checked(home, stream, "llm", slowly_s=0.5)
    assert ("in one piece" in "".join(said.json["problems"])) == is_kept_back, said.output


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("https://x.example/v1/", "https://x.example"),
        ("https://x.example/portico/v1beta", "https://x.example/portico"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
    ],
)
def test_an_address_is_taken_as_people_give_it(given: str, root: str) -> None:
    assert root_of(given) == root


REFUSED: Sequence[str] = (
    "",
    "ftp://x",
    "http://",
    "http://a b",
    'http://a"b',
    "http://a'b",
    "http://a\nb",
    "http://x/?a=1",
    "http://x/#a",
    "http://me:secret@x",
    "http://x/${HOME}",
    "http://x:port",
)


@pytest.mark.parametrize("given", REFUSED)
def test_what_is_no_address_of_a_portico_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="address"):
        root_of(given)
