"""What is learned of a provider: which words are a refusal, what they say of a model, how long that is remembered (1.6)."""

from typing import Any

import msgspec
import pytest

from dialects.dialect_rows import chat
from portico.core.errors import ContextLengthExceeded, UpstreamRejected
from portico.core.target import UNJUDGED, Capabilities, Target, ThinkingControl, ThinkingSpec
from portico.dialects import gemini, openai_chat
from portico.dialects.gemini.refusals import refused_field, refuses_value
from portico.relay.learned import Learned, narrowed
from portico.wire import jsontext

REFUSALS = [
    ("Penalty is not enabled for models/gemini-2.5-flash", "penalties"),
    ("Presence penalty is not supported for this model.", "penalties"),
    ("* GenerateContentRequest.generation_config.frequency_penalty: frequency_penalty is not supported", "penalties"),
    ("Logprobs is not enabled for models/gemini-2.5-flash", "logprobs"),
    ("Multiple candidates is not enabled for this model", "n"),
    ("The model does not support candidate_count greater than 1", "n"),
    ("Thinking is not enabled for models/gemini-2.0-flash", "thinking"),
    ("Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.", "thinking"),
    ("Unable to submit request because thinking_budget is not supported by this model", "thinking"),
    ("Budget 0 is invalid. This model only works in thinking mode.", "thinking"),
    ("seed is not supported", "seed"),
    ("This model does not support temperature.", "sampling"),
    ("topK is not supported for models/gemini-3.8-flash.", "sampling"),
    ("Sampling is fixed. top_p is not allowed.", "sampling"),
    ("mediaResolution is not supported on a part.", "part_resolution"),
    ("Unknown name \"mediaResolution\" at 'contents[0].parts[0]': Cannot find field.", "part_resolution"),
    ("Request contains an invalid argument.", None),
    ("The temperature must be in the range [0, 2]. Streaming is not supported here.", None),
    ("Function calling with a response mime type: 'application/json' is unsupported", None),
    ("Function calling is not enabled for models/gemma-3-27b-it", None),
    ("You can only set only one of thinking budget and thinking level.", None),
    ("Invalid value at 'generation_config.seed' (TYPE_INT32), 99999999999", None),
    ("Please use a valid role: user, model.", None),
    ("", None),
]  # fmt: skip


@pytest.mark.parametrize(("message", "field"), REFUSALS)
def test_the_field_that_a_message_refuses_is_recognised(message: str, field: str | None) -> None:
    assert refused_field(message) == field


VALUES = [
    "Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.",
    "Budget 0 is invalid. This model only works in thinking mode.",
    "The thinking budget 99999 is invalid. Please choose a value between 512 and 24576.",
    "temperature 3 is not supported for this model",
    "Invalid value at 'generation_config.thinking_config.thinking_level': 'x' is not supported",
    "Thinking level 'deep' is not allowed.",
    'media_resolution "MEDIA_RESOLUTION_ULTRA_HIGH" is not supported.',
]


@pytest.mark.parametrize("message", [message for message, field in REFUSALS if field is not None] + VALUES)
def test_the_refusal_of_a_value_is_told_from_that_of_a_field(message: str) -> None:
    assert refuses_value(message) is (message in VALUES)


def error(message: str, status: int = 400, word: str = "INVALID_ARGUMENT") -> Any:
    body = {"error": {"code": status, "message": message, "status": word}}
    return gemini.DIALECT.parse_error(status, jsontext.encode(body))


def test_an_invalid_argument_names_the_field_it_is_about() -> None:
    told = error("Penalty is not enabled for models/x")
    assert isinstance(told, UpstreamRejected)
    assert told.refused == "penalties"
    assert error("Something else").refused is None


@pytest.mark.parametrize(
    ("message", "status", "word"),
    [
        ("Penalty is not enabled", 400, "FAILED_PRECONDITION"),
        ("Penalty is not enabled", 500, "INTERNAL"),
        ("Penalty is not enabled", 404, "NOT_FOUND"),
        ("The input token count exceeds the maximum number of tokens; seed is not supported", 400, "INVALID_ARGUMENT"),
    ],
)
def test_no_other_error_refuses_a_field(message: str, status: int, word: str) -> None:
    told = error(message, status, word)
    assert getattr(told, "refused", None) is None
    assert isinstance(told, ContextLengthExceeded) or "token" not in message


# -- what it says of a model -----------------------------------------------------------------------------------------

ABLE = Target(
    "gemini-x",
    "vertex",
    Capabilities(
        thinking=ThinkingSpec(ThinkingControl.LEVEL, levels=("low", "high"), effort={"low": "low"}),
        penalties=True,
        logprobs=True,
        max_candidates=8,
        input_modalities=frozenset({"text", "image"}),
    ),
)
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aaaa", "detail": "high"}}
LEFT_OUT: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("penalties", chat(presence_penalty=1, frequency_penalty=1), "Penalty", ["1.1:penalties", "1.1:penalties"]),
    ("logprobs", chat(logprobs=True, top_logprobs=3), "ogprobs", ["1.1:logprobs"]),
    ("n", chat(n=3), "candidateCount", ["1.1:n"]),
    ("thinking", chat(reasoning_effort="low"), "thinking", ["1.7:none"]),
    ("seed", chat(seed=1), "seed", ["1.1:seed"]),
    ("sampling", chat(temperature=1, top_p=1, top_k=1), "top", ["1.1:sampling"]),
    ("part_resolution", chat({"role": "user", "content": [IMAGE]}), '"mediaResolution":{', []),
]


@pytest.mark.parametrize(("field", "body", "wire", "codes"), LEFT_OUT, ids=[row[0] for row in LEFT_OUT])
def test_a_learned_field_is_left_out_and_told(field: str, body: Any, wire: str, codes: list[str]) -> None:
    request = openai_chat.DIALECT.parse_request(body)
    before = gemini.DIALECT.render_request(request, ABLE)
    after = gemini.DIALECT.render_request(request, narrowed(ABLE, frozenset({field})))
    assert wire in jsontext.encode(before.body).decode()
    assert wire not in jsontext.encode(after.body).decode()
    assert before.losses == []
    assert [loss.code for loss in after.losses] == codes


def test_a_target_whose_caller_speaks_to_it_is_never_changed() -> None:
    own = msgspec.structs.replace(ABLE, capabilities=UNJUDGED, own=True)
    assert narrowed(own, frozenset(row[0] for row in LEFT_OUT)) is own
    assert narrowed(ABLE, frozenset()) is ABLE


# -- how long --------------------------------------------------------------------------------------------------------


def test_what_is_learned_is_forgotten_after_an_hour() -> None:
    learned = Learned()
    learned.remember("p", "m", frozenset({"seed"}), 1000.0)
    learned.remember("p", "m", frozenset({"n"}), 1010.0)
    assert learned.fields("p", "m", 1000.0 + 3599) == {"seed", "n"}
    assert learned.fields("p", "m", 1000.0 + 3601) == {"n"}
    assert learned.fields("q", "m", 1000.0) == learned.fields("p", "other", 1000.0) == frozenset()
    assert len(learned) == 1
    assert learned.fields("p", "m", 1010.0 + 3601) == frozenset()
    assert len(learned) == 0


def test_what_is_learned_is_bounded() -> None:
    learned = Learned(max_models=3)
    for number in range(10):
        learned.remember("p", f"m{number}", frozenset({"seed"}), 0.0)
    assert len(learned) == 3
    assert learned.fields("p", "m6", 1.0) == frozenset()
    assert learned.fields("p", "m7", 1.0) == {"seed"}
