"""The browser that tests look at pages with: the system's Chromium (`make browser-tools`).

Where several processes share two cores a page may take long to come: a wait ends when what it waits for is there, and
gives up late.
"""

import shutil
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NEEDS_CHROMIUM: Final = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (make browser-tools)")
PATIENCE_MS: Final = 60_000

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
