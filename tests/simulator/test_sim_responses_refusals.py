"""What OpenAI refuses in a Responses request is refused with its status, code and parameter; reasoning above all."""

from typing import Any

import pytest

from portico.simulator import Simulator
from simulator.sim_memory import Json
from simulator.sim_openai import CITY, RESPONSES, answer, error, functions, post, request

CALL: Json = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
RESULT: Json = {"type": "function_call_output", "call_id": "call_1", "output": "x"}
U: Json = {"role": "user", "content": "Hi"}
LOOSE: Json = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
RAW: Json = {"type": "input_file", "file_data": "data:audio/mpeg;base64,aGk="}


def tool(**more: Any) -> Json:
    return request("Hi", tools=[{"type": "function", "name": "f"} | more])


def shown(part: Json) -> Json:
    return request([{"role": "user", "content": [part]}])


REFUSED: dict[str, tuple[Json, str | None, str | None]] = {
    "an unknown field": (request("Hi", topp=1), "unknown_parameter", "topp"),
    "a field of Chat": (request("Hi", max_tokens=5), "unknown_parameter", "max_tokens"),
    "stop": (request("Hi", stop=["x"]), "unknown_parameter", "stop"),
    "an unknown field of an item": (request([U | {"name": "x"}]), "unknown_parameter", "input[0].name"),
    "an unknown field of a tool": (tool(cache=True), "unknown_parameter", "tools[0].cache"),
    "no input": ({"model": "gpt-4o"}, "missing_required_parameter", "input"),
    "no model": ({"input": "Hi"}, "missing_required_parameter", "model"),
    "a role of Chat": (request([U, {"role": "tool", "content": "x"}]), "invalid_value", "input[1]"),
    "an item of nothing": (request([{"type": "thought"}]), "invalid_value", "input[0]"),
    "text of the other side": (
        request([{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]),
        "invalid_value",
        "input[0].content[0].type",
    ),
    "input of Chat": (
        request([{"role": "user", "content": [{"type": "text", "text": "x"}]}]),
        "invalid_value",
        "input[0].content[0].type",
    ),
    "a limit of 15": (request("Hi", max_output_tokens=15), "integer_below_min_value", "max_output_tokens"),
    "too cold": (request("Hi", temperature=-1), "decimal_below_min_value", "temperature"),
    "an unknown include": (request("Hi", include=["everything"]), "invalid_value", "include[0]"),
    "a nameless tool": (request("Hi", tools=[{"type": "function"}]), "missing_required_parameter", "tools[0].name"),
    "a name with a dot": (tool(name="a.b"), "invalid_value", "tools[0].name"),
    "strict but open": (tool(parameters=LOOSE, strict=True), "invalid_function_parameters", "tools[0].parameters"),
    "strict but open, in an item": (
        request([U, {"type": "additional_tools", "tools": tool(parameters=LOOSE, strict=True)["tools"]}]),
        "invalid_function_parameters",
        "input[1].tools[0].parameters",
    ),
    "an MCP server of no address, in an item": (
        request([{"type": "additional_tools", "tools": [{"type": "mcp", "server_label": "s"}]}, U]),
        "missing_required_parameter",
        "input[0].tools[0].server_url",
    ),
    "an open answer": (
        request("Hi", text={"format": {"type": "json_schema", "name": "a", "schema": LOOSE, "strict": True}}),
        "invalid_json_schema",
        "text.format.schema",
    ),
    "json unspoken": (request("Hi", text={"format": {"type": "json_object"}}), None, "input"),
    "a call unanswered": (request([U, CALL]), None, "input"),
    "a result of nothing": (request([U, RESULT]), None, "input"),
    "a long call id": (
        request([U, CALL | {"call_id": "x" * 65}, RESULT]),
        "string_above_max_length",
        "input[1].call_id",
    ),
    "an id of another kind": (request([U, CALL | {"id": "call_1"}, RESULT]), "invalid_value", "input[1].id"),
    "a long id": (request([U, CALL | {"id": "fc_" + "x" * 62}, RESULT]), "string_above_max_length", "input[1].id"),
    "a choice of no tool": (
        request("Hi", tools=functions("a"), tool_choice={"type": "function", "name": "b"}),
        None,
        "tool_choice",
    ),
    "a picture that does not decode": (
        shown({"type": "input_image", "image_url": "data:image/png;base64,%%"}),
        "invalid_base64",
        "input[0].content[0].image_url",
    ),
    "a file of sound": (shown(RAW), "invalid_value", "input[0].content[0].file_data"),
    "an unknown predecessor": (
        request("Hi", previous_response_id="resp_x"),
        "previous_response_not_found",
        "previous_response_id",
    ),
    "a model of Chat alone": (request("Hi", model="o1-mini"), "model_not_found", "model"),
    "a model of nobody": (request("Hi", model="gpt-nothing"), "model_not_found", "model"),
    "effort of no reasoner": (request("Hi", reasoning={"effort": "low"}), "unsupported_parameter", "reasoning.effort"),
    "effort that is none": (
        request("Hi", model="o4-mini", reasoning={"effort": "minimal"}),
        "unsupported_value",
        "reasoning.effort",
    ),
    "blobs of no reasoner": (request("Hi", include=["reasoning.encrypted_content"]), None, "include"),
    "temperature to a reasoner": (
        request("Hi", model="gpt-5", temperature=0.2),
        "unsupported_parameter",
        "temperature",
    ),
    "a foreign blob": (
        request(
            [
                U,
                {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAABo-not-ours"},
                {"role": "assistant", "content": "Hm"},
                U,
            ],
            model="gpt-5",
        ),
        "invalid_encrypted_content",
        None,
    ),
    "options of no stream": (request("Hi", stream_options={"include_obfuscation": False}), None, "stream_options"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_openai_refuses_is_refused(name: str) -> None:
    body, code, param = REFUSED[name]
    told = await error(Simulator(), RESPONSES, body)
    assert (told["type"], told["code"], told["param"]) == ("invalid_request_error", code, param)


async def _thoughtful(sim: Simulator, **more: Any) -> tuple[Json, list[Json]]:
    """A request whose answer is reasoning and a call, and the output."""
    body = request(
        [{"role": "user", "content": "The weather in Rome?"}],
        model="gpt-5-mini",
        include=["reasoning.encrypted_content"],
        tools=[{"type": "function", "name": "get_weather", "parameters": CITY}],
        **more,
    )
    return body, (await answer(sim, RESPONSES, body))["output"]


def _next(body: Json, output: list[Json]) -> Json:
    call_id = next(one["call_id"] for one in output if "call_id" in one)
    results = [{"type": "function_call_output", "call_id": call_id, "output": "21 °C"}]
    return body | {"input": [*body["input"], *output, *results]}


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("named", [True, False])
async def test_own_reasoning_is_taken_back(store: bool, named: bool) -> None:
    sim = Simulator()
    body, output = await _thoughtful(sim, store=store)
    assert [one["type"] for one in output] == ["reasoning", "function_call"]
    if not named:
        output = [{key: value for key, value in one.items() if key != "id"} for one in output]
    assert (await answer(sim, RESPONSES, _next(body, output)))["status"] == "completed"
    if not store or not named:
        assert (await answer(Simulator(), RESPONSES, _next(body, output)))["status"] == "completed"


@pytest.mark.parametrize("place", [0, 7, 20, 150, -3])
async def test_altered_reasoning_is_refused(place: int) -> None:
    sim = Simulator()
    body, output = await _thoughtful(sim, store=False)
    blob = output[0]["encrypted_content"]
    changed = list(blob)
    changed[place] = "A" if blob[place] != "A" else "B"
    output[0]["encrypted_content"] = "".join(changed)
    told = await error(sim, RESPONSES, _next(body, output))
    assert told["code"] == "invalid_encrypted_content"


async def test_reasoning_of_another_item_or_simulator_is_refused() -> None:
    sim = Simulator()
    body, output = await _thoughtful(sim)
    renamed = [output[0] | {"id": "rs_another"}, *output[1:]]
    assert (await error(sim, RESPONSES, _next(body, renamed)))["code"] == "invalid_encrypted_content"
    other = await error(Simulator(seed=1), RESPONSES, _next(body, output))
    assert other["code"] == "invalid_encrypted_content"


async def test_reasoning_that_led_to_nothing_is_refused() -> None:
    sim = Simulator()
    body, output = await _thoughtful(sim)
    for after in ([], [U], [{"role": "assistant", "content": "It is warm"}, U]):
        told = await error(sim, RESPONSES, body | {"input": [*body["input"], output[0], *after]})
        assert told["message"].endswith("of type 'reasoning' was provided without its required following item.")


async def test_reasoning_leads_to_a_message_without_an_id_where_nothing_is_kept() -> None:
    sim = Simulator()
    body, output = await _thoughtful(sim, store=False)
    said = {"role": "assistant", "content": "It is warm"}
    given = [*body["input"], output[0], said, U]
    assert (await answer(sim, RESPONSES, body | {"input": given}))["status"] == "completed"
    assert (await error(sim, RESPONSES, body | {"input": [*body["input"], output[0], U]}))["param"] == "input"


async def test_a_stored_call_is_not_taken_without_its_reasoning() -> None:
    sim = Simulator()
    body, output = await _thoughtful(sim, store=False)
    assert (await answer(sim, RESPONSES, _next(body, output[1:])))["status"] == "completed"
    body, output = await _thoughtful(sim)
    told = await error(sim, RESPONSES, _next(body, output[1:]))
    assert f"without its required 'reasoning' item: '{output[0]['id']}'" in told["message"]
    nameless = [{key: value for key, value in output[1].items() if key != "id"}]
    assert (await answer(sim, RESPONSES, _next(body, nameless)))["status"] == "completed"


async def test_reasoning_by_id_alone_has_to_be_stored() -> None:
    sim = Simulator()
    for store, status in ((True, 200), (False, 404)):
        body, output = await _thoughtful(sim, store=store, user=str(store))
        bare = [{"type": "reasoning", "id": output[0]["id"], "summary": []}, *output[1:]]
        one = await post(sim, RESPONSES, _next(body, bare))
        assert one.status == status
    body, output = await _thoughtful(sim)
    referred = [{"type": "item_reference", "id": one["id"]} for one in output]
    last = _next(body, output)["input"][-1]
    assert (await answer(sim, RESPONSES, body | {"input": [*body["input"], *referred, last]}))["status"] == "completed"
