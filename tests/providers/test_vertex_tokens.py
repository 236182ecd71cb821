"""Service accounts: their tokens are fetched from a token server on a real socket, kept, and fetched anew."""

import asyncio
import base64
import json
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from gateway.house import Act, Script, answers, chat, open_house, says
from portico.core.errors import UpstreamAuthFailed
from portico.http.client import HttpUpstream
from portico.http.server import Server
from portico.providers import KINDS, Provider, Secret
from portico.relay.signing import EARLY_S, Signer
from portico.wire.http import App, Exchange
from providers.entries import configure, service_account

VERTEX = KINDS["vertex"]


class Clock:
    """Seconds since 1970, which stand still until they are told to pass."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def grants(*words: str, lifetime_s: int = 3600, after: asyncio.Event | None = None) -> list[Act]:
    """Tokens, one a request."""

    def one(word: str) -> Act:
        async def act(exchange: Exchange) -> None:
            if after is not None:
                await after.wait()
            body = {"access_token": word, "expires_in": lifetime_s, "token_type": "Bearer"}
            exchange.send(200, [("content-type", "application/json")], json.dumps(body).encode())

        return act

    return [one(word) for word in words]


REFUSED = answers({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[str]:
    server = Server(app)
    await server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop(grace_s=0)


@asynccontextmanager
async def signing(acts: Sequence[Act], clock: Clock) -> AsyncIterator[tuple[Signer, Provider, Script]]:
    tokens = Script(*acts)
    upstream = HttpUpstream()
    async with listening(tokens) as address:
        secret = Secret(service_account(f"{address}/token"), "file:account.json")
        provider = Provider.at("vertex", VERTEX, None, (secret,))
        signer = Signer(upstream, clock)
        signer.serve([provider])
        try:
            yield signer, provider, tokens
        finally:
            await upstream.aclose()


async def bearer(signer: Signer, provider: Provider) -> str:
    headers = dict(await signer.headers(provider, provider.kind.spoken[0], provider.keys[0]))
    assert headers["content-type"] == "application/json"
    return headers["authorization"]


async def test_a_call_carries_a_token_and_names_the_project_of_its_document(tmp_path: Path) -> None:
    tokens, provider = Script(*grants("sample-token")), Script(answers(says("Hello")))
    async with listening(tokens) as address:
        (tmp_path / "account.json").write_text(service_account(f"{address}/token"))
        entry = '[[providers]]\nkind = "vertex"\nbase_url = "ADDRESS"\nlocation = "us-central1"\n'
        entry += 'keys = ["file:account.json"]\n'
        async with open_house(provider, configure=configure(tmp_path, entry)) as house:
            for _ in range(3):
                answer = await house.ask(chat("Hello"))
                assert (answer.status, answer.message["content"]) == (200, "Hello")
    (asked,) = tokens.requests
    assert (asked.method, asked.path) == ("POST", "/token")
    (assertion,) = parse_qs(asked.body.decode())["assertion"]
    claims = claims_of(assertion)
    assert claims["iss"] == "portico@sample-project.iam.gserviceaccount.com"
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    place = "/v1beta1/projects/sample-project/locations/us-central1/publishers/google/models/"
    for request in provider.requests:
        assert request.path == f"{place}gemini-3.5-flash:generateContent"
        assert request.headers["authorization"] == "Bearer sample-token"
        assert "x-goog-api-key" not in request.headers


async def test_many_who_need_a_token_wait_for_one_fetch() -> None:
    gate = asyncio.Event()
    async with signing(grants("one", after=gate), Clock()) as (signer, provider, tokens):
        waiting = [asyncio.create_task(bearer(signer, provider)) for _ in range(50)]
        waiting[0].cancel()  # a caller who leaves takes nobody's token away
        await asyncio.sleep(0)
        gate.set()
        got = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(got[0], asyncio.CancelledError)
        assert set(got[1:]) == {"Bearer one"}
        assert len(tokens.requests) == 1


async def test_a_token_is_kept_until_five_minutes_before_its_end() -> None:
    clock = Clock()
    async with signing(grants("one", "two"), clock) as (signer, provider, tokens):
        assert await bearer(signer, provider) == "Bearer one"
        clock.now += 3600 - EARLY_S - 5
        assert await bearer(signer, provider) == "Bearer one"
        clock.now += 10
        assert await bearer(signer, provider) == "Bearer two"
        assert len(tokens.requests) == 2


async def test_a_token_that_is_still_good_serves_while_no_other_can_be_had(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    async with signing([*grants("one"), REFUSED], clock) as (signer, provider, _):
        assert await bearer(signer, provider) == "Bearer one"
        clock.now += 3600 - EARLY_S + 5
        with caplog.at_level(logging.WARNING):
            assert await bearer(signer, provider) == "Bearer one"
        assert "invalid_grant" in caplog.text
        assert "file:account.json" in caplog.text
        clock.now += EARLY_S
        with pytest.raises(UpstreamAuthFailed):
            await bearer(signer, provider)


async def test_a_token_that_was_refused_is_not_shown_again() -> None:
    async with signing(grants("one", "two"), Clock()) as (signer, provider, _):
        assert await bearer(signer, provider) == "Bearer one"
        signer.refused(provider.keys[0])
        assert await bearer(signer, provider) == "Bearer two"


async def test_nothing_is_kept_of_credentials_that_are_gone() -> None:
    async with signing(grants("one", "two"), Clock()) as (signer, provider, _):
        assert await bearer(signer, provider) == "Bearer one"
        signer.serve([])
        signer.serve([provider])
        assert await bearer(signer, provider) == "Bearer two"


def html(status: int) -> Act:
    async def act(exchange: Exchange) -> None:
        exchange.send(status, [("content-type", "text/html")], b"<h1>Hello</h1>")

    return act


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (REFUSED, "invalid_grant: Invalid JWT Signature."),
        (html(404), "Hello"),
        (answers({"token_type": "Bearer"}), "access token"),
    ],
)
async def test_why_there_is_no_token_is_said(act: Act, reason: str) -> None:
    async with signing([act], Clock()) as (signer, provider, _):
        with pytest.raises(UpstreamAuthFailed) as raised:
            await bearer(signer, provider)
    assert reason in (raised.value.reason or "")
    assert raised.value.fails_over


async def test_a_token_server_that_is_not_there_is_a_failed_credential() -> None:
    upstream = HttpUpstream()
    document = service_account("http://127.0.0.1:9/token")
    provider = Provider.at("vertex", VERTEX, None, (Secret(document, "a test"),))
    with pytest.raises(UpstreamAuthFailed) as raised:
        await bearer(Signer(upstream, time.time), provider)
    assert "token endpoint" in (raised.value.reason or "")
    assert "PRIVATE KEY" not in repr(raised.value)
    await upstream.aclose()


async def test_a_private_key_that_cannot_be_read_is_a_failed_credential() -> None:
    document = service_account(private_key="-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    provider = Provider.at("vertex", VERTEX, None, (Secret(document, "a test"),))
    upstream = HttpUpstream()
    with pytest.raises(UpstreamAuthFailed) as raised:
        await bearer(Signer(upstream, time.time), provider)
    assert "private key" in (raised.value.reason or "")
    await upstream.aclose()


async def test_without_a_token_another_credential_is_tried(tmp_path: Path) -> None:
    tokens, provider = Script(REFUSED), Script(answers(says("Hello")))
    async with listening(tokens) as address:
        (tmp_path / "account.json").write_text(service_account(f"{address}/token"))
        entry = (
            '[[providers]]\nname = "a"\nkind = "vertex"\nbase_url = "ADDRESS"\nkeys = ["file:account.json"]\n'
            '[[providers]]\nname = "b"\nkind = "gemini"\nbase_url = "ADDRESS"\n'
        )
        async with open_house(provider, configure=configure(tmp_path, entry)) as house:
            assert (await house.ask(chat("Hello"))).status == 200
        alone = entry.partition("\n[[")[0]
        async with open_house(provider, configure=configure(tmp_path, alone)) as house:
            answer = await house.ask(chat("Hello"))
    assert [request.path for request in provider.requests] == ["/v1beta/models/gemini-3.5-flash:generateContent"]
    assert (answer.status, answer.error["code"]) == (502, "upstream_auth")
    assert "invalid_grant" not in answer.error["message"]


def test_google_auth_is_loaded_for_service_accounts_alone(tmp_path: Path) -> None:
    said = (
        "import sys, portico.cli.serve, portico.relay.relay\n"
        "print([name for name in sys.modules if name.startswith('google')])"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


def claims_of(assertion: str) -> dict[str, Any]:
    payload = assertion.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
