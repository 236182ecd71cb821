"""mapping.md 1.3: tool messages become functionResponse parts."""

from typing import Any

import pytest

from dialects.dialect_rows import NEW, OLD, Json, assistant, call, chat, contents, native, refusal, result, user

PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
MP3 = {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}}


def answered(content: Any, model: str = NEW) -> Json:
    """The functionResponse of one tool message."""
    told = contents(user("hi"), assistant(None, call("c1")), result("c1", content), model=model)
    response: Json = told[2]["parts"][0]["functionResponse"]
    return response


def deep(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


# (name of the row, tool text, functionResponse.response)
VALUES: list[tuple[str, Any, Json]] = [
    ("an object is itself", '{"ok":true,"n":1.5}', {"ok": True, "n": 1.5}),
    ("its own output key is its own", '{"output":"x"}', {"output": "x"}),
    ("text", "fine", {"output": "fine"}),
    ("text keeps its spaces", " fine\n", {"output": " fine\n"}),
    ("array", "[1,2]", {"output": "[1,2]"}),
    ("scalar", "5", {"output": "5"}),
    ("JSON string", '"x"', {"output": '"x"'}),
    ("null", "null", {"output": "null"}),
    ("broken JSON", '{"a":', {"output": '{"a":'}),
    ("empty", "", {"output": ""}),
    ("no content", None, {"output": ""}),
    ("$ref", '{"$ref":"x"}', {"output": '{"$ref":"x"}'}),
    ("$ref deep inside", '{"a":[{"$ref":"x"}]}', {"output": '{"a":[{"$ref":"x"}]}'}),
    ("integer above 2^53", '{"id":9007199254740993}', {"output": '{"id":9007199254740993}'}),
    ("integer of 2^53", '{"id":9007199254740992}', {"id": 9007199254740992}),
    ("very negative integer", '{"id":-9007199254740993}', {"output": '{"id":-9007199254740993}'}),
    ("nested deeply", deep(25), {"output": deep(25)}),
    ("parts", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], {"output": "ab"}),
    ("parts that spell an object", [{"type": "text", "text": '{"a"'}, {"type": "text", "text": ":1}"}], {"a": 1}),
]


@pytest.mark.parametrize(("name", "content", "expected"), VALUES, ids=[row[0] for row in VALUES])
def test_a_result_is_an_object_or_stands_under_output(name: str, content: Any, expected: Json) -> None:
    """1.3, response value; $ref trap; array, scalar, empty; content parts list"""
    assert answered(content)["response"] == expected


# (name of the row, arguments, functionCall.args)
ARGUMENTS: list[tuple[str, Any, Json]] = [
    ("object", '{"a":[1,2.5,null]}', {"a": [1, 2.5, None]}),
    ("empty", "", {}),
    ("blank", "  ", {}),
    ("invalid", '{"a":', {"_raw": '{"a":'}),
    ("list", "[1]", {"value": [1]}),
    ("string", '"x"', {"value": "x"}),
    ("null", "null", {"value": None}),
    ("the object itself", {"a": 1}, {"a": 1}),
    ("backslashes", r'{"path":"C:\\tmp\\n"}', {"path": r"C:\tmp\n"}),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), ARGUMENTS, ids=[row[0] for row in ARGUMENTS])
def test_arguments_in_history_are_an_object(name: str, arguments: Any, expected: Json) -> None:
    """1.3, tool arguments in history"""
    told = contents(user("hi"), assistant(None, call("c1", arguments=arguments)), result("c1"))
    assert told[1]["parts"][0]["functionCall"]["args"] == expected


def test_a_custom_call_has_one_argument() -> None:
    """1.3, custom tool calls"""
    custom = {"id": "c1", "type": "custom", "custom": {"name": "run", "input": 'print("x")'}}
    told = contents(user("hi"), assistant(None, custom), result("c1"), model=OLD)
    assert told[1]["parts"] == [{"functionCall": {"name": "run", "args": {"input": 'print("x")'}}}]
    assert told[2]["parts"] == [{"functionResponse": {"name": "run", "response": {"output": "fine"}}}]


def test_results_come_in_one_content_in_the_order_of_their_calls() -> None:
    """1.3, several tool messages after one assistant turn"""
    calls = assistant(None, call("a", "first"), call("b", "second"), call("c", "third"))
    told = contents(user("hi"), calls, result("c"), result("a"), result("b"))
    assert [one["role"] for one in told] == ["user", "model", "user"]
    assert [part["functionResponse"]["name"] for part in told[2]["parts"]] == ["first", "second", "third"]
    assert [part["functionResponse"]["id"] for part in told[2]["parts"]] == ["a", "b", "c"]


def test_ids_go_out_on_both_sides_or_on_none() -> None:
    """1.3, FR.id: only for >= 3, always the same on call and result"""
    for model, wanted in ((NEW, ["c1", "c1"]), (OLD, [None, None])):
        told = contents(user("hi"), assistant(None, call("c1")), result("c1"), model=model)
        sides = [told[1]["parts"][0]["functionCall"], told[2]["parts"][0]["functionResponse"]]
        assert [side.get("id") for side in sides] == wanted


# (name of the row, messages after the user's, name on the result)
NAMES: list[tuple[str, list[Json], str]] = [
    ("by id", [assistant(None, call("a", "one"), call("b", "two")), result("b"), result("a")], "one"),
    (
        "by id, in any earlier turn",
        [assistant(None, call("a", "one")), result("a"), assistant(None, call("b", "two")), result("b")],
        "one",
    ),
    ("the latest of an id", [assistant(None, call("a", "old")), result("a"), assistant(None, call("a", "new"))], "old"),
    ("an id shortened by the client", [assistant(None, call("call_a-1.x", "one")), result("calla1x")], "one"),
    ("by name", [assistant(None, call("a", "one")), result(None, name="one")], "one"),
    ("by name though the id is another's", [assistant(None, call("a", "one")), result("zz", name="one")], "one"),
    ("the only open call", [assistant(None, call("a", "one")), result(None)], "one"),
    ("the only open call, whatever the id", [assistant(None, call("a", "one")), result("zz")], "one"),
]


@pytest.mark.parametrize(("name", "messages", "expected"), NAMES, ids=[row[0] for row in NAMES])
def test_a_result_finds_the_name_of_its_call(name: str, messages: list[Json], expected: str) -> None:
    """1.3, name lookup"""
    told = contents(user("hi"), *messages, model=OLD)
    first = next(part for content in told for part in content["parts"] if "functionResponse" in part)
    assert first["functionResponse"]["name"] == expected


def test_a_repeated_id_names_its_latest_call() -> None:
    """1.3, name lookup: latest wins"""
    told = contents(
        user("hi"), assistant(None, call("a", "old")), result("a"), assistant(None, call("a", "new")), result("a")
    )
    names = [p["functionResponse"]["name"] for c in told for p in c["parts"] if "functionResponse" in p]
    assert names == ["old", "new"]


@pytest.mark.parametrize("model", [NEW, OLD])
@pytest.mark.parametrize(
    "message",
    [result("zz"), result(None), result("zz", name="nobody"), result(None, name="nobody")],
    ids=["unknown id", "no id", "unknown id and name", "unknown name"],
)
def test_a_result_of_no_call_is_a_400(message: Json, model: str) -> None:
    """1.3, tool message not preceded by its call"""
    error = refusal(chat(user("hi"), message), model)
    assert (error.param or "").startswith("$.messages[1]")


def test_an_ambiguous_result_is_a_400() -> None:
    """1.3, name lookup: without id and name only one open call will do"""
    refusal(chat(user("hi"), assistant(None, call("a"), call("b")), result(None)))


def test_what_the_user_says_after_results_is_a_content_of_its_own() -> None:
    """1.3, user message right after tool messages: never in the content of the results"""
    told = contents(user("hi"), assistant(None, call("a")), result("a"), user("and now?"), user("well?"))
    assert [one["role"] for one in told] == ["user", "model", "user", "user"]
    assert all("functionResponse" in part for part in told[2]["parts"])
    assert told[3]["parts"] == [{"text": "and now?"}, {"text": "well?"}]


def test_a_missing_result_is_a_400_on_three_and_sent_on_two() -> None:
    """1.3, missing result for one call: before 3 it is sent as it is"""
    messages = [user("hi"), assistant(None, call("a"), call("b")), result("a"), user("go on")]
    error = refusal(chat(*messages), NEW)
    assert error.message.endswith(": b")
    assert len(contents(*messages, model=OLD)[2]["parts"]) == 1


def test_an_old_calls_name_does_not_catch_a_new_calls_result() -> None:
    """1.3, name lookup: what an earlier turn left open, nobody answers any more"""
    messages = [user("hi"), assistant(None, call("a")), user("never mind"), assistant("ok"), assistant(None, call("b"))]
    for answered in (result(None), result(None, name="look_up"), result("zz")):
        told = contents(*messages, answered, model=OLD)
        assert "functionResponse" in told[-1]["parts"][0]


def test_a_picture_rides_inside_the_result_on_three() -> None:
    """1.3, multimodal results, >= 3"""
    told = answered([{"type": "text", "text": "see"}, PNG])
    assert told["response"] == {"output": "see"}
    assert told["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}]


@pytest.mark.parametrize(("model", "media", "mime"), [(OLD, PNG, "image/png"), (NEW, MP3, "audio/mp3")])
def test_media_that_cannot_ride_inside_follow_in_a_content_of_their_own(model: str, media: Json, mime: str) -> None:
    """1.3, multimodal results on < 3; audio and video anywhere"""
    told = contents(user("hi"), assistant(None, call("a")), result("a", [media]), user("what is it?"), model=model)
    assert "parts" not in told[2]["parts"][0]["functionResponse"]
    assert told[2]["parts"][0]["functionResponse"]["response"]["output"].startswith("See file ")
    label, moved, said = told[3]["parts"]
    assert label["text"].startswith("This is file ")
    assert moved["inlineData"]["mimeType"] == mime
    assert said == {"text": "what is it?"}


def test_a_result_by_address_does_not_ride_inside_on_the_gemini_api() -> None:
    """1.3, silent trap: fileData inside FR.parts is ignored there"""
    linked = {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "mime_type": "image/png"}}
    messages = [user("hi"), assistant(None, call("a")), result("a", [linked])]
    told = contents(*messages)
    assert "parts" not in told[2]["parts"][0]["functionResponse"]
    assert told[3]["parts"][1] == {"fileData": {"fileUri": "https://x.example/a.png", "mimeType": "image/png"}}
    vertex = contents(*messages, kind="vertex")
    assert vertex[2]["parts"][0]["functionResponse"]["parts"] == [told[3]["parts"][1]]


def test_five_turns_of_parallel_calls_stay_paired() -> None:
    """1.3, over many turns"""
    messages = [user("hi")]
    for turn in range(5):
        messages += [
            assistant(f"turn {turn}", *[call(f"call_{turn}{n}", f"tool_{n}", f'{{"t":{turn}}}') for n in range(3)]),
            *[result(f"call_{turn}{n}", f"{turn}{n}") for n in (2, 0, 1)],
        ]
    told = native(chat(*messages))["contents"]
    assert [one["role"] for one in told] == ["user"] + ["model", "user"] * 5
    for turn in range(5):
        responses = [part["functionResponse"] for part in told[2 + 2 * turn]["parts"]]
        assert [one["response"] for one in responses] == [{"output": f"{turn}{n}"} for n in range(3)]
