"""A used-up quota is known to every worker, and to who comes after a worker that was killed."""

import json
from pathlib import Path
from typing import Any

from books.shop import OWNER_KEY, Gate, call, eventually, open_shop
from gateway.house import as_bytes
from portico.wire.http import Exchange

_TYPE = "type.googleapis.com/google.rpc."
_SPENT = {
    "error": {
        "code": 429,
        "message": "quota",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": _TYPE + "QuotaFailure", "violations": [{"quotaId": "RequestsPerDayPerProjectPerModel"}]}],
    }
}


class Spent(Gate):
    """A provider whose quota of the day is gone."""

    async def __call__(self, exchange: Exchange) -> None:
        self.arrived += 1
        exchange.send(429, [("content-type", "application/json")], as_bytes(_SPENT))


async def test_a_days_quota_rests_at_every_worker_and_after_a_kill(tmp_path: Path) -> None:
    provider = Spent()
    async with open_shop(tmp_path, provider) as shop:
        async with shop.serving(workers=2) as gateway:
            port = await gateway.port()
            assert (await call(port, OWNER_KEY)).status == 429
            asked = provider.arrived
            assert asked in (1, 2)

            async def all_know() -> bool:
                answers = [await call(port, OWNER_KEY) for _ in range(8)]
                return all(answer.status == 429 and int(answer.headers["retry-after"]) > 60 for answer in answers)

            await eventually(all_know)
            settled = provider.arrived
            for _ in range(12):
                assert (await call(port, OWNER_KEY)).status == 429
            assert provider.arrived == settled
            gateway.kill()
            await gateway.end()
        rests: list[Any] = json.loads(await shop.said("pool", "list"))["data"]
        assert [(rest["provider"], rest["model"]) for rest in rests] == [("gemini", "gemini-3.5-flash")]
        async with shop.serving() as gateway:
            port = await gateway.port()
            assert (await call(port, OWNER_KEY)).status == 429
            assert provider.arrived == settled
            assert json.loads(await shop.said("pool", "clear", "gemini")) == {"cleared": 1}

            async def asked_again() -> bool:
                await call(port, OWNER_KEY)
                return provider.arrived > settled

            await eventually(asked_again)
