"""LangChain's standard integration tests before a whole gateway: what they need beside a server."""

from collections.abc import Callable, Sequence

import httpx
import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests

from gateway.house import House
from sdk import files

FILES: dict[str, Callable[[], bytes]] = {".png": files.png, ".pdf": files.pdf, ".wav": files.wav}


class NoCassette:
    """Nothing has been recorded: `test_stream_time` then asks for its story once and times nothing."""

    responses: Sequence[object] = ()


class Standard(ChatModelIntegrationTests):
    """One wire format in front of one model. A property that is not here is as the base class has it."""

    model_name: str
    url: str
    """With `/v1`."""
    root: str
    """Without."""

    @pytest.fixture(autouse=True)
    def at(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """The tests download a picture, a PDF and a sound; here these are made instead."""
        self.url = house.url
        self.root = f"http://127.0.0.1:{house.port}"

        def get(url: str, **_: object) -> httpx.Response:
            return httpx.Response(200, content=FILES[url[-4:]]())

        monkeypatch.setattr(httpx, "get", get)
        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "portico")  # warns without

    @pytest.fixture
    def vcr(self) -> NoCassette:
        return NoCassette()

    @pytest.fixture
    def benchmark(self) -> None:
        """The plugin's own warns where it is not used."""

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
