"""LangChain's standard integration tests, through langchain-anthropic, of the simulator alone: it plays Claude well enough.

The gateway's own runs of this suite stand on that.
"""

from typing import Any

import httpx
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests

from sdk import files


@pytest.fixture(autouse=True)
def files_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests download a picture and a PDF; here these are made instead."""

    def get(url: str, **_: object) -> httpx.Response:
        return httpx.Response(200, content=files.pdf() if url.endswith(".pdf") else files.png())

    monkeypatch.setattr(httpx, "get", get)
    monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "portico")  # warns without


class Standard(ChatModelIntegrationTests):
    """What a Claude of the simulator can do."""

    model_name: str
    url: str

    @pytest.fixture(autouse=True)
    def at(self, simulated: str) -> None:
        self.url = simulated

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.model_name, "base_url": self.url, "api_key": "a-key", "max_retries": 0}

    @property
    def model_override_value(self) -> str:
        return "claude-opus-4-7"

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
        """False: they have thinking that was signed elsewhere, which a strict simulator refuses as Anthropic would."""
        return False


class TestHaiku(Standard):
    """Takes a temperature and a forced tool."""

    model_name = "claude-haiku-4-5"


class TestOpus(Standard):
    """Takes no temperature. (Of a model that thinks unasked langchain-anthropic makes two texts when it streams.)"""

    model_name = "claude-opus-4-8"
