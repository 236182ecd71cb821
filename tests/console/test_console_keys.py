"""Keys behind the door: who may do what to which, and that a secret is on one page only."""

import re
from typing import Any

import pytest

from inside.desk import Client, Rooms
from portico.ledger.windows import day_of, window_of

XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
OPEN: dict[str, Any] = {
    f"{name}-is": "none"
    for name in ("models", "allow_ips", "rpm", "tpm", "concurrent", "budget_day_usd", "budget_month_usd", "expires")
}


def make(client: Client, name: str = "laptop", /, **more: Any) -> tuple[str, str]:
    """A key's id and its secret, as the page told them."""
    answer = client.post("/console/keys/new", {**OPEN, "name": name, **more})
    assert answer.status == 200, answer.text
    secret = re.search(r"sk-portico-[A-Za-z0-9]+", answer.text)
    key_id = re.search(r"/console/keys/(key_[A-Za-z0-9]+)", answer.text)
    assert secret is not None
    assert key_id is not None
    return key_id[1], secret[0]


def state(rooms: Rooms, key: str) -> str:
    return str(rooms.bench.do("keys show", key=key)["state"])


def test_a_key_is_made_shown_once_and_its_secret_is_on_no_other_page(rooms_anywhere: Rooms) -> None:
    rooms = rooms_anywhere
    ada = rooms.person(account="acme")
    assert "There is no key yet" in ada.get("/console/keys").text
    assert ada.get("/console/keys/new").status == 200
    key, secret = make(ada, "laptop", **{"models-is": "some", "models": "gemini-3*\ngpt-5.5"})
    shown = rooms.bench.do("keys show", key=key)
    assert shown["settings"] == {"models": ["gemini-3*", "gpt-5.5"]}
    assert (shown["name"], shown["user"]) == ("laptop", ada.user.id)
    for path in ("/console/keys", f"/console/keys/{key}", "/console/keys/new"):
        answer = ada.get(path)
        assert answer.status == 200
        assert secret not in answer.text
    assert secret not in str(rooms.bench.rows("SELECT * FROM keys")) + str(rooms.bench.rows("SELECT * FROM audit"))
    assert rooms.bench.rows("SELECT actor FROM audit WHERE command = 'keys create'") == [("user:ada@example.com",)]


def test_an_account_makes_so_many_keys_in_a_day_and_no_more(rooms_anywhere: Rooms) -> None:
    """Whoever signed up by themselves could fill the memory of every worker with them."""
    rooms = rooms_anywhere
    ada, root = rooms.person(account="acme"), rooms.person("root@example.com", account="acme", operator=True)
    for _ in range(99):
        rooms.bench.do("keys create", account="acme")
    make(ada)
    refused = ada.post("/console/keys/new", {**OPEN, "name": "one more"})
    assert refused.status == 422
    assert "100 keys within a day" in refused.page.prose
    assert "one more" in refused.text
    make(root)
    make(rooms.person("bob@example.com", account="another"))
    rooms.bench.rows("UPDATE keys SET created_us = created_us - 86400000001 RETURNING id")
    make(ada)


def test_the_newest_key_comes_first_and_those_before_it_are_called_older(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    for number in range(102):
        rooms.bench.reading.now_us += 1_000
        rooms.bench.do("keys create", account="acme", name=f"number {number}.")
    first = ada.get("/console/keys").text
    assert first.index("number 101.") < first.index("number 100.") < first.index("number 2.")
    older = re.search(r'rel="next" href="([^"]+)">Older<', first)
    assert older is not None
    assert re.findall(r"number \d+\.", ada.get(older[1]).text) == ["number 1.", "number 0."]


def test_the_hand_over_card_holds_a_call_that_can_be_copied(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    answer = ada.post("/console/keys/new", {**OPEN, "name": "x", "models-is": "some", "models": "gpt-5.5"})
    secret = re.search(r"sk-portico-[A-Za-z0-9]+", answer.text)
    assert secret is not None
    assert answer.headers["cache-control"] == "no-store"
    plain = re.sub(r"<[^>]+>", "", answer.text)
    assert f"Authorization: Bearer {secret[0]}" in plain
    assert not re.search(r"\$\{?PORTICO_API_KEY|environ|process\.env", plain)
    assert "gemini-3.8-flash" not in plain
    assert re.search(rf"export PORTICO_API_KEY={secret[0]}\nportico connect codex --url http://\S+ --write\n", plain)
    assert {f"/clients/{name}" for name in ("codex", "sdks")} <= set(answer.page.links)
    assert "http://" in plain


def test_every_setting_of_the_form_reaches_the_key_and_comes_back(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    key, _ = make(ada)
    said = {
        "do": "save",
        "name": "robot",
        "models-is": "some",
        "models": "gemini-*, gpt-5.5",
        "allow_ips-is": "some",
        "allow_ips": "10.0.0.0/8",
        "rpm-is": "some",
        "rpm": "60",
        "tpm-is": "some",
        "tpm": "100000",
        "concurrent-is": "some",
        "concurrent": "3",
        "budget_day_usd-is": "some",
        "budget_day_usd": "1.50",
        "budget_month_usd-is": "some",
        "budget_month_usd": "20",
        "expires-is": "some",
        "expires": "2031-01-31",
        "image_form": "parts",
        "on_disconnect": "drain",
        "default_effort": "low",
        "strict": "yes",
    }
    answer = ada.post(f"/console/keys/{key}", said)
    assert (answer.status, answer.headers["location"]) == (303, f"/console/keys/{key}?done=saved")
    shown = rooms.bench.do("keys show", key=key)
    assert shown["settings"] == {
        "models": ["gemini-*", "gpt-5.5"],
        "allow_ips": ["10.0.0.0/8"],
        "rpm": 60,
        "tpm": 100000,
        "concurrent": 3,
        "budget_day_usd": "1.50",
        "budget_month_usd": "20.00",
        "image_form": "parts",
        "strict": True,
        "on_disconnect": "drain",
        "default_effort": "low",
    }
    assert (shown["name"], shown["expires"]) == ("robot", "2031-01-31T00:00:00Z")
    page = ada.get(f"/console/keys/{key}").text
    for text in ("gemini-*\ngpt-5.5", 'value="1.50"', 'value="2031-01-31"', "$0.00 of $1.50"):
        assert text in page
    assert ada.post(f"/console/keys/{key}", {**OPEN, "do": "save", "name": "robot"}).status == 303
    after = rooms.bench.do("keys show", key=key)
    assert (after["settings"], after["expires"]) == ({}, None)


def test_the_largest_limit_that_a_command_takes_stays_when_the_form_is_saved(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    key, _ = make(ada)
    rooms.bench.do("keys set", key=key, tpm=2**63 - 1)
    said = {**OPEN, "do": "save", "name": "robot", "tpm-is": "some", "tpm": "9223372036854775807"}
    assert 'value="9223372036854775807"' in ada.get(f"/console/keys/{key}").text
    assert ada.post(f"/console/keys/{key}", said).status == 303
    assert rooms.bench.do("keys show", key=key)["settings"] == {"tpm": 2**63 - 1}


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("rpm", "", "Say how much"),
        ("rpm", "-3", "A whole number above 0."),
        ("tpm", "many", "A whole number above 0."),
        ("tpm", "9223372036854775808", "a whole number from 1 to 9223372036854775807"),
        ("budget_day_usd", "ten", "is not an amount in dollars"),
        ("budget_month_usd", "0", "it has to be more"),
        ("models", " \n", "Say which"),
        ("allow_ips", "not-an-address", "neither an address nor a network"),
        ("expires", "tomorrow", "A day to come"),
        ("expires", "2001-01-01", "in the past"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(
    rooms: Rooms, field: str, value: str, error: str
) -> None:
    ada = rooms.person(account="acme")
    answer = ada.post("/console/keys/new", {**OPEN, "name": "x", f"{field}-is": "some", field: value})
    assert answer.status == 422
    assert error in answer.text
    assert f'id="h-{field}"' in answer.text
    assert rooms.bench.rows("SELECT 1 FROM keys WHERE account_id <> 'default'") == []


def test_pause_resume_rotate_and_revoke(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    key, secret = make(ada)
    here = f"/console/keys/{key}"
    assert ada.post(here, do="pause").headers["location"] == f"{here}?done=key-paused"
    assert state(rooms, key) == "disabled"
    assert "Resume" in ada.get(here).text
    ada.post(here, do="resume")
    assert state(rooms, key) == "active"
    answer = ada.post(here, do="rotate", overlap="86400")
    rotated = re.search(r"sk-portico-[A-Za-z0-9]+", answer.text)
    assert answer.status == 200
    assert rotated is not None
    assert rotated[0] != secret
    assert rooms.bench.do("keys show", key=key)["old_secret_until"] is not None
    assert ada.post(here, do="rotate", overlap="7").status == 422
    assert ada.post(here, do="revoke", name="wrong").status == 422
    assert state(rooms, key) == "active"
    assert ada.post(here, do="revoke", name="laptop").status == 303
    assert state(rooms, key) == "revoked"
    assert ada.post(here, do="explode").status == 422
    assert "Revoked and expired: 1" in ada.get("/console/keys").text


def test_a_member_looks_after_keys_of_their_own_and_a_viewer_after_none(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    bob = rooms.person("bob@example.com", account="acme", role="member")
    eve = rooms.person("eve@example.com", account="acme", role="viewer")
    of_ada, _ = make(ada)
    of_bob, _ = make(bob, "bob's")
    for client in (bob, eve):
        assert client.get(f"/console/keys/{of_ada}").status == 200
        assert client.post(f"/console/keys/{of_ada}", do="pause").status == 403
        assert "Pause" not in client.get(f"/console/keys/{of_ada}").text
    assert eve.get("/console/keys/new").status == 403
    assert eve.post("/console/keys/new", {**OPEN, "name": "x"}).status == 403
    assert eve.post(f"/console/keys/{of_bob}", do="pause").status == 403
    assert bob.post(f"/console/keys/{of_bob}", do="pause").status == 303
    assert ada.post(f"/console/keys/{of_bob}", do="resume").status == 303
    assert state(rooms, of_ada) == "active"


def test_another_accounts_key_is_one_that_never_was(rooms_anywhere: Rooms) -> None:
    rooms = rooms_anywhere
    ada = rooms.person(account="acme")
    mal = rooms.person("mal@example.com", account="other")
    key, _ = make(ada)
    never = mal.get("/console/keys/key_never")
    assert mal.get(f"/console/keys/{key}").status == never.status == 404
    for said in ({"do": "pause"}, {"do": "rotate", "overlap": "0"}, {"do": "revoke", "name": "laptop"}, {"do": "save"}):
        assert mal.post(f"/console/keys/{key}", {**OPEN, **said}).status == 404
    assert key not in mal.get("/console/keys").text
    assert state(rooms, key) == "active"


def test_a_keys_name_is_text_wherever_it_stands(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    key, _ = make(ada, XSS, **{"models-is": "some", "models": "<b>x</b>"})
    for path in ("/console/keys", f"/console/keys/{key}"):
        text = ada.get(path).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<b>x</b>" not in text
    answer = ada.post(f"/console/keys/{key}", do="revoke", name="<script>")
    assert "<script>alert" not in answer.text


def test_who_looks_after_a_key_is_of_its_account(rooms_anywhere: Rooms) -> None:
    rooms = rooms_anywhere
    rooms.person(account="acme")
    mal = rooms.person("mal@example.com", account="other")
    bench = rooms.bench
    assert bench.refusal("keys create", account="acme", user=mal.user.email).param == "user"
    assert bench.refusal("keys create", account="acme", user="nobody").status == 404
    assert bench.do("keys create", account="acme", user="ada@example.com")["user"].startswith("user_")
    assert bench.do("keys create", account="acme")["user"] is None


def test_what_a_key_used_of_its_budget_is_what_the_ledger_counts(rooms_anywhere: Rooms) -> None:
    rooms = rooms_anywhere
    ada = rooms.person(account="acme")
    key, _ = make(ada, "capped", **{"budget_month_usd-is": "some", "budget_month_usd": "2"})
    (account,) = rooms.bench.rows("SELECT id FROM accounts WHERE name = 'acme'")[0]
    columns = "account_id, day, model, key_id, calls, charge_nanos"
    sql = f"INSERT INTO usage_days ({columns}) VALUES (?, ?, 'm', ?, 1, ?)"  # noqa: S608
    day = day_of(rooms.bench.reading.now_us).isoformat()
    rooms.bench.run(sql, account, day, key, 500_000_123)
    columns = "request_id, account_id, key_id, worker_id, amount_nanos, at_us"
    hold = f"INSERT INTO holds ({columns}) VALUES ('r', ?, ?, 'w', ?, ?)"  # noqa: S608
    rooms.bench.run(hold, account, key, 1_000_000_000, rooms.bench.reading.now_us)
    assert "$1.500000123 of $2.00" in ada.get("/console/keys").text
    window = "INSERT INTO counters (subject, kind, \"window\", used) VALUES (?, 'budget_month', ?, ?)"
    rooms.bench.run(window, key, window_of("budget_month", rooms.bench.reading.now_us), 1_900_000_000)
    assert "$1.90 of $2.00" in ada.get(f"/console/keys/{key}").text
