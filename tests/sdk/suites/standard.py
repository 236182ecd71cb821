"""LangChain's standard integration tests for chat models: where they are sent, and what is true of every model.

These modules run in a virtual environment without Portico and without its tests' packages (`../test_langchain_suites.py`).
They know the servers they talk to by the environment alone.
"""

import os

from langchain_tests.integration_tests import ChatModelIntegrationTests

HOUSE = os.environ["SUITE_HOUSE"]
"""The address of a gateway before Gemini, GPT and Claude, without a path."""
KEY = os.environ["SUITE_KEY"]
"""The gateway's own."""
SIMULATOR = os.environ["SUITE_SIMULATOR"]
"""The address of the simulator alone, which takes any key."""
SITE = os.environ["SUITE_SITE"]
"""The address of somebody's web server, with a picture, a PDF and a sound."""


class Standard(ChatModelIntegrationTests):
    """One wire format in front of one model. A property that is not here is as the base class has it."""

    model_name: str

    @property
    def enable_vcr_tests(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        """False: the picture they name is on the open Internet; one from here is asked for elsewhere."""
        return False

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True
