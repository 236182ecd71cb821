"""What the simulator refuses, in Google's words."""

import json
from typing import Any

import pytest

from portico.simulator import Simulator
from simulator.sim_memory import Json, ask, exchange, stream, tools, user

FLASH, OLD, OLDEST = "gemini-3.5-flash", "gemini-2.5-flash", "gemini-2.0-flash"
HI = {"role": "user", "parts": [{"text": "Hi"}]}
CALL = {
    "role": "model",
    "parts": [{"functionCall": {"name": "f", "args": {}}}, {"functionCall": {"name": "f", "args": {}}}],
}
RESULT = {"functionResponse": {"name": "f", "response": {}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def _config(**config: Any) -> Json:
    return user("Hi", **config)


def _declared(**declaration: Any) -> Json:
    return user("Hi") | {"tools": [{"functionDeclarations": [{"name": "f"} | declaration]}]}


def _parameters(schema: Json) -> Json:
    return _declared(parameters={"type": "OBJECT", "properties": {"p": schema}})


def _parts(*parts: Json) -> Json:
    return {"contents": [{"role": "user", "parts": list(parts)}]}


def _calling(**config: Any) -> Json:
    return user("Hi") | {"tools": tools("f"), "toolConfig": {"functionCallingConfig": config}}


GRAMMAR: list[tuple[Json, str]] = [
    (user("Hi") | {"mystery": 1}, 'Invalid JSON payload received. Unknown name "mystery": Cannot find field.'),
    (_config(tempo=1), "Unknown name \"tempo\" at 'generation_config': Cannot find field."),
    (_parts({"text": "a", "colour": 1}), "Unknown name \"colour\" at 'contents[0].parts[0]': Cannot find field."),
    (_parts({"text": "a", "inlineData": {}}), "(oneof), oneof field 'data' is already set. Cannot set 'inlineData'"),
    (_config(temperature="hot"), "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\""),
    (_config(maxOutputTokens=1.5), "Invalid value at 'generation_config.max_output_tokens' (TYPE_INT32), 1.5"),
    (_config(seed=2**31), "'generation_config.seed' (TYPE_INT32)"),
    (_config(stopSequences="END"), "Invalid value at 'generation_config.stop_sequences' (TYPE_STRING), \"END\""),
    (_config(responseModalities=["SMELL"]), "'generation_config.response_modalities[0]'"),
    (
        _config(thinkingConfig=[]),
        "Unknown name \"thinking_config\" at 'generation_config': Proto field is not repeating",
    ),
    (user("Hi") | {"safetySettings": [{"category": "HARM_CATEGORY_RUDENESS"}]}, "'safety_settings[0].category'"),
    (user("Hi") | {"labels": {"a": "b"}}, 'Unknown name "labels"'),
    (_parts({"inlineData": {"mimeType": "image/png", "data": "!!"}}), "inline_data.data' (TYPE_BYTES)"),
    (_parts({"functionResponse": {"name": "f", "response": "text"}}), "function_response.response'"),
    (_parameters({"type": "STRING", "const": "x"}), "parameters.properties[0].value': Cannot find field."),
    (_parameters({"type": "STRING", "enum": [1]}), "parameters.properties[0].value.enum[0]' (TYPE_STRING), 1"),
    (_parameters({"type": ["string", "null"]}), "parameters.properties[0].value.type'"),
]

MEANING: list[tuple[str, Json, str]] = [
    (FLASH, {"contents": []}, "* GenerateContentRequest.contents: contents is not specified\n"),
    (FLASH, {}, "contents is not specified"),
    (FLASH, {"contents": [{"role": "user", "parts": []}]}, "contents[0].parts: contents.parts must not be empty."),
    (FLASH, _parts({}), "contents[0].parts[0].data: required oneof field 'data' must have one initialized field"),
    (FLASH, _parts({"thought": True}), "required oneof field 'data'"),
    (
        FLASH,
        {"contents": [HI | {"role": "bot"}]},
        "Role 'bot' is not supported. Please use a valid role: SYSTEM, SYSTEM_1, USER",
    ),
    (OLD, {"contents": [CALL]}, "function call turn comes immediately after a user turn"),
    (OLD, {"contents": [HI, {"role": "user", "parts": [RESULT]}]}, "immediately after a function call turn"),
    (
        OLD,
        {"contents": [HI, CALL, {"role": "user", "parts": [RESULT]}]},
        "the number of function response parts is equal",
    ),
    (FLASH, {"contents": [HI, CALL]}, "the number of function response parts is equal"),
    (OLD, _parts({"functionResponse": {"name": "", "response": {}}}), "function_response.name: Name cannot be empty."),
    (OLD, _parts({"inlineData": {"mimeType": "image/gif", "data": "R0lG"}}), "Unsupported MIME type: image/gif"),
    (OLD, _parts({"text": "a", "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}}), "media resolution"),
    (OLD, _parts({"text": "a", "videoMetadata": {"fps": 25}}), "fps must be in the range"),
    (FLASH, _config(temperature=2.1), "temperature must be in the range [0, 2]"),
    (FLASH, _config(topP=1.1), "top_p must be in the range"),
    (FLASH, _config(topK=0), "top_k must be in the range"),
    (FLASH, _config(maxOutputTokens=0), "max_output_tokens must be in the range"),
    (FLASH, _config(maxOutputTokens=65_537), "max_output_tokens must be in the range"),
    (FLASH, _config(stopSequences=list("abcdef")), "at most 5 stop sequences"),
    (FLASH, _config(candidateCount=2), "Multiple candidates is not enabled for models/gemini-3.5-flash"),
    (OLD, _config(presencePenalty=0.1), "Penalty is not enabled for models/gemini-2.5-flash"),
    (FLASH, _config(frequencyPenalty=0.1), "Penalty is not enabled"),
    (OLD, _config(responseLogprobs=True), "Logprobs is not enabled for models/gemini-2.5-flash"),
    (FLASH, _config(thinkingConfig={"thinkingBudget": 0, "thinkingLevel": "LOW"}), "only one of thinking budget and"),
    ("gemini-2.5-pro", _config(thinkingConfig={"thinkingBudget": 0}), "Budget 0 is invalid."),
    ("gemini-2.5-pro", _config(thinkingConfig={"thinkingBudget": 64}), "between 128 and 32768"),
    ("gemini-2.5-flash-lite", _config(thinkingConfig={"thinkingBudget": 100}), "between 512 and 24576"),
    (OLD, _config(thinkingConfig={"thinkingBudget": 24_577}), "between 1 and 24576"),
    (OLD, _config(thinkingConfig={"thinkingLevel": "LOW"}), "Thinking level is not supported"),
    (
        "gemini-3.8-flash",
        _config(thinkingConfig={"thinkingLevel": "MINIMAL"}),
        "Thinking level MINIMAL is not supported",
    ),
    ("gemini-3.1-pro-preview", _config(thinkingConfig={"thinkingLevel": "minimal"}), "is not supported for this model"),
    (OLDEST, _config(thinkingConfig={"includeThoughts": True}), "Thinking is not enabled"),
    ("gemini-2.5-flash-image", _config(responseMimeType="application/json"), "JSON mode is not enabled"),
    (
        "gemini-2.5-flash-preview-tts",
        user("Hi"),
        "The requested combination of response modalities (TEXT) is not supported",
    ),
    (FLASH, _config(responseModalities=["AUDIO"]), "accepts the following combination of response modalities:\n* TEXT"),
    (FLASH, _config(responseMimeType="text/csv"), "response_mime_type: allowed mimetypes are"),
    (
        FLASH,
        _config(responseMimeType="application/json", responseSchema=SCHEMA, responseJsonSchema=SCHEMA),
        "only one of",
    ),
    (FLASH, _config(responseSchema=SCHEMA), "response_mime_type: must be `application/json`"),
    (FLASH, _config(responseMimeType="application/json", responseJsonSchema={"$ref": "#/$defs/x"}), "undefined schema"),
    (
        FLASH,
        _declared(parameters=SCHEMA, parametersJsonSchema=SCHEMA),
        "only one of parameters and parametersJsonSchema",
    ),
    (FLASH, _declared(parametersJsonSchema={"type": "array"}), "should be OBJECT"),
    (FLASH, _parameters({"type": "STRING", "minLength": 10**9}), "has too many states for serving."),
    (
        FLASH,
        _declared(parametersJsonSchema={"type": "object", "minProperties": 10**6}),
        "has too many states for serving.",
    ),
    (FLASH, _parameters({"type": "ARRAY"}), "items: missing field."),
    (FLASH, _parameters({"type": "OBJECT"}), "properties: should be non-empty for OBJECT type"),
    (FLASH, _parameters({"type": "STRING", "enum": [""]}), "enum[0]: cannot be empty"),
    (
        FLASH,
        _parameters({"type": "STRING", "format": "uri"}),
        "only 'enum' and 'date-time' are supported for STRING type",
    ),
    (FLASH, _declared(parameters=SCHEMA | {"required": ["b"]}), "required[0]: property is not defined"),
    (FLASH, _declared(name="1st"), "Invalid function name."),
    (FLASH, _declared(name="a" * 129), "Invalid function name."),
    (FLASH, user("Hi") | {"tools": tools("f", "f")}, "Duplicate function declaration found: f"),
    (FLASH, user("Hi") | {"tools": tools(*(f"f{n}" for n in range(513)))}, "At most 512"),
    (FLASH, user("Hi") | {"tools": [{}]}, "required one_of 'tool_type' must have one initialized field"),
    (FLASH, user("Hi") | {"toolConfig": {"functionCallingConfig": {}}}, "without function_declarations"),
    (FLASH, _calling(mode="ANY", allowedFunctionNames=["g"]), "Allowed function name g is not found"),
    (FLASH, _calling(mode="AUTO", allowedFunctionNames=["f"]), "Allowed function names should be set only"),
    (
        OLD,
        _config(responseMimeType="application/json") | {"tools": tools("f")},
        "Function calling with a response mime type",
    ),
    (
        OLD,
        _config(responseMimeType="application/json") | {"tools": [{"googleSearch": {}}]},
        "Tool use with a response mime",
    ),
    (OLD, user("Hi") | {"tools": [{"googleSearch": {}}, *tools("f")]}, "Tool use with function calling is unsupported"),
    (FLASH, user("Hi") | {"tools": [{"googleSearch": {}}, *tools("f")]}, "include_server_side_tool_invocations"),
    (OLD, user("Hi") | {"toolConfig": {"includeServerSideToolInvocations": True}}, "circulation is not enabled"),
    (
        FLASH,
        user("Hi") | {"cachedContent": "cachedContents/a", "tools": tools("f")},
        "CachedContent can not be used with",
    ),
    (FLASH, user("Hi") | {"safetySettings": [{"category": 10, "threshold": 3}] * 2}, "Duplicate safety setting"),
    ("gemma-3-27b-it", user("Hi") | {"systemInstruction": HI}, "Developer instruction is not enabled"),
]


@pytest.mark.parametrize(("body", "text"), GRAMMAR)
async def test_what_the_grammar_does_not_know_is_named(body: Json, text: str) -> None:
    one = await ask(Simulator(), FLASH, body)
    error = one.json()["error"]
    assert (one.status, error["status"]) == (400, "INVALID_ARGUMENT"), error
    assert text in error["message"]
    violations = error["details"][0]["fieldViolations"]
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert "\n".join(violation["description"] for violation in violations) == error["message"]


@pytest.mark.parametrize(("model", "body", "text"), MEANING)
async def test_what_breaks_a_rule_is_refused(model: str, body: Json, text: str) -> None:
    one = await ask(Simulator(), model, body)
    error = one.json()["error"]
    assert (one.status, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT"), error
    assert text in error["message"]


ACCEPTED: list[tuple[str, Json]] = [
    (FLASH, {"contents": HI}),
    (FLASH, {"contents": {"parts": {"text": "Hi"}}, "system_instruction": {"parts": {"text": "Be kind."}}}),
    (FLASH, user("Hi") | {"toolConfig": None, "tools": None, "safetySettings": None}),
    (FLASH, _config(topK=50.0, maxOutputTokens="100", thinkingConfig={"thinkingLevel": "hIgH"})),
    (OLDEST, _config(thinkingConfig={"thinkingBudget": 0})),
    (OLDEST, _config(presencePenalty=0.1, candidateCount=2)),
    (FLASH, _config(thinkingConfig={"thinkingBudget": 4096})),
    (FLASH, user("Hi") | {"safetySettings": [{"category": 10, "threshold": "block_none"}]}),
    (FLASH, _declared(parameters={"type": "object", "properties": {}})),
    (FLASH, _declared(parameters={"type": 6, "properties": {"a": {"type": 1}, "title": {"type": "string"}}})),
    (FLASH, _declared(description=None)),
    (FLASH, _config(responseMimeType="application/json") | {"tools": tools("f")}),
    (OLD, {"contents": [HI, CALL, HI]}),
    (OLD, {"contents": [HI, CALL, {"role": "user", "parts": [RESULT]}, {"role": "function", "parts": [RESULT]}]}),
    (OLD, {"contents": [HI, {"role": "model", "parts": [{"text": "One fine"}]}]}),
    (OLD, {"contents": [HI, HI, {"role": "user", "parts": [{"text": ""}]}]}),
    (FLASH, {"contents": [HI], "tools": [{"google_search": {}}], "generation_config": {"top_p": 0.5, "topK": 3}}),
]


@pytest.mark.parametrize(("model", "body"), ACCEPTED)
async def test_what_recordings_show_accepted_is_accepted(model: str, body: Json) -> None:
    one = await ask(Simulator(), model, body)
    assert one.status == 200, one.data


async def test_vertex_knows_its_own_fields_and_wants_roles() -> None:
    path = "/v1/projects/p/locations/global/publishers/google/models/gemini-3.5-flash:generateContent"
    labelled = exchange(path, user("Hi") | {"labels": {"team": "a"}, "tools": [{"googleSearch": {}}, *tools("f")]})
    await Simulator()(labelled)
    assert labelled.status == 200
    for body, text in (
        ({"contents": [{"parts": [{"text": "Hi"}]}]}, "Please use a valid role: user, model."),
        (user("Hi") | {"store": True}, 'Unknown name "store"'),
        (_config(temperature=3), "Unable to submit request because it has a temperature value of 3"),
    ):
        one = exchange(path, body)
        await Simulator()(one)
        assert text in one.json()["error"]["message"]


@pytest.mark.parametrize("key", ["bad-key", "bad-key-2"])
async def test_a_bad_key_is_a_400(key: str) -> None:
    error = (await ask(Simulator(), FLASH, user("Hi"), headers={"x-goog-api-key": key})).json()["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert [one["@type"].rpartition(".")[2] for one in error["details"]] == ["ErrorInfo", "LocalizedMessage"]
    assert error["details"][0]["reason"] == "API_KEY_INVALID"


async def test_no_key_is_a_403_and_no_token_a_401() -> None:
    assert (await ask(Simulator(), FLASH, user("Hi"), headers={})).json()["error"]["status"] == "PERMISSION_DENIED"
    one = exchange(f"/v1/publishers/google/models/{FLASH}:generateContent", user("Hi"), headers={})
    await Simulator()(one)
    assert one.json()["error"]["status"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("body", [b"", b"{", b"[1", b"nonsense", b"\xff\xfe{}"])
async def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    one = await ask(Simulator(), FLASH, body)
    assert one.status == 400
    assert one.json()["error"]["message"].startswith("Invalid JSON payload received.")


async def test_a_body_above_the_limit_is_refused() -> None:
    one = await ask(Simulator(max_body_bytes=1000), FLASH, user("x" * 1000))
    assert one.json()["error"]["message"] == "Request payload size exceeds the limit: 1000 bytes."


async def test_an_error_of_a_stream_is_plain_json_under_the_content_type_of_the_stream() -> None:
    one = await stream(Simulator(), FLASH, {"contents": []})
    assert one.headers["content-type"] == "text/event-stream"
    assert not one.data.startswith(b"data:")
    assert b'{\n  "error": {' in one.data
    array = await stream(Simulator(), FLASH, {"contents": []}, query="")
    assert array.json() == [one.json()]


async def test_a_path_of_no_api_is_answered_by_the_front_end() -> None:
    one = exchange("/v1beta/models/gemini-3.5-flash:dance", {})
    await Simulator()(one)
    assert (one.status, one.headers["content-type"]) == (404, "text/html; charset=UTF-8")


@pytest.mark.parametrize(
    ("verb", "body", "text"),
    [
        ("embedContent", {"content": {"parts": [{"text": ""}]}}, "content is empty"),
        (
            "embedContent",
            {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 4000},
            "output_dimensionality",
        ),
        ("batchEmbedContents", {"requests": []}, "requests is not specified"),
        ("batchEmbedContents", {"requests": [{"model": "models/other", "content": HI}]}, "requests[0].model"),
        ("embedContent", {"contents": []}, 'Unknown name "contents"'),
    ],
)
async def test_embeddings_have_rules_too(verb: str, body: Json, text: str) -> None:
    one = exchange(f"/v1beta/models/gemini-embedding-001:{verb}", body)
    await Simulator()(one)
    assert one.status == 400
    assert text in one.json()["error"]["message"]


async def test_a_refusal_is_counted() -> None:
    sim = Simulator()
    await ask(sim, FLASH, json.dumps({}).encode())
    assert (sim.stats.requests, sim.stats.refused, sim.stats.answered) == (1, 1, 0)
