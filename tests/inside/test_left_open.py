"""Pages behind the door that are left open, when what they ask for comes late or not at all, and when time goes on."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from browsing import NEEDS_CHROMIUM, PATIENCE_MS, Held, browser
from inside.test_playground_browser import Place, place
from portico.accounts import people

__all__ = ["browser", "place"]
pytestmark = NEEDS_CHROMIUM
ASKED = "**/admin/live.json"
READ = "Read anew every two seconds."
IMPATIENT = "AbortSignal.timeout = ((all) => (ms) => all.call(AbortSignal, ms / 100))(AbortSignal.timeout)"


@pytest.fixture
def page(browser: Browser, place: Place) -> Iterator[Page]:
    """Of an operator, who has opened none yet."""
    secret = place.sign_in(name="root")
    place.work(lambda db: people.set_operator(db, "root-owner-@example.com", True))
    context = browser.new_context(base_url=place.base_url)
    context.add_cookies([{"name": "portico", "value": secret, "url": place.base_url}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


def test_a_list_that_is_paused_is_not_said_to_be_lost(page: Page) -> None:
    held = Held(page, ASKED)
    page.goto("/admin/live")
    held.wait()
    page.get_by_role("button", name="Pause").click()
    held.abort()
    expect(page.locator("#live-state")).to_have_text("Paused.")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#live-state")).to_have_text(READ)


def test_an_answer_that_never_comes_is_not_waited_for(page: Page) -> None:
    page.add_init_script(IMPATIENT)
    held = Held(page, ASKED)
    page.goto("/admin/live")
    held.wait()
    expect(page.locator("#live-state")).to_have_text(READ)


def test_whose_session_is_over_signs_in_anew(page: Page, place: Place) -> None:
    page.goto("/admin/live")
    expect(page.locator("#live-state")).to_have_text(READ)
    page.context.clear_cookies()
    page.wait_for_url("**/sign-in?to=%2Fadmin%2Flive")


def test_that_there_are_more_calls_than_are_shown_is_told_as_it_stands(page: Page) -> None:
    note = page.get_by_text("the oldest 200 are shown")
    told = {"count": 0}
    page.route(ASKED, lambda route: route.fulfill(json={"calls": [], **told}))
    page.goto("/admin/live")
    expect(page.locator("#live-state")).to_have_text(READ)
    expect(note).to_be_hidden()
    told["count"] = 201
    expect(note).to_be_visible()
    told["count"] = 0
    expect(note).to_be_hidden()


def test_how_long_ago_something_was_is_told_as_time_goes_on(page: Page) -> None:
    page.clock.install()
    page.goto("/admin/users")
    ago = page.locator("time[data-ago]").first
    exact = ago.get_attribute("title") or ""
    assert exact.endswith(" UTC")
    page.clock.fast_forward("08:00:00")
    expect(ago).to_have_text("8 hours ago")
    assert ago.get_attribute("title") == exact


PAID = "**/console/top-up/state.json*"


def wait_for_a_payment(page: Page) -> None:
    """Opens the page of an account with what that of a payment has beside it."""

    def answer(route: Route) -> None:
        told = route.fetch()
        found = re.search(r'src="([^"]+/)house\.js"', told.text())
        assert found is not None
        own = (
            f'<p id="waiting" data-payment="cs_test_1"></p><script type="module" src="{found[1]}payments.js"></script>'
        )
        route.fulfill(response=told, body=told.text().replace("</main>", f"{own}</main>"))

    page.route("**/console/top-up", answer, times=1)
    page.goto("/console/top-up")


def test_a_payment_is_asked_for_again_after_an_answer_that_never_comes(page: Page) -> None:
    page.add_init_script(IMPATIENT)
    held = Held(page, PAID)
    wait_for_a_payment(page)
    held.wait()
    with page.expect_request(PAID):
        pass  # another one


def test_who_waits_for_a_payment_signs_in_anew_when_their_session_is_over(page: Page) -> None:
    wait_for_a_payment(page)
    page.context.clear_cookies()
    page.wait_for_url("**/sign-in?to=%2Fconsole%2Ftop-up")
