"""A person's own settings; and who is in an account, as those in it see and change it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.local import Bench, on_sqlite
from inside.desk import Client, Rooms
from portico.accounts import passwords
from portico.web.people.settings import browser_of

GOOD = "correct horse battery"


@pytest.fixture
def inviting(tmp_path: Path) -> Iterator[Rooms]:
    reading = on_sqlite(tmp_path / "books.db")
    yield Rooms(Bench(reading), signup="invite")
    reading.connection.close()


def roles(rooms: Rooms, account: str = "acme") -> dict[str, str]:
    return {one["email"]: one["role"] for one in rooms.bench.do("memberships list", account=account)["data"]}


# -- settings


def test_name_language_and_theme_are_kept(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    fields = {"do": "profile", "name": "Ada <b>", "language": "zh-HK", "theme": "dark"}
    answer = ada.post("/console/settings", fields)
    assert answer.headers["location"] == "/console/settings?language=zh-HK&done=saved"
    answer = ada.get(answer.headers["location"])
    assert (answer.status, answer.headers["location"]) == (303, "/console/settings?done=saved")
    page = ada.get("/console/settings").text
    assert '<html lang="zh-HK" data-theme="dark"' in page
    assert "Ada &lt;b&gt;" in page
    assert "<b>" not in page
    ada.post("/console/settings", {**fields, "theme": ""})
    assert "data-theme=" not in ada.get("/console/settings").text.split(">", 2)[1]
    assert ada.post("/console/settings", {**fields, "name": "x" * 201}).status == 422


def test_a_password_is_changed_by_who_knows_it_and_ends_every_other_session(rooms_anywhere: Rooms) -> None:
    ada = rooms_anywhere.person(account="acme")
    kept = asyncio.run(passwords.hash_of(GOOD))
    rooms_anywhere.bench.reading.at_once(lambda db: passwords.keep_hash(db, ada.user.id, kept))
    other = Client(rooms_anywhere)
    other.sign_in(ada.user)
    wrong = ada.post("/console/settings", do="password", current="not that one", password="quite another one")
    assert (wrong.status, "This is not your password." in wrong.text) == (422, True)
    weak = ada.post("/console/settings", do="password", current=GOOD, password="short")
    assert (weak.status, "A password has at least 10 characters." in weak.text) == (422, True)
    assert other.get("/console/settings").status == 200
    done = ada.post("/console/settings", do="password", current=GOOD, password="quite another one")
    assert done.headers["location"] == "/console/settings?done=password-set"
    assert ada.get("/console/settings").status == 200
    assert other.get("/console/settings").status == 303
    for secret in (GOOD, "quite another one", "argon2"):
        assert secret not in json.dumps(rooms_anywhere.bench.do("audit"))


def test_guessing_the_password_at_a_browser_that_was_left_open_is_limited(rooms: Rooms) -> None:
    ada = rooms.person(account="acme")
    kept = asyncio.run(passwords.hash_of(GOOD))
    rooms.bench.reading.at_once(lambda db: passwords.keep_hash(db, ada.user.id, kept))
    said = [ada.post("/console/settings", do="password", current=f"{n}", password=GOOD).status for n in range(12)]
    assert said == [422] * 10 + [429] * 2


def test_sessions_are_listed_and_ended_ones_own_alone(rooms: Rooms) -> None:
    ada, bob = rooms.person("ada@example.com", account="acme"), rooms.person("bob@example.com", account="acme")
    other = Client(rooms)
    other.sign_in(ada.user)
    page = ada.get("/console/settings")
    assert page.text.count("this browser") == 1
    found = [attrs["value"] for attrs in page.page.all("input", name="session") if attrs["value"]]
    assert len(found) == 1
    assert bob.post("/console/settings", do="end", session=found[0]).status == 404
    assert other.get("/console/settings").status == 200
    assert ada.post("/console/settings", do="end", session=found[0]).status == 303
    assert other.get("/console/settings").status == 303
    everywhere = ada.post("/console/settings", do="end", session="")
    assert everywhere.headers["location"] == "/sign-in?done=signed-out"
    assert ada.get("/console/settings").status == 303
    assert bob.get("/console/settings").status == 200


# -- people


def test_an_invitation_is_shown_once_and_can_be_taken_back(inviting: Rooms) -> None:
    ada = inviting.person(account="acme")
    made = ada.post("/console/people", do="invite", email="new@example.com", role="member")
    assert made.status == 200
    link = next(text for tag, text in made.page.pieces if tag == "code" and "/invite/" in text)
    assert link.startswith("http://portico.example:8080/invite/")
    secret = link.rpartition("/")[2]
    page = ada.get("/console/people")
    assert "new@example.com" in page.text
    assert secret not in page.text
    invitation = next(page.page.all("input", name="invitation"))["value"]
    assert ada.post("/console/people", do="withdraw", invitation=invitation).status == 303
    assert Client(inviting).get(f"/invite/{secret}").status == 404


@pytest.mark.parametrize("how", ["removed", "made less", "disabled"])
def test_who_may_invite_no_more_has_invited_nobody(inviting: Rooms, how: str) -> None:
    """Their own link, to another address of theirs, was the way back."""
    ada = inviting.person("ada@example.com", account="acme")
    bob = inviting.person("bob@example.com", account="acme", role="admin")
    paths = []
    for one in (ada, bob):
        made = one.post("/console/people", do="invite", email=f"new-{one.user.email}", role="member")
        link = next(text for tag, text in made.page.pieces if tag == "code" and "/invite/" in text)
        paths.append(link.removeprefix("http://portico.example:8080"))
    if how == "removed":
        assert ada.post("/console/people", do="remove", user=bob.user.id).status == 303
    elif how == "made less":
        assert ada.post("/console/people", do="role", user=bob.user.id, role="viewer").status == 303
    else:
        inviting.bench.do("users remove", user="bob@example.com")
    assert [Client(inviting).get(path).status for path in paths] == [200, 404]


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_who_only_looks_or_calls_changes_nobody(inviting: Rooms, role: str) -> None:
    ada = inviting.person("ada@example.com", account="acme")
    bob = inviting.person("bob@example.com", account="acme", role=role)
    page = bob.get("/console/people")
    assert page.status == 200
    assert 'name="do"' not in page.text
    for fields in (
        {"do": "invite", "email": "new@example.com", "role": "viewer"},
        {"do": "role", "user": bob.user.id, "role": "owner"},
        {"do": "remove", "user": ada.user.id},
    ):
        assert bob.post("/console/people", fields).status == 403
    assert roles(inviting) == {"ada@example.com": "owner", "bob@example.com": role}


def test_an_admin_makes_no_owners_and_removes_none(inviting: Rooms) -> None:
    ada = inviting.person("ada@example.com", account="acme")
    bob = inviting.person("bob@example.com", account="acme", role="admin")
    eve = inviting.person("eve@example.com", account="acme", role="viewer")
    for fields in (
        {"do": "invite", "email": "new@example.com", "role": "owner"},
        {"do": "role", "user": bob.user.id, "role": "owner"},
        {"do": "role", "user": ada.user.id, "role": "viewer"},
        {"do": "remove", "user": ada.user.id},
    ):
        assert bob.post("/console/people", fields).status == 403, fields
    assert bob.post("/console/people", do="role", user=eve.user.id, role="member").status == 303
    assert bob.post("/console/people", do="role", user=eve.user.id, role="king").status == 422
    assert bob.post("/console/people", do="remove", user=eve.user.id).status == 303
    assert roles(inviting) == {"ada@example.com": "owner", "bob@example.com": "admin"}


def test_the_last_owner_stays_one(inviting: Rooms) -> None:
    ada = inviting.person(account="acme")
    assert ada.post("/console/people", do="role", user=ada.user.id, role="viewer").status == 409
    assert ada.post("/console/people", do="remove", user=ada.user.id).status == 409


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
def test_whoever_is_in_an_account_leaves_it_by_themselves(inviting: Rooms, role: str) -> None:
    inviting.person("ada@example.com", account="acme")
    bob = inviting.person("bob@example.com", account="acme", role=role)
    account = inviting.bench.do("accounts show", account="acme")["id"]
    assert "Leave the account" in bob.get("/console/settings").text
    typo = bob.post("/console/settings", do="leave", account=account, name="acne")
    assert typo.status == 422
    assert "This is not its name. Nothing was changed." in typo.text
    assert roles(inviting) == {"ada@example.com": "owner", "bob@example.com": role}
    left = bob.post("/console/settings", do="leave", account=account, name="acme")
    assert (left.status, left.headers["location"]) == (303, "/console/settings?done=left")
    assert roles(inviting) == {"ada@example.com": "owner"}
    page = bob.get("/console/settings?done=left")
    assert "You have left the account." in page.text
    assert "Leave the account" not in page.text
    assert bob.get("/console/keys").status == 403
    assert bob.post("/console/settings", do="leave", account=account, name="acme").status == 404


def test_the_last_owner_is_told_why_they_stay(inviting: Rooms) -> None:
    ada = inviting.person(account="acme")
    account = inviting.bench.do("accounts show", account="acme")["id"]
    stayed = ada.post("/console/settings", do="leave", account=account, name="acme")
    assert stayed.status == 409
    assert "An account keeps at least one owner: make somebody else one first." in stayed.text


def test_people_of_another_account_are_not_there(inviting: Rooms) -> None:
    ada = inviting.person("ada@example.com", account="acme")
    mallory = inviting.person("mallory@example.com", account="other")
    ada.post("/console/people", do="invite", email="new@example.com", role="member")
    assert "ada@example.com" not in mallory.get("/console/people").text
    for fields in (
        {"do": "role", "user": ada.user.id, "role": "viewer"},
        {"do": "remove", "user": ada.user.id},
        {"do": "withdraw", "invitation": inviting.bench.rows("SELECT digest FROM links")[0][0]},
    ):
        assert mallory.post("/console/people", fields).status == 404
    assert inviting.bench.rows("SELECT COUNT(*) FROM links") == [(1,)]


def test_where_signing_up_is_closed_only_an_operator_invites(rooms: Rooms) -> None:
    ada = rooms.person("ada@example.com", account="acme")
    assert "Whoever runs this Portico invites people here." in ada.get("/console/people").text
    assert ada.post("/console/people", do="invite", email="new@example.com", role="member").status == 403
    root = rooms.person("root@example.com", account="acme", operator=True)
    assert root.post("/console/people", do="invite", email="new@example.com", role="member").status == 200


def test_another_account_is_looked_at_by_its_members_alone(rooms: Rooms) -> None:
    ada = rooms.person("ada@example.com", account="acme")
    rooms.person("mallory@example.com", account="other")
    rooms.bench.do("accounts create", name="second")
    rooms.bench.do("memberships add", account="second", user="ada@example.com", role="owner")
    ids = {name: rooms.bench.do("accounts show", account=name)["id"] for name in ("acme", "second", "other")}
    assert ada.post("/console/account", account=ids["second"]).headers["location"] == "/console"
    assert "Of the account second." in ada.get("/console/people").text
    assert ada.post("/console/account", account=ids["other"]).status == 404
    assert "Of the account second." in ada.get("/console/people").text


def test_a_form_of_one_account_is_not_carried_out_in_another(rooms: Rooms) -> None:
    """Shown in one tab, while another tab turns to another account."""
    ada = rooms.person("ada@example.com", account="acme")
    rooms.bench.do("accounts create", name="second")
    rooms.bench.do("memberships add", account="second", user="ada@example.com", role="owner")
    acme, second = [rooms.bench.do("accounts show", account=name)["id"] for name in ("acme", "second")]
    shown = ada.get("/console/keys/new").text
    assert shown.count(f'name="of" value="{acme}"') == shown.count('name="token"')
    ada.post("/console/account", account=second, of=acme)
    refused = ada.post("/console/keys/new", name="laptop", of=acme)
    assert refused.status == 409
    assert "You look at another account by now" in refused.page.prose
    assert rooms.bench.rows("SELECT account_id FROM keys WHERE name = 'laptop'") == []
    assert ada.post("/console/keys/new", name="laptop", of=second).status == 200
    assert rooms.bench.rows("SELECT account_id FROM keys WHERE name = 'laptop'") == [(second,)]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36", "Chrome 156, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.1", "Edge 156, Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19.1 Safari/605.1.15", "Safari 19, macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari 19, iPhone"),
        ("Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0", "Firefox 150, Android"),
        ("curl/8.9.1", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_browser_is_called_what_people_call_it(agent: str, name: str) -> None:
    assert browser_of(agent) == name
