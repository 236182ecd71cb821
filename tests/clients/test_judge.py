"""The checks of clients can fail: what is missing from the evidence is told, whatever the client itself says."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from PIL import Image

from clients import judge
from clients.client import Api, Client, Dialect, Npm, Said, Turn
from clients.evidence import Asked, Evidence, Logged, Sent, read_asked
from clients.judge import COLOUR, Case, judged
from portico.simulator.models import find
from portico.simulator.signatures import Signer

MODEL: Final = "gemini-3.5-flash"
PATH: Final = f"/v1beta/models/{MODEL}:streamGenerateContent"
WORDS: Final = "word0 word1 word2"
MESSAGE: Final = "The model 'wrong' does not exist."
LINE: Final = Logged("POST", "/v1/chat/completions", 200, "openai_chat", MODEL, True, "ours", "")
SENT: Final = Sent("/v1/chat/completions", {"model": MODEL, "stream": True, "x": "[[sim:words=3]]"}, 200, 12, 0.4)
CLIENT: Final = Client("ours", "Ours", Npm("ours", "ours"), (Api("chat", Dialect.CHAT),), lambda *_: Said(0, ""), "")


def signed(name: str) -> dict[str, Any]:
    part = {"functionCall": {"name": name, "args": {}}}
    model = find(MODEL)
    assert model is not None
    return part | {"thoughtSignature": Signer(0).sign(model.family, part)}


def picture(colour: tuple[int, int, int]) -> dict[str, Any]:
    made = io.BytesIO()
    Image.new("RGB", (9, 9), colour).save(made, "PNG")
    return {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(made.getvalue()).decode()}}


def asked(*parts: dict[str, Any], tools: bool = False, path: str = PATH, status: int = 200) -> Asked:
    contents = [{"role": "user", "parts": [{"text": "[[sim:words=3]]"}]}, {"role": "model", "parts": [*parts]}]
    return Asked(path, {"contents": contents, **({"tools": [{}]} if tools else {})}, status)


RESULT: Final[dict[str, Any]] = {"functionResponse": {"name": "write", "response": {}}}
UNSIGNED: Final[dict[str, Any]] = {"functionCall": {"name": "write", "args": {}}}


def case(tmp_path: Path) -> Case:
    """A turn in which all went well."""
    file = tmp_path / "told.txt"
    file.write_text("told\n")
    turn = Turn("any", "…", MODEL, stream=True, file=file, content="told")
    seen = Evidence((LINE,), (asked(tools=True), asked(signed("write"), RESULT, picture(COLOUR), tools=True)), (SENT,))
    return Case(CLIENT, Dialect.CHAT, turn, Said(0, f"[simulated] Done: so it is. {WORDS}", pieces=4), seen, words=3)


def a_value(tmp_path: Path) -> Case:
    """The same of a client that ends with a value."""
    return replace(case(tmp_path), client=replace(CLIENT, values=True), said=Said(0, "4 characters written"))


UNKNOWN: Final = Sent("/v1/chat/completions", {"model": MODEL}, 404, 1, 0.0)
REFUSED: Final = replace(LINE, status=404, model="", error="model_not_found")


def wrong_model(tmp_path: Path) -> Case:
    return replace(
        case(tmp_path),
        seen=Evidence((REFUSED,), (), (UNKNOWN,)),
        said=Said(1, "", f"Error: {MESSAGE}"),
        message=MESSAGE,
    )


def two_calls(tmp_path: Path) -> Case:
    files = {tmp_path / name: name for name in ("one", "two")}
    for file, content in files.items():
        file.write_text(content)
    told = asked(signed("write"), UNSIGNED, RESULT, RESULT, tools=True)
    return replace(case(tmp_path), seen=Evidence((LINE,), (asked(tools=True), told), (SENT,)), files=files)


SHAPED: Final = '{"city": "Oslo", "days": 37}'


def in_a_shape(tmp_path: Path) -> Case:
    wanted = Asked(PATH, {"generationConfig": {"responseJsonSchema": {"properties": {"city": {}, "days": {}}}}}, 200)
    seen = Evidence((LINE,), (wanted,), (SENT,))
    return replace(case(tmp_path), said=Said(0, SHAPED), seen=seen, shaped={"city": "Oslo", "days": 37})


EVERY: Final = [judge.text, judge.stream, judge.tool, judge.result, judge.image]


@pytest.mark.parametrize("one", EVERY)
def test_a_turn_in_which_all_went_well_passes(one: Callable[[Case], None], tmp_path: Path) -> None:
    assert judged(one, case(tmp_path)).state == "passed"


def test_a_wrong_model_told_in_words_passes(tmp_path: Path) -> None:
    assert judged(judge.error, wrong_model(tmp_path)).state == "passed"


def test_several_calls_at_once_pass_if_all_ran_and_all_were_told(tmp_path: Path) -> None:
    good = two_calls(tmp_path)
    assert judged(judge.parallel, good).state == "passed"
    one_by_one = (asked(signed("write"), RESULT), asked(signed("write"), RESULT, RESULT))
    outcome = judged(judge.parallel, replace(good, seen=Evidence((LINE,), one_by_one, (SENT,))))
    assert "1 result(s) first, of 2" in outcome.reason
    (tmp_path / "two").write_text("one")
    assert "two was not written" in judged(judge.parallel, good).reason


def test_a_shape_passes_if_the_model_was_asked_for_it_and_the_client_has_it(tmp_path: Path) -> None:
    good = in_a_shape(tmp_path)
    assert judged(judge.structured, good).state == "passed"
    assert "no shape" in judged(judge.structured, replace(good, **seen(asked()))).reason
    for said in ('{"city": "Oslo", "days": 36}', "Oslo, for 37 days"):
        assert "the value is not" in judged(judge.structured, replace(good, said=Said(0, said))).reason


def seen(*requests: Asked, lines: tuple[Logged, ...] = (LINE,), sent: tuple[Sent, ...] | None = None) -> dict[str, Any]:
    return {"seen": Evidence(lines, requests, (SENT,) if sent is None else sent)}


FAILURES: Final[list[tuple[str, Callable[[Case], None], dict[str, Any], str]]] = [
    ("a word is missing", judge.text, {"said": Said(0, "word0 word2")}, "2 of 3 words"),
    ("it failed", judge.text, {"said": Said(1, WORDS)}, "exit code 1"),
    ("it hung", judge.text, {"said": Said(None, WORDS)}, "did not end in time"),
    ("another dialect", judge.text, {"dialect": Dialect.MESSAGES}, "was not asked"),
    ("no model", judge.text, seen(), "no model was asked"),
    ("an error", judge.text, seen(asked(), lines=(LINE, replace(LINE, status=400, error="bad"))), "answered 400"),
    ("not streamed", judge.stream, seen(asked(), lines=(replace(LINE, stream=False),)), "for a stream"),
    ("held back", judge.stream, seen(asked(path=PATH.replace("stream", ""))), "the model was not asked for a stream"),
    ("sent at once", judge.stream, seen(asked(), sent=(replace(SENT, over_s=0.01),)), "in 12 piece(s) within 0.01 s"),
    ("one piece", judge.stream, seen(asked(), sent=(replace(SENT, pieces=1),)), "in 1 piece(s)"),
    ("nothing came by", judge.stream, seen(asked(), sent=()), "to no stream"),
    ("no tools", judge.tool, seen(asked()), "no tools"),
    ("no file", judge.tool, {"turn": Turn("any", "", MODEL, file=Path("/nowhere"))}, "no file"),
    ("no result", judge.result, seen(asked(signed("write"))), "no result"),
    ("refused", judge.result, seen(asked(), asked(signed("write"), RESULT, status=400)), "no result"),
    ("unsigned", judge.result, seen(asked(UNSIGNED, RESULT)), "signature: write"),
    ("another's", judge.result, seen(asked(UNSIGNED | {"thoughtSignature": "aGk="}, RESULT)), "signature: write"),
    (
        "skipped",
        judge.result,
        seen(asked(UNSIGNED | {"thoughtSignature": "skip_thought_signature_validator"}, RESULT)),
        "signature: write",
    ),
    ("no words after", judge.result, {"said": Said(0, "[simulated] Calling.")}, "no answer in words"),
    ("no picture", judge.image, seen(asked()), "no picture"),
    ("another picture", judge.image, seen(asked(picture((0, 0, 0)))), "looks another"),
]


@pytest.mark.parametrize(("one", "changed", "reason"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
def test_what_did_not_happen_fails(
    one: Callable[[Case], None], changed: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    outcome = judged(one, replace(case(tmp_path), **changed))
    assert outcome.state == "failed"
    assert reason in outcome.reason


def test_a_client_that_ends_with_a_value_shows_a_result_by_the_tool_that_ran_after_it(tmp_path: Path) -> None:
    good = a_value(tmp_path)
    assert judged(judge.result, good).state == "passed"
    assert "no result" in judged(judge.result, replace(good, **seen(asked(signed("write"), tools=True)))).reason
    assert good.turn.file is not None
    good.turn.file.unlink()
    assert "no file" in judged(judge.result, good).reason


def test_a_file_of_other_content_fails(tmp_path: Path) -> None:
    turn = case(tmp_path)
    assert turn.turn.file is not None
    turn.turn.file.write_text("untold")
    assert judged(judge.tool, turn).state == "failed"


PIECEMEAL: Final = tuple(f"{word} " for word in WORDS.split())


@pytest.mark.parametrize(
    ("pieces", "said", "reason"),
    [
        ("tells", Said(0, WORDS, pieces=3), ""),
        ("tells", Said(0, WORDS, pieces=1), "in 1 piece(s)"),
        ("tells", Said(0, WORDS, grew=PIECEMEAL), "in 0 piece(s)"),
        ("prints", Said(0, WORDS, grew=("Welcome!\n", *PIECEMEAL)), ""),
        ("prints", Said(0, WORDS, grew=("Welcome!\n", "Thinking\n", WORDS, "Bye\n")), "in 1 piece(s)"),
        ("prints", Said(0, WORDS), "in 0 piece(s)"),
        ("ends", Said(0, WORDS, grew=(WORDS,)), ""),
    ],
)
def test_a_stream_shows_at_its_other_end_as_the_client_lets_it(
    pieces: Literal["tells", "prints", "ends"], said: Said, reason: str, tmp_path: Path
) -> None:
    turn = replace(case(tmp_path), client=replace(CLIENT, pieces=pieces), said=said)
    outcome = judged(judge.stream, turn)
    assert outcome.state == ("failed" if reason else "passed")
    assert reason in outcome.reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"said": Said(1, "", "Something went wrong.")}, "does not pass on"),
        (seen(lines=(replace(REFUSED, status=401),), sent=(UNKNOWN,)), "answered [401, 404]"),
        (seen(asked(), sent=(UNKNOWN,)), "was not asked"),
        (seen(lines=(REFUSED,), sent=(replace(UNKNOWN, body={"model": "another"}),)), f"was not asked for {MODEL}"),
        (seen(lines=(REFUSED,), sent=(UNKNOWN, SENT)), "answered [200, 404]"),
        (seen(lines=(REFUSED,), sent=(UNKNOWN, replace(UNKNOWN, body={"model": "another"}))), "refused another"),
    ],
    ids=["no words", "no key", "not asked", "another was asked for", "answered once", "another was refused as well"],
)
def test_a_wrong_model_that_is_not_told_so_fails(changed: dict[str, Any], reason: str, tmp_path: Path) -> None:
    outcome = judged(judge.error, replace(wrong_model(tmp_path), **changed))
    assert outcome.state == "failed"
    assert reason in outcome.reason


def test_a_model_is_named_in_the_body_or_in_the_path() -> None:
    assert UNKNOWN.model == MODEL
    assert Sent("/v1beta/models/any.of-ours:generateContent", {}, 404, 1, 0.0).model == "any.of-ours"


OTHERWISE: Final = {
    "functionCall": "function_call",
    "functionResponse": "function_response",
    "inlineData": "inline_data",
    "thoughtSignature": "thought_signature",
}


@pytest.mark.parametrize("one", [judge.result, judge.image])
def test_what_gemini_is_told_in_its_other_spelling_is_seen(one: Callable[[Case], None], tmp_path: Path) -> None:
    turn = case(tmp_path)
    lines = [{"path": each.path, "body": each.body, "status": each.status} for each in turn.seen.asked]
    text = "\n".join(json.dumps(line) for line in lines)
    for name, other in OTHERWISE.items():
        text = text.replace(f'"{name}"', f'"{other}"')
    seen_again = replace(turn.seen, asked=read_asked(text.encode()))
    assert judged(one, replace(turn, seen=seen_again)).state == "passed"
    assert [each.unsigned for each in seen_again.asked] == [[], []]


def edited(tmp_path: Path) -> Case:
    """A turn of a client that edits by words: it ran something, and told the model what that printed."""
    told = asked({"text": "dlot"})
    return replace(
        case(tmp_path),
        client=replace(CLIENT, edits=True),
        seen=Evidence((LINE,), (asked(), told), (SENT,)),
        said=Said(0, "[simulated]\nwhat was asked\n[simulated] You said: dlot"),
    )


@pytest.mark.parametrize("one", [judge.tool, judge.result])
def test_a_client_that_edits_by_words_needs_no_tools(one: Callable[[Case], None], tmp_path: Path) -> None:
    assert judged(one, edited(tmp_path)).state == "passed"


@pytest.mark.parametrize("changed", [seen(asked()), {"said": Said(0, "[simulated]\nwhat was asked")}])
def test_a_client_that_edits_by_words_and_tells_nobody_fails(changed: dict[str, Any], tmp_path: Path) -> None:
    assert judged(judge.result, replace(edited(tmp_path), **changed)).state == "failed"


def test_a_picture_in_the_base64_of_addresses_is_seen(tmp_path: Path) -> None:
    red, green, blue = COLOUR
    blobs = [picture((red, green, blue + more))["inlineData"]["data"] for more in range(20)]
    other = next(blob for blob in blobs if "+" in blob or "/" in blob).replace("+", "-").replace("/", "_")
    told = {"inlineData": {"mimeType": "image/png", "data": other}}
    assert judged(judge.image, replace(case(tmp_path), **seen(asked(told)))).state == "passed"
