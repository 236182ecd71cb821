"""`portico credentials` on a gateway that runs: what is added, disabled or enabled is in force without a start."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.commands import Command, portico, run, run_with
from gateway.house import PATIENCE_S, Script, Wire, answers, as_bytes, chat, says, soon
from portico.http.server import Server

ENV = {"PORTICO_API_KEY": "sk-sample", "PORTICO_SECRET_KEY": "a passphrase for this test alone"}


@contextlib.asynccontextmanager
async def provider(folder: Path) -> AsyncIterator[Script]:
    """A provider whose keys are to be in the database, and the file that names it."""
    script = Script(answers(says("Hi")))
    server = Server(script)
    await server.start()
    (folder / "portico.toml").write_text(
        f'[[providers]]\nname = "gemini"\nkind = "gemini"\nbase_url = "http://127.0.0.1:{server.port}"\n'
        'keys = ["database"]\n'
    )
    try:
        yield script
    finally:
        await server.stop(grace_s=0)


async def credentials(folder: Path, *arguments: str, typed: str = "") -> dict[str, str]:
    code, out, err = await run_with(typed.encode(), "credentials", *arguments, "--json", folder=folder, env=ENV)
    assert code == 0, err
    told: dict[str, str] = json.loads(out)
    return told


async def call(port: int) -> int:
    wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port)))
    fields = {"host": "x", "authorization": "Bearer sk-sample", "connection": "close"}
    wire.request("POST", "/v1/chat/completions", fields, as_bytes(chat()))
    try:
        return (await wire.rest()).status
    finally:
        wire.drop()


async def asked_with(command: Command, script: Script, key: str) -> None:
    """Waits until the gateway asks with this key, or with none at all ("")."""
    port, until = await command.port(), time.monotonic() + PATIENCE_S
    while True:
        before = len(script.requests)
        status = await call(port)
        used = [request.headers["x-goog-api-key"] for request in script.requests[before:]]
        if (used == [key] and status == 200) if key else (not used and status >= 400):
            return
        assert time.monotonic() < until, (status, used)
        await asyncio.sleep(0.05)


async def test_a_key_that_is_added_or_disabled_is_in_force_without_a_start(tmp_path: Path) -> None:
    async with provider(tmp_path) as script:
        first = await credentials(tmp_path, "add", "gemini", "--name", "first", typed="sample-first\n")
        async with portico("serve", "--port", "0", "--workers", "2", folder=tmp_path, env=ENV) as command:
            await asked_with(command, script, "sample-first")
            second = await credentials(tmp_path, "add", "gemini", "--name", "second", typed="sample-second\n")
            await credentials(tmp_path, "disable", first["id"])
            await asked_with(command, script, "sample-second")
            await credentials(tmp_path, "disable", second["id"])
            await asked_with(command, script, "")
            await credentials(tmp_path, "enable", first["id"])
            await asked_with(command, script, "sample-first")


async def test_models_of_a_provider_whose_key_is_stored_are_listed_as_its_own(tmp_path: Path) -> None:
    await credentials(tmp_path, "add", "gemini", "--name", "first", typed="sample-first\n")
    code, out, _ = await run("models", "--json", folder=tmp_path, env=ENV)
    assert code == 0
    listed = {row["id"]: row["served_by"] for row in json.loads(out)["models"]}
    assert listed["gemini-3.5-flash"] == ["gemini"]
    assert "gpt-5.5" not in listed


async def test_a_provider_without_a_stored_key_is_told_how_to_give_it_one(tmp_path: Path) -> None:
    async with provider(tmp_path):
        code, out, err = await run("serve", "--port", "0", folder=tmp_path, env=ENV)
        assert (code, out) == (1, "")
        assert "No key of gemini is kept in the database" in err
        assert "portico credentials add gemini" in err
        assert "No provider is configured" not in err
