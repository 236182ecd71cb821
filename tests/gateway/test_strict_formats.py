"""A format that OpenAI turns out not to keep to is asked for once more, to be followed (mapping.md 1.6, 1.10)."""

from typing import Any

import pytest

from gateway.house import Json, Script, answers, open_house
from gateway.vendors import GPT, gpt_message, gpt_says
from portico.providers import KINDS

SCHEMA: Json = {
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 2}},
    "required": ["city"],
    "additionalProperties": False,
}
REFUSAL = {
    "error": {
        "message": "Invalid schema for response_format 'response': 'minLength' is not permitted.",
        "type": "invalid_request_error",
        "param": "text.format.schema",
        "code": "invalid_json_schema",
    }
}
ROME = answers(gpt_says(gpt_message('{"city":"Rome"}')))
BY_MESSAGES: Json = {
    "model": GPT,
    "max_tokens": 4000,
    "messages": [{"role": "user", "content": "Where?"}],
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
}


def held(bodies: list[Any]) -> list[bool]:
    return [body["text"]["format"].get("strict", False) for body in bodies]


async def test_it_is_asked_for_once_more_and_the_next_call_is_strict_again() -> None:
    script = Script(answers(REFUSAL, 400), ROME, ROME)
    async with open_house(script, kinds=(KINDS["openai"],)) as house:
        answer = await house.ask(BY_MESSAGES, path="/v1/messages")
        assert (answer.status, answer.codes) == (200, ["1.11:schema"])
        assert (await house.ask(BY_MESSAGES, path="/v1/messages")).codes == []
        assert held(script.bodies) == [True, False, True]


@pytest.mark.parametrize("strict", [True, False, None])
async def test_who_says_how_strict_it_shall_be_hears_what_openai_said(strict: bool | None) -> None:
    said: Json = {"type": "json_schema", "name": "it", "schema": SCHEMA, "strict": strict}
    script = Script(answers(REFUSAL, 400))
    async with open_house(script, kinds=(KINDS["openai"],)) as house:
        answer = await house.ask({"model": GPT, "input": "Where?", "text": {"format": said}}, path="/v1/responses")
        assert (answer.status, len(script.bodies)) == (400, 1)
        assert "minLength" in answer.json()["error"]["message"]
