"""The vendors' own SDKs in front of every kind of provider, all of them played by the simulator at each one's addresses."""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest
from anthropic import Anthropic
from google import genai
from google.genai import types
from openai import OpenAI

from gateway.house import KEY, House, house_in_a_thread
from portico.catalog import OperatorModel
from providers.entries import ENVIRONMENT, configured
from sdk import files
from sdk.test_google_genai import connect

PROVIDERS: Final = """
[[providers]]
kind = "gemini"
base_url = "ADDRESS"

[[providers]]
kind = "vertex"
name = "express"
base_url = "ADDRESS"
keys = ["env:VERTEX_API_KEY"]

[[providers]]
kind = "vertex"
name = "project"
base_url = "ADDRESS"
project = "p-1"
location = "europe-west4"
keys = ["env:VERTEX_API_KEY"]

[[providers]]
kind = "openai"
base_url = "ADDRESS"

[[providers]]
kind = "anthropic"
base_url = "ADDRESS"

[[providers]]
kind = "azure-openai"
base_url = "ADDRESS"

[[providers]]
kind = "azure-openai"
name = "dated"
base_url = "ADDRESS"
api_version = "2024-10-21"
keys = ["env:AZURE_OPENAI_API_KEY"]

[[providers]]
kind = "openai-compatible"
name = "lab"
base_url = "ADDRESS"
keys = ["env:GROQ_API_KEY"]

[[providers]]
kind = "openai-compatible"
name = "polyglot"
base_url = "ADDRESS"
dialects = ["openai_chat", "openai_responses"]
keys = ["env:GROQ_API_KEY"]
"""
TARGETS: Final = {
    "at-gemini": "gemini/gemini-3.5-flash",
    "at-vertex-express": "express/gemini-3.5-flash",
    "at-vertex-project": "project/gemini-2.5-flash",
    "at-openai": "openai/gpt-5.5",
    "at-anthropic": "anthropic/claude-sonnet-4-6",
    "at-azure": "azure-openai/gpt-5.5",
    "at-azure-dated": "dated/gpt-4.1",
    "at-a-compatible-server": "lab/gpt-4.1",
    "at-a-server-of-two-dialects": "polyglot/gpt-5.5",
}
"""What callers ask for, and where it is."""
SAID: Final = '[simulated] You said: "Hello"'
SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
QUESTION: Final = "get_weather please"
every = pytest.mark.parametrize("model", TARGETS)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("kinds")
    models = [OperatorModel(name, target) for name, target in TARGETS.items()]

    def configure(address: str) -> Any:
        return configured(folder, PROVIDERS.replace("ADDRESS", address), ENVIRONMENT).providers

    with house_in_a_thread(configure=configure, models=models) as house:
        yield house


def chat(house: House, model: str) -> None:
    with OpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client:
        messages: list[Any] = [{"role": "user", "content": "Hello"}]
        assert client.chat.completions.create(model=model, messages=messages).choices[0].message.content == SAID
        stream = client.chat.completions.create(
            model=model, messages=messages, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == SAID
        assert chunks[-1].usage is not None
        tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
        messages = [{"role": "user", "content": QUESTION}]
        told = client.chat.completions.create(model=model, messages=messages, tools=tools).choices[0].message
        (call,) = told.tool_calls or []
        messages += [told, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
        last = client.chat.completions.create(model=model, messages=messages, tools=tools)
        assert "sunny" in (last.choices[0].message.content or "")
        shown = {"type": "image_url", "image_url": {"url": files.data_uri("image/png", files.png())}}
        messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, shown]}]
        told = client.chat.completions.create(model=model, messages=messages).choices[0].message
        assert "I received image/png" in (told.content or "")


def responses(house: House, model: str) -> None:
    with OpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client:
        asked: Any = {"model": model, "store": False, "include": ["reasoning.encrypted_content"]}
        assert client.responses.create(input="Hello", **asked).output_text == SAID
        *_, last = client.responses.create(input="Hello", stream=True, **asked)
        assert last.type == "response.completed"
        assert last.response.output_text == SAID
        tools: Any = [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": True}]
        given: list[Any] = [{"role": "user", "content": QUESTION}]
        told = client.responses.create(input=given, tools=tools, **asked)
        (call,) = [item for item in told.output if item.type == "function_call"]
        given += [*told.output, {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
        assert "sunny" in client.responses.create(input=given, tools=tools, **asked).output_text
        shown = {"type": "input_image", "image_url": files.data_uri("image/png", files.png()), "detail": "auto"}
        given = [{"role": "user", "content": [{"type": "input_text", "text": "What is this?"}, shown]}]
        assert "I received image/png" in client.responses.create(input=given, **asked).output_text


def messages(house: House, model: str) -> None:
    with Anthropic(api_key=KEY, base_url=house.url.removesuffix("/v1"), max_retries=0) as client:
        asked: Any = {"model": model, "max_tokens": 8000}

        def text_of(message: Any) -> str:
            return "".join(block.text for block in message.content if block.type == "text")

        hello: Any = [{"role": "user", "content": "Hello"}]
        assert text_of(client.messages.create(messages=hello, **asked)) == SAID
        with client.messages.stream(messages=hello, **asked) as stream:
            assert text_of(stream.get_final_message()) == SAID
        tools: Any = [{"name": "get_weather", "input_schema": SCHEMA}]
        given: list[Any] = [{"role": "user", "content": QUESTION}]
        told = client.messages.create(messages=given, tools=tools, **asked)
        (call,) = [block for block in told.content if block.type == "tool_use"]
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
        given += [{"role": "assistant", "content": told.content}, {"role": "user", "content": [result]}]
        assert "sunny" in text_of(client.messages.create(messages=given, tools=tools, **asked))
        source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(files.png()).decode()}
        shown: Any = [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]
        told = client.messages.create(messages=[{"role": "user", "content": shown}], **asked)
        assert "I received image/png" in text_of(told)


def google(house: House, model: str) -> None:
    with connect(house) as client:
        assert client.models.generate_content(model=model, contents="Hello").text == SAID
        chunks = list(client.models.generate_content_stream(model=model, contents="Hello"))
        assert "".join(chunk.text or "" for chunk in chunks) == SAID
        _loop_of_googles(client, model)
        shown: list[Any] = [types.Part.from_bytes(data=files.png(), mime_type="image/png"), "What is this?"]
        assert "I received image/png" in (client.models.generate_content(model=model, contents=shown).text or "")


def _loop_of_googles(client: genai.Client, model: str) -> None:
    def get_weather(city: str) -> str:
        """The weather of a city."""
        del city
        return "sunny"

    talk = client.chats.create(model=model, config=types.GenerateContentConfig(tools=[get_weather]))
    assert "sunny" in (talk.send_message(QUESTION).text or "")


SDKS: Final[Mapping[str, Callable[[House, str], None]]] = {
    "openai, Chat": chat,
    "openai, Responses": responses,
    "anthropic": messages,
    "google-genai": google,
}


@every
@pytest.mark.parametrize("sdk", SDKS)
def test_texts_streams_calls_and_pictures_go_through(house: House, sdk: str, model: str) -> None:
    SDKS[sdk](house, model)
