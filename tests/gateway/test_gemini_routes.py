"""Gemini's own addresses: every way to write one, every way to bring a key, lists of models, errors in Google's shape."""

import json
import logging
from typing import Any

import pytest

from gateway.gemini import MODEL, address, ask, error_of, prompt, text_of, told
from gateway.house import KEY, OTHER_KEY, Answer, House, Json, Script, answers, chat, fails, open_house, says
from portico.catalog import OperatorModel
from portico.http.limits import Limits
from portico.relay.relay import Relay

PREFIXES = ["", "/v1", "/v1beta", "/v1alpha", "/v1beta1"]
PUBLISHERS = ["", "/publishers/google", "/projects/my-project/locations/global/publishers/google"]
CONTENT: Json = {"parts": [{"text": "One"}]}
EMBED = "gemini-embedding-001"
CALLS: dict[str, tuple[str, Json]] = {
    "generateContent": (MODEL, prompt()),
    "streamGenerateContent": (MODEL, prompt()),
    "countTokens": (MODEL, prompt()),
    "embedContent": (EMBED, {"content": CONTENT}),
    "batchEmbedContents": (EMBED, {"requests": [{"model": f"models/{EMBED}", "content": CONTENT}]}),
}


def check(verb: str, answer: Answer) -> None:
    assert answer.status == 200, answer.body
    body = answer.json()
    match verb:
        case "generateContent":
            assert text_of([body]) == '[simulated] You said: "Hello"'
        case "streamGenerateContent":
            assert text_of(told(answer, array=True)) == '[simulated] You said: "Hello"'
        case "countTokens":
            assert body["totalTokens"] > 0
        case "embedContent":
            assert len(body["embedding"]["values"]) == 3072
        case _:
            assert len(body["embeddings"]) == 1


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("publisher", PUBLISHERS)
async def test_every_address_of_a_call_is_answered(verb: str, publisher: str) -> None:
    model, body = CALLS[verb]
    async with open_house() as house:
        for prefix in PREFIXES:
            for written in (model, f"google/{model}", f"google%2F{model}", f"models/{model}"):
                answer = await ask(house, body, verb, prefix=prefix + publisher, model=written)
                check(verb, answer)
                assert answer.headers["x-portico-simulated"] == "1"
        assert {seen.path for seen in house.simulator.stats.seen} == {f"/v1beta/models/{model}:{verb}"}


@pytest.mark.parametrize("prefix", ["/v1", "", "/v1beta/openai"])
async def test_chat_is_spoken_below_googles_own_address_for_it_too(prefix: str) -> None:
    async with open_house() as house:
        for headers in ({"authorization": f"Bearer {KEY}"}, {"x-goog-api-key": KEY}):
            answer = await house.ask(chat(), path=f"{prefix}/chat/completions", key=None, headers=headers)
            assert answer.message["content"] == '[simulated] You said: "Hello"'
        rows = (await house.ask(None, method="GET", path="/v1beta/openai/models")).json()
        assert rows["object"] == "list"
        one = await house.ask(None, method="GET", path=f"/v1beta/openai/models/{MODEL}")
        assert one.json()["id"] == MODEL


# -- keys ------------------------------------------------------------------------------------------------------------

PLACES: list[tuple[dict[str, str], str]] = [
    ({"authorization": f"Bearer {KEY}"}, ""),
    ({"x-api-key": KEY}, ""),
    ({"x-goog-api-key": KEY}, ""),
    ({}, f"key={KEY}"),
    ({}, f"k%65y={KEY.replace('-', '%2D')}"),
    ({"x-goog-api-key": KEY}, "key=wrong"),
    ({"authorization": f"Bearer {KEY}"}, f"key={OTHER_KEY}"),
]


@pytest.mark.parametrize(("headers", "query"), PLACES)
async def test_a_key_may_stand_anywhere_and_goes_no_further(
    headers: dict[str, str], query: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_house(Script(answers(says("Hi")))) as house:
        provider = house.provider
        assert isinstance(provider, Script)
        for verb in CALLS:
            answer = await ask(house, CALLS[verb][1], verb, f"alt=sse&{query}&prettyPrint=true", headers=headers)
            assert answer.status == 200
        for request in provider.requests:
            shown = f"{request.path} {request.query} {dict(request.headers)} {request.body!r}"
            assert KEY not in shown
            assert OTHER_KEY not in shown
            assert "prettyPrint" not in request.query
            assert request.headers["x-goog-api-key"] == "good-key"
            assert "authorization" not in request.headers
    assert not [record for record in caplog.records if KEY in record.getMessage()]


async def test_a_key_is_in_no_log_when_something_goes_wrong(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    query = f"key={KEY}"
    async with open_house() as house:
        bodies = [
            await ask(house, b"{oops", query=query, headers={}),
            await ask(house, "[[sim:503]]", query=query, headers={}),
            await ask(house, verb="unknown", query=query, headers={}),
            await ask(house, model="nobody", query=query, headers={}),
            await ask(house, query=f"{query}&alt=media", headers={}),
            await house.ask(None, path=f"/v1beta/nowhere?{query}", key=None),
            await house.ask(None, path=f"/{'x' * 9000}?{query}", key=None),
        ]
        monkeypatch.setattr(Relay, "_whole", None)
        bodies.append(await ask(house, model=f"{MODEL}-high", query=query, headers={}))
        async with house.connect() as wire:
            wire.writer.write(f"GET /v1beta/models?{query} HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n".encode())
            bodies.append(await wire.rest())
    assert all(answer.status >= 400 for answer in bodies)
    assert not any(KEY.encode() in answer.body for answer in bodies)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not [record for record in caplog.records if KEY in f"{record.getMessage()} {record.exc_text}"]


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, ""),
        ({}, "key="),
        ({}, "key=wrong-key-of-some-length"),
        ({"x-goog-api-key": "wrong-key-of-some-length"}, ""),
        ({"x-goog-api-key": "wrong-key-of-some-length"}, f"key={KEY}"),
        ({"authorization": "Bearer wrong-key-of-some-length"}, f"key={KEY}"),
        ({"x-api-key": "wrong-key-of-some-length"}, f"key={KEY}"),
    ],
)
async def test_a_missing_or_wrong_key_is_unauthenticated(headers: dict[str, str], query: str) -> None:
    async with open_house() as house:
        for verb in CALLS:
            answer = await ask(house, CALLS[verb][1], verb, query, headers=headers)
            error = error_of(answer, 401, "UNAUTHENTICATED", array=verb == "streamGenerateContent")
            assert "wrong-key-of-some-length" not in error["message"]
        for path in ("/v1beta/models", f"/v1beta/models/{MODEL}"):
            answer = await house.ask(None, method="GET", path=f"{path}?{query}", key=None, headers=headers)
            error_of(answer, 401, "UNAUTHENTICATED")
        assert house.simulator.stats.requests == 0


# -- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/v1beta", "/v1", ""])
async def test_an_unknown_verb_is_not_found(prefix: str) -> None:
    async with open_house() as house:
        for verb in ("predict", "generatecontent", "x" * 3000, "%00", ""):
            error_of(await ask(house, verb=verb, prefix=prefix), 404, "NOT_FOUND")


@pytest.mark.parametrize("verb", CALLS)
async def test_an_unknown_model_is_not_found(verb: str) -> None:
    async with open_house() as house:
        for model in ("nobody", "gpt-5", "%20", "..", "x" * 3000, "%ff", "gemini-3.5-flash%00"):
            error_of(await ask(house, CALLS[verb][1], verb, "alt=sse", model=model), 404, "NOT_FOUND")
        assert house.simulator.stats.requests == 0


async def test_a_wrong_method_is_told_the_right_one() -> None:
    async with open_house() as house:
        for path, allow in ((address(), "POST"), ("/v1beta/models", "GET, HEAD"), ("/v1beta/models/x", "GET, HEAD")):
            answer = await house.ask(None, method="DELETE", path=path)
            error_of(answer, 405, "UNIMPLEMENTED")
            assert answer.headers["allow"] == allow


@pytest.mark.parametrize("alt", ["media", "proto", "atom"])
@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent", "countTokens"])
async def test_what_no_answer_is_spelt_in_is_refused(alt: str, verb: str) -> None:
    async with open_house() as house:
        answer = await ask(house, verb=verb, query=f"alt={alt}")
        error = error_of(answer, 400, "INVALID_ARGUMENT", array=verb == "streamGenerateContent")
        assert error["details"][0]["fieldViolations"][0]["field"] == "alt"
        assert house.simulator.stats.requests == 0


@pytest.mark.parametrize(
    "query", ["prettyPrint=false", "fields=candidates", "$alt=json;enum-encoding=int", "quotaUser=x"]
)
async def test_other_parameters_of_googles_are_taken_and_not_passed_on(query: str) -> None:
    async with open_house(Script(answers(says("Hi")))) as house:
        assert (await ask(house, query=query)).status == 200
        assert isinstance(house.provider, Script)
        assert house.provider.requests[0].query == ""


@pytest.mark.parametrize(
    ("head", "status", "word"),
    [
        ("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n", 400, "INVALID_ARGUMENT"),
        ("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n", 413, "INVALID_ARGUMENT"),
        ("POST {path} HTTP/1.1\r\nhost: x\r\nhost: y\r\n", 400, "INVALID_ARGUMENT"),
        ("POST {path} HTTP/1.1\r\nhost: x\r\nx: " + "y" * 70_000 + "\r\n", 431, "INVALID_ARGUMENT"),
    ],
)
async def test_what_is_wrong_with_the_connection_is_told_in_googles_shape(head: str, status: int, word: str) -> None:
    async with open_house(limits=Limits(max_body_bytes=10_000)) as house:
        for path in (address(), address(prefix="/v1"), "/v1beta/models", address("streamGenerateContent", "alt=sse")):
            async with house.connect() as wire:
                wire.writer.write(head.format(path=path).encode() + b"\r\n")
                error_of(await wire.rest(), status, word)


async def test_an_error_of_our_own_is_internal(caplog: pytest.LogCaptureFixture) -> None:
    async with open_house() as house:
        house.upstream.send = None  # type: ignore[method-assign, assignment]
        for verb in ("generateContent", "streamGenerateContent"):
            answer = await ask(house, verb=verb, query="alt=sse")
            error_of(answer, 500, "INTERNAL")


DETAILS: list[Json] = [
    {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"url": "https://console/?project=123456789"}]},
    {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": "PerMinute", "subject": "project:123456789", "quotaDimensions": {"model": MODEL}}],
    },
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"},
    {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "RATE_LIMIT_EXCEEDED",
        "domain": "googleapis.com",
        "metadata": {"consumer": "projects/123456789"},
    },
    {"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": "stack"},
    {"@type": 7},
    "odd",  # type: ignore[list-item]
]


@pytest.mark.parametrize("verb", CALLS)
async def test_an_error_keeps_googles_words_as_far_as_they_are_the_callers_business(verb: str) -> None:
    act = fails(429, "RESOURCE_EXHAUSTED", "Quota of projects/123456789 exceeded.", DETAILS)
    async with open_house(Script(act)) as house:
        answer = await ask(house, CALLS[verb][1], verb, "alt=sse")
        error = error_of(answer, 429, "RESOURCE_EXHAUSTED")
        assert b"123456789" not in answer.body
        assert error["message"] == "Quota of [hidden] exceeded."
        assert [item["@type"].rpartition(".")[2] for item in error["details"]] == [
            "QuotaFailure",
            "RetryInfo",
            "ErrorInfo",
        ]
        assert error["details"][0]["violations"] == [
            {"quotaId": "PerMinute", "subject": "[hidden]", "quotaDimensions": {"model": MODEL}}
        ]
        assert error["details"][1]["retryDelay"] == "34.4s"
        assert error["details"][2] == {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "RATE_LIMIT_EXCEEDED",
            "domain": "googleapis.com",
        }
        assert answer.headers["retry-after"] == "35"
        assert answer.headers["x-upstream-status"] == "429"


@pytest.mark.parametrize(
    ("status", "word", "told_status", "told_word"),
    [
        (400, "INVALID_ARGUMENT", 400, "INVALID_ARGUMENT"),
        (400, "FAILED_PRECONDITION", 400, "FAILED_PRECONDITION"),
        (400, "OUT_OF_RANGE", 400, "OUT_OF_RANGE"),
        (401, "UNAUTHENTICATED", 502, "UNAVAILABLE"),
        (403, "PERMISSION_DENIED", 502, "UNAVAILABLE"),
        (404, "NOT_FOUND", 404, "NOT_FOUND"),
        (409, "ABORTED", 409, "ABORTED"),
        (409, "ALREADY_EXISTS", 409, "ALREADY_EXISTS"),
        (500, "INTERNAL", 500, "INTERNAL"),
        (500, "UNKNOWN", 500, "UNKNOWN"),
        (503, "UNAVAILABLE", 503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED", 504, "DEADLINE_EXCEEDED"),
        (400, "A_WORD_OF_TOMORROW", 400, "INVALID_ARGUMENT"),
    ],
)
@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent", "countTokens"])
async def test_the_providers_word_is_told_where_its_status_is(
    status: int, word: str, told_status: int, told_word: str, verb: str
) -> None:
    async with open_house(Script(fails(status, word))) as house:
        array = verb == "streamGenerateContent"
        error_of(await ask(house, verb=verb), told_status, told_word, array=array)


# -- lists of models -------------------------------------------------------------------------------------------------


async def listed(house: House, query: str = "", path: str = "/v1beta/models", **headers: str) -> Any:
    answer = await house.ask(None, method="GET", path=f"{path}?{query}", headers=headers)
    assert answer.status == 200, answer.body
    return answer.json()


async def test_models_are_listed_in_pages() -> None:
    async with open_house() as house:
        whole = await listed(house, "pageSize=1000")
        assert "nextPageToken" not in whole
        names = [row["name"] for row in whole["models"]]
        assert len(names) == len(set(names)) > 50
        assert len((await listed(house))["models"]) == 50
        assert len((await listed(house, "pageSize=0"))["models"]) == 50
        assert (await listed(house, "pageSize=99999"))["models"] == whole["models"]
        for size in (1, 7, 50, len(names) - 1, len(names)):
            read: list[str] = []
            token = ""
            while True:
                page = await listed(house, f"pageSize={size}" + (f"&pageToken={token}" if token else ""))
                assert 0 < len(page["models"]) <= size
                read += [row["name"] for row in page["models"]]
                if not (token := page.get("nextPageToken", "")):
                    break
            assert read == names
        snake = await listed(house, "page_size=2&page_token=1")
        assert [row["name"] for row in snake["models"]] == names[1:3]


@pytest.mark.parametrize(
    "query", ["pageSize=-1", "pageSize=many", "pageToken=later", "pageToken=99999", "pageSize=1e3"]
)
async def test_a_page_that_is_none_is_refused(query: str) -> None:
    async with open_house() as house:
        answer = await house.ask(None, method="GET", path=f"/v1beta/models?{query}")
        error = error_of(answer, 400, "INVALID_ARGUMENT")
        assert error["details"][0]["fieldViolations"][0]["field"] == query.partition("=")[0]


async def test_a_model_is_described_as_google_does() -> None:
    async with open_house(models=[OperatorModel("house-model", "gemini/gemini-2.5-flash")]) as house:
        for name in (MODEL, "gemini-2-5-flash", "gemini-flash-latest", "house-model", "gemini-2.5-flash-thinking"):
            row = await listed(house, path=f"/v1beta/models/{name}")
            assert row["name"] == f"models/{name}"
            assert row.keys() == {
                "name",
                "baseModelId",
                "version",
                "displayName",
                "description",
                "inputTokenLimit",
                "outputTokenLimit",
                "supportedGenerationMethods",
                "thinking",
            }
            assert isinstance(row["inputTokenLimit"], int)
            assert "generateContent" in row["supportedGenerationMethods"]
            assert row["thinking"] is True
        row = await listed(house, path=f"/v1beta/models/google%2F{EMBED}")
        assert row["supportedGenerationMethods"] == ["embedContent", "batchEmbedContents", "countTokens"]
        answer = await house.ask(None, method="GET", path="/v1beta/models/nobody")
        error_of(answer, 404, "NOT_FOUND")


async def test_v1_models_are_told_in_the_dialect_of_the_key() -> None:
    async with open_house() as house:
        for path in ("/v1/models", "/models"):
            assert (await listed(house, path=path))["object"] == "list"
            assert "models" in await listed(house, path=path, **{"x-goog-api-key": KEY})
            assert "models" in await listed(house, f"key={KEY}", path=path)
            assert (await listed(house, path=f"{path}/{MODEL}"))["id"] == MODEL
            assert (await listed(house, f"key={KEY}", path=f"{path}/{MODEL}"))["name"] == f"models/{MODEL}"
        googles = await house.ask(None, method="GET", path="/v1/models", key=None, headers={"x-goog-api-key": KEY})
        ours = await house.ask(None, method="GET", path="/v1/models")
        ids = {row["id"] for row in ours.json()["data"]}
        assert {row["name"].removeprefix("models/") for row in googles.json()["models"]} <= ids


async def test_a_list_may_be_asked_for_its_head_alone() -> None:
    async with open_house() as house, house.open(None, method="HEAD", path="/v1beta/models") as wire:
        assert await wire.head() == 200
        assert int(wire.headers["content-length"]) > 1000


async def test_every_answer_has_one_id_under_three_names() -> None:
    async with open_house() as house:
        seen = set()
        for answer in (
            await ask(house),
            await ask(house, verb="streamGenerateContent"),
            await ask(house, verb="countTokens"),
            await ask(house, model="nobody"),
            await ask(house, json.loads("[]")),
        ):
            (one,) = {answer.headers[name] for name in ("x-portico-request-id", "x-request-id", "request-id")}
            seen.add(one)
        assert len(seen) == 5
