"""LangChain's standard integration tests, through langchain-openai, of the simulator alone: it plays a model well enough.

The gateway's own runs of this suite stand on that.
"""

from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

from sdk import files

pytestmark = [
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename for file uploads:UserWarning"),
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema:UserWarning"),
    # It puts the parsed object into the SDK's message, which declares it as None, and dumps that.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]


@pytest.fixture(autouse=True)
def files_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests download a picture and a PDF; here these are made instead."""

    def get(url: str, **_: object) -> httpx.Response:
        return httpx.Response(200, content=files.pdf() if url.endswith(".pdf") else files.png())

    monkeypatch.setattr(httpx, "get", get)
    monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "portico")  # warns without


class Standard(ChatModelIntegrationTests):
    """What a GPT of the simulator can do."""

    model_name = "gpt-4o"
    responses = False
    url: str

    @pytest.fixture(autouse=True)
    def at(self, simulated: str) -> None:
        self.url = f"{simulated}/v1"

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        address = {"base_url": self.url, "api_key": "a-key", "max_retries": 0}
        return {"model": self.model_name, "stream_usage": True, "use_responses_api": self.responses, **address}

    @property
    def model_override_value(self) -> str:
        return "gpt-4.1"

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        """False: the picture they name is on the open Internet."""
        return False

    @property
    def supports_pdf_inputs(self) -> bool:
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


class TestChat(Standard):
    """Chat Completions."""

    @property
    def supports_anthropic_inputs(self) -> bool:
        """False: they have `cache_control`, which langchain-openai passes on and Chat does not know."""
        return False


class TestResponses(Standard):
    """Responses."""

    responses = True


class TestReasoner(Standard):
    """Responses of a model that reasons."""

    model_name = "gpt-5-mini"
    responses = True
