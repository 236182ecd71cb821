"""What tools of providers cost that are billed by themselves: no use is a silent zero, and nobody prepaid gets one so."""

from pathlib import Path
from typing import Any

import pytest

from gateway.house import Json, Script, answers, chat
from gateway.vendors import GPT, claude_says, claude_text, gpt_message, gpt_says, message
from money.paid import is_marked, paid_house
from portico.metering.charge import NO_PRICE
from portico.providers import KINDS

PATH = "/v1/responses"
OPENAI: Any = {"kinds": [KINDS["openai"]]}
OTHER, CHEAP = "other-model", "openai-compatible/cheap"
SERVER: Any = {"kinds": [KINDS["openai-compatible"]]}
ANTHROPIC: Any = {"kinds": [KINDS["anthropic"]]}
PICTURE = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "aGk="}
CODE = {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "code": "1", "container_id": "cntr_1"}
SHELL = {"type": "shell_call", "id": "sh_1", "call_id": "c", "status": "completed", "action": {"commands": ["ls"]}}
HOSTED = {"type": "container_reference", "container_id": "cntr_1"}


def asks(*tools: Json) -> Json:
    return {"model": GPT, "input": "Hi", "store": False, "tools": list(tools)}


TOOLS = [
    ({"type": "image_generation", "quality": "high"}, "image_generation"),
    ({"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "64g"}}, "code_interpreter"),
    ({"type": "shell", "environment": {"type": "container_auto"}}, "code_interpreter"),
]


@pytest.mark.parametrize(("tool", "name"), TOOLS)
async def test_a_prepaid_account_uses_no_tool_that_has_a_fee_nobody_knows(
    tmp_path: Path, tool: Json, name: str
) -> None:
    provider = Script(answers(gpt_says(gpt_message("Hi"))))
    async with paid_house(tmp_path / "db", provider, **OPENAI) as paid:
        answer = await paid.house.ask(asks(tool), path=PATH)
        assert (answer.status, answer.error["param"]) == (400, "tools")
        assert name in answer.error["message"]
        assert (provider.requests, paid.entries()) == ([], [])
    async with paid_house(tmp_path / "open", provider, prepaid=False, **OPENAI) as paid:
        assert (await paid.house.ask(asks(tool), path=PATH)).status == 200
        await paid.settled()


OWN = {"type": "function", "name": "read_file", "parameters": {"type": "object", "properties": {}}, "strict": False}
SEARCH = {"type": "web_search"}


@pytest.mark.parametrize(("tool", "name"), TOOLS)
async def test_what_an_agent_brings_beside_its_own_tools_is_left_out_and_told_where_its_use_has_no_price(
    tmp_path: Path, tool: Json, name: str
) -> None:
    provider = Script(answers(gpt_says(gpt_message("Hi"))))
    async with paid_house(tmp_path / "db", provider, **OPENAI) as paid:
        answer = await paid.house.ask(asks(OWN, tool, SEARCH) | {"tool_choice": "auto"}, path=PATH)
        assert answer.status == 200
        assert [(loss["code"], name in loss["message"]) for loss in answer.changes] == [("7.1:builtin", True)]
        sent = provider.bodies[0]
        assert sent["tools"] == [OWN, SEARCH]
        assert sent["input"] == "Hi"
        await paid.settled()
    async with paid_house(tmp_path / "open", provider, prepaid=False, **OPENAI) as paid:
        answer = await paid.house.ask(asks(OWN, tool), path=PATH)
        assert (answer.status, answer.changes) == (200, [])
        assert provider.bodies[1]["tools"] == [OWN, tool]
        await paid.settled()


PICTURES = {"type": "image_generation"}
CHOICES: list[Any] = [PICTURES, {"type": "allowed_tools", "mode": "auto", "tools": [PICTURES, OWN]}]


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        *[({"tool_choice": choice}, {}) for choice in CHOICES],
        ({"input": [{"type": "additional_tools", "role": "developer", "tools": [PICTURES]}]}, {}),
        ({}, {"x-portico-strict": "true"}),
    ],
    ids=["chosen", "allowed", "brought by an item", "strict"],
)
async def test_a_tool_without_a_price_that_is_wanted_is_refused_and_not_left_out(
    tmp_path: Path, fields: Json, headers: dict[str, str]
) -> None:
    provider = Script(answers(gpt_says(gpt_message("Hi"))))
    async with paid_house(tmp_path / "db", provider, **OPENAI) as paid:
        answer = await paid.house.ask(asks(OWN, PICTURES) | fields, path=PATH, headers=headers)
        assert answer.status == 400
        assert "image_generation" in answer.error["message"]
        assert (provider.requests, paid.entries()) == ([], [])


@pytest.mark.parametrize(("geo", "status"), [("us", 400), ("global", 200), (None, 200)])
async def test_a_prepaid_account_asks_for_no_place_that_is_dearer(tmp_path: Path, geo: str | None, status: int) -> None:
    provider = Script(answers(claude_says(claude_text("Hi"))))
    async with paid_house(tmp_path / "db", provider, **ANTHROPIC) as paid:
        assert (await paid.house.ask(message(inference_geo=geo), path="/v1/messages")).status == status


async def test_a_prepaid_account_asks_no_advisor_and_others_are_told_that_it_has_no_price(tmp_path: Path) -> None:
    tool = {"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5-5"}
    body = message(tools=[tool])
    passes = [{"type": "message"}, {"type": "advisor_message", "model": "claude-opus-5-5", "input_tokens": 9000}]
    usage = {"input_tokens": 9, "output_tokens": 3, "iterations": passes}
    provider = Script(answers(claude_says(claude_text("Hi"), usage=usage)))
    async with paid_house(tmp_path / "db", provider, **ANTHROPIC) as paid:
        answer = await paid.house.ask(body, path="/v1/messages")
        assert (answer.status, provider.requests) == (400, [])
        assert "advisor" in answer.json()["error"]["message"]
    async with paid_house(tmp_path / "open", provider, prepaid=False, **ANTHROPIC) as paid:
        assert (await paid.house.ask(body, path="/v1/messages")).status == 200
        receipt = await paid.settled()
        assert receipt["uses"] == {"advisor": 1}
        assert is_marked(receipt, "unpriced")


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search"},
        {"type": "shell"},
        {"type": "shell", "environment": {"type": "local"}},
        {"type": "mcp", "server_label": "x", "server_url": "https://mcp.example"},
    ],
    ids=str,
)
async def test_a_prepaid_account_uses_the_others(tmp_path: Path, tool: Json) -> None:
    async with paid_house(tmp_path / "db", Script(answers(gpt_says(gpt_message("Hi")))), **OPENAI) as paid:
        assert (await paid.house.ask(asks(tool), path=PATH)).status == 200
        await paid.settled()


@pytest.mark.parametrize(
    ("item", "uses"),
    [
        (PICTURE, {"image_generation": 1}),
        (CODE, {"code_interpreter": 1}),
        (SHELL | {"environment": HOSTED}, {"code_interpreter": 1}),
        (SHELL, {}),
    ],
)
async def test_a_use_of_a_fee_that_nobody_knows_is_said_to_have_no_price(
    tmp_path: Path, item: Json, uses: dict[str, int]
) -> None:
    provider = Script(answers(gpt_says(item, gpt_message("Hi"))))
    async with paid_house(tmp_path / "db", provider, prepaid=False, **OPENAI) as paid:
        assert (await paid.house.ask(asks({"type": "image_generation"}), path=PATH)).status == 200
        receipt = await paid.settled()
        lines = [line for line in receipt["lines"] if line["item"] == "use"]
        assert {line["detail"]: line["count"] for line in lines} == uses == receipt.get("uses", {})
        assert all(line["note"] == NO_PRICE for line in lines)
        assert is_marked(receipt, "unpriced") is bool(uses)


BRINGS: list[tuple[Any, str, Json]] = [
    (
        OPENAI,
        PATH,
        {"model": GPT, "input": "Hi", "store": False, "tools": [{"type": "image_generation", "model": OTHER}]},
    ),
    (ANTHROPIC, "/v1/messages", message(fallbacks=[{"model": OTHER}])),
    (ANTHROPIC, "/v1/messages", message(tools=[{"type": "advisor_20260301", "name": "advisor", "model": OTHER}])),
    (SERVER, "/v1/chat/completions", chat(model=CHEAP, models=["cheap", OTHER])),
    (SERVER, "/v1/chat/completions", chat(model=CHEAP, fallbacks=[OTHER])),
    (SERVER, "/v1/chat/completions", chat(model=CHEAP, tools=[{"type": "y", "parameters": {"model": OTHER}}])),
]


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize(("options", "path", "body"), BRINGS)
async def test_a_key_reaches_no_other_model_through_fields_and_tools(
    tmp_path: Path, options: Any, path: str, body: Json, allowed: bool
) -> None:
    provider = Script(answers({}))
    policy = {"models": [body["model"], CHEAP, *([OTHER] if allowed else [])]}
    async with paid_house(tmp_path / "db", provider, prepaid=False, policy=policy, **options) as paid:
        answer = await paid.house.ask(body, path=path)
        assert len(provider.requests) >= 1 if allowed else provider.requests == []
        assert allowed or (answer.status == 404 and OTHER in answer.json()["error"]["message"])
