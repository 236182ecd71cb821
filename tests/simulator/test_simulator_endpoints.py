"""Counting, listing, embedding: the endpoints beside generation."""

import pytest

from portico.simulator import Simulator
from simulator.sim_memory import Json, Memory, exchange, tools, user

MODEL = "gemini-2.5-flash"
PLACE = "/v1/projects/p/locations/us-central1/publishers/google/models/"


async def _post(path: str, body: Json, **options: dict[str, str]) -> Memory:
    one = exchange(path, body, **options)  # type: ignore[arg-type]
    await Simulator()(one)
    return one


@pytest.mark.parametrize("model", [None, "gemini-2.5-flash", "models/gemini-2.5-pro"])
async def test_a_wrapped_request_to_count_names_its_model(model: str | None) -> None:
    inner = user("Hi") | ({} if model is None else {"model": model})
    one = await _post(f"/v1beta/models/{MODEL}:countTokens", {"generateContentRequest": inner})
    assert one.status == 400
    assert one.json()["error"]["message"].endswith("generate_content_request.model: unexpected model name format\n")


@pytest.mark.parametrize("wrapped", [False, True])
async def test_calls_are_counted_without_ids_on_the_gemini_api(wrapped: bool) -> None:
    call = {"functionCall": {"name": "f", "args": {}, "id": "a"}}
    result = {"functionResponse": {"name": "f", "response": {}, "id": "a"}}
    plain: Json = {
        "contents": [
            *user("Hi")["contents"],
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [result]},
        ]
    }
    body: Json = {"generateContentRequest": plain | {"model": f"models/{MODEL}"}} if wrapped else plain
    error = (await _post(f"/v1beta/models/{MODEL}:countTokens", body)).json()["error"]
    at = "generate_content_request." if wrapped else ""
    assert [one["field"] for one in error["details"][0]["fieldViolations"]] == [
        f"{at}contents[1].parts[0].function_call",
        f"{at}contents[2].parts[0].function_response",
    ]
    assert (await _post(f"{PLACE}{MODEL}:countTokens", plain)).status == 200


async def test_vertex_counts_characters_tools_and_system_too() -> None:
    plain = (await _post(f"{PLACE}{MODEL}:countTokens", user("a b c"))).json()
    more = user("a b c") | {"tools": tools("f"), "systemInstruction": {"parts": [{"text": "Be kind."}]}}
    full = (await _post(f"{PLACE}{MODEL}:countTokens", more)).json()
    assert plain["totalBillableCharacters"] == 3
    assert full["totalTokens"] > plain["totalTokens"]


async def test_an_embedding_model_counts_too() -> None:
    assert (await _post("/v1beta/models/gemini-embedding-001:countTokens", user("Hi"))).json()["totalTokens"] == 1


@pytest.mark.parametrize("query", ["pageSize=x", "pageSize=-1", "pageToken=5", "pageToken=%FF", "pageToken=bm9uZQ=="])
async def test_a_page_that_is_none_is_refused(query: str) -> None:
    one = exchange("/v1beta/models", query=query)
    await Simulator()(one)
    assert one.status == 400


@pytest.mark.parametrize(("size", "length"), [("", 50), ("3", 3), ("0", 50), ("1000000", 1000)])
async def test_a_page_is_as_long_as_asked(size: str, length: int) -> None:
    sim = Simulator()
    one = exchange("/v1beta/models", query=f"pageSize={size}")
    await sim(one)
    assert len(one.json()["models"]) == min(length, len(sim.models))


async def test_every_listed_model_is_described_and_does_what_it_says() -> None:
    sim = Simulator()
    for entry in sim.models:
        one = exchange(f"/v1beta/{entry['name']}")
        await sim(one)
        assert one.json() == entry
        assert set(entry) - {"thinking", "temperature", "topP", "topK", "maxTemperature"} == {
            "name",
            "version",
            "displayName",
            "description",
            "inputTokenLimit",
            "outputTokenLimit",
            "supportedGenerationMethods",
        }
        counted = exchange(f"/v1beta/{entry['name']}:countTokens", user("Hi"))
        await sim(counted)
        assert counted.status == 200


async def test_vertex_predicts_one_vector_a_call() -> None:
    body: Json = {"instances": [{"content": "red fox", "task_type": "RETRIEVAL_QUERY"}]}
    body["parameters"] = {"outputDimensionality": 8}
    headers = {"authorization": "Bearer token"}
    made = (await _post(f"{PLACE}gemini-embedding-001:predict", body, headers=headers)).json()
    embeddings = made["predictions"][0]["embeddings"]
    assert len(embeddings["values"]) == 8
    assert embeddings["statistics"] == {"truncated": False, "token_count": 2}
    assert made["metadata"] == {"billableCharacterCount": 6}
    single = {"content": {"parts": [{"text": "red fox"}]}, "outputDimensionality": 8}
    same = (await _post("/v1beta/models/gemini-embedding-001:embedContent", single)).json()
    assert same["embedding"]["values"] == embeddings["values"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"instances": []}, {"authorization": "Bearer t"}, 400),
        ({"instances": [{"content": "a"}, {"content": "b"}]}, {"authorization": "Bearer t"}, 400),
        ({"instances": [{"content": ""}]}, {"authorization": "Bearer t"}, 400),
        ({"instances": [{"content": "a"}], "parameters": {"autoTruncate": 1}}, {"authorization": "Bearer t"}, 400),
        ({"instances": [{"content": "a"}]}, {"x-goog-api-key": "a-key"}, 401),
    ],
)
async def test_vertex_predicts_nothing_else(body: Json, headers: dict[str, str], status: int) -> None:
    assert (await _post(f"{PLACE}gemini-embedding-001:predict", body, headers=headers)).status == status


async def test_the_gemini_api_does_not_predict() -> None:
    assert (await _post("/v1beta/models/gemini-embedding-001:predict", {"instances": [{"content": "a"}]})).status == 404
