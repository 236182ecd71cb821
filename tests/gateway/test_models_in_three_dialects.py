"""`GET /v1/models` is asked for in three dialects on one path, told apart by headers (clients.md 1)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from gateway.gemini import google_error
from gateway.house import KEY, Answer, House, error_of, open_house
from gateway.vendors import ANTHROPIC, anthropic_error_of

ANTHROPIC_BEARER = {"authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21"}
GOOGLE = {"x-goog-api-key": KEY}
OPENAI = {"authorization": f"Bearer {KEY}"}
PATHS = ["/v1/models", "/models"]


async def get(house: House, path: str, headers: Mapping[str, str]) -> Answer:
    return await house.ask(None, path=path, method="GET", key=None, headers=headers)


def names_of(body: Any) -> list[str]:
    if "models" in body:
        return [row["name"].removeprefix("models/") for row in body["models"]]
    return [row["id"] for row in body["data"]]


@pytest.mark.parametrize("path", PATHS)
async def test_one_path_lists_the_same_models_in_three_dialects(path: str) -> None:
    async with open_house() as house:
        openai = (await get(house, path, OPENAI)).json()
        google = (await get(house, f"{path}?pageSize=1000", GOOGLE)).json()
        by_query = (await get(house, f"{path}?pageSize=1000&key={KEY}", {})).json()
        anthropic = (await get(house, f"{path}?limit=1000", ANTHROPIC)).json()
        assert openai.keys() == {"object", "data"}
        assert google.keys() == by_query.keys() == {"models"}
        assert anthropic.keys() == {"data", "has_more", "first_id", "last_id"}
        assert names_of(openai) == names_of(google) == names_of(by_query) == names_of(anthropic)
        assert "gemini-3.5-flash" in names_of(anthropic)


@pytest.mark.parametrize("headers", [ANTHROPIC, ANTHROPIC_BEARER], ids=["x-api-key", "bearer"])
async def test_an_anthropic_model_has_a_name_and_a_day(headers: dict[str, str]) -> None:
    async with open_house() as house:
        (first, *_) = (await get(house, "/v1/models", headers)).json()["data"]
        assert first.keys() == {"type", "id", "display_name", "created_at"}
        assert first["type"] == "model"
        assert datetime.fromisoformat(first["created_at"]).tzinfo is not None
        assert (await get(house, f"/v1/models/{first['id']}", headers)).json() == first


async def test_a_key_of_googles_says_more_than_a_version_of_anthropics() -> None:
    async with open_house() as house:
        assert "models" in (await get(house, "/v1/models", {**GOOGLE, "anthropic-version": "2023-06-01"})).json()


async def test_pages_of_anthropics_lead_through_all_models_and_back() -> None:
    async with open_house() as house:
        everything = names_of((await get(house, "/v1/models?limit=1000", ANTHROPIC)).json())
        seen: list[str] = []
        page: dict[str, Any] = {"has_more": True, "last_id": ""}
        while page["has_more"]:
            after = f"&after_id={page['last_id']}" if page["last_id"] else ""
            page = (await get(house, f"/v1/models?limit=7{after}", ANTHROPIC)).json()
            assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])
            seen += names_of(page)
        assert seen == everything
        back: list[str] = []
        page = {"has_more": True, "first_id": everything[-1]}
        while page["has_more"]:
            page = (await get(house, f"/v1/models?limit=7&before_id={page['first_id']}", ANTHROPIC)).json()
            back = names_of(page) + back
        assert back == everything[:-1]


async def test_a_page_of_anthropics_has_twenty_models_unless_told() -> None:
    async with open_house() as house:
        page = (await get(house, "/v1/models", ANTHROPIC)).json()
        assert (len(page["data"]), page["has_more"]) == (20, True)


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=-1", "limit=0", "after_id=none", "before_id=none", "after_id=a&before_id=b"]
)
async def test_a_page_that_there_is_not_is_an_error_of_anthropics(query: str) -> None:
    async with open_house() as house:
        answer = await get(house, f"/v1/models?{query}", ANTHROPIC)
        assert answer.status == 400
        anthropic_error_of(answer.json(), "invalid_request_error")


async def test_a_model_that_is_not_there_is_told_in_each_dialect() -> None:
    async with open_house() as house:
        for path in PATHS:
            asked = [await get(house, f"{path}/no-such-model", headers) for headers in (OPENAI, GOOGLE, ANTHROPIC)]
            assert [answer.status for answer in asked] == [404, 404, 404]
            assert error_of(asked[0].json())["code"] == "model_not_found"
            google_error(asked[1].json(), 404, "NOT_FOUND")
            anthropic_error_of(asked[2].json(), "not_found_error")


async def test_other_methods_and_keys_are_told_in_anthropics_words() -> None:
    async with open_house() as house:
        wrong = await house.ask({}, path="/v1/models", key=None, headers=ANTHROPIC)
        assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD")
        anthropic_error_of(wrong.json(), "invalid_request_error")
        refused = await get(house, "/v1/models", {"x-api-key": "sk-nobody", "anthropic-version": "2023-06-01"})
        assert refused.status == 401
        anthropic_error_of(refused.json(), "authentication_error")
