"""A provider that refuses an optional field is asked once more without it, and for an hour never again with it (1.6)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.house import House, Json, Script, answers, chat, fails, open_house, says
from gateway.vendors import GPT, ask_messages, gpt_message, gpt_says, message
from portico.catalog import OperatorModel
from portico.providers import KINDS
from portico.wire.http import Exchange

HOUR_S = 3600.0
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="
OLD = OperatorModel("old", "gemini/gemini-2.0-flash")


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


class Picky:
    """A provider that refuses some fields, by the words it has for that, and answers everything else."""

    def __init__(self, *rules: tuple[str, str], status: int = 400, word: str = "INVALID_ARGUMENT") -> None:
        self.rules = rules
        self.bodies: list[Any] = []
        self._status = status
        self._word = word

    async def __call__(self, exchange: Exchange) -> None:
        body = json.loads(exchange.request.body)
        self.bodies.append(body)
        for field, words in self.rules:
            if holds(body, field):
                await fails(self._status, self._word, words)(exchange)
                return
        await answers(says("Fine"))(exchange)

    def held(self, field: str) -> list[bool]:
        """Whether each request had the field; those so far are then forgotten."""
        seen = [holds(body, field) for body in self.bodies]
        self.bodies.clear()
        return seen


def holds(value: Any, name: str) -> bool:
    """Whether a field is anywhere in a value; `head/name`: in what stands under `head`."""
    head, _, tail = name.rpartition("/")
    if head:
        return holds(value.get(head), tail)
    if isinstance(value, dict):
        return name in value or any(holds(item, name) for item in value.values())
    return isinstance(value, list) and any(holds(item, name) for item in value)


def open_picky(provider: Picky, clock: Callable[[], float] | None = None) -> Any:
    return open_house(provider, now=clock or Clock(), models=[OLD])


IMAGE = [{"type": "image_url", "image_url": {"url": PIXEL, "detail": "high"}}]
FIELDS: list[tuple[Json, str, str, str, list[str]]] = [
    (chat(model="old", presence_penalty=1), "presencePenalty",
     "Penalty is not enabled for models/gemini-2.0-flash", "presence_penalty", ["1.1:penalties"]),
    (chat(temperature=0.5, top_p=0.5), "temperature",
     "temperature is not supported for this model.", "temperature", ["1.1:sampling"]),
    (chat(top_p=0.5), "topP", "Unable to submit request because top_p is not supported by this model.",
     "top_p", ["1.1:sampling"]),
    (chat(seed=5), "seed", "models/gemini-3.5-flash does not support seed.", "seed", ["1.1:seed"]),
    (chat(reasoning_effort="low"), "thinkingConfig", "Thinking level is not supported for this model.",
     "reasoning_effort", ["1.7:none"]),
    (chat(reasoning_effort="high", model="gemini-2.5-flash"), "thinkingConfig",
     "Thinking is not enabled for models/gemini-2.5-flash", "reasoning_effort", ["1.7:none"]),
    ({**chat(), "messages": [{"role": "user", "content": IMAGE}]}, "contents/mediaResolution",
     "Invalid JSON payload received. Unknown name \"mediaResolution\" at 'contents[0].parts[0]': Cannot find field.",
     "messages[0]", []),
]  # fmt: skip
"""What is asked, the field on the wire that is refused, in which words, its path, and what is told."""
IDS = [row[1] + " " + row[0]["model"] for row in FIELDS]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("body", "wire", "message", "path", "codes"), FIELDS, ids=IDS)
async def test_a_refused_field_is_left_out_and_told_and_remembered_for_an_hour(
    body: Json, wire: str, message: str, path: str, codes: list[str], stream: bool
) -> None:
    body = {**body, "stream": stream}
    clock, provider = Clock(), Picky((wire, message))
    async with open_picky(provider, clock) as house:
        await expect(house, body, codes, path)
        assert provider.held(wire) == [True, False]
        await expect(house, body, codes, path)
        assert provider.held(wire) == [False]
        clock.now += HOUR_S - 1
        await expect(house, body, codes, path)
        assert provider.held(wire) == [False]
        clock.now += 2
        await expect(house, body, codes, path)
        assert provider.held(wire) == [True, False]
        plain = await house.ask(chat(model=body["model"], stream=stream))
        assert (plain.status, plain.codes) == (200, [])


VALUES: list[tuple[Json, str, str, Json]] = [
    (chat(reasoning_effort="none", model="gemini-2.5-flash"), "thinkingBudget",
     "Budget 0 is invalid. This model only works in thinking mode.",
     chat(reasoning_effort="high", model="gemini-2.5-flash")),
    (chat(reasoning_effort="minimal"), "thinkingLevel",
     "Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.",
     chat(reasoning_effort="high")),
]  # fmt: skip
"""What is asked, the field on the wire of which a value is refused, in which words, and what others ask."""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("body", "wire", "message", "others"), VALUES)
async def test_a_refused_value_costs_other_callers_nothing(
    body: Json, wire: str, message: str, others: Json, stream: bool
) -> None:
    provider = Picky((wire, message))
    async with open_picky(provider) as house:
        for _ in range(2):
            await expect(house, {**body, "stream": stream}, ["1.7:none"], "reasoning_effort")
            assert provider.held(wire) == [True, False]
        provider.rules = ()
        answer = await house.ask(others)
        assert (answer.status, answer.codes, provider.held(wire)) == (200, [], [True])


async def expect(house: House, body: Json, codes: list[str], path: str) -> None:
    answer = await house.ask(body)
    assert answer.status == 200, answer.body
    assert answer.codes == codes
    assert [change["path"] for change in answer.changes] == [f"$.{path}" for _ in codes]
    assert (answer.events.text if body["stream"] else answer.message["content"]) == "Fine"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_refuses_several_answers_at_once_is_asked_for_one_by_one(stream: bool) -> None:
    provider = Picky(("candidateCount", "Multiple candidates is not enabled for this model"))
    async with open_picky(provider) as house:
        body = chat(model="gemini-2.5-flash", n=10, seed=1, stream=stream)
        answer = await house.ask(body)
        assert (answer.status, answer.codes) == (200, [])
        if stream:
            assert answer.events.finishes == ["stop"] * 10
            assert answer.events.text == "Fine" * 10
        else:
            assert [choice["index"] for choice in answer.json()["choices"]] == list(range(10))
        assert len(provider.bodies) == 2 + 10
        alone = [body["generationConfig"] for body in provider.bodies if not holds(body, "candidateCount")]
        assert sorted(config["seed"] for config in alone) == list(range(1, 11))
        provider.bodies.clear()
        assert (await house.ask(body)).status == 200
        assert provider.held("candidateCount") == [False] * 10


async def test_two_fields_are_left_out_one_after_the_other() -> None:
    rules = (("temperature", "temperature is not supported"), ("seed", "seed is not supported"))
    provider = Picky(*rules)
    async with open_picky(provider) as house:
        answer = await house.ask(chat(temperature=1, seed=1))
        assert (answer.status, answer.codes) == (200, ["1.1:sampling", "1.1:seed"])
        assert len(provider.bodies) == 3
        await house.ask(chat(temperature=1, seed=1))
        assert len(provider.bodies) == 4


async def test_what_is_refused_at_one_model_is_sent_to_another() -> None:
    provider = Picky(("seed", "seed is not supported"))
    async with open_picky(provider) as house:
        await house.ask(chat(seed=1))
        provider.bodies.clear()
        await house.ask(chat(seed=1, model="gemini-2.5-flash"))
        assert provider.held("seed") == [True, False]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_field_is_left_out_once_and_what_does_not_help_is_not_remembered(stream: bool) -> None:
    """Words of a schema may look like a refusal; then leaving the field out changes nothing, and nobody else pays."""
    provider = Picky(("contents", "The property 'temperature' is not supported."))
    async with open_picky(provider) as house:
        for _ in range(2):
            answer = await house.ask(chat(temperature=1, stream=stream))
            assert (answer.status, answer.error["message"]) == (400, "The property 'temperature' is not supported.")
            assert provider.held("temperature") == [True, False]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (chat(), "temperature is not supported"),
        (chat(seed=1), "Penalty is not enabled for models/gemini-3.5-flash"),
        (chat(seed=1, temperature=1), "Request contains an invalid argument."),
        (chat(seed=1), "Invalid value at 'generation_config.seed' (TYPE_INT32), 99999999999"),
        (
            chat(tools=[{"type": "function", "function": {"name": "f"}}]),
            "Function calling is not enabled for models/gemini-3.5-flash",
        ),
        (
            chat(response_format={"type": "json_object"}),
            "Function calling with a response mime type: 'application/json' is unsupported",
        ),
        (chat(response_format={"type": "json_object"}), "JSON mode is not enabled for models/gemini-3.5-flash"),
    ],
)
async def test_no_other_refusal_is_tried_again(body: Json, message: str) -> None:
    provider = Picky(("contents", message))
    async with open_picky(provider) as house:
        answer = await house.ask(body)
        assert (answer.status, len(provider.bodies)) == (400, 1)


@pytest.mark.parametrize(
    ("status", "word"), [(400, "FAILED_PRECONDITION"), (500, "INTERNAL"), (403, "PERMISSION_DENIED")]
)
async def test_only_an_invalid_argument_is_a_refusal(status: int, word: str) -> None:
    provider = Picky(("seed", "seed is not supported"), status=status, word=word)
    async with open_picky(provider) as house:
        answer = await house.ask(chat(seed=1))
        assert (answer.status != 200, len(provider.bodies)) == (True, 1)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_strict_call_is_told_what_the_provider_refuses(stream: bool) -> None:
    provider = Picky(("seed", "seed is not supported"))
    async with open_picky(provider) as house:
        strict = {"x-portico-strict": "true"}
        for _ in range(2):
            answer = await house.ask(chat(seed=1, stream=stream), headers=strict)
            assert (answer.status, answer.error["message"]) == (400, "seed is not supported")
            assert provider.held("seed") == [True]
            assert (await house.ask(chat(seed=1))).codes == ["1.1:seed"]
            provider.bodies.clear()


async def test_a_strict_call_for_several_answers_loses_nothing_when_they_are_asked_for_one_by_one() -> None:
    provider = Picky(("candidateCount", "Multiple candidates is not enabled for this model"))
    async with open_picky(provider) as house:
        body = chat(model="gemini-2.5-flash", n=2)
        answer = await house.ask(body, headers={"x-portico-strict": "true"})
        assert (answer.status, len(answer.json()["choices"])) == (200, 2)


async def test_a_caller_of_the_providers_own_dialect_is_never_changed() -> None:
    provider = Picky(("seed", "seed is not supported"))
    async with open_picky(provider) as house:
        assert (await house.ask(chat(seed=1))).status == 200
        provider.bodies.clear()
        body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"seed": 1}}
        for model in ("gemini-3.5-flash", "gemini-3.5-flash-low"):  # one passes as it is, one is told to think less
            answer = await house.ask(body, path=f"/v1beta/models/{model}:generateContent")
            assert answer.status == 400
            assert provider.held("seed") == [True]


async def test_who_asks_is_not_said_to_a_server_that_does_not_know_such_a_field() -> None:
    """Azure's older versions, say."""
    said = {"message": "Unknown parameter: 'safety_identifier'.", "type": "invalid_request_error"}
    refusal = {"error": {**said, "param": "safety_identifier", "code": "unknown_parameter"}}
    fine = answers(gpt_says(gpt_message("Fine")))
    script = Script(answers(refusal, 400), fine, fine)
    async with open_house(script, kinds=(KINDS["openai"],)) as house:
        asked = message(model=GPT) | {"max_tokens": 4000, "metadata": {"user_id": "u"}}
        for _ in range(2):
            answer = await ask_messages(house, asked)
            assert (answer.status, answer.codes) == (200, ["1.1:ignored"])
        assert ["safety_identifier" in body for body in script.bodies] == [True, False, False]
