"""Open calls are listed while they run, and ended by whichever worker serves them."""

import sys
from pathlib import Path

import pytest

from books.lines import lines_to
from books.shop import Gate, eventually, open_shop, receipt
from databases import started_postgres_url
from gateway.house import as_bytes, chat

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_a_stream_is_listed_and_ended_at_whichever_worker_serves_it(tmp_path: Path, database: str) -> None:
    slow = Gate(events=5000, pace_s=0.2)
    url = started_postgres_url() if database == "postgres" else None
    async with open_shop(tmp_path, slow, storage_url=url) as shop:
        _, key = await shop.prepaid("tenant")
        await shop.command("accounts", "top-up", "tenant", "10")
        async with shop.serving(workers=2) as server:
            port = await server.port()
            async with lines_to(server, port, 2) as lines:
                for line in lines:
                    fields = {"host": "x", "authorization": f"Bearer {key}"}
                    line.wire.status = 0
                    line.wire.request("POST", "/v1/chat/completions", fields, as_bytes(chat(stream=True)))
                    assert await line.wire.head() == 200

                async def both_are_listed() -> bool:
                    listed = (await shop.command("calls", "list"))["data"]
                    return [one.get("model") for one in listed] == ["gemini-3.5-flash"] * 2

                await eventually(both_are_listed)
                listed = (await shop.command("calls", "list"))["data"]
                assert {one["account_name"] for one in listed} == {"tenant"}
                assert len({one["process"] for one in listed}) == 2
                assert all(one["held_nanos"] > 0 and one["provider"] == "gemini" for one in listed)
                for line in lines:
                    request_id = line.wire.headers["x-portico-request-id"]
                    assert (await shop.command("calls", "end", request_id, "--yes"))["ending"]
                    rest = await line.wire.rest()
                    assert b"Whoever runs this gateway ended the call." in rest.body
                    found = await receipt(port, key, request_id)
                    assert found["outcome"] == "ended_by_operator"
                    assert found["charge_nanos"] > 0

                async def none_is_listed() -> bool:
                    return not (await shop.command("calls", "list"))["data"]

                await eventually(none_is_listed)
                audit = await shop.command("audit", "--command", "calls end")
                assert len(audit["data"]) == 2
        assert await shop.add_up()
