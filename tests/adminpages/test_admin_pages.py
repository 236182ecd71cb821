"""The admin's desk: who may look, what a fresh install shows, what each form does and what the audit says of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from admin.local import Bench, on_sqlite
from adminpages.busy import MONEY, busy
from adminpages.conftest import UPSTREAMS
from console.booked import Book
from inside.desk import Client, Rooms
from portico.core.storage import Db
from portico.ledger import paid
from portico.ledger.windows import day_of
from portico.web.admin import ROOMS
from portico.web.admin.forms import PAGE
from portico.web.inside.asked import Needs
from portico.web.inside.guard import TOKEN_FIELD
from portico.web.inside.room import Room
from portico.web.showroom import Traffic
from web.rooms import showroom

XSS = "<script>alert(1)</script>"


def address(room: Room, **names: str) -> str:
    """An address that a room's pattern fits: its groups filled in."""
    path = re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda found: names.get(found[1], "none"), room.pattern.pattern)
    return path.replace("\\", "")


LOOKS = [room for room in ROOMS if room.look is not None]
ACTS = [room for room in ROOMS if room.act is not None]


def shown(room: Room) -> str:
    return room.pattern.pattern


# -- who gets in


@pytest.mark.parametrize("room", ROOMS, ids=shown)
def test_every_room_is_for_operators(room: Room) -> None:
    assert room.needs is Needs.OPERATOR
    assert room.act_needs in (None, Needs.OPERATOR)
    assert not room.open_to_programs


@pytest.mark.parametrize("room", LOOKS, ids=shown)
def test_whoever_runs_nothing_is_refused_and_a_stranger_led_to_the_door(desk: Rooms, room: Room) -> None:
    owner = desk.person("owner@example.com", account="acme", role="owner")
    assert owner.get(address(room)).status == 403
    led = Client(desk).get(address(room))
    assert (led.status, led.headers["location"].partition("?")[0]) == (303, "/sign-in")


@pytest.mark.parametrize("room", ACTS, ids=shown)
def test_no_form_does_anything_for_others_or_without_its_token(desk: Rooms, root: Client, room: Room) -> None:
    things = busy(desk)
    owner = desk.person("owner@example.com", account="acme", role="owner")
    before = everything(desk)
    path = address(room, **things.names)
    for word in words_of(room):
        fields = {"do": word, **things.fields}
        assert owner.post(path, fields).status == 403
        assert root.post_raw(path, fields).status == 403
        assert root.post_raw(path, {**fields, TOKEN_FIELD: owner.token}).status == 403
        assert (
            root.post_raw(path, {**fields, TOKEN_FIELD: root.token}, {"origin": "https://evil.example"}).status == 403
        )
    assert everything(desk) == before
    assert root.post(path, do="nothing-of-the-kind").status == 422
    assert everything(desk) == before


def words_of(room: Room) -> list[str]:
    """Every act that a page's forms ask for."""
    found = {
        "accounts": ["create"],
        "account": ["kind", "top-up", "refund", "close", "member", "leave"],
        "users": ["add", "invite"],
        "user": ["disable", "enable", "reset", "operator", "end", "member", "leave"],
        "key": ["disable", "enable", "revoke", "limits"],
        "codes": ["create"],
        "providers": ["rest", "wake", "probe", "add", "disable", "enable", "remove"],
        "prices": ["markup"],
        "draft": ["save", "publish", "drop"],
        "receipt": ["refund"],
        "live": ["end"],
    }
    name = room.act.__name__.removeprefix("act_on_") if room.act is not None else ""
    return found[name]


def everything(desk: Rooms) -> list[Any]:
    """All that these forms could change."""
    tables = (
        *("accounts", "memberships", "keys", "codes", "entries", "markups", "prices", "price_drafts", "links", "users"),
        *("rests", "endings", "credentials", "audit"),
    )
    return [desk.bench.rows(f"SELECT * FROM {table}") for table in tables]  # noqa: S608


# -- empty, and busy


@pytest.mark.parametrize("room", LOOKS, ids=shown)
def test_a_fresh_install_shows_every_page(desk: Rooms, root: Client, room: Room) -> None:
    path = address(room, draft="new", user=root.user.id)
    answer = root.get(path)
    if "none" in path:
        assert answer.status == 404
        return
    assert answer.status == 200
    if answer.headers["content-type"].startswith("text/html"):
        check(answer)


@pytest.mark.parametrize("locale", ["en", "zh-CN", "zh-HK"])
@pytest.mark.parametrize("room", LOOKS, ids=shown)
def test_a_busy_house_shows_every_page(desk: Rooms, root: Client, room: Room, locale: str) -> None:
    things = busy(desk)
    root.cookies["language"] = locale
    answer = root.get(address(room, **things.names, user=root.user.id))
    assert answer.status == 200
    if answer.headers["content-type"].startswith("text/html"):
        check(answer)
        assert "None" not in re.findall(r">\s*(None|nan|NaN|undefined)\s*<", answer.text)


def test_a_busy_house_shows_every_page_on_both_databases(desk_anywhere: Rooms) -> None:
    things = busy(desk_anywhere)
    root = desk_anywhere.person("root@example.com", operator=True)
    for room in LOOKS:
        assert root.get(address(room, **things.names, user=root.user.id)).status == 200, room.pattern.pattern


def check(answer: Any) -> None:
    page, text = answer.page, answer.text
    assert len(page.ids) == len(set(page.ids)), sorted(one for one in page.ids if page.ids.count(one) > 1)
    assert " style=" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert text.count("<h1>") == 1
    labelled = {attrs["for"] for attrs in page.all("label") if "for" in attrs}
    named = {attrs["id"] for attrs in [*page.all("input"), *page.all("select"), *page.all("textarea")] if "id" in attrs}
    assert named <= labelled


# -- what a text in the books can do to a page


def test_no_name_note_or_reason_becomes_markup(desk: Rooms, root: Client) -> None:
    things = busy(desk, name=XSS)
    for room in LOOKS:
        text = root.get(address(room, **things.names, user=root.user.id)).text
        assert XSS not in text or room.pattern.pattern.endswith(("json", "csv")), room.pattern.pattern
    assert "&lt;script&gt;" in root.get("/admin/accounts").text
    assert root.get("/admin/live.json").headers["content-type"] == "application/json"


def test_an_address_that_says_markup_is_told_as_text(root: Client) -> None:
    for path in ("accounts?q=", "keys?q=", "audit?actor=", "usage?account=", "prices?model=", "deployments?q="):
        answer = root.get(f"/admin/{path}%3Cscript%3Ealert(1)%3C/script%3E")
        assert answer.status in (200, 422)
        assert XSS not in answer.text


# -- accounts


def acts(desk: Rooms) -> Iterator[tuple[str, str]]:
    yield from desk.bench.rows("SELECT command, actor FROM audit WHERE actor <> 'test' ORDER BY id")


def audited(desk: Rooms, command: str) -> dict[str, Any]:
    """What the last line of the audit asked for. It is the operator's."""
    found, actor, detail = desk.bench.rows("SELECT command, actor, detail FROM audit ORDER BY id DESC LIMIT 1")[0]
    assert (found, actor) == (command, "user:root@example.com")
    told: dict[str, Any] = json.loads(detail)
    return told


@pytest.mark.parametrize("word", ["top-up", "refund"])
def test_a_form_of_money_that_is_sent_twice_is_booked_once(desk: Rooms, root: Client, word: str) -> None:
    here = root.post("/admin/accounts", do="create", new_name="acme").headers["location"].partition("?")[0]

    def form() -> str:
        return next(root.get(here).page.all("input", name="form"))["value"]

    def booked() -> int:
        return len(desk.bench.rows("SELECT 1 FROM audit WHERE command = ?", f"accounts {word}"))

    shown = form()
    assert root.post(here, do=word, amount_usd="1", form=shown).status == 303
    again = root.post(here, do=word, amount_usd="1", form=shown)
    assert again.status == 422
    assert "This form was sent already, and is booked once." in again.text
    assert booked() == 1
    assert root.post(here, do=word, amount_usd="1", form=form()).status == 303
    assert booked() == 2


def test_an_account_is_opened_paid_into_and_closed_by_its_name(desk_anywhere: Rooms) -> None:
    desk, root = desk_anywhere, desk_anywhere.person("root@example.com", operator=True)
    led = root.post("/admin/accounts", do="create", new_name="acme", kind="prepaid")
    assert led.status == 303
    here = led.headers["location"].partition("?")[0]
    assert root.get(here).status == 200
    audited(desk, "accounts create")
    assert root.post(here, do="top-up", amount_usd="12.5", note="an invoice", reference="2026-7").status == 303
    assert audited(desk, "accounts top-up")["reference"] == "2026-7"
    again = root.post(here, do="top-up", amount_usd="12.5", reference="2026-7")
    assert again.status == 422
    assert "was booked already" in again.text
    wrong = root.post(here, do="refund", amount_usd="<b>lots</b>", note="my note")
    assert wrong.status == 422
    assert 'value="my note"' in wrong.text
    assert "<b>lots" not in wrong.text
    assert root.post(here, do="refund", amount_usd="1").status == 303
    audited(desk, "accounts refund")
    assert root.post(here, do="kind", kind="open").status == 303
    audited(desk, "accounts set")
    assert "$13.50" in root.get(here).text
    assert root.post(here, do="withdraw", amount_usd="3").status == 303
    audited(desk, "accounts withdraw")
    assert "$10.50" in root.get(here).text
    assert root.post(here, do="close", name="acm").status == 422
    assert desk.bench.do("accounts show", account="acme")["state"] == "active"
    assert root.post(here, do="close", name="acme").status == 303
    assert desk.bench.do("accounts show", account="acme")["state"] == "closed"
    audited(desk, "accounts delete")
    assert "Top up" not in root.get(here).text


def test_a_call_is_refunded_from_its_receipt_where_its_account_reads_why(desk_anywhere: Rooms) -> None:
    desk, root = desk_anywhere, desk_anywhere.person("root@example.com", operator=True)
    ada = desk.person("ada@example.com", account="acme", role="viewer")
    key = desk.bench.do("keys create", account="acme")["id"]
    book = Book(desk, "acme")
    call, free = book.call(key, 60_000_000), book.failed(key)
    here = f"/admin/receipts/{call}"

    def form() -> dict[str, str]:
        fields = {one["name"]: one.get("value", "") for one in root.get(here).page.all("input") if "name" in one}
        return {name: fields[name] for name in ("do", "form", "amount_usd")}

    assert 'name="amount_usd"' not in root.get(f"/admin/receipts/{free}").text
    assert 'name="amount_usd"' not in ada.get(f"/console/receipts/{call}").text
    first = form()
    assert first["amount_usd"] == "0.06"
    much = root.post(here, **{**first, "amount_usd": "0.07", "note": "my <b>note"})
    assert much.status == 422
    assert "0.06 dollars are left" in much.text
    assert "my &lt;b&gt;note" in much.text
    assert root.post(here, **{**first, "amount_usd": "0.02", "note": "a part was <b>missing"}).status == 303
    assert audited(desk, "receipts refund")["request"] == call
    again = root.post(here, **{**first, "amount_usd": "0.02"})
    assert (again.status, "This form was sent already" in again.text) == (422, True)
    rest = form()
    assert rest["amount_usd"] == "0.04"
    assert root.post(here, **rest).status == 303
    assert 'name="amount_usd"' not in root.get(here).text
    assert root.post(here, **rest).status == 422
    for suffix, note in (("", "a part was &lt;b&gt;missing"), (".md", "a part was \\<b\\>missing")):
        told = ada.get(f"/console/receipts/{call}{suffix}").text
        assert "$0.02 was given back." in told
        assert "$0.04 was given back." in told
        assert note in told
    notes = ada.get(f"/console/receipts/{call}.json").json["notes"]
    assert [one["body"]["refunded_nanos"] for one in notes] == [20_000_000, 40_000_000]
    assert desk.bench.do("accounts show", account="acme")["posted_nanos"] == 0
    assert desk.bench.do("ledger verify")["ok"]
    lines = desk.bench.reading.at_once(lambda db: paid.lines(db, book.account)).lines
    assert [(one.kind, one.request_id, one.actor) for one in lines] == [("refund", call, "user:root@example.com")] * 2
    for page in (root.get(f"/admin/accounts/{book.account}").text, ada.get("/console/top-up").text):
        assert page.count(call) >= 2
        assert "a part was &lt;b&gt;missing" in page


def test_people_are_given_a_role_and_taken_out(desk: Rooms, root: Client) -> None:
    account = desk.bench.do("accounts create", name="acme")["id"]
    bob = desk.bench.do("users add", email="bob@example.com")["id"]
    here = f"/admin/accounts/{account}"
    assert root.post(here, do="member", user="bob@example.com", role="viewer").status == 303
    audited(desk, "memberships add")
    assert "bob@example.com" in root.get(here).text
    assert root.post(f"/admin/users/{bob}", do="leave", account=account).status == 303
    assert root.post(f"/admin/users/{bob}", do="member", account="acme", role="owner").status == 303
    assert root.post(here, do="leave", user=bob).status == 422  # its last owner
    assert root.post(here, do="member", user="nobody@example.com").status == 404


def test_accounts_that_need_attention_come_first_and_say_why(desk_anywhere: Rooms) -> None:
    desk, root = desk_anywhere, desk_anywhere.person("root@example.com", operator=True)
    things = busy(desk)
    page = root.get("/admin/accounts").text
    order = [page.index(f">{name}</a>") for name in ("debtor", "runaway", "soon", "acme")]
    assert order == sorted(order)
    for word in ("in debt", "running away", "soon used up"):
        assert word in page
    by_name = root.get("/admin/accounts?sort=name").text
    assert by_name.index(">acme</a>") < by_name.index(">debtor</a>")
    assert 'aria-sort="ascending"' in by_name
    assert ">soon</a>" not in root.get("/admin/accounts?q=acme").text
    home = root.get("/admin").text
    assert ">debtor</a>" in home
    assert ">acme</a></th>" not in home
    assert things.names["account"] in page


def test_the_newest_of_very_many_accounts_is_found_and_its_trouble_told(desk: Rooms, root: Client) -> None:
    sql = "INSERT INTO accounts (id, name, kind, posted_nanos, created_us) VALUES (?, ?, 'prepaid', ?, ?)"

    def many(db: Db) -> None:
        for number in range(12_000):
            db.run(sql, f"acc_{number:05}", f"number {number}", -(number == 11_999), db.now_us + number)

    desk.bench.reading.at_once(many)
    assert ">number 11999</a>" in root.get("/admin/accounts?q=11999").text
    home = root.get("/admin").text
    assert ">number 11999</a>" in home


# -- keys and codes


def test_keys_are_found_by_how_they_begin_by_name_and_by_account(desk_anywhere: Rooms) -> None:
    desk, root = desk_anywhere, desk_anywhere.person("root@example.com", operator=True)
    desk.bench.do("accounts create", name="acme")
    desk.bench.do("accounts create", name="100%_mine")
    made = desk.bench.do("keys create", account="acme", name="laptop")
    desk.bench.reading.now_us += 2_000
    other = desk.bench.do("keys create", account="100%_mine", name="phone")

    def found(text: str) -> list[str]:
        links = root.get(f"/admin/keys?q={text}").page.links
        return [one.rpartition("/")[2] for one in links if one.startswith("/admin/keys/key_")]

    assert found("") == [other["id"], made["id"]]
    assert found("lap") == found("LAPTOP") == found(made["key"]) == found(made["prefix"]) == [made["id"]]
    assert found("100%25_") == found(other["id"]) == [other["id"]]
    assert found("nothing") == found("%25%25") == []
    assert made["key"] not in root.get("/admin/keys").text


def test_an_account_with_more_keys_than_its_page_shows_leads_to_all_of_them(desk: Rooms, root: Client) -> None:
    account = desk.bench.do("accounts create", name="acme")["id"]
    every = f"/admin/keys?account={account}"
    for _ in range(PAGE):
        desk.bench.do("keys create", account="acme")
    assert every not in root.get(f"/admin/accounts/{account}").page.links
    desk.bench.do("keys create", account="acme", name="one more")
    assert every in root.get(f"/admin/accounts/{account}").page.links


def test_a_key_is_paused_resumed_limited_and_revoked_by_its_name(desk: Rooms, root: Client) -> None:
    desk.bench.do("accounts create", name="acme")
    made = desk.bench.do("keys create", account="acme", name="laptop")
    here = f"/admin/keys/{made['id']}"

    def state() -> Any:
        return desk.bench.do("keys show", key=made["id"])

    assert root.post(here, do="disable").status == 303
    assert state()["state"] == "disabled"
    audited(desk, "keys disable")
    assert root.post(here, do="enable").status == 303
    limits = {"do": "limits", "name": "laptop", "rpm-is": "some", "rpm": "60"}
    assert root.post(here, limits).status == 303
    assert state()["settings"] == {"rpm": 60}
    assert audited(desk, "keys set")["rpm"] == 60
    wrong = root.post(here, {**limits, "rpm": "many"})
    assert wrong.status == 422
    assert 'value="many"' in wrong.text
    assert root.post(here, do="revoke", name="lap").status == 422
    assert state()["state"] == "active"
    assert root.post(here, do="revoke", name="laptop").status == 303
    assert state()["state"] == "revoked"


def test_codes_stand_on_the_page_that_made_them_and_on_no_other(desk: Rooms, root: Client) -> None:
    made = root.post("/admin/codes", do="create", amount_usd="5", count="2", note="a prize", expires="2027-01-31")
    assert made.status == 200
    codes = re.findall(r"code-[A-Za-z0-9]{24}", made.text)
    assert len(codes) == 2
    audited(desk, "codes create")
    later = root.get("/admin/codes").text
    assert codes[0] not in later
    assert codes[0][:11] in later
    assert codes[0] not in str(desk.bench.rows("SELECT detail FROM audit"))
    assert root.post("/admin/codes", do="create", amount_usd="0").status == 422
    assert root.post("/admin/codes", do="create", amount_usd="1", count="many").status == 422


# -- users


def test_a_user_is_added_disabled_by_address_and_enabled(desk: Rooms, root: Client) -> None:
    led = root.post("/admin/users", do="add", email="bob@example.com", person_name="Bob")
    here = led.headers["location"].partition("?")[0]
    audited(desk, "users add")
    assert root.post("/admin/users", do="add", email="bob@example.com").status == 422
    assert root.post(here, do="disable", name="bob").status == 422
    assert root.post(here, do="disable", name="bob@example.com").status == 303
    audited(desk, "users remove")
    assert root.post(here, do="enable").status == 303
    assert "bob@example.com" in root.get("/admin/users").text


def test_users_are_found_by_address_and_by_name(desk_anywhere: Rooms) -> None:
    desk, root = desk_anywhere, desk_anywhere.person("root@example.com", operator=True)
    names = {"ada@example.com": "Ada L.", "bob_1@example.com": "陳大文", "bobx1@例え.example": "ŠIMON"}
    ids = {name: desk.bench.do("users add", email=name, name=names[name])["id"] for name in names}

    def found(text: str) -> list[str]:
        links = root.get(f"/admin/users?{urlencode({'q': text})}").page.links
        return [name for name in names if f"/admin/users/{ids[name]}" in links]

    assert found("") == list(names)
    assert found("ADA@") == found("ada l") == found(ids["ada@example.com"]) == ["ada@example.com"]
    assert found("bob_") == found("大文") == ["bob_1@example.com"]
    assert found("例え") == found("ŠIM") == ["bobx1@例え.example"]
    assert found("nobody") == found("%%") == []


def test_pages_of_found_users_go_on_with_what_was_looked_for(desk: Rooms, root: Client) -> None:
    for number in range(PAGE + 1):
        desk.bench.reading.now_us += 1_000
        desk.bench.do("users add", email=f"u{number}@example.com")
        desk.bench.do("users add", email=f"v{number}@example.com")
    first = root.get("/admin/users?q=v")
    assert f">v{PAGE}@example.com</a>" in first.text
    (older,) = [link for link in first.page.links if "before=" in link]
    assert re.findall(r">(\w+)@example.com</a>", root.get(older).text) == ["v0"]


def test_somebody_is_invited_by_a_link_that_is_shown_once(desk: Rooms, root: Client) -> None:
    desk.bench.do("accounts create", name="acme")
    made = root.post("/admin/users", do="invite", email="eve@example.com", account="acme", role="owner")
    assert made.status == 200
    audited(desk, "users invite")
    (link,) = re.findall(r"http://portico\.example:8080(/invite/[\w-]+)", made.text)
    assert Client(desk).get(link).status == 200
    assert link not in root.get("/admin/users").text
    assert link.rpartition("/")[2] not in str(desk.bench.rows("SELECT detail FROM audit"))
    assert root.post("/admin/users", do="invite", email="nonsense").status == 422
    assert root.post("/admin/users", do="invite", email="root@example.com").status == 422


def test_a_user_gets_another_password_is_made_operator_and_signed_out(desk: Rooms, root: Client) -> None:
    bob = desk.person("bob@example.com")
    here = f"/admin/users/{bob.user.id}"
    made = root.post(here, do="reset")
    (link,) = re.findall(r"http://portico\.example:8080(/\S+?)</code>", made.text)
    assert link not in root.get(here).text
    audited(desk, "users reset")
    assert root.post(here, do="operator", operator="1").status == 303
    assert bob.get("/admin").status == 200
    assert root.post(here, do="operator", operator="0").status == 303
    assert audited(desk, "users set")["operator"] is False
    assert bob.get("/admin").status == 403
    own = f"/admin/users/{root.user.id}"
    assert root.post(own, do="operator", operator="0").status == 422  # the last who does
    assert root.post(here, do="end").status == 303
    assert bob.get("/console/settings").status == 303


# -- providers


def test_a_provider_is_let_rest_and_woken(desk: Rooms, root: Client) -> None:
    assert root.post("/admin/providers", do="rest", provider="gemini", minutes="30", note="an outage").status == 303
    audited(desk, "pool rest")
    assert "an outage" in root.get("/admin/audit?subject=gemini").text
    page = root.get("/admin/providers").text
    assert "operator: an outage" in page
    assert page.index('id="gemini"') < page.index('id="openai"')
    assert "operator: an outage" in root.get("/admin/deployments?state=rests").text
    assert "gemini" in root.get("/admin").text
    assert root.post("/admin/providers", do="rest", provider="gemini", minutes="1").status == 422
    assert root.post("/admin/providers", do="wake", provider="gemini", one="1", group="", model="").status == 303
    audited(desk, "pool clear")
    assert "operator: an outage" not in root.get("/admin/providers").text


def test_a_credential_is_typed_once_and_never_shown(desk: Rooms, root: Client) -> None:
    secret = "AIza-a-secret-of-the-provider"
    assert (
        root.post("/admin/providers", do="add", provider="gemini", value=secret, credential_name="main").status == 303
    )
    assert "value" not in audited(desk, "credentials add")
    (credential,) = desk.bench.do("credentials list")["data"]
    for path in ("/admin/providers", "/admin/audit", "/admin"):
        assert secret not in root.get(path).text
    wrong = root.post("/admin/providers", do="add", provider="nobody", value=secret)
    assert wrong.status == 422
    assert secret not in wrong.text
    of = {"credential": credential["id"]}
    assert root.post("/admin/providers", do="disable", **of).status == 303
    assert root.post("/admin/providers", do="enable", **of).status == 303
    assert root.post("/admin/providers", do="remove", name="other", **of).status == 422
    assert len(desk.bench.do("credentials list")["data"]) == 1
    assert root.post("/admin/providers", do="remove", name="main", **of).status == 303
    assert desk.bench.do("credentials list")["data"] == []


def test_a_probe_tells_what_a_provider_said_as_text(root: Client) -> None:
    assert "takes it" in root.post("/admin/providers", do="probe", provider="gemini").text
    answer = root.post("/admin/providers", do="probe", provider="openai")
    assert "&lt;b&gt;no&lt;/b&gt;" in answer.text


# -- prices

DRAFT = '[[prices]]\nmodel = "gemini-3.5-flash"\ninput = "1.80"\n'


def test_a_draft_is_written_compared_and_published_from_a_day_on(desk_anywhere: Rooms) -> None:
    desk, root = desk_anywhere, desk_anywhere.person("root@example.com", operator=True)
    busy(desk)
    new = root.get("/admin/prices/drafts/new?model=gemini-3.5-flash")
    assert "model = &#34;gemini-3.5-flash&#34;" in new.text
    assert re.search(r'<textarea id="f-text"[^>]*>\[\[prices\]\]', new.text), "no words of one language stand in it"
    led = root.post("/admin/prices/drafts/new", do="save", title="January", text=DRAFT)
    here = led.headers["location"].partition("?")[0]
    audited(desk, "prices draft save")
    page = root.get(here).text
    assert "1.80" in page
    assert re.search(r"[+-][\d.]+%|>new<", page)
    assert desk.bench.rows("SELECT COUNT(*) FROM prices") == [(0,)]
    assert "January" in root.get("/admin/prices").text
    led = root.post(here, do="publish", begins="2027-01-01")
    assert led.headers["location"] == "/admin/prices?done=published"
    assert desk.bench.rows("SELECT effective_from FROM prices") == [("2027-01-01",)]
    assert root.get(here).status == 404


def test_a_draft_that_cannot_be_read_is_kept_and_told_with_its_line(desk: Rooms, root: Client) -> None:
    text = DRAFT + '\n[[prices]]\nmodel = "nobody<b>"\ninput = "1"\n'
    led = root.post("/admin/prices/drafts/new", do="save", text=text)
    here = led.headers["location"].partition("?")[0]
    page = root.get(here).text
    assert "Line 6" in page
    assert "nobody&lt;b&gt;" in page
    assert "nobody<b>" not in page
    assert root.post(here, do="publish").status == 422
    assert desk.bench.rows("SELECT COUNT(*) FROM prices") == [(0,)]
    assert root.post(here, do="drop", name="x").status == 422
    assert root.post(here, do="drop", name=here.rpartition("/")[2]).status == 303
    assert desk.bench.rows("SELECT COUNT(*) FROM price_drafts") == [(0,)]


def test_a_markup_is_set(desk: Rooms, root: Client) -> None:
    assert root.post("/admin/prices", do="markup", factor="+20%", markup_model="gemini-3.5-flash").status == 303
    assert audited(desk, "markup set")["model"] == "gemini-3.5-flash"
    assert "1.2" in root.get("/admin/prices").text
    assert root.post("/admin/prices", do="markup", factor="much").status == 422


# -- usage


def test_usage_adds_up_and_tells_the_margin(desk_anywhere: Rooms) -> None:
    desk, root = desk_anywhere, desk_anywhere.person("root@example.com", operator=True)
    busy(desk)
    for by in ("day", "model", "account", "key", "provider"):
        page = root.get(f"/admin/usage?by={by}")
        assert page.status == 200
        assert f"${MONEY.charge_usd}" in page.text.partition("<tfoot")[2]
    csv = root.get("/admin/usage.csv?by=model")
    assert csv.body.startswith(b"\xef\xbb\xbfmodel,id,calls")
    assert "portico-usage-by-model-" in csv.headers["content-disposition"]
    rows = [line.split(",") for line in csv.text.strip().splitlines()[1:]]
    assert sum(int(row[6]) for row in rows) == MONEY.charge_nanos
    assert root.get("/admin/usage?by=nothing").status == 422
    for day in ("from=yesterday", "to=0001-01-01", "to=9999-12-31&from=9999-12-31"):
        for ending in ("", ".csv"):
            assert root.get(f"/admin/usage{ending}?by=provider&{day}").status == 422, day
    assert root.get("/admin/usage?account=nobody").status == 422
    assert "Nothing was used" in root.get("/admin/usage?from=2020-01-01&to=2020-01-02").text


@pytest.mark.parametrize("by", ["model", "provider"])
def test_what_was_given_back_is_told_beside_the_margin(desk_anywhere: Rooms, by: str) -> None:
    desk, root = desk_anywhere, desk_anywhere.person("root@example.com", operator=True)
    acme = busy(desk).names["account"]
    told = "was given back to accounts"
    assert told not in root.get(f"/admin/usage?by={by}").text
    desk.bench.do("accounts refund", account=acme, amount_usd="1.5")
    words = re.sub("<[^>]+>", "", root.get(f"/admin/usage?by={by}").text)
    assert f"In these days $1.50 {told}" in words
    assert "with it the margin is $0.4500005." in words
    seen = {"": True, f"account={acme}": True, "account=default": by == "provider", "model=laptop": False}
    seen["from=2020-01-01&to=2020-01-02"] = False
    for asked, tells in seen.items():
        assert (told in root.get(f"/admin/usage?by={by}&{asked}").text) is tells, asked


# -- what runs, and who did what


def test_days_of_usage_the_wrong_way_around_are_said_to_be_so(desk: Rooms, root: Client) -> None:
    answer = root.get("/admin/usage?from=2026-11-20&to=2026-11-10")
    assert answer.status == 422
    assert "The last day is before the first." in answer.page.prose
    for command in ("usage", "receipts list"):
        assert desk.bench.refusal(command, **{"from": "2026-11-20", "to": "2026-11-10"}).param == "to"


def test_pages_of_usage_go_on_and_back_to_the_page_before(desk: Rooms, root: Client) -> None:
    sql = "INSERT INTO usage_days (account_id, day, model, key_id, calls) VALUES ('default', ?, ?, 'key_default', 1)"

    def many(db: Db) -> None:
        for number in range(2 * PAGE + 1):
            db.run(sql, day_of(db.now_us).isoformat(), f"model-{number:03}")

    desk.bench.reading.at_once(many)
    pages = [root.get("/admin/usage?by=model").text]
    for _ in range(2):
        pages.append(root.get(turned(pages[-1], "next")).text)
    assert ["model-000" in pages[0], "model-100" in pages[1], "model-200" in pages[2]] == [True] * 3
    assert "model-100" in root.get(turned(pages[2], "prev")).text
    assert "Older" not in pages[1]  # they are in the order of their names


def turned(page: str, way: str) -> str:
    """Where a link to another page of a list leads."""
    (link,) = re.findall(rf'rel="{way}" href="([^"]+)"', page)
    return str(link).replace("&amp;", "&")


def test_a_call_is_listed_and_told_to_end(desk_anywhere: Rooms) -> None:
    desk, root = desk_anywhere, desk_anywhere.person("root@example.com", operator=True)
    busy(desk)
    told = json.loads(root.get("/admin/live.json").text)
    assert told["count"] == 1
    (call,) = told["calls"]
    assert call["held"].startswith("$")
    assert root.post("/admin/live", do="end", request=call["request_id"]).status == 303
    audited(desk, "calls end")
    assert "is being ended" in root.get("/admin/live").text
    assert root.post("/admin/live", do="end", request="req_none").status == 404


def test_the_audit_is_filtered_and_every_row_leads_on(desk: Rooms, root: Client) -> None:
    account = desk.bench.do("accounts create", name="acme")["id"]
    root.post(f"/admin/accounts/{account}", do="top-up", amount_usd="1")
    assert "accounts create" in root.get("/admin/audit?actor=test").text.partition("<table")[2]
    only = root.get("/admin/audit?actor=user:root@example.com").text.partition("<table")[2]
    assert "accounts top-up" in only
    assert "accounts create" not in only
    assert f'href="/admin/accounts/{account}"' in only
    assert f"/admin/audit?subject={account}" in root.get("/admin/accounts").text


def test_a_provider_that_fails_often_is_in_trouble_though_nothing_rests(tmp_path: Path) -> None:
    slots = (Traffic(0, 40, 4), Traffic(960, 0, 0))
    room = showroom(providers={"gemini-3.5-flash": {"gemini": slots, "openai": (Traffic(0, 40, 1),)}})
    reading = on_sqlite(tmp_path / "books.db")
    desk = Rooms(Bench(reading, upstreams=UPSTREAMS), showroom=room)
    root = desk.person("root@example.com", operator=True)
    home = root.get("/admin").text
    assert ">gemini</a>" in home
    assert ">openai</a>" not in home
    page = root.get("/admin/providers").text
    assert "4 of 40 tries failed" in page
    assert "More than one in twenty tries fails." in page
    assert "50 % of all tries" in page
    assert "4 of 40 tries failed" in root.get("/admin/deployments?state=called").text
    reading.connection.close()


def test_no_code_is_made_where_none_is_asked_for(desk: Rooms, root: Client) -> None:
    assert root.post("/admin/codes", do="create", amount_usd="5", count="0").status == 422
    assert desk.bench.rows("SELECT COUNT(*) FROM codes") == [(0,)]
