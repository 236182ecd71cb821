"""The playground in a real browser, against a running Portico with its simulator."""

import base64
import contextlib
import http.server
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import SystemRandom
from typing import Any, Final, TypeVar

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Locator, Page, Route, expect

from browsing import NEEDS_CHROMIUM, PATIENCE_MS, browser
from portico.accounts import people, rows, sessions
from portico.accounts.keys import digest_of
from portico.core.storage import Db
from portico.store.database import open_database
from sdk import nodejs
from web.serving import KEY, served
from web.test_browser import SCREENSHOTS, THEMES, THOROUGH, WIDTHS, Told, axe, looked_at

PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR42mM4ISdHU8QwasGoBaMWjFowasGoBaMWjFowasGoBaMWDBULACXLED1g"
    "HZEpAAAAAElFTkSuQmCC"
)
TOOL: Final = (
    '[{"name": "weather", "description": "The weather of a city.", "parameters": {"type": "object", "properties":'
    ' {"city": {"type": "string"}}, "required": ["city"]}}]'
)
SCHEMA: Final = (
    '{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"],'
    ' "additionalProperties": false}'
)
T = TypeVar("T")
DIALECTS: Final = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")
LOCALES: Final = ("", "zh-CN", "zh-HK")
CLIENTS: Final = ("curl", "Python: openai", "Node.js: openai", "Python: anthropic", "Python: google-genai")

__all__ = ["axe", "browser"]
pytestmark = NEEDS_CHROMIUM


class Place(msgspec.Struct, frozen=True):
    """A Portico, and the books it keeps."""

    base_url: str
    books: str

    def sign_in(self, role: str = "owner", name: str = "ada", locale: str = "") -> str:
        """The secret of a session of somebody who is this in the built-in account."""

        def make(db: Db) -> str:
            rng, email = SystemRandom(), f"{name}-{role}-{locale}@example.com".lower()
            known = db.rows("SELECT 1 FROM users WHERE email = ?", email)
            user = people.show_user(db, email) if known else people.create_user(db, rng, email=email)
            people.set_locale(db, user.id, locale)
            people.set_role(db, "default", user.id, role)
            return sessions.open_session(db, rng, user)

        return self.work(make)

    def work(self, change: Callable[[Db], T]) -> T:
        database = open_database(self.books)
        try:
            return database.change(change)
        finally:
            database.close()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        books = f"sqlite:///{folder}/books.db"
        with served(env={"PORTICO_STORAGE_URL": books}) as house:
            yield Place(house.base_url, books)


def a_file(name: str, mime: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": mime, "buffer": content}


class Played:
    """The page, open in a browser of somebody who has signed in."""

    def __init__(self, context: BrowserContext, query: str = "") -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.told = Told(self.page)
        self.page.goto(f"/console/playground{query}")
        expect(self.page.locator("#pg-able li").first).to_be_visible()

    @property
    def last(self) -> Locator:
        return self.page.locator(".pg-answer").last

    @property
    def status(self) -> Locator:
        return self.page.locator("#pg-status")

    def choose(self, name: str, value: str) -> None:
        self.page.locator(f"#pg-{name}").select_option(value)

    def write(self, name: str, text: str) -> None:
        self.page.locator("details", has=self.page.locator(f"#pg-{name}")).last.evaluate("node => node.open = true")
        self.page.locator(f"#pg-{name}").fill(text)

    def say(self, text: str) -> None:
        self.page.locator("#pg-text").fill(text)
        self.page.locator("#pg-text").press("Enter")

    def ask(self, text: str, said: str = "Done:") -> Locator:
        """Says it, and waits until the answer is there and its cost is told."""
        before = self.page.locator(".pg-answer").count()
        self.say(text)
        expect(self.page.locator(".pg-answer")).to_have_count(before + 1)
        self.settled(said)
        return self.last

    def settled(self, said: str = "Done:") -> None:
        expect(self.status).to_contain_text(said)
        expect(self.status).to_contain_text(re.compile(r"\$0\.\d|not charged"))

    def calm(self) -> bool:
        """Nothing was complained of, but by the browser of statuses that were meant, of estimates that a newer one took
        the place of, and of models that a page that was left still asked for."""
        meant = re.compile(r"the server responded with a status of|/v1/(estimate\S*|models): net::ERR_ABORTED")
        return [one for one in self.told.errors if meant.search(one) is None] == []


@contextlib.contextmanager
def played(browser: Browser, place: Place, query: str = "", secret: str = "", **settings: Any) -> Iterator[Played]:
    context = browser.new_context(base_url=place.base_url, **{"viewport": {"width": 1280, "height": 900}, **settings})
    cookie = {"name": "portico", "value": secret or place.sign_in(), "url": place.base_url}
    context.add_cookies([cookie])  # type: ignore[list-item]  # it is one of theirs
    try:
        yield Played(context, query)
    finally:
        context.close()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_streams_with_thoughts_tokens_cost_and_receipt(browser: Browser, place: Place, dialect: str) -> None:
    with played(browser, place) as play:
        play.choose("dialect", dialect)
        play.page.locator("#pg-text").fill("Hello **there**")
        expect(play.page.locator("#pg-hold")).to_contain_text("Holds up to $0.0")
        answer = play.ask("Hello **there**")
        expect(play.page.locator("#pg-text")).to_be_focused()
        expect(answer.locator(".pg-text strong")).to_have_text("there")
        assert answer.locator(".pg-tail").count() == 0
        expect(answer.locator(".pg-thoughts")).to_be_visible()
        assert "Considering" not in answer.inner_text(), "thoughts are folded"
        answer.locator(".pg-thoughts summary").click()
        expect(answer.locator(".pg-thoughts")).to_contain_text("Considering the request")
        expect(answer.locator(".pg-foot")).to_contain_text(re.compile(r"tokens in, \d+ out .* \$0\.\d+"))
        href = answer.get_by_role("link", name="Receipt").get_attribute("href") or ""
        assert re.fullmatch(r"/console/receipts/req_\w+", href)
        again = play.ask("And more")
        expect(again.locator(".pg-text")).to_contain_text("And more")
        again.locator("summary", has_text="Sent").click()
        expect(again.locator(".pg-fold[open] code")).to_contain_text("Hello **there**")
        again.locator("summary", has_text="Received").click()
        assert play.calm(), play.told.errors


@pytest.mark.parametrize("how", ["Escape", "button"])
def test_an_answer_is_stopped_and_says_what_that_cost(browser: Browser, place: Place, how: str) -> None:
    with played(browser, place) as play:
        play.say("Go on [[sim:words=2000]] [[sim:slow=0.05]]")
        expect(play.last.locator(".pg-tail")).to_contain_text("word3")
        stop = play.page.get_by_role("button", name="Stop")
        expect(stop).to_be_in_viewport()
        if how == "button":
            stop.click()
        else:
            play.page.keyboard.press("Escape")
        play.settled("Stopped:")
        expect(play.last.locator(".pg-foot")).to_contain_text(re.compile(r"you stopped it: \$0\.\d+"))
        expect(play.page.get_by_role("button", name="Send")).to_be_visible()
        assert "word1999" not in play.last.inner_text()
        after = play.ask("What now?")
        expect(after.locator(".pg-text")).to_contain_text("What now?")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_pictures_and_pdf_files_go_along_and_others_do_not(browser: Browser, place: Place, dialect: str) -> None:
    with played(browser, place) as play:
        play.choose("dialect", dialect)
        play.page.locator("#pg-file").set_input_files(
            [
                a_file("square.png", "image/png", PNG),
                a_file("notes.txt", "text/plain", b"x"),
                a_file("a.pdf", "application/pdf", b"%PDF-1.4\n1 0 obj<<>>endobj\n" * 5000),
            ]
        )
        expect(play.page.locator("#pg-files li")).to_have_count(2)
        expect(play.status).to_contain_text("notes.txt is neither")
        answer = play.ask("What are these?")
        expect(answer.locator(".pg-text")).to_contain_text("image/png")
        expect(answer.locator(".pg-text")).to_contain_text("application/pdf")
        expect(play.page.locator("#pg-files")).to_be_hidden()
        assert play.calm(), play.told.errors


def test_a_picture_is_pasted_dropped_and_taken_away_again(browser: Browser, place: Place) -> None:
    move = """([target, kind, coded]) => {
        const data = new DataTransfer();
        const bytes = Uint8Array.from(atob(coded), (c) => c.charCodeAt(0));
        data.items.add(new File([bytes], `${kind}.png`, {type: "image/png"}));
        const more = {bubbles: true, cancelable: true};
        const event = kind === "paste"
            ? new ClipboardEvent("paste", {clipboardData: data, ...more})
            : new DragEvent("drop", {dataTransfer: data, ...more});
        document.querySelector(target).dispatchEvent(event);
    }"""
    with played(browser, place) as play:
        coded = base64.b64encode(PNG).decode()
        play.page.evaluate(move, ["#pg-text", "paste", coded])
        play.page.evaluate(move, [".pg-talk", "drop", coded])
        expect(play.page.locator("#pg-files li")).to_have_count(2)
        play.page.get_by_role("button", name="Remove paste.png").click()
        expect(play.page.locator("#pg-files li")).to_have_count(1)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_tools_are_called_and_answered_by_hand(browser: Browser, place: Place, dialect: str) -> None:
    with played(browser, place) as play:
        play.choose("dialect", dialect)
        play.write("tools", TOOL)
        answer = play.ask("What is the weather?")
        expect(answer.locator(".pg-call")).to_contain_text("weather")
        expect(answer.locator(".pg-call pre")).to_contain_text('"city"')
        play.page.locator("#pg-text").fill("Something else")
        expect(play.page.locator("#pg-hold")).to_contain_text("waits for the results")
        play.page.locator("#pg-text").press("Enter")
        expect(play.status).to_contain_text("waits for the results")
        answer.locator("textarea").fill("Sunny <b>21</b>")
        before = play.page.locator(".pg-answer").count()
        answer.get_by_role("button", name="Give these results").click()
        expect(play.page.locator(".pg-answer")).to_have_count(before + 1)
        expect(play.last.locator(".pg-text")).to_contain_text("Sunny <b>21</b>")
        play.settled()
        assert play.calm(), play.told.errors


def test_what_seals_an_answer_goes_back_as_it_came(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        for dialect, seal in zip(
            DIALECTS, ("thought_signature", "encrypted_content", "signature", "thoughtSignature"), strict=True
        ):
            play.choose("dialect", dialect)
            play.choose("model", "claude-sonnet-5-5" if dialect == "anthropic_messages" else "gemini-3.8-flash")
            play.ask("One")
            answer = play.ask("Two")
            answer.locator("summary", has_text="Sent").click()
            expect(answer.locator(".pg-fold[open] code")).to_contain_text(f'"{seal}"')


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_call_that_fails_says_why_whether_it_is_charged_and_what_helps(
    browser: Browser, place: Place, dialect: str
) -> None:
    with played(browser, place) as play:
        play.choose("dialect", dialect)
        answer = play.ask(f"{dialect} [[sim:400]]", "It failed:")
        wrong = answer.locator(".pg-wrong")
        expect(wrong).to_contain_text("invalid_value")
        expect(wrong).to_contain_text("Request contains an invalid argument.")
        expect(wrong).to_contain_text("Charged: not charged")
        expect(wrong).to_contain_text("Mend it")
        assert wrong.get_by_role("link", name="Read more").get_attribute("href") == "/docs/errors#invalid_value"
        broken = play.ask("[[sim:error-mid=3]] in the middle", "It failed:")
        expect(broken.locator(".pg-wrong")).to_contain_text("overloaded")
        expect(broken.locator(".pg-wrong")).to_contain_text(re.compile(r"Charged: \$0\.\d+, for what had come"))
        broken.get_by_role("button", name="Again").click()
        expect(play.page.locator(".beside .pg-answer")).to_have_count(2)


def test_a_form_of_the_answer_is_looked_at_while_it_is_written(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.write("schema", '{"type": ')
        expect(play.page.locator("#pg-schema-told")).to_contain_text("This is not JSON")
        expect(play.page.locator("#pg-schema")).to_have_attribute("aria-invalid", "true")
        play.say("Ada")
        expect(play.status).to_contain_text("A setting is wrong")
        expect(play.page.locator("#pg-schema")).to_be_focused()
        for wrong, said in (("[1]", "no JSON Schema"), ('{"a": 1}', "no JSON Schema")):
            play.write("schema", wrong)
            expect(play.page.locator("#pg-schema-told")).to_contain_text(said)
        play.write("schema", SCHEMA)
        expect(play.page.locator("#pg-schema-told")).to_contain_text("The answer is JSON")
        for dialect in DIALECTS:
            play.choose("dialect", dialect)
            expect(play.ask("Ada").locator(".pg-text")).to_contain_text('{"name":')
        for wrong, said in (
            ("[{}]", "Function 1 has no name"),
            ('[{"name": "a", "parameters": 3}]', "not a JSON Schema"),
        ):
            play.write("tools", wrong)
            expect(play.page.locator("#pg-tools-told")).to_contain_text(said)
        assert play.calm(), play.told.errors


@pytest.mark.parametrize("dialect", DIALECTS)
def test_pictures_that_a_model_makes_are_shown(browser: Browser, place: Place, dialect: str) -> None:
    with played(browser, place, "?model=gemini-3.1-flash-image") as play:
        play.choose("dialect", dialect)
        answer = play.ask("Paint a cat")
        image = answer.locator(".pg-images img")
        expect(image).to_be_visible()
        assert (image.get_attribute("src") or "").startswith("blob:")
        assert image.evaluate("node => node.decode().then(() => node.naturalWidth)") > 0
        assert play.calm(), play.told.errors


def test_the_same_is_asked_of_another_model_beside_it(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.ask("Hello")
        first = play.page.locator(".pg-answer").first
        first.get_by_label("Ask another model the same").select_option("gpt-5.5")
        expect(play.page.locator(".beside .pg-answer")).to_have_count(2)
        play.settled()
        expect(play.last).to_have_class(re.compile("chosen"))
        first.get_by_role("button", name="Go on from this").click()
        expect(first).to_have_class(re.compile("chosen"))
        assert first.bounding_box()["y"] == play.last.bounding_box()["y"]  # type: ignore[index]  # they are shown
        play.ask("More")
        assert play.calm(), play.told.errors


def test_prompts_and_answers_stay_text(browser: Browser, place: Place) -> None:
    evil = (
        '<img src=x onerror="document.title=1"><script>document.title=2</script> ![x](https://evil.example/?q=1)'
        " [y](javascript:document.title=3)"
    )
    with played(browser, place) as play:
        asked: list[str] = []
        play.page.on("request", lambda request: asked.append(request.url))
        for dialect in DIALECTS:
            play.choose("dialect", dialect)
            answer = play.ask(evil)
            expect(answer.locator(".pg-text")).to_contain_text("<script>")
            assert answer.locator("img, script").count() == 0
        play.page.locator("#pg-system").fill(evil)
        play.ask(evil)
        assert play.page.title() == "Playground · Portico"
        assert not any("evil.example" in url for url in asked)
        assert play.calm(), play.told.errors


def test_enter_sends_nothing_while_characters_are_composed(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.page.locator("#pg-text").fill("你好")
        for more in ("isComposing: true, keyCode: 13", "keyCode: 229"):
            play.page.locator("#pg-text").evaluate(
                f"node => node.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Enter', bubbles: true, {more}}}))"
            )
        play.page.locator("#pg-text").press("Shift+Enter")
        assert play.page.locator(".pg-turn").count() == 0
        assert play.page.locator("#pg-text").input_value() == "你好\n"


def test_a_long_answer_in_chinese_is_set_and_what_is_too_long_for_that_stays_as_it_is(
    browser: Browser, place: Place
) -> None:
    listed = "\n".join(f"- **第{n}项**{'说明文字' * 20}" for n in range(250))
    with played(browser, place) as play:
        answer = play.ask(f"[[sim:say]]{listed}[[sim:said]]")
        expect(answer.locator(".pg-text li strong")).to_have_count(250)
        assert answer.locator(".pg-plain, .pg-tail").count() == 0
        code = "```\n" + "\n".join(f"line {n} {'x' * 70}" for n in range(500)) + "\n```"
        answer = play.ask(f"[[sim:say]]{code}\n\nAnd **then**\n\nthe end[[sim:said]]")
        expect(answer.locator(".pg-plain")).to_contain_text("line 499")
        expect(answer.locator(".pg-text strong")).to_have_text("then")
        assert play.calm(), play.told.errors


def test_a_call_that_no_answer_reached_is_not_said_to_be_free(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.page.route("**/v1/chat/completions", lambda route: route.abort())
        play.say("Hello")
        expect(play.last.locator(".pg-cause")).to_have_text(
            "No answer came: this Portico could not be reached, or the connection broke."
        )
        expect(play.last.locator(".pg-wrong")).to_contain_text("Charged: cost not known yet: see Usage")
        play.page.unroute("**/v1/chat/completions")
        play.last.get_by_role("button", name="Again").click()
        play.settled()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_conversation_is_found_again_in_its_tab(browser: Browser, place: Place, dialect: str) -> None:
    with played(browser, place) as play:
        play.choose("dialect", dialect)
        play.write("system", "Be brief.")
        play.write("tools", TOOL)
        play.page.locator("#pg-file").set_input_files([a_file("a.png", "image/png", PNG)])
        play.ask("What is the weather, **please**?")
        play.page.locator("#pg-text").fill("a draft")
        play.last.locator("textarea").fill("Rain, or")
        before = stands(play)
        sent: list[str] = []
        play.page.on("request", lambda request: sent.append(request.post_data or ""))
        play.page.locator('.rail a[href="/console/keys"]').click()
        play.page.locator('.rail a[href="/console/playground"]').click()
        expect(play.last.locator(".pg-foot")).to_contain_text("$0.")
        assert stands(play) == before
        assert [one for one in sent if "please" in one and "draft" not in one] == [], (
            "but for what the draft would hold"
        )
        play.page.locator(".drop summary", has_text="English").click()
        play.page.locator('.drop a[lang="zh-HK"]').click()
        expect(play.page.locator("html")).to_have_attribute("lang", "zh-HK")
        expect(play.last.locator(".pg-foot")).to_contain_text("$0.")
        assert stands(play)[1:] == before[1:]
        play.page.locator("#pg-text").fill("")
        play.last.locator("textarea").fill("Sunny")
        play.last.locator(".pg-calls button").click()
        expect(play.page.locator(".pg-answer")).to_have_count(2)
        expect(play.last.locator(".pg-text")).to_contain_text("Sunny")
        expect(play.status).to_contain_text("$0.")
        play.last.locator(".pg-more > details").first.locator("summary").click()
        for words in ("please", "Sunny", "Be brief."):
            expect(play.last.locator(".pg-fold[open] code")).to_contain_text(words)
        play.page.reload()
        expect(play.page.locator(".pg-call textarea")).to_have_value("Sunny")
        expect(play.page.locator(".pg-call textarea")).to_be_disabled()
        play.page.locator("#pg-clear").click()
        play.page.reload()
        expect(play.page.locator("#pg-able li").first).to_be_visible()
        assert play.page.locator(".pg-turn").count() == 0
        assert play.calm(), play.told.errors


def stands(play: Played) -> list[object]:
    """What a conversation looks like: its costs in words, then what no language changes."""
    page = play.page
    texts = [page.locator(name).all_inner_texts() for name in (".pg-mine", ".pg-text", ".pg-call pre", ".pg-said img")]
    fields = [
        page.locator(f"#pg-{name}").input_value() for name in ("system", "tools", "dialect", "model", "key", "text")
    ]
    results = [field.input_value() for field in page.locator(".pg-call textarea").all()]
    return [page.locator(".pg-foot").all_inner_texts(), texts, fields, results]


def test_what_is_left_while_it_runs_was_stopped(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.page.on("dialog", lambda dialog: dialog.accept())
        play.say("Go on [[sim:words=500]] [[sim:slow=0.05]]")
        expect(play.last.locator(".pg-text")).to_contain_text("word3")
        play.page.goto("/console/keys")
        play.page.goto("/console/playground")
        expect(play.last.locator(".pg-text")).to_contain_text("word3")
        expect(play.last.locator(".pg-foot")).to_contain_text("you stopped it")
        expect(play.page.locator("#pg-send")).to_be_visible()


def test_nobody_else_finds_a_conversation_in_the_tab(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.ask("a secret")
        cookie = {"name": "portico", "value": place.sign_in(name="mal"), "url": place.base_url}
        play.page.context.add_cookies([cookie])  # type: ignore[list-item]  # it is one of theirs
        play.page.reload()
        expect(play.page.locator("#pg-able li").first).to_be_visible()
        assert play.page.locator(".pg-turn").count() == 0
    with played(browser, place, secret=place.sign_in(name="leaves")) as play:
        play.ask("a secret")
        play.page.locator(".drop summary").last.click()
        play.page.locator('form[action="/sign-out"] button').click()
        play.page.wait_for_url("**/sign-in?done=signed-out")
        assert play.page.evaluate("sessionStorage.length") == 0


def test_a_receipt_is_looked_at_beside_the_conversation(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        answer = play.ask("Hello")
        with play.page.expect_popup() as opened:
            answer.get_by_role("link", name="Receipt").click()
        expect(opened.value.locator("h1")).to_be_visible()
        assert "/console/receipts/" in opened.value.url
        expect(answer.locator(".pg-text")).to_contain_text("Hello")


def test_whoever_reads_further_up_is_left_there(browser: Browser, place: Place) -> None:
    with played(browser, place) as play:
        play.say("Go on [[sim:words=6000]] [[sim:slow=0.005]]")
        expect(play.last.locator(".pg-tail")).to_contain_text("word300")
        play.page.evaluate("document.scrollingElement.scrollTop = 0")
        expect(play.page.get_by_role("button", name="New text below")).to_be_visible()
        assert play.page.evaluate("document.scrollingElement.scrollTop") == 0
        play.page.get_by_role("button", name="New text below").click()
        assert play.page.evaluate("document.scrollingElement.scrollTop") > 0
        expect(play.page.locator("#pg-below")).to_be_hidden()


def test_an_address_holds_the_settings_and_never_a_text(browser: Browser, place: Place) -> None:
    with played(browser, place, permissions=["clipboard-read", "clipboard-write"]) as play:
        play.choose("model", "gpt-4.1")
        play.choose("dialect", "gemini")
        play.page.locator("#pg-temperature").fill("0.5")
        play.page.locator("#pg-system").fill("a secret")
        play.page.locator("#pg-text").fill("another secret")
        play.page.locator("#pg-address").click()
        expect(play.page.locator("#pg-address")).to_have_text("Copied")
        copied = play.page.evaluate("navigator.clipboard.readText()")
        assert copied == f"{place.base_url}/console/playground?model=gpt-4.1&dialect=gemini&temperature=0.5"
        play.page.goto(copied)
        expect(play.page.locator("#pg-model")).to_have_value("gpt-4.1")
        expect(play.page.locator("#pg-dialect")).to_have_value("gemini")
        expect(play.page.locator("#pg-temperature")).to_have_value("0.5")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_request_runs_as_code_of_every_client(browser: Browser, place: Place, dialect: str) -> None:
    with played(browser, place) as play:
        play.choose("dialect", dialect)
        play.page.locator("#pg-system").fill('Be "brief", it\'s late: 你好 \\ 🙂')
        play.page.locator("#pg-file").set_input_files([a_file("a.png", "image/png", PNG)])
        play.ask("First")
        play.write("tools", TOOL.replace("weather", "lookup"))
        play.choose("effort", "low")
        answer = play.ask("Say [[sim:words=3]] please")
        answer.locator(".pg-code > summary").click()
        for client in CLIENTS:
            tab = answer.locator(".pg-code .tab", has_text=client)
            if client != "curl":
                tab.locator("summary").click()
            expect(tab.locator("code")).not_to_be_empty()
            code = tab.locator("code").inner_text()
            assert KEY not in code
            run(client, code)


def run(client: str, code: str) -> None:
    """Runs it as a reader would, and it calls the tool or says something."""
    env: Mapping[str, str] = {**os.environ, "PORTICO_API_KEY": KEY, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    with tempfile.TemporaryDirectory() as folder:
        if client == "curl":
            command = ["bash", "-euc", code]
        elif client.startswith("Node"):
            if nodejs.NODE is None or nodejs.NPM is None:
                return
            (Path(folder) / "node_modules").symlink_to(nodejs.installed() / "node_modules")
            (Path(folder) / "code.mjs").write_text(code, "utf-8")
            command = [nodejs.NODE, "code.mjs"]
        else:
            command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, (client, done.stderr, code)
    if client == "curl":
        assert "data: " in done.stdout
        assert '"error":{' not in done.stdout, done.stdout


@pytest.mark.parametrize(("locale", "send", "done"), [("zh-CN", "发送", "完成："), ("zh-HK", "送出", "答完：")])
def test_it_speaks_chinese(browser: Browser, place: Place, locale: str, send: str, done: str) -> None:
    with played(browser, place, secret=place.sign_in(locale=locale)) as play:
        expect(play.page.locator("html")).to_have_attribute("lang", locale)
        expect(play.page.locator("#pg-send")).to_have_text(send)
        play.say("**重要：**請 [[sim:400]]")
        expect(play.last.locator(".pg-wrong .pg-help")).to_contain_text(re.compile("[\u3400-\u9fff]{5}"))
        assert re.search("： +[\u3400-\u9fff]", play.last.locator(".pg-wrong").inner_text()) is None
        play.page.locator("#pg-clear").click()
        play.say("**重要：**請")
        expect(play.status).to_contain_text(done)
        expect(play.last.locator(".pg-text strong")).to_have_text("重要：")
        assert re.search(r"[A-Za-z]{3,}", play.status.inner_text().replace("token", "")) is None
        assert play.calm(), play.told.errors


@pytest.mark.parametrize("cleared", [True, False])
def test_an_earlier_answer_says_nothing_over_a_later_one(browser: Browser, place: Place, cleared: bool) -> None:
    with played(browser, place) as play:
        held: list[Route] = []
        play.page.route("**/v1/receipts/*", lambda route: held.append(route), times=1)
        play.say("Hello [[sim:400]]")
        expect(play.last.locator(".pg-wrong .pg-help")).to_contain_text("Mend it")
        expect(play.status).to_contain_text("It failed:")
        if cleared:
            play.page.locator("#pg-clear").click()
            expect(play.status).to_have_text("")
        play.ask("Hello")
        with play.page.expect_request_finished(lambda one: "/v1/receipts/" in one.url):
            held[0].continue_()
        play.page.evaluate("fetch('/healthz').then((one) => one.text())")
        expect(play.page.locator(".pg-foot", has_text="not charged")).to_have_count(0 if cleared else 1)
        expect(play.status).to_contain_text("Done:")
        assert play.calm(), play.told.errors


def test_only_what_the_key_may_ask_is_offered(browser: Browser, place: Place) -> None:
    def make(db: Db) -> tuple[str, str]:
        made = rows.create_key(db, SystemRandom(), name="narrow", policy={"models": ["gpt-4.1*"]})
        return made.key.id, made.secret

    key_id, secret = place.work(make)
    brought = urllib.request.Request(f"{place.base_url}/v1/models", headers={"authorization": f"Bearer {secret}"})  # noqa: S310
    urllib.request.urlopen(brought, timeout=60).close()  # noqa: S310 - whose key is brought is looked up at once
    with played(browser, place) as play:
        shown = play.page.locator("#pg-key option", has_text="narrow")
        expect(shown).to_have_count(1)
        play.choose("key", shown.get_attribute("value") or "")
        expect(play.page.locator("#pg-model")).to_have_value("gpt-4.1")
        play.ask("Hello")
        charged = place.work(lambda db: db.rows("SELECT COUNT(*) FROM receipts WHERE key_id = ?", key_id))
        assert charged == [(1,)]
    place.work(lambda db: rows.revoke_key(db, key_id))


def test_whoever_signed_out_elsewhere_is_told_to_open_the_page_again(browser: Browser, place: Place) -> None:
    secret = place.sign_in(name="gone")
    with played(browser, place, "#main", secret=secret) as play:
        place.work(lambda db: db.run("DELETE FROM sessions WHERE digest = ?", digest_of(secret)))
        play.ask("Hello", "It failed:")
        expect(play.last.locator(".pg-wrong")).to_contain_text("invalid_api_key")
        play.last.get_by_role("link", name="Open this page again").click()
        play.page.wait_for_url("**/sign-in?to=*")


def test_no_page_of_another_origin_calls_as_somebody_who_has_signed_in(browser: Browser, place: Place) -> None:
    """Same host, another port: the cookie goes along, and the browser lets nothing of the answer through."""
    attack = """async ([url, headers]) => {
        const told = [];
        for (const credentials of ["include", "omit"]) {
            try {
                const answer = await fetch(url, {method: "GET", headers, credentials});
                told.push(answer.status);
            } catch { told.push("refused by the browser"); }
        }
        return told;
    }"""
    secret = place.sign_in()
    with played(browser, place, secret=secret) as play, elsewhere() as other:
        headers = {
            "x-portico-token": play.page.locator("#playground").get_attribute("data-token") or "",
            "x-portico-key": play.page.locator("#pg-key").input_value(),
        }
        mine = play.page.evaluate(attack, [f"{place.base_url}/v1/models", headers])
        assert mine == [200, 401], "without its cookie not even the page itself"
        play.page.goto(other)
        assert play.page.evaluate(attack, [f"{place.base_url}/v1/models", headers]) == ["refused by the browser", 401]


@contextlib.contextmanager
def elsewhere() -> Iterator[str]:
    """A page on another port of this host."""

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Elsewhere</title>")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_without_scripts_the_page_says_so_and_shows_the_call(browser: Browser, place: Place) -> None:
    context = browser.new_context(base_url=place.base_url, java_script_enabled=False)
    context.add_cookies([{"name": "portico", "value": place.sign_in(), "url": place.base_url}])
    page = context.new_page()
    page.goto("/console/playground")
    expect(page.locator("main")).to_contain_text("The playground needs scripts.")
    expect(page.locator("main pre")).to_contain_text(f"curl {place.base_url}/v1/chat/completions")
    expect(page.locator("#playground")).to_be_hidden()
    assert page.locator("main button").evaluate_all("all => all.filter(one => one.checkVisibility()).length") == 0
    context.close()


@pytest.mark.parametrize("locale", LOCALES)
def test_it_fits_pleases_axe_and_can_be_looked_at(browser: Browser, place: Place, axe: str, locale: str) -> None:
    """Empty and full, at every width in both themes; axe looks at each of these in one language."""
    folder = SCREENSHOTS / "inside" / (locale or "en")
    own = LOCALES.index(locale)
    with played(browser, place, secret=place.sign_in(locale=locale), reduced_motion="reduce") as play:
        wrong: list[str] = []
        for turn, step in enumerate(("empty", "full")):
            if step == "full":
                play.write("tools", TOOL)
                play.say("Hello [[sim:400]]")
                expect(play.last.locator(".pg-help p").first).to_be_visible()
                play.say("What is the weather?")
                expect(play.last.locator(".pg-call")).to_be_visible()
                expect(play.last.locator(".pg-foot")).to_contain_text("$")
            sights = [(width, theme) for width in WIDTHS for theme in THEMES]
            judged = [sight for number, sight in enumerate(sights) if (number + turn + own) % len(LOCALES) == 0]
            wrong += looked_at(
                play.page, sights, sights if THOROUGH else judged, axe, folder, name=f"playground-{step}"
            )
        assert wrong == []
        assert play.calm(), play.told.errors
