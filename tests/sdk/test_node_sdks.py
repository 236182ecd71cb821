"""The npm packages of OpenAI, Anthropic and Google, none of them ours: against each simulated provider, and a gateway.

A script for each package does what people do with it (`node/*.mjs`) and reports; what it reports is judged here.
"""

import base64
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.house import KEY, house_in_a_thread
from portico.catalog import OperatorModel
from portico.providers import KINDS
from providers.entries import configure
from sdk import files, nodejs

pytestmark = pytest.mark.skipif(nodejs.NODE is None or nodejs.NPM is None, reason="there is no Node.js here")

FINISHED = {"chat": "stop", "responses": "completed", "anthropic": "end_turn", "google": "STOP"}
CALLING = {"chat": "tool_calls", "responses": "completed", "anthropic": "tool_use", "google": "STOP"}
GEMINI, GPT, CLAUDE = "gemini-2.5-flash", "gpt-5-mini", "claude-haiku-4-5"
ELSEWHERE = {"vertex": GEMINI, "azure-openai": GPT, "openai-compatible": GPT}


@dataclass(frozen=True)
class Run:
    """One package in front of one model. `way`: "chat" and "responses" are both of the openai package."""

    way: str
    model: str
    direct: bool = False
    """The provider itself is asked, not a gateway."""
    at: str = ""
    """The kind of provider that has the model, if it is not its vendor's own."""

    @property
    def script(self) -> str:
        return "openai" if self.way in ("chat", "responses") else self.way

    def __str__(self) -> str:
        return f"{self.way}-{self.model}{'-direct' * self.direct}{self.at and f'-at-{self.at}'}"


RUNS = [
    *(Run(way, GPT, True) for way in ("chat", "responses")),
    Run("anthropic", CLAUDE, True),
    Run("google", GEMINI, True),
    *(Run(way, model) for way in FINISHED for model in (GEMINI, GPT, CLAUDE)),
    *(Run(way, model, at=at) for way in FINISHED for at, model in ELSEWHERE.items()),
]
PROVIDERS = """
[[providers]]
kind = "gemini"
base_url = "ADDRESS"

[[providers]]
kind = "KIND"
name = "elsewhere"
base_url = "ADDRESS"
keys = ["env:GROQ_API_KEY"]
"""


def _reported(run: Run, base: str) -> dict[str, Any]:
    picture = base64.b64encode(files.png()).decode()
    asked = {"BASE_URL": base, "MODEL": run.model, "KEY": KEY, "PNG": picture, "API": run.way}
    return nodejs.run(run.script, asked)


@pytest.fixture(scope="module", params=RUNS, ids=str)
def told(
    request: pytest.FixtureRequest, simulated: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, dict[str, Any]]:
    """A run, and what its script reported.

    A gateway with a provider of each kind, all of them the simulator, is opened for each: one that met a limit rests.
    """
    run: Run = request.param
    if run.direct:
        return run, _reported(run, simulated)
    options: dict[str, Any] = {"kinds": tuple(KINDS[name] for name in ("gemini", "openai", "anthropic"))}
    if run.at:
        make = configure(tmp_path_factory.mktemp("providers"), PROVIDERS.replace("KIND", run.at))
        options = {"configure": make, "models": [OperatorModel(run.model, f"elsewhere/{run.model}")]}
    with house_in_a_thread(**options) as house:
        return run, _reported(run, f"http://127.0.0.1:{house.port}")


def step(told: tuple[Run, dict[str, Any]], name: str) -> Any:
    """What came of one step; the SDK threw nothing."""
    result = told[1][name]
    assert "failed" not in result, result["failed"]
    return result


def test_a_text(told: tuple[Run, dict[str, Any]]) -> None:
    made = step(told, "text")
    assert made["text"] == '[simulated] You said: "Hello"'
    assert made["stop"] == FINISHED[told[0].way]
    assert made["usage"] > 0
    assert made["model"].startswith(told[0].model)


def test_a_stream(told: tuple[Run, dict[str, Any]]) -> None:
    made = step(told, "stream")
    assert made["text"] == "[simulated] " + " ".join(f"word{number}" for number in range(40))
    assert made["pieces"] > 2
    assert made["stop"] == FINISHED[told[0].way]
    assert made["usage"] > 0


def test_a_tool_loop_of_parallel_calls(told: tuple[Run, dict[str, Any]]) -> None:
    made = step(told, "tools")
    assert [(call["name"], call["input"]) for call in made["calls"]] == [
        ("get_weather", {"city": "Oslo"}),
        ("get_weather", {"city": "Rome"}),
    ]
    assert made["stop"] == CALLING[told[0].way]
    if told[0].way != "google":
        assert len({call["id"] for call in made["calls"]}) == 2
    assert made["text"].startswith("[simulated] Done: get_weather returned")
    assert "celsius" in made["text"]


def test_a_picture(told: tuple[Run, dict[str, Any]]) -> None:
    assert "I received image/png." in step(told, "image")["text"]


def test_structured_output(told: tuple[Run, dict[str, Any]]) -> None:
    assert step(told, "structured")["value"] == {"city": "Oslo", "days": 3}


def test_thinking(told: tuple[Run, dict[str, Any]]) -> None:
    made = step(told, "thinking")
    assert made["text"] == '[simulated] You said: "Think hard"'
    assert made["tokens"] > 0
    asked_in_chat = told[0].at == "openai-compatible"  # where GPT tells nobody what it thought
    if told[0].way != "chat" and not asked_in_chat:  # in Chat they are asked for in words of the gateway's own
        assert made["thoughts"]


def test_a_limit_is_the_error_of_its_class(told: tuple[Run, dict[str, Any]]) -> None:
    made = step(told, "limited")
    assert (made["kind"], made["status"]) == ("limited", 429)


def test_a_model_that_is_not_there_is_the_error_of_its_class(told: tuple[Run, dict[str, Any]]) -> None:
    made = step(told, "missing")
    bad = told[0].direct and told[0].way == "responses"  # recorded: OpenAI says it so there
    assert (made["kind"], made["status"]) == (("bad", 400) if bad else ("missing", 404))
    assert "no-such-model" in made["message"]


def test_models_are_listed(told: tuple[Run, dict[str, Any]]) -> None:
    ids = step(told, "models")["ids"]
    assert len(ids) == len(set(ids)) > 5
    assert any(name.startswith(told[0].model) for name in ids)


def test_tokens_are_counted(told: tuple[Run, dict[str, Any]]) -> None:
    if told[0].way == "chat":  # has no call that counts
        assert "counted" not in told[1]
    else:
        assert step(told, "counted")["tokens"] > 0
