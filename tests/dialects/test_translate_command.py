"""`portico translate`, run as a process: what it prints, where, and what it exits with."""

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dialects.dialect_rows import (
    CHAT,
    GEMINI,
    Json,
    answer,
    answers,
    assistant,
    call,
    chat,
    chunks,
    result,
    translator,
    user,
)
from gateway import preloaded
from portico.wire import jsontext
from portico.wire.sse import Frame, SseDecoder

TO_GEMINI = ("--from", "openai_chat", "--to", "gemini")
TO_CHAT = ("--from", "gemini", "--to", "openai_chat")
USAGE: Json = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
CALL: Json = {"functionCall": {"name": "look_up", "args": {"a": 1}}}
THOUGHT: Json = {"text": "hm", "thought": True}


def run(*args: str, given: Any = b"") -> "subprocess.CompletedProcess[bytes]":
    """The command with this on standard input (JSON values are written as one document)."""
    data = given if isinstance(given, bytes) else json.dumps(given).encode()
    done = asyncio.run(preloaded.run_with(data, "translate", *args, folder=Path.cwd()))
    return subprocess.CompletedProcess(args, *done)


def run_anew(*args: str, given: bytes) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "portico", "translate", *args]
    return subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)


def test_a_process_that_loads_what_it_needs_says_the_same() -> None:
    for args in (TO_GEMINI, TO_CHAT):
        done = [one("request", *args, given=b'{"model": "gemini-3.5-flash"}') for one in (run, run_anew)]
        assert len({(one.returncode, one.stdout, one.stderr) for one in done}) == 1


def translated(*args: str, given: Any = b"", code: int = 0) -> Any:
    """The one document the command prints, and nothing else."""
    done = run(*args, given=given)
    assert done.returncode == code, done.stderr
    assert done.stderr == b""
    assert done.stdout.endswith(b"\n")
    assert done.stdout.count(b"\n") == 1
    return jsontext.decode(done.stdout)


def lines(*args: str, given: list[Any], code: int = 0) -> list[Any]:
    """What --jsonl prints: one line for each line."""
    data = b"".join([(one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in given])
    done = run(*args, "--jsonl", given=data)
    assert done.returncode == code, done.stderr
    assert done.stderr == b""
    return [jsontext.decode(line) for line in done.stdout.splitlines()]


def stream_of(*bodies: Any) -> bytes:
    return b"".join([GEMINI.frame(Frame(jsontext.encode(body))) for body in bodies])


def chat_events(data: bytes) -> list[Any]:
    decoder = SseDecoder()
    frames = decoder.feed(data) + decoder.close()
    return [frame.data.decode() if frame.data == b"[DONE]" else jsontext.decode(frame.data) for frame in frames]


# -- requests ---------------------------------------------------------------------------------------------------------

REQUEST = chat(
    {"role": "system", "content": "Be brief."},
    user("hi"),
    assistant(None, call("call_a")),
    result("call_a"),
    user("go", name="Ada"),
    temperature=0.5,
    max_tokens=100,
    logit_bias={"1": 1},
)


def test_a_request_is_printed_with_its_losses_as_serving_would_send_it() -> None:
    told = translated("request", *TO_GEMINI, given=REQUEST)
    expected = translator().request(REQUEST)
    assert told["body"] == jsontext.decode(jsontext.encode(expected.body))
    assert [loss["code"] for loss in told["losses"]] == [loss.code for loss in expected.losses]
    assert {"1.2:name", "1.1:unsupported", "2.4:skip_signature", "9:small_max_tokens"} == {
        loss["code"] for loss in told["losses"]
    }
    assert all(set(loss) == {"code", "path", "message"} for loss in told["losses"])


def test_a_request_goes_the_other_way_too() -> None:
    native = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"topP": 0.5}}
    told = translated("request", *TO_CHAT, "--model", "gemini-3.5-flash", given=native)
    assert told["body"] == {
        "model": "gemini-3.5-flash",
        "messages": [{"role": "user", "content": "hi"}],
        "top_p": 0.5,
    }


def test_the_model_given_decides_what_is_sent() -> None:
    body = chat(reasoning_effort="low")
    for model, thinking in (
        ("gemini-2.5-pro", {"thinkingBudget": 1024}),
        ("gemini-3.5-flash", {"thinkingLevel": "LOW"}),
        ("gemini-2.5-flash-thinking", {"thinkingBudget": 1024, "includeThoughts": True}),
        ("some-model-nobody-knows", {}),
    ):
        told = translated("request", *TO_GEMINI, "--model", model, given=body)
        assert told["body"].get("generationConfig", {}).get("thinkingConfig", {}) == thinking


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (b"{", {"code": "invalid_json", "param": None, "status": 400}),
        (b"", {"code": "invalid_json", "param": None, "status": 400}),
        (b"\xff", {"code": "invalid_json", "param": None, "status": 400}),
        ({**chat(), "temperature": 3}, {"code": "invalid_value", "param": "$.temperature", "status": 400}),
        ({**chat(), "logprobs": True}, {"code": "unsupported_parameter", "param": "$.logprobs", "status": 400}),
        ([], {"code": "invalid_value", "param": "$", "status": 400}),
    ],
    ids=["cut", "nothing", "not UTF-8", "out of bounds", "unsupported", "no object"],
)
def test_a_document_that_cannot_be_translated_is_an_error_and_exit_1(given: Any, error: Json) -> None:
    told = translated("request", *TO_GEMINI, given=given, code=1)
    assert set(told) == {"error"}
    assert {key: told["error"][key] for key in error} == error
    assert told["error"]["message"]


def test_every_line_has_its_line_in_order_and_errors_are_on_theirs() -> None:
    given = [chat(user("one")), b"{", {**chat(), "top_p": 5}, chat(user("four"))]
    told = lines("request", *TO_GEMINI, given=given, code=1)
    assert [next(iter(one)) for one in told] == ["body", "error", "error", "body"]
    assert told[0]["body"]["contents"][0]["parts"] == [{"text": "one"}]
    assert told[1]["error"]["code"] == "invalid_json"
    assert told[2]["error"]["param"] == "$.top_p"
    assert told[3]["body"]["contents"][0]["parts"] == [{"text": "four"}]


# -- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_is_printed_as_serving_would_send_it() -> None:
    body = answer(THOUGHT, {"text": "hello"}, CALL, usageMetadata=USAGE)
    told = translated("response", *TO_CHAT, "--now", "123", "--model", "mine", given=body)
    assert told["body"] == jsontext.decode(jsontext.encode(answers(now=123, model="mine").response(body).body))
    assert told["losses"] == []
    assert told["body"]["created"] == 123
    assert told["body"]["model"] == "mine"
    assert "reasoning_content" not in told["body"]["choices"][0]["message"]
    shown = translated("response", *TO_CHAT, "--thoughts", given=body)
    assert shown["body"]["choices"][0]["message"]["reasoning_content"] == "hm"


def test_ids_and_dates_are_constant_unless_they_are_given() -> None:
    body = {**answer(CALL, CALL), "responseId": None}
    first = translated("response", *TO_CHAT, given=body)
    assert first == translated("response", *TO_CHAT, given=body)
    other = translated("response", *TO_CHAT, "--seed", "7", "--now", "9", given=body)
    assert (first["body"]["created"], other["body"]["created"]) == (0, 9)
    ids = [entry["id"] for one in (first, other) for entry in one["body"]["choices"][0]["message"]["tool_calls"]]
    assert len(set(ids)) == 4
    assert all(id_.startswith("call_") and id_[5:].isalnum() and len(id_) == 29 for id_ in ids)
    assert first["body"]["id"] != other["body"]["id"]


@pytest.mark.parametrize("wrap", [lambda body: body, lambda body: [body]], ids=["bare", "in an array"])
def test_a_providers_error_body_is_an_answer_too(wrap: Any) -> None:
    error = {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}
    told = translated("response", *TO_CHAT, given=wrap(error))
    assert told["body"]["error"] == {
        "message": "Slow down.",
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    back = translated("response", *TO_GEMINI, given=told["body"])
    assert back["body"]["error"]["status"] == "RESOURCE_EXHAUSTED"


def test_an_empty_answer_is_told_as_serving_would_tell_it() -> None:
    told = translated("response", *TO_CHAT, given={"candidates": []})
    assert told["body"]["error"]["code"] == "upstream_empty"


def test_answers_line_by_line() -> None:
    told = lines("response", *TO_CHAT, given=[answer({"text": "a"}), 5, answer({"text": "b"})], code=1)
    assert [one.get("body", {}).get("choices", [{}])[0].get("message", {}).get("content") for one in told] == [
        "a",
        None,
        "b",
    ]
    assert told[1]["error"]["code"] == "bad_gateway"


# -- streams ----------------------------------------------------------------------------------------------------------

PIECES = [answer(THOUGHT, finish=None), answer({"text": "漢"}, finish=None), answer(CALL, usageMetadata=USAGE)]


def test_a_stream_is_printed_as_chunks_and_its_losses_on_standard_error() -> None:
    done = run("stream", *TO_CHAT, given=stream_of(*PIECES))
    assert done.returncode == 0
    events = chat_events(done.stdout)
    assert events[-1] == "[DONE]"
    assert events[-2]["usage"]["total_tokens"] == 5
    assert events[-2]["choices"] == []
    assert done.stderr.count(b"\n") == 1
    assert jsontext.decode(done.stderr) == {"losses": []}
    told = "".join([event["choices"][0]["delta"].get("content", "") for event in events[:-2]])
    assert told == "漢"
    assert "reasoning_content" not in done.stdout.decode()


def test_losses_of_a_plain_stream_are_one_json_line() -> None:
    done = run("stream", *TO_CHAT, given=stream_of(answer({"text": "a"}, finish="LANGUAGE")))
    [loss] = jsontext.decode(done.stderr)["losses"]
    assert loss["code"] == "2.5:finish"


def test_usage_and_thoughts_of_a_stream_are_the_callers_wish() -> None:
    without = chat_events(run("stream", *TO_CHAT, "--no-usage", given=stream_of(*PIECES)).stdout)
    assert not any("usage" in event for event in without[:-1])
    assert all(event["choices"] for event in without[:-1])
    shown = chat_events(run("stream", *TO_CHAT, "--thoughts", given=stream_of(*PIECES)).stdout)
    assert [d["reasoning_content"] for e in shown[:-2] if "reasoning_content" in (d := e["choices"][0]["delta"])] == [
        "hm"
    ]


def test_a_stream_as_a_line_is_a_list_of_events() -> None:
    told = lines(
        "stream",
        *TO_CHAT,
        "--seed",
        "3",
        given=[{"sse": PIECES}, {"sse": [json.dumps(piece) for piece in PIECES]}, {"nothing": 1}, 5],
        code=1,
    )
    assert [sorted(one) for one in told] == [["losses", "sse"], ["losses", "sse"], ["error"], ["error"]]
    assert told[0] == told[1]
    assert told[0]["sse"][-1] == "[DONE]"
    assert told[0]["sse"][-2]["usage"]["total_tokens"] == 5
    plain = run("stream", *TO_CHAT, "--seed", "3", given=stream_of(*PIECES))
    assert chat_events(plain.stdout) == told[0]["sse"]


def test_the_chunks_are_those_of_the_writer() -> None:
    told = lines("stream", *TO_CHAT, "--model", "asked", "--now", "7", given=[{"sse": PIECES}])[0]["sse"]
    expected = chunks(PIECES, include_usage=True)
    assert [_without_ids(event) for event in told] == [_without_ids(event) for event in expected]


def _without_ids(event: Any) -> Any:
    for choice in event["choices"] if isinstance(event, dict) else ():
        for entry in choice["delta"].get("tool_calls", ()):
            entry.pop("id", None)
    return event


def test_a_chat_stream_goes_to_gemini() -> None:
    sent = run("stream", *TO_CHAT, given=stream_of(*PIECES)).stdout
    done = run("stream", *TO_GEMINI, given=sent)
    frames = SseDecoder().feed(done.stdout)
    assert b"\r\n\r\n" in done.stdout
    bodies = [jsontext.decode(frame.data) for frame in frames]
    parts = [p for b in bodies for c in b.get("candidates", ()) for p in c.get("content", {}).get("parts", ())]
    assert parts[0] == {"text": "漢"}
    assert parts[1]["functionCall"]["args"] == {"a": 1}
    assert bodies[-1]["usageMetadata"]["totalTokenCount"] == 5


def test_a_stream_framed_as_one_array_is_a_stream() -> None:
    array = b"[" + b",\r\n".join([jsontext.encode(piece) for piece in PIECES]) + b"]"
    done = run("stream", *TO_CHAT, given=array)
    assert chat_events(done.stdout) == chat_events(run("stream", *TO_CHAT, given=stream_of(*PIECES)).stdout)


def test_a_stream_that_was_cut_ends_with_an_error_and_no_done() -> None:
    told = lines("stream", *TO_CHAT, given=[{"sse": PIECES[:2]}])
    assert told[0]["sse"][-1]["error"]["code"] == "upstream_incomplete"
    assert "[DONE]" not in told[0]["sse"]
    events = chat_events(run("stream", *TO_CHAT, given=stream_of(*PIECES[:2])).stdout)
    assert events[-1]["error"]["code"] == "upstream_incomplete"


# -- the untouched path, and wrong usage ------------------------------------------------------------------------------

AWKWARD = b'{ "z" : 1.0,\t"a":[ 12345678901234567890 , 1e2 ],"u":"\\u6f22\\/","model":"m"  }'


@pytest.mark.parametrize("what", ["request", "response"])
def test_raw_bytes_are_untouched(what: str) -> None:
    for dialect in (CHAT.name, GEMINI.name):
        both = (what, "--from", dialect, "--to", dialect, "--raw")
        assert AWKWARD in run(*both, given=AWKWARD).stdout
        assert run(*both, "--jsonl", given=AWKWARD + b"\n" + AWKWARD + b"\n").stdout.count(AWKWARD) == 2


def test_a_raw_stream_is_untouched() -> None:
    data = b': hi\r\ndata:  {"a" : 1.0}\r\n\r\nevent: x\ndata: [DONE]\n\n'
    assert run("stream", "--from", "gemini", "--to", "gemini", "--raw", given=data).stdout == data


# (arguments) that make no sense
WRONG: list[tuple[str, ...]] = [
    (),
    ("request",),
    ("request", "--from", "gemini"),
    ("request", "--from", "gemini", "--to", "klingon"),
    ("song", *TO_CHAT),
    ("request", *TO_CHAT, "--frobnicate"),
    ("request", *TO_CHAT, "--seed", "x"),
    ("request", *TO_CHAT, "--raw"),
]


def test_wrong_usage_is_exit_2_and_nothing_on_standard_output() -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = pool.map(lambda args: run(*args), WRONG)
    for args, done in zip(WRONG, runs, strict=True):
        assert done.returncode == 2, args
        assert done.stdout == b"", args
        assert done.stderr, args
