"""Bodies of POST /v1/responses, read and written (mapping.md 7.1, 7.4, 7.5; clients.md 2 and 4)."""

import copy
import json
from typing import Any

import pytest
from msgspec.structs import replace

from dialects.responses_bodies import CODEX, CODEX_PROGRAMS, OPENCLAW, SHELL
from portico.catalog import load_catalog
from portico.core.dialect import Rendered
from portico.core.envelope import wrapped
from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.parts import Media, Opaque, Reasoning, Signature, Text, ToolCall, ToolResult
from portico.core.request import Request, Role, ToolChoice
from portico.core.target import UNJUDGED, Target
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.dialects.openai.strictness import fits_strict

PARSE = openai_responses.DIALECT.parse_request


def model(name: str, kind: str = "openai") -> Target:
    return Target(name, kind, load_catalog().capabilities_for(name, kind))


def parsed(**fields: Any) -> Request:
    return PARSE({"model": "m", "input": "Hi", **fields})


def rendered(body: dict[str, Any], target: Target | None = None) -> Rendered:
    """A Chat body as it goes to a Responses endpoint."""
    request = openai_chat.DIALECT.parse_request({"model": "m", "messages": [{"role": "user", "content": "Hi"}], **body})
    return openai_responses.DIALECT.render_request(request, target or model("gpt-5.5"))


def codes(told: Rendered) -> set[str]:
    return {loss.code for loss in told.losses}


@pytest.mark.parametrize("id_", [None, "msg_1"])
def test_a_thought_keeps_its_id_before_a_message_that_has_one(id_: str | None) -> None:
    """What is kept of an answer comes back in front of messages whose ids a client has dropped."""
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbA=="}
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "So."}]}
    items = [thought, {**said, **({"id": id_} if id_ else {})}, {"role": "user", "content": "And?"}]
    for target in (Target("m", "openai", UNJUDGED, own=True), model("gpt-5.5")):
        told = openai_responses.DIALECT.render_request(parsed(input=items), target).body["input"]
        assert [item.get("type", "message") for item in told] == ["reasoning", "message", "message"]
        assert ("id" in told[0]) is ("id" in told[1]) is (id_ is not None)


def by_a_caller_of_claude(metadata: dict[str, Any]) -> Rendered:
    asked = {"model": "m", "max_tokens": 4000, "messages": [{"role": "user", "content": "Hi"}], "metadata": metadata}
    return openai_responses.DIALECT.render_request(anthropic_messages.DIALECT.parse_request(asked), model("gpt-5.5"))


@pytest.mark.parametrize("user", ["u", "u" * 64])
def test_who_asks_is_told_openai_as_it_would_be_told_anthropic(user: str) -> None:
    told = by_a_caller_of_claude({"user_id": user})
    assert (told.body["safety_identifier"], "metadata" in told.body, codes(told)) == (user, False, set())


@pytest.mark.parametrize(
    "metadata", [{"user_id": "u" * 65}, {"user_id": ""}, {"user_id": 7}, {"user_id": "u", "more": "x"}]
)
def test_what_else_is_said_of_the_caller_is_bookkeeping(metadata: dict[str, Any]) -> None:
    told = by_a_caller_of_claude(metadata)
    assert ("safety_identifier" in told.body, "metadata" in told.body, codes(told)) == (False, False, {"1.1:ignored"})


# -- agents


@pytest.mark.parametrize("body", [CODEX, CODEX_PROGRAMS, OPENCLAW], ids=["codex", "codex with programs", "OpenClaw"])
@pytest.mark.parametrize("name", ["gemini-2.5-flash", "gemini-3.5-flash", "gemini-2.5-pro"])
def test_what_agents_send_is_never_refused_on_the_way_to_gemini(body: dict[str, Any], name: str) -> None:
    told = gemini.DIALECT.render_request(PARSE(body), model(name, "gemini"))
    assert all(set(tool) <= {"functionDeclarations", "googleSearch"} for tool in told.body["tools"])


@pytest.mark.parametrize("body", [CODEX, CODEX_PROGRAMS, OPENCLAW], ids=["codex", "codex with programs", "OpenClaw"])
def test_what_agents_send_is_never_refused_on_the_way_to_chat(body: dict[str, Any]) -> None:
    told = openai_chat.DIALECT.render_request(PARSE(body), Target("m", "openai-compatible", UNJUDGED))
    again = openai_chat.DIALECT.parse_request(told.body)
    assert [tool.name for tool in again.tools] == [tool.name for tool in PARSE(body).tools]


def test_tools_that_gemini_has_not_are_left_out_and_told() -> None:
    told = gemini.DIALECT.render_request(PARSE(CODEX), model("gemini-2.5-flash", "gemini"))
    lost = {loss.path for loss in told.losses if loss.code == "7.1:builtin"}
    assert "$.tools[3]" in lost
    names = [one["name"] for one in told.body["tools"][0]["functionDeclarations"]]
    assert names == ["shell", "multi_agent_v1__spawn", "multi_agent_v1__wait", "apply_patch"]


def test_a_namespace_is_found_again() -> None:
    told = openai_responses.DIALECT.render_request(PARSE(CODEX), Target("m", "openai", UNJUDGED))
    assert told.body["tools"] == CODEX["tools"]
    assert told.body["input"][0]["role"] == "developer"
    assert told.losses == []


def test_tools_that_an_item_brings_are_tools() -> None:
    """Codex declares none for OpenAI's newest models. Any other, asked by such a name, was left without tools."""
    request = PARSE(CODEX_PROGRAMS)
    assert [(tool.name, tool.kind) for tool in request.tools] == [
        ("functions__exec", "custom"),
        ("functions__wait", "function"),
    ]
    told = gemini.DIALECT.render_request(request, model("gemini-3.5-flash", "gemini"))
    declared = [one["name"] for one in told.body["tools"][0]["functionDeclarations"]]
    assert declared == ["functions__exec", "functions__wait"]
    called = [
        part["functionCall"] for content in told.body["contents"] for part in content["parts"] if "functionCall" in part
    ]
    assert [(call["name"], call["args"]) for call in called] == [("functions__exec", {"input": "ls()"})]
    assert "1.2:opaque" not in codes(told)
    sizes = openai_responses.DIALECT.ask(CODEX_PROGRAMS, 1000)
    assert sizes.own_tools
    assert sizes.tools == {"web_search"}


def test_what_an_mcp_server_listed_is_no_tool_that_is_paid_for() -> None:
    """It comes back with the history of a conversation; held for, it refused calls of accounts that could pay them."""
    listing = {
        "type": "mcp_list_tools",
        "id": "mcpl_1",
        "server_label": "s",
        "tools": [{"name": "f", "input_schema": {}}],
    }
    assert openai_responses.DIALECT.ask({"model": "m", "input": [listing]}, 1000).tools == frozenset()


def test_tools_that_an_item_brought_go_back_into_it() -> None:
    told = openai_responses.DIALECT.render_request(PARSE(CODEX_PROGRAMS), Target("m", "openai", UNJUDGED))
    assert "tools" not in told.body
    assert told.body["input"][0] == CODEX_PROGRAMS["input"][0]
    assert told.body["input"][-2:] == CODEX_PROGRAMS["input"][-2:]
    assert told.body["parallel_tool_calls"] is False
    assert told.losses == []
    later = {**CODEX_PROGRAMS, "input": [*CODEX_PROGRAMS["input"][1:], CODEX_PROGRAMS["input"][0]]}
    told = openai_responses.DIALECT.render_request(PARSE(later), Target("m", "openai", UNJUDGED))
    assert told.body["input"][-1] == CODEX_PROGRAMS["input"][0]


def test_an_item_that_brings_tools_stays_whole_and_in_its_place() -> None:
    """One message of a user's is two of ours where instructions stand before it, and two items are one turn of ours."""
    brought = {"type": "additional_tools", "tools": [{"type": "function", "name": "f", "parameters": SHELL}], "new": 1}
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    said = [
        {"role": "user", "content": "Hi"},
        thought,
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}], "id": "msg_1"},
        {"role": "user", "content": "On"},
        brought,
        {"role": "user", "content": "Go on"},
    ]
    request = parsed(input=said, instructions="Be brief.", tools=[{"type": "function", "name": "g"}])
    for target in (Target("m", "openai", UNJUDGED), model("gpt-5.5")):
        items = openai_responses.DIALECT.render_request(request, target).body["input"]
        assert items[-2] == brought
        assert items[-3]["content"] == "On"
    without = [{**thought, "encrypted_content": None, "summary": [{"type": "summary_text", "text": "Hm"}]}, *said[1:]]
    request = parsed(input=[said[0], *without[:1], *without[2:]], store=False)
    items = openai_responses.DIALECT.render_request(request, model("gpt-5.5")).body["input"]
    assert items[-2] == brought


def test_an_item_shares_a_name_with_a_tool_and_brings_others() -> None:
    function = {"type": "function", "name": "f", "parameters": SHELL}
    later = {**function, "defer_loading": True}  # which a model is given when it looks for it
    free, short, long = (
        {"type": "custom", "name": "f", "format": {"type": "grammar", "syntax": "regex", "definition": of}}
        for of in (".*", "a", "a+")
    )
    for known, again, lost in (
        (function, function, False),
        (function, later, False),
        (function, {**function, "description": "Another."}, True),
        (short, short, False),
        (short, long, True),
        (free, {"type": "custom", "name": "f"}, True),
    ):
        brought = {"type": "additional_tools", "tools": [again, {"type": "custom", "name": "g"}]}
        request = parsed(tools=[known], input=[brought, {"role": "user", "content": "Hi"}])
        assert [(tool.name, tool.description) for tool in request.tools] == [("f", None), ("g", None)]
        told = openai_responses.DIALECT.render_request(request, Target("m", "openai", UNJUDGED))
        assert (told.body["tools"], told.body["input"][0]) == ([known], brought)
        for dialect, target in SPOKEN:
            told = dialect.DIALECT.render_request(request, target)
            assert ("1.2:opaque" in codes(told)) is lost


@pytest.mark.parametrize("store", [None, False])
@pytest.mark.parametrize("id_", ["rs_1", None])
def test_a_thought_without_a_seal_is_not_sent(store: bool | None, id_: str | None) -> None:
    """Nobody at OpenAI knows it by its id: what is kept is kept here."""
    thought = {"type": "reasoning", "id": id_, "summary": [{"type": "summary_text", "text": "Hm."}]}
    answer = {"type": "message", "role": "assistant", "id": "msg_1", "content": [{"type": "output_text", "text": "4"}]}
    request = parsed(input=[{"role": "user", "content": "2+2?"}, thought, answer], store=store)
    told = openai_responses.DIALECT.render_request(request, model("gpt-5.5"))
    assert "reasoning" not in [item.get("type") for item in told.body["input"]]
    assert "7.4:thoughts" in codes(told)


SPOKEN = [
    (gemini, model("gemini-3.5-flash", "gemini")),
    (anthropic_messages, model("claude-haiku-4-5", "anthropic")),
    (openai_chat, model("gpt-4o")),
    (openai_chat, Target("m", "openai", UNJUDGED)),
]


@pytest.mark.parametrize(("dialect", "target"), SPOKEN)
def test_brought_tools_are_tools_in_every_dialect_and_what_they_lose_is_told_where_they_stand(
    dialect: Any, target: Target
) -> None:
    strange = {"type": "function", "name": "f", "parameters": SHELL, "colour": "red"}
    brought = {"type": "additional_tools", "role": "developer", "tools": [{"type": "computer"}, strange]}
    said = [{"role": "user", "content": "Hi"}, brought, {"role": "assistant", "content": "Hello"}]
    request = parsed(input=[*said, {"role": "user", "content": "On"}], tools=[{"type": "function", "name": "g"}])
    told = dialect.DIALECT.render_request(request, target)
    lost = {loss.path for loss in told.losses}
    assert {"$.input[1].tools[0]", "$.input[1].tools[1]"} <= lost
    assert not any("additional_tools" in loss.message for loss in told.losses)
    assert "1.2:opaque" not in codes(told)
    assert '"f"' in json.dumps(told.body["tools"])
    assert "developer" not in json.dumps(told.body)


def test_a_model_without_openais_tools_is_brought_the_callers() -> None:
    own = {"type": "function", "name": "f", "parameters": SHELL}
    brought = {"type": "additional_tools", "tools": [{"type": "web_search"}, own]}
    target = model("gpt-5.5")
    bare = Target("m", "openai", replace(target.capabilities, builtin_tools=False))
    request = parsed(input=[brought, {"role": "user", "content": "Hi"}])
    told = openai_responses.DIALECT.render_request(request, bare)
    assert told.body["input"][0] == {**brought, "tools": [own]}
    assert [(loss.code, loss.path) for loss in told.losses] == [("7.1:builtin", "$.input[0].tools[0]")]
    told = openai_responses.DIALECT.render_request(request, target)
    assert told.body["input"][0] == brought


@pytest.mark.parametrize("able", [True, False])
def test_a_brought_tool_of_tomorrow_is_one_to_choose_among_where_it_goes_along(able: bool) -> None:
    brought = {"type": "additional_tools", "tools": [{"type": "future_tool"}]}
    target = model("gpt-5.5")
    target = Target("m", "openai", replace(target.capabilities, builtin_tools=able))
    request = parsed(input=[brought, {"role": "user", "content": "Hi"}], tool_choice="required")
    told = openai_responses.DIALECT.render_request(request, target)
    assert (brought in told.body["input"]) is able
    assert (told.body.get("tool_choice") == "required") is able
    assert codes(told) == (set() if able else {"7.1:builtin", "1.13:choice"})


def test_no_declared_tool_is_called_as_a_brought_one() -> None:
    brought = {"type": "additional_tools", "tools": [{"type": "function", "name": "a_b"}]}
    tools = [{"type": "function", "name": "a.b"}]
    told = openai_responses.DIALECT.render_request(
        parsed(input=[brought, {"role": "user", "content": "Hi"}], tools=tools), model("gpt-5.5")
    )
    assert [tool["name"] for tool in told.body["tools"]] == ["a_b_2"]
    assert told.tool_names == {"a_b_2": "a.b"}


def test_a_turn_goes_on_behind_an_item_that_brings_tools() -> None:
    brought = {"type": "additional_tools", "tools": [{"type": "function", "name": "g", "parameters": SHELL}]}
    calls = [{"type": "function_call", "call_id": id_, "name": "f", "arguments": "{}"} for id_ in ("a", "b")]
    results = [{"type": "function_call_output", "call_id": id_, "output": "ok"} for id_ in ("a", "b")]
    sealed = wrapped(Signature("google", "AAA="))
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed}
    answer = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]}
    said = [{"role": "user", "content": "Hi"}, calls[0], brought, calls[1], *results, thought, brought, answer]
    request = parsed(input=said)
    roles = [message.role for message in request.messages]
    assert roles == [Role.USER, Role.ASSISTANT, Role.USER, Role.USER, Role.ASSISTANT]
    told = openai_chat.DIALECT.render_request(request, Target("m", "openai", UNJUDGED)).body["messages"]
    assert [message["role"] for message in told] == ["user", "assistant", "tool", "tool", "assistant"]
    assert [call["id"] for call in told[1]["tool_calls"]] == ["a", "b"]
    signed = [part for part in request.messages[-1].parts if isinstance(part, Text)]
    assert [(part.text, part.signature is not None) for part in signed] == [("Done.", True)]
    items = openai_responses.DIALECT.render_request(parsed(input=said[:-3]), model("gpt-5.5")).body["input"]
    assert items[1:] == [calls[0], brought, calls[1], *results]


@pytest.mark.parametrize(
    ("brought", "param"),
    [(None, "$.input[0].tools"), ([{"type": "function"}], "$.input[0].tools[0].name"), ([5], "$.input[0].tools[0]")],
)
def test_what_is_wrong_with_a_brought_tool_is_said_with_its_path(brought: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parsed(input=[{"type": "additional_tools", "tools": brought}, {"role": "user", "content": "Hi"}])
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("name", "mime", "keeps"),
    [
        ("gemini-3.5-flash", "image/png", False),  # inside the result, where there is no field for it
        ("gemini-3.5-flash", "image/heic", True),  # behind it, as a part of its own
        ("gemini-2.5-flash", "image/png", False),
    ],
)
def test_the_detail_of_a_picture_in_a_result_is_said_where_google_takes_it(name: str, mime: str, keeps: bool) -> None:
    """Codex asks for the high detail of each picture that its tools look at: Google refused the field in a result."""
    picture = {"type": "input_image", "image_url": f"data:{mime};base64,iVBORw0KGgo=", "detail": "high"}
    call = {"type": "function_call", "call_id": "c1", "name": "view_image", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c1", "output": [picture]}
    told = gemini.DIALECT.render_request(parsed(input=[call, result], tools=[SHELL]), model(name, "gemini"))
    parts = told.body["contents"][-1]["parts"]
    holders = [*parts, *(inner for part in parts for inner in part.get("functionResponse", {}).get("parts", ()))]
    assert len([one for one in holders if "inlineData" in one]) == 1
    assert any("mediaResolution" in one for one in holders) is keeps
    assert ("1.4:detail" in codes(told)) is not keeps


# -- items


def test_items_of_the_assistant_that_follow_each_other_are_one_turn() -> None:
    items: list[dict[str, Any]] = [
        {"role": "user", "content": "Hi"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}, {"type": "summary_text", "text": "so"}],
        },
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Look:"}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a": 1.0}'},
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "g", "input": "free"},
        {"type": "function_call_output", "call_id": "call_1", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "2"}]},
    ]
    user, turn, first, second = parsed(input=items).messages
    own = "openai_responses"
    assert user.parts == (Text("Hi"),)
    assert turn.role is Role.ASSISTANT
    assert turn.parts == (
        Reasoning("hm", ext={own: {"id": "rs_1"}}),
        Reasoning("\n\nso", ext={own: {"id": "rs_1"}}),
        Text("Look:", ext={own: {"id": "msg_1"}}),
        Opaque(own, items[3]),
        ToolCall("call_1", "f", '{"a": 1.0}', ext={own: {"id": "fc_1"}}),
        ToolCall("call_2", "g", "free", "custom", ext={own: {"id": "ctc_1"}}),
    )
    assert first.parts == (ToolResult("call_1", "f", (Text("1"),)),)
    assert second.parts == (ToolResult("call_2", "g", (Text("2"),)),)
    assert [message.at for message in (user, turn, first, second)] == [0, 1, 6, 7]


def test_items_are_written_as_they_were_read() -> None:
    items: list[dict[str, Any]] = [
        {"role": "user", "content": "Hi"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}, {"type": "summary_text", "text": "so"}],
            "encrypted_content": "gAAAA",
        },
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "phase": "commentary",
            "content": [{"type": "output_text", "text": "Look:", "annotations": []}],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a": 1.0}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "1"},
        {"type": "item_reference", "id": "msg_0"},
    ]
    told = openai_responses.DIALECT.render_request(parsed(input=items), Target("m", "openai", UNJUDGED))
    assert told.body["input"] == items


@pytest.mark.parametrize(
    ("part", "media"),
    [
        (
            {"type": "input_image", "image_url": "https://e.example/a.png", "detail": "high"},
            Media(None, uri="https://e.example/a.png", detail="high"),
        ),
        ({"type": "input_image", "image_url": "data:image/png;base64,iVBO"}, Media("image/png", data="iVBO")),
        ({"type": "input_image", "file_id": "file-1"}, Media(None, uri="file-1")),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
            Media("application/pdf", data="JVBE", name="a.pdf"),
        ),
        ({"type": "input_file", "file_url": "https://e.example/a.pdf"}, Media(None, uri="https://e.example/a.pdf")),
        ({"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}, Media("audio/wav", data="UklG")),
        ({"type": "refusal", "refusal": "No."}, Text("No.")),
    ],
)
def test_content_parts_are_read(part: dict[str, Any], media: Media | Text) -> None:
    (message,) = parsed(input=[{"role": "user", "content": [part]}]).messages
    assert message.parts == (media,)


def test_an_envelope_finds_its_call_and_its_text() -> None:
    of_call, of_text = Signature("google", "AAA="), Signature("google", "BBB=", "gemini-3@gemini")
    items: list[dict[str, Any]] = [
        {"role": "user", "content": "Hi"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": wrapped(of_text)},
        {"role": "assistant", "content": "Hello"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": wrapped(of_call, "call_1")},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": ""},
    ]
    turn = parsed(input=items).messages[1]
    assert turn.parts == (Text("Hello", of_text), ToolCall("call_1", "f", "{}", signature=of_call))


def test_a_seal_is_told_to_its_own_vendor_alone() -> None:
    body = copy.deepcopy(OPENCLAW)
    body["input"][2:2] = [
        {"type": "reasoning", "summary": [], "encrypted_content": wrapped(Signature("anthropic", "EqM"))}
    ]
    told = openai_responses.DIALECT.render_request(PARSE(body), model("gpt-5.5"))
    assert not any(item.get("type") == "reasoning" for item in told.body["input"])
    assert "2.4:foreign_signature" in codes(told)


def test_no_thought_of_another_vendors_turn_is_told_to_openai_whoever_asks() -> None:
    """An agent that goes on with GPT after Gemini: the thoughts have no seal, their turn's is another vendor's."""
    items: list[dict[str, Any]] = [
        {"role": "user", "content": "Hi"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Gemini's."}]},
        {"type": "reasoning", "summary": [], "encrypted_content": wrapped(Signature("google", "AAA="), "call_1")},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": ""},
        {"type": "reasoning", "summary": [], "encrypted_content": "openai's"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Go on"},
    ]
    target = Target("gpt-5.5", "openai", UNJUDGED, own=True)
    told = openai_responses.DIALECT.render_request(parsed(input=items), target)
    thoughts = [item for item in told.body["input"] if item.get("type") == "reasoning"]
    assert thoughts == [{"type": "reasoning", "summary": [], "encrypted_content": "openai's"}]
    assert codes(told) == {"2.4:foreign_signature", "7.4:thoughts"}


# -- fields


def test_a_function_is_strict_unless_it_is_said_otherwise() -> None:
    plain = {"type": "function", "name": "f", "parameters": SHELL}
    tools = [plain, {**plain, "name": "g", "strict": None}, {**plain, "name": "h", "strict": False}]
    assert [tool.strict for tool in parsed(tools=tools).tools] == [True, True, False]


OPTIONAL: dict[str, Any] = {**SHELL, "required": []}
CLOSED: dict[str, Any] = {"type": "object", "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (None, True),
        (SHELL, True),
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        ({**SHELL, "properties": {"command": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}, True),
        (OPTIONAL, False),
        ({"type": "object", "properties": SHELL["properties"], "required": ["command"]}, False),
        ({**SHELL, "properties": {"command": OPTIONAL}}, False),
        ({**SHELL, "properties": {"command": {"type": "array", "items": OPTIONAL}}}, False),
        ({**SHELL, "properties": {"command": {"anyOf": [OPTIONAL]}}}, False),
        ({**SHELL, "properties": {"command": {"oneOf": [{"type": "string"}]}}}, False),
        ({**SHELL, "$defs": {"a": OPTIONAL}}, False),
        ({"type": ["object", "null"]}, False),
        ({**CLOSED, "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": SHELL}}, True),
        ({**CLOSED, "properties": {"a": {"$ref": "#"}}}, True),
        ({**CLOSED, "properties": {"a": {"type": "string", "minLength": 1, "description": "A word."}}}, True),
        ({}, False),
        ({"$ref": "#/$defs/b", "$defs": {"b": SHELL}}, False),
        ({**SHELL, "anyOf": [SHELL]}, False),
        ({**SHELL, "required": ["command", "missing"]}, False),
        ({**SHELL, "patternProperties": {"^a": {"type": "string"}}}, False),
        ({**CLOSED, "properties": {"a": {}}}, False),
        ({**CLOSED, "properties": {"a": {"description": "Anything."}}}, False),
        ({**CLOSED, "properties": {"a": {"const": "fact"}}}, False),
        ({**CLOSED, "properties": {"a": True}}, False),
        ({**CLOSED, "properties": {"a": {"type": "array"}}}, False),
        ({**CLOSED, "properties": {"a": {"anyOf": [{}, {"type": "null"}]}}}, False),
        ({**CLOSED, "properties": {"a": {"type": "string", "default": ""}}}, False),
        ({**CLOSED, "properties": {"a": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}}}, False),
        ({**CLOSED, "properties": {"a": {"$ref": "#", "description": "Again."}}}, False),
    ],
)
def test_a_function_whose_schema_cannot_be_strict_is_not(schema: Any, strict: bool) -> None:
    """OpenClaw says nothing of strictness, and its schemas have optional properties: told on as strict they are a 400."""
    tool = {"type": "function", "name": "f", "parameters": schema}
    assert [one.strict for one in parsed(tools=[tool]).tools] == [strict]


@pytest.mark.parametrize("schema", [SHELL, OPTIONAL])
def test_strictness_that_nobody_spoke_of_is_left_to_openai(schema: dict[str, Any]) -> None:
    """What OpenAI makes of it is OpenAI's: it closes what it can, so that a guess said aloud is another function."""
    tool = {"type": "function", "name": "f", "parameters": schema}
    inside = {"type": "namespace", "name": "n", "tools": [tool]}
    told = openai_responses.DIALECT.render_request(parsed(tools=[tool, inside]), Target("m", "openai", UNJUDGED))
    assert told.body["tools"] == [tool, inside]
    in_chat = openai_chat.DIALECT.render_request(parsed(tools=[tool]), model("gpt-4o"))
    assert in_chat.body["tools"][0]["function"]["strict"] is (schema is SHELL)


def test_a_strict_function_without_parameters_takes_none_and_is_closed() -> None:
    told = rendered({"tools": [{"type": "function", "function": {"name": "f", "strict": True}}]})
    (tool,) = told.body["tools"]
    assert tool["strict"] is True
    assert fits_strict(tool["parameters"])


@pytest.mark.parametrize(
    ("choice", "meant"),
    [
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("required", ("f",))),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("required", ("f",))),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
            ToolChoice("validated", ("f",)),
        ),
        ({"type": "web_search"}, None),
    ],
)
def test_tool_choices_are_read(choice: Any, meant: ToolChoice | None) -> None:
    request = parsed(tools=[{"type": "function", "name": "f"}], tool_choice=choice)
    assert request.tool_choice == meant
    told = openai_responses.DIALECT.render_request(request, Target("m", "openai", UNJUDGED))
    assert PARSE(told.body).tool_choice == meant
    if meant is None:
        assert told.body["tool_choice"] == choice


def test_settings_are_read_where_they_stand() -> None:
    request = parsed(
        instructions="Be brief.",
        reasoning={"effort": "high", "summary": "auto"},
        text={"format": {"type": "json_schema", "name": "a", "schema": SHELL, "strict": True}, "verbosity": "low"},
        include=["message.output_text.logprobs", "reasoning.encrypted_content", "file_search_call.results"],
        top_logprobs=2,
        store=False,
    )
    assert request.messages[0].role is Role.SYSTEM
    assert (request.thinking.effort, request.thinking.show) == ("high", True)
    assert request.output is not None
    assert (request.output.name, request.output.strict, request.output.schema) == ("a", True, SHELL)
    assert (request.sampling.logprobs, request.sampling.top_logprobs) == (True, 2)
    assert request.ext == {
        "openai_responses": {"include": ["file_search_call.results"]},
        "openai_chat": {"store": False, "verbosity": "low"},
    }
    assert request.echo["instructions"] == "Be brief."


# -- what is wrong is said where it is


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "$.input"),
        ({"input": 5}, "$.input"),
        ({"input": ["x"]}, "$.input[0]"),
        ({"input": [{"type": "message", "role": "tool", "content": "x"}]}, "$.input[0].role"),
        ({"input": [{"type": "message", "role": "user", "content": 5}]}, "$.input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": 5}]}]}, "$.input[0].content[0].text"),
        ({"input": [{"role": "user", "content": [{"type": "nonsense"}]}]}, "$.input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "$.input[0].content[0].image_url"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:x"}]}]},
            "$.input[0].content[0].image_url",
        ),
        ({"input": [{"type": "function_call", "call_id": "c", "arguments": "{}"}]}, "$.input[0].name"),
        ({"input": [{"type": "function_call", "call_id": 1, "name": "f", "arguments": "{}"}]}, "$.input[0].call_id"),
        ({"input": [{"type": "function_call_output", "call_id": "gone", "output": ""}]}, "$.input[0].call_id"),
        ({"input": [{"type": "reasoning", "summary": [5]}]}, "$.input[0].summary[0]"),
        ({"input": [{"type": "reasoning", "summary": "x"}]}, "$.input[0].summary"),
        ({"input": [{}]}, "$.input[0].type"),
        ({"instructions": 5}, "$.instructions"),
        ({"tools": {}}, "$.tools"),
        ({"tools": [{"name": "f"}]}, "$.tools[0].type"),
        ({"tools": [{"type": "function"}]}, "$.tools[0].name"),
        ({"tools": [{"type": "function", "name": "f", "parameters": "x"}]}, "$.tools[0].parameters"),
        ({"tools": [{"type": "function", "name": "f", "strict": "x"}]}, "$.tools[0].strict"),
        ({"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "function"}]}]}, "$.tools[0].tools[0].name"),
        ({"tool_choice": "some"}, "$.tool_choice"),
        ({"tool_choice": {"type": "function"}}, "$.tool_choice.name"),
        ({"temperature": 3}, "$.temperature"),
        ({"top_logprobs": 21}, "$.top_logprobs"),
        ({"max_output_tokens": 0}, "$.max_output_tokens"),
        ({"max_output_tokens": True}, "$.max_output_tokens"),
        ({"reasoning": {"effort": "hard"}}, "$.reasoning.effort"),
        ({"reasoning": []}, "$.reasoning"),
        ({"text": {"format": {"type": "xml"}}}, "$.text.format.type"),
        ({"text": {"format": {"type": "json_schema", "schema": 5}}}, "$.text.format.schema"),
        ({"text": {"verbosity": "loud"}}, "$.text.verbosity"),
        ({"include": "x"}, "$.include"),
        ({"include": [5]}, "$.include[0]"),
        ({"store": "no"}, "$.store"),
        ({"metadata": "x"}, "$.metadata"),
        ({"user": 5}, "$.user"),
        ({"stream": 1}, "$.stream"),
        ({"truncation": "some"}, "$.truncation"),
        ({"service_tier": "gold"}, "$.service_tier"),
        ({"background": True}, "$.background"),
        ({"model": 5}, "$.model"),
    ],
)
def test_what_is_wrong_is_said_with_its_path(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parsed(**fields)
    assert refused.value.param == param


def test_a_body_that_is_no_object_is_refused() -> None:
    bodies: tuple[Any, ...] = (None, [], "x", 5)
    for body in bodies:
        with pytest.raises(InvalidRequest):
            PARSE(body)


def test_background_is_refused_in_words() -> None:
    with pytest.raises(UnsupportedParameter, match="background: false"):
        parsed(background=True)
    assert parsed(background=False).ext is None


def test_a_tier_that_only_responses_have_is_sent_there_and_told_elsewhere() -> None:
    """Google and others would refuse the word."""
    request = parsed(service_tier="ultrafast", max_output_tokens=4000)
    told = openai_responses.DIALECT.render_request(request, model("gpt-6-sol"))
    assert (told.body["service_tier"], told.losses) == ("ultrafast", [])
    for dialect, name, kind, code in (
        (gemini, "gemini-3.5-flash", "gemini", "1.1:service_tier"),
        (openai_chat, "gpt-6-sol", "openai", "7.1:chat_tier"),
        (anthropic_messages, "claude-opus-5-5", "anthropic", "1.1:service_tier"),
    ):
        target = Target(name, kind)
        told = dialect.DIALECT.render_request(request, target)
        assert not {"service_tier", "serviceTier"} & told.body.keys()
        assert [(loss.code, loss.path) for loss in told.losses] == [(code, "$.service_tier")]


# -- to OpenAI, from elsewhere


def test_callers_of_other_dialects_get_their_thoughts_back() -> None:
    told = rendered({"reasoning_effort": "low"})
    assert told.body["store"] is False
    assert told.body["include"] == ["reasoning.encrypted_content"]
    assert told.body["reasoning"] == {"effort": "low"}
    assert "include" not in rendered({}, model("gpt-4o")).body


def test_what_the_responses_api_has_not_is_told() -> None:
    told = rendered({"stop": ["x"], "n": 2, "seed": 1, "presence_penalty": 1, "top_k": 5, "logit_bias": {"1": 1}})
    assert codes(told) == {"7.1:stop", "1.1:n", "1.1:seed", "1.1:penalties", "1.1:sampling", "7.1:setting"}
    assert not {"stop", "n", "seed", "presence_penalty", "top_k", "logit_bias"} & told.body.keys()


def test_a_model_that_takes_no_temperature_gets_none() -> None:
    told = rendered({"temperature": 0.5, "top_p": 0.5})
    assert told.body.keys().isdisjoint({"temperature", "top_p"})
    assert [(loss.code, loss.path) for loss in told.losses] == [
        ("1.1:sampling", "$.temperature"),
        ("1.1:sampling", "$.top_p"),
    ]
    told = rendered({"temperature": 1, "top_p": 0.5})
    assert (told.body["temperature"], [loss.path for loss in told.losses]) == (1, ["$.top_p"])
    assert rendered({"temperature": 0.5}, model("gpt-4o")).body["temperature"] == 0.5


def test_a_model_that_tells_logprobs_unless_it_thinks_is_asked_for_them_then() -> None:
    fields = {"logprobs": True, "top_logprobs": 2}
    told = rendered(fields, model("gpt-6-sol"))
    assert [(loss.code, loss.path) for loss in told.losses] == [("1.1:logprobs", "$.logprobs")]
    assert "message.output_text.logprobs" not in told.body["include"]
    assert "top_logprobs" not in told.body
    told = rendered({**fields, "reasoning_effort": "none"}, model("gpt-6-sol"))
    assert (told.losses, told.body["top_logprobs"]) == ([], 2)
    assert "message.output_text.logprobs" in told.body["include"]


def test_a_file_that_the_assistant_made_is_shown_by_the_user() -> None:
    """OpenAI takes no files in messages of the assistant's; a picture is the call that made it."""
    paper = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Write."},
        {"role": "assistant", "content": [{"type": "text", "text": "Here."}, paper], "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "ok"},
    ]
    items = rendered({"messages": [*messages, {"role": "user", "content": "Shorter."}]}).body["input"]
    assert [item.get("role") or item["type"] for item in items] == [
        *("user", "assistant", "function_call", "function_call_output", "user", "user"),
    ]
    assert [part["type"] for part in items[-2]["content"]] == ["input_text", "input_file"]
    assert rendered({"messages": messages}).body["input"] == items[:-1]


@pytest.mark.parametrize(
    ("data", "mime"),
    [("iVBORw0KGgoAAAANSUhEUg==", "image/png"), ("/9j/4AAQSkZJRgABAQ==", "image/jpeg"), ("AAAA", "image/png")],
)
def test_a_picture_whose_format_a_client_dropped_is_still_one(data: str, mime: str) -> None:
    """Codex keeps id, status, prompt and result of such an item."""
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": data}
    request = parsed(input=[{"role": "user", "content": "Draw."}, item, {"role": "user", "content": "Bluer."}])
    (picture,) = request.messages[1].parts
    assert isinstance(picture, Media)
    assert (picture.mime, picture.data) == (mime, data)
    told = openai_responses.DIALECT.render_request(request, model("gpt-5.5")).body["input"]
    assert told[1] == {**item, "output_format": mime.partition("/")[2]}


@pytest.mark.parametrize(("asked", "sent"), [(1, 16), (16, 16), (10**9, 128_000)])
def test_the_limit_is_one_that_openai_takes(asked: int, sent: int) -> None:
    told = rendered({"max_completion_tokens": asked})
    assert told.body["max_output_tokens"] == sent
    assert ("1.1:max_tokens" in codes(told)) is (asked != sent)


def test_strictness_and_the_format_are_written_flat_and_in_full() -> None:
    told = rendered(
        {
            "tools": [{"type": "function", "function": {"name": "f", "parameters": SHELL}}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": SHELL}},
            "verbosity": "low",
        }
    )
    assert told.body["tools"] == [{"type": "function", "name": "f", "parameters": SHELL, "strict": False}]
    assert told.body["text"] == {
        "format": {"type": "json_schema", "name": "a", "strict": True, "schema": SHELL},
        "verbosity": "low",
    }


def test_a_grammar_lies_where_each_dialect_has_it() -> None:
    grammar = {"syntax": "lark", "definition": 'start: "x"'}
    nested = {"type": "custom", "custom": {"name": "p", "format": {"type": "grammar", "grammar": grammar}}}
    told = rendered({"tools": [nested]})
    assert told.body["tools"] == [{"type": "custom", "name": "p", "format": {"type": "grammar", **grammar}}]
    back = openai_chat.DIALECT.render_request(PARSE(told.body), Target("m", "openai", UNJUDGED))
    assert back.body["tools"] == [nested]


def test_an_id_that_is_too_long_is_short_on_call_and_result_alike() -> None:
    told = openai_responses.DIALECT.render_request(PARSE(CODEX), model("gpt-5.5"))
    ids = [item["call_id"] for item in told.body["input"] if "call_id" in item]
    assert len(ids) == 2
    assert ids[0] == ids[1]
    assert len(ids[0]) <= 64
    assert told.body["input"][2] == {
        "type": "reasoning",
        "summary": [],
        "id": "rs_1",
        "encrypted_content": "gAAAAsealed",
    }


def test_names_that_openai_refuses_are_others_on_the_wire() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("a.b", "a_b", "x" * 70)]
    told = rendered({"tools": tools})
    names = [tool["name"] for tool in told.body["tools"]]
    assert names == ["a_b_2", "a_b", "x" * 64]
    assert told.tool_names == {"a_b_2": "a.b", "x" * 64: "x" * 70}


@pytest.mark.parametrize("dialect", [anthropic_messages, gemini, openai_chat])
def test_a_prompt_that_only_openai_can_look_up_is_no_prompt_of_others(dialect: Any) -> None:
    kept = {"prompt": {"id": "pmpt_1", "variables": {"city": "Bern"}}}
    for body in (kept, {**kept, "input": "hi"}):
        with pytest.raises(UnsupportedParameter) as raised:
            dialect.DIALECT.render_request(PARSE({"model": "m", **body}), model("gemini-3.5-flash"))
        assert raised.value.param == "$.prompt"
    told = openai_responses.DIALECT.render_request(PARSE({"model": "gpt-5.5", **kept}), model("gpt-5.5"))
    assert told.body["prompt"] == kept["prompt"]
