"""Calls as an account sees them: one sum on the page, in the list, in the files, in the API and in the ledger."""

import csv
import io
import re
from typing import Any

import msgspec
import pytest

from console.booked import MODELS, Book, seeded
from inside.desk import Client, Rooms
from portico.ledger.verify import verify
from portico.ledger.windows import day_of
from portico.metering.charge import Line
from portico.web.money import usd

XSS = "<img src=x onerror=alert(2)>"
RANGE = "from=2026-09-01&to=2026-10-31"


def key_of(rooms: Rooms, account: str = "acme", name: str = "laptop") -> str:
    return str(rooms.bench.do("keys create", account=account, name=name)["id"])


def lines(client: Client, query: str = RANGE) -> list[dict[str, str]]:
    answer = client.get(f"/console/usage.csv?{query}")
    assert answer.status == 200
    assert answer.body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_sum_of_the_same_calls_is_the_same(rooms_anywhere: Rooms, seed: int) -> None:
    rooms = rooms_anywhere
    rooms.bench.reading.now_us -= 100 * 86_400_000_000
    for account in ("acme", "other"):
        rooms.bench.do("accounts create", name=account)
    keys = [key_of(rooms), key_of(rooms, name="robot")]
    seeded(rooms, "other", [key_of(rooms, "other")], seed + 100, 10)
    book = seeded(rooms, "acme", keys, seed)
    ada = rooms.person(account="acme")
    for query in (
        "",
        f"&key={keys[0]}",
        f"&model={MODELS[1]}",
        "&outcome=failed",
        "&charged=no",
        "&charged=yes",
        "&q=ok",
    ):
        rows = lines(ada, RANGE + query)
        charged = sum(int(row["charge_nanos"]) for row in rows)
        told = ada.get(f"/console/usage.json?{RANGE}{query}&limit=500").json
        assert told["total"]["calls"] == len(rows) == len(told["data"])
        assert told["total"]["charge_nanos"] == charged == sum(one["charge_nanos"] for one in told["data"])
        page = ada.get(f"/console/usage?{RANGE}{query}").text
        if rows:
            assert f"All {len(rows)} calls of this filter" in page
            assert usd(charged) in page
    rows = lines(ada)
    charged = sum(int(row["charge_nanos"]) for row in rows)
    whole = ada.get(f"/console/usage.json?{RANGE}&limit=500").json["total"]
    for name in ("input_tokens", "cached_tokens", "output_tokens", "thinking_tokens"):
        assert whole[name] == sum(int(row[name] or 0) for row in rows)
    usage = rooms.bench.do("usage", account="acme", by="account", **{"from": "2026-09-01", "to": "2026-10-31"})
    assert usage["data"][0]["charge_nanos"] == charged
    entries = "SELECT CAST(COALESCE(SUM(posted_nanos), 0) AS BIGINT) FROM entries WHERE account_id = ? AND"
    assert rooms.bench.rows(f"{entries} kind <> 'top_up'", book.account) == [(-charged,)]
    assert rooms.bench.reading.at_once(verify).ok
    months = [ada.get(f"/console/statements/2026-{month:02d}.csv").body.decode("utf-8-sig") for month in (9, 10)]
    opened, closed = [list(csv.DictReader(io.StringIO(one))) for one in months]
    assert -sum(int(row["amount_nanos"]) for row in opened + closed if row["line"] == "calls") == charged
    assert opened[0]["amount_nanos"] == "0"
    assert opened[-1]["amount_nanos"] == closed[0]["amount_nanos"]
    for month in (opened, closed):
        assert sum(int(row["amount_nanos"]) for row in month[:-1]) == int(month[-1]["amount_nanos"])
    now = rooms.bench.do("accounts show", account="acme")["posted_nanos"]
    assert int(closed[-1]["amount_nanos"]) == now
    assert usd(charged) in _table(ada.get("/console?period=90").text)


def _table(page: str) -> str:
    return re.sub(r'<span class="pad" aria-hidden="true">0*</span>', "", page)


def test_pages_of_a_list_hold_every_call_once(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    book = seeded(rooms, "acme", [key_of(rooms)], 7, 130)
    everything = [row["request_id"] for row in lines(ada)]
    assert len(everything) == len(set(everything)) == 130
    assert everything == sorted(everything, reverse=True)
    found: list[str] = []
    path = f"/console/usage?{RANGE}"
    pages = 0
    while path:
        text = ada.get(path).text
        found += re.findall(r"/console/receipts/(req_\w+)", text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        path, pages = (older[1].replace("&amp;", "&") if older else ""), pages + 1
        assert pages < 6
    assert found == everything
    last = re.search(r'rel="prev" href="([^"]+)"', ada.get(f"/console/usage?{RANGE}&before={everything[99]}").text)
    assert last is not None
    back = re.findall(r"/console/receipts/(req_\w+)", ada.get(last[1].replace("&amp;", "&")).text)
    assert back == everything[50:100]
    assert book.account


def test_calls_of_any_of_very_many_keys_are_filtered_by_it_and_stay_so(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    keys = []
    for _ in range(502):
        rooms.bench.reading.now_us += 1_000
        keys.append(rooms.bench.do("keys create", account="acme")["id"])
    oldest, newest = ada.get(f"/console/usage?key={keys[0]}").text, ada.get(f"/console/usage?key={keys[-1]}").text
    assert f"<option selected>{keys[0]}</option>" in oldest
    assert f'<option value="{keys[-1]}" selected>' in newest


def test_what_is_searched_for(rooms_anywhere: Rooms) -> None:
    rooms = rooms_anywhere
    ada = rooms.person(account="acme")
    one, other = rooms.bench.do("keys create", account="acme"), rooms.bench.do("keys create", account="acme")
    book = Book(rooms, "acme")
    book.at("2026-10-30")
    first, second = book.call(one["id"]), book.failed(other["id"], "overloaded")
    for text, found in (
        (first, [first]),
        (one["id"], [first]),
        (one["prefix"], [first]),
        ("overloaded", [second]),
        ("nothing-like-it", []),
        ("' OR 1=1 --", []),
    ):
        answer = ada.get(f"/console/usage.json?q={text.replace(' ', '%20')}")
        assert [row["request_id"] for row in answer.json["data"]] == found
    led = ada.get(f"/console/usage?q={one['key']}")
    assert (led.status, led.headers["location"]) == (303, f"/console/usage?q={one['prefix']}")
    assert ada.get("/console/usage?from=yesterday").status == 422
    assert ada.get(f"/console/usage?q={'x' * 300}").status == 422


def test_another_accounts_receipts_statements_and_calls_are_not_there(rooms_anywhere: Rooms) -> None:
    rooms = rooms_anywhere
    ada, mal = rooms.person(account="acme"), rooms.person("mal@example.com", account="other")
    key = key_of(rooms)
    book = Book(rooms, "acme")
    book.at("2026-10-30")
    request, still_open = book.call(key, 12_345), book.open(key, 99)
    for ending in ("", ".json", ".md"):
        assert ada.get(f"/console/receipts/{request}{ending}").status == 200
        assert mal.get(f"/console/receipts/{request}{ending}").status == 404
    assert "This call is not over" in ada.get(f"/console/receipts/{still_open}").text
    assert mal.get(f"/console/receipts/{still_open}").status == 404
    for query in (f"key={key}", f"q={request}", f"q={key}", ""):
        assert f"/console/receipts/{request}" not in mal.get(f"/console/usage?{query}").text
        assert lines(mal, query) == []
    assert "0.000012345" not in mal.get("/console/statements/2026-10").text
    assert mal.get("/console/receipts/req_never").status == 404
    assert ada.get("/console/statements/2026-12").status == 404
    assert ada.get("/console/statements/1999-01").status == 404
    assert ada.get("/console/statements/2026-1x").status == 404


def test_a_receipt_says_what_was_charged_and_why_in_every_form(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    key = key_of(rooms)
    rooms.bench.do("accounts top-up", account="acme", amount_usd="1")
    book = Book(rooms, "acme")
    book.at("2026-10-30")
    request = book.call(key, 12_345, flags=("estimated", "partial"), losses=("1.1:max_tokens",))
    page, told = ada.get(f"/console/receipts/{request}").text, ada.get(f"/console/receipts/{request}.json").json
    for text in ("Charged $0.000012345 for an answer", "Estimated: ", "Partial: ", "1.1:max_tokens", "$0.999987655"):
        assert text in re.sub(r'<span class="pad" aria-hidden="true">0*</span>', "", page)
    assert told["charge_nanos"] == 12_345
    assert "cost" not in str(told)
    for cost in ("Margin", "cost_", "$0.000006172"):
        assert cost not in page
    markdown = ada.get(f"/console/receipts/{request}.md")
    assert markdown.headers["content-type"].startswith("text/markdown")
    assert "**Charged $0.000012345 for an answer" in markdown.text
    assert "&#" not in markdown.text
    assert f"request: {request}" in page


def test_each_line_of_an_answer_by_several_models_says_whose_it_is(rooms: Rooms) -> None:
    ada, key, book = rooms.person(account="acme"), key_of(rooms), Book(rooms, "acme")
    book.at("2026-10-30")
    line = Line("output", "text", 1, "mtok", 5, 5, 5_000_000, 7)
    lines = (
        msgspec.structs.replace(line, model="gpt-5.5", upstream_model="gpt-5.5", provider="openai"),
        msgspec.structs.replace(
            line, count=2, model="o3", upstream_model="o3-1", provider="azure", markup_permille=1200
        ),
    )
    request = book.call(key, 14, model="gpt-5.5", provider="openai", lines=lines)
    page = ada.get(f"/console/receipts/{request}").text
    assert (
        '<code>gpt-5.5</code> · openai, <code>o3</code> · azure <span class="quiet small"><code>o3-1</code></span>'
        in page
    )
    for text in (
        "gpt-5.5 · openai · price",
        "o3-1 · azure · price",
        " · Markup × 1.200",
        "answered by: gpt-5.5 (gpt-5.5), openai; o3 (o3-1), azure",
    ):
        assert text in page
    markdown = ada.get(f"/console/receipts/{request}.md").text
    assert "- Answered by: `gpt-5.5`, openai; `o3`, azure\n- How" in markdown
    assert "o3-1 · azure, price without a date, Markup × 1.200 | 2 |" in markdown


def test_what_came_after_a_recovery_is_on_the_receipt_and_in_the_sums(rooms_anywhere: Rooms) -> None:
    rooms = rooms_anywhere
    ada = rooms.person(account="acme")
    key = key_of(rooms)
    book = Book(rooms, "acme")
    book.at("2026-10-30")
    request = book.died(key, 1_000, 1_500)
    page = ada.get(f"/console/receipts/{request}").text
    for text in ("Recovered: ", "Adjusted: ", "$0.0000005 more was charged.", "In the end: $0.0000015"):
        assert text in page
    [row] = ada.get("/console/usage.json").json["data"]
    assert (row["charge_nanos"], row["notes"]) == (1_500, ["recovered", "adjusted"])
    assert ada.get("/console/usage.json").json["total"]["charge_nanos"] == 1_500


def test_failed_calls_are_counted_not_charged_and_lead_to_their_list(rooms_anywhere: Rooms) -> None:
    rooms = rooms_anywhere
    ada = rooms.person(account="acme")
    key = key_of(rooms)
    book = Book(rooms, "acme")
    assert "Nothing was called yet" in ada.get("/console").text
    book.at("2026-10-30")
    book.call(key)
    assert "Nothing</strong> failed in 24 hours." in ada.get("/console").text
    for outcome in ("overloaded", "overloaded", "rate_limit_exceeded", "caller_gone"):
        book.failed(key, outcome, model=MODELS[0])
    page = ada.get("/console").text
    assert "3 calls failed" in page
    assert "not charged" in page
    link = re.search(r'<a href="(/console/usage[^"]+)"><strong class="figure bad">', page)
    assert link is not None
    assert "All 3 calls of this filter" in ada.get(link[1].replace("&amp;", "&")).text
    book.at("2026-11-02")
    assert "calls failed" not in ada.get("/console").text


def test_a_spreadsheet_takes_no_name_for_a_formula(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    book = Book(rooms, "acme")
    for name in ("=1+1", "@SUM(A1)", "+1", "-1+1", "＝1", "plain"):
        book.call(key_of(rooms, name=name), 5)
    names = {row["key_name"] for row in lines(ada, "")}
    assert names == {"'=1+1", "'@SUM(A1)", "'+1", "'-1+1", "'＝1", "plain"}
    header = ada.get("/console/usage.csv?model=a/../b%22&charged=no").headers["content-disposition"]
    assert re.fullmatch(r'attachment; filename="usage-[A-Za-z0-9._-]+-a_.._b_-free\.csv"', header)
    rooms.bench.do("accounts top-up", account="acme", amount_usd="1", note="=cmd|' /C calc'!A0")
    month = ada.get("/console/statements/2026-11.csv").body.decode("utf-8-sig")
    assert "'=cmd" in month
    assert ",-0.00000001,-10" in month


def test_names_of_models_keys_and_errors_are_text_everywhere(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    key = key_of(rooms, name=XSS)
    book = Book(rooms, "acme")
    good = book.call(key, 5, model=XSS, provider=XSS, losses=(XSS,), service_tier=XSS)
    bad = book.failed(key, XSS, model=XSS)
    rooms.bench.do("accounts top-up", account="acme", amount_usd="1", note=XSS)
    for path in (
        "/console",
        "/console?by=key",
        "/console/usage",
        f"/console/usage?model={XSS}&q={XSS}&outcome={XSS}",
        f"/console/receipts/{good}",
        f"/console/receipts/{bad}",
        "/console/statements/2026-11",
        "/console/keys",
    ):
        answer = ada.get(path.replace(" ", "%20"))
        assert answer.status == 200, path
        assert "<img src=x" not in answer.text, path


def test_statements_lead_to_the_month_that_is_under_way(rooms_anywhere: Rooms) -> None:
    ada = rooms_anywhere.person(account="acme")
    for path in ("/console/statements", "/console/statements/"):
        answer = ada.get(path)
        while answer.status == 308:
            answer = ada.get(answer.headers["location"])
        month = day_of(rooms_anywhere.bench.reading.now_us).isoformat()[:7]
        assert (answer.status, answer.headers["location"]) == (303, f"/console/statements/{month}")
        assert ada.get(answer.headers["location"]).status == 200


@pytest.mark.parametrize(
    ("today", "asked", "earlier"),
    [
        ("2026-11-30", "2026-11", []),
        ("2026-12-28", "2026-12", ["2026-11"]),
        ("2031-01-28", "2029-01", ["2028-12"]),
        ("2031-01-28", "2028-12", []),
    ],
)
def test_a_statement_leads_to_an_earlier_one_only_where_there_is_one(
    rooms: Rooms, today: str, asked: str, earlier: list[str]
) -> None:
    """The account is of November 2026, and usage is kept for 800 days."""
    rooms.person(account="acme")
    Book(rooms, "acme").at(today)
    eve = rooms.person("eve@example.com", account="acme")
    page = eve.get(f"/console/statements/{asked}").page
    assert [a["href"] for a in page.all("a", rel="prev")] == [f"/console/statements/{one}" for one in earlier]
    assert [eve.get(f"/console/statements/{one}").status for one in earlier] == [200] * len(earlier)


def test_a_list_that_breaks_off_says_so_in_its_last_line(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    from portico.accounts import calls
    from portico.core.errors import StorageUnavailable
    from portico.web.console import usage

    ada = rooms.person(account="acme")
    key = key_of(rooms)
    book = Book(rooms, "acme")
    for _ in range(5):
        book.call(key)
    monkeypatch.setattr(usage, "PIECE", 2)
    assert len(lines(ada, "")) == 5
    real, asked = calls.page, []

    def page(*given: Any, **named: Any) -> Any:
        asked.append(named)
        if len(asked) == 2:
            raise StorageUnavailable
        return real(*given, **named)

    monkeypatch.setattr(calls, "page", page)
    rows = lines(ada, "")
    assert len(rows) == 3
    assert rows[-1]["time"] == "error"


def test_no_day_that_can_be_written_breaks_a_list_of_calls(rooms_anywhere: Rooms) -> None:
    rooms = rooms_anywhere
    rooms.person(account="acme")
    call = Book(rooms, "acme").call(key_of(rooms))
    for days in ({"from": "0001-01-01"}, {"to": "9999-12-31"}, {"from": "0001-01-01", "to": "9999-12-31"}):
        assert [one["request_id"] for one in rooms.bench.do("receipts list", **days)["data"]] == [call], days
    assert rooms.bench.do("receipts list", to="0001-01-01")["data"] == []
    assert rooms.bench.do("receipts list", **{"from": "9999-12-31"})["data"] == []


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "0000000500000", "000000050000000"])
def test_no_more_lines_are_told_at_once_than_a_page_may_have(rooms: Rooms, limit: str) -> None:
    ada = rooms.person(account="acme")
    assert ada.get(f"/console/usage.json?limit={limit}").status == 422
