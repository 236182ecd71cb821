"""LangChain's standard tests through langchain-openai: Chat on models that are not Google's, Responses on all."""

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI

from sdk.suites.standard import HOUSE, KEY, Standard

# What LangChain says of itself while its own tests run; each is raised on purpose by one of them.
pytestmark = [
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename for file uploads:UserWarning"),
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema:UserWarning"),
    # It puts the parsed object into the SDK's message, which declares it as None, and dumps that.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]


class Chat(Standard):
    """OpenAI's Chat in front."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # LangChain leaves usage out of streams from an address that is not OpenAI's unless it is told.
        address = {"base_url": f"{HOUSE}/v1", "api_key": KEY, "max_retries": 0}
        return {"model": self.model_name, "stream_usage": True, **address}

    @property
    def model_override_value(self) -> str:
        return "gpt-4.1-mini"

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True


class Responses(Chat):
    """OpenAI's Responses in front."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "use_responses_api": True}


class TestChatGPT(Chat):
    model_name = "gpt-4.1"

    @property
    def supports_anthropic_inputs(self) -> bool:
        """False: OpenAI gets the body as it came, and refuses cache_control in it."""
        return False


class TestChatClaude(Chat):
    model_name = "claude-sonnet-4-6"

    @property
    def supports_json_mode(self) -> bool:
        """False: Claude has none; JSON is asked for in words, which the simulator does not follow."""
        return False


class TestResponsesGemini(Responses):
    model_name = "gemini-3.5-flash"


class TestResponsesGPT(Responses):
    model_name = "gpt-4.1"


class TestResponsesClaude(Responses):
    model_name = "claude-sonnet-4-6"

    @property
    def supports_json_mode(self) -> bool:
        """False: Claude has none; JSON is asked for in words, which the simulator does not follow."""
        return False
