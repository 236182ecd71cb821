"""What each command does and refuses, on both databases."""

import datetime as dt
import re
from typing import Any

import pytest

from admin.local import NOW_US, TODAY, Bench
from portico.accounts.policy import Policy
from portico.accounts.rows import ensure_default
from portico.admin.commands import BY_NAME
from portico.admin.keys import BUDGETS, KeySettings, Settings
from portico.ledger import paid

# -- accounts


def test_an_account_is_created_shown_listed_and_closed(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    made = bench.do("accounts create", name="acme")
    assert made["kind"] == "prepaid"
    assert made["available_usd"] == "0.00"
    assert made["state"] == "active"
    assert bench.do("accounts show", account="acme") == bench.do("accounts show", account=made["id"]) == made
    assert [account["id"] for account in bench.do("accounts list")["data"]] == [made["id"]]
    assert bench.do("accounts set", account="acme", kind="open")["kind"] == "open"
    closed = bench.do("accounts delete", account="acme")
    assert closed["state"] == "closed"
    assert bench.do("accounts list")["data"] == []
    assert bench.do("accounts list", closed=True)["data"] == [closed]


def test_names_are_taken_once_and_unknown_accounts_are_not_found(bench: Bench) -> None:
    bench.do("accounts create", name="acme")
    assert bench.refusal("accounts create", name="acme")[:2] == (409, "conflict")
    assert bench.refusal("accounts show", account="nobody")[:2] == (404, "not_found")
    assert bench.refusal("accounts create", name="x", kind="free").param == "kind"


def test_the_built_in_account_cannot_be_closed(bench: Bench) -> None:
    bench.reading.at_once(lambda db: ensure_default(db, "sk-portico-sample"))
    assert bench.refusal("accounts delete", account="default").status == 400
    assert bench.do("keys create")["account"] == "default"


def test_lists_go_on_where_the_page_before_ended(bench: Bench) -> None:
    ids = []
    for number in range(5):
        bench.reading.now_us += 1_000_000
        ids.append(bench.do("accounts create", name=f"a{number}")["id"])
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = bench.do("accounts list", limit=2, after=after)
        assert len(page["data"]) <= 2
        seen += [account["id"] for account in page["data"]]
        after = page.get("next")
    assert seen == ids


# -- keys


def test_a_key_is_shown_once_and_kept_as_a_digest(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    account = bench.do("accounts create", name="acme")["id"]
    made = bench.do("keys create", account="acme", name="laptop", models=["gemini-2.5-*"], rpm=60, budget_day_usd="1.5")
    secret = made.pop("key")
    assert re.fullmatch(r"sk-portico-[A-Za-z0-9]{40}", secret)
    assert secret.startswith(made["prefix"])
    assert made["account"] == account
    assert made["account_name"] == "acme"
    assert made["settings"] == {"models": ["gemini-2.5-*"], "rpm": 60, "budget_day_usd": "1.50"}
    assert bench.do("keys show", key=made["id"]) == made
    assert bench.do("keys list", account="acme")["data"] == [made]
    for table in ("keys", "audit"):
        assert secret not in str(bench.rows(f"SELECT * FROM {table}"))  # noqa: S608


def test_what_is_not_named_stays_and_a_null_is_no_limit(bench: Bench) -> None:
    bench.do("accounts create", name="acme")
    key = bench.do("keys create", account="acme", rpm=60, tpm=1000, strict=True)["id"]
    changed = bench.do("keys set", key=key, rpm=None, budget_month_usd="20", name="other")
    assert changed["settings"] == {"tpm": 1000, "strict": True, "budget_month_usd": "20.00"}
    assert changed["name"] == "other"
    assert bench.do("keys set", key=key, name="third")["settings"] == changed["settings"]


def test_every_setting_of_a_key_can_be_set_and_is_shown() -> None:
    names = {
        next((shown for shown, kept in BUDGETS.items() if kept == name), name) for name in Policy.__struct_fields__
    }
    assert set(Settings.__struct_fields__) == set(KeySettings.__struct_fields__) == names


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"rpm": 0}, "rpm"),
        ({"rpm": "5"}, "rpm"),
        ({"budget_day_usd": "a dollar"}, "budget_day_usd"),
        ({"budget_day_usd": "0"}, "budget_day_usd"),
        ({"allow_ips": ["home"]}, "allow_ips"),
        ({"image_form": "jpeg"}, "image_form"),
        ({"on_disconnect": "pay"}, "on_disconnect"),
        ({"max_rpm": 5}, "max_rpm"),
        ({"expires": "2001-01-01T00:00:00Z"}, "expires"),
        ({"expires": "9999-12-31T23:00:00-01:00"}, "expires"),
        ({"expires": "soon"}, "expires"),
        ({"models": "gemini"}, "models"),
        ({"name": "two\nlines"}, "name"),
    ],
)
def test_a_key_with_a_setting_that_makes_no_sense_is_not_made(bench: Bench, fields: dict[str, Any], param: str) -> None:
    bench.do("accounts create", name="acme")
    refused = bench.refusal("keys create", account="acme", **fields)
    assert (refused.status, refused.param) == (400, param)
    assert bench.do("keys list")["data"] == []


def test_a_key_is_disabled_enabled_rotated_and_revoked(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    bench.do("accounts create", name="acme")
    made = bench.do("keys create", account="acme")
    key = made["id"]
    assert bench.do("keys disable", key=key)["state"] == "disabled"
    assert bench.do("keys enable", key=key)["state"] == "active"
    rotated = bench.do("keys rotate", key=key, overlap_s=60)
    assert rotated["id"] == key
    assert rotated["key"] != made["key"]
    assert rotated["old_secret_until"] is not None
    bench.reading.now_us += 61_000_000
    assert bench.do("keys show", key=key)["old_secret_until"] is None
    assert bench.do("keys revoke", key=key)["state"] == "revoked"
    assert bench.refusal("keys rotate", key=key).status == 409


def test_workers_are_told_of_every_change_of_a_key(bench: Bench) -> None:
    def revision() -> int:
        rows = bench.rows("SELECT number FROM revisions WHERE name = 'keys'")
        return int(rows[0][0]) if rows else 0

    bench.do("accounts create", name="acme")
    before = revision()
    key = bench.do("keys create", account="acme")["id"]
    for name in ("disable", "enable", "rotate", "revoke"):
        assert revision() > before
        before = revision()
        bench.do(f"keys {name}", key=key)
    assert revision() > before


# -- money


def test_money_is_paid_in_once_for_a_reference(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    bench.do("accounts create", name="acme")
    bench.do("accounts create", name="other")
    paid = bench.do("accounts top-up", account="acme", amount_usd="12.50", note="June", reference="INV-1")
    assert (paid["available_usd"], paid["posted_nanos"]) == ("12.50", 12_500_000_000)
    again = bench.refusal("accounts top-up", account="acme", amount_usd="12.50", reference="INV-1")
    assert again[:2] == (409, "conflict")
    bench.do("accounts top-up", account="other", amount_usd="1", reference="INV-1")
    bench.do("accounts top-up", account="acme", amount_usd="0.000000001")
    bench.do("accounts refund", account="acme", amount_usd="2", reference="INV-1")
    assert bench.do("accounts show", account="acme")["posted_usd"] == "14.500000001"
    entries = bench.do("ledger export", account="acme")["data"]
    assert [(entry["kind"], entry["posted_usd"]) for entry in entries] == [
        ("top_up", "12.50"),
        ("top_up", "0.000000001"),
        ("refund", "2.00"),
    ]
    assert bench.do("ledger verify")["ok"] is True


def test_of_two_payments_with_one_reference_at_once_one_is_booked(bench: Bench) -> None:
    account = bench.do("accounts create", name="acme")["id"]
    sql = "INSERT INTO audit (at_us, actor, command, subject, reference) VALUES (1, 'x', 'accounts top-up', ?, 'INV-1')"
    bench.run(sql, account)
    with pytest.raises(Exception, match="UNIQUE"):
        bench.run(sql, account)


def test_a_code_is_worth_its_amount_once(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    bench.do("accounts create", name="acme")
    code = bench.do("codes create", amount_usd="5")["data"][0]["code"]
    assert bench.do("codes redeem", account="acme", code=f" {code} ")["available_usd"] == "5.00"
    assert bench.refusal("codes redeem", account="acme", code=code).param == "code"
    assert bench.do("accounts show", account="acme")["available_usd"] == "5.00"
    listed = bench.do("codes list")["data"][0]
    assert (listed["state"], listed["account"]) == ("redeemed", bench.do("accounts show", account="acme")["id"])
    assert code not in str(bench.rows("SELECT * FROM audit"))


@pytest.mark.parametrize("command", ["accounts top-up", "accounts refund"])
def test_a_closed_account_takes_no_money(bench: Bench, command: str) -> None:
    bench.do("accounts create", name="acme")
    bench.do("accounts delete", account="acme")
    assert bench.refusal(command, account="acme", amount_usd="1").status == 409
    assert bench.refusal(command, account="nobody", amount_usd="1").status == 404


def test_what_was_paid_in_by_mistake_is_taken_out_once_and_of_a_closed_account_too(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    account = bench.do("accounts create", name="acme")["id"]
    bench.do("accounts top-up", account="acme", amount_usd="500")
    bench.reading.now_us += 1_000_000
    taken = bench.do("accounts withdraw", account="acme", amount_usd="450", note="500 for 50", reference="INV-1")
    assert taken["posted_usd"] == "50.00"
    assert bench.refusal("accounts withdraw", account="acme", amount_usd="450", reference="INV-1").status == 409
    bench.do("accounts delete", account="acme")
    assert bench.do("accounts withdraw", account="acme", amount_usd="50.01")["posted_usd"] == "-0.01"
    for _ in range(5):
        bench.do("accounts withdraw", account="acme", amount_usd="999999999")
    assert bench.refusal("accounts withdraw", account="acme", amount_usd="999999999").param == "amount"
    assert bench.refusal("accounts withdraw", account="nobody", amount_usd="1").status == 404
    found = bench.reading.at_once(lambda db: paid.lines(db, account)).lines
    assert [(line.kind, line.note, line.actor) for line in found[-2:]] == [
        ("adjust", "500 for 50", "test"),
        ("top_up", "", "test"),
    ]
    assert bench.do("ledger verify")["ok"] is True


def test_books_that_do_not_add_up_are_told(bench: Bench) -> None:
    account = bench.do("accounts create", name="acme")["id"]
    bench.do("accounts top-up", account="acme", amount_usd="1")
    bench.run("UPDATE accounts SET posted_nanos = 5 WHERE id = ?", account)
    found = bench.do("ledger verify")
    assert found["ok"] is False
    assert (found["differences"][0]["booked_nanos"], found["differences"][0]["expected_nanos"]) == (5, 1_000_000_000)


def test_the_ledger_is_exported_page_by_page(bench: Bench) -> None:
    bench.do("accounts create", name="acme")
    for number in range(5):
        bench.do("accounts top-up", account="acme", amount_usd=str(number + 1))
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = bench.do("ledger export", limit=2, after=after)
        seen += [entry["posted_usd"] for entry in page["data"]]
        after = page["next"]
    assert seen == ["1.00", "2.00", "3.00", "4.00", "5.00"]


# -- people


def test_people_have_roles_in_accounts(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    bench.do("accounts create", name="acme")
    user = bench.do("users add", email="Ada@Example.com", name="Ada")
    assert user["email"] == "ada@example.com"
    bench.do("users add", email="bob@example.com")
    bench.do("memberships add", account="acme", user="ada@example.com", role="owner")
    bench.do("memberships add", account="acme", user="bob@example.com")
    roles = {member["email"]: member["role"] for member in bench.do("memberships list", account="acme")["data"]}
    assert roles == {"ada@example.com": "owner", "bob@example.com": "member"}
    assert bench.refusal("memberships remove", account="acme", user=user["id"]).status == 409  # the last owner
    assert bench.do("memberships remove", account="acme", user="bob@example.com")["role"] == "member"
    assert bench.refusal("memberships remove", account="acme", user="bob@example.com").status == 404
    assert bench.do("users remove", user="bob@example.com")["state"] == "disabled"
    assert bench.do("users enable", user="bob@example.com")["state"] == "active"
    assert len(bench.do("users list")["data"]) == 2


# -- codes


def test_codes_are_shown_once_and_listed_by_how_they_begin(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    made = bench.do("codes create", amount_usd="12.50", count=3, note="fair")["data"]
    codes = [code["code"] for code in made]
    assert len(set(codes)) == 3
    assert {code["amount_nanos"] for code in made} == {12_500_000_000}
    listed = bench.do("codes list", open=True)["data"]
    assert {code["prefix"] for code in listed} == {code[:11] for code in codes}
    assert all(code["state"] == "open" and "code" not in code for code in listed)
    assert not any(code in str(bench.rows("SELECT * FROM codes")) for code in codes)
    assert not any(code in str(bench.rows("SELECT * FROM audit")) for code in codes)


def test_codes_expire_and_their_list_is_paged(bench: Bench) -> None:
    soon = dt.datetime.fromtimestamp(NOW_US / 1e6 + 60, dt.UTC).isoformat()
    bench.do("codes create", amount_usd="1", count=3, expires=soon)
    bench.do("codes create", amount_usd="1", count=2)
    first = bench.do("codes list", limit=3)
    rest = bench.do("codes list", limit=3, after=first["next"])
    assert len(first["data"]) + len(rest["data"]) == 5
    assert rest["next"] is None
    bench.reading.now_us += 61_000_000
    assert len(bench.do("codes list", open=True)["data"]) == 2
    assert bench.refusal("codes create", amount_usd="1", expires=soon).param == "expires"


# -- the audit


def test_every_change_is_written_down_with_who_asked_for_what(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    account = bench.do("accounts create", name="acme")
    key = bench.do("keys create", account="acme", rpm=60)
    bench.do("keys list")
    bench.do("keys revoke", key=key["id"])
    told = bench.do("audit")["data"]
    assert [(entry["command"], entry["subject"]) for entry in told] == [
        ("keys revoke", key["id"]),
        ("keys create", key["id"]),
        ("accounts create", account["id"]),
    ]
    assert told[1]["detail"] == {"account": "acme", "name": "", "rpm": 60}
    assert {entry["actor"] for entry in told} == {"test"}
    assert len(bench.do("audit", subject=key["id"])["data"]) == 2
    page = bench.do("audit", limit=2)
    assert bench.do("audit", limit=2, after=page["next"])["data"] == told[2:]


def test_what_was_refused_is_not_written_down_and_changes_nothing(bench: Bench) -> None:
    bench.do("accounts create", name="acme")
    key = bench.do("keys create", account="acme", name="old")["id"]
    before = bench.do("audit")
    assert bench.refusal("keys set", key=key, name="new", expires="2001-01-01T00:00:00Z").status == 400
    assert bench.do("keys show", key=key)["name"] == "old"
    assert bench.do("audit") == before


def test_a_change_that_cannot_be_written_down_is_not_made(bench: Bench) -> None:
    bench.run("DROP TABLE audit")
    with pytest.raises(Exception, match="audit"):
        bench.do("accounts create", name="acme")
    assert bench.do("accounts list")["data"] == []


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_no_command_takes_a_field_that_it_does_not_know(name: str) -> None:
    from portico.core.errors import InvalidRequest

    command = BY_NAME[name]
    with pytest.raises(InvalidRequest) as refused:
        command.read({"unheard_of": 1})
    assert refused.value.param == "unheard_of" or "missing" in refused.value.message


# -- usage and markup


def test_usage_is_told_by_what_is_asked_for(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    account = bench.do("accounts create", name="acme")["id"]
    columns = "account_id, day, model, key_id, calls, input_tokens, output_tokens, charge_nanos, cost_nanos"
    for day, model, calls in (("2026-11-01", "a", 1), ("2026-11-01", "b", 2), ("2026-11-02", "a", 4)):
        sql = f"INSERT INTO usage_days ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        bench.run(sql, account, day, model, "key_1", calls, 10, 20, 1_500_000_000, 1_000_000_000)
    by_model = bench.do("usage", by="model")["data"]
    assert [(row["model"], row["calls"], row["charge_usd"]) for row in by_model] == [("a", 5, "3.00"), ("b", 2, "1.50")]
    assert [row["day"] for row in bench.do("usage", by="day", **{"from": "2026-11-02"})["data"]] == ["2026-11-02"]
    assert bench.do("usage", by="", account="acme", to="2026-11-01")["data"][0]["calls"] == 3
    assert bench.do("usage", by="account")["data"][0]["account"] == account
    page = bench.do("usage", limit=2)
    assert len(bench.do("usage", limit=2, after=page["next"])["data"]) == 1
    assert bench.refusal("usage", by="hour").param == "by"
    assert bench.refusal("usage", account="nobody").status == 404


def test_markup_is_a_rule_from_a_day_on(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    account = bench.do("accounts create", name="acme")["id"]
    later = (TODAY + dt.timedelta(days=3)).isoformat()
    assert bench.do("markup set", factor="+20%")["factor"] == "1.2"
    bench.do("markup set", factor="1.1", account="acme", model="gemini-2-5-flash")
    bench.do("markup set", factor="1.5", effective_from=later)
    told = [(rule["account"], rule["model"], rule["factor"]) for rule in bench.do("markup list")["data"]]
    assert told == [("", "", "1.2"), (account, "gemini-2.5-flash", "1.1")]
    assert len(bench.do("markup list", every=True)["data"]) == 3
    assert bench.refusal("markup set", factor="1", effective_from="2020-01-01").param == "effective_from"
    assert bench.refusal("markup set", factor="1", model="nonesuch").status == 404
