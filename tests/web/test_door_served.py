"""The door of a Portico that runs: its first link, cookies behind TLS and proxies, and what is in no log."""

import asyncio
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest

from gateway.commands import Command, portico
from gateway.house import Wire, soon
from portico.web.inside.guard import token_of

GOOD = "correct horse battery"
ENV = {"PORTICO_API_KEY": "sk-portico-sample-key", "PORTICO_LOG_ACCESS": "stdout"}


def link_in(said: str) -> str:
    found = re.search(r"Begin at +(\S+)", said)
    assert found is not None, said
    return found[1]


async def ask(
    port: int, method: str, path: str, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
) -> tuple[int, str, list[str]]:
    """Status, body and cookies."""
    reader, writer = await soon(asyncio.open_connection("127.0.0.1", port))
    body = urlencode(form or {}).encode()
    told = {"host": f"127.0.0.1:{port}", "connection": "close", **(headers or {})}
    if form is not None:
        told |= {"content-type": "application/x-www-form-urlencoded"}
    try:
        Wire(reader, writer).request(method, path, told, body)
        answer = (await soon(reader.read())).decode("utf-8", "replace")
    finally:
        writer.close()
    head, _, text = answer.partition("\r\n\r\n")
    cookies = re.findall(r"(?im)^set-cookie: (.+?)\r?$", head)
    return int(head.split(" ")[1]), text, cookies


async def begun(server: Command, headers: Mapping[str, str] | None = None) -> tuple[str, list[str]]:
    """Follows the first link; its path, and every cookie that was set."""
    port = await server.port()
    path = "/first-start/" + link_in(server.said).rpartition("/")[2]
    status, _, visitor = await ask(port, "GET", path, headers)
    assert status == 200
    name, _, value = visitor[0].partition(";")[0].partition("=")
    form = {"token": token_of(value), "email": "ada@example.com", "password": GOOD}
    status, text, cookies = await ask(port, "POST", path, {"cookie": f"{name}={value}", **(headers or {})}, form)
    assert status == 303, text
    return path, [*visitor, *cookies]


async def test_the_first_link_is_told_at_every_start_until_somebody_follows_it(tmp_path: Path) -> None:
    links = []
    for _ in range(2):
        async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as server:
            await server.port()
            links.append(link_in(server.said))
    assert links[0] != links[1]
    async with portico("serve", "--simulate", "--port", "0", "--workers", "2", folder=tmp_path, env=ENV) as server:
        port = await server.port()
        old = links[1].rpartition("/")[2]
        assert (await ask(port, "GET", f"/first-start/{old}"))[0] == 404
        path, _ = await begun(server)
        assert (await ask(port, "GET", path))[0] == 404
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as server:
        await server.port()
        assert "Begin at" not in server.said


async def test_without_pages_there_is_no_link(tmp_path: Path) -> None:
    env = {**ENV, "PORTICO_WEB_PAGES": "false"}
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=env) as server:
        await server.port()
        assert "Begin at" not in server.said


async def test_neither_links_nor_passwords_are_in_a_log_or_in_the_data(tmp_path: Path) -> None:
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as server:
        path, cookies = await begun(server)
        greeting = server.said
        port = await server.port()
        secret = path.rpartition("/")[2]
        session = (
            next(cookie for cookie in cookies if cookie.startswith("portico=")).partition(";")[0].partition("=")[2]
        )
        await ask(port, "GET", f"/invite/{secret}")
        assert (await ask(port, "POST", f"/invite/{secret}", {"expect": "a miracle"}))[0] == 417
        server.send(signal.SIGTERM)
        _, out, err = await server.end()
    for one in (secret, session, GOOD):
        assert one not in out[len(greeting) :]
        assert one not in err
        for file in (tmp_path / ".portico").iterdir():
            if file.is_file():
                assert one.encode() not in file.read_bytes(), file.name


@pytest.mark.parametrize(
    ("public_url", "headers", "secure"),
    [
        (None, {}, False),
        (None, {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}, True),
        ("https://portico.example", {}, True),
        ("http://portico.example", {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}, False),
    ],
    ids=["plain", "behind a trusted proxy", "public_url by TLS", "public_url without"],
)
async def test_cookies_are_by_tls_alone_where_visitors_come_by_tls(
    tmp_path: Path, public_url: str | None, headers: dict[str, str], secure: bool
) -> None:
    web = "" if public_url is None else f'[web]\npublic_url = "{public_url}"\n'
    (tmp_path / "portico.toml").write_text(f'[server]\ntrusted_proxies = ["127.0.0.1"]\n{web}')
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as server:
        _, cookies = await begun(server, headers)
        if public_url is not None:
            assert link_in(server.said).startswith(f"{public_url}/first-start/")
    assert len(cookies) == 3
    for cookie in cookies:
        assert ("; Secure" in cookie, cookie.startswith("__Host-")) == (secure, secure)
        assert "; HttpOnly" in cookie


async def test_a_proxy_that_nobody_trusts_decides_nothing(tmp_path: Path) -> None:
    headers = {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as server:
        _, cookies = await begun(server, headers)
    assert not [cookie for cookie in cookies if "Secure" in cookie]


async def test_a_provider_of_identities_is_asked_for_through_the_proxy(tmp_path: Path) -> None:
    asked: asyncio.Queue[bytes] = asyncio.Queue()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    (tmp_path / "portico.toml").write_text('[oidc]\nissuer = "https://idp.test"\nclient_id = "here"\n')
    env = {**ENV, "HTTPS_PROXY": f"http://clerk:hunter2@127.0.0.1:{port}"}
    async with listening, portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=env) as server:
        status, _, _ = await ask(await server.port(), "GET", "/auth/oidc/start")
    head = (await soon(asked.get())).lower()
    assert status == 502
    assert head.startswith(b"connect idp.test:443 http/1.1\r\n")
    assert b"\r\nproxy-authorization: basic y2xlcms6ahvudgvymg==\r\n" in head
