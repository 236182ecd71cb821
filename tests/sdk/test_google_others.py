"""Examples of Google's own SDK on GPT and Claude: what people paste for Gemini works with another name in `model`."""

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from gateway.house import House, house_in_a_thread
from portico.providers import KINDS
from sdk import files
from sdk.test_google_genai import connect, parts_of, sent

GPT, CLAUDE = "gpt-5.5", "claude-sonnet-4-6"
both = pytest.mark.parametrize("model", [GPT, CLAUDE])


@pytest.fixture(scope="module")
def house(house_of_all: House) -> House:
    return house_of_all


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[genai.Client]:
    with connect(house) as client:
        yield client


@both
def test_generate_content(client: genai.Client, model: str) -> None:
    response = client.models.generate_content(model=model, contents="Hello!")
    assert response.text == '[simulated] You said: "Hello!"'
    assert response.model_version == model
    assert response.response_id
    usage = response.usage_metadata
    assert usage is not None
    assert usage.prompt_token_count
    assert usage.total_token_count == (
        usage.prompt_token_count + (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    )


@both
def test_generate_content_stream(client: genai.Client, model: str) -> None:
    chunks = list(client.models.generate_content_stream(model=model, contents="Hello [[sim:words=60]]"))
    assert len(chunks) > 2
    assert "".join(chunk.text or "" for chunk in chunks).endswith("word59")
    assert len({chunk.response_id for chunk in chunks}) == 1
    assert chunks[-1].usage_metadata is not None
    assert chunks[-1].candidates
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP


@both
def test_a_configuration_reaches_the_provider(client: genai.Client, house: House, model: str) -> None:
    config = types.GenerateContentConfig(system_instruction="Be brief.", max_output_tokens=9000)
    contents: list[Any] = ["Tell me", "a story"]
    assert client.models.generate_content(model=model, contents=contents, config=config).text
    body = sent(house)
    if model == GPT:
        assert body["instructions"] == "Be brief."
        assert body["max_output_tokens"] == 9000
    else:
        assert body["system"] == "Be brief."
        assert body["max_tokens"] == 9000


@both
def test_pictures_and_documents_are_seen(client: genai.Client, model: str) -> None:
    contents: list[Any] = [
        types.Part.from_bytes(data=files.png(), mime_type="image/png"),
        types.Part.from_bytes(data=files.pdf(), mime_type="application/pdf"),
        "What is this?",
    ]
    told = client.models.generate_content(model=model, contents=contents).text or ""
    assert "image/png" in told
    assert "application/pdf" in told


@both
def test_a_chat_calls_python_functions_by_itself(client: genai.Client, model: str) -> None:
    called: list[str] = []

    def get_weather(city: str) -> dict[str, int]:
        """The weather of a city."""
        called.append(f"weather {city}")
        return {"temperature": 21}

    def get_time(city: str) -> str:
        """The time in a city."""
        called.append(f"time {city}")
        return "12:30"

    chat = client.chats.create(model=model, config=types.GenerateContentConfig(tools=[get_weather, get_time]))
    for question in ("get_weather and get_time please", "And get_weather and get_time once more"):
        told = chat.send_message(question).text or ""
        assert "12:30" in told
        assert "21" in told
    assert [one.partition(" ")[0] for one in called] == ["weather", "time"] * 2


@both
async def test_a_streamed_chat_calls_functions_by_itself(house: House, model: str) -> None:
    async def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    async with connect(house).aio as client:
        chat = client.chats.create(model=model, config=types.GenerateContentConfig(tools=[get_weather]))
        text = ""
        async for chunk in await chat.send_message_stream("What is the weather in Zürich?"):
            text += chunk.text or ""
    assert "sunny in Zürich" in text


@both
def test_a_function_is_called_if_it_must_be(client: genai.Client, model: str) -> None:
    function = types.FunctionDeclaration(
        name="get_weather",
        description="The weather of a city.",
        parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    )
    mode = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[function])],
        tool_config=types.ToolConfig(function_calling_config=mode),
    )
    (call,) = client.models.generate_content(model=model, contents="Hello", config=config).function_calls or []
    assert call.name == "get_weather"
    assert call.args is not None
    assert set(call.args) == {"city"}


class Recipe(BaseModel):
    name: str
    steps: list[str]


@both
def test_structured_output(client: genai.Client, model: str) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Recipe)
    response = client.models.generate_content(model=model, contents="A recipe of pancakes.", config=config)
    assert isinstance(response.parsed, Recipe)


@both
@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_come_as_parts_of_their_own(client: genai.Client, model: str, stream: bool) -> None:
    thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=4096)
    asked: Any = {
        "model": model,
        "contents": "Why is the sky blue?",
        "config": types.GenerateContentConfig(thinking_config=thinking),
    }
    answers = (
        list(client.models.generate_content_stream(**asked)) if stream else [client.models.generate_content(**asked)]
    )
    parts = [part for answer in answers if answer.candidates for part in parts_of(answer)]
    assert "".join(part.text or "" for part in parts if part.thought)
    assert "".join(part.text or "" for part in parts if not part.thought).startswith("[simulated] You said")
    usage = answers[-1].usage_metadata
    assert usage is not None
    assert usage.thoughts_token_count


@both
@pytest.mark.parametrize("stream", [False, True])
def test_a_search_is_grounded(client: genai.Client, model: str, stream: bool) -> None:
    config = types.GenerateContentConfig(tools=[types.Tool(google_search=types.GoogleSearch())])
    asked: Any = {"model": model, "contents": "Who won the euro 2024?", "config": config}
    if stream:
        metadata = [
            chunk.candidates[0].grounding_metadata
            for chunk in client.models.generate_content_stream(**asked)
            if chunk.candidates
        ]
        grounding = next(one for one in reversed(metadata) if one is not None)
    else:
        response = client.models.generate_content(**asked)
        assert response.candidates
        assert response.candidates[0].grounding_metadata is not None
        grounding = response.candidates[0].grounding_metadata
    assert grounding.grounding_chunks
    assert all(chunk.web and chunk.web.uri for chunk in grounding.grounding_chunks)
    assert grounding.grounding_supports


@both
def test_tokens_are_counted(client: genai.Client, model: str) -> None:
    def count(text: str) -> int:
        return client.models.count_tokens(model=model, contents=text).total_tokens or 0

    assert 0 < count("Hello") < count("Hello " * 200)


def test_every_vendors_models_are_listed_and_found(client: genai.Client) -> None:
    names = {model.name for model in client.models.list(config={"page_size": 1000})}
    assert {f"models/{name}" for name in (GPT, CLAUDE, "gemini-3.5-flash")} <= names
    assert client.models.get(model=CLAUDE).name == f"models/{CLAUDE}"


@both
@pytest.mark.parametrize(("fault", "status", "word"), [("429", 429, "RESOURCE_EXHAUSTED"), ("503", 503, "UNAVAILABLE")])
def test_a_failure_has_its_status(model: str, fault: str, status: int, word: str) -> None:
    """In a house of its own: who met a limit rests."""
    kinds = tuple(KINDS[name] for name in ("openai", "anthropic"))
    with house_in_a_thread(kinds=kinds) as house, connect(house) as client:
        with pytest.raises(errors.APIError) as caught:
            client.models.generate_content(model=model, contents=f"[[sim:{fault}]]")
        assert (caught.value.code, caught.value.status) == (status, word)
