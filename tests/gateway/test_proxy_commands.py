"""The proxies of the environment, as the commands take them."""

from pathlib import Path

import pytest

from edges.sockets import Provider, Visit
from gateway.commands import run

KEY = "sample-key"
PASSWORD = "hunter2"


async def test_check_reaches_providers_through_the_proxy_of_the_environment(tmp_path: Path) -> None:
    lines: list[str] = []

    async def proxy(visit: Visit) -> None:
        request = await visit.request()
        lines.append(request.line)
        visit.answer(b'{"models": []}', "Connection: close")

    server = await Provider(proxy).start()
    env = {
        "GEMINI_API_KEY": KEY,
        "GEMINI_BASE_URL": "http://provider.test",
        "HTTP_PROXY": f"http://clerk:{PASSWORD}@127.0.0.1:{server.port}",
    }
    code, out, err = await run("check", folder=tmp_path, env=env)
    assert (code, err) == (0, "")
    (line,) = lines
    assert line.startswith("GET http://provider.test/v1beta/models")
    assert PASSWORD not in out
    await server.stop()


@pytest.mark.parametrize("command", ["check", "serve"])
async def test_a_proxy_that_cannot_be_used_is_a_mistake_of_the_configuration(tmp_path: Path, command: str) -> None:
    env = {"GEMINI_API_KEY": KEY, "ALL_PROXY": f"socks5://clerk:{PASSWORD}@proxy.test:1080"}
    code, out, err = await run(command, folder=tmp_path, env=env)
    assert code == 1
    assert "ALL_PROXY: socks5 proxies are not supported" in err
    assert PASSWORD not in out + err
