"""LangChain's standard integration tests for chat models, through langchain-openai and a whole gateway. None is skipped."""

import base64
import functools
import operator
from typing import Any, Literal

import httpx
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from sdk.suites.standard import HOUSE, KEY, SITE
from sdk.suites.through_openai import NOTICES, ThroughOpenAI

pytestmark = NOTICES

Detail = Literal["audio_input", "audio_output", "reasoning_output", "cache_read_input", "cache_creation_input"]


class Gemini(ThroughOpenAI):
    """What Gemini can do for a caller of OpenAI's Chat."""

    @property
    def model_override_value(self) -> str:
        return "gemini-2.5-pro"

    @property
    def supports_audio_inputs(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> dict[Literal["invoke", "stream"], list[Detail]]:
        """Not `cache_creation_input`: Gemini's caches fill themselves and say nothing of it."""
        details: list[Detail] = ["audio_input", "audio_output", "reasoning_output", "cache_read_input"]
        return {"invoke": details, "stream": details}

    def invoke_with_audio_input(self, *, stream: bool = False) -> AIMessage:
        sound = {"data": base64.b64encode(httpx.get(f"{SITE}/sound.wav").content).decode(), "format": "wav"}
        return self._told([HumanMessage([{"type": "input_audio", "input_audio": sound}])], stream)

    def invoke_with_audio_output(self, *, stream: bool = False) -> AIMessage:
        spoken = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "pcm16"}}
        model = "gemini-2.5-flash-preview-tts"
        return self._told([HumanMessage("Say hello")], stream, model=model, model_kwargs=spoken)

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        return self._told([HumanMessage("Hello")], stream, reasoning_effort="high")

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        cache = {"google": {"cached_content": "cachedContents/simulated"}}
        return self._told([HumanMessage("Hello")], stream, extra_body=cache)

    def _told(self, messages: list[BaseMessage], stream: bool, **params: Any) -> AIMessage:
        model = ChatOpenAI(**{**self.chat_model_params, **params})
        return _folded(model, messages) if stream else model.invoke(messages)


def _folded(model: ChatOpenAI, messages: list[BaseMessage]) -> AIMessage:
    return functools.reduce(operator.add, model.stream(messages))


class TestGeneration3(Gemini):
    model_name = "gemini-3.5-flash"


class TestGeneration25(Gemini):
    model_name = "gemini-2.5-flash"


def test_a_picture_by_address() -> None:
    model = ChatOpenAI(model="gemini-3.5-flash", base_url=f"{HOUSE}/v1", api_key=SecretStr(KEY))
    picture = {"type": "image", "url": f"{SITE}/cat.png"}
    answer = model.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, picture])])
    assert "I received image/png" in answer.text
