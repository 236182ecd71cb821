"""What an operator changes reaches every worker while it serves: two workers, a connection to each, and the commands."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from books.lines import Line, lines_to
from books.shop import ANSWER_TOKENS, PROMPT_TOKENS, Gate, Shop, eventually, open_shop, receipt
from databases import started_postgres_url
from gateway.house import Answer, Json, chat
from money.paid import price_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")

MODEL = "gemini-3.5-flash"
DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgres"])


class Served:
    """A shop that serves with two workers, and an account with a key."""

    def __init__(self, shop: Shop, port: int, lines: list[Line], issued: Json) -> None:
        self.shop = shop
        self.port = port
        self.lines = lines
        self.id: str = issued["id"]
        self.key: str = issued["key"]

    async def at_every_worker(self, status: int, code: str | None = None, *, key: str | None = None) -> None:
        """Waits until each of them answers so."""
        for line in self.lines:

            async def so(line: Line = line) -> bool:
                answer = await line.ask(key or self.key)
                return answer.status == status and (code is None or answer.error["code"] == code)

            await eventually(so)


@asynccontextmanager
async def serving(folder: Path, database: str = "sqlite") -> AsyncIterator[Served]:
    async with open_shop(
        folder, Gate(), storage_url=started_postgres_url() if database == "postgres" else None
    ) as shop:
        await shop.command("accounts", "create", "tenant")
        await shop.command("accounts", "top-up", "tenant", "1000")
        issued = await shop.command("keys", "create", "--account", "tenant")
        async with shop.serving(workers=2) as server:
            port = await server.port()
            async with lines_to(server, port, 2) as lines:
                served = Served(shop, port, lines, issued)
                await served.at_every_worker(200)
                yield served


@DATABASES
async def test_a_revoked_key_opens_no_worker(tmp_path: Path, database: str) -> None:
    async with serving(tmp_path, database) as served:
        await served.shop.command("keys", "revoke", served.id, "--yes")
        await served.at_every_worker(401, "invalid_api_key")


async def test_a_key_that_is_made_disabled_and_enabled_is_so_at_every_worker(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.shop.command("keys", "disable", served.id)
        await served.at_every_worker(401)
        await served.shop.command("keys", "enable", served.id)
        await served.at_every_worker(200)
        another = await served.shop.command("keys", "create", "--account", "tenant")
        await served.at_every_worker(200, key=another["key"])


async def test_a_rotated_key_opens_every_worker_by_its_new_secret_alone(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        rotated = await served.shop.command("keys", "rotate", served.id)
        assert rotated["id"] == served.id
        await served.at_every_worker(200, key=rotated["key"])
        await served.at_every_worker(401)


async def test_a_changed_limit_holds_at_every_worker(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.shop.command("keys", "set", served.id, "--budget-day", "0.000000001")
        await served.at_every_worker(429, "budget_exceeded")
        await served.shop.command("keys", "set", served.id, "--budget-day", "none")
        await served.at_every_worker(200)
        await served.shop.command("keys", "set", served.id, "--model", "gemini-2.5-*")
        await served.at_every_worker(404, "model_not_found")


async def test_a_closed_account_is_closed_at_every_worker(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.shop.command("accounts", "delete", "tenant", "--yes")
        await served.at_every_worker(401)


async def publish(shop: Shop, usd_per_mtok: str) -> None:
    """A new price of every token of the model, by the two steps that there are."""
    rows = f"model,input,cached,output\n{MODEL},{usd_per_mtok},{usd_per_mtok},{usd_per_mtok}\n"
    (shop.folder / "prices.csv").write_text(rows, encoding="utf-8")
    await shop.command("prices", "import", "prices.csv", "-o", "draft.toml")
    shown = await shop.command("prices", "diff", "draft.toml")
    assert MODEL in str(shown)
    await shop.command("prices", "publish", "draft.toml", "--yes")


async def charge_at(served: Served, line: Line) -> int:
    answer = await line.ask(served.key)
    assert answer.status == 200, answer.body
    told = await receipt(served.port, served.key, answer.headers["x-portico-request-id"])
    return int(told["charge_nanos"])


async def charged_everywhere(served: Served, nanos: int) -> None:
    for line in served.lines:

        async def so(line: Line = line) -> bool:
            return await charge_at(served, line) == nanos

        await eventually(so)


@DATABASES
async def test_a_published_price_is_charged_by_every_worker(tmp_path: Path, database: str) -> None:
    async with serving(tmp_path, database) as served:
        await charged_everywhere(served, price_of(PROMPT_TOKENS, ANSWER_TOKENS))
        await publish(served.shop, "7")
        await served.at_every_worker(200)
        await charged_everywhere(served, 7000 * (PROMPT_TOKENS + ANSWER_TOKENS))
        await served.shop.command("markup", "set", "+50%", "--account", "tenant")
        await charged_everywhere(served, 10_500 * (PROMPT_TOKENS + ANSWER_TOKENS))
        assert await served.shop.add_up()


async def test_complaint_25_a_typo_in_a_price_freezes_nobody_once_another_row_is_published(tmp_path: Path) -> None:
    """No row is deleted for it, neither of the prices nor of what was charged."""
    async with serving(tmp_path) as served:
        before = await charge_at(served, served.lines[0])
        await publish(served.shop, "7000000")
        await served.at_every_worker(402, "insufficient_funds")
        await publish(served.shop, "7")
        await served.at_every_worker(200)
        await charged_everywhere(served, 7000 * (PROMPT_TOKENS + ANSWER_TOKENS))
        listed = await served.shop.command("prices", "list", MODEL, "--all")
        told = str(listed)
        assert "7000000" in told, "the row with the typo is still in the book"
        settled = [-line["posted_nanos"] for line in await served.shop.entries("tenant") if line["kind"] == "settle"]
        assert before in settled
        assert await served.shop.add_up()


async def test_complaint_14_a_budget_holds_across_workers_and_on_every_route(tmp_path: Path) -> None:
    """Workers that take turns spend one budget, and calls that pass untouched spend it as the others do."""
    async with serving(tmp_path) as served:
        charge = price_of(PROMPT_TOKENS, ANSWER_TOKENS)
        shop = served.shop
        estimate = await served.lines[0].ask(served.key, path="/v1/estimate")
        room = estimate.json()["ceiling_nanos"] + 4 * charge
        budget = f"{room / 1e9:.9f}"
        issued = await shop.command("keys", "create", "--account", "tenant", "--budget-day", budget)
        for line in served.lines:

            async def known(line: Line = line) -> bool:
                return (await line.ask(issued["key"], path="/v1/models", method="GET")).status == 200

            await eventually(known)
        native = f"/v1beta/models/{MODEL}:generateContent"
        limits = {"generationConfig": {"maxOutputTokens": 100}}
        body = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], **limits}
        answers: list[Answer] = []
        for turn in range(12):
            line = served.lines[turn % 2]
            if turn % 3:
                answer = await line.ask(issued["key"], chat(max_tokens=100))
            else:
                answer = await line.ask(issued["key"], body, path=native, headers={"x-goog-api-key": issued["key"]})
            answers.append(answer)
            if answer.status == 200:
                await receipt(served.port, issued["key"], answer.headers["x-portico-request-id"])
        answered = [answer.status for answer in answers].count(200)
        assert {answer.status for answer in answers} == {200, 429}
        assert [answer.status for answer in answers] == [200] * answered + [429] * (12 - answered)
        usage = (await served.lines[0].ask(issued["key"], path="/v1/usage?by=key", method="GET")).json()
        (spent,) = [row["charge_nanos"] for row in usage["data"] if row["key"] == issued["id"]]
        assert spent == answered * charge <= room
