"""What costs nothing and goes out all the same: files at providers, and addresses that are fetched from. The limits of a
key count it (complaint 14), and it is not done for whoever has nothing."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import databases
from gateway.house import KEY, Answer, Json
from money.paid import USD, Counter, Paid, paid_house
from portico.http.server import Server
from portico.simulator import Simulator
from portico.vault import Resources
from portico.wire.http import Exchange

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nHello\r\n--b--\r\n'
)


@contextlib.asynccontextmanager
async def with_files(folder: Path, **options: Any) -> AsyncIterator[Paid]:
    path = folder / "files.db"
    databases.sqlite_books(path)
    counter = Counter(path)
    resources = Resources(counter, counter, now=time.time)
    async with paid_house(folder / "books.db", Simulator(now=time.time), resources=resources, **options) as paid:
        yield paid
    counter.shut()


async def bring(paid: Paid) -> Answer:
    """As Anthropic's clients do."""
    headers = {"content-type": "multipart/form-data; boundary=b", "x-portico-providers": "gemini"}
    return await paid.house.ask(FORM, path="/v1/files", headers=headers)


async def begin(paid: Paid) -> Answer:
    """As Google's clients do."""
    headers = {
        "x-goog-api-key": KEY,
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-length": "5",
        "x-goog-upload-header-content-type": "text/plain",
    }
    return await paid.house.ask({"file": {}}, path="/upload/v1beta/files", key=None, headers=headers)


async def listed(paid: Paid) -> Answer:
    return await paid.house.ask(b"", method="GET", path="/v1/files")


async def test_complaint_14_what_is_asked_of_files_counts_as_requests_of_the_key(tmp_path: Path) -> None:
    async with with_files(tmp_path, policy={"rpm": 3}) as paid:
        assert [(await one(paid)).status for one in (bring, begin, listed)] == [200, 200, 200]
        for one in (bring, begin, listed):
            refused = await one(paid)
            assert refused.status == 429
            assert int(refused.headers["retry-after"]) > 0
        assert paid.account() == (100 * USD, 0)
        assert paid.entries() == []


async def test_nothing_is_brought_for_a_prepaid_account_that_has_nothing(tmp_path: Path) -> None:
    async with with_files(tmp_path, balance=0) as paid:
        assert [(await one(paid)).status for one in (bring, begin, listed)] == [402, 402, 200]
        paid.set_balance(1)
        assert [(await one(paid)).status for one in (bring, begin, listed)] == [200, 200, 200]


@pytest.mark.parametrize(("balance", "prepaid", "status"), [(0, False, 200), (-1, False, 200), (-1, True, 402)])
async def test_an_open_account_may_bring_files_whatever_it_has(
    tmp_path: Path, balance: int, prepaid: bool, status: int
) -> None:
    async with with_files(tmp_path, balance=balance, prepaid=prepaid) as paid:
        assert (await bring(paid)).status == status
        assert (await listed(paid)).status == 200


@pytest.mark.parametrize("prepaid", [True, False])
async def test_without_the_database_open_accounts_look_at_files(tmp_path: Path, prepaid: bool) -> None:
    async with with_files(tmp_path, prepaid=prepaid, policy={"rpm": 3}) as paid:
        paid.counter.away = True
        assert (await listed(paid)).status == (503 if prepaid else 200)


class Remote:
    """A server of pictures that knows how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, exchange: Exchange) -> None:
        self.asked += 1
        exchange.send(200, [("content-type", "image/png")], PNG)


def seeing(port: int, number: int = 0) -> Json:
    content = [{"type": "image_url", "image_url": {"url": f"http://127.0.0.1:{port}/{number}"}}]
    return {"model": "gemini-3.5-flash", "messages": [{"role": "user", "content": content}]}


@contextlib.asynccontextmanager
async def fetching(folder: Path, **options: Any) -> AsyncIterator[tuple[Paid, Remote, int]]:
    remote = Remote()
    server = await Server(remote).start(port=0)
    async with paid_house(folder / "books.db", allow=["127.0.0.1"], **options) as paid:
        yield paid, remote, server.port
    await server.stop(grace_s=0)


async def test_nothing_is_fetched_for_a_prepaid_account_that_has_nothing(tmp_path: Path) -> None:
    async with fetching(tmp_path, balance=0) as (paid, remote, port):
        assert (await paid.house.ask(seeing(port))).status == 402
        assert remote.asked == 0
        paid.set_balance(100 * USD)
        assert (await paid.house.ask(seeing(port))).status == 200
        assert remote.asked == 1


async def test_nothing_is_fetched_for_a_key_whose_requests_are_used_up(tmp_path: Path) -> None:
    async with fetching(tmp_path, policy={"rpm": 2}) as (paid, remote, port):
        statuses = [(await paid.house.ask(seeing(port, number))).status for number in range(4)]
        assert statuses == [200, 200, 429, 429]
        assert remote.asked == 2
