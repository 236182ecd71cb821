"""What a caller sees of its account at a whole gateway, on both databases, and what it never sees: another's."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.rowbooks import Books, Reads
from gateway.house import House, open_house
from portico.accounts import Keyring, KeyRow
from portico.accounts.keys import digest_of
from portico.accounts.statement import dollars, without_cost
from portico.core.storage import Db

ALICE, BOB = "sk-portico-sample-alice-01234567", "sk-portico-sample-bob-0123456789"
NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)
RECEIPT = {
    "request_id": "req_1",
    "charge_nanos": 5,
    "cost_nanos": 3,
    "lines": [{"item": "input", "nanos": 5, "cost_rate_nanos": 3}],
    "raw_usage": {"total": 3, "cost": 0.5},
    "markup_permille": 1200,
    "count": 7,
}
DAYS = [
    # account, day, model, key, calls, charge
    ("acc_alice", "2026-07-01", "m-one", "key_1", 1, 10),
    ("acc_alice", "2026-07-01", "m-two", "key_1", 2, 20),
    ("acc_alice", "2026-07-02", "m-one", "key_2", 4, 40),
    ("acc_alice", "2026-05-02", "m-old", "key_1", 8, 80),
    ("acc_alice", "2026-07-03", "=1+1", "key_1", 16, 1_500_000_000),
    ("acc_bob", "2026-07-01", "m-bobs", "key_9", 100, 1000),
]


def write(db: Db) -> None:
    for account, kind, posted, held in (
        ("acc_alice", "prepaid", 2_500_000_000, 500_000_001),
        ("acc_bob", "open", -7, 0),
    ):
        sql = "INSERT INTO accounts (id, name, kind, posted_nanos, held_nanos, created_us) VALUES (?, ?, ?, ?, ?, 1)"
        db.run(sql, account, account[4:], kind, posted, held)
        request_id = "req_1" if account == "acc_alice" else "req_2"
        db.run(
            "INSERT INTO receipts (request_id, account_id, key_id, at_us, model, outcome, charge_nanos, cost_nanos, body)"
            " VALUES (?, ?, 'key_1', 1, 'm', 'ok', 5, 3, ?)",
            request_id,
            account,
            json.dumps(RECEIPT | {"request_id": request_id}),
        )
    for account, day, model, key, calls, charge in DAYS:
        db.run(
            "INSERT INTO usage_days (account_id, day, model, key_id, calls, input_tokens, charge_nanos, cost_nanos)"
            " VALUES (?, ?, ?, ?, ?, 3, ?, 999)",
            account,
            day,
            model,
            key,
            calls,
            charge,
        )


@pytest.fixture
def reads(books: Books) -> Reads:
    books.work(write)
    return Reads(books)


@pytest.fixture
async def house(reads: Reads) -> AsyncIterator[House]:
    rows = [
        KeyRow("key_1", "acc_alice", digest_of(ALICE), prepaid=True, revision=1),
        KeyRow("key_9", "acc_bob", digest_of(BOB), revision=2),
    ]
    async with open_house(keyring=Keyring.of(rows), reading=reads, now=NOW.timestamp) as found:
        yield found


async def get(house: House, path: str, *, key: str | None = ALICE, **more: Any) -> Any:
    return await house.ask(b"", method="GET", path=path, key=key, **more)


async def test_a_balance_is_told_in_nanos_and_in_dollars(house: House) -> None:
    answer = await get(house, "/v1/balance")
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["account"], body["kind"], body["currency"]) == ("acc_alice", "prepaid", "USD")
    assert (body["posted"], body["held"], body["available"]) == ("2.50", "0.500000001", "1.999999999")
    assert body["available_nanos"] == 1_999_999_999
    bobs = (await get(house, "/v1/balance", key=BOB)).json()
    assert (bobs["account"], bobs["available"]) == ("acc_bob", "-0.000000007")


async def test_a_receipt_is_shown_to_its_account_alone_and_without_what_the_call_cost_the_operator(
    house: House,
) -> None:
    body = (await get(house, "/v1/receipts/req_1")).json()
    assert (body["object"], body["request_id"], body["charge_nanos"], body["count"]) == ("receipt", "req_1", 5, 7)
    assert body["lines"] == [{"item": "input", "nanos": 5}]
    assert body["raw_usage"] == {"total": 3}
    assert "cost" not in json.dumps(body)
    assert body["markup_permille"] == 1200, "without it the lines do not add up to the charge"
    others, unknown = await get(house, "/v1/receipts/req_2"), await get(house, "/v1/receipts/req_3")
    assert others.status == unknown.status == 404
    assert others.body == unknown.body
    assert others.error["code"] == "not_found"
    assert (await get(house, "/v1/receipts/req_2", key=BOB)).status == 200


async def test_what_came_after_a_receipt_is_told_with_it(house: House, reads: Reads) -> None:
    sql = "INSERT INTO receipt_notes (request_id, kind, body, at_us) VALUES ('req_1', ?, ?, ?)"
    await reads.work(lambda db: db.run(sql, "adjust", '{"posted_nanos": -2, "cost_nanos": -1}', 7))
    await reads.work(lambda db: db.run(sql, "note", "in plain words", 8))
    assert (await get(house, "/v1/receipts/req_1")).json()["notes"] == [
        {"kind": "adjust", "at_us": 7, "body": {"posted_nanos": -2}},
        {"kind": "note", "at_us": 8, "body": "in plain words"},
    ]


@pytest.mark.parametrize("item", ["req_%00", "%27%20OR%201=1", "x" * 5000, "req_1%25", "%ff"])
async def test_no_id_of_any_kind_is_more_than_unknown(house: House, item: str) -> None:
    assert (await get(house, f"/v1/receipts/{item}")).status == 404


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", [("2026-07-01", 3), ("2026-07-02", 4), ("2026-07-03", 16)]),
        ("?by=model", [("=1+1", 16), ("m-one", 5), ("m-two", 2)]),
        ("?by=key", [("key_1", 19), ("key_2", 4)]),
        ("?by=model&from=2026-07-02&to=2026-07-02", [("m-one", 4)]),
        ("?by=day&from=2026-05-01&to=2026-05-31", [("2026-05-02", 8)]),
        ("?by=key,day", [("key_1", "2026-07-01", 3), ("key_1", "2026-07-03", 16), ("key_2", "2026-07-02", 4)]),
        ("?from=2025-01-01&to=2025-01-01", []),
    ],
)
async def test_usage_is_told_by_what_is_asked_for(house: House, query: str, rows: list[tuple[Any, ...]]) -> None:
    body = (await get(house, f"/v1/usage{query}")).json()
    assert [(*[row[word] for word in body["by"]], row["calls"]) for row in body["data"]] == rows
    assert body["total"]["calls"] == sum(row[-1] for row in rows)
    assert "cost" not in json.dumps(body)


async def test_usage_comes_a_page_at_a_time_with_the_total_of_all(house: House) -> None:
    seen: list[str] = []
    after: Any = "0"
    for _ in range(3):
        body = (await get(house, f"/v1/usage?by=model&limit=1&after={after}")).json()
        assert body["total"]["calls"] == 23
        seen += [row["model"] for row in body["data"]]
        after = body["next"]
    assert seen == ["=1+1", "m-one", "m-two"]
    assert after is None


@pytest.mark.parametrize(
    ("query", "headers"),
    [("&format=csv", {}), ("", {"accept": "text/csv"}), ("", {"accept": "text/html, text/csv;q=0.9"})],
)
async def test_usage_is_a_table_for_who_wants_one(house: House, query: str, headers: dict[str, str]) -> None:
    answer = await get(house, f"/v1/usage?by=model&limit=2{query}", headers=headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["x-portico-next"] == "2"
    table = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [(row["model"], row["calls"], row["charge_usd"]) for row in table] == [
        ("'=1+1", "16", "1.50"),
        ("m-one", "5", "0.00000005"),
    ]
    assert "cost" not in answer.body.decode()


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("by=account", "by"),
        ("by=", "by"),
        ("by=day,day", "by"),
        ("by=day;--", "by"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-07-02&to=2026-07-01", "from"),
        ("from=2024-01-01&to=2026-01-01", "from"),
        ("to=0001-01-01", "to"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("after=x", "after"),
        ("format=xml", "format"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_with_the_parameters_name(
    house: House, query: str, param: str
) -> None:
    answer = await get(house, f"/v1/usage?{query}")
    assert (answer.status, answer.error["param"]) == (400, param)


@pytest.mark.parametrize("path", ["/v1/balance", "/v1/usage", "/v1/receipts/req_1"])
async def test_an_account_is_seen_with_its_key_and_while_the_books_are_there(
    house: House, reads: Reads, path: str
) -> None:
    assert (await get(house, path, key=None)).status == 401
    assert (await get(house, path, key="sk-portico-wrong-0123456789")).status == 401
    posted = await house.ask({}, path=path, key=ALICE)
    assert (posted.status, posted.headers["allow"]) == (405, "GET, HEAD")
    reads.down = True
    answer = await get(house, path)
    assert (answer.status, answer.error["code"]) == (503, "storage_unavailable")


async def test_complaint_17_a_database_that_is_away_turns_no_caller_away(house: House, reads: Reads) -> None:
    reads.down = True
    assert (await get(house, "/v1/models")).status == 200
    assert (
        await house.ask({"model": "gemini-3.5-flash", "messages": [{"role": "user", "content": "Hi"}]}, key=BOB)
    ).status == 200


async def test_without_books_there_are_no_such_pages() -> None:
    async with open_house() as house:
        for path in ("/v1/balance", "/v1/usage", "/v1/receipts/req_1"):
            assert (await house.ask(b"", method="GET", path=path)).error["code"] == "unknown_url"


@pytest.mark.parametrize(
    ("nanos", "written"),
    [
        (0, "0.00"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (10**9, "1.00"),
        (1_250_000_000, "1.25"),
        (-25 * 10**8, "-2.50"),
    ],
)
def test_an_amount_is_written_exactly(nanos: int, written: str) -> None:
    assert dollars(nanos) == written


def test_only_fields_named_for_the_cost_are_taken_out() -> None:
    assert without_cost({"a": [{"cost_x": 1, "b": 2}], "costly": 3, "cost": 4}) == {"a": [{"b": 2}], "costly": 3}
