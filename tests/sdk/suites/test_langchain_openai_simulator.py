"""LangChain's standard integration tests, through langchain-openai, of the simulator alone: it plays a model well enough.

The gateway's own runs of this suite stand on that.
"""

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI

from sdk.suites.standard import SIMULATOR, Standard

pytestmark = [
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename for file uploads:UserWarning"),
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema:UserWarning"),
    # It puts the parsed object into the SDK's message, which declares it as None, and dumps that.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]


class GPT(Standard):
    """What a GPT of the simulator can do."""

    model_name = "gpt-4o"
    responses = False

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        address = {"base_url": f"{SIMULATOR}/v1", "api_key": "a-key", "max_retries": 0}
        return {"model": self.model_name, "stream_usage": True, "use_responses_api": self.responses, **address}

    @property
    def model_override_value(self) -> str:
        return "gpt-4.1"

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True


class TestChat(GPT):
    """Chat Completions."""

    @property
    def supports_anthropic_inputs(self) -> bool:
        """False: they have `cache_control`, which langchain-openai passes on and Chat does not know."""
        return False


class TestResponses(GPT):
    """Responses."""

    responses = True


class TestReasoner(GPT):
    """Responses of a model that reasons."""

    model_name = "gpt-5-mini"
    responses = True
