"""A visitor with a real browser: from the landing to the docs in three languages, on every page at three widths.

Chromium is the system's (`make browser-tools`). With `$PORTICO_SCREENSHOTS`, a folder, every page is kept as an image in
both themes.
"""

import os
import re
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from browsing import NEEDS_CHROMIUM, PATIENCE_MS, browser
from portico.web.addresses import Address, Locale
from sdk import nodejs
from web.rooms import ADDRESSES, CATALOG
from web.serving import House, served

ROOT: Final = Path(__file__).parent.parent.parent
SCREENSHOTS: Final = Path(os.environ.get("PORTICO_SCREENSHOTS") or ROOT / "build" / "screenshots")
NODE: Final = Path(__file__).parent / "node"
WIDTHS: Final = (360, 768, 1440)
THEMES: Final[Sequence[Literal["light", "dark"]]] = ("light", "dark")
THOROUGH: Final = "PORTICO_SCREENSHOTS" in os.environ
KINDS: Final = ("/models/gpt-5.5", "/models/gemini-3.8-flash", "/models/whisper-1", "/status/gpt-5.5")
OPERATIONS: Final = ("/docs/api/create-chat-completion", "/docs/api/upload-google-file", "/docs/api/get-usage")
PAGES: Final = [
    *(path for path in ADDRESSES if path.removeprefix("/models/") not in CATALOG.models and "/docs/api/" not in path),
    *KINDS,
    *OPERATIONS,
]
"""Every page, but of the models' pages and of the reference's, each of which are one template, three."""
ASKED: Final = (
    "/models?in=13000&cached=60&out=800&sort=cost",
    "/models?q=claude&provider=google",
    "/models/compare?m=gpt-5.5&m=gemini-3.8-flash&m=claude-opus-5-5&m=gpt-4.1",
    "/pricing?in=280000&think=4000&img=1&search=2",
)
"""Pages that look otherwise once something is asked of them."""
HEADINGS: Final = {
    Locale.EN: ("One door to every model", "Models", "Quickstart"),
    Locale.ZH_CN: ("一扇门，通向所有模型", "模型", None),
    Locale.ZH_HK: ("所有模型，同一道門", "模型", None),
}

__all__ = ["browser"]
pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with served() as house:
        yield house


class Told:
    """What the browser complains of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(f"{page.url}: {error}"))
        page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        """But for what a page that was left was still waiting for: its icon, and what the desk asks again and again."""
        left = request.failure == "net::ERR_ABORTED"
        if not (left and request.url.endswith(("/favicon.svg", "/admin/live.json"))):
            self.errors.append(f"{request.url}: {request.failure}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.location.get('url')}: {message.text}")


def a_page(browser: Browser, house: House, **settings: Any) -> tuple[BrowserContext, Page, Told]:
    context = browser.new_context(base_url=house.base_url, **settings)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return context, page, Told(page)


@pytest.mark.parametrize("locale", list(Locale))
@pytest.mark.parametrize("scripts", [True, False])
def test_a_visitor_goes_from_the_landing_to_the_docs(
    browser: Browser,
    house: House,
    locale: Locale,
    scripts: bool,
) -> None:
    context, page, told = a_page(browser, house, java_script_enabled=scripts, viewport={"width": 1280, "height": 900})
    landing, models, _ = HEADINGS[locale]
    page.goto(str(Address("/", locale)))
    expect(page.locator("h1")).to_have_text(landing)
    expect(page.locator(".tab[open] code").first).to_contain_text(f"{house.base_url}/v1/chat/completions")
    page.locator(".menu a").first.click()
    expect(page.locator("h1")).to_have_text(models)
    page.get_by_label("Anthropic").check()
    if not scripts:
        page.locator("form.filters button").click()
    page.wait_for_url(re.compile(r"/models\?(.*&)?provider=anthropic"))
    expect(page.locator("tbody tr").first).to_contain_text("claude")
    assert "gemini" not in page.locator("tbody").inner_text().replace("answered by gemini", "")
    page.locator("tbody th a").first.click()
    expect(page.locator("h1")).to_contain_text("Claude")
    page.locator(f'.menu a[href="{Address("/docs", locale)}"]').click()
    expect(page.locator("nav.rooms a").first).to_be_visible()
    page.locator(f'nav.rooms a[href="{Address("/docs/quickstart", locale)}"]').click()
    page.wait_for_url(f"**{Address('/docs/quickstart', locale)}")
    expect(page.locator("h1")).to_be_visible()
    page.locator(".drop summary").click()
    other = Locale.ZH_HK if locale is not Locale.ZH_HK else Locale.EN
    page.locator(f'.drop a[lang="{other.value}"]').click()
    page.wait_for_url(f"**{Address('/docs/quickstart', other)}")
    assert page.locator("html").get_attribute("lang") == other.value
    assert told.errors == []
    context.close()


def test_what_only_a_script_can_do_is_not_offered_without_scripts(browser: Browser, house: House) -> None:
    context, page, told = a_page(browser, house, java_script_enabled=False)
    for path in ("/", "/docs/chat", "/sign-in"):
        page.goto(path)
        expect(page.locator("[hidden]:visible")).to_have_count(0)
        expect(page.locator("[data-theme-switch]")).to_be_hidden()
    assert told.errors == []
    context.close()


def test_a_reader_copies_code_chooses_a_client_and_a_theme(browser: Browser, house: House) -> None:
    context, page, told = a_page(browser, house, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/")
    page.locator(".tab summary", has_text="Python").click()
    expect(page.locator(".tab[open] summary").first).to_have_text("Python")
    page.locator(".tab[open] .copy").first.click()
    expect(page.locator(".tab[open] .copy").first).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f'base_url="{house.base_url}/v1"' in copied
    page.goto("/docs/quickstart")
    assert page.locator(".tab[open] summary").all_inner_texts().count("curl") == 0
    page.locator("[data-theme-switch]").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.goto("/pricing")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert told.errors == []
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_reader_ticks_models_and_compares_them(browser: Browser, house: House, scripts: bool) -> None:
    context, page, told = a_page(browser, house, java_script_enabled=scripts, viewport={"width": 1280, "height": 900})
    page.goto("/models?provider=anthropic")
    names = page.locator("tbody th > a").all_inner_texts()[:2]
    for number in (0, 1):
        page.locator("tbody input").nth(number).check()
    expect(page.locator(".pick button")).to_be_in_viewport()
    page.locator(".pick button").click()
    page.wait_for_url(re.compile(r"/models/compare\?m="))
    assert page.locator("thead th").all_inner_texts() == names
    assert told.errors == []
    context.close()


def test_a_reader_copies_a_name_and_prices_a_call(browser: Browser, house: House) -> None:
    context, page, told = a_page(browser, house, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/models")
    row = page.locator("tbody tr").first
    assert (page.locator("table").get_attribute("role"), row.locator("th").get_attribute("role")) == (
        "table",
        "rowheader",
    )
    row.hover()
    row.locator(".copy-name").click()
    expect(row.locator(".copy-name")).to_have_attribute("aria-label", "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == row.locator("th > a").inner_text()
    page.get_by_label("Tokens in").fill("20000")
    page.get_by_label("Tokens in").press("Enter")
    page.wait_for_url("**/models?in=20000")
    expect(page.locator("thead")).to_contain_text("Cost of")
    assert told.errors == []
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_language_that_is_offered_is_offered_until_one_is_chosen(
    browser: Browser, house: House, scripts: bool
) -> None:
    context, page, told = a_page(browser, house, java_script_enabled=scripts, locale="zh-HK")
    page.goto("/pricing?in=500")
    expect(page.locator(".offer")).to_contain_text("繁體中文")
    page.locator(".offer a").last.click()
    page.wait_for_url("**/pricing?in=500")
    expect(page.locator("h1")).to_have_text("Pricing")
    assert page.locator(".offer").count() == 0
    context.clear_cookies()
    page.goto("/models")
    page.locator(".offer a").first.click()
    page.wait_for_url("**/zh-HK/models")
    assert told.errors == []
    context.close()


def test_everything_can_be_reached_with_the_keyboard(browser: Browser, house: House) -> None:
    context, page, _ = a_page(browser, house)
    page.goto("/models")
    page.keyboard.press("Tab")
    expect(page.locator(".skip").first).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    page.locator(".drop summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".drop ul")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".drop ul")).to_be_hidden()
    expect(page.locator(".drop summary")).to_be_focused()
    context.close()


@pytest.fixture(scope="module")
def axe() -> str:
    if nodejs.NPM is None:
        pytest.skip("there is no Node.js here (make sdk-tools)")
    return (nodejs.installed(NODE) / "node_modules/axe-core/axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("locale", list(Locale))
def test_every_page_fits_pleases_axe_and_raises_no_error(
    browser: Browser, house: House, axe: str, locale: Locale
) -> None:
    """At every width, one page in one theme and the next in the other; axe looks at each page in one of the languages. With
    `$PORTICO_SCREENSHOTS` all of that in all of them, so that it can be looked at."""
    own = list(Locale).index(locale)
    context, page, told = a_page(browser, house, reduced_motion="reduce")
    wrong: list[str] = []
    for number, path in enumerate((*PAGES, *ASKED)):
        at, _, query = path.partition("?")
        page.goto(str(Address(at, locale)) + (f"?{query}" if query else ""))
        # The page is laid out anew for every other width: each begins with the width at which the one before ended.
        widths = WIDTHS if number % 2 else WIDTHS[::-1]
        sights = [
            (width, theme) for width in widths for theme in (THEMES if THOROUGH else [THEMES[(number + own) % 2]])
        ]
        judged = [sight for sight in sights if sight[0] == WIDTHS[number % 3] and (number // 3 + own) % 3 == 0]
        wrong += looked_at(page, sights, sights if THOROUGH else judged, axe, SCREENSHOTS / locale.value)
    context.close()
    assert wrong == []
    assert told.errors == []


Sight: TypeAlias = tuple[int, Literal["light", "dark"]]
"""A width in a theme."""


def looked_at(
    page: Page,
    sights: Sequence[Sight],
    judged: Container[Sight],
    axe: str,
    folder: Path,
    *,
    name: str = "",
    full: bool = False,
) -> list[str]:
    """What is wrong with the page that is open: it is wider than the window, or axe finds something where it is to judge.
    With `$PORTICO_SCREENSHOTS` an image of every sight is kept in the folder, of the window or of the full page."""
    wrong: list[str] = []
    where = page.url.split("/", 3)[3]
    name = name or re.sub(r"[/?&=]+", "_", where)[:60] or "index"
    if any(sight in judged for sight in sights):
        page.evaluate(axe)
    for width, theme in sights:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            wrong.append(f"{where} is {wide} wide at {width}")
        if THOROUGH:
            page.screenshot(path=folder / f"{name}-{width}-{theme}.png", full_page=full)
        if (width, theme) in judged:
            wrong += [f"{where} at {width}, {theme}: {one}" for one in serious(page)]
    return wrong


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    results = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes']][:3]}"
        for one in results["violations"]
        if one["impact"] in ("serious", "critical")
    ]
