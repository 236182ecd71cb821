"""`portico check` tries the keys of every kind, each at what costs nothing there."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.house import Script, answers
from gateway.preloaded import run
from portico.http.server import Server
from providers.entries import ENVIRONMENT, service_account

GOOD = answers({"object": "list", "data": [], "models": []})
ASKED: list[tuple[str, str, dict[str, str]]] = [
    ('kind = "gemini"\nbase_url = "ADDRESS"', "/v1beta/models?pageSize=1", {"x-goog-api-key": "GEMINI"}),
    (
        'kind = "vertex"\nbase_url = "ADDRESS"\nproject = "p-1"',
        "/v1beta1/publishers/google/models?pageSize=1",
        {"x-goog-api-key": "VERTEX"},
    ),
    ('kind = "openai"\nbase_url = "ADDRESS"', "/v1/models", {"authorization": "OPENAI"}),
    (
        'kind = "anthropic"\nbase_url = "ADDRESS"',
        "/v1/models?limit=1",
        {"x-api-key": "ANTHROPIC", "anthropic-version": ""},
    ),
    ('kind = "azure-openai"\nbase_url = "ADDRESS"', "/openai/v1/models", {"api-key": "AZURE_OPENAI"}),
    (
        'kind = "azure-openai"\nbase_url = "ADDRESS"\napi_version = "2024-10-21"',
        "/openai/models?api-version=2024-10-21",
        {"api-key": "AZURE_OPENAI"},
    ),
    ('preset = "groq"\nbase_url = "ADDRESS/openai/v1"', "/openai/v1/models", {"authorization": "GROQ"}),
    ('preset = "openrouter"\nbase_url = "ADDRESS/api/v1"', "/api/v1/key", {"authorization": "OPENROUTER"}),
    ('preset = "vllm"\nbase_url = "ADDRESS/v1"', "/v1/models", {}),
]


@asynccontextmanager
async def listening(script: Script) -> AsyncIterator[str]:
    server = Server(script)
    await server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop(grace_s=0)


@pytest.mark.parametrize(("entry", "path", "headers"), ASKED, ids=[entry for entry, *_ in ASKED])
async def test_a_key_is_tried(tmp_path: Path, entry: str, path: str, headers: dict[str, str]) -> None:
    script = Script(
        GOOD, answers({"error": {"message": "no", "code": "invalid_api_key", "status": "PERMISSION_DENIED"}}, 401)
    )
    async with listening(script) as address:
        (tmp_path / "portico.toml").write_text(f"[[providers]]\n{entry}\n".replace("ADDRESS", address))
        code, out, err = await run("check", folder=tmp_path, env=ENVIRONMENT)
        assert (code, err) == (0, ""), out
        code, out, _ = await run("check", "--json", folder=tmp_path, env=ENVIRONMENT)
    assert code == 1
    assert [tried["ok"] for tried in json.loads(out)["providers"]] == [False]
    request = script.requests[0]
    assert (request.method, request.path + (f"?{request.query}" if request.query else "")) == ("GET", path)
    assert request.body == b""
    for name, key in headers.items():
        shown = request.headers[name].removeprefix("Bearer ")
        assert shown == ENVIRONMENT[f"{key}_API_KEY"] if key else shown
    if not headers:
        assert "authorization" not in request.headers
    assert not any(key in out for key in ENVIRONMENT.values())


async def test_what_a_provider_says_moves_no_cursor(tmp_path: Path) -> None:
    said = "no\x1b[2J\x1b]0;x\x07\r\nAll is well.\u202e"
    script = Script(answers({"error": {"message": said, "code": said, "type": said}}, 400))
    async with listening(script) as address:
        (tmp_path / "portico.toml").write_text(f'[[providers]]\nkind = "openai"\nbase_url = "{address}"\n')
        code, out, _ = await run("check", folder=tmp_path, env=ENVIRONMENT)
    assert code == 1
    assert all(line.isprintable() for line in out.splitlines())
    assert "\nAll is well." not in out
    assert r"no\x1b[2J" in out


async def test_a_service_account_is_exchanged_and_tried(tmp_path: Path) -> None:
    token = answers({"access_token": "sample-token", "expires_in": 3600})
    script = Script(token, GOOD, answers({"error": "invalid_grant"}, 400))
    async with listening(script) as address:
        (tmp_path / "account.json").write_text(service_account(f"{address}/token"))
        (tmp_path / "portico.toml").write_text(
            f'[[providers]]\nkind = "vertex"\nbase_url = "{address}"\nkeys = ["file:account.json"]\n'
        )
        code, out, err = await run("check", folder=tmp_path)
        assert (code, err) == (0, ""), out
        assert script.requests[1].headers["authorization"] == "Bearer sample-token"
        code, out, _ = await run("check", folder=tmp_path)
    assert code == 1
    assert "invalid_grant" in out
    assert "PRIVATE KEY" not in out
