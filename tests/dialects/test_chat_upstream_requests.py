"""What OpenAI and the servers that speak its dialect are asked, for callers of any dialect."""

from typing import Any

import pytest

from portico.catalog import load_catalog
from portico.core.errors import UnsupportedParameter
from portico.core.parts import Media, Opaque, Reasoning, Signature, Text, ToolCall, ToolResult
from portico.core.request import (
    FREE_TEXT,
    Builtin,
    Message,
    OutputFormat,
    Request,
    Role,
    Sampling,
    Speech,
    Thinking,
    Tool,
    ToolChoice,
)
from portico.core.target import COMPATIBLE, UNJUDGED, Capabilities, Target
from portico.dialects.openai_chat import DIALECT
from portico.relay.learned import narrowed

CATALOG = load_catalog()


def at_openai(model: str) -> Target:
    return Target(model, "openai", CATALOG.capabilities_for(model, "openai"))


GPT_41 = at_openai("gpt-4.1")
GPT_5 = at_openai("gpt-5-mini")
GPT_51 = at_openai("gpt-5.1")
GPT_54 = at_openai("gpt-5.4")
O4 = at_openai("o4-mini")
SEARCHING = at_openai("gpt-5-search-api")
STRANGER = Target("some-model", "openai-compatible", COMPATIBLE)
OWN = Target("gpt-x", "openai", UNJUDGED, own=True)

HELLO = Message(Role.USER, (Text("Hi"),), at=0)
LOOK = Tool("look", "Looks.", {"type": "object", "properties": {}}, at=0)
CALL = ToolCall("call_1", "look", '{"at":1}')
PNG = Media("image/png", data="iVBO")
SIGNED = Signature("google", "c2lnbg==")


def asked(*messages: Message, **fields: Any) -> Request:
    return Request(model="m", messages=messages or (HELLO,), **fields)


def sent(request: Request, target: Target) -> tuple[dict[str, Any], list[str]]:
    """The body but for its model, and the codes of what was lost."""
    rendered = DIALECT.render_request(request, target)
    body = dict(rendered.body)
    assert body.pop("model") == target.model
    return body, [loss.code for loss in rendered.losses]


def settings(request: Request, target: Target) -> tuple[dict[str, Any], list[str]]:
    body, losses = sent(request, target)
    del body["messages"]
    return body, losses


def said(target: Target, *messages: Message, **fields: Any) -> list[dict[str, Any]]:
    return list(sent(asked(*messages, **fields), target)[0]["messages"])


# -- sampling and limits ---------------------------------------------------------------------------------------------

WARM = Sampling(temperature=0.5, top_p=0.9, top_k=4)
HARD = Thinking(effort="high")


@pytest.mark.parametrize(
    ("target", "sampling", "thinking", "body", "losses"),
    [
        (GPT_41, WARM, Thinking(), {"temperature": 0.5, "top_p": 0.9}, ["1.1:sampling"]),
        (GPT_5, WARM, Thinking(), {}, ["1.1:sampling"] * 3),
        (
            GPT_5,
            Sampling(temperature=1, top_p=1, top_k=1),
            Thinking(),
            {"temperature": 1, "top_p": 1},
            ["1.1:sampling"],
        ),
        (narrowed(GPT_5, frozenset({"sampling"})), Sampling(temperature=1), Thinking(), {}, ["1.1:sampling"]),
        (GPT_51, Sampling(top_p=0.9), Thinking(), {"top_p": 0.9}, []),
        (GPT_51, Sampling(top_p=0.9), HARD, {"reasoning_effort": "high"}, ["1.1:sampling"]),
        (STRANGER, WARM, Thinking(), {"temperature": 0.5, "top_p": 0.9, "top_k": 4}, []),
        (GPT_41, Sampling(max_tokens=9), Thinking(), {"max_completion_tokens": 9}, []),
        (STRANGER, Sampling(max_tokens=9), Thinking(), {"max_tokens": 9}, []),
        (GPT_41, Sampling(max_tokens=10**6), Thinking(), {"max_completion_tokens": 32_768}, ["1.1:max_tokens"]),
        (GPT_41, Sampling(stop=("a", "", "b")), Thinking(), {"stop": ["a", "b"]}, []),
        (GPT_41, Sampling(stop=tuple("abcde")), Thinking(), {"stop": list("abcd")}, ["7.1:chat_stop"]),
        (GPT_5, Sampling(stop=("a",)), Thinking(), {}, ["7.1:chat_stop"]),
        (GPT_5, Sampling(presence_penalty=1, frequency_penalty=0), Thinking(), {}, ["1.1:penalties"]),
        (GPT_41, Sampling(presence_penalty=2.0), Thinking(), {"presence_penalty": 2.0}, []),
        (GPT_41, Sampling(seed=2**40, n=3), Thinking(), {"seed": 2**40, "n": 3}, []),
        (GPT_41, Sampling(n=1, logprobs=False), Thinking(), {}, []),
        (GPT_41, Sampling(logprobs=True, top_logprobs=2), Thinking(), {"logprobs": True, "top_logprobs": 2}, []),
        (GPT_41, Sampling(top_logprobs=2), Thinking(), {}, ["1.1:logprobs"]),
        (GPT_51, Sampling(logprobs=True), HARD, {"reasoning_effort": "high"}, ["1.1:logprobs"]),
    ],
)
def test_a_model_is_sent_what_it_takes(
    target: Target, sampling: Sampling, thinking: Thinking, body: dict[str, Any], losses: list[str]
) -> None:
    assert settings(asked(sampling=sampling, thinking=thinking), target) == (body, losses)


def test_what_an_answer_would_lack_is_refused() -> None:
    with pytest.raises(UnsupportedParameter, match="logprobs"):
        sent(asked(sampling=Sampling(logprobs=True)), GPT_5)
    with pytest.raises(UnsupportedParameter, match="functions"):
        sent(asked(tools=(LOOK,)), Target("m", "openai", Capabilities(tools=False)))


@pytest.mark.parametrize(
    ("target", "thinking", "effort", "losses"),
    [
        (GPT_41, Thinking(), None, []),
        (GPT_41, HARD, None, ["1.7:none"]),
        (GPT_5, HARD, "high", []),
        (GPT_5, Thinking(effort="none"), "minimal", ["1.7:thinking"]),
        (GPT_5, Thinking(effort="xhigh"), "high", ["1.7:thinking"]),
        (GPT_5, Thinking(level="low"), "low", ["1.7:thinking"]),
        (GPT_5, Thinking(budget=0), "minimal", ["1.7:thinking"]),
        (GPT_5, Thinking(budget=-1), None, ["1.7:thinking"]),
        (GPT_5, Thinking(budget=1024), "low", ["1.7:thinking"]),
        (GPT_5, Thinking(budget=8192), "medium", ["1.7:thinking"]),
        (GPT_5, Thinking(budget=24_576, show=True), "high", ["7.1:show", "1.7:thinking"]),
        (GPT_51, Thinking(budget=0), "none", ["1.7:thinking"]),
        (O4, Thinking(effort="minimal"), "low", ["1.7:thinking"]),
        (STRANGER, Thinking(effort="minimal"), "minimal", []),
        (STRANGER, Thinking(budget=100), "low", ["1.7:thinking"]),
    ],
)
def test_thinking_is_asked_for_as_an_effort_that_the_model_has(
    target: Target, thinking: Thinking, effort: str | None, losses: list[str]
) -> None:
    body = {} if effort is None else {"reasoning_effort": effort}
    assert settings(asked(thinking=thinking), target) == (body, losses)


def test_a_model_that_thinks_or_calls_functions_calls_functions() -> None:
    body, losses = settings(asked(tools=(LOOK,), thinking=HARD), GPT_54)
    assert (body["reasoning_effort"], losses) == ("none", ["1.7:thinking"])


def test_a_stream_is_asked_for_its_counts_whatever_the_caller_wants() -> None:
    wanted = {"stream": True, "stream_options": {"include_usage": True}}
    for target in (GPT_5, STRANGER, OWN):
        assert settings(asked(stream=True), target) == (wanted, [])


@pytest.mark.parametrize(
    ("target", "tier", "body", "losses"),
    [
        (GPT_5, "flex", {"service_tier": "flex"}, []),
        (GPT_5, "fast", {"service_tier": "priority"}, []),
        (GPT_5, "batch", {}, ["7.1:chat_tier"]),
        (OWN, "new", {"service_tier": "new"}, []),
    ],
)
def test_a_tier_is_said_in_openais_words(target: Target, tier: str, body: dict[str, Any], losses: list[str]) -> None:
    assert settings(asked(service_tier=tier), target) == (body, losses)


@pytest.mark.parametrize(
    ("target", "ext", "body", "losses"),
    [
        (GPT_5, {"openai_chat": {"verbosity": "low", "store": True}}, {"verbosity": "low", "store": True}, []),
        (GPT_41, {"openai_chat": {"verbosity": "low"}}, {}, ["1.1:unsupported"]),
        (GPT_5, {"openai_responses": {"prompt_cache_key": "k"}}, {"prompt_cache_key": "k"}, []),
        (GPT_5, {"openai_responses": {"truncation": "auto"}}, {}, ["1.1:unsupported"]),
        (GPT_5, {"gemini": {"safetySettings": []}}, {}, ["1.1:unsupported"]),
        (STRANGER, {"gemini": {"cachedContent": "x"}}, {}, ["1.1:unsupported"]),
    ],
)  # fmt: skip
def test_fields_that_nobody_there_knows_are_left_out(
    target: Target, ext: dict[str, dict[str, Any]], body: dict[str, Any], losses: list[str]
) -> None:
    assert settings(asked(ext=ext), target) == (body, losses)


# -- what was refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "request_", "before", "after"),
    [
        ("max_tokens_field", asked(sampling=Sampling(max_tokens=9)), {"max_tokens": 9}, {"max_completion_tokens": 9}),
        ("stop", asked(sampling=Sampling(stop=("a",))), {"stop": ["a"]}, {}),
        ("sampling", asked(sampling=Sampling(temperature=1)), {"temperature": 1}, {}),
        ("penalties", asked(sampling=Sampling(presence_penalty=1)), {"presence_penalty": 1}, {}),
        ("seed", asked(sampling=Sampling(seed=1)), {"seed": 1}, {}),
        ("logprobs", asked(sampling=Sampling(logprobs=True)), {"logprobs": True}, {}),
        ("thinking", asked(thinking=HARD), {"reasoning_effort": "high"}, {}),
        ("service_tier", asked(service_tier="flex"), {"service_tier": "flex"}, {}),
        ("verbosity", asked(ext={"openai_chat": {"verbosity": "low"}}), {"verbosity": "low"}, {}),
        (
            "stream_options",
            asked(stream=True),
            {"stream": True, "stream_options": {"include_usage": True}},
            {"stream": True},
        ),
    ],
)
def test_what_a_server_refuses_is_left_out_the_next_time(
    field: str, request_: Request, before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert settings(request_, STRANGER)[0] == before
    assert settings(request_, narrowed(STRANGER, frozenset({field})))[0] == after


def test_a_role_that_is_refused_is_the_other_one() -> None:
    system = Message(Role.SYSTEM, (Text("Be brief."),))
    for target, role, other in ((GPT_5, "developer", "system"), (GPT_41, "system", "developer")):
        assert said(target, system)[0]["role"] == role
        assert said(narrowed(target, frozenset({"system_role"})), system)[0]["role"] == other


# -- messages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "roles"),
    [
        (GPT_41, ["system", "user", "system"]),
        (GPT_5, ["developer", "user", "developer"]),
        (STRANGER, ["system", "user", "system"]),
        (OWN, ["system", "user", "developer"]),
        (Target("m", "openai", Capabilities()), ["system", "system", "user"]),
    ],
)
def test_instructions_have_the_role_and_the_place_that_the_model_knows(target: Target, roles: list[str]) -> None:
    messages = (Message(Role.SYSTEM, (Text("A"),)), HELLO, Message(Role.DEVELOPER, (Text("B"),)))
    assert [message["role"] for message in said(target, *messages)] == roles


@pytest.mark.parametrize(
    ("part", "wire"),
    [
        (PNG, {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}),
        (
            Media("image/jpeg", uri="https://a.example/x", detail="low"),
            {"type": "image_url", "image_url": {"url": "https://a.example/x", "detail": "low"}},
        ),
        (Media("audio/wav", data="UklG"), {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}),
        (Media("audio/mpeg", data="SUQz"), {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}}),
        (
            Media("application/pdf", data="JVBE", name="a.pdf"),
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
        ),
        (
            Media("application/pdf", data="JVBE"),
            {"type": "file", "file": {"filename": "file.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
        ),
        (Media(None, uri="file-abc"), {"type": "file", "file": {"file_id": "file-abc"}}),
        (
            Media("video/mp4", uri="https://a.example/x.mp4"),
            {"type": "video_url", "video_url": {"url": "https://a.example/x.mp4"}},
        ),
    ],
)
def test_files_are_sent_in_the_forms_that_chat_takes(part: Media, wire: dict[str, Any]) -> None:
    body, losses = sent(asked(Message(Role.USER, (Text("See"), part))), GPT_41)
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "See"}, wire]}]
    assert losses == []


def test_a_detail_that_chat_has_no_word_for_is_lost() -> None:
    media = Media("image/png", data="iVBO", detail="ultra_high")
    body, losses = sent(asked(Message(Role.USER, (media,))), GPT_41)
    assert "detail" not in body["messages"][0]["content"][0]["image_url"]
    assert losses == ["1.4:detail"]


def test_pictures_of_results_follow_the_last_result_labelled() -> None:
    calls = (CALL, ToolCall("call_2", "look", "{}"))
    results = [
        Message(Role.USER, (ToolResult("call_1", "look", (PNG,)),)),
        Message(Role.USER, (ToolResult("call_2", "look", (Text("two"), PNG, PNG), is_error=True),)),
    ]
    messages = said(GPT_5, HELLO, Message(Role.ASSISTANT, calls), *results, Message(Role.USER, (Text("Well?"),)))
    assert messages[2:4] == [
        {"role": "tool", "tool_call_id": "call_1", "content": "See file result-1-1."},
        {"role": "tool", "tool_call_id": "call_2", "content": "Error: two"},
    ]
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}
    labels = [{"type": "text", "text": f"This is file result-{name}:"} for name in ("1-1", "2-1", "2-2")]
    content = [labels[0], image, labels[1], image, labels[2], image, {"type": "text", "text": "Well?"}]
    assert messages[4:] == [{"role": "user", "content": content}]
    ends = said(GPT_5, HELLO, Message(Role.ASSISTANT, calls[:1]), results[0])
    assert ends[3:] == [{"role": "user", "content": [labels[0], image]}]


def test_a_picture_that_the_assistant_made_is_shown_by_the_user() -> None:
    messages = said(GPT_5, HELLO, Message(Role.ASSISTANT, (Text("Here"), PNG)), HELLO)
    assert messages[1] == {"role": "assistant", "content": "Here"}
    assert [part["type"] for part in messages[2]["content"]] == ["text", "image_url", "text"]


@pytest.mark.parametrize("target", [GPT_41, GPT_5, STRANGER, OWN], ids=lambda target: str(target.model))
def test_no_thought_and_no_signature_leaves_the_house(target: Target) -> None:
    parts = (
        Reasoning("Hm", Signature("anthropic", "c2VhbA==")),
        Reasoning("", Signature("openai", "c2VhbA=="), redacted=True),
        Text("So", SIGNED, {"gemini": {"thought": False}}),
        ToolCall("call_1", "look", "{}", signature=SIGNED, ext={"gemini": {"functionCall": {}}}),
        Opaque("gemini", {"executableCode": {}}),
    )
    result = Message(Role.USER, (ToolResult("call_1", "look", (Text("ok"),), ext={"gemini": {"x": 1}}),))
    body, losses = sent(asked(HELLO, Message(Role.ASSISTANT, parts), result, tools=(LOOK,)), target)
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    assert body["messages"][1:] == [
        {"role": "assistant", "content": "So", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "ok"},
    ]
    assert sorted(set(losses)) == ["1.2:opaque", "1.3:result_ext", "2.4:foreign_signature", "7.4:thoughts"]


def test_thoughts_are_given_back_within_a_turn_to_whoever_wants_them() -> None:
    able = Capabilities(thoughts_back="reasoning_content", mid_system=True)
    thought = Message(Role.ASSISTANT, (Reasoning("Hm"), CALL))
    result = Message(Role.USER, (ToolResult("call_1", "look", (Text("ok"),)),))
    messages = said(Target("m", "openai-compatible", able), HELLO, thought, result, HELLO, thought, result, thought)
    told = [message.get("reasoning_content") for message in messages if message["role"] == "assistant"]
    assert told == [None, "Hm", "Hm"]


def test_ids_are_short_and_pair_calls_with_results() -> None:
    long = "toolu_" + "x" * 60
    call, result = ToolCall(long, "look", ""), ToolResult(long, "look", (Text("ok"),))
    messages = said(GPT_5, HELLO, Message(Role.ASSISTANT, (call,)), Message(Role.USER, (result,)))
    (made,) = messages[1]["tool_calls"]
    assert len(made["id"]) <= 40
    assert made["id"] == messages[2]["tool_call_id"] != long
    assert made["function"]["arguments"] == "{}"


def test_nothing_to_say_is_said_as_nothing() -> None:
    assert said(GPT_5, Message(Role.USER, (Text(""), Text("")))) == [{"role": "user", "content": ""}]
    assert said(GPT_5, HELLO, Message(Role.ASSISTANT, ()))[1] == {"role": "assistant", "content": ""}
    body, losses = sent(asked(Message(Role.USER, (Text("Hi"),), name="Jane Doe")), GPT_5)
    assert (body["messages"], losses) == ([{"role": "user", "content": "Hi"}], ["1.2:name"])


# -- tools -----------------------------------------------------------------------------------------------------------


def test_a_name_that_would_be_refused_goes_by_another_and_comes_back() -> None:
    names = ["files.read", "files:read", "files_read", "x" * 70, "Wetter für"]
    tools = tuple([Tool(name, at=at) for at, name in enumerate(names)])
    history = Message(Role.ASSISTANT, (ToolCall("call_1", "files:read", "{}"), ToolCall("call_2", "gone.by", "{}")))
    rendered = DIALECT.render_request(
        asked(HELLO, history, tools=tools, tool_choice=ToolChoice("required", (names[0],))), GPT_5
    )
    wire = [tool["function"]["name"] for tool in rendered.body["tools"]]
    assert wire == ["files_read_2", "files_read_3", "files_read", "x" * 64, "Wetter_f_r"]
    assert dict(rendered.tool_names) == {w: n for w, n in zip(wire, names, strict=True) if w != n}
    called = [call["function"]["name"] for call in rendered.body["messages"][1]["tool_calls"]]
    assert called == ["files_read_3", "gone_by"]
    assert rendered.body["tool_choice"] == {"type": "function", "function": {"name": "files_read_2"}}


GRAMMAR = {"type": "grammar", "grammar": {"syntax": "regex", "definition": "a+"}}
GREP = Tool("grep", "Finds.", kind="custom", ext={"openai_chat": {"format": GRAMMAR}})


def test_a_tool_that_takes_free_text_is_a_function_where_there_are_no_others() -> None:
    history = Message(Role.ASSISTANT, (ToolCall("call_1", "grep", "aa", kind="custom"),))
    request = asked(HELLO, history, tools=(GREP,), tool_choice=ToolChoice("required", ("grep",)))
    body, losses = sent(request, GPT_5)
    assert body["tools"][0]["custom"]["format"]["grammar"]["definition"] == "a+"
    assert body["messages"][1]["tool_calls"][0] == {
        "id": "call_1",
        "type": "custom",
        "custom": {"name": "grep", "input": "aa"},
    }
    assert body["tool_choice"] == {"type": "custom", "custom": {"name": "grep"}}
    assert losses == []
    body, losses = sent(request, STRANGER)
    function = body["tools"][0]["function"]
    assert function["parameters"] == FREE_TEXT
    assert function["description"] == "Finds.\n\nThe input has to match this grammar:\nregex\na+"
    assert body["messages"][1]["tool_calls"][0]["function"] == {"name": "grep", "arguments": '{"input":"aa"}'}
    assert body["tool_choice"] == {"type": "function", "function": {"name": "grep"}}
    assert losses == ["1.12:grammar"]


OTHER = Tool("other", at=1)
NAMED = {"type": "function", "function": {"name": "look"}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}


@pytest.mark.parametrize(
    ("target", "choice", "wire", "declared", "losses"),
    [
        (GPT_5, ToolChoice("none"), "none", 2, []),
        (GPT_5, ToolChoice("validated"), "auto", 2, ["1.12:validated"]),
        (GPT_5, ToolChoice("required", ("look",)), {"type": "function", "function": {"name": "look"}}, 2, []),
        (
            GPT_5,
            ToolChoice("validated", ("look",)),
            ALLOWED,
            2,
            [],
        ),
        (STRANGER, ToolChoice("validated", ("look",)), "auto", 1, []),
        (STRANGER, ToolChoice("required", ("look", "other")), "required", 2, []),
        (Target("m", "openai", Capabilities(forced_tools=False)), ToolChoice("required"), "auto", 2, ["1.13:choice"]),
    ],
)  # fmt: skip
def test_a_choice_is_said_in_words_that_the_server_has(
    target: Target, choice: ToolChoice, wire: Any, declared: int, losses: list[str]
) -> None:
    body, told = settings(asked(tools=(LOOK, OTHER), tool_choice=choice), target)
    assert (body["tool_choice"], len(body["tools"]), told) == (wire, declared, losses)


def test_without_functions_nothing_is_said_of_them() -> None:
    request = asked(tool_choice=ToolChoice("required"), parallel_tool_calls=False)
    assert settings(request, GPT_5) == ({}, ["1.13:choice"])


def test_a_model_without_a_switch_for_parallel_calls_is_told_in_words() -> None:
    body, losses = sent(asked(tools=(LOOK,), parallel_tool_calls=False), O4)
    assert body["messages"][0] == {"role": "developer", "content": "Call at most one function at a time."}
    assert ("parallel_tool_calls" in body, losses) == (False, ["1.13:parallel"])
    assert settings(asked(tools=(LOOK,), parallel_tool_calls=False), GPT_5)[0]["parallel_tool_calls"] is False


def test_strict_is_said_until_it_is_refused() -> None:
    request = asked(tools=(Tool("look", strict=True, at=0),))
    assert settings(request, STRANGER)[0]["tools"][0]["function"] == {"name": "look", "strict": True}
    body, losses = settings(request, narrowed(STRANGER, frozenset({"strict"})))
    assert (body["tools"][0]["function"], losses) == ({"name": "look"}, ["1.12:strict"])


def test_the_providers_own_tools_are_searched_for_where_there_are_any() -> None:
    tools = (
        Builtin("web_search", ext={"openai_chat": {"search_context_size": "low"}}),
        Builtin("code_execution", at=1),
    )
    assert settings(asked(builtins=tools), GPT_5) == ({}, ["7.1:builtin"] * 2)
    body, losses = settings(asked(builtins=tools), SEARCHING)
    assert (body, losses) == ({"web_search_options": {"search_context_size": "low"}}, ["7.1:builtin"])


# -- what the answer shall be ----------------------------------------------------------------------------------------

SHAPE = {"type": "object", "properties": {"a": {"type": "string"}}}


def test_a_schema_is_held_to_where_the_model_can_be() -> None:
    output = OutputFormat("json_schema", SHAPE, strict=True, name="shape")
    told = {"type": "json_schema", "json_schema": {"name": "shape", "strict": True, "schema": SHAPE}}
    for target in (GPT_5, STRANGER, OWN):
        assert settings(asked(output=output), target) == ({"response_format": told}, [])
    body, losses = sent(asked(output=output), at_openai("gpt-4-turbo"))
    assert body["response_format"] == {"type": "json_object"}
    assert "JSON Schema" in body["messages"][0]["content"]
    assert losses == ["1.10:format"]


def test_any_json_is_asked_for_with_the_word_that_openai_wants() -> None:
    body, losses = sent(asked(output=OutputFormat("json")), GPT_5)
    assert body["response_format"] == {"type": "json_object"}
    assert (body["messages"][0]["role"], "JSON" in body["messages"][0]["content"], losses) == ("developer", True, [])
    spoken = said(GPT_5, Message(Role.USER, (Text("Give me json"),)), output=OutputFormat("json"))
    assert len(spoken) == 1
    assert said(OWN, HELLO, output=OutputFormat("json")) == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    "output",
    [
        OutputFormat("enum", {"type": "string", "enum": ["a"]}),
        OutputFormat("json_schema", {"type": "array", "items": {}}),
    ],
)
def test_what_is_no_object_is_asked_for_in_words(output: OutputFormat) -> None:
    body, losses = sent(asked(output=output), GPT_5)
    assert ("response_format" in body, losses) == (False, ["1.10:format"])
    assert "JSON Schema" in body["messages"][0]["content"]


def test_speech_is_asked_of_models_that_speak() -> None:
    request = asked(modalities=("text", "audio"), speech=Speech("alloy", "wav"))
    spoken = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
    assert settings(request, at_openai("gpt-audio")) == (spoken, [])
    assert settings(request, GPT_5) == ({}, ["7.1:chat_modalities", "1.15:speech"])
    assert [loss.path for loss in DIALECT.render_request(request, GPT_5).losses] == ["$.modalities", "$.audio"]
    assert settings(asked(modalities=("text", "image")), GPT_5) == ({}, ["7.1:chat_modalities"])


def test_a_caller_of_this_dialect_is_judged_by_the_provider() -> None:
    body = {
        "model": "a",
        "messages": [{"role": "developer", "content": "x"}, {"role": "user", "content": "y", "new": 1}],
        "max_tokens": 7,
        "temperature": 2,
        "stop": list("abcdef"),
        "reasoning_effort": "max",
        "n": 1,
        "new_field": {"x": 1.5},
        "service_tier": "scale",
        "parallel_tool_calls": True,
        "tools": [{"type": "function", "function": {"name": "look", "strict": True}}],
        "tool_choice": "required",
        "response_format": {"type": "json_object"},
    }
    rendered = DIALECT.render_request(DIALECT.parse_request(body), OWN)
    assert (rendered.body, rendered.losses) == ({**body, "model": "gpt-x"}, [])


@pytest.mark.parametrize("lost", [Reasoning("hm"), Opaque("gemini", {"toolCall": {}}), PNG])
def test_a_turn_of_which_nothing_is_left_is_no_turn(lost: Any) -> None:
    """1.2: one without content and calls is a 400 at servers of the dialect; that the caller sent as empty stays so."""
    turn = Message(Role.ASSISTANT, (lost,), at=1)
    assert [one["role"] for one in said(GPT_41, HELLO, turn, HELLO)][:2] == ["user", "user"]
    assert said(GPT_41, HELLO, Message(Role.ASSISTANT, (), at=1))[1] == {"role": "assistant", "content": ""}
    assert [one["role"] for one in said(GPT_41, Message(Role.USER, (Opaque("gemini", {"x": 1}),), at=0))] == ["user"]


def test_a_format_that_is_only_named_stays_so_for_who_named_it() -> None:
    """`json_object` in its place is a 400 where no message speaks of JSON."""
    body, losses = settings(asked(output=OutputFormat("json", name="n")), OWN)
    assert (body, losses) == ({"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}}, [])
    body, losses = settings(asked(output=OutputFormat("json")), OWN)
    assert (body, losses) == ({"response_format": {"type": "json_object"}}, [])
