"""Examples of OpenAI's Responses API, through its official SDK, on models of three vendors."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from gateway.house import KEY, House
from sdk import files

MODELS = ["gemini-3.5-flash", "gpt-5.5", "claude-sonnet-4-6"]
every = pytest.mark.parametrize("model", MODELS)


@pytest.fixture(scope="module")
def house(house_of_all: House) -> House:
    return house_of_all


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[OpenAI]:
    with OpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client:
        yield client


@every
def test_an_answer(client: OpenAI, model: str) -> None:
    response = client.responses.create(model=model, instructions="Be helpful.", input="Hello!", store=False)
    assert response.output_text == '[simulated] You said: "Hello!"'
    assert response.status == "completed"
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


@every
def test_events_of_a_stream_are_numbered_and_end_with_the_answer(client: OpenAI, model: str) -> None:
    asked: Any = {"model": model, "input": "Hello!", "store": False}
    events: list[Any] = list(client.responses.create(**asked, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text == '[simulated] You said: "Hello!"'


@every
def test_the_helper_of_streams(client: OpenAI, model: str) -> None:
    with client.responses.stream(model=model, input="Hello!", store=False) as stream:
        assert stream.get_final_response().output_text == '[simulated] You said: "Hello!"'


NAMES = ("get_weather", "get_time")
TOOLS: list[Any] = [
    {
        "type": "function",
        "name": name,
        "description": f"{name} of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    }
    for name in NAMES
]


@every
@pytest.mark.parametrize("effort", [None, "high"])
def test_a_tool_loop_with_parallel_calls(client: OpenAI, model: str, effort: Any) -> None:
    """Items go back as they came, those of reasoning among them."""
    more: Any = {} if effort is None else {"reasoning": {"effort": effort, "summary": "auto"}}
    given: list[Any] = [{"role": "user", "content": "get_weather and get_time please"}]
    for _ in range(3):
        response = client.responses.create(
            model=model, input=given, tools=TOOLS, store=False, include=["reasoning.encrypted_content"], **more
        )
        given += response.output
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            break
        assert {call.name for call in calls} == set(NAMES)
        for call in calls:
            result = {"temperature": 21} if call.name == "get_weather" else {"time": "12:30"}
            given.append({"type": "function_call_output", "call_id": call.call_id, "output": json.dumps(result)})
    assert not calls
    assert "21" in response.output_text
    assert "12:30" in response.output_text


@every
def test_a_picture(client: OpenAI, model: str) -> None:
    picture = {"type": "input_image", "image_url": files.data_uri("image/png", files.png()), "detail": "auto"}
    asked: Any = [{"role": "user", "content": [{"type": "input_text", "text": "What is this?"}, picture]}]
    assert "I received image/png" in client.responses.create(model=model, input=asked, store=False).output_text


class CalendarEvent(BaseModel):
    name: str
    participants: list[str]


@every
def test_structured_output(client: OpenAI, model: str) -> None:
    response = client.responses.parse(model=model, input="Alice and Bob.", text_format=CalendarEvent, store=False)
    assert isinstance(response.output_parsed, CalendarEvent)


@every
def test_tokens_are_counted(client: OpenAI, model: str) -> None:
    def count(text: str) -> int:
        return client.responses.input_tokens.count(model=model, input=text).input_tokens

    assert 0 < count("Hello") < count("Hello " * 200)


def test_a_wrong_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.responses.create(model="gpt-99", input="Hello!")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
