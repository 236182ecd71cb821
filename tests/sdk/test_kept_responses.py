"""OpenAI's SDK going on from answers by their id, in front of models of three vendors: the gateway keeps them itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI

import databases
from gateway.house import KEY, OTHER_KEY, House, house_in_a_thread
from portico.providers import KINDS
from sdk.test_responses_examples import MODELS, TOOLS, every


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    books = databases.sqlite_books(Path(tmp_path_factory.mktemp("kept")) / "books.db")
    kinds = tuple(KINDS[name] for name in ("gemini", "openai", "anthropic"))
    with house_in_a_thread(books=books, kinds=kinds) as house:
        yield house


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[OpenAI]:
    with OpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client:
        yield client


@every
def test_a_conversation_goes_on_by_id(client: OpenAI, house: House, model: str) -> None:
    first = client.responses.create(model=model, input="My name is Ada.")
    second = client.responses.create(model=model, input="And my dog is Bo.", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert second.id != first.id
    asked = str(house.simulator.stats.last.body)
    assert "My name is Ada." in asked
    assert "And my dog is Bo." in asked


@every
def test_calls_are_answered_by_id_alone(client: OpenAI, model: str) -> None:
    first = client.responses.create(model=model, input="get_weather and get_time please", tools=TOOLS)
    calls = [item for item in first.output if item.type == "function_call"]
    assert {call.name for call in calls} == {"get_weather", "get_time"}
    results: Any = [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"{call.name} is fine"} for call in calls
    ]
    last = client.responses.create(model=model, input=results, tools=TOOLS, previous_response_id=first.id)
    assert "get_weather is fine" in last.output_text
    assert "get_time is fine" in last.output_text


def test_a_conversation_goes_through_every_vendor(client: OpenAI) -> None:
    previous: str | None = None
    for model in [*MODELS, MODELS[0]]:
        answer = client.responses.create(
            model=model,
            input="get_weather please",
            tools=TOOLS,
            previous_response_id=previous,
            reasoning={"effort": "high"},
        )
        (call,) = [item for item in answer.output if item.type == "function_call"]
        result: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
        answer = client.responses.create(model=model, input=result, tools=TOOLS, previous_response_id=answer.id)
        assert "sunny" in answer.output_text
        previous = answer.id


@every
def test_a_streamed_answer_is_retrieved_listed_and_deleted(client: OpenAI, model: str) -> None:
    asked: Any = {"model": model, "input": "Hello!"}
    *_, last = client.responses.create(**asked, stream=True)
    made = last.response
    found = client.responses.retrieve(made.id)
    assert found.output_text == made.output_text == '[simulated] You said: "Hello!"'
    assert [item.id for item in found.output] == [item.id for item in made.output]
    assert found.usage is not None
    assert found.usage == made.usage
    listed: list[Any] = list(client.responses.input_items.list(made.id))
    assert [item.content[0].text for item in listed] == ["Hello!"]
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.APIStatusError) as caught:
        client.responses.create(model=model, input="Go on.", previous_response_id=made.id)
    assert caught.value.status_code == 400
    assert caught.value.code == "previous_response_not_found"


@every
def test_what_is_not_to_be_kept_is_not(client: OpenAI, model: str) -> None:
    made = client.responses.create(model=model, input="Hello!", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_what_one_tenant_keeps_another_does_not_find(client: OpenAI, house: House) -> None:
    made = client.responses.create(model=MODELS[0], input="Hello!")
    with OpenAI(api_key=OTHER_KEY, base_url=house.url, max_retries=0) as other:
        with pytest.raises(openai.NotFoundError):
            other.responses.retrieve(made.id)
        with pytest.raises(openai.NotFoundError):
            other.responses.delete(made.id)
    assert client.responses.retrieve(made.id).id == made.id
