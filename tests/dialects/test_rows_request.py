"""mapping.md 0, 1.3, 1.9, 1.10, 1.16: rows of a request that no other file has a table for."""

import copy
from typing import Any

import pytest

from dialects.dialect_rows import (
    GEMINI,
    NEW,
    OLD,
    Json,
    assistant,
    call,
    chat,
    codes,
    config,
    contents,
    function,
    native,
    refusal,
    rendered,
    result,
    target,
    user,
)
from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.normal import normal
from portico.core.request import OutputFormat
from portico.dialects.openai_chat.google import GENERATION_FIELDS
from portico.dialects.openai_chat.messages import MAX_MESSAGES
from portico.providers import KINDS, Provider, Verb, upstream_url
from portico.relay.strict import refuse_losses

# -- 0: transport -----------------------------------------------------------------------------------------------------

PROVIDER = Provider.at("google", KINDS["gemini"], None, ())


@pytest.mark.parametrize(
    ("verb", "method"), [(Verb.GENERATE, "generateContent"), (Verb.STREAM, "streamGenerateContent?alt=sse")]
)
def test_a_call_goes_to_the_path_of_its_model(verb: Verb, method: str) -> None:
    """0, base, model path, methods, streaming"""
    url = upstream_url(PROVIDER, PROVIDER.kind.spoken[0], "gemini-3.5-flash", verb)
    assert url == f"https://generativelanguage.googleapis.com/v1beta/models/gemini-3.5-flash:{method}"


@pytest.mark.parametrize("model", ["", "..", "a/b", "a:b", "a?b", "a#b", "a b", "a%2fb", "é", "a\n", "-a", "x" * 300])
def test_a_name_that_has_no_place_in_a_path_is_refused(model: str) -> None:
    """0, last paragraph before the request"""
    with pytest.raises(InvalidRequest):
        upstream_url(PROVIDER, PROVIDER.kind.spoken[0], model, Verb.GENERATE)


CAMEL: Json = {
    "contents": [
        {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "eA=="}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a_b": 1}}, "thoughtSignature": "-_8="}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"c_d": 2}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "s"}]},
    "generationConfig": {"topP": 0.5, "maxOutputTokens": 9, "thinkingConfig": {"thinkingBudget": 5}},
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "tools": [{"functionDeclarations": [{"name": "f"}]}],
}
SNAKE: Json = {
    "contents": [
        {"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "eA=="}}]},
        {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"a_b": 1}}, "thought_signature": "-_8="}]},
        {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"c_d": 2}}}]},
    ],
    "system_instruction": {"parts": [{"text": "s"}]},
    "generation_config": {"top_p": 0.5, "max_output_tokens": 9, "thinking_config": {"thinking_budget": 5}},
    "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
    "tools": [{"function_declarations": [{"name": "f"}]}],
}


def test_googles_fields_are_read_in_either_case() -> None:
    """0, encoding rules; names inside args and response are data"""
    camel, snake = (GEMINI.parse_request(copy.deepcopy(body), model=NEW) for body in (CAMEL, SNAKE))
    assert normal(snake) == normal(camel)


# (name of the row, part): one data member each, with what may stand beside it
PARTS: list[tuple[str, str, Json]] = [
    ("text", "user", {"text": "a"}),
    ("inlineData", "user", {"inlineData": {"mimeType": "image/png", "data": "eA==", "displayName": "x.png"}}),
    ("fileData", "user", {"fileData": {"fileUri": "gs://a/b", "mimeType": "image/png", "displayName": "x"}}),
    ("executableCode", "model", {"executableCode": {"id": "c", "language": "PYTHON", "code": "1"}}),
    ("codeExecutionResult", "model", {"codeExecutionResult": {"id": "c", "outcome": "OUTCOME_OK", "output": "1"}}),
    ("toolCall", "model", {"toolCall": {"id": "t", "toolType": "URL_CONTEXT", "args": {"a_b": [1]}}}),
    ("toolResponse", "model", {"toolResponse": {"id": "t", "toolType": "URL_CONTEXT", "response": {"a_b": 1}}}),
    ("thought", "model", {"text": "hm", "thought": True}),
    ("thoughtSignature", "model", {"text": "a", "thoughtSignature": "c2ln"}),
    (
        "videoMetadata",
        "user",
        {
            "fileData": {"fileUri": "https://youtu.be/a"},
            "videoMetadata": {"startOffset": "10s", "endOffset": "20.5s", "fps": 0.5},
        },
    ),
    (
        "mediaResolution",
        "user",
        {
            "inlineData": {"mimeType": "image/png", "data": "eA=="},
            "mediaResolution": {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"},
        },
    ),
    ("partMetadata", "user", {"text": "a", "partMetadata": {"a_b": 1}}),
]


@pytest.mark.parametrize(("name", "role", "part"), PARTS, ids=[row[0] for row in PARTS])
def test_a_part_of_googles_keeps_its_member_and_what_stands_beside_it(name: str, role: str, part: Json) -> None:
    """0, part fields; also when it is said again for Vertex AI"""
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}, {"role": role, "parts": [part]}]}
    request = GEMINI.parse_request(copy.deepcopy(body), model=NEW)
    again = GEMINI.render_request(request, target(NEW, "vertex")).body
    assert [found for content in again["contents"] for found in content["parts"]] == [{"text": "hi"}, part]


# -- 0: what one backend alone knows ----------------------------------------------------------------------------------

OFF: Json = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}
TOOLS = [function("a")]

# (google, what Vertex AI gets of it, what the Gemini API gets, path of the loss)
VERTEX_ONLY: list[tuple[Json, Json, Json, str]] = [
    ({"labels": {"a_b": "c"}}, {"labels": {"a_b": "c"}}, {}, "$.google.labels"),
    (
        {"model_armor_config": {"promptTemplateName": "x"}},
        {"modelArmorConfig": {"promptTemplateName": "x"}},
        {},
        "$.google.model_armor_config",
    ),
    ({"continuationToken": "x"}, {"continuationToken": "x"}, {}, "$.google.continuationToken"),
    (
        {"safety_settings": [{**OFF, "method": "SEVERITY"}]},
        {"safetySettings": [{**OFF, "method": "SEVERITY"}]},
        {"safetySettings": [OFF]},
        "$.google.safety_settings",
    ),
    (
        {"stream_function_call_arguments": True},
        {"toolConfig": {"functionCallingConfig": {"streamFunctionCallArguments": True}}},
        {},
        "$.google.stream_function_call_arguments",
    ),
    (
        {"image_config": {"aspect_ratio": "1:1", "image_output_options": {"mimeType": "image/png"}}},
        {"generationConfig": {"imageConfig": {"aspectRatio": "1:1", "imageOutputOptions": {"mimeType": "image/png"}}}},
        {"generationConfig": {"imageConfig": {"aspectRatio": "1:1"}}},
        "$.google.image_config",
    ),
    (
        {"generation_config": {"audio_timestamp": True, "imageConfig": {"personGeneration": "ALLOW_ALL"}}},
        {"generationConfig": {"audioTimestamp": True, "imageConfig": {"personGeneration": "ALLOW_ALL"}}},
        {},
        "$.google.generation_config",
    ),
]


@pytest.mark.parametrize(
    ("google", "vertex", "gemini", "path"), VERTEX_ONLY, ids=[row[3].rpartition(".")[2] for row in VERTEX_ONLY]
)
def test_what_vertex_alone_knows_is_not_sent_to_the_gemini_api(
    google: Json, vertex: Json, gemini: Json, path: str
) -> None:
    """0, Vertex-only list: left out and told, and what the caller said stays as it was"""
    plain = {"tools", "contents"}
    body = chat(tools=TOOLS, google=google)
    before = copy.deepcopy(body)
    done = rendered(body, kind="gemini")
    assert {name: value for name, value in done.body.items() if name not in plain} == gemini
    assert {loss.path for loss in done.losses} == {path}
    assert set(codes(done.losses)) == {"1.16:vertex_only"}
    there = rendered(body, kind="vertex")
    assert {name: value for name, value in there.body.items() if name not in plain} == vertex
    assert there.losses == []
    assert body == before


# (tool in google's spelling, the backend that knows it, what is left of it at the other)
BACKEND_TOOLS: list[tuple[Json, str, list[Json]]] = [
    ({"retrieval": {"a": 1}}, "vertex", []),
    ({"enterpriseWebSearch": {}}, "vertex", []),
    ({"parallelAiSearch": {}}, "vertex", []),
    ({"exaAiSearch": {}}, "vertex", []),
    ({"googleSearch": {"exclude_domains": ["a"]}}, "vertex", [{"googleSearch": {}}]),
    ({"googleSearch": {"blockingConfidence": "HIGH"}}, "vertex", [{"googleSearch": {}}]),
    ({"googleSearch": {"timeRangeFilter": {"a": 1}}}, "gemini", [{"googleSearch": {}}]),
    ({"fileSearch": {"topK": 1}}, "gemini", []),
    ({"mcpServers": [{"name": "x"}]}, "gemini", []),
]


@pytest.mark.parametrize(("tool", "kind", "left"), BACKEND_TOOLS, ids=[str(row[0]) for row in BACKEND_TOOLS])
def test_tools_of_one_backend_are_not_sent_to_the_other(tool: Json, kind: str, left: list[Json]) -> None:
    """0, Vertex-only and GL-only lists"""
    body = chat(google={"tools": [tool]})
    there = rendered(body, kind=kind)
    assert (there.body["tools"], there.losses) == ([tool], [])
    other, code = ("gemini", "1.16:vertex_only") if kind == "vertex" else ("vertex", "0:gemini_only")
    elsewhere = rendered(body, kind=other)
    assert elsewhere.body.get("tools", []) == left
    assert [(loss.code, loss.path) for loss in elsewhere.losses] == [(code, "$.google.tools[0]")]


def test_what_the_gemini_api_alone_knows_is_not_sent_to_vertex() -> None:
    """0, `store` and generationConfig: GL only"""
    google: Json = {"store": False, "generation_config": {"enable_enhanced_civic_answers": True, "seed": 5}}
    assert native(chat(google=google))["store"] is False
    done = rendered(chat(google=google), kind="vertex")
    assert "store" not in done.body
    assert done.body["generationConfig"] == {"seed": 5}
    assert codes(done.losses) == ["0:gemini_only"] * 2


# -- 1.3: results -----------------------------------------------------------------------------------------------------


def test_a_result_that_is_an_error_stands_under_error() -> None:
    """1.3, response value: the documented keys are `output` and `error`"""
    said = {"functionResponse": {"name": "f", "response": {"error": "no such file"}}}
    turns = [
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {"role": "user", "parts": [said]},
    ]
    request = GEMINI.parse_request({"contents": turns}, model=OLD)
    assert GEMINI.render_request(request, target(OLD)).body["contents"][2]["parts"] == [said]


RIDING = ("image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain")
FOLLOWING = ("audio/mp3", "video/mp4", "image/heic", "audio/wav")


@pytest.mark.parametrize("mime", [*RIDING, *FOLLOWING])
def test_media_of_a_result_ride_inside_it_if_google_reads_them_there(mime: str) -> None:
    """1.3, multimodal results, audio and video; 1.5, tool-result parts"""
    media = {"type": "image_url", "image_url": {"url": f"data:{mime};base64,eA=="}}
    told = contents(user("hi"), assistant(None, call("a")), result("a", [{"type": "text", "text": "see"}, media]))
    inline = {"inlineData": {"mimeType": mime, "data": "eA=="}}
    if mime in RIDING:
        assert told[2]["parts"][0]["functionResponse"]["parts"] == [inline]
        assert len(told) == 3
    else:
        assert "parts" not in told[2]["parts"][0]["functionResponse"]
        assert told[3]["parts"][1] == inline


# -- 1.4: how closely a picture is looked at --------------------------------------------------------------------------

# (details of the pictures, the resolution of the whole request)
DETAILS: list[tuple[list[str | None], str | None]] = [
    (["low", "low"], "MEDIA_RESOLUTION_LOW"),
    (["low", "auto"], None),
    (["low", None], None),
    (["low", "high"], "MEDIA_RESOLUTION_HIGH"),
    (["auto", "high", None], "MEDIA_RESOLUTION_HIGH"),
    ([None, "auto"], None),
]


@pytest.mark.parametrize(("details", "expected"), DETAILS, ids=[str(row[0]) for row in DETAILS])
def test_before_three_one_detail_holds_for_all_pictures(details: list[str | None], expected: str | None) -> None:
    """1.4, detail: HIGH if any part says so, LOW only if all do"""
    pictures = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"} | ({"detail": d} if d else {})}
        for d in details
    ]
    assert config(chat(user(pictures)), OLD) == ({"mediaResolution": expected} if expected else {})


# -- 1.9: extra_body.google -------------------------------------------------------------------------------------------

# (google in snake_case, body)
EXTENSIONS: list[tuple[Json, Json]] = [
    (
        {"thinking_config": {"thinking_level": "low", "include_thoughts": True}},
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True}}},
    ),
    ({"cached_content": "cachedContents/x"}, {"cachedContent": "cachedContents/x"}),
    ({"safety_settings": [OFF]}, {"safetySettings": [OFF]}),
    (
        {"tools": [{"google_search": {}}, {"code_execution": {}}, {"url_context": {}}]},
        {"tools": [{"googleSearch": {}}, {"codeExecution": {}}, {"urlContext": {}}]},
    ),
    (
        {"media_resolution": "MEDIA_RESOLUTION_LOW"},
        {"generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"}},
    ),
    (
        {"generation_config": {"temperature": 0.1, "response_modalities": ["IMAGE"]}},
        {"generationConfig": {"temperature": 0.1, "responseModalities": ["IMAGE"]}},
    ),
    ({"aspect_ratio": "16:9"}, {"generationConfig": {"imageConfig": {"aspectRatio": "16:9"}}}),
    (
        {"aspect_ratio": "16:9", "image_config": {"image_size": "2K"}},
        {"generationConfig": {"imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"}}},
    ),
    ({"store": True}, {"store": True}),
]


def respelt(google: Json) -> Json:
    """The same with every key of Google's in camelCase."""

    def camel(name: str) -> str:
        head, *tail = name.split("_")
        return head + "".join([word.title() for word in tail])

    def inner(value: Any) -> Any:
        if isinstance(value, dict):
            return {camel(name): inner(item) for name, item in value.items()}
        return [inner(item) for item in value] if isinstance(value, list) else value

    made: Json = inner(google)
    return made


@pytest.mark.parametrize("respell", [dict, respelt], ids=["snake_case", "camelCase"])
@pytest.mark.parametrize(("google", "expected"), EXTENSIONS, ids=["+".join(row[0]) for row in EXTENSIONS])
def test_what_is_said_to_google_reaches_it_however_it_is_nested(google: Json, expected: Json, respell: Any) -> None:
    """1.9: extra_body.google, google, and double nesting; either case of keys"""
    said = respell(google)
    for body in (
        chat(google=said),
        chat(extra_body={"google": said}),
        chat(extra_body={"extra_body": {"google": said}}),
    ):
        done = rendered(body)
        assert {name: value for name, value in done.body.items() if name != "contents"} == expected
        assert done.losses == []


def test_generation_config_of_the_caller_wins() -> None:
    """1.9, generation_config: merged last"""
    assert config(chat(temperature=1, top_p=0.5, google={"generation_config": {"temperature": 0.1}})) == {
        "temperature": 0.1,
        "topP": 0.5,
    }


def test_googles_tools_are_appended_to_the_callers() -> None:
    """1.9, tools"""
    told = native(chat(tools=TOOLS, google={"tools": [{"url_context": {}}]}))["tools"]
    assert told == [{"functionDeclarations": [{"name": "a"}]}, {"urlContext": {}}]


@pytest.mark.parametrize("name", sorted(GENERATION_FIELDS - {"thinkingConfig", "imageConfig", "responseMimeType"}))
def test_every_field_of_generation_config_goes_on(name: str) -> None:
    """0, generationConfig fields"""
    kind = "gemini" if name in ("enableEnhancedCivicAnswers", "translationConfig") else "vertex"
    assert config(chat(google={"generation_config": {name: 1}}), kind=kind) == {name: 1}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"google": {"sefety_settings": []}}, "$.google.sefety_settings"),
        ({"extra_body": {"google": {"cachedContents": "x"}}}, "$.extra_body.google.cachedContents"),
        ({"google": {"thinking_config": {"budget": 5}}}, "$.google.thinking_config.budget"),
        ({"google": {"generation_config": {"topp": 5}}}, "$.google.generation_config.topp"),
        ({"extra_body": {"gogle": {}}}, "$.extra_body.gogle"),
    ],
)
def test_a_key_google_does_not_know_is_a_400_that_names_it(fields: Json, path: str) -> None:
    """1.9, last line"""
    assert refusal(chat(**fields)).param == path


def test_extras_seen_in_the_wild_are_understood_at_the_top() -> None:
    """1.1, extra"""
    extras: Json = {
        "safety_settings": [OFF],
        "cached_content": "cachedContents/x",
        "image_config": {"aspect_ratio": "1:1"},
        "include_reasoning": True,
    }
    done = rendered(chat(**extras))
    assert done.body["safetySettings"] == [OFF]
    assert done.body["cachedContent"] == "cachedContents/x"
    assert done.body["generationConfig"] == {
        "imageConfig": {"aspectRatio": "1:1"},
        "thinkingConfig": {"includeThoughts": True},
    }
    assert done.losses == []


# -- 1.10: formats ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["schema", "response_schema"])
def test_an_older_spelling_of_a_schema_is_understood(key: str) -> None:
    """1.10, legacy keys"""
    told = config(chat(response_format={"type": "json_object", key: {"type": "object"}}))
    assert told == {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}}


@pytest.mark.parametrize("model", ["gemini-3-pro-image", "gemini-2.5-flash-image", "gemini-3.8-flash-tts"])
def test_models_that_draw_or_speak_are_sent_no_format(model: str) -> None:
    """1.10, image and TTS models"""
    done = rendered(chat(response_format={"type": "json_object"}), model)
    assert "responseMimeType" not in done.body.get("generationConfig", {})
    assert codes(done.losses) == ["1.10:format"]


X: Json = {"type": "object", "properties": {"a_b": {"type": "string"}}}
FORMAT: Json = {"type": "json_schema", "json_schema": {"name": "x", "schema": X}}
MAPS: Json = {"tools": [{"google_maps": {}}]}

AT = "$.generationConfig.responseFormat.text.schema"

# (fields, generationConfig, what it is read as)
BESIDE_MAPS: list[tuple[Json, Json, OutputFormat | None]] = [
    (
        {"response_format": FORMAT},
        {"responseFormat": {"text": {"mimeType": "APPLICATION_JSON", "schema": X}}},
        OutputFormat("json_schema", X, schema_at=AT, enforced=True),
    ),
    (
        {"response_format": {"type": "json_object"}},
        {"responseFormat": {"text": {"mimeType": "APPLICATION_JSON"}}},
        OutputFormat("json"),
    ),
    ({}, {}, None),
]


@pytest.mark.parametrize(("fields", "expected", "read"), BESIDE_MAPS, ids=["schema", "no schema", "no format"])
def test_beside_google_maps_a_format_is_spelt_in_another_way(
    fields: Json, expected: Json, read: OutputFormat | None
) -> None:
    """1.10, JSON + googleSearch etc.: and it is understood when it comes so"""
    body = chat(**fields, **MAPS)
    assert config(body) == expected
    assert GEMINI.parse_request(native(body), model=NEW).output == read


def test_a_strict_call_is_refused_for_what_a_schema_cannot_say() -> None:
    """1.11, not, if/then/else …: dropped and told; in a strict call a 400 with the path"""
    schema = {"type": "object", "properties": {"a": {"type": "string", "not": {"const": "x"}}}}
    losses = rendered(chat(tools=[function("a", parameters=schema)])).losses
    assert codes(losses) == ["1.11:schema"]
    with pytest.raises(UnsupportedParameter) as caught:
        refuse_losses(losses)
    assert caught.value.param == "$.tools[0].function.parameters.properties.a.not"


@pytest.mark.parametrize("name", ["response_schema", "responseJsonSchema"])
def test_an_answer_may_be_one_bare_word_of_a_list(name: str) -> None:
    """1.10, enum output"""
    words = {"type": "string", "enum": ["a", "b"]}
    google = {"generation_config": {"response_mime_type": "text/x.enum", name: words}}
    assert config(chat(google=google)) == {"responseMimeType": "text/x.enum", "responseJsonSchema": words}


# -- 1.13, 1.16 -------------------------------------------------------------------------------------------------------


def test_a_calling_config_among_no_tools_is_left_out_whoever_made_it() -> None:
    """1.13: also one that came by way of `google`"""
    google = {"tool_config": {"functionCallingConfig": {"mode": "ANY"}, "retrievalConfig": {"languageCode": "de"}}}
    done = rendered(chat(google=google))
    assert done.body["toolConfig"] == {"retrievalConfig": {"languageCode": "de"}}
    assert codes(done.losses) == ["1.13:choice"]


@pytest.mark.parametrize("place", ["google", "top"])
def test_a_safety_category_set_twice_is_a_400(place: str) -> None:
    """1.16"""
    twice = {"safety_settings": [OFF, {"category": "HARM_CATEGORY_HATE_SPEECH"}, OFF]}
    path = "$.google.safety_settings" if place == "google" else "$.safety_settings"
    assert refusal(chat(**({"google": twice} if place == "google" else twice))).param == f"{path}[2].category"


def test_more_messages_than_any_model_takes_are_refused_before_they_are_read() -> None:
    """1.1 messages: what only costs time is cut short"""
    error = refusal(chat(*[user("x")] * (MAX_MESSAGES + 1)))
    assert error.param == "$.messages"
