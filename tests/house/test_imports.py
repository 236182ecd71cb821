"""What the serve path loads: a gateway that starts fast, and holds nothing that it does not use."""

import asyncio
import re
import signal
import sys
from pathlib import Path

import pytest

from gateway.commands import portico
from gateway.house import Wire, soon

FORBIDDEN = {
    "PIL": "until a picture must be converted",
    "typer": "until help or an error of usage is printed",
    "rich": "until help or an error of usage is printed",
    "portico.simulator": "unless it plays the provider",
    "cryptography": "until there is a stored credential to open",
    "sqlalchemy": "it is for migrations",
    "alembic": "it is for migrations",
    "psycopg": "unless the books are on PostgreSQL",
    "numpy": "nothing here computes",
    "pydantic": "msgspec decodes",
    "starlette": "it is the web app's",
    "argon2": "until somebody has a password",
    "authlib": "until somebody signs in with a provider",
    "joserfc": "until somebody signs in with a provider",
    "stripe": "until somebody pays by card",
    "jinja2": "it is the web app's",
    "yaml": "nothing here is YAML",
    "requests": "the house has a client of its own",
    "httpx": "the house has a client of its own",
    "httpx2": "until somebody signs in with a provider",
    "portico.web": "until somebody opens a page",
    "multiprocessing": "workers are forked",
    "importlib.metadata": "the version is a constant",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")
async def test_serving_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    env = {"GEMINI_API_KEY": "any", "PORTICO_API_KEY": "sk-sample"}
    program = ("-X", "importtime", "-m", "portico")
    async with portico("serve", "--port", "0", folder=tmp_path, env=env, program=program) as command:
        port = await command.port()
        wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port)))
        wire.request(
            "GET", "/v1/models", {"host": "x", "authorization": "Bearer sk-sample", "connection": "close"}, b""
        )
        assert (await wire.rest()).status == 200
        wire.drop()
        command.send(signal.SIGTERM)
        code, _, err = await command.end()
    loaded = set(re.findall(r"^import time:[ \d|]+\|\s+(\S+)$", err, re.MULTILINE))
    assert code == 0
    assert {"portico.http.server", "uvloop"} <= loaded
    assert sorted(name for name in loaded if any(name == f or name.startswith(f"{f}.") for f in FORBIDDEN)) == []
