"""Cached contents: made, named in requests, counted, listed, prolonged, and gone."""

import json
from typing import Any

import pytest

from portico.simulator import Simulator
from portico.wire.http import HttpRequest
from simulator.sim_memory import Json, Memory, answer, ask, exchange, parts, stream, text, tools, user

MODEL = "gemini-2.5-flash"
LONG = "A paragraph that is worth keeping. " * 150
START_S = 1_790_000_000.0
PLACE = "projects/p/locations/us-central1/"


class Clock:
    def __init__(self) -> None:
        self.now_s = START_S

    def __call__(self) -> float:
        return self.now_s


async def _call(
    sim: Simulator, method: str, path: str, body: Any = None, *, key: str = "a-key", query: str = ""
) -> Memory:
    data = b"" if body is None else json.dumps(body).encode()
    one = Memory(HttpRequest(method, path, query, {"x-goog-api-key": key}, data))
    await sim(one)
    return one


async def _made(sim: Simulator, *, key: str = "a-key", **fields: Any) -> Json:
    body = {"model": f"models/{MODEL}", "systemInstruction": {"parts": [{"text": LONG}]}} | fields
    one = await _call(sim, "POST", "/v1beta/cachedContents", body, key=key)
    assert one.status == 200, one.data
    made: Json = one.json()
    return made


def _naming(name: str, words: str = "Hi", **config: Any) -> Json:
    return user(words, **config) | {"cachedContent": name}


async def test_what_is_made_is_described_and_the_same_for_the_same_seed() -> None:
    made = await _made(Simulator(now=Clock()), displayName="mine", ttl="120s")
    assert made["name"].startswith("cachedContents/")
    assert made | {"name": ""} == {
        "name": "",
        "model": f"models/{MODEL}",
        "createTime": "2026-09-21T14:13:20Z",
        "updateTime": "2026-09-21T14:13:20Z",
        "expireTime": "2026-09-21T14:15:20Z",
        "displayName": "mine",
        "usageMetadata": {"totalTokenCount": -(-len(LONG) // 4)},
    }
    assert made == await _made(Simulator(now=Clock()), displayName="mine", ttl="120s")
    assert made["name"] != (await _made(Simulator(1, now=Clock())))["name"]


@pytest.mark.parametrize(
    ("fields", "expires"),
    [
        ({}, "2026-09-21T15:13:20Z"),
        ({"ttl": "1.5s"}, "2026-09-21T14:13:21.500000Z"),
        ({"expireTime": "2030-01-01T00:00:00Z"}, "2030-01-01T00:00:00Z"),
        ({"expireTime": "2020-01-01T01:00:00+01:00"}, "2020-01-01T00:00:00Z"),
    ],
)
async def test_an_hour_is_the_life_unless_told(fields: Json, expires: str) -> None:
    assert (await _made(Simulator(now=Clock()), **fields))["expireTime"] == expires


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_cached_tokens_are_part_of_the_prompt(streamed: bool) -> None:
    sim = Simulator()
    name = (await _made(sim))["name"]
    for usage in (
        [one["usageMetadata"] for one in (await stream(sim, MODEL, _naming(name))).events()]
        if streamed
        else [(await answer(sim, MODEL, _naming(name)))["usageMetadata"]]
    ):
        cached = usage["cachedContentTokenCount"]
        assert cached == -(-len(LONG) // 4)
        assert usage["cacheTokensDetails"] == [{"modality": "TEXT", "tokenCount": cached}]
        assert usage["promptTokenCount"] == cached + 1
        assert sum(one["tokenCount"] for one in usage["promptTokensDetails"]) == cached + 1


async def test_pictures_in_a_cache_are_counted_as_pictures() -> None:
    sim = Simulator()
    picture = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    contents = [{"role": "user", "parts": [picture, {"text": LONG}]}]
    name = (await _made(sim, contents=contents))["name"]
    usage = (await answer(sim, MODEL, _naming(name)))["usageMetadata"]
    assert {one["modality"]: one["tokenCount"] for one in usage["cacheTokensDetails"]}["IMAGE"] == 258
    assert sum(one["tokenCount"] for one in usage["cacheTokensDetails"]) == usage["cachedContentTokenCount"]


async def test_what_was_cached_is_there_as_if_sent() -> None:
    sim = Simulator()
    name = (await _made(sim, tools=tools("find_city", "plan_trip")))["name"]
    call = parts(await answer(sim, MODEL, _naming(name, "find_city Oslo")))[0]["functionCall"]
    assert (call["name"], call["args"]["city"]) == ("find_city", "Oslo")
    name = (await _made(sim, tools=[{"codeExecution": {}}]))["name"]
    assert "executableCode" in parts(await answer(sim, MODEL, _naming(name, "2+2")))[0]
    name = (await _made(sim, contents=[{"role": "user", "parts": [{"text": LONG}]}]))["name"]
    assert "Hi" in text([await answer(sim, MODEL, _naming(name))])


async def test_countTokens_tells_the_cached_share() -> None:  # noqa: N802
    sim = Simulator()
    name = (await _made(sim))["name"]
    inner = {"model": f"models/{MODEL}", **_naming(name)}
    one = exchange(f"/v1beta/models/{MODEL}:countTokens", {"generateContentRequest": inner})
    await sim(one)
    assert one.json()["cachedContentTokenCount"] == one.json()["totalTokens"] - 1


REFUSED: list[tuple[Json, str]] = [
    ({"systemInstruction": {"parts": [{"text": "short"}]}}, "total_token_count=2, min_total_token_count=1024"),
    ({"model": "models/gemini-3.5-flash"}, "min_total_token_count=4096"),
    ({"model": "models/gemini-2.5-pro"}, "min_total_token_count=2048"),
    ({"ttl": "0s"}, "ttl: must be in the range"),
    ({"ttl": "soon"}, "Invalid value at 'ttl'"),
    ({"ttl": 60}, "Invalid value at 'ttl'"),
    ({"expireTime": "tomorrow"}, "Invalid value at 'expire_time'"),
    ({"expireTime": "2026-13-01T00:00:00Z"}, "Invalid value at 'expire_time'"),
    ({"ttl": "60s", "expireTime": "2030-01-01T00:00:00Z"}, "oneof field 'expiration' is already set"),
    ({"model": "models/gemini-2.5-flash-image"}, "does not support cached content"),
    ({"tools": tools("f", "f")}, "Duplicate function declaration"),
    ({"mystery": 1}, 'Unknown name "mystery"'),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
async def test_what_cannot_be_cached_is_refused(fields: Json, message: str) -> None:
    body = {"model": f"models/{MODEL}", "systemInstruction": {"parts": [{"text": LONG}]}} | fields
    one = await _call(Simulator(), "POST", "/v1beta/cachedContents", body)
    assert one.status == 400
    assert message in one.json()["error"]["message"]


async def test_a_model_nobody_serves_is_not_found() -> None:
    for model in ("models/nothing", "models/gemini-embedding-001", ""):
        body = {"model": model, "systemInstruction": {"parts": [{"text": LONG}]}}
        assert (await _call(Simulator(), "POST", "/v1beta/cachedContents", body)).status == 404


async def test_a_cache_serves_its_own_model_and_its_own_project() -> None:
    sim = Simulator()
    name = (await _made(sim))["name"]
    other = await ask(sim, "gemini-2.5-pro", _naming(name))
    assert other.status == 400
    assert other.json()["error"]["message"] == (
        "Model used by GenerateContent request (models/gemini-2.5-pro) and CachedContent (models/gemini-2.5-flash) has to "
        "be the same."
    )
    stranger = await ask(sim, MODEL, _naming(name), headers={"x-goog-api-key": "b-key"})
    assert (stranger.status, stranger.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    "field",
    [{"systemInstruction": {"parts": [{"text": "x"}]}}, {"tools": tools("f")}, {"tools": tools("f"), "toolConfig": {}}],
)
async def test_what_a_cache_holds_is_not_sent_beside_it(field: Json) -> None:
    sim = Simulator()
    one = await ask(sim, MODEL, _naming((await _made(sim))["name"]) | field)
    assert one.status == 400
    assert "CachedContent can not be used with GenerateContent request setting" in one.json()["error"]["message"]


async def test_life_ends_and_can_be_prolonged() -> None:
    clock = Clock()
    sim = Simulator(now=clock)
    name = (await _made(sim, ttl="60s"))["name"]
    clock.now_s += 59
    assert (await ask(sim, MODEL, _naming(name))).status == 200
    longer = (await _call(sim, "PATCH", f"/v1beta/{name}", {"ttl": "60s"})).json()
    assert (longer["createTime"], longer["updateTime"]) == ("2026-09-21T14:13:20Z", "2026-09-21T14:14:19Z")
    clock.now_s += 59
    assert (await ask(sim, MODEL, _naming(name))).status == 200
    clock.now_s += 1
    for one in (await ask(sim, MODEL, _naming(name)), await _call(sim, "GET", f"/v1beta/{name}")):
        assert one.status == 403
        assert one.json()["error"]["message"] == "CachedContent not found (or permission denied)"


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({"displayName": "other"}, ""),
        ({"ttl": "60s", "displayName": "other"}, ""),
        ({"ttl": "60s"}, "updateMask=displayName"),
        ({}, ""),
        ({}, "updateMask=ttl"),
    ],
)
async def test_nothing_but_its_life_can_be_changed(body: Json, query: str) -> None:
    sim = Simulator()
    name = (await _made(sim))["name"]
    assert (await _call(sim, "PATCH", f"/v1beta/{name}", body, query=query)).status == 400


async def test_an_absolute_end_can_be_set() -> None:
    sim = Simulator()
    name = (await _made(sim))["name"]
    body = {"expireTime": "2030-01-01T00:00:00Z"}
    for mask in ("", "updateMask=expireTime", "updateMask=expire_time"):
        one = await _call(sim, "PATCH", f"/v1beta/{name}", body, query=mask)
        assert one.json()["expireTime"] == "2030-01-01T00:00:00Z"


async def test_deleting_twice_is_once_too_often() -> None:
    sim = Simulator()
    name = (await _made(sim))["name"]
    first, second = [await _call(sim, "DELETE", f"/v1beta/{name}") for _ in range(2)]
    assert (first.status, first.json()) == (200, {})
    assert second.status == 403


async def test_they_are_listed_in_pages_the_newest_first_and_to_their_owner() -> None:
    sim, names, token = Simulator(), list[str](), ""
    made = [(await _made(sim, displayName=f"{number}"))["name"] for number in range(5)]
    await _made(sim, key="b-key")
    while True:
        page = (
            await _call(sim, "GET", "/v1beta/cachedContents", query=f"pageSize=2&pageToken={token.replace('=', '%3D')}")
        ).json()
        names += [one["name"] for one in page["cachedContents"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert names == made[::-1]
    assert (await _call(sim, "GET", "/v1beta/cachedContents", key="c-key")).json() == {}
    assert (await _call(sim, "GET", "/v1beta/cachedContents", query="pageToken=x")).status == 400


async def test_one_is_always_there_for_every_model() -> None:
    for model in (MODEL, "gemini-3.5-flash"):
        usage = (await answer(Simulator(), model, _naming("cachedContents/simulated")))["usageMetadata"]
        assert usage["cachedContentTokenCount"] in (1_024, 4_096)


@pytest.mark.parametrize("method", ["PUT", "POST", "OPTIONS"])
async def test_other_methods_reach_no_api(method: str) -> None:
    assert (await _call(Simulator(), method, "/v1beta/cachedContents/abc", {})).status == 404


async def test_vertex_names_the_place_and_says_404() -> None:
    sim = Simulator()
    body = {
        "model": f"{PLACE}publishers/google/models/{MODEL}",
        "systemInstruction": {"parts": [{"text": LONG}]},
        "ttl": "60s",
    }
    made = (await _call(sim, "POST", f"/v1/{PLACE}cachedContents", body)).json()
    assert made["name"].startswith(f"{PLACE}cachedContents/")
    path = f"/v1/{PLACE}publishers/google/models/{MODEL}:generateContent"
    listed = (await _call(sim, "GET", f"/v1/{PLACE}cachedContents")).json()
    assert [one["name"] for one in listed["cachedContents"]] == [made["name"]]
    assert (await _call(sim, "GET", "/v1beta/cachedContents")).json() == {}
    used = exchange(path, _naming(made["name"]))
    await sim(used)
    assert used.json()["usageMetadata"]["cachedContentTokenCount"] == -(-len(LONG) // 4)
    beside = exchange(path, _naming(made["name"]) | {"tools": tools("f")})
    await sim(beside)
    assert beside.json()["error"]["message"].startswith("Tool config, tools and system instruction should not be set")
    assert (await _call(sim, "DELETE", f"/v1/{made['name']}")).status == 200
    gone = exchange(path, _naming(made["name"]))
    await sim(gone)
    assert (gone.status, gone.json()["error"]["status"]) == (404, "NOT_FOUND")
