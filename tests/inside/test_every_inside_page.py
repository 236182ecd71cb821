"""Every page behind the door, full of what a busy house holds, in a real browser at three widths.

Nothing is wider than the window, axe finds nothing that keeps people out, and the browser complains of nothing.
Screenshots are kept as those of the public pages are: with `$PORTICO_SCREENSHOTS` of every width in both themes.
"""

import time
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browsing import NEEDS_CHROMIUM, browser
from inside.test_journey import call, press
from web.serving import House, served
from web.test_browser import SCREENSHOTS, THEMES, THOROUGH, WIDTHS, Told, a_page, axe, looked_at

__all__ = ["axe", "browser"]

pytestmark = NEEDS_CHROMIUM
LANGUAGES: Final = ("en", "zh-HK")
PASSWORD: Final = "a long sample password"
ADDRESS: Final = f"ada.with.a.long.address@{'of-a-department.' * 10}example-company.com"
NAME: Final = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 3
LONG: Final = "the continuous integration of a department with a long name"
DRAFT: Final = '[[prices]]\nmodel = "gemini-3.5-flash"\ninput = "1.80"\ncached = "0.18"\noutput = "10.80"\n'
CONSOLE: Final = (
    "/console",
    "/console?period=7&by=key",
    "/console/usage",
    "/console/usage?charged=no",
    "/console/usage?q=nothing-is-like-that",
    "/console/keys",
    "/console/keys/new",
    "/console/playground",
    "/console/top-up",
    "/console/people",
    "/console/settings",
    "/console/_parts",
)
ADMIN: Final = (
    "/admin",
    *(
        f"/admin/{path}"
        for path in (
            "accounts",
            "accounts/default",
            "users",
            "keys",
            "codes",
            "payments",
            "providers",
            "deployments",
            "prices",
            "prices?model=gemini-3.5-flash",
            "usage",
            "usage?by=day",
            "live",
            "audit",
        )
    ),
)
DOOR: Final = ("/sign-in", "/sign-up", "/reset/no-such-link")


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with served() as house:
        yield house


@pytest.fixture(scope="module")
def visit(browser: Browser, house: House) -> Iterator[tuple[BrowserContext, Page, Told]]:
    context, page, told = a_page(browser, house, reduced_motion="reduce")
    yield context, page, told
    context.close()


Visit = tuple[BrowserContext, Page, Told]


@pytest.fixture(scope="module")
def pages(visit: Visit, house: House) -> list[str]:
    """A house with keys, calls that were answered and that failed, codes, a draft, a provider that rests; its pages."""
    _, page, told = visit
    page.goto(house.first_link)
    page.locator("#f-email").fill(ADDRESS)
    page.locator("#f-password").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/console**")
    page.goto("/console/settings")
    page.locator("#f-name").fill(NAME)
    press(page.locator("main form button[type=submit]").first)
    some_calls(house, a_key(page, LONG))
    furnish(page)
    pages = [*CONSOLE, *ADMIN]
    for path, links in (
        ("/console/usage", 'table.calls a[href^="/console/receipts/"]'),
        ("/console/usage?charged=no", 'table.calls a[href^="/console/receipts/"]'),
        ("/console", 'a[href^="/console/statements/"]'),
        ("/console/keys", 'main a[href^="/console/keys/key_"]'),
        ("/admin/keys", 'main a[href^="/admin/keys/key_"]'),
        ("/admin/users", 'main a[href^="/admin/users/user_"]'),
        ("/admin/accounts/default", 'main a[href^="/admin/receipts/"]'),
        ("/admin/prices", 'main a[href^="/admin/prices/drafts/drf_"]'),
    ):
        page.goto(path)
        pages.append(page.locator(links).first.get_attribute("href") or "")
    assert all(pages)
    assert told.errors == []
    return pages


def a_key(page: Page, name: str) -> str:
    page.goto("/console/keys/new")
    page.locator("#f-title").fill(name)
    for limit, amount in (("budget_day_usd", "5"), ("budget_month_usd", "20"), ("rpm", "6000")):
        page.locator(f'[name="{limit}-is"][value="some"]').check()
        page.locator(f'[name="{limit}"]').fill(amount)
    page.locator("main form button[type=submit]").last.click()
    return page.locator(".copyable code").first.inner_text().strip()


def some_calls(house: House, key: str) -> None:
    """With a key that opens within a second: answered, failed."""
    for _ in range(600):
        if call(house, key)[0] == 200:
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the key opens nothing")
    for model in ("gemini-3.5-flash", "gpt-5.5", "claude-opus-5-5"):
        for words in ("Hello", "stone " * 2000, "[[sim:500]]"):
            call(house, key, model=model, messages=[{"role": "user", "content": words}])


def furnish(page: Page) -> None:
    """What an operator makes: codes, a draft, a rest; and an invitation."""
    page.goto("/admin/codes")
    page.locator("main .title-row summary").click()
    page.locator("#f-amount_usd").fill("12.50")
    page.locator('main form[action="/admin/codes"] button[type=submit]').first.click()
    page.locator(".copyable code").wait_for()
    page.goto("/admin/prices/drafts/new")
    page.locator("#f-title").fill("January")
    page.locator("#f-text").fill(DRAFT)
    page.locator("main .editor button[type=submit]").click()
    page.wait_for_url("**/drafts/drf_*")
    page.goto("/admin/providers")
    page.locator('main details:has([name="do"][value="rest"]) > summary').first.click()
    page.locator('main details[open] form:has([name="do"][value="rest"]) button[type=submit]').first.click()
    page.wait_for_url("**done=*")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_behind_the_door_fits_pleases_axe_and_raises_no_error(
    visit: Visit, pages: list[str], axe: str, language: str
) -> None:
    _, page, told = visit
    page.goto(f"/console?language={language}")
    assert page.locator("html").get_attribute("lang") == language
    assert wrong_with(page, pages, axe, language) == []
    assert told.errors == []


@pytest.mark.parametrize("width", WIDTHS)
def test_who_is_in_an_account_is_seen(visit: Visit, pages: list[str], width: int) -> None:
    _, page, _ = visit
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/admin/accounts/default")
    expect(page.get_by_role("rowheader", name=ADDRESS)).to_be_visible()
    page.goto(next(path for path in pages if path.startswith("/admin/users/user_")))
    expect(page.get_by_role("rowheader", name="default")).to_be_visible()


def test_a_second_click_sends_no_form_again(visit: Visit, pages: list[str]) -> None:
    _, page, _ = visit
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto("/admin/accounts/default")
    page.locator('details:has([value="top-up"]) > summary').first.click()
    form = page.locator('form:has([value="top-up"])')
    form.locator('[name="amount_usd"]').fill("1")
    form.evaluate("""form => {
        const button = form.querySelector('[type=submit]');
        button.click();
        setTimeout(() => button.click(), 20);
    }""")
    page.wait_for_url("**done=topped-up*")
    assert len(sent) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_door_itself_fits_and_pleases_axe(browser: Browser, house: House, axe: str, language: str) -> None:
    context, page, told = a_page(browser, house, locale=language, reduced_motion="reduce")
    assert wrong_with(page, list(DOOR), axe, language) == []
    assert [one for one in told.errors if "404" not in one] == []  # the link that is none
    context.close()


def wrong_with(page: Page, paths: list[str], axe: str, language: str) -> list[str]:
    """Each page at every width in one of the themes; axe looks at each in one language."""
    wrong: list[str] = []
    for number, path in enumerate(paths):
        page.goto(path)
        widths = WIDTHS if number % 2 else WIDTHS[::-1]
        sights = [(width, theme) for width in widths for theme in (THEMES if THOROUGH else [THEMES[number // 2 % 2]])]
        looks = (number + LANGUAGES.index(language)) % 2
        judged = [sight for sight in sights if looks and sight[0] == WIDTHS[number % 3]]
        folder = SCREENSHOTS / "inside" / language
        wrong += looked_at(page, sights, sights if THOROUGH else judged, axe, folder, full=True)
    return wrong
