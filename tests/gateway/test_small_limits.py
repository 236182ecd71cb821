"""A short answer is an answer: where thoughts count inside the limit, who says nothing of thinking gets text and not an
empty answer that was cut off (mapping.md 9, first row)."""

import json
from typing import Any, Final

import pytest

from gateway.house import Answer, House, Json, open_house
from gateway.test_switching_models import THREE
from portico.relay.defaults import Defaults

TALK: Final = [{"role": "user", "content": "Hello"}]
SAID: Final = '[simulated] You said: \\"Hello\\"'
CALLERS: Final[dict[str, tuple[str, Json, str]]] = {
    "openai_chat": ("/v1/chat/completions", {"messages": TALK, "max_tokens": 300}, "$.max_tokens"),
    "openai_responses": ("/v1/responses", {"input": "Hello", "max_output_tokens": 300}, "$.max_output_tokens"),
    "anthropic_messages": ("/v1/messages", {"messages": TALK, "max_tokens": 300}, "$.max_tokens"),
}
THINKING: Final[dict[str, tuple[str, ...]]] = {
    "gemini": ("gemini-3.5-flash", "gemini-2.5-pro"),
    "openai_responses": ("gpt-5.5", "gpt-5-mini"),
    "anthropic_messages": ("claude-opus-5-5",),
}
"""Models that think unasked, by what they are asked in."""
ABROAD: Final = [
    (caller, model)
    for caller in CALLERS
    for spoken, models in THINKING.items()
    for model in models
    if caller != spoken and not (caller == "openai_chat" and spoken == "openai_responses")
]


async def ask(house: House, caller: str, model: str, **more: Any) -> Answer:
    path, body, _ = CALLERS[caller]
    return await house.ask({**body, "model": model, **more}, path=path)


def losses(answer: Answer, caller: str) -> list[str]:
    assert answer.status == 200, answer.body
    return [loss["code"] for loss in answer.changes if loss["path"] == CALLERS[caller][2]]


@pytest.mark.parametrize(("caller", "model"), ABROAD)
async def test_a_small_limit_asks_for_the_least_thinking_and_says_so(caller: str, model: str) -> None:
    async with open_house(kinds=THREE) as house:
        answer = await ask(house, caller, model)
        assert losses(answer, caller) == ["9:small_max_tokens"]
        assert SAID in json.dumps(answer.json())
        large = {name: 9000 for name in CALLERS[caller][1] if name.startswith("max_")}
        assert losses(await ask(house, caller, model, **large), caller) == []


async def test_who_asks_for_thoughts_gets_them_whatever_the_limit() -> None:
    async with open_house(kinds=THREE) as house:
        asked: Json = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}
        answer = await ask(house, "anthropic_messages", "gpt-5.5", **asked)
        assert losses(answer, "anthropic_messages") == []
        assert house.simulator.stats.last.body["reasoning"]["effort"] == "high"
        answer = await ask(house, "openai_responses", "claude-opus-5-5", reasoning={"effort": "high"})
        assert losses(answer, "openai_responses") == []
        assert house.simulator.stats.last.body["thinking"]["type"] == "adaptive"


async def test_an_operator_may_want_it_otherwise() -> None:
    async with open_house(kinds=THREE, defaults=Defaults(small_max_tokens=0)) as house:
        assert losses(await ask(house, "anthropic_messages", "gpt-5.5"), "anthropic_messages") == []
        assert "reasoning" not in house.simulator.stats.last.body
