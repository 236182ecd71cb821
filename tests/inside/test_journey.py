"""A fresh install, with a real browser: from the first link to a call that is refused, then the admin's side.

What pages show comes of real calls; who has made none yet is told what to do next. With scripts off the same forms work.
"""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from browsing import NEEDS_CHROMIUM, browser
from web.serving import House, served
from web.test_browser import Told, a_page

__all__ = ["browser"]
pytestmark = NEEDS_CHROMIUM
LANGUAGES = ("en", "zh-HK")
PASSWORD = "a long sample password"


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def house(language: str) -> Iterator[House]:
    """Fresh, for each language."""
    with served() as house:
        yield house


@pytest.fixture(scope="module")
def visit(browser: Browser, house: House, language: str) -> Iterator[tuple[BrowserContext, Page, Told]]:
    """One browser for the whole way."""
    context, page, told = a_page(browser, house, locale=language, viewport={"width": 1280, "height": 900})
    yield context, page, told
    context.close()


class Way:
    """What is found on one step and needed on a later one."""

    key: str
    account: str


@pytest.fixture(scope="module")
def way() -> Way:
    return Way()


def a_picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), "#1b6e62").save(out, "PNG")
    return out.getvalue()


def call(house: House, key: str, **fields: Any) -> tuple[int, Any]:
    """A call as a client makes it."""
    body = {"model": "gemini-3.5-flash", "messages": [{"role": "user", "content": "Hello"}], **fields}
    request = urllib.request.Request(  # noqa: S310 - our own
        f"{house.base_url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def press(place: Locator) -> None:
    """A button or link that leads to another page: until all of that is there. A click alone does not wait for it."""
    with place.page.expect_navigation():
        place.click()


def refused(told: Told, status: int, go: Callable[[Page], object]) -> None:
    """Where a page is an error the browser tells of it, before it shows the page or after: that one is forgotten, and no
    other."""
    page = told.page
    with page.expect_console_message(lambda said: f"status of {status}" in said.text):
        go(page)
    told.errors = [error for error in told.errors if f"status of {status}" not in error]


Visit = tuple[BrowserContext, Page, Told]


def the_first_link_makes_whoever_follows_it_the_operator(visit: Visit, house: House, language: str) -> None:
    _, page, told = visit
    page.goto(house.first_link)
    assert page.locator("html").get_attribute("lang") == language
    page.locator("#f-email").fill("ada@example.com")
    page.locator("#f-name").fill("Ada")
    page.locator("#f-password").fill(PASSWORD)
    press(page.locator("main button[type=submit]"))
    page.wait_for_url("**/console**")
    expect(page.locator('.menu a[href="/admin"]')).to_be_visible()
    refused(told, 404, lambda page: page.goto(house.first_link))
    expect(page.locator("#f-password")).to_have_count(0)  # it worked once


def a_fresh_console_says_what_to_do_next(visit: Visit) -> None:
    _, page, _ = visit
    page.goto("/console")
    expect(page.locator("ol.steps li")).to_have_count(3)
    expect(page.locator("ol.steps .code").first).to_contain_text("/v1/chat/completions")
    for path in ("/console/usage", "/console/playground", "/admin/live", "/admin/codes"):
        page.goto(path)
        expect(page.locator(".empty, .pg-empty").first).to_be_visible()


def signing_out_and_in_leads_back_to_the_page_that_was_wanted(visit: Visit) -> None:
    _, page, told = visit
    page.locator(".drop").last.locator("summary").click()
    press(page.locator('form[action="/sign-out"] button'))
    page.wait_for_url("**/sign-in?done=signed-out")
    page.goto("/console/keys?from=a-bookmark")
    page.wait_for_url("**/sign-in?to=*")
    page.locator("#f-email").fill("ada@example.com")
    page.locator("#f-password").fill("not the password at all")
    refused(told, 422, lambda page: press(page.locator("main button[type=submit]")))
    expect(page.locator(".note-bad")).to_be_visible()
    page.locator("#f-password").fill(PASSWORD)
    press(page.locator("main button[type=submit]"))
    page.wait_for_url("**/console/keys?from=a-bookmark")


def a_key_is_shown_once_and_calls(visit: Visit, house: House, way: Way) -> None:
    _, page, _ = visit
    page.goto("/console/keys/new")
    page.locator("#f-title").fill("laptop")
    press(page.locator("main form button[type=submit]").last)
    way.key = page.locator(".copyable code").first.inner_text().strip()
    assert way.key.startswith("sk-portico-")
    assert page.url.find(way.key) < 0
    press(page.locator('main a.button-primary[href^="/console/keys/key_"]'))
    assert way.key not in page.content()
    page.goto("/console/keys")
    assert way.key not in page.content()
    expect(page.locator("main")).to_contain_text("laptop")
    status, _ = call(house, way.key)
    assert status == 200


def the_playground_streams_an_answer_about_a_picture_and_leads_to_its_receipt(visit: Visit) -> None:
    _, page, _ = visit
    page.goto("/console/playground")
    page.locator("#pg-model").select_option("gemini-3.5-flash")
    page.locator("#pg-file").set_input_files({"name": "door.png", "mimeType": "image/png", "buffer": a_picture()})
    expect(page.locator("#pg-files li")).to_have_count(1)
    page.locator("#pg-text").fill("What is in this picture?")
    page.locator("#pg-send").click()
    receipt = page.locator('#pg-log a[href^="/console/receipts/req_"]').first
    expect(receipt).to_be_visible()
    href = receipt.get_attribute("href")
    assert href is not None
    page.goto(href)
    expect(page.locator(".slip .verdict")).to_contain_text("$0.")
    expect(page.locator(".slip")).to_contain_text("gemini-3.5-flash")
    request = href.rpartition("/")[2]
    expect(page.locator("main")).to_contain_text(request)


def a_code_of_the_desk_tops_the_account_up(visit: Visit) -> None:
    _, page, told = visit
    page.goto("/admin/codes")
    page.locator("main .title-row summary").click()
    page.locator("#f-amount_usd").fill("12.50")
    press(page.locator('main form[action="/admin/codes"] button[type=submit]').first)
    code = page.locator(".copyable code").inner_text().strip()
    assert re.fullmatch(r"code-\w+", code)
    page.goto("/console/top-up")
    page.locator("#f-code").fill(code)
    press(page.locator('form[action="/console/top-up/code"] button'))
    expect(page.locator("main")).to_contain_text("$12.50")
    page.locator("#f-code").fill(code)
    refused(told, 422, lambda page: press(page.locator('form[action="/console/top-up/code"] button')))
    expect(page.locator("main [role=alert], main .error").first).to_be_visible()


def what_was_used_adds_up_on_page_csv_and_receipts(visit: Visit) -> None:
    context, page, _ = visit
    page.goto("/console/usage")
    rows = page.locator("table.calls tbody tr")
    expect(rows).to_have_count(2)
    charges = [
        context.request.get(f"{row.locator('th a').get_attribute('href')}.json").json()["charge_nanos"]
        for row in rows.all()
    ]
    assert min(charges) > 0
    listed = context.request.get(page.locator('main a[href*="usage.csv"]').get_attribute("href") or "").text()
    assert listed.startswith("\ufeff")
    lines = listed.lstrip("\ufeff").splitlines()
    column = lines[0].split(",").index("charge_nanos")
    assert sorted(int(line.split(",")[column]) for line in lines[1:]) == sorted(charges)
    dollars = f"{sum(charges) / 1e9:.9f}".rstrip("0")
    expect(page.locator("table.calls tfoot")).to_contain_text(f"${dollars}")
    page.goto("/console")
    expect(page.locator("main figure.spent svg path").first).to_be_attached()
    page.goto(f"/console/statements/{page.locator('.axis-time time').last.inner_text()[:7]}")
    expect(page.locator("main")).to_contain_text("$12.50")


def a_revoked_key_is_refused(visit: Visit, house: House, way: Way) -> None:
    _, page, _ = visit
    page.goto("/console/keys")
    press(page.locator('main a[href^="/console/keys/key_"]', has_text="laptop").first)
    careful = page.locator("details.careful", has=page.locator('input[name="do"][value="revoke"]'))
    careful.locator("summary").click()
    careful.locator('input[name="name"]').fill("laptop")
    press(careful.locator("button[type=submit]"))
    page.wait_for_url("**done=*")
    for _ in range(600):  # workers look twice a second
        status, body = call(house, way.key)
        if status == 401:
            break
        page.wait_for_timeout(50)
    assert status == 401
    assert "revoked" in body["error"]["message"]


def the_desk_shows_and_changes_all_of_it(visit: Visit) -> None:
    _, page, _ = visit
    page.goto("/admin/accounts")
    page.locator("main .title-row summary").first.click()
    page.locator("main .title-row input[name=new_name]").fill("acme")
    press(page.locator("main .title-row form button[type=submit]").first)
    page.wait_for_url("**/admin/accounts/acc_*")
    page.goto("/admin/accounts")
    press(page.locator("main table a", has_text="acme").first)
    expect(page.locator("main h1")).to_contain_text("acme")
    for path in ("providers", "deployments", "prices", "usage", "live", "users", "keys", "codes"):
        page.goto(f"/admin/{path}")
        expect(page.locator("main h1")).to_be_visible()
    page.goto("/admin/usage")
    expect(page.locator("main table")).to_contain_text("gemini-3.5-flash")
    page.goto("/admin/audit")
    told = page.locator("main table").inner_text()
    for command in (
        "door first-start",
        "keys create",
        "codes create",
        "codes redeem",
        "keys revoke",
        "accounts create",
    ):
        assert command in told
    assert "user:ada@example.com" in told


def no_page_of_the_way_raised_an_error(visit: Visit) -> None:
    assert visit[2].errors == []


def the_way_is_open_without_scripts(browser: Browser, house: House, width: int) -> None:
    """Signing in, making a key, looking at what was used: forms and links."""
    context, page, told = a_page(browser, house, java_script_enabled=False, viewport={"width": width, "height": 800})
    page.goto("/console/keys/new")
    page.locator("#f-email").fill("ada@example.com")
    page.locator("#f-password").fill(PASSWORD)
    press(page.locator("main button[type=submit]"))
    page.locator("#f-title").fill(f"by hand {width}")
    press(page.locator("main form button[type=submit]").last)
    expect(page.locator(".copyable code").first).to_contain_text("sk-portico-")
    page.goto("/console/usage")
    press(page.locator("table.calls tbody th a").first)
    expect(page.locator(".slip .verdict")).to_be_visible()
    page.goto("/console/playground")
    expect(page.locator("main noscript .code, main .note .code").first).to_be_visible()
    assert told.errors == []
    context.close()


def test_a_fresh_install_is_walked_from_its_first_link_to_the_desk(
    browser: Browser, visit: Visit, house: House, language: str, way: Way
) -> None:
    """One way, in its order: each step needs what the one before has left."""
    the_first_link_makes_whoever_follows_it_the_operator(visit, house, language)
    a_fresh_console_says_what_to_do_next(visit)
    signing_out_and_in_leads_back_to_the_page_that_was_wanted(visit)
    a_key_is_shown_once_and_calls(visit, house, way)
    the_playground_streams_an_answer_about_a_picture_and_leads_to_its_receipt(visit)
    a_code_of_the_desk_tops_the_account_up(visit)
    what_was_used_adds_up_on_page_csv_and_receipts(visit)
    a_revoked_key_is_refused(visit, house, way)
    the_desk_shows_and_changes_all_of_it(visit)
    no_page_of_the_way_raised_an_error(visit)
    for width in (360, 1280):
        the_way_is_open_without_scripts(browser, house, width)
