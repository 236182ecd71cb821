"""LangChain's standard integration tests for chat models, through langchain-google-genai and a whole gateway."""

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_google_genai import ChatGoogleGenerativeAI

from gateway.house import KEY
from sdk.standard import Standard

pytestmark = [
    # LangChain never closes Google's client, and Python says so when it goes.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]


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
    def supports_audio_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        """False: it takes no other model's name for one call."""
        return False


class TestGeneration3(Google):
    model_name = "gemini-3.5-flash"


class TestGeneration25(Google):
    model_name = "gemini-2.5-flash"
