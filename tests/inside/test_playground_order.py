"""What the playground shows when answers come in another order than they were asked for, or not at all."""

import contextlib
import re
import tempfile
import urllib.request
from collections.abc import Iterator
from random import SystemRandom
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from browsing import NEEDS_CHROMIUM, Held, browser
from inside.test_playground_browser import PNG, TOOL, Place, Played, a_file, place, played
from portico.accounts import rows

__all__ = ["browser", "place"]
pytestmark = NEEDS_CHROMIUM
READING_IS_HELD: Final = """() => {
    const waits = new Promise((resolve) => { window.letGo = resolve; });
    const read = FileReader.prototype.readAsDataURL;
    FileReader.prototype.readAsDataURL = function (file) { waits.then(() => read.call(this, file)); };
}"""


@contextlib.contextmanager
def a_key(place: Place, name: str, *models: str) -> Iterator[None]:
    """One that may ask these, until the test is over: the newest is what a page begins with."""
    made = place.work(lambda db: rows.create_key(db, SystemRandom(), name=name, policy={"models": list(models)}))
    brought = urllib.request.Request(f"{place.base_url}/v1/models", headers={"authorization": f"Bearer {made.secret}"})  # noqa: S310
    urllib.request.urlopen(brought, timeout=60).close()  # noqa: S310 - whose key is brought is looked up at once
    yield
    place.work(lambda db: rows.revoke_key(db, made.key.id))


def choose_key(play: Played, name: str) -> None:
    shown = play.page.locator("#pg-key option", has_text=name)
    play.choose("key", shown.get_attribute("value") or "")


def test_the_models_of_the_key_that_was_chosen_last_are_offered(browser: Browser, place: Place) -> None:
    with a_key(place, "first-key", "gpt-4.1*"), a_key(place, "second-key", "gpt-5.5"), played(browser, place) as play:
        expect(play.page.locator("#pg-model option[value='gpt-4.1']")).to_be_disabled()
        held = Held(play.page, "**/v1/models")
        choose_key(play, "first-key")
        held.wait()
        choose_key(play, "second-key")
        held.release()
        expect(play.page.locator("#pg-model option[value='gpt-4.1']")).to_be_disabled()
        expect(play.page.locator("#pg-model")).to_have_value("gpt-5.5")
        assert play.calm(), play.told.errors


def test_beside_an_answer_only_models_that_the_key_may_ask_are_offered(browser: Browser, place: Place) -> None:
    with a_key(place, "narrow-key", "gpt-4.1*"), played(browser, place) as play:
        play.page.locator("#pg-key").select_option(index=1)
        expect(play.page.locator("#pg-model option[value='gpt-5.5']")).to_be_enabled()
        other = play.ask("Hello").get_by_label("Ask another model the same")
        expect(other.locator("option[value='gpt-5.5']")).to_be_enabled()
        choose_key(play, "narrow-key")
        expect(other.locator("option[value='gpt-5.5']")).to_be_disabled()
        expect(other.locator("option[value='gpt-4.1']")).to_be_enabled()
        assert play.calm(), play.told.errors


def test_a_call_that_is_not_settled_yet_is_not_said_to_be_free(browser: Browser, place: Place) -> None:
    error = {"message": "There is no receipt of that id yet: the call is not over.", "code": "not_found"}
    with played(browser, place) as play:
        play.page.route(
            "**/v1/receipts/*",
            lambda route: route.fulfill(status=404, headers={"retry-after": "1"}, json={"error": error}),
            times=3,
        )
        play.say("Hello")
        play.settled()
        expect(play.last.locator(".pg-foot")).to_contain_text("$0.0")
        assert play.calm(), play.told.errors


def test_results_can_be_given_while_the_receipt_of_their_calls_is_on_its_way(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.write("tools", TOOL)
        held = Held(play.page, "**/v1/receipts/*")
        play.say("What is the weather?")
        held.wait()
        play.last.locator("textarea").fill("Sunny")
        play.last.get_by_role("button", name="Give these results").click()
        expect(play.page.locator(".pg-answer")).to_have_count(2)
        expect(play.last.locator(".pg-text")).to_contain_text("Sunny")
        play.settled()
        held.release()
        assert play.calm(), play.told.errors


def test_results_are_not_given_while_another_answer_runs(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.write("tools", TOOL)
        play.ask("What is the weather?")
        answer = play.page.locator(".pg-answer").first
        held = Held(play.page, "**/v1/chat/completions")
        answer.get_by_role("button", name="Again").click()
        held.wait()
        answer.get_by_role("button", name="Give these results").click()
        expect(play.page.locator(".pg-turn")).to_have_count(1)
        held.release()
        play.settled()
        answer.get_by_role("button", name="Give these results").click()
        expect(play.page.locator(".pg-turn")).to_have_count(2)
        play.settled()
        assert play.calm(), play.told.errors


def test_an_answer_that_has_ended_is_not_there_to_be_stopped(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        held = Held(play.page, "**/console/playground/render")
        play.say("Hello")
        held.wait()
        expect(play.page.locator("#pg-send")).to_be_visible()
        expect(play.page.locator("#pg-stop")).to_be_hidden()
        held.release()
        play.settled()
        assert play.calm(), play.told.errors


def test_who_is_at_the_buttons_of_an_answer_stays_there(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        held = Held(play.page, "**/v1/receipts/*")
        play.say("Hello")
        held.wait()
        again = play.last.get_by_role("button", name="Again")
        again.focus()
        held.release()
        play.settled()
        expect(again).to_be_focused()
        again.press("Enter")
        expect(play.page.locator(".pg-answer")).to_have_count(2)
        play.settled()
        play.page.locator(".pg-answer").first.get_by_role("button", name="Go on from this").press("Enter")
        expect(play.page.get_by_role("button", name="It goes on from this")).to_be_focused()
        assert play.calm(), play.told.errors


def test_a_file_that_is_still_read_goes_with_its_message(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.page.evaluate(READING_IS_HELD)
        for name in ("a.png", "b.png"):
            play.page.locator("#pg-file").set_input_files([a_file(name, "image/png", PNG)])
        play.say("What are these?")
        play.page.locator("#pg-text").press("Enter")
        assert play.page.locator(".pg-turn").count() == 0
        play.page.evaluate("letGo()")
        expect(play.page.locator(".pg-said .pg-file")).to_have_text([re.compile("a.png"), re.compile("b.png")])
        play.settled()
        expect(play.page.locator(".pg-turn")).to_have_count(1)
        expect(play.page.locator("#pg-files li")).to_have_count(0)
        assert play.calm(), play.told.errors


def test_files_that_are_chosen_together_with_others_are_not_too_large_together(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        most = int(play.page.locator("#playground").get_attribute("data-max-bytes") or 0)
        move = """(size) => {
            for (const name of ["a.png", "b.png"]) {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(size)], name, {type: "image/png"}));
                const event = new DragEvent("drop", {dataTransfer: data, bubbles: true});
                document.querySelector(".pg-talk").dispatchEvent(event);
            }
        }"""
        play.page.evaluate(move, most // 2)
        expect(play.status).to_contain_text("b.png")
        expect(play.page.locator("#pg-files li")).to_have_text([re.compile("a.png")])
        assert play.calm(), play.told.errors


def test_a_file_that_cannot_be_read_is_told(browser: Browser, place: Place) -> None:
    with played(browser, place) as play, tempfile.NamedTemporaryFile(suffix=".png") as file:
        play.page.evaluate(READING_IS_HELD)
        play.page.locator("#pg-file").set_input_files([file.name])
        file.write(PNG)
        file.flush()
        play.page.evaluate("letGo()")
        expect(play.status).to_contain_text("could not be read")
        play.ask("Hello")
        assert play.calm(), play.told.errors


@pytest.mark.parametrize("clipboard", ["resolve", "reject"])
def test_a_button_that_copies_says_what_it_is_again_and_keeps_the_focus(
    browser: Browser, place: Place, clipboard: str
) -> None:
    with played(browser, place) as play:
        play.page.evaluate(f"() => {{ navigator.clipboard.writeText = () => Promise.{clipboard}(); }}")
        play.page.clock.install()
        button = play.page.locator("#pg-address")
        for _ in range(2):
            button.press("Enter")
            expect(button).to_have_text("Copied")
            expect(button).to_be_focused()
        play.page.clock.run_for(10_000)
        expect(button).to_have_text("Copy address with settings")
        assert play.calm(), play.told.errors


@pytest.mark.parametrize("how", ["loaded again", "left and come back to"])
def test_what_was_chosen_since_an_address_was_opened_stays(browser: Browser, place: Place, how: str) -> None:
    shared = "?model=gpt-4.1&dialect=gemini&temperature=0.5&thoughts=no"
    with played(browser, place, shared) as play:
        play.choose("model", "gpt-5.5")
        play.choose("dialect", "openai_responses")
        play.page.get_by_label("Ask for its thoughts").check()
        if how == "loaded again":
            play.page.reload()
        else:
            play.page.goto("/console/keys")
            play.page.go_back()
        expect(play.page.locator("#pg-able li").first).to_be_visible()
        expect(play.page.locator("#pg-model")).to_have_value("gpt-5.5")
        expect(play.page.locator("#pg-dialect")).to_have_value("openai_responses")
        expect(play.page.locator("[name=thoughts]")).to_be_checked()
        play.page.goto("/console/keys")
        play.page.goto(f"/console/playground{shared}")
        expect(play.page.locator("#pg-able li").first).to_be_visible()
        expect(play.page.locator("#pg-model")).to_have_value("gpt-4.1")
        expect(play.page.locator("#pg-dialect")).to_have_value("gemini")
        expect(play.page.locator("[name=thoughts]")).not_to_be_checked()
        assert play.calm(), play.told.errors


def test_a_tab_that_is_ended_while_nobody_looks_is_found_again(browser: Browser, place: Place) -> None:
    hide = """() => {
        Object.defineProperty(document, "visibilityState", {value: "hidden"});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with played(browser, place) as play:
        play.ask("Hello")
        play.page.locator("#pg-text").fill("a draft")
        play.page.evaluate(hide)
        kept = play.page.evaluate("sessionStorage.getItem('playground')")
        play.page.goto("/console/keys")
        play.page.evaluate("(kept) => sessionStorage.setItem('playground', kept)", kept)
        play.page.goto("/console/playground")
        expect(play.page.locator("#pg-text")).to_have_value("a draft")
        expect(play.last.locator(".pg-foot")).to_contain_text("$0.0")
        assert play.calm(), play.told.errors


@pytest.mark.parametrize(
    "kept", ['"settings": {}, "turns": [{}]', '"text": "", "files": [], "turns": [{"said": {}}]', ""]
)
def test_what_another_version_kept_does_not_stop_the_page(browser: Browser, place: Place, kept: str) -> None:
    with played(browser, place) as play:
        owner = play.page.locator("#playground").get_attribute("data-owner")
        play.page.goto("/console/keys")
        told = f'{{{kept}{", " if kept else ""}"owner": "{owner}"}}'
        play.page.evaluate("(told) => sessionStorage.setItem('playground', told)", told)
        play.page.goto("/console/playground")
        expect(play.page.locator("#pg-able li").first).to_be_visible()
        expect(play.page.locator("#pg-text")).to_have_value("")
        play.ask("Hello")
        expect(play.page.locator(".pg-turn")).to_have_count(1)
        assert play.calm(), play.told.errors


def test_what_a_call_would_hold_is_told_of_the_settings_that_stand(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.page.locator("#pg-text").fill("Hello")
        expect(play.page.locator("#pg-hold")).to_contain_text("Holds up to $")
        held = Held(play.page, "**/v1/estimate*")
        play.choose("model", "gpt-5.5")
        held.wait()
        expect(play.page.locator("#pg-hold")).to_have_text("")
        held.release()
        expect(play.page.locator("#pg-hold")).to_contain_text("Holds up to $")
        assert play.calm(), play.told.errors


def test_escape_closes_a_menu_before_it_stops_an_answer(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.say("Go on [[sim:words=2000]] [[sim:slow=0.05]]")
        expect(play.last.locator(".pg-tail")).to_contain_text("word3")
        play.page.locator(".drop summary", has_text="English").click()
        play.page.keyboard.press("Escape")
        expect(play.page.locator(".drop[open]")).to_have_count(0)
        expect(play.last.locator(".pg-tail")).to_contain_text("word40")
        play.page.keyboard.press("Escape")
        play.settled("Stopped:")


def test_a_page_without_a_conversation_begins_at_its_top(browser: Browser, place: Place) -> None:
    with played(browser, place, viewport={"width": 1280, "height": 500}) as play:
        play.page.goto("/console/keys")
        play.page.goto("/console/playground")
        expect(play.page.locator("#pg-able li").first).to_be_visible()
        assert play.page.evaluate("document.scrollingElement.scrollHeight > innerHeight")
        assert play.page.evaluate("document.scrollingElement.scrollTop") == 0
        play.ask("Hello")
        play.page.reload()
        expect(play.last.locator(".pg-foot")).to_contain_text("$0.0")
        assert play.page.evaluate("document.scrollingElement.scrollTop") > 0
        assert play.calm(), play.told.errors
