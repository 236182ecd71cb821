"""LangChain's standard tests through langchain-openai: Chat on models that are not Google's, Responses on all."""

from typing import Any

from sdk.suites.through_openai import NOTICES, ThroughOpenAI

pytestmark = NOTICES


class Chat(ThroughOpenAI):
    """OpenAI's Chat in front."""

    @property
    def model_override_value(self) -> str:
        return "gpt-4.1-mini"


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
