"""A receipt is there as soon as its call's answer is, though the call is settled after the last byte."""

import asyncio
import time
from pathlib import Path

import pytest

from books.shop import OWNER_KEY, Gate, open_shop
from gateway.house import Answer, Wire, as_bytes, chat, soon, until

AUTH = {"host": "x", "authorization": f"Bearer {OWNER_KEY}", "connection": "close"}


async def ask(port: int, method: str, path: str, body: bytes = b"") -> Answer:
    wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port)))
    wire.request(method, path, AUTH, body)
    try:
        return await wire.rest()
    finally:
        wire.drop()


async def again(wire: Wire, method: str, path: str, body: bytes = b"") -> Answer:
    """Asked over a connection that is kept."""
    wire.status, wire.at_end = 0, False
    wire.request(method, path, {name: value for name, value in AUTH.items() if name != "connection"}, body)
    return await wire.rest()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_receipt_may_be_asked_for_as_soon_as_the_answer_is_there(tmp_path: Path, workers: int) -> None:
    async with open_shop(tmp_path, Gate()) as shop, shop.serving(workers) as command:
        port = await command.port()
        wires = [Wire(*await soon(asyncio.open_connection("127.0.0.1", port))) for _ in range(10)]

        async def caller(wire: Wire, other: Wire) -> None:
            for number in range(10):
                said = as_bytes(chat("Hello", stream=number % 2 == 1))
                answered = await again(wire, "POST", "/v1/chat/completions", said)
                assert answered.status == 200, answered.body
                request_id = answered.headers["x-portico-request-id"]
                receipt = await again(other, "GET", f"/v1/receipts/{request_id}")
                assert receipt.status == 200, (number, receipt.body)
                assert receipt.json()["request_id"] == request_id

        await asyncio.gather(*(caller(wires[one], wires[one + 5]) for one in range(5)))
        for wire in wires:
            wire.drop()


async def test_a_receipt_of_a_call_under_way_is_a_404_that_says_so(tmp_path: Path) -> None:
    gate = Gate(opened=False)
    async with open_shop(tmp_path, gate) as shop, shop.serving() as command:
        port = await command.port()
        wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port)))
        wire.request("POST", "/v1/chat/completions", AUTH, as_bytes(chat("Hello")))
        await until(lambda: gate.arrived)
        (held,) = [entry["request_id"] for entry in await shop.entries("default") if entry["kind"] == "hold"]
        began = time.monotonic()
        refused = await ask(port, "GET", f"/v1/receipts/{held}")
        assert refused.status == 404
        assert "not over" in refused.json()["error"]["message"]
        assert refused.headers["retry-after"] == "1"
        assert time.monotonic() - began > 1.5
        unknown = await ask(port, "GET", "/v1/receipts/req_unknown")
        assert (unknown.status, unknown.headers.get("retry-after")) == (404, None)
        gate.open.set()
        await wire.rest()
        wire.drop()
        assert (await ask(port, "GET", f"/v1/receipts/{held}")).status == 200
