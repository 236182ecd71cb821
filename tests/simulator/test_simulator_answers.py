"""What the simulator answers: deterministic, signed, counted, and the same whole or streamed."""

import base64
import json
import zlib
from typing import Any

import pytest

from portico.simulator import Simulator
from simulator.sim_memory import Json, Memory, answer, ask, exchange, parts, results, stream, text, tools, user

THINKERS = ("gemini-3.5-flash", "gemini-3-flash-preview", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.5-flash-lite")
TALKERS = (*THINKERS, "gemini-2.0-flash", "gemini-4-argon", "gemini-flash-latest", "gemma-4-31b-it")


def _counts(usage: Json) -> int:
    names = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
    return sum(usage.get(name, 0) for name in names)


def _cases() -> list[tuple[str, Json]]:
    return [
        (model, body | ({"tools": tools("find_city", "plan_trip")} if called else {}))
        for model in TALKERS
        for called in (False, True)
        for body in (user("Use find_city and plan_trip, please."), user("Hi ünïcödé", maxOutputTokens=200))
    ]


@pytest.mark.parametrize(("model", "body"), _cases())
async def test_a_stream_says_what_the_whole_answer_says(model: str, body: Json) -> None:
    sim = Simulator()
    whole = await answer(sim, model, body)
    events = (await stream(sim, model, body)).events()
    assert text(events) == text([whole])
    assert [part["functionCall"] for one in events for part in parts(one) if "functionCall" in part] == [
        part["functionCall"] for part in parts(whole) if "functionCall" in part
    ]
    assert events[-1]["usageMetadata"] == whole["usageMetadata"]
    assert {one["responseId"] for one in events} == {whole["responseId"]}
    reasons = [one["candidates"][0].get("finishReason") for one in events]
    assert reasons == [None] * (len(events) - 1) + [whole["candidates"][0]["finishReason"]]


@pytest.mark.parametrize(("model", "body"), _cases())
async def test_usage_obeys_its_identities_on_every_event(model: str, body: Json) -> None:
    events = (await stream(Simulator(), model, body)).events()
    before = 0
    for usage in (one["usageMetadata"] for one in events):
        assert usage["totalTokenCount"] == _counts(usage)
        assert usage["promptTokenCount"] == sum(one["tokenCount"] for one in usage["promptTokensDetails"])
        assert usage.get("candidatesTokenCount") != 0
        assert usage.get("thoughtsTokenCount") != 0
        assert usage["totalTokenCount"] >= before
        assert usage["serviceTier"] == "standard"
        before = usage["totalTokenCount"]


async def test_the_same_request_is_answered_the_same_and_another_seed_otherwise() -> None:
    body = user("find_city now") | {"tools": tools("find_city")}
    one, two, other = [(await ask(Simulator(seed), "gemini-3.5-flash", body)).data for seed in (1, 1, 2)]
    assert one == two
    assert one != other


async def test_a_text_is_marked_and_echoes_what_was_said() -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "first"}]}, {"role": "model", "parts": [{"text": "ok"}]}]}
    body["contents"].append({"role": "user", "parts": [{"text": "a quiet harbor"}]})
    made = text([await answer(Simulator(), "gemini-3.5-flash", body)])
    assert made.startswith("[simulated]")
    assert "a quiet harbor" in made
    assert "first" not in made


# -- thinking -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "thinking", "thinks"),
    [
        ("gemini-3.5-flash", {}, True),
        ("gemini-3.5-flash", {"thinkingLevel": "low"}, True),
        ("gemini-3.5-flash", {"thinkingLevel": "MINIMAL"}, False),
        ("gemini-3.1-flash-lite", {}, False),
        ("gemini-2.5-flash", {}, True),
        ("gemini-2.5-flash", {"thinkingBudget": 0}, False),
        ("gemini-2.5-flash", {"thinkingBudget": -1}, True),
        ("gemini-2.5-flash-lite", {}, False),
        ("gemini-2.5-flash-lite", {"thinkingBudget": 512}, True),
        ("gemini-2.0-flash", {}, False),
    ],
)
async def test_thoughts_are_spent_as_configured_and_shown_when_asked(model: str, thinking: Json, thinks: bool) -> None:
    asked: Json = thinking if model.startswith("gemini-2.0") else thinking | {"includeThoughts": True}
    made = await answer(Simulator(), model, user("Why?", thinkingConfig=asked))
    assert ("thoughtsTokenCount" in made["usageMetadata"]) is thinks
    thoughts = [part for part in parts(made) if part.get("thought")]
    assert bool(thoughts) is thinks
    assert not any("thoughtSignature" in part for part in thoughts)
    hidden = await answer(Simulator(), model, user("Why?", thinkingConfig=thinking))
    assert not any(part.get("thought") for part in parts(hidden))


async def test_thoughts_eat_the_limit_and_leave_a_candidate_without_parts() -> None:
    for one in (
        await answer(Simulator(), "gemini-3.5-flash", user("Hi", maxOutputTokens=50)),
        (await stream(Simulator(), "gemini-3.5-flash", user("Hi", maxOutputTokens=50))).events()[-1],
    ):
        assert one["candidates"][0]["content"] == {"role": "model"}
        assert one["candidates"][0]["finishReason"] == "MAX_TOKENS"
        assert one["usageMetadata"]["thoughtsTokenCount"] == 50
        assert "candidatesTokenCount" not in one["usageMetadata"]


@pytest.mark.parametrize("limit", [1, 5, 9, 10_000])
async def test_text_never_exceeds_the_limit(limit: int) -> None:
    made = await answer(Simulator(), "gemini-2.0-flash", user("ü" * 200, maxOutputTokens=min(limit, 8192)))
    finish = made["candidates"][0]["finishReason"]
    assert finish == ("STOP" if limit == 10_000 else "MAX_TOKENS")
    assert made["usageMetadata"]["candidatesTokenCount"] <= limit
    assert "�" not in text([made])


async def test_a_stop_sequence_cuts_before_itself() -> None:
    made = await answer(Simulator(), "gemini-2.5-flash", user("alpha STOPHERE omega", stopSequences=["STOPHERE"]))
    assert text([made]).endswith("alpha ")
    assert made["candidates"][0]["finishReason"] == "STOP"


async def test_candidates_are_numbered_and_their_tokens_summed() -> None:
    made = await answer(Simulator(), "gemini-2.5-flash", user("Hi", candidateCount=3))
    assert [one["index"] for one in made["candidates"]] == [0, 1, 2]
    assert made["usageMetadata"]["totalTokenCount"] == _counts(made["usageMetadata"])
    events = (await stream(Simulator(), "gemini-2.5-flash", user("Hi", candidateCount=3))).events()
    finished = [one["candidates"][0]["index"] for one in events if "finishReason" in one["candidates"][0]]
    assert finished == [0, 1, 2]
    assert events[-1]["usageMetadata"] == made["usageMetadata"]


# -- calls --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "config", "called"),
    [
        ("hello", None, []),
        ("please FIND_CITY.", None, ["find_city"]),
        ("seek_cityx or my_journeys", None, []),
        ("Which city is the largest?", None, ["find_city"]),
        ("Use a tool, any of them.", None, ["find_city"]),
        ("hello [[sim:calls=2]]", None, ["find_city", "plan_trip"]),
        ("plan_trip then find_city", None, ["find_city", "plan_trip"]),
        ("find_city", {"mode": "NONE"}, []),
        ("hello", {"mode": "ANY", "allowedFunctionNames": ["plan_trip"]}, ["plan_trip"]),
        ("find_city", {"mode": "any", "allowedFunctionNames": ["plan_trip"]}, ["plan_trip"]),
        ("hello [[sim:calls=3]]", {"mode": "ANY", "allowedFunctionNames": ["plan_trip"]}, ["plan_trip"] * 3),
    ],
)
async def test_functions_are_called_when_named_or_forced(words: str, config: Json | None, called: list[str]) -> None:
    body = user(words) | {"tools": tools("find_city", "plan_trip")}
    if config is not None:
        body["toolConfig"] = {"functionCallingConfig": config}
    made = await answer(Simulator(), "gemini-3.5-flash", body)
    calls = [part["functionCall"] for part in parts(made) if "functionCall" in part]
    assert [call["name"] for call in calls] == called
    assert all(isinstance(call["args"]["city"], str) for call in calls)
    assert made["candidates"][0]["finishReason"] == "STOP"
    if called:
        assert made["candidates"][0]["finishMessage"] == "Model generated function call(s)."


@pytest.mark.parametrize(
    ("model", "ids", "signed"),
    [("gemini-3.5-flash", True, True), ("gemini-2.5-flash", False, True), ("gemini-2.0-flash", False, False)],
)
async def test_calls_have_ids_from_generation_3_and_only_the_first_is_signed(
    model: str, ids: bool, signed: bool
) -> None:
    body = user("find_city plan_trip") | {"tools": tools("find_city", "plan_trip")}
    calls = [part for part in parts(await answer(Simulator(), model, body)) if "functionCall" in part]
    assert ["id" in part["functionCall"] for part in calls] == [ids, ids]
    assert ["thoughtSignature" in part for part in calls] == [signed, False]
    if ids:
        assert all(len(part["functionCall"]["id"]) == 8 and part["functionCall"]["id"].isalnum() for part in calls)


async def test_results_are_quoted_in_the_text_that_follows() -> None:
    sim, body = Simulator(), user("find_city") | {"tools": tools("find_city")}
    first = await answer(sim, "gemini-3.5-flash", body)
    body["contents"] += [first["candidates"][0]["content"], results(first)]
    assert "result of find_city" in text([await answer(sim, "gemini-3.5-flash", body)])


@pytest.mark.parametrize("model", ["gemini-3.5-flash", "gemini-2.5-flash"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_loop_of_five_steps_ends_in_text(model: str, streamed: bool) -> None:
    sim, body = Simulator(), user("work [[sim:steps=5]]") | {"tools": tools("find_city", "plan_trip")}
    for _ in range(5):
        responses = (await stream(sim, model, body)).events() if streamed else [await answer(sim, model, body)]
        said = [part for one in responses for part in parts(one)]
        calls = [part["functionCall"]["name"] for part in said if "functionCall" in part]
        assert calls == ["find_city", "plan_trip"]
        whole = {"candidates": [{"content": {"role": "model", "parts": said}}]}
        body["contents"] += [{"role": "model", "parts": said}, results(whole)]
    assert text([await answer(sim, model, body)]).startswith("[simulated] Done")


# -- where signatures sit -----------------------------------------------------------------------------------------------


async def test_generation_3_signs_streamed_text_on_a_last_empty_part() -> None:
    events = (await stream(Simulator(), "gemini-3.5-flash", user("Tell me a thing"))).events()
    signed = [part for one in events for part in parts(one) if "thoughtSignature" in part]
    assert signed == parts(events[-1])
    assert signed[0]["text"] == ""


async def test_generation_2_5_signs_the_first_piece_of_streamed_text_where_functions_are_declared() -> None:
    plain = user("Tell me a long thing about nothing", thinkingConfig={"includeThoughts": True})
    body = plain | {"tools": tools("find_city", "plan_trip")}
    events = (await stream(Simulator(), "gemini-2.5-flash", body)).events()
    spoken = [part for one in events for part in parts(one) if not part.get("thought")]
    assert ["thoughtSignature" in part for part in spoken] == [True] + [False] * (len(spoken) - 1)
    assert len(spoken) > 1
    unsigned = (await stream(Simulator(), "gemini-2.5-flash", plain)).events()
    assert not any("thoughtSignature" in part for one in unsigned for part in parts(one))


# -- other kinds --------------------------------------------------------------------------------------------------------


async def test_an_image_model_draws_a_png() -> None:
    made = await answer(Simulator(), "gemini-3-pro-image", user("a boat"))
    blob = next(part["inlineData"] for part in parts(made) if "inlineData" in part)
    data = base64.b64decode(blob["data"])
    assert blob["mimeType"] == "image/png"
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at = data.index(b"IDAT")
    assert len(zlib.decompress(data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at])])) == 32 * (1 + 32 * 3)
    assert made["usageMetadata"]["totalTokenCount"] == _counts(made["usageMetadata"])


async def test_a_speech_model_speaks_pcm() -> None:
    made = await answer(Simulator(), "gemini-2.5-flash-preview-tts", user("hello", responseModalities=["AUDIO"]))
    blob = parts(made)[0]["inlineData"]
    assert blob["mimeType"] == "audio/L16;codec=pcm;rate=24000"
    assert len(base64.b64decode(blob["data"])) % 2 == 0


@pytest.mark.parametrize("framing", ["alt=sse", "", "alt=json"])
async def test_a_stream_without_sse_is_one_json_array(framing: str) -> None:
    one = await stream(Simulator(), "gemini-3.5-flash", user("Hi"), query=framing)
    events = one.events() if framing == "alt=sse" else one.json()
    assert text(events).startswith("[simulated]")
    kind = "text/event-stream" if framing == "alt=sse" else "application/json; charset=UTF-8"
    assert one.headers["content-type"] == kind
    assert one.headers["x-portico-simulated"] == "1"
    assert one.finished


async def test_vertex_counts_on_the_last_event_only_and_sends_no_index() -> None:
    path = "/v1beta1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:streamGenerateContent"
    one = exchange(path, user("Hello over there"), query="alt=sse", headers={"authorization": "Bearer token"})
    await Simulator(now=lambda: 1_790_000_000.25)(one)
    events = one.events()
    assert all(event["usageMetadata"] == {"trafficType": "ON_DEMAND"} for event in events[:-1])
    assert events[-1]["usageMetadata"]["totalTokenCount"] == _counts(events[-1]["usageMetadata"])
    assert not any("index" in event["candidates"][0] for event in events)
    assert events[0]["createTime"] == "2026-09-21T14:13:20.250000Z"


async def _embed(verb: str, body: Json, model: str = "gemini-embedding-001") -> Memory:
    one = exchange(f"/v1beta/models/{model}:{verb}", body)
    await Simulator()(one)
    return one


async def test_embeddings_keep_their_order_and_lie_close_when_words_are_shared() -> None:
    texts = ["red fox runs", "red fox sleeps", "quantum ledger"]
    one = [{"model": "models/gemini-embedding-001", "content": {"parts": [{"text": said}]}} for said in texts]
    made = (await _embed("batchEmbedContents", {"requests": one})).json()
    vectors = [entry["values"] for entry in made["embeddings"]]
    near, far = (sum(a * b for a, b in zip(vectors[0], other, strict=True)) for other in vectors[1:])
    assert near > far
    single = (await _embed("embedContent", {"content": {"parts": [{"text": texts[2]}]}})).json()
    assert single["embedding"]["values"] == vectors[2]


async def test_countTokens_counts_what_generateContent_reads() -> None:  # noqa: N802
    body = user("Count me")
    one = exchange("/v1beta/models/gemini-2.5-flash:countTokens", body)
    await Simulator()(one)
    whole = await answer(Simulator(), "gemini-2.5-flash", body)
    assert one.json()["totalTokens"] == whole["usageMetadata"]["promptTokenCount"]
    inner = {"model": "models/gemini-2.5-flash", **body}
    wrapped = exchange("/v1beta/models/gemini-2.5-flash:countTokens", {"generateContentRequest": inner})
    await Simulator()(wrapped)
    assert wrapped.json() == one.json()


async def test_models_are_listed_in_pages_and_one_by_one() -> None:
    sim, names, token = Simulator(), list[str](), ""
    while True:
        page = exchange("/v1beta/models", query=f"pageSize=7&pageToken={token}")
        await sim(page)
        names += [one["name"] for one in page.json()["models"]]
        token = page.json().get("nextPageToken", "")
        if not token:
            break
    assert names == [one["name"] for one in sim.models]
    assert "models/gemini-3-pro-preview" not in names
    one = exchange(f"/v1beta/{names[0]}")
    await sim(one)
    assert one.json() == sim.models[0]


@pytest.mark.parametrize(
    "model", ["gemini-3-pro-preview", "gemini-1.5-flash", "nothing-like-it", "gemini-embedding-001"]
)
async def test_what_is_not_served_is_not_found(model: str) -> None:
    one = await ask(Simulator(), model, user("Hi"))
    assert one.status == 404
    assert one.json()["error"]["message"].startswith(f"models/{model} is not found for API version v1beta")


async def test_unheard_of_but_plausible_models_are_served() -> None:
    for model in ("gemini-5.2-flash-preview", "gemini-3.9-pro", "gemini-2.5-flash-preview-09"):
        assert (await ask(Simulator(), model, user("Hi"))).status == 200


async def test_a_retired_model_answers_when_lenient() -> None:
    assert (await ask(Simulator(lenient=True), "gemini-3-pro-preview", user("Hi"))).status == 200


async def test_requests_are_logged_for_tests_to_read() -> None:
    sim = Simulator()
    body: Any = user("Hi")
    one = await ask(sim, "gemini-2.5-flash", body)
    assert sim.stats.last.body == body
    assert (sim.stats.last.verb, sim.stats.last.model, sim.stats.last.key) == (
        "generateContent",
        "gemini-2.5-flash",
        "a-key",
    )
    assert sim.stats.bytes_written == len(one.data)
    assert json.loads(one.data)["modelVersion"] == "gemini-2.5-flash"
