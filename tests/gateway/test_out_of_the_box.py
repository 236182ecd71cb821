"""What a new user meets: nothing but the program, or nothing but one vendor's key."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.commands import portico, run
from gateway.house import KEY, Answer, Json, Wire, as_bytes, soon
from gateway.test_command_line import serving
from portico.catalog import ModelKind, load_catalog
from portico.simulator import Simulator

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")

ENV: Final = {"PORTICO_API_KEY": KEY}
MODELS: Final = ("gemini-3.5-flash", "gpt-5.5", "claude-opus-5-5")
SAID: Final = '[simulated] You said: "Hello"'


async def call(port: int, method: str, path: str, headers: dict[str, str], body: Any = None) -> Answer:
    wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port)))
    data = b"" if body is None else as_bytes(body)
    wire.request(method, path, {"host": "x", "connection": "close", **headers}, data)
    try:
        return await wire.rest()
    finally:
        wire.drop()


async def ask(port: int, dialect: str, model: str, *, stream: bool) -> Answer:
    """One question as the clients of a dialect ask it."""
    said = [{"role": "user", "content": "Hello"}]
    calls: dict[str, tuple[str, tuple[str, str], Json]] = {
        "openai_chat": ("/v1/chat/completions", ("authorization", f"Bearer {KEY}"), {"messages": said}),
        "openai_responses": ("/v1/responses", ("authorization", f"Bearer {KEY}"), {"input": "Hello"}),
        "anthropic_messages": ("/v1/messages", ("x-api-key", KEY), {"messages": said, "max_tokens": 4096}),
        "gemini": (
            f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}",
            ("x-goog-api-key", KEY),
            {"contents": [{"parts": [{"text": "Hello"}]}]},
        ),
    }
    path, header, body = calls[dialect]
    if dialect != "gemini":
        body |= {"model": model, **({"stream": True} if stream else {})}
    return await call(port, "POST", path, dict([header]), body)


def text_of(dialect: str, body: Json) -> str:
    match dialect:
        case "openai_chat":
            told = [(choice.get("message") or choice["delta"]).get("content") for choice in body["choices"]]
        case "openai_responses":
            parts = [part for item in body.get("output", []) for part in item.get("content", [])]
            told = (
                [part["text"] for part in parts] if "output" in body else [_delta(body, "response.output_text.delta")]
            )
        case "anthropic_messages":
            blocks = body.get("content")
            told = [body.get("delta", {}).get("text")] if blocks is None else [block.get("text") for block in blocks]
        case _:
            parts = [part for one in body["candidates"] for part in one["content"].get("parts", [])]
            told = [part.get("text") for part in parts]
    return "".join(text or "" for text in told)


def _delta(event: Json, kind: str) -> str | None:
    return event["delta"] if event["type"] == kind else None


def streamed_text(dialect: str, answer: Answer) -> str:
    data = [line.removeprefix("data: ") for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    return "".join(text_of(dialect, json.loads(one)) for one in data if one != "[DONE]")


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses", "anthropic_messages", "gemini"])
async def test_with_nothing_at_all_every_vendors_models_answer_in_every_dialect(tmp_path: Path, dialect: str) -> None:
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as command:
        port = await command.port()
        for variable in ("GEMINI_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
            assert variable in command.said
        for model in MODELS:
            answer = await ask(port, dialect, model, stream=False)
            assert answer.status == 200, answer.body
            assert answer.headers["x-portico-simulated"] == "1"
            assert text_of(dialect, answer.json()) == SAID
            answer = await ask(port, dialect, model, stream=True)
            assert answer.status == 200, answer.body
            assert answer.headers["x-portico-simulated"] == "1"
            assert streamed_text(dialect, answer) == SAID


async def test_the_simulated_house_lists_every_vendor(tmp_path: Path) -> None:
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as command:
        listed = await call(await command.port(), "GET", "/v1/models", {"authorization": f"Bearer {KEY}"})
        assert {model["owned_by"] for model in listed.json()["data"]} == {"google", "openai", "anthropic"}


async def test_every_chat_model_of_the_catalog_answers_when_simulated(tmp_path: Path) -> None:
    """The simulator may not read the catalog, so its tables have to be kept beside it."""
    chat = {name for name, model in load_catalog().models.items() if model.kind is ModelKind.CHAT}
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=ENV) as command:
        port = await command.port()
        listed = await call(port, "GET", "/v1/models", {"authorization": f"Bearer {KEY}"})
        served = chat & {row["id"] for row in listed.json()["data"]}
        assert {"gpt-6.2-sol", "gemini-3.5-flash", "claude-mythos-5-1"} <= served
        answers = {name: await ask(port, "openai_chat", name, stream=False) for name in sorted(served)}
        assert {name: answer.body for name, answer in answers.items() if answer.status != 200} == {}
        told = {name: text_of("openai_chat", answer.json()) for name, answer in answers.items()}
        assert {name: text for name, text in told.items() if "[simulated]" not in text} == {}


VENDORS: Final = [
    ("GEMINI", "google", "gemini-3.5-flash", "gemini", "/v1beta/"),
    ("OPENAI", "openai", "gpt-5.5", "openai_responses", "/v1/responses"),
    ("ANTHROPIC", "anthropic", "claude-opus-5-5", "anthropic_messages", "/v1/messages"),
]
"""(first word of its variables, owner of its models, one of them, what it speaks, where it is asked)"""


@pytest.mark.parametrize(("name", "owner", "model", "dialect", "path"), VENDORS)
async def test_one_vendors_key_alone_is_a_complete_configuration(
    tmp_path: Path, name: str, owner: str, model: str, dialect: str, path: str
) -> None:
    simulator = Simulator()
    async with serving(simulator) as base:
        env = {**ENV, f"{name}_API_KEY": "sk-from-the-environment", f"{name}_BASE_URL": base}
        async with portico("serve", "--port", "0", folder=tmp_path, env=env) as command:
            port = await command.port()
            assert "SIMULATED" not in command.said
            assert f"env:{name}_API_KEY" in command.said
            assert "sk-from-the-environment" not in command.said
            for caller in ("openai_chat", "openai_responses", "anthropic_messages", "gemini"):
                answer = await ask(port, caller, model, stream=False)
                assert answer.status == 200, answer.body
                assert text_of(caller, answer.json()) == SAID
                seen = simulator.stats.last
                assert seen.key == "sk-from-the-environment"
                if caller == dialect:
                    assert seen.path.startswith(path)
            listed = await call(port, "GET", "/v1/models", {"authorization": f"Bearer {KEY}"})
            assert {row["owned_by"] for row in listed.json()["data"]} == {owner}
            assert model in {row["id"] for row in listed.json()["data"]}
            page = await call(
                port, "GET", "/v1/models?limit=1000", {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
            )
            assert {row["id"] for row in page.json()["data"]} == {row["id"] for row in listed.json()["data"]}
            for other in MODELS:
                if other != model:
                    refused = await ask(port, "openai_chat", other, stream=False)
                    assert refused.status == 404
                    assert other in refused.json()["error"]["message"]


@pytest.mark.parametrize("name", [row[0] for row in VENDORS])
async def test_one_vendors_key_alone_is_checked(tmp_path: Path, name: str) -> None:
    simulator = Simulator()
    async with serving(simulator) as base:
        env = {f"{name}_API_KEY": "sk-good", f"{name}_BASE_URL": base}
        code, out, err = await run("check", folder=tmp_path, env=env)
        assert (code, err) == (0, "")
        assert "All is well." in out
        assert simulator.stats.last.key == "sk-good"
        code, out, _ = await run("check", folder=tmp_path, env={**env, f"{name}_API_KEY": "bad-key-7"})
        assert code == 1
        assert "bad-key-7" not in out
        assert re.search(rf"failed {name.lower()} at http\S+ with env:{name}_API_KEY: ", out)


@pytest.mark.parametrize("name", [row[0] for row in VENDORS])
async def test_with_one_vendors_key_its_models_are_listed_and_no_others(tmp_path: Path, name: str) -> None:
    code, out, _ = await run("models", "--json", folder=tmp_path, env={f"{name}_API_KEY": "sk-any"})
    assert code == 0
    listed = {row["id"]: row["served_by"] for row in json.loads(out)["models"]}
    assert {row[2] for row in VENDORS if row[0] == name} == {*MODELS} & {*listed}
    assert all(by == [name.lower()] for by in listed.values())
