"""mapping.md 2.4: where thought signatures are, how they are told, and every channel they come back through."""

import base64
from typing import Any

import msgspec
import pytest

from dialects.dialect_rows import (
    CHAT,
    GEMINI,
    NEW,
    OLD,
    SKIP,
    Json,
    answer,
    assistant,
    call,
    chat,
    chunks,
    codes,
    completion,
    contents,
    deltas,
    message,
    read,
    reading,
    rendered,
    reply,
    result,
    target,
    told,
    user,
)
from portico.core.parts import Reasoning, Signature, Text, ToolCall, ToolResult
from portico.core.request import Message, Request, Role
from portico.vault import TurnRecorder, keys_of_request, restore

SIG, OTHER = "c2lnbmF0dXJl", "b3RoZXI="
GOOGLE: Json = {"google": {"thought_signature": SIG}}
CALL: Json = {"functionCall": {"name": "look_up", "args": {}}}
SIGNED: Json = {**CALL, "thoughtSignature": SIG}


def encrypted(id_: str, data: str = SIG) -> Json:
    return {"type": "reasoning.encrypted", "data": data, "id": id_, "format": "google-gemini-v1", "index": 0}


# -- emitted (channel A) ----------------------------------------------------------------------------------------------


def test_a_calls_signature_is_told_on_the_call() -> None:
    """2.4, channel A, whole and streamed; parallel calls: on the first only"""
    body = answer(SIGNED, CALL)
    entries = message(body)["tool_calls"]
    assert entries[0]["extra_content"] == GOOGLE
    assert "extra_content" not in entries[1]
    for sent in (chunks([body]), chunks([answer(SIGNED, finish=None), answer(CALL)])):
        streamed = [one["tool_calls"][0] for one in deltas(sent)]
        assert [one.get("extra_content") for one in streamed] == [GOOGLE, None]


def test_a_texts_signature_is_told_on_the_message() -> None:
    """2.4, channel A, text level; in a stream in a delta before the finish"""
    for parts in ([{"text": "a", "thoughtSignature": SIG}], [{"text": "a"}, {"text": "", "thoughtSignature": SIG}]):
        assert message(answer(*parts))["extra_content"] == GOOGLE
        sent = chunks([*[answer(part, finish=None) for part in parts], answer(finish="STOP")])
        assert deltas(sent)[-1] == {"extra_content": GOOGLE}
        assert "".join([one.get("content", "") for one in deltas(sent)]) == "a"


def test_the_signature_on_the_last_empty_text_of_a_stream_is_kept() -> None:
    """2.4, text answer, stream; traffic.md 3.4"""
    sent = chunks([answer({"text": "a"}, finish=None), answer({"text": "", "thoughtSignature": SIG})])
    assert deltas(sent) == [{"content": "a"}, {"extra_content": GOOGLE}]


def test_an_enormous_signature_is_not_put_into_the_payload() -> None:
    """2.4, last paragraph: above 64 kB it is for the store only"""
    large = base64.b64encode(b"x" * 60_000).decode()
    for part in ({"text": "a", "thoughtSignature": large}, {**CALL, "thoughtSignature": large}):
        assert large not in str(completion(answer(part)))
        assert large not in str(chunks([answer(part)]))
    [kept] = GEMINI.parse_response(answer({**CALL, "thoughtSignature": large}), reading()).candidates[0].parts
    assert isinstance(kept, ToolCall)
    assert kept.signature == Signature("google", large)


def test_of_several_text_signatures_the_last_is_shown_and_that_is_said() -> None:
    """2.4, image models and 2.5 sign several parts; Chat has room for one"""
    parts = [{"text": "a", "thoughtSignature": OTHER}, {"text": "b", "thoughtSignature": SIG}]
    done = CHAT.render_response(GEMINI.parse_response(answer(*parts), reading()), reply())
    assert done.body["choices"][0]["message"]["extra_content"] == GOOGLE
    assert codes(done.losses) == ["2.4:text_signatures"]


# -- accepted: every channel ------------------------------------------------------------------------------------------

# (channel, the assistant's message): one call, signed
CHANNELS: list[tuple[str, Json]] = [
    ("A", assistant(None, call("c1", extra_content=GOOGLE))),
    ("A, Vertex", assistant(None, call("c1", extra_content={"vertex": {"thought_signature": SIG}}))),
    ("B", assistant(None, call("c1"), reasoning_details=[encrypted("c1")])),
    (
        "B, with its text",
        assistant(None, call("c1"), reasoning_details=[{"type": "reasoning.summary", "summary": "x"}, encrypted("c1")]),
    ),
    ("C on the call", assistant(None, call("c1", provider_specific_fields={"thought_signature": SIG}))),
    (
        "C on the function",
        assistant(
            None,
            {
                "id": "c1",
                "type": "function",
                "function": {
                    "name": "look_up",
                    "arguments": "{}",
                    "provider_specific_fields": {"thought_signature": SIG},
                },
            },
        ),
    ),
    ("C on the message", assistant(None, call("c1"), provider_specific_fields={"thought_signatures": [SIG]})),
    ("C on the message, one", assistant(None, call("c1"), provider_specific_fields={"thought_signature": SIG})),
    (
        "E on the function",
        assistant(
            None,
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "look_up", "arguments": "{}", "thought_signature": SIG},
            },
        ),
    ),
    ("E on the call", assistant(None, call("c1", thought_signature=SIG))),
    ("E on the message", assistant(None, call("c1"), thought_signature=SIG)),
    ("in the id", assistant(None, call(f"c1__thought__{SIG}"))),
]


@pytest.mark.parametrize("answered", ["c1", f"c1__thought__{SIG}"])
@pytest.mark.parametrize(("channel", "said"), CHANNELS, ids=[row[0] for row in CHANNELS])
def test_a_signature_is_found_in_every_channel(channel: str, said: Json, answered: str) -> None:
    """2.4, channels A, B, C, E and the id's suffix, which is cut off"""
    done = rendered(chat(user("hi"), said, result(answered)))
    model, responded = done.body["contents"][1:]
    assert model["parts"] == [
        {"functionCall": {"id": "c1", "name": "look_up", "args": {}}, "thoughtSignature": SIG},
    ]
    assert responded["parts"][0]["functionResponse"]["id"] == "c1"
    assert "2.4:skip_signature" not in codes(done.losses)


# (channel, message without calls)
TEXT_CHANNELS: list[tuple[str, Json]] = [
    ("A", assistant("yes", extra_content=GOOGLE)),
    ("A, Vertex", assistant("yes", extra_content={"vertex": {"thought_signature": SIG}})),
    ("A on the part", assistant([{"type": "text", "text": "yes", "extra_content": GOOGLE}])),
    ("C", assistant("yes", provider_specific_fields={"thought_signatures": [SIG]})),
    ("E", assistant("yes", thought_signature=SIG)),
]


@pytest.mark.parametrize(("channel", "said"), TEXT_CHANNELS, ids=[row[0] for row in TEXT_CHANNELS])
def test_a_texts_signature_is_found_too(channel: str, said: Json) -> None:
    """2.4, channels at the message's level"""
    told_contents = contents(user("hi"), said, user("go"))
    assert told_contents[1]["parts"] == [{"text": "yes", "thoughtSignature": SIG}]


# (what both say, the one that counts)
ORDER: list[tuple[str, Json]] = [
    ("A before B", assistant(None, call("c1", extra_content=GOOGLE), reasoning_details=[encrypted("c1", OTHER)])),
    (
        "A before C",
        assistant(None, call("c1", extra_content=GOOGLE, provider_specific_fields={"thought_signature": OTHER})),
    ),
    (
        "B before C",
        assistant(
            None,
            call("c1", provider_specific_fields={"thought_signature": OTHER}),
            reasoning_details=[encrypted("c1")],
        ),
    ),
    ("A before the id", assistant(None, call(f"c1__thought__{OTHER}", extra_content=GOOGLE))),
    (
        "C before the id",
        assistant(None, call(f"c1__thought__{OTHER}", provider_specific_fields={"thought_signature": SIG})),
    ),
    ("A before a copy on the message", assistant(None, call("c1", extra_content=GOOGLE), thought_signature=OTHER)),
]


@pytest.mark.parametrize(("name", "said"), ORDER, ids=[row[0] for row in ORDER])
def test_channels_have_an_order(name: str, said: Json) -> None:
    """2.4, restore order: A/E, B, C, the id's suffix"""
    assert contents(user("hi"), said, result("c1"))[1]["parts"][0]["thoughtSignature"] == SIG


def test_a_signature_stays_on_its_own_call() -> None:
    """2.4, rule e: B names calls by id, and a second call's signature stays there"""
    said = assistant(None, call("c1"), call("c2"), reasoning_details=[encrypted("c2")])
    parts = contents(user("hi"), said, result("c1"), result("c2"))[1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [SKIP, SIG]


def test_a_googles_compat_copy_is_not_sent_twice() -> None:
    """2.4, cost: sending a signature twice bills it twice; traffic.md 3.21: it stands on call and message"""
    said = assistant(None, call("c1", extra_content=GOOGLE), thought_signature=SIG)
    parts = contents(user("hi"), said, result("c1"))[1]["parts"]
    assert str(parts).count(SIG) == 1


# -- the skip value ---------------------------------------------------------------------------------------------------


def test_the_skip_value_is_googles_documented_one() -> None:
    """2.4, dummy values"""
    assert base64.b64decode(SKIP) == b"skip_thought_signature_validator"


@pytest.mark.parametrize(
    ("model", "skips"),
    [
        (NEW, True),
        ("gemini-3-flash-preview", True),
        ("gemini-4-argon", True),
        (OLD, False),
        ("gemini-2.5-pro", False),
        ("gemini-2.0-flash", False),
    ],
)
def test_an_unsigned_call_gets_the_skip_value_on_three_only(model: str, skips: bool) -> None:
    """2.4, dummy values, and it is said"""
    done = rendered(chat(user("hi"), assistant(None, call("c1"), call("c2")), result("c1"), result("c2")), model)
    parts = done.body["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [SKIP if skips else None, None]
    assert codes(done.losses) == (["2.4:skip_signature"] if skips else [])
    assert [loss.path for loss in done.losses] == (["$.messages[1]"] if skips else [])


def test_each_step_gets_its_own() -> None:
    """2.4, sequential steps: the first call of each step that lacks one"""
    steps = [
        user("hi"),
        assistant(None, call("a", extra_content=GOOGLE)),
        result("a"),
        assistant(None, call("b"), call("c")),
        result("b"),
        result("c"),
        assistant("now", call("d", extra_content={"google": {"thought_signature": OTHER}})),
        result("d"),
    ]
    told_contents = contents(*steps)
    first = [
        next(part for part in content["parts"] if "functionCall" in part)["thoughtSignature"]
        for content in told_contents
        if content["role"] == "model"
    ]
    assert first == [SIG, SKIP, OTHER]


# -- family mismatch --------------------------------------------------------------------------------------------------


def signed_by(family: str | None, kind: type[Any] = ToolCall) -> Any:
    """A conversation whose call, or text, was signed by a family."""
    body = chat(user("hi"), assistant("yes", call("c1", extra_content=GOOGLE), extra_content=GOOGLE), result("c1"))
    request = CHAT.parse_request(body)
    parts = tuple(
        msgspec.structs.replace(part, signature=Signature("google", SIG, family)) if isinstance(part, kind) else part
        for part in request.messages[1].parts
    )
    messages = (request.messages[0], msgspec.structs.replace(request.messages[1], parts=parts), request.messages[2])
    return msgspec.structs.replace(request, messages=messages)


def test_another_familys_signature_is_not_sent() -> None:
    """2.4, rule f: it would be a 400; the call goes with the skip value, the text without"""
    own = target().signer
    for family, sent in ((own, SIG), (None, SIG), ("gemini-2@gemini", SKIP), ("gemini-3@vertex", SKIP)):
        done = GEMINI.render_request(signed_by(family), target())
        assert done.body["contents"][1]["parts"][1]["thoughtSignature"] == sent
        assert codes(done.losses) == ([] if sent == SIG else ["2.4:foreign_signature", "2.4:skip_signature"])
    done = GEMINI.render_request(signed_by("gemini-2@gemini", Text), target())
    assert done.body["contents"][1]["parts"][0] == {"text": "yes"}
    assert codes(done.losses) == ["2.4:foreign_signature"]
    old = GEMINI.render_request(signed_by(own), target(OLD))
    assert "thoughtSignature" not in old.body["contents"][1]["parts"][1]


def test_another_vendors_signature_is_not_sent() -> None:
    """2.4, rule f"""
    request = signed_by(None)
    call_part = msgspec.structs.replace(request.messages[1].parts[1], signature=Signature("anthropic", SIG))
    spoken = msgspec.structs.replace(request.messages[1], parts=(request.messages[1].parts[0], call_part))
    request = msgspec.structs.replace(request, messages=(request.messages[0], spoken, request.messages[2]))
    done = GEMINI.render_request(request, target())
    assert done.body["contents"][1]["parts"][1]["thoughtSignature"] == SKIP
    assert "2.4:foreign_signature" in codes(done.losses)


# -- the store (channel D) --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("model", [OLD, NEW])
def test_thoughts_that_only_another_vendor_can_read_leave_no_empty_part(model: str, sealed: bool) -> None:
    """Claude's redacted thoughts, and OpenAI's whose summary is empty, in front of each call of an agent."""
    seal = Signature("openai", "c2VhbA==") if sealed else None
    said = Message(Role.ASSISTANT, (Reasoning("", seal, redacted=sealed), ToolCall("call_1", "look_up", "{}")))
    answered = Message(Role.USER, (ToolResult("call_1", "look_up", (Text("ok"),)),))
    hello = Message(Role.USER, (Text("Hello"),))
    told = GEMINI.render_request(Request(model, (hello, said, answered)), target(model))
    assert [next(iter(part)) for part in told.body["contents"][1]["parts"]] == ["functionCall"]
    assert ("2.4:foreign_signature" in codes(told.losses)) is sealed


def kept(body: Json, signer: str = "gemini-3@gemini", *, streamed: bool = False) -> dict[str, Any]:
    """What the vault holds after an answer."""
    recorder = TurnRecorder(signer)
    if streamed:
        for event in read([body]):
            recorder.feed(event)
    else:
        recorder.feed_response(GEMINI.parse_response(body, reading()))
    return {key: record for keys, record in recorder.records() for key in keys}


def replayed(body: Json, found: dict[str, Any], *messages: Json) -> list[Json]:
    request = CHAT.parse_request(chat(user("hi"), *messages))
    assert set(keys_of_request(request)) & set(found)
    done: list[Json] = GEMINI.render_request(restore(request, found), target()).body["contents"]
    return done


def bare(said: Json, **changes: Any) -> Json:
    """A message as most clients keep it: no field they do not know."""
    entries = [
        {key: entry[key] for key in ("id", "type", "function")} | changes for entry in said.get("tool_calls", ())
    ]
    return assistant(said["content"], *entries)


UP: Json = {"functionCall": {"id": "up1", "name": "look_up", "args": {"a": 1}}, "thoughtSignature": SIG}
SECOND: Json = {"functionCall": {"id": "up2", "name": "look_up", "args": {}}}


@pytest.mark.parametrize("streamed", [False, True])
def test_a_client_that_drops_what_it_does_not_know_gets_its_turn_back_exactly(streamed: bool) -> None:
    """2.4, channel D, by call id: signature, Google's own ids, hidden parts and order"""
    code: Json = {"executableCode": {"language": "PYTHON", "code": "x"}, "thoughtSignature": OTHER}
    parts = [{"text": "one "}, code, {"text": "two"}, UP, SECOND]
    body = answer(*parts)
    found = kept(body, streamed=streamed)
    said = bare(message(body))
    ids = [entry["id"] for entry in said["tool_calls"]]
    told_contents = replayed(body, found, said, *[result(id_) for id_ in ids])
    assert told_contents[1]["parts"] == parts
    assert [part["functionResponse"]["id"] for part in told_contents[2]["parts"]] == ["up1", "up2"]


def test_a_client_may_shorten_the_ids() -> None:
    """2.4, channel D: OpenClaw strips all but letters and digits and cuts to 40"""
    body = answer(UP)
    [entry] = bare(message(body))["tool_calls"]
    short = "".join([c for c in entry["id"] if c.isalnum()])[:40]
    assert short != entry["id"]
    told_contents = replayed(body, kept(body), assistant(None, {**entry, "id": short}), result(short))
    assert told_contents[1]["parts"] == [UP]
    assert told_contents[2]["parts"][0]["functionResponse"]["id"] == "up1"


def test_a_text_is_known_by_its_hash() -> None:
    """2.4, channel D, response text hash"""
    for parts in ([{"text": "yes", "thoughtSignature": SIG}], [{"text": "yes"}, {"text": "", "thoughtSignature": SIG}]):
        body = answer(*parts)
        assert replayed(body, kept(body), assistant("yes"), user("go"))[1]["parts"] == parts


def test_an_edited_turn_keeps_each_calls_own_signature_and_no_more() -> None:
    """2.4, rule e: nothing is moved to another part"""
    body = answer({"text": "one", "thoughtSignature": OTHER}, UP, SECOND)
    said = bare(message(body))
    first, second = said["tool_calls"]
    edited = assistant("something else", first)
    told_contents = replayed(body, kept(body), edited, result(first["id"]))
    assert told_contents[1]["parts"] == [{"text": "something else"}, UP]
    only_second = replayed(body, kept(body), assistant("one", second), result(second["id"]))
    assert only_second[1]["parts"] == [{"text": "one"}, {**SECOND, "thoughtSignature": SKIP}]


def test_what_is_kept_wins_over_what_the_client_sent() -> None:
    """2.4: A is used only if D has no record"""
    body = answer(UP)
    [entry] = bare(message(body))["tool_calls"]
    forged = {**entry, "extra_content": {"google": {"thought_signature": OTHER}}}
    assert replayed(body, kept(body), assistant(None, forged), result(entry["id"]))[1]["parts"] == [UP]


def test_what_another_family_signed_stays_home() -> None:
    """2.4, rule f, for what the vault kept"""
    body = answer(UP)
    said = bare(message(body))
    told_contents = replayed(body, kept(body, "gemini-2@gemini"), said, result(said["tool_calls"][0]["id"]))
    assert told_contents[1]["parts"][0]["thoughtSignature"] == SKIP


def test_an_answer_read_with_a_family_says_who_signed() -> None:
    """2.4, rule f: stored with model and backend"""
    response = GEMINI.parse_response(answer(UP), reading(signer="gemini-3@gemini"))
    [found] = response.candidates[0].parts
    assert isinstance(found, ToolCall)
    assert found.signature == Signature("google", SIG, "gemini-3@gemini")
    [streamed] = told([answer(UP)], signer="gemini-3@gemini").candidates[0].parts
    assert streamed == found


@pytest.mark.parametrize("spelling", [SIG, "-_8=", "-_8", "+/8="])
def test_a_signature_is_passed_on_as_it_stood(spelling: str) -> None:
    """2.4; traffic.md 3.6: both base64 alphabets are accepted, so nothing is rewritten"""
    said = assistant(None, call("c1", extra_content={"google": {"thought_signature": spelling}}))
    assert contents(user("hi"), said, result("c1"))[1]["parts"][0]["thoughtSignature"] == spelling
