"""LangChain's standard integration tests, through langchain-openai, of the simulator alone: it plays a model well enough.

The gateway's own runs of this suite stand on that.
"""

from typing import Any, ClassVar

from sdk.suites.standard import SIMULATOR
from sdk.suites.through_openai import NOTICES, ThroughOpenAI

pytestmark = NOTICES


class GPT(ThroughOpenAI):
    """What a GPT of the simulator can do."""

    model_name = "gpt-4o"
    responses = False
    address: ClassVar[dict[str, Any]] = {"base_url": f"{SIMULATOR}/v1", "api_key": "a-key"}

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "use_responses_api": self.responses}

    @property
    def model_override_value(self) -> str:
        return "gpt-4.1"

    @property
    def supports_pdf_tool_message(self) -> bool:
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
