"""What a Responses body says of what is kept, and how it is made one that stands alone (mapping.md 7.1, State)."""

import json
from typing import Any

import pytest

from portico.core.dialect import Continuing, KeptTurn
from portico.dialects.openai_responses.state import STATE
from portico.wire.sse import Frame

ODD = (
    b'{ "model":"m" , "input" : [ {"type":"message" ,"role":"user","content":"\\u00e9 1.0"} ], "n":1.0,'
    b' "big":12345678901234567890 }'
)
ANSWER = {"id": "resp_1", "object": "response", "status": "completed", "store": False, "output": []}


def read(body: Any) -> Continuing:
    asked = STATE.read(body if isinstance(body, bytes) else json.dumps(body).encode())
    assert asked is not None
    return asked


@pytest.mark.parametrize(
    ("store", "keeps"), [({}, True), ({"store": None}, True), ({"store": True}, True), ({"store": False}, False)]
)
def test_an_answer_is_kept_unless_its_caller_says_no(store: dict[str, Any], keeps: bool) -> None:
    assert read({"model": "m", "input": "Hi", **store}).keeps is keeps


def test_a_text_is_an_item_that_the_user_says() -> None:
    (item,) = read({"input": 'Hi "é"\n'}).new
    assert json.loads(item) == {"type": "message", "role": "user", "content": 'Hi "é"\n'}
    assert read({"input": []}).new == read({"model": "m"}).new == ()


@pytest.mark.parametrize(
    ("item", "named"),
    [
        ({"type": "item_reference", "id": "msg_1"}, "msg_1"),
        ({"id": "msg_1"}, "msg_1"),
        ({"id": "msg_1", "role": "user", "content": "Hi"}, None),
        ({"type": "reasoning", "id": "rs_1", "summary": []}, None),
        ({"type": "item_reference"}, None),
        ("text", None),
        (7, None),
    ],
)
def test_an_item_that_only_names_another(item: Any, named: str | None) -> None:
    assert read({"input": [{"role": "user", "content": "Hi"}, item]}).named == ({} if named is None else {1: named})


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"input":7}', b'{"store":"yes"}', b'{"previous_response_id":[]}'])
def test_what_cannot_be_read_is_left_to_who_says_why(body: bytes) -> None:
    assert STATE.read(body) is None


def test_items_keep_their_bytes() -> None:
    asked = read(ODD.replace(b'"model"', b'"previous_response_id":"resp_0","model"'))
    body = ODD.replace(b'"model"', b'"previous_response_id":"resp_0","model"')
    made = STATE.continued(body, [b'{"a" : 1.0}', *asked.new], asked=asked, thinks=False)
    assert b'[{"a" : 1.0},{"type":"message" ,"role":"user","content":"\\u00e9 1.0"}]' in made
    assert made.endswith(b', "n":1.0, "big":12345678901234567890 }')
    value = json.loads(made)
    assert (value["previous_response_id"], value["store"], len(value["input"])) == (None, False, 2)


def test_a_body_that_neither_keeps_nor_goes_on_is_untouched() -> None:
    body = ODD.replace(b'"model"', b'"store":false,"model"')
    assert STATE.continued(body, read(body).new, asked=read(body), thinks=True) == body


@pytest.mark.parametrize(
    ("include", "thinks", "then"),
    [
        (None, False, None),
        (None, True, ["reasoning.encrypted_content"]),
        (["message.output_text.logprobs"], True, ["message.output_text.logprobs", "reasoning.encrypted_content"]),
        (["reasoning.encrypted_content"], True, ["reasoning.encrypted_content"]),
        (["message.output_text.logprobs"], False, ["message.output_text.logprobs"]),
    ],
)
def test_a_model_that_thinks_gives_its_sealed_thoughts(include: Any, thinks: bool, then: Any) -> None:
    body = json.dumps({"model": "m", "input": "Hi"} | ({} if include is None else {"include": include})).encode()
    asked = read(body)
    value = json.loads(STATE.continued(body, asked.new, asked=asked, thinks=thinks))
    assert value.get("include") == then


def test_an_answer_says_what_its_caller_asked_for() -> None:
    asked = read({"input": "Hi", "previous_response_id": "resp_0"})
    told = json.loads(STATE.told(json.dumps(ANSWER).encode(), asked, kept=True))
    assert told == {**ANSWER, "store": True, "previous_response_id": "resp_0"}
    assert STATE.told(b"no JSON", asked, kept=True) == b"no JSON"


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_a_stream_says_it_in_the_events_that_show_the_whole_answer(named: bool) -> None:
    asked = read({"input": "Hi"})
    for kind, ends in (("created", False), ("in_progress", False), ("completed", True), ("incomplete", True)):
        name = f"response.{kind}"
        data = json.dumps({"type": name, "sequence_number": 3, "response": ANSWER}).encode()
        frame, answer = STATE.told_frame(Frame(data, name if named else None), asked, kept=True)
        assert json.loads(frame.data) == {"type": name, "sequence_number": 3, "response": {**ANSWER, "store": True}}
        assert (answer is not None) is ends
        assert answer is None or json.loads(answer) == {**ANSWER, "store": True}


@pytest.mark.parametrize(
    "data", [b'{"type":"response.output_text.delta","response":{"store":false}}', b"[DONE]", b"{", b"{}"]
)
def test_other_frames_are_untouched(data: bytes) -> None:
    frame = Frame(data)
    assert STATE.told_frame(frame, read({"input": "Hi"}), kept=True) == (frame, None)


@pytest.mark.parametrize("status", ["failed", "cancelled", "in_progress", None])
def test_an_answer_that_is_none_is_not_kept(status: str | None) -> None:
    assert STATE.kept(json.dumps({**ANSWER, "status": status}).encode()) is None


def test_what_is_kept_of_an_answer_are_its_items_by_their_ids() -> None:
    said = {"type": "message", "id": "msg_1", "role": "assistant"}
    output = [{"type": "reasoning", "id": "rs_1", "summary": []}, said, {"type": "odd"}]
    kept = STATE.kept(json.dumps({**ANSWER, "output": output}).encode())
    assert kept is not None
    assert (kept.id, [id_ for id_, _ in kept.items]) == ("resp_1", ["rs_1", "msg_1", ""])


def test_what_an_answer_was_asked_with_is_listed_with_all_before_it() -> None:
    said = {**ANSWER, "output": [{"type": "message", "id": "msg_1", "role": "assistant", "content": []}]}
    turns = [
        KeptTurn("resp_1", None, b'[{"role":"user","content":"One"}]', json.dumps(said).encode()),
        KeptTurn("resp_2", "resp_1", b'[{"type":"function_call_output","call_id":"c","output":"2"}]', b"{}"),
    ]
    first, second, third = STATE.input_items(turns)
    assert first["content"] == [{"type": "input_text", "text": "One"}]
    assert (first["type"], first["role"], first["status"]) == ("message", "user", "completed")
    assert second["id"] == "msg_1"
    assert (third["type"], third["call_id"]) == ("function_call_output", "c")
    ids = [item["id"] for item in (first, second, third)]
    assert ids == [item["id"] for item in STATE.input_items(turns)], "the same each time"
    assert len(set(ids)) == 3
    assert STATE.input_items(turns[:1]) == [first]
