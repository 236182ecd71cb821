"""The commands and the admin API as people meet them: processes, beside a gateway that serves from the same database."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from gateway.commands import portico, run
from gateway.house import Wire, as_bytes, soon

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")

ADMIN = "admin-sample-key"
ENV = {"PORTICO_ADMIN_KEY": ADMIN, "GEMINI_API_KEY": "any", "PORTICO_API_KEY": "sk-portico-sample-key"}


async def ask(port: int, method: str, path: str, key: str, body: object = None) -> tuple[int, dict[str, object]]:
    wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port)))
    wire.request(method, path, {"host": "x", "authorization": f"Bearer {key}"}, as_bytes(body) if body else b"")
    try:
        answer = await wire.rest()
    finally:
        wire.drop()
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_commands_and_the_admin_api_share_the_database_of_a_gateway_that_serves(
    tmp_path: Path, workers: str
) -> None:
    async with portico("serve", "--simulate", "--port", "0", "--workers", workers, folder=tmp_path, env=ENV) as server:
        port = await server.port()
        status, account = await ask(port, "POST", "/admin/v1/accounts", ADMIN, {"name": "acme"})
        assert status == 200, account
        code, out, err = await run("accounts", "top-up", "acme", "10", "--json", folder=tmp_path, env=ENV)
        assert code == 0, err
        assert json.loads(out)["id"] == account["id"]
        _, shown = await ask(port, "GET", "/admin/v1/accounts/acme", ADMIN)
        assert shown["available_usd"] == "10.00"
        code, out, err = await run("ledger", "verify", "--json", folder=tmp_path, env=ENV)
        assert (code, json.loads(out)["ok"]) == (0, True), err
        status, told = await ask(port, "GET", "/admin/v1/accounts", ENV["PORTICO_API_KEY"])
        assert status == 401, told
        assert (await ask(port, "GET", "/v1/models", ENV["PORTICO_API_KEY"]))[0] == 200
        assert (await ask(port, "GET", "/v1/models", ADMIN))[0] == 401


async def test_without_an_admin_key_a_gateway_has_no_admin_api(tmp_path: Path) -> None:
    env = {name: value for name, value in ENV.items() if name != "PORTICO_ADMIN_KEY"}
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=env) as server:
        status, _ = await ask(await server.port(), "GET", "/admin/v1/accounts", ADMIN)
        assert status in (401, 404)


async def test_commands_that_start_at_once_on_a_new_database_all_succeed(tmp_path: Path) -> None:
    names = [f"account {number}" for number in range(3)]
    done = await asyncio.gather(*[run("accounts", "create", name, folder=tmp_path, env=ENV) for name in names])
    assert [(code, err) for code, _, err in done] == [(0, "")] * 3
    _, out, _ = await run("accounts", "list", "--json", folder=tmp_path, env=ENV)
    assert {account["name"] for account in json.loads(out)["data"]} == {*names, "default"}


async def test_a_wrong_amount_is_exit_code_2_and_an_unknown_account_1(tmp_path: Path) -> None:
    assert (await run("accounts", "top-up", "acme", "ten", folder=tmp_path, env=ENV))[0] == 2
    code, out, err = await run("accounts", "top-up", "acme", "10", folder=tmp_path, env=ENV)
    assert (code, out, err) == (1, "", "Error: There is no account 'acme'.\n")
