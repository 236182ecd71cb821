"""Thoughts that another organization's key sealed: GPT refuses them, and is asked once more without."""

from typing import Any

import pytest

from gateway.house import Answer, House, Json, Script, answers, open_house
from gateway.vendors import GPT, gpt_message, gpt_says, response
from portico.providers import KINDS

REFUSAL = {
    "error": {
        "message": "The encrypted content for item rs_1 could not be verified.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_encrypted_content",
    }
}
SEALED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAAsealed"}
FIRST = answers(gpt_says(SEALED, gpt_message("Hello")))
LAST = answers(gpt_says(gpt_message("Yes.")))


async def by_responses(house: House, **headers: str) -> Answer:
    given = [{"role": "user", "content": "Hi"}, SEALED, gpt_message("Hello"), {"role": "user", "content": "Sure?"}]
    asked = response(given, store=False, include=["reasoning.encrypted_content"])
    return await house.ask(asked, path="/v1/responses", headers=headers)


async def by_messages(house: House, **headers: str) -> Answer:
    asked: Json = {"model": GPT, "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
    first = await house.ask(asked, path="/v1/messages")
    turns = [{"role": "assistant", "content": first.json()["content"]}, {"role": "user", "content": "Sure?"}]
    return await house.ask({**asked, "messages": asked["messages"] + turns}, path="/v1/messages", headers=headers)


def seals(body: Json) -> list[Any]:
    return [item["encrypted_content"] for item in body["input"] if item.get("type") == "reasoning"]


@pytest.mark.parametrize(("ask", "before"), [(by_responses, []), (by_messages, [FIRST])])
async def test_it_is_asked_again_without_them_and_that_is_told(ask: Any, before: list[Any]) -> None:
    script = Script(*before, answers(REFUSAL, 400), LAST)
    async with open_house(script, kinds=(KINDS["openai"],)) as house:
        answer = await ask(house)
        assert answer.status == 200, answer.body
        assert b"Yes." in answer.body
        assert [seals(body) for body in script.bodies[-2:]] == [["gAAAAAsealed"], []]
        assert script.bodies[-1]["include"] == ["reasoning.encrypted_content"]
        assert "sealed" in answer.headers["x-portico-changes"]


async def test_a_strict_caller_hears_what_the_provider_said() -> None:
    script = Script(answers(REFUSAL, 400))
    async with open_house(script, kinds=(KINDS["openai"],)) as house:
        answer = await by_responses(house, **{"x-portico-strict": "true"})
        assert (answer.status, answer.json()["error"]["code"]) == (400, "invalid_encrypted_content")
        assert len(script.bodies) == 1
