"""An independent judge of llms.txt, Markdown twins and their parity: afdocs, once in each language."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from portico.web.addresses import Locale
from sdk import nodejs
from web.serving import House, served

NODE: Final = Path(__file__).parent / "node"
TIME_S: Final = 240


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with served() as house:
        yield house


@pytest.mark.skipif(nodejs.NPM is None, reason="there is no Node.js here (make sdk-tools)")
@pytest.mark.parametrize("locale", list(Locale))
def test_afdocs_finds_nothing_wrong(house: House, locale: Locale) -> None:
    program = nodejs.installed(NODE) / "node_modules/.bin/afdocs"
    done = subprocess.run(
        [
            str(program),
            "check",
            f"{house.base_url}{locale.prefix}/docs",
            "--format",
            "json",
            "--doc-locale",
            locale.value,
            "--sampling",
            "deterministic",
            "--max-links",
            "500",
            "--request-delay",
            "0",
        ],
        env={"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/tmp"), "NO_COLOR": "1"},  # noqa: S108
        capture_output=True,
        text=True,
        check=False,
        timeout=TIME_S,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    results = report["results"]
    wrong = [f"{one['id']}: {one['message']}" for one in results if one["status"] in ("fail", "error", "warn")]
    assert wrong == []
    assert sum(one["status"] == "pass" for one in results) >= 20
