"""POST /stripe/webhook: signed, of our mode, each event once; and Stripe learns whether to tell it again."""

from typing import Any

import pytest

from inside.desk import Client
from payments.shop import CENTS, Shop
from payments.stand_in import completed, dispute, event, refund, refunded, signed
from portico.core.errors import StorageUnavailable


@pytest.fixture
def paying(shop_anywhere: Shop) -> Shop:
    """A checkout of $10 was made, cs_test_1, and waits."""
    assert shop_anywhere.pays().status == 200
    return shop_anywhere


@pytest.fixture
def waiting(shop: Shop) -> Shop:
    assert shop.pays().status == 200
    return shop


PAID = completed(1, "cs_test_1", CENTS)


def test_a_payment_is_credited_when_stripe_says_so_and_not_before(paying: Shop) -> None:
    assert (paying.balance, paying.state) == (0, "waiting")
    paying.told(PAID)
    assert (paying.balance, paying.state) == (1000, "paid")
    assert paying.tells(PAID).text == "booked before\n"  # delivered again
    paying.told(completed(2, "cs_test_1", CENTS, type="checkout.session.async_payment_succeeded"))
    assert paying.balance == 1000
    assert paying.adds_up()


def test_a_bank_that_pays_later_is_waited_for(paying: Shop) -> None:
    paying.told(completed(1, "cs_test_1", CENTS, payment_status="unpaid"))
    assert (paying.balance, paying.state) == (0, "waiting")
    paying.told(completed(2, "cs_test_1", CENTS, type="checkout.session.async_payment_succeeded"))
    assert (paying.balance, paying.state) == (1000, "paid")


@pytest.mark.parametrize("kind", ["checkout.session.expired", "checkout.session.async_payment_failed"])
def test_what_was_not_paid_credits_nothing(waiting: Shop, kind: str) -> None:
    waiting.told(completed(1, "cs_test_1", CENTS, type=kind, payment_status="unpaid"))
    assert (waiting.balance, waiting.state) == (0, "expired")


def test_a_refund_takes_down_what_it_adds_to_those_before(paying: Shop) -> None:
    paying.told(PAID, refunded(2, 250))
    assert (paying.balance, paying.state) == (750, "paid")
    paying.told(refunded(3, 400))
    assert paying.balance == 600
    paying.told(refunded(4, CENTS))
    assert (paying.balance, paying.state) == (0, "refunded")
    assert paying.adds_up()


def test_a_refund_that_is_told_before_its_payment_waits_for_it(paying: Shop) -> None:
    paying.told(refunded(2, 400))
    assert paying.balance == 0
    paying.told(PAID)
    assert paying.balance == 600
    assert paying.adds_up()


CREATED, FAILED = "refund.created", "refund.failed"


@pytest.mark.parametrize(
    ("events", "left", "state"),
    [
        ([refunded(2, CENTS), refund(3, FAILED, CENTS, "failed")], 1000, "paid"),
        ([refund(3, "charge.refund.updated", 400, "failed"), refunded(2, 400)], 1000, "paid"),
        (
            [refunded(2, 400), refund(3, "refund.updated", 400, "canceled"), refund(4, FAILED, 400, "failed")],
            1000,
            "paid",
        ),
        (
            [refund(2, CREATED, 400, "pending"), refunded(3, 400), refund(4, "refund.updated", 400, "succeeded")],
            600,
            "paid",
        ),
        ([refunded(2, 700), refund(3, CREATED, 300, "pending", "re_2"), refund(4, FAILED, 400, "failed")], 700, "paid"),
        (
            [
                refunded(2, 400),
                refund(3, FAILED, 400, "failed"),
                refund(4, CREATED, 300, "pending", "re_2"),
                refunded(5, 300),
            ],
            700,
            "paid",
        ),
        ([refund(2, CREATED, 400, "requires_action"), refund(3, "refund.updated", 400, None)], 1000, "paid"),
    ],
    ids=["all", "before it", "told twice", "arrived", "one of two", "tried again", "not on its way"],
)
def test_a_refund_that_fails_is_given_back(paying: Shop, events: list[dict[str, Any]], left: int, state: str) -> None:
    paying.told(PAID, *events)
    assert (paying.balance, paying.state) == (left, state)
    assert paying.adds_up()


@pytest.mark.parametrize(
    ("events", "left", "state"),
    [
        ([dispute(2, "created", CENTS, "needs_response")], 0, "disputed"),
        ([dispute(2, "created", CENTS, "needs_response"), dispute(3, "closed", CENTS, "won")], 1000, "paid"),
        ([dispute(2, "created", CENTS, "needs_response"), dispute(3, "closed", CENTS, "lost")], 0, "disputed"),
        (
            [dispute(2, "created", 500, "needs_response"), dispute(3, "funds_withdrawn", 500, "needs_response")],
            500,
            "disputed",
        ),
        ([dispute(2, "closed", CENTS, "won"), dispute(3, "created", CENTS, "needs_response")], 1000, "paid"),
        (
            [dispute(2, "created", CENTS, "warning_needs_response"), dispute(3, "closed", CENTS, "warning_closed")],
            1000,
            "paid",
        ),
        ([refunded(2, CENTS), dispute(3, "created", CENTS, "needs_response")], 0, "disputed"),
        ([dispute(2, "created", 700, "needs_response"), dispute(3, "funds_reinstated", 700, "won")], 1000, "paid"),
    ],
    ids=["open", "won", "lost", "told twice", "won before created", "only asked", "after a refund", "reinstated"],
)
def test_disputes(paying: Shop, events: list[dict[str, Any]], left: int, state: str) -> None:
    paying.told(PAID, *events)
    assert (paying.balance, paying.state) == (left, state)
    assert paying.adds_up()


def test_the_balance_may_go_below_zero_by_what_went_back(waiting: Shop) -> None:
    waiting.told(PAID)
    bench = waiting.rooms.bench
    bench.run("UPDATE accounts SET posted_nanos = posted_nanos - 9000000000")
    bench.run(
        "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, at_us)"
        " SELECT id, 'adjust', -9000000000, 0, 1 FROM accounts WHERE name = 'acme'"
    )
    waiting.told(refunded(2, CENTS))
    assert waiting.balance == -900
    assert waiting.adds_up()


@pytest.mark.parametrize(
    ("told", "how"),
    [
        (PAID, {"secret": "whsec_another"}),
        (PAID, {"age_s": 301}),
        (PAID | {"livemode": True}, {}),
        ({"id": "evt_1", "object": "event"}, {}),
        (event(1, "checkout.session.completed", id=5), {}),
        (event(1, "charge.refunded", amount_refunded="10", currency="usd"), {}),
    ],
    ids=["another's signature", "too old", "of the live mode", "no event", "no session", "no number"],
)
def test_what_is_not_to_be_believed_is_refused(waiting: Shop, told: dict[str, Any], how: dict[str, Any]) -> None:
    assert waiting.tells(told, **how).status == 400
    assert waiting.balance == 0
    assert waiting.rooms.bench.rows("SELECT COUNT(*) FROM payment_events") == [(0,)]


def test_without_a_signature_or_with_another_body_nothing_is_believed(waiting: Shop) -> None:
    body, headers = signed(PAID)
    nobody = Client(waiting.rooms)
    assert nobody.send("/stripe/webhook", body, {}).status == 400
    assert nobody.send("/stripe/webhook", body.replace(b"1059", b"9059"), headers).status == 400
    assert nobody.send("/stripe/webhook", b"\xff\xfe", headers).status == 400
    assert nobody.send("/stripe/webhook", body, {"stripe-signature": "t=1,v1=\xe9"}).status == 400
    assert nobody.send("/stripe/webhook", b"x" * (1024 * 1024 + 1), headers).status == 413
    assert nobody.get("/stripe/webhook").status == 405
    assert waiting.balance == 0


@pytest.mark.parametrize(
    "wrong",
    [{"currency": "eur"}, {"currency": None}, {"amount_total": CENTS - 1}, {"amount_total": None}],
    ids=["another currency", "no currency", "another amount", "no amount"],
)
def test_what_does_not_fit_is_kept_and_credits_nothing(
    waiting: Shop, wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    waiting.told(completed(1, "cs_test_1", CENTS, **wrong))
    assert (waiting.balance, waiting.state) == (0, "waiting")
    assert "evt_1" in caplog.text
    (stray,) = waiting.rooms.bench.do("payments strays")["data"]
    assert (stray["id"], stray["why"], stray["payment"]) == ("evt_1", "other", "cs_test_1")


def test_a_refund_in_another_currency_takes_nothing(waiting: Shop) -> None:
    waiting.told(PAID, refunded(2, 500, currency="eur"))
    assert waiting.balance == 1000


def test_metadata_moves_no_money(waiting: Shop) -> None:
    other = waiting.rooms.person("bob@example.com", account="other")
    named = {"account": waiting.rooms.bench.do("accounts show", account="other")["id"], "user": other.user.id}
    waiting.told(completed(1, "cs_test_1", CENTS, metadata=named, client_reference_id=named["account"]))
    assert waiting.balance == 1000


def test_what_nobody_knows_is_answered_kept_and_logged(waiting: Shop, caplog: pytest.LogCaptureFixture) -> None:
    waiting.told(completed(1, "cs_elsewhere", 5000, "pi_9"), refunded(2, 100, "pi_8"))
    assert waiting.balance == 0
    assert "evt_1" in caplog.text
    assert [one["why"] for one in waiting.rooms.bench.do("payments strays")["data"]] == ["unknown", "unknown"]


@pytest.mark.parametrize(
    "told",
    [
        event(1, "customer.created", id="cus_1"),
        event(1, "charge.dispute.updated", id="dp_1"),
        completed(1, "cs_test_1", CENTS, mode="subscription"),
        refunded(1, 100, None),  # type: ignore[arg-type]
    ],
    ids=["another kind", "another of disputes", "a subscription", "of no checkout"],
)
def test_what_is_of_no_concern_is_answered_and_forgotten(waiting: Shop, told: dict[str, Any]) -> None:
    waiting.told(told)
    assert waiting.rooms.bench.rows("SELECT COUNT(*) FROM payment_events") == [(0,)]


def test_while_the_books_are_away_stripe_is_asked_to_come_again(waiting: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StorageUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(waiting.rooms.bench.reading, "work", away)
        answer = waiting.tells(PAID)
        assert answer.status == 503
        assert answer.headers["retry-after"] == "5"
    waiting.told(PAID)
    assert waiting.balance == 1000


def test_who_booked_is_in_the_audit(waiting: Shop) -> None:
    waiting.told(PAID)
    found = waiting.rooms.bench.do("audit")["data"]
    assert [(one["actor"], one["command"]) for one in found[:2]] == [
        ("stripe", "payments book"),
        ("user:ada@example.com", "payments begin"),
    ]


def test_the_list_of_payments_tells_all_of_it(waiting: Shop) -> None:
    waiting.pays(once="b", amount="50")
    waiting.told(PAID, refunded(2, 100))
    bench = waiting.rooms.bench
    first = bench.do("payments list", limit=1)
    rest = bench.do("payments list", limit=1, after=first["next"])
    assert "next" not in rest or rest["next"] is None
    listed = {one["id"]: one for one in (*first["data"], *rest["data"])}
    assert listed["cs_test_1"]["returned_usd"] == "1.00"
    assert (listed["cs_test_1"]["state"], listed["cs_test_2"]["state"]) == ("paid", "waiting")
    assert listed["cs_test_1"]["fee_usd"] == "0.59"
    assert [one["id"] for one in bench.do("payments list", state="waiting")["data"]] == ["cs_test_2"]
    assert bench.refusal("payments list", after="x").param == "after"
    assert bench.refusal("payments list", account="nobody").status == 404
    bench.do("accounts create", name="other")
    assert bench.do("payments list", account="other")["data"] == []
