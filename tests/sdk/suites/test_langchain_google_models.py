"""LangChain's standard integration tests for chat models, through langchain-google-genai and a whole gateway."""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_google_genai import ChatGoogleGenerativeAI

from sdk.suites.standard import HOUSE, KEY, Standard


class Google(Standard):
    """Google's own format in front."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatGoogleGenerativeAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.model_name, "base_url": HOUSE, "google_api_key": KEY, "max_retries": 1}

    @property
    def supports_model_override(self) -> bool:
        """False: it takes no other model's name for one call."""
        return False


class Gemini(Google):
    """Hears, too."""

    @property
    def supports_audio_inputs(self) -> bool:
        return True


class TestGeneration3(Gemini):
    model_name = "gemini-3.5-flash"


class TestGeneration25(Gemini):
    model_name = "gemini-2.5-flash"


class TestGPT(Google):
    model_name = "gpt-4.1"


class TestClaude(Google):
    model_name = "claude-sonnet-4-6"
