"""A used-up quota is known to every worker, and to who comes after a worker that was killed."""

import json
from pathlib import Path
from typing import Any

import pytest

from books.shop import OWNER_KEY, Gate, call, eventually, open_shop
from gateway.house import Json, as_bytes
from portico.wire.http import Exchange

_TYPE = "type.googleapis.com/google.rpc."
_SPENT: Json = {
    "error": {
        "code": 429,
        "message": "quota",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": _TYPE + "QuotaFailure", "violations": [{"quotaId": "RequestsPerDayPerProjectPerModel"}]}],
    }
}


_OWNER: Json = {"@type": _TYPE + "ErrorInfo", "reason": "X", "metadata": {"consumer": "projects/7"}}
_SPENT_BY = {"error": {**_SPENT["error"], "details": [*_SPENT["error"]["details"], _OWNER]}}
"""The same, and whose quota it is."""
_PROJECTS = {"key-a1": "a", "key-a2": "a", "key-b1": "b"}


class OneSpent(Gate):
    """A provider that has no more for the keys of one project."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        """Projects, in their order."""

    async def __call__(self, exchange: Exchange) -> None:
        project = _PROJECTS[exchange.request.headers["x-goog-api-key"]]
        self.asked.append(project)
        if project == "a":
            exchange.send(429, [("content-type", "application/json")], as_bytes(_SPENT))
        else:
            await super().__call__(exchange)


class Spent(Gate):
    """A provider whose quota of the day is gone."""

    def __init__(self, body: Json) -> None:
        super().__init__()
        self._body = body

    async def __call__(self, exchange: Exchange) -> None:
        self.arrived += 1
        exchange.send(429, [("content-type", "application/json")], as_bytes(self._body))


@pytest.mark.parametrize(("body", "kept"), [(_SPENT, 1), (_SPENT_BY, 2)], ids=["nobody's", "a consumer's"])
async def test_a_days_quota_rests_at_every_worker_and_after_a_kill(tmp_path: Path, body: Json, kept: int) -> None:
    """Where the provider says whose it is, it rests under that name and under the key's own."""
    provider = Spent(body)
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
        assert [(rest["provider"], rest["model"]) for rest in rests] == [("gemini", "gemini-3.5-flash")] * kept
        async with shop.serving() as gateway:
            port = await gateway.port()
            assert (await call(port, OWNER_KEY)).status == 429
            assert provider.arrived == settled
            assert json.loads(await shop.said("pool", "clear", "gemini")) == {"cleared": kept}

            async def asked_again() -> bool:
                await call(port, OWNER_KEY)
                return provider.arrived > settled

            await eventually(asked_again)


async def test_keys_of_one_project_rest_together_at_every_worker_and_after_a_kill(tmp_path: Path) -> None:
    """Three keys, two workers: each finds out once at most, and whoever comes after them knows."""
    provider = OneSpent()
    async with open_shop(tmp_path, provider) as shop:
        keys = [f'{{ key = "env:{key.upper().replace("-", "_")}", project = "{at}" }}' for key, at in _PROJECTS.items()]
        shop.env |= {key.upper().replace("-", "_"): key for key in _PROJECTS}
        with (tmp_path / "portico.toml").open("a", encoding="utf-8") as config:
            config.write(f"keys = [{', '.join(keys)}]\n")
        async with shop.serving(workers=2) as gateway:
            port = await gateway.port()

            async def found_out() -> bool:
                assert (await call(port, OWNER_KEY)).status == 200
                return "a" in provider.asked

            await eventually(found_out)

            async def known() -> bool:
                return bool(json.loads(await shop.said("pool", "list"))["data"])

            await eventually(known)
            for _ in range(30):
                assert (await call(port, OWNER_KEY)).status == 200
            assert provider.asked.count("a") <= 2  # of two workers each
            rests: list[Any] = json.loads(await shop.said("pool", "list"))["data"]
            assert [rest["group"] for rest in rests] == ["project:a"]
            gateway.kill()
            await gateway.end()
        asked = provider.asked.count("a")
        async with shop.serving() as gateway:
            port = await gateway.port()
            for _ in range(30):
                assert (await call(port, OWNER_KEY)).status == 200
        assert provider.asked.count("a") == asked
