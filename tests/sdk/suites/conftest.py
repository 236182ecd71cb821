"""LangChain's standard tests ask for files and fixtures; here is what they get. Who would connect elsewhere fails."""

from collections.abc import Sequence

import httpx
import pytest

from sdk.suites.standard import SITE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.block_network(allowed_hosts=["127.0.0.1"]))


FILES = {".png": "/cat.png", ".pdf": "/report.pdf", ".wav": "/sound.wav"}


@pytest.fixture(autouse=True)
def files_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests download a picture, a PDF and a sound from the open Internet; here they come from this machine."""
    get = httpx.get
    monkeypatch.setattr(httpx, "get", lambda url, **options: get(SITE + FILES[url[-4:]], **options))


class NoCassette:
    """Nothing has been recorded: `test_stream_time` then asks for its story once and times nothing."""

    responses: Sequence[object] = ()


@pytest.fixture
def vcr() -> NoCassette:
    return NoCassette()


@pytest.fixture
def benchmark() -> None:
    """The plugin's own warns where it is not used."""
