"""What LangChain's standard tests through langchain-openai have in common, whatever is asked through it."""

from typing import Any, ClassVar

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI

from sdk.suites.standard import HOUSE, KEY, Standard

# What LangChain says of itself while its own tests run; each is raised on purpose by one of them.
NOTICES = [
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename for file uploads:UserWarning"),
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema:UserWarning"),
    # It puts the parsed object into the SDK's message, which declares it as None, and dumps that.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]


class ThroughOpenAI(Standard):
    """OpenAI's Chat in front of the gateway, or of whatever else `address` says."""

    address: ClassVar[dict[str, Any]] = {"base_url": f"{HOUSE}/v1", "api_key": KEY}

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # LangChain leaves usage out of streams from an address that is not OpenAI's unless it is told.
        return {"model": self.model_name, "stream_usage": True, "max_retries": 0, **self.address}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True
