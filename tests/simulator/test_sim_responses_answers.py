"""Answers of Responses fit the SDK's own types, say what was asked, and say it streamed as they say it whole."""

import json
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from portico.simulator import Simulator
from simulator.sim_memory import Json, exchange
from simulator.sim_openai import KEY, RESPONSES, answer, events, fits, functions, post, request

STRICT: Json = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
FORM: Json = {"format": {"type": "json_schema", "name": "person", "schema": STRICT, "strict": True}}
BLOBS = ["reasoning.encrypted_content"]
NAMESPACE: Json = {"type": "namespace", "name": "trips", "description": "of trips", "tools": functions("get_weather")}

BODIES: dict[str, Json] = {
    "text": request("Hello"),
    "a call": request("What is the weather in Paris?", tools=functions("get_weather")),
    "calls at once": request("The weather in Paris, Oslo and Rome?", tools=functions("get_weather")),
    "a call of a namespace": request("The weather in Rome?", tools=[NAMESPACE]),
    "talk before a call": request("The weather in Rome? [[sim:talk]]", tools=functions("get_weather")),
    "a custom tool": request("run_sql: `SELECT 1`", tools=[{"type": "custom", "name": "run_sql"}]),
    "a schema": request("Ada is 36", text=FORM),
    "log probabilities": request("Hello", include=["message.output_text.logprobs"], top_logprobs=2),
    "a refusal": request("Hello [[sim:refuse]]"),
    "too long": request("Hello there", max_output_tokens=16) | {"instructions": "Be long"},
    "thoughts": request("Hello", model="gpt-5-mini"),
    "thoughts shown": request(
        "Hello", model="gpt-5-mini", reasoning={"effort": "high", "summary": "auto"}, include=BLOBS
    ),
    "too much thought": request("Hello", model="gpt-5-mini", max_output_tokens=16),
    "a search": request("What is the latest news?", tools=[{"type": "web_search"}]),
    "code": request(
        "Compute 17 * 23 with code",
        tools=[{"type": "code_interpreter", "container": {"type": "auto"}}],
        include=["code_interpreter_call.outputs"],
    ),
    "a failure": request("Hello [[sim:failed]]"),
    "in the background": request("Hello", background=True),
}
UNTYPED = {"frequency_penalty", "presence_penalty", "store"}
"""Recorded fields of a response that the SDK's type does not have."""
UNTYPED_ITEMS = {"web_search_call"}
"""On the wire a search is added without its action, which the SDK's type wants."""
_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def typed(response: Json) -> Any:
    """A response as the SDK's type."""
    told = {key: value for key, value in response.items() if key not in UNTYPED}
    return fits(Response, told | {"output": [_without_status(item) for item in response["output"]]})


def _without_status(item: Json) -> Json:
    """A custom call without the status it has on the wire and not in the SDK's type."""
    return {k: v for k, v in item.items() if k != "status"} if item["type"] == "custom_tool_call" else item


def typed_event(event: Json) -> BaseModel:
    """An event as the SDK's type."""
    if "response" in event:
        told = {key: value for key, value in event["response"].items() if key not in UNTYPED}
        event = event | {"response": told | {"output": [_without_status(item) for item in told["output"]]}}
    elif "item" in event:
        event = event | {"item": _without_status(event["item"])}
    made = _EVENT.validate_python(event, strict=True)
    assert isinstance(made, BaseModel)
    return fits(type(made), event)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", BODIES)
async def test_whole_answers_fit_the_type(name: str) -> None:
    made = typed(await answer(Simulator(), RESPONSES, BODIES[name]))
    if made.usage:
        assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens


@pytest.mark.parametrize("name", BODIES)
async def test_streams_fit_the_types_and_say_the_same(name: str) -> None:
    sim, body = Simulator(), BODIES[name]
    whole = await answer(sim, RESPONSES, body)
    if body.get("background"):
        one = exchange(f"{RESPONSES}/{whole['id']}", headers=KEY)
        await sim(one)
        whole = one.json()
    told = await events(Simulator(), RESPONSES, body)
    for event in told:
        if event["type"] != "response.output_item.added" or event["item"]["type"] not in UNTYPED_ITEMS:
            typed_event(event)
    assert [one["sequence_number"] for one in told] == list(range(len(told)))
    assert told[-1]["response"] == whole
    assert told[-1]["type"] == f"response.{whole['status']}"
    assert [one["item"] for one in told if one["type"] == "response.output_item.done"] == whole["output"]
    _deltas_make_the_items(told, whole["output"])


FIELDS = {
    "response.output_text": "text",
    "response.refusal": "refusal",
    "response.function_call_arguments": "arguments",
    "response.custom_tool_call_input": "input",
    "response.reasoning_summary_text": "text",
    "response.code_interpreter_call_code": "code",
}


def _deltas_make_the_items(told: list[Json], output: list[Json]) -> None:
    said: dict[tuple[str, str], str] = {}
    ends = 0
    for event in told:
        kind, _, step = event["type"].rpartition(".")
        if step == "delta":
            said[kind, event["item_id"]] = said.get((kind, event["item_id"]), "") + event["delta"]
        elif step == "done" and kind in FIELDS:
            ends += 1
            assert said.pop((kind, event["item_id"]), "") == event[FIELDS[kind]]
            assert output[event["output_index"]]["id"] == event["item_id"]
    assert not said
    assert ends == sum(1 for one in output if one["type"] not in ("reasoning", "web_search_call") or one.get("summary"))


@pytest.mark.parametrize("name", BODIES)
async def test_a_response_has_every_field_that_open_responses_wants(name: str) -> None:
    wanted = """
        id object created_at completed_at status incomplete_details model previous_response_id instructions output error
        tools tool_choice truncation parallel_tool_calls text top_p presence_penalty frequency_penalty top_logprobs
        temperature reasoning usage max_output_tokens max_tool_calls store background service_tier metadata
        safety_identifier prompt_cache_key
    """
    made = await answer(Simulator(), RESPONSES, BODIES[name])
    assert set(wanted.split()) <= set(made)


def _calls(made: Json) -> list[tuple[str, Any]]:
    return [(one["name"], json.loads(one["arguments"])) for one in made["output"] if one["type"] == "function_call"]


async def test_tools_are_called_as_the_words_say() -> None:
    sim = Simulator()
    several = await answer(sim, RESPONSES, BODIES["calls at once"])
    assert _calls(several) == [("get_weather", {"city": city}) for city in ("Paris", "Oslo", "Rome")]
    alone = await answer(sim, RESPONSES, BODIES["calls at once"] | {"parallel_tool_calls": False})
    assert len(_calls(alone)) == 1
    forced = await answer(
        sim, RESPONSES, request("Hi", tools=functions("a", "b"), tool_choice={"type": "function", "name": "b"})
    )
    assert [name for name, _ in _calls(forced)] == ["b"]
    assert _calls(await answer(sim, RESPONSES, BODIES["a call"] | {"tool_choice": "none"})) == []
    spaced = await answer(sim, RESPONSES, BODIES["a call of a namespace"])
    assert (spaced["output"][0]["name"], spaced["output"][0]["namespace"]) == ("get_weather", "trips")


async def test_custom_tools_get_text() -> None:
    call = (await answer(Simulator(), RESPONSES, BODIES["a custom tool"]))["output"][0]
    assert (call["type"], call["name"], call["input"]) == ("custom_tool_call", "run_sql", "SELECT 1")


async def test_schemas_are_filled() -> None:
    made = await answer(Simulator(), RESPONSES, BODIES["a schema"])
    assert json.loads(made["output"][0]["content"][0]["text"]) == {"name": "Ada", "age": 36}


async def test_thoughts_come_first_and_are_counted() -> None:
    sim = Simulator()
    plain = await answer(sim, RESPONSES, BODIES["thoughts"])
    shown = await answer(sim, RESPONSES, BODIES["thoughts shown"])
    assert [one["type"] for one in plain["output"]] == ["reasoning", "message"]
    assert plain["output"][0]["summary"] == []
    assert "encrypted_content" not in plain["output"][0]
    assert shown["output"][0]["summary"][0]["text"]
    assert shown["output"][0]["encrypted_content"].startswith("gAAAAA")
    assert shown["usage"]["output_tokens_details"]["reasoning_tokens"] > 0
    none = await answer(sim, RESPONSES, request("Hello", model="gpt-5.2", reasoning={"effort": "none"}))
    assert [one["type"] for one in none["output"]] == ["message"]


async def test_a_limit_spent_on_thoughts_leaves_an_incomplete_response() -> None:
    made = await answer(Simulator(), RESPONSES, BODIES["too much thought"])
    assert (made["status"], made["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert [one["type"] for one in made["output"]] == ["reasoning"]


async def test_searches_are_told_and_cited() -> None:
    made = await answer(Simulator(), RESPONSES, BODIES["a search"])
    assert [one["type"] for one in made["output"]] == ["web_search_call", "message"]
    part = made["output"][1]["content"][0]
    assert {one["type"] for one in part["annotations"]} == {"url_citation"}
    told = await events(Simulator(), RESPONSES, BODIES["a search"])
    noted = [one["annotation"] for one in told if one["type"] == "response.output_text.annotation.added"]
    assert noted == part["annotations"]


async def test_a_conversation_is_continued_by_the_id_of_its_last_response() -> None:
    sim = Simulator()
    first = await answer(sim, RESPONSES, BODIES["a call"])
    output = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "21 °C"}
    second = await answer(sim, RESPONSES, request([output], previous_response_id=first["id"]))
    assert "get_weather returned" in second["output"][0]["content"][0]["text"]
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"] - 40
    third = await answer(sim, RESPONSES, request("And now?", previous_response_id=second["id"]))
    assert third["previous_response_id"] == second["id"]


async def test_a_result_without_a_word_is_no_file() -> None:
    sim = Simulator()
    first = await answer(sim, RESPONSES, BODIES["a call"])
    output = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": ""}
    second = await answer(sim, RESPONSES, request([output], previous_response_id=first["id"]))
    assert 'get_weather returned {"output":""}' in second["output"][0]["content"][0]["text"]


async def test_stored_responses_are_read_and_deleted_by_their_key_alone() -> None:
    sim = Simulator()
    made = await answer(sim, RESPONSES, request("Hello"))
    unstored = await answer(sim, RESPONSES, request("Hi", store=False))

    async def call(method: str, path: str, key: str = "a-key") -> tuple[int, Json]:
        one = exchange(path, headers={"authorization": f"Bearer {key}"})
        one.request.method = method
        await sim(one)
        return one.status, one.json()

    path = f"{RESPONSES}/{made['id']}"
    assert await call("GET", path) == (200, made)
    assert (await call("GET", path, "another"))[0] == 404
    assert (await call("GET", f"{RESPONSES}/{unstored['id']}"))[0] == 404
    status, items = await call("GET", f"{path}/input_items")
    assert (status, items["data"][0]["content"]) == (200, [{"type": "input_text", "text": "Hello"}])
    assert await call("DELETE", path) == (200, {"id": made["id"], "object": "response", "deleted": True})
    assert (await call("GET", path))[0] == 404


async def test_background_answers_are_fetched_later() -> None:
    sim = Simulator()
    made = await answer(sim, RESPONSES, BODIES["in the background"])
    assert (made["status"], made["output"]) == ("queued", [])
    one = exchange(f"{RESPONSES}/{made['id']}", headers=KEY)
    await sim(one)
    assert one.json()["status"] == "completed"


async def test_tokens_are_counted_as_they_are_charged() -> None:
    body = request("Hello there", tools=functions("get_weather"), instructions="Be brief")
    made = await answer(Simulator(), RESPONSES, body)
    counted = await answer(Simulator(), f"{RESPONSES}/input_tokens", body)
    assert counted == {"object": "response.input_tokens", "input_tokens": made["usage"]["input_tokens"]}


@pytest.mark.parametrize("count", [0, 1, 4])
async def test_a_cut_stream_ends_without_an_end(count: int) -> None:
    one = await post(Simulator(), RESPONSES, request(f"Hello [[sim:cut={count}]]", stream=True))
    assert one.aborted
    assert one.data.count(b"\n\n") == count


async def test_an_error_in_the_middle_is_an_event() -> None:
    one = await post(Simulator(), RESPONSES, request("Hello [[sim:error-mid=2]]", stream=True))
    frames = one.data.decode().split("\n\n")
    assert frames[2].startswith("event: error\ndata: ")
    assert json.loads(frames[2].partition("data: ")[2])["error"]["type"] == "server_error"
    assert frames[3:] == [""]
