"""The browser that tests look at pages with: the system's Chromium (`make browser-tools`).

Where several processes share two cores a page may take long to come: a wait ends when what it waits for is there, and
gives up late.
"""

import shutil
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

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


class Held:
    """The next request of a page to such an address: on its way until it is let go."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._routes: list[Route] = []
        self._page = page
        page.route(pattern, lambda route: self._routes.append(route), times=1)

    def wait(self) -> None:
        """Until it is on its way."""
        while not self._routes:
            self._page.wait_for_timeout(10)

    def release(self) -> None:
        """Until the page has been told what came of it."""
        with self._page.expect_request_finished(lambda one: one == self._routes[0].request):
            self._routes[0].continue_()
        self._page.evaluate("fetch('/healthz').then((one) => one.text())")

    def abort(self) -> None:
        """As if the connection broke."""
        with self._page.expect_event("requestfailed", lambda one: one == self._routes[0].request):
            self._routes[0].abort()
        self._page.evaluate("fetch('/healthz').then((one) => one.text())")
