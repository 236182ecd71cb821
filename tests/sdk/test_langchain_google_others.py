"""LangChain's standard integration tests through langchain-google-genai, on models that are not Google's."""

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_google_genai import ChatGoogleGenerativeAI

from gateway.house import KEY, House
from sdk.standard import Standard

pytestmark = [
    # LangChain never closes Google's client, and Python says so when it goes.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def house(house_of_all: House) -> House:
    return house_of_all


class Google(Standard):
    """Google's own format in front."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatGoogleGenerativeAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.model_name, "base_url": self.root, "google_api_key": KEY, "max_retries": 1}

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        """False: it takes no other model's name for one call."""
        return False


class TestGPT(Google):
    model_name = "gpt-4.1"


class TestClaude(Google):
    model_name = "claude-sonnet-4-6"
