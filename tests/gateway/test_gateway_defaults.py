"""[defaults]: what the operator wants where the caller says nothing, through a whole gateway."""

from typing import Any

import pytest

from gateway.house import Json, Script, answers, chat, open_house, says
from portico.relay.defaults import Defaults
from portico.wire import jsontext

EVERYTHING = Defaults(
    show_thoughts=True, reasoning_details=True, small_max_tokens=0, safety={"HARM_CATEGORY_HARASSMENT": "OFF"}
)


async def sent_for(body: Json, defaults: Defaults | None) -> Json:
    """What the provider is sent for a body."""
    provider = Script(answers(says("Fine")))
    async with open_house(provider, defaults=defaults) as house:
        answer = await house.ask(body)
        assert answer.status == 200
        made: Json = jsontext.decode(provider.requests[0].body)
        return made


@pytest.mark.parametrize(
    ("body", "path", "without", "with_them"),
    [
        (chat(), ("safetySettings",), None, [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]),
        (chat(max_tokens=100), ("generationConfig", "thinkingConfig"), {"thinkingLevel": "MINIMAL"}, None),
        (
            chat(reasoning_effort="low"),
            ("generationConfig", "thinkingConfig"),
            {"thinkingLevel": "LOW"},
            {"thinkingLevel": "LOW", "includeThoughts": True},
        ),
    ],
)
async def test_the_provider_is_sent_what_the_operator_wants(
    body: Json, path: tuple[str, ...], without: Any, with_them: Any
) -> None:
    for defaults, expected in ((None, without), (EVERYTHING, with_them)):
        found: Any = await sent_for(body, defaults)
        for name in path:
            found = (found or {}).get(name)
        assert found == expected


async def test_thoughts_may_be_told_to_everyone_in_both_shapes() -> None:
    thinking = {
        "candidates": [
            {"content": {"parts": [{"text": "hm", "thought": True}, {"text": "yes"}]}, "finishReason": "STOP"}
        ]
    }
    async with open_house(Script(answers(thinking)), defaults=EVERYTHING) as house:
        message = (await house.ask(chat(reasoning_effort="high"))).json()["choices"][0]["message"]
        assert (message["reasoning_content"], message["reasoning"]) == ("hm", "hm")
        assert [detail["type"] for detail in message["reasoning_details"]] == ["reasoning.text"]


@pytest.mark.parametrize(
    ("body", "thinking"),
    [
        (chat(), {"thinkingLevel": "LOW"}),
        (chat(reasoning_effort="high"), {"thinkingLevel": "HIGH"}),
        (chat(model="gemini-2.5-flash"), {"thinkingBudget": 1024}),
    ],
)
async def test_a_model_thinks_as_the_operator_says_where_nobody_else_does(body: Json, thinking: Json) -> None:
    sent = await sent_for(body, Defaults(effort="low"))
    assert sent["generationConfig"]["thinkingConfig"] == thinking
