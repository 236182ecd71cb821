"""LangChain's standard integration tests for chat models, each integration in a virtual environment of its own.

The modules are in `suites/`; they are asked of a gateway before Gemini, GPT and Claude, all three played by the simulator,
and of the simulator alone, over sockets. Each of their tests is a result here. `PORTICO_SUITES="-k test_stream"` gives the
inner pytest more options, to look at a few.
"""

import base64
import hashlib
import os
import shlex
from pathlib import Path

import pytest

from gateway.house import KEY, House
from portico.dialects.openai_embeddings.tokens import vocabulary
from sdk import inner, venvs

_HERE = Path(__file__).parent / "suites"

SUITES = ("langchain-openai", "langchain-anthropic", "langchain-google")
"""Named as their requirement files, and as their modules begin."""


def _modules(suite: str) -> list[Path]:
    return sorted(_HERE.glob(f"test_{suite.replace('-', '_')}_*.py"))


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiktoken's cache, with the one file in it that langchain-openai would download (its hash is checked)."""
    words = vocabulary()
    assert words is not None
    folder = tmp_path_factory.mktemp("tiktoken")
    address = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
    lines = [b"%s %d\n" % (base64.b64encode(word), number) for number, word in enumerate(words)]
    (folder / hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()).write_bytes(b"".join(lines))
    return folder


@pytest.mark.parametrize("suite", SUITES)
def test_the_standard_suite_of(
    suite: str, house_of_all: House, simulated: str, site: str, tokens: Path, inner_results: list[inner.Result]
) -> None:
    try:
        python = venvs.python_with(venvs.REQUIREMENTS / f"{suite}.txt")
    except venvs.NoIndex as error:
        pytest.skip(f"no package index can be reached: {error}")
    known = {
        "SUITE_HOUSE": f"http://127.0.0.1:{house_of_all.port}",
        "SUITE_KEY": KEY,
        "SUITE_SIMULATOR": simulated,
        "SUITE_SITE": site,
        "LANGCHAIN_TESTS_USER_AGENT": "portico",  # warns without
        "LANGSMITH_TRACING": "false",
        "TIKTOKEN_CACHE_DIR": str(tokens),
    }
    options = shlex.split(os.environ.get("PORTICO_SUITES", ""))
    run = inner.run(python, _HERE / "pytest.ini", _modules(suite), known, *options)
    inner_results.extend(run.results)
    run.check()


def test_every_module_is_of_one_suite() -> None:
    assert sorted(path for suite in SUITES for path in _modules(suite)) == sorted(_HERE.glob("test_*.py"))
