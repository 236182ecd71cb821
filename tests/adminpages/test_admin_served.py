"""The admin's desk of a Portico that serves: with two workers, its simulator, and calls that were really made."""

import contextlib
import http.cookiejar
import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from web.serving import KEY, House, served


class Browser:
    """Cookies, pages, and forms with the token that stood in the page."""

    def __init__(self, house: House) -> None:
        self.house = house
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def get(self, path: str) -> str:
        with self._opener.open(self.house.base_url + path, timeout=90) as answer:
            told: str = answer.read().decode()
            return told

    def post(self, path: str, page: str = "", **fields: str) -> str:
        """The page that a form leads to. `page`: where the form stands, if that is elsewhere."""
        found = re.search(r'name="token" value="([0-9a-f]+)"', self.get(page or path))
        assert found is not None
        body = urllib.parse.urlencode({"token": found[1], **fields}).encode()
        with self._opener.open(self.house.base_url + path, body, timeout=90) as answer:
            told: str = answer.read().decode()
            return told


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with served("--workers", "2") as house:
        yield house


@pytest.fixture(scope="module")
def root(house: House) -> Browser:
    browser = Browser(house)
    link = house.first_link.removeprefix(house.base_url)
    password = "correct horse battery staple"
    with contextlib.suppress(urllib.error.HTTPError):  # where that leads to is nothing of ours
        browser.post(link, email="root@example.com", name="Root", password=password, again=password)
    return browser


def call(house: House, text: str, *, stream: bool = False, model: str = "gemini-3.5-flash") -> tuple[int, bytes]:
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": text}]}
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
    request = urllib.request.Request(f"{house.base_url}/v1/chat/completions", json.dumps(body).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def eventually(is_so: Callable[[], Any], within_s: float = 90.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := is_so()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_what_calls_came_to_is_told_on_every_page_alike(house: House, root: Browser) -> None:
    for model in ("gemini-3.5-flash", "gpt-5.5"):
        assert call(house, "Hello", model=model)[0] == 200

    def settled() -> list[str]:
        rows = root.get("/admin/usage.csv?by=model").splitlines()[1:]
        return rows if len(rows) == 2 else []

    rows = [row.split(",") for row in eventually(settled)]
    by_provider = [row.split(",") for row in root.get("/admin/usage.csv?by=provider").splitlines()[1:]]
    assert {row[0] for row in by_provider} == {"simulated-gemini", "simulated-openai"}
    assert sorted(row[6] for row in rows) == sorted(row[6] for row in by_provider)
    account = root.get("/admin/accounts/default")
    assert account.count("/admin/receipts/req_") >= 2
    assert all(f"${row[5]}" in account for row in rows)
    found = re.findall(r"/admin/receipts/req_\w+", account)
    receipts = [root.get(path) for path in found]
    assert all("What it cost you" in page for page in receipts)
    assert json.loads(root.get(found[0] + ".json"))["cost_nanos"] > 0
    assert "gpt-5.5" in root.get("/admin/keys/key_default")


def test_a_receipt_of_a_call_that_used_nothing_has_no_table_without_lines(house: House, root: Browser) -> None:
    assert call(house, "[[sim:500]]")[0] == 500

    def receipt() -> str:
        found = re.findall(r"/admin/receipts/req_\w+", root.get("/admin/accounts/default"))
        page = root.get(found[0]) if found else ""
        return page if "Not charged: the call failed." in page else ""

    page = eventually(receipt)
    assert "What it cost you" in page
    assert "Tokens, each counted once" not in page


def test_what_runs_is_seen_and_ended_whichever_worker_serves_it(house: House, root: Browser) -> None:
    told: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: told.append(call(house, "[[sim:slow=1]] [[sim:words=200]] Hi", stream=True)[1]))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()

    def calls() -> list[Any]:
        found: list[Any] = json.loads(root.get("/admin/live.json"))["calls"]
        return found

    running = eventually(lambda: found if len(found := calls()) == 3 and all(one["model"] for one in found) else None)
    assert {one["account_name"] for one in running} == {"default"}
    page = root.get("/admin/live")
    for one in running:
        assert one["request_id"] in page
        root.post("/admin/live", do="end", request=one["request_id"])
    for thread in threads:
        thread.join(90)
        assert not thread.is_alive()
    assert len(told) == 3
    assert all(b"Whoever runs this gateway ended the call." in one for one in told)
    assert eventually(lambda: not calls())
    account = eventually(lambda: page if "ended_by_operator" in (page := root.get("/admin/accounts/default")) else "")
    assert account.count("<code>ended_by_operator</code>") >= 1
    audit = root.get("/admin/audit?command=calls%20end")
    assert all(one["request_id"] in audit for one in running)


def test_a_provider_that_is_let_rest_is_not_asked_until_it_is_woken(house: House, root: Browser) -> None:
    root.post("/admin/providers", do="rest", provider="simulated-anthropic", note="an outage")

    def status() -> int:
        return call(house, "Hello", model="claude-opus-5-5")[0]

    eventually(lambda: [status() for _ in range(4)] == [503] * 4)
    assert "operator: an outage" in root.get("/admin")
    root.post("/admin/providers", do="wake", provider="simulated-anthropic")
    eventually(lambda: [status() for _ in range(4)] == [200] * 4)


def test_a_probe_asks_the_provider_itself(root: Browser) -> None:
    assert "takes it" in root.post("/admin/providers", do="probe", provider="simulated-gemini")


def test_a_draft_may_be_long_where_the_page_of_one_was_shown(house: House, root: Browser) -> None:
    """A body of more than 64 KB is read of nobody who has not proved who they are by its head alone."""
    new = "/admin/prices/drafts/new"
    text = "".join(f'[[prices]]\nmodel = "own-{n}"\ninput = "1.80"\noutput = "10.80"\n' for n in range(3000))
    with pytest.raises(urllib.error.URLError):
        root.post(new, do="save", title="long", text=text)
    found = re.search(r'action="(/admin/prices/drafts/new\?seal=[^"]+)"', root.get(new))
    assert found is not None
    page = root.post(found[1], new, do="save", title="long", text=text)
    assert page.count("[[prices]]") == 3000
