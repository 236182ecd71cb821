"""LangChain's standard integration tests, through langchain-anthropic, of the simulator alone: it plays Claude well enough.

The gateway's own runs of this suite stand on that.
"""

from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel

from sdk.suites.standard import SIMULATOR, Standard


class Claude(Standard):
    """What a Claude of the simulator can do."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.model_name, "base_url": SIMULATOR, "api_key": "a-key", "max_retries": 0}

    @property
    def model_override_value(self) -> str:
        return "claude-opus-4-7"

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        """False: they have thinking that was signed elsewhere, which a strict simulator refuses as Anthropic would."""
        return False


class TestHaiku(Claude):
    """Takes a temperature and a forced tool."""

    model_name = "claude-haiku-4-5"


class TestOpus(Claude):
    """Takes no temperature. (Of a model that thinks unasked langchain-anthropic makes two texts when it streams.)"""

    model_name = "claude-opus-4-8"
