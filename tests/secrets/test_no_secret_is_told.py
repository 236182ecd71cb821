"""Whatever goes right or wrong, at whatever level is logged: no secret is in anything that leaves the process, but for what
the provider and the database have to know."""

import asyncio
import json
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from databases import started_books
from gateway import preloaded
from gateway.commands import Command, portico, run
from gateway.house import PATIENCE_S, Act, Script, Wire, answers, fails, says, soon
from portico.http.server import Server
from portico.wire.http import Exchange

OF_ENV, OF_FILE, OF_DATABASE = "AIzaUpstreamOfEnv7", "UpstreamOfFileSample7", "AQ.UpstreamOfDatabase7"
CALLER, WRONG_CALLER, ADMIN = "sk-CallerKeySample7", "sk-WrongCallerKey7", "AdminKeySample77"
SECRET_KEY, PASSWORD = "SecretKeySampleSample7", "DbPasswordSample7"
SECRETS = (OF_ENV, OF_FILE, OF_DATABASE, CALLER, WRONG_CALLER, ADMIN, SECRET_KEY, PASSWORD)
ENV = {
    "UPSTREAM_KEY": OF_ENV,
    "PORTICO_API_KEY": CALLER,
    "PORTICO_ADMIN_KEY": ADMIN,
    "PORTICO_SECRET_KEY": SECRET_KEY,
    "PORTICO_LOG_ACCESS": "./access.log",
}
LOUD = ("-c", "import logging; logging.basicConfig(level=1); from portico.cli import main; main()")
CONFIG = """
[routing]
retries = 0

[[providers]]
name = "gemini"
base_url = "http://127.0.0.1:{port}"
keys = ["env:UPSTREAM_KEY", "file:upstream.txt", "database"]
"""


def told(text: str, *, allowed: tuple[str, ...] = ()) -> list[str]:
    return [secret for secret in SECRETS if secret in text and secret not in allowed]


async def echoes(exchange: Exchange) -> None:
    """A provider that says, in its error, which key it was shown."""
    key = exchange.request.headers["x-goog-api-key"]
    await fails(400, "INVALID_ARGUMENT", f"API key not valid: {key}. Pass a valid API key.")(exchange)


def repeats(status: int, word: str) -> Act:
    """A provider that says which key it was shown, whatever its error is about."""

    async def act(exchange: Exchange) -> None:
        key = exchange.request.headers["x-goog-api-key"]
        await fails(status, word, f"Project of {key} may not do that.", [{"@type": "x", "reason": key}])(exchange)

    return act


async def ask(port: int, path: str, headers: Mapping[str, str], body: object = None) -> str:
    """The whole answer, head and body, as text."""
    wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port)))
    data = b"" if body is None else json.dumps(body).encode()
    method = "GET" if body is None else "POST"
    wire.request(method, path, {"host": "x", "connection": "close", **headers}, data)
    answer = await wire.rest()
    wire.drop()
    return f"{answer.status} {answer.headers} {answer.body!r}"


async def add(folder: Path, value: str = OF_DATABASE) -> str:
    """`portico credentials add`, from standard input."""
    add = ("credentials", "add", "gemini", "--json")
    code, out, err = await preloaded.run_with(value.encode(), *add, folder=folder, env=ENV)
    assert code == 0, err
    assert told((out + err).decode()) == []
    return str(json.loads(out)["id"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    started_books(tmp_path)
    (tmp_path / "upstream.txt").write_text(OF_FILE)
    return tmp_path


async def calls(port: int) -> list[str]:
    """Calls that succeed and calls that fail, as many ways as there are keys to be tried."""
    ok = {"authorization": f"Bearer {CALLER}", "content-type": "application/json"}
    chat = {"model": "gemini-3.5-flash", "messages": [{"role": "user", "content": "hi"}]}
    native = {"contents": [{"parts": [{"text": "hi"}]}]}
    told = []
    for number in range(8):
        told.append(await ask(port, "/v1/chat/completions", ok, {**chat, "stream": bool(number % 2)}))
        path = f"/v1beta/models/gemini-3.5-flash:generateContent?key={CALLER}"
        told.append(await ask(port, path, {"content-type": "application/json"}, native))
    told.append(await ask(port, "/v1/chat/completions", {**ok, "authorization": f"Bearer {WRONG_CALLER}"}, chat))
    told.append(await ask(port, f"/v1beta/models?key={WRONG_CALLER}", {}))
    told.append(await ask(port, "/v1/nothing", ok, chat))
    told.append(await ask(port, "/v1/chat/completions", ok, {"model": 1}))
    told.append(await ask(port, "/metrics", {"authorization": f"Bearer {ADMIN}"}))
    told.append(await ask(port, "/metrics", {"authorization": f"Bearer {CALLER}"}))
    return told


@pytest.mark.parametrize(
    "act",
    [
        answers(says("hello")),
        echoes,
        repeats(400, "INVALID_ARGUMENT"),
        repeats(401, "UNAUTHENTICATED"),
        repeats(403, "PERMISSION_DENIED"),
        repeats(404, "NOT_FOUND"),
        repeats(429, "RESOURCE_EXHAUSTED"),
        repeats(500, "INTERNAL"),
        fails(401, "UNAUTHENTICATED"),
        fails(403, "PERMISSION_DENIED"),
        fails(429, "RESOURCE_EXHAUSTED"),
        fails(500, "INTERNAL"),
        answers(b"not json"),
    ],
    ids=[
        "ok",
        "echoes",
        "said-400",
        "said-401",
        "said-403",
        "said-404",
        "said-429",
        "said-500",
        "401",
        "403",
        "429",
        "500",
        "nonsense",
    ],
)
async def test_no_secret_is_in_what_serving_tells(folder: Path, act: object) -> None:
    assert callable(act)
    upstream = Script(act)
    server = await Server(upstream).start()
    (folder / "portico.toml").write_text(CONFIG.format(port=server.port))
    stored = await add(folder)
    async with portico("serve", "--port", "0", folder=folder, env=ENV, program=LOUD) as gateway:
        port = await gateway.port()
        answered = await calls(port)
        gateway.send(signal.SIGTERM)
        code, out, err = await gateway.end()
    await server.stop(grace_s=0)
    assert code == 0
    assert {request.headers["x-goog-api-key"] for request in upstream.requests} == {OF_ENV, OF_FILE, OF_DATABASE}
    assert stored in out
    assert told("\n".join(answered)) == []
    assert told(out) == []
    assert told(err) == []
    log = (folder / "access.log").read_text()
    assert log.count("\n") == len(answered) - 2  # /metrics is not in it
    assert "portico_" in answered[-2]
    assert told(log) == []
    kept = b"".join(path.read_bytes() for path in (folder / ".portico").iterdir())
    assert told(kept.decode("latin-1")) == []


@pytest.mark.parametrize(
    "act", [answers({"models": []}), echoes, repeats(403, "PERMISSION_DENIED")], ids=["ok", "echoes", "said"]
)
async def test_no_secret_is_in_what_check_tells(folder: Path, act: object) -> None:
    assert callable(act)
    server = await Server(Script(act)).start()
    (folder / "portico.toml").write_text(CONFIG.format(port=server.port))
    await add(folder)
    _, out, err = await run("check", "--json", folder=folder, env=ENV, program=LOUD)
    await server.stop(grace_s=0)
    assert len(json.loads(out)["providers"]) == 3
    assert told(out + err) == []


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://portico:{PASSWORD}@127.0.0.1:1/books",
        f"postgresql://portico@127.0.0.1:1/books?password={PASSWORD}",
        f"postgresql://portico:{PASSWORD}@127.0.0.1:port/books",
        f"postgresql://portico:{PASSWORD}@[::1/books",
        f"postgresql://portico:{PASSWORD}@127.0.0.1:1/books?nonsense={PASSWORD}",
        f"mysql://portico:{PASSWORD}@127.0.0.1/books",
        f"sqlite://portico:{PASSWORD}@books",
        PASSWORD,
    ],
)
@pytest.mark.parametrize("command", [("check", "--json"), ("credentials", "list"), ("serve", "--port", "0")])
async def test_no_password_of_a_database_is_told(folder: Path, url: str, command: tuple[str, ...]) -> None:
    (folder / "portico.toml").write_text('[[providers]]\nkeys = ["database"]\n')
    code, out, err = await run(*command, folder=folder, env={**ENV, "PORTICO_STORAGE_URL": url}, program=LOUD)
    assert code == 1
    assert told(out + err) == []
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "env"),
    [
        (f'[[providers]]\nkeys = ["{OF_ENV}"]\n', {}),
        (f'[[providers]]\nkeys = "{OF_ENV}"\n', {}),
        (f'[[providers]]\nkeys = [["{OF_ENV}"]]\n', {}),
        (f'[[providers]]\nkeys = ["env:{OF_ENV}-x"]\n', {}),
        (f'[[providers]]\nbase_url = "https://me:{PASSWORD}@host"\nkeys = ["env:UPSTREAM_KEY"]\n', {}),
        (f'[server]\nadmin_key = {{ key = "{ADMIN}" }}\n', {}),
        (f'[server]\nadmin_key = "{ADMIN}"\n', {}),
        (f'[secrets]\nkey = "{SECRET_KEY}"\n', {"PORTICO_SECRET_KEY": ""}),
        (f'[secrets]\nold_keys = "{SECRET_KEY}"\n', {}),
        (f'[storage]\nurl = ["{PASSWORD}"]\n', {}),
        ("", {"GEMINI_API_KEY": OF_ENV, "GEMINI_BASE_URL": f"https://me:{PASSWORD}@host"}),
        ("", {"PORTICO_ADMIN_KEY": CALLER}),
        ("", {"PORTICO_SECRET_KEY": "Sample7"}),
    ],
)
async def test_no_secret_is_in_what_is_said_of_a_wrong_configuration(
    folder: Path, text: str, env: dict[str, str]
) -> None:
    (folder / "portico.toml").write_text(text)
    code, out, err = await run("check", "--json", folder=folder, env={**ENV, **env}, program=LOUD)
    assert code == 1
    assert json.loads(out)["problems"]
    assert told(out + err) == []


async def test_keys_that_are_stored_while_it_serves_are_used_within_a_second(folder: Path) -> None:
    upstream = Script(answers(says("hello")))
    server = await Server(upstream).start()
    (folder / "portico.toml").write_text(CONFIG.format(port=server.port))
    first = await add(folder)
    async with portico("serve", "--port", "0", "--workers", "2", folder=folder, env=ENV) as gateway:
        port = await gateway.port()
        await _until_seen(port, upstream, {OF_ENV, OF_FILE, OF_DATABASE})
        await add(folder, "AIzaAnother")
        await _until_seen(port, upstream, {OF_ENV, OF_FILE, OF_DATABASE, "AIzaAnother"})
        assert (await run("credentials", "disable", first, folder=folder, env=ENV))[0] == 0
        assert (await run("secrets", "rotate", "--yes", folder=folder, env=ENV))[0] == 0
        await _until_seen(port, upstream, {OF_ENV, OF_FILE, "AIzaAnother"})
        assert isinstance(gateway, Command)
    await server.stop(grace_s=0)


async def _until_seen(port: int, upstream: Script, keys: set[str]) -> None:
    """Calls, a dozen at a time, until the provider was shown each of these keys, and none else."""
    headers = {"authorization": f"Bearer {CALLER}", "content-type": "application/json"}
    body = {"model": "gemini-3.5-flash", "messages": [{"role": "user", "content": "hi"}]}
    shown: set[str] = set()
    async with asyncio.timeout(PATIENCE_S):
        while shown != keys:
            upstream.requests.clear()
            for _ in range(12):
                assert (await ask(port, "/v1/chat/completions", headers, body)).startswith("200")
            shown = {request.headers["x-goog-api-key"] for request in upstream.requests}
