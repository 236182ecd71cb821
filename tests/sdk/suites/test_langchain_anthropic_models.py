"""LangChain's standard integration tests for chat models, through langchain-anthropic and a whole gateway."""

from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel

from sdk.suites.standard import HOUSE, KEY, Standard


class Anthropic(Standard):
    """Anthropic's own format in front."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.model_name, "base_url": HOUSE, "api_key": KEY, "max_retries": 0, "max_tokens": 4096}

    @property
    def model_override_value(self) -> str:
        return "claude-sonnet-4-6"

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True


class TestGemini(Anthropic):
    model_name = "gemini-3.5-flash"


class TestGPT(Anthropic):
    model_name = "gpt-4.1"


class TestClaude(Anthropic):
    model_name = "claude-sonnet-4-6"

    @property
    def supports_anthropic_inputs(self) -> bool:
        """False: the thinking in them has a signature that is none, and Claude checks."""
        return False
