"""LangChain's standard integration tests for chat models, through langchain-openai and a whole gateway. None is skipped."""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, Literal

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from pydantic import SecretStr

from gateway.house import KEY, House
from sdk import files

# What LangChain says of itself while its own tests run; each is raised on purpose by one of them.
pytestmark = [
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename for file uploads:UserWarning"),
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema:UserWarning"),
    # It puts the parsed object into the SDK's message, which declares it as None, and dumps that.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]

_FILES: dict[str, Callable[[], bytes]] = {".png": files.png, ".pdf": files.pdf, ".wav": files.wav}


@pytest.fixture(autouse=True)
def files_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests download a picture, a PDF and a sound; here these are made instead."""

    def get(url: str, **_: object) -> httpx.Response:
        return httpx.Response(200, content=_FILES[url[-4:]]())

    monkeypatch.setattr(httpx, "get", get)
    monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "portico")  # warns without


class NoCassette:
    """Nothing has been recorded: `test_stream_time` then asks for its story once and times nothing."""

    responses: Sequence[object] = ()


@pytest.fixture
def vcr() -> NoCassette:
    return NoCassette()


@pytest.fixture
def benchmark() -> None:
    """The plugin's own warns where it is not used."""


Detail = Literal["audio_input", "audio_output", "reasoning_output", "cache_read_input", "cache_creation_input"]


class Standard(ChatModelIntegrationTests):
    """What a model behind the gateway can do; a property that is not here is as the base class has it."""

    model_name: str
    url: str

    @pytest.fixture(autouse=True)
    def at(self, house: House) -> None:
        self.url = house.url

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # LangChain leaves usage out of streams from an address that is not OpenAI's unless it is told.
        address = {"base_url": self.url, "api_key": KEY, "max_retries": 0}
        return {"model": self.model_name, "stream_usage": True, **address}

    @property
    def model_override_value(self) -> str:
        return "gemini-2.5-pro"

    @property
    def enable_vcr_tests(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        """False: the picture they name is on the open Internet; one from here is asked for below."""
        return False

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> dict[Literal["invoke", "stream"], list[Detail]]:
        """Not `cache_creation_input`: Gemini's caches fill themselves and say nothing of it."""
        details: list[Detail] = ["audio_input", "audio_output", "reasoning_output", "cache_read_input"]
        return {"invoke": details, "stream": details}

    def invoke_with_audio_input(self, *, stream: bool = False) -> AIMessage:
        sound = {"data": files.base64_of(files.wav()), "format": "wav"}
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


class TestGeneration3(Standard):
    model_name = "gemini-3.5-flash"


class TestGeneration25(Standard):
    model_name = "gemini-2.5-flash"


def test_a_picture_by_address(house: House, site: str) -> None:
    model = ChatOpenAI(model="gemini-3.5-flash", base_url=house.url, api_key=SecretStr(KEY))
    picture = {"type": "image", "url": f"{site}/cat.png"}
    answer = model.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, picture])])
    assert "I received image/png" in answer.text
