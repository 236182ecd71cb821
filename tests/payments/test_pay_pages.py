"""/console/top-up: what there is, how to pay in, and every line of what was paid."""

import re
import subprocess
import sys

import pytest

from inside.desk import Client, Rooms
from payments.shop import CENTS, Shop
from payments.stand_in import completed, refunded
from portico.web.addresses import Locale
from portico.web.payments.counter import Counter
from portico.web.payments.topup import SOURCES, STATES
from portico.web.words import translations

PAGE = "/console/top-up"


def code(rooms: Rooms, **more: str) -> str:
    return str(rooms.bench.do("codes create", amount_usd="5", **more)["data"][0]["code"])


def words(text: str) -> str:
    """What a reader sees, on one line."""
    body = text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


# -- who may -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "member", "admin", "owner"])
def test_who_looks_and_who_pays(shop: Shop, role: str) -> None:
    who = shop.rooms.person("eve@example.com", account="acme", role=role)
    page = who.get(PAGE)
    assert page.status == 200
    pays = role in ("admin", "owner")
    assert ('action="/console/top-up/card"' in page.text) == pays
    assert ('action="/console/top-up/code"' in page.text) == pays
    assert who.post(f"{PAGE}/code", code=code(shop.rooms)).status == (303 if pays else 403)
    assert shop.pays(who).status == (200 if pays else 403)
    assert shop.balance == (500 if pays else 0)


def test_who_has_not_signed_in_is_led_to_the_door(shop: Shop) -> None:
    nobody = Client(shop.rooms)
    assert nobody.get(PAGE).headers["location"].startswith("/sign-in")
    assert nobody.get(f"{PAGE}/state.json?id=cs_test_1").status == 303
    assert nobody.post(f"{PAGE}/card", amount="10").status == 303
    assert shop.stripe.asked == []


def test_a_form_of_another_site_pays_and_redeems_nothing(shop: Shop) -> None:
    for path, fields in ((f"{PAGE}/card", {"amount": "10"}), (f"{PAGE}/code", {"code": code(shop.rooms)})):
        assert shop.ada.post_raw(path, fields).status == 403
        told = {"token": shop.ada.token, **fields}
        assert shop.ada.post_raw(path, told, {"origin": "https://evil.example"}).status == 403
    assert shop.stripe.asked == []
    assert shop.balance == 0


def test_what_is_only_posted_to_leads_back(shop: Shop) -> None:
    for path in ("code", "card"):
        assert shop.ada.get(f"{PAGE}/{path}").headers["location"] == PAGE


# -- codes -------------------------------------------------------------------------------------------------------------


def test_a_code_is_worth_its_amount_once(shop_anywhere: Shop) -> None:
    given = code(shop_anywhere.rooms)
    done = shop_anywhere.ada.post(f"{PAGE}/code", code=f" {given} ")
    assert (done.status, done.headers["location"]) == (303, f"{PAGE}?done=redeemed")
    assert shop_anywhere.balance == 500
    again = shop_anywhere.ada.post(f"{PAGE}/code", code=given)
    assert again.status == 422
    assert "This account redeemed the code already, on 2026-11" in words(again.text)
    eve = shop_anywhere.rooms.person("eve@example.com", account="other")
    others = eve.post(f"{PAGE}/code", code=given)
    assert others.status == 422
    assert "does not exist, has expired, or was redeemed" in words(others.text)
    assert "on 2026" not in words(others.text).partition("What was paid in")[0]
    assert shop_anywhere.balance == 500
    assert "Redemption code" in words(shop_anywhere.ada.get(PAGE).text)
    assert given[:11] in shop_anywhere.ada.get(PAGE).text
    assert given not in shop_anywhere.ada.get(PAGE).text


def test_guesses_of_an_account_are_counted_and_those_that_were_none_are_not(shop_anywhere: Shop) -> None:
    ada, rooms = shop_anywhere.ada, shop_anywhere.rooms
    for _ in range(3):
        assert ada.post(f"{PAGE}/code", code=code(rooms)).status == 303
    for number in range(10):
        assert ada.post(f"{PAGE}/code", code=f"code-{number}").status == 422
    good = code(rooms)
    refused = ada.post(f"{PAGE}/code", code=good)
    assert refused.status == 429
    assert "Too many codes" in words(refused.text)
    eve = rooms.person("eve@example.com", account="other")
    assert eve.post(f"{PAGE}/code", code="code-x").status == 422  # another's guesses are its own
    rooms.bench.reading.now_us += 3_600_000_000
    assert ada.post(f"{PAGE}/code", code=good).status == 303
    assert shop_anywhere.balance == 2000


def test_a_form_without_a_code_says_so(shop: Shop) -> None:
    answer = shop.ada.post(f"{PAGE}/code", code=" ")
    assert answer.status == 422
    assert "Enter the code." in words(answer.text)


# -- by card -----------------------------------------------------------------------------------------------------------


def test_paying_shows_what_is_paid_and_leads_to_stripe_by_a_link(shop: Shop) -> None:
    answer = shop.pays()
    assert answer.status == 200
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert 'href="https://checkout.stripe.com/c/pay/cs_test_1"' in answer.text
    assert "$10.00" in words(answer.text)
    assert "$0.59" in words(answer.text)
    assert "$10.59" in words(answer.text)
    (form,) = shop.stripe.asked
    assert form["line_items[0][price_data][unit_amount]"] == "1000"
    assert form["line_items[0][price_data][product_data][name]"] == "Credit for acme"
    assert form["line_items[1][price_data][unit_amount]"] == "59"
    assert form["success_url"] == "http://portico.example:8080/console/top-up?paid={CHECKOUT_SESSION_ID}"
    assert form["cancel_url"] == "http://portico.example:8080/console/top-up?done=not-paid"
    assert "email" not in str(form)


def test_a_form_that_is_sent_twice_is_one_checkout(shop: Shop) -> None:
    assert [shop.pays().status for _ in range(3)] == [200] * 3
    assert shop.rooms.bench.rows("SELECT id FROM payments") == [("cs_test_1",)]
    shop.pays(once="b")
    shop.pays(amount="50")
    assert len(shop.rooms.bench.rows("SELECT id FROM payments")) == 3


def test_the_form_has_a_word_of_its_own_each_time(shop: Shop) -> None:
    found = [re.findall(r'name="once" value="(\w+)"', shop.ada.get(PAGE).text) for _ in range(2)]
    assert found[0] != found[1]
    assert len(found[0][0]) == 24


@pytest.mark.parametrize(
    ("fields", "cents"),
    [({"amount": "50"}, 5000), ({"amount": "other", "other": "12.50"}, 1250), ({"amount": "", "other": "$ 7"}, 700)],
)
def test_amounts(shop: Shop, fields: dict[str, str], cents: int) -> None:
    assert shop.pays(**fields).status == 200
    assert shop.rooms.bench.rows("SELECT amount_nanos FROM payments") == [(cents * 10_000_000,)]


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": "11"},
        {"amount": ""},
        {"amount": "other", "other": ""},
        {"amount": "other", "other": "4.99"},
        {"amount": "other", "other": "100.01"},
        {"amount": "other", "other": "10.005"},
        {"amount": "other", "other": "-10"},
        {"amount": "other", "other": "ten"},
        {"amount": "other", "other": "1e1"},
    ],
)
def test_amounts_that_are_none(shop: Shop, fields: dict[str, str]) -> None:
    answer = shop.pays(**fields)
    assert answer.status == 422
    assert 'class="error"' in answer.text
    assert shop.stripe.asked == []


def test_while_stripe_is_away_nothing_is_begun(shop: Shop) -> None:
    shop.stripe.fails = [500, 500]
    answer = shop.pays()
    assert answer.status == 502
    assert "could not be asked. Nothing was paid." in words(answer.text)
    assert shop.rooms.bench.rows("SELECT COUNT(*) FROM payments") == [(0,)]
    assert shop.pays().status == 200


def test_one_failure_of_stripe_is_not_noticed(shop: Shop) -> None:
    shop.stripe.fails = [500]
    assert shop.pays().status == 200
    assert shop.rooms.bench.rows("SELECT COUNT(*) FROM payments") == [(1,)]


def test_a_payment_is_waited_for_and_then_it_is_there(shop: Shop) -> None:
    shop.pays()
    back = f"{PAGE}?paid=cs_test_1"
    assert "Waiting for Stripe to confirm $10.00" in words(shop.ada.get(back).text)
    assert "payments.js" in shop.ada.get(back).text
    assert shop.ada.get(f"{PAGE}/state.json?id=cs_test_1").json == {"state": "waiting"}
    shop.told(completed(1, "cs_test_1", CENTS))
    assert "Paid: $10.00 is in the balance." in words(shop.ada.get(back).text)
    assert "payments.js" not in shop.ada.get(back).text
    assert shop.ada.get(f"{PAGE}/state.json?id=cs_test_1").json == {"state": "paid"}


def test_coming_back_credits_nothing(shop: Shop) -> None:
    shop.pays()
    for _ in range(3):
        shop.ada.get(f"{PAGE}?paid=cs_test_1")
    assert shop.balance == 0


def test_what_was_not_paid_is_said(shop: Shop) -> None:
    shop.pays()
    shop.told(completed(1, "cs_test_1", CENTS, type="checkout.session.expired", payment_status="unpaid"))
    assert "did not come about" in words(shop.ada.get(f"{PAGE}?paid=cs_test_1").text)
    assert "Nothing was paid." in words(shop.ada.get(f"{PAGE}?done=not-paid").text)


def test_anothers_payments_lines_and_codes_are_not_there(shop: Shop) -> None:
    shop.pays()
    shop.told(completed(1, "cs_test_1", CENTS))
    eve = shop.rooms.person("eve@example.com", account="other")
    assert eve.get(f"{PAGE}/state.json?id=cs_test_1").status == 404
    page = eve.get(f"{PAGE}?paid=cs_test_1")
    assert page.status == 200
    assert "cs_test_1" not in page.text
    assert "Nothing was paid in yet." in words(page.text)
    lines = shop.rooms.bench.rows("SELECT MAX(id) FROM entries")[0][0]
    assert "cs_test_1" not in eve.get(f"{PAGE}?before={lines + 1}").text


# -- the lines ---------------------------------------------------------------------------------------------------------


def test_every_line_says_what_it_came_by_and_from_whom(shop_anywhere: Shop) -> None:
    bench, ada = shop_anywhere.rooms.bench, shop_anywhere.ada
    bench.do("accounts top-up", account="acme", amount_usd="20", note="invoice <7>")
    bench.reading.now_us += 1
    ada.post(f"{PAGE}/code", code=code(shop_anywhere.rooms))
    bench.reading.now_us += 1
    shop_anywhere.pays()
    shop_anywhere.told(completed(1, "cs_test_1", CENTS), refunded(2, 250))
    bench.do("accounts refund", account="acme", amount_usd="0.000001")
    bench.run(
        "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, request_id, at_us)"
        " SELECT id, 'adjust', -5, 0, 'req_1', 1 FROM accounts WHERE name = 'acme'"
    )
    bench.run("UPDATE accounts SET posted_nanos = posted_nanos - 5 WHERE name = 'acme'")
    page = ada.get(PAGE)
    rows = [words(f"<main>{row}</main>") for row in page.text.partition('id="lines"')[2].split("<tr")[2:]]
    assert len(rows) == 6
    for row, told in zip(
        rows,
        [
            ("Correction of a call", "req_1", "Portico", "−$0.000000005"),
            ("Charges given back", "operator", "+ $0.000001"),
            ("Given back to the card", "cs_test_1", "Stripe", "−$2.50"),
            ("Card", "cs_test_1", "ada@example.com", "+ $10.00"),
            ("Redemption code", "ada@example.com", "+ $5.00"),
            ("Paid in by hand", "invoice &lt;7&gt;", "operator", "+ $20.00"),
        ],
        strict=True,
    ):
        assert [word for word in told if word not in row] == [], row
        assert ("ada@" in row) == ("ada@example.com" in told)
    assert "$32.500000995" in words(page.text)  # and they add up
    assert shop_anywhere.adds_up()


def test_the_lines_go_on_in_pages(shop_anywhere: Shop) -> None:
    bench = shop_anywhere.rooms.bench
    for number in range(120):
        bench.do("accounts top-up", account="acme", amount_usd="1", note=f"n{number}")
    seen: list[str] = []
    address = PAGE
    for _ in range(3):
        page = shop_anywhere.ada.get(address).text
        seen += re.findall(r">(n\d+)<", page)
        older = re.findall(r'rel="next" href="([^"]*)"', page)
        address = older[0] if older else ""
    assert address == ""
    assert seen == [f"n{number}" for number in reversed(range(120))]
    newer = re.findall(r'rel="prev" href="([^"]*)"', page)[0]
    back = shop_anywhere.ada.get(newer).text
    assert re.findall(r">(n\d+)<", back) == seen[50:100]
    assert 'rel="prev"' in back
    assert 'rel="prev"' not in shop_anywhere.ada.get(re.findall(r'rel="prev" href="([^"]*)"', back)[0]).text
    for wrong in ("x", "-1", "1" * 30):
        assert shop_anywhere.ada.get(f"{PAGE}?before={wrong}").status == 404


@pytest.mark.parametrize(
    ("paid", "spent", "told"),
    [
        ("7", 7_000_000_000, "lasts about 7 days"),
        ("3", 7_000_000_000, "The balance is low: at the rate of the last seven days it lasts about 3 days."),
        ("0.5", 7_000_000_000, "gone within a day"),
        ("0.5", 0, "Can be spent $0.50"),
        (None, 0, "There is nothing left: calls are refused"),
    ],
)
def test_a_low_balance_is_told(shop: Shop, paid: str | None, spent: int, told: str) -> None:
    bench = shop.rooms.bench
    if paid:
        bench.do("accounts top-up", account="acme", amount_usd=paid)
    bench.run(
        "INSERT INTO usage_days (account_id, day, model, key_id, calls, charge_nanos)"
        " SELECT id, '2026-11-17', 'm', 'k', 1, ? FROM accounts WHERE name = 'acme'",
        spent,
    )
    assert told in words(shop.ada.get(PAGE).text)


def test_an_open_account_is_not_low(shop: Shop) -> None:
    eve = shop.rooms.person("eve@example.com", account="free", kind="open")
    page = words(eve.get(PAGE).text)
    assert "not limited by its balance" in page
    assert "nothing left" not in page
    assert "Can be spent" not in page
    assert "Can be spent" in words(shop.ada.get(PAGE).text)


# -- without a card, and in other words --------------------------------------------------------------------------------


def test_without_stripe_there_are_codes_and_the_operators_note(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    page = ada.get(PAGE)
    assert "Ask whoever runs this Portico" in words(page.text)
    assert "Pay by card" not in words(page.text)
    assert ada.post(f"{PAGE}/card", amount="10").status == 404
    assert Client(rooms).send("/stripe/webhook", b"{}", {}).status == 404
    rooms.backstage.extras["counter"] = Counter("IBAN <XY12>\nSay your account's name.")  # type: ignore[index]
    page = ada.get(PAGE)
    assert "IBAN &lt;XY12&gt;\nSay" in page.text


def test_stripes_library_is_not_loaded_where_nobody_configured_it() -> None:
    script = "import sys; import portico.web.doors, portico.config, portico.cli.house; print('stripe' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("locale", [Locale.ZH_CN, Locale.ZH_HK])
def test_what_is_looked_up_is_told_in_both_kinds_of_chinese(locale: Locale) -> None:
    said = {
        *SOURCES.values(),
        *STATES.values(),
        "This code does not exist, has expired, or was redeemed already.",
        "Too many codes were tried that are none. Try again in an hour.",
        "The payment provider could not be asked. Nothing was paid.",
        "Choose an amount.",
        "Write an amount in dollars and cents, such as 25 or 12.50.",
        "This is less or more than can be paid at once.",
        "Enter the code.",
        "Nobody pays by card here.",
    }
    assert said - set(translations(locale)) == set()


# -- the desk ----------------------------------------------------------------------------------------------------------


def test_an_operator_sees_what_was_paid_and_what_fits_nothing(shop: Shop) -> None:
    grace = shop.rooms.person("grace@example.com", operator=True)
    assert "Nothing was paid by card." in words(grace.get("/admin/payments").text)
    shop.pays()
    shop.told(completed(1, "cs_test_1", CENTS), completed(2, "cs_test_unknown", CENTS, reference="pi_2"))
    page = grace.get("/admin/payments")
    assert page.status == 200
    told = words(page.text)
    assert "acme" in told
    assert "$10.00" in told
    assert "no such payment here" in told
    assert "Nothing was paid by card." in words(grace.get("/admin/payments?state=disputed").text)
    assert shop.ada.get("/admin/payments").status == 403
