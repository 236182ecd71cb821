"""How users come in, by command: on both databases, with nothing secret written down."""

import json
from typing import Any

import pytest

from admin.local import Bench
from portico.accounts import links


def secret_of(made: dict[str, Any]) -> str:
    return str(made["path"]).rpartition("/")[2]


def test_an_invitation_is_told_once_and_not_written_down(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    bench.do("accounts create", name="acme")
    made = bench.do("users invite", email="Ada@example.com", account="acme", role="admin")
    assert made["path"].startswith("/invite/")
    assert (made["email"], made["role"], made["operator"], made["url"]) == ("ada@example.com", "admin", False, None)
    assert secret_of(made) not in json.dumps(bench.do("audit"))
    listed = bench.do("invitations list", account="acme")["data"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert "path" not in listed[0]


def test_the_whole_link_is_told_where_the_address_is_known(bench: Bench) -> None:
    import msgspec

    from portico.admin.command import Office

    house = msgspec.structs.replace(bench.house, public_url="https://portico.example")
    bench.office = Office(bench.reading, house, bench.office._rng)
    made = bench.do("users invite", email="ada@example.com")
    assert made["url"] == f"https://portico.example{made['path']}"


def test_who_is_invited_again_follows_the_newer_link(bench: Bench) -> None:
    bench.do("accounts create", name="acme")
    first = bench.do("users invite", email="ada@example.com", account="acme")
    second = bench.do("users invite", email="ada@example.com", account="acme")
    found = [one["id"] for one in bench.do("invitations list", account="acme")["data"]]
    assert found == [second["id"]] != [first["id"]]


def test_an_invitation_is_taken_back_by_its_own_account_alone(bench: Bench) -> None:
    for name in ("acme", "other"):
        bench.do("accounts create", name=name)
    made = bench.do("users invite", email="ada@example.com", account="acme")
    assert bench.refusal("invitations withdraw", account="other", invitation=made["id"]).status == 404
    bench.do("invitations withdraw", account="acme", invitation=made["id"])
    assert bench.do("invitations list", account="acme")["data"] == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"email": "no address"}, 400),
        ({"email": "ada@example.com", "role": "owner"}, 400),
        ({"email": "ada@example.com", "account": "nowhere"}, 404),
        ({"email": "bob@example.com"}, 409),
        ({"email": "bob@example.com", "account": "acme"}, 409),
        ({"email": "bob@example.com", "account": "acme", "operator": True}, 409),
    ],
)
def test_who_cannot_be_invited_is_not(bench: Bench, fields: dict[str, Any], status: int) -> None:
    bench.do("accounts create", name="acme")
    bench.do("users add", email="bob@example.com")
    bench.do("memberships add", account="acme", user="bob@example.com")
    assert bench.refusal("users invite", **fields).status == status


def test_a_link_for_another_password_ends_the_one_before_it(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    bench.do("users add", email="ada@example.com")
    first, second = (bench.do("users reset", user="ada@example.com") for _ in range(2))
    assert first["path"] != second["path"]
    assert bench.rows("SELECT COUNT(*) FROM links") == [(1,)]
    assert secret_of(second) not in json.dumps(bench.do("audit"))
    link = bench.reading.at_once(lambda db: links.find_link(db, secret_of(second), links.RESET))
    assert link.user_id == second["user"]


def test_a_disabled_user_has_no_sessions_and_no_links(bench: Bench) -> None:
    from random import SystemRandom

    from portico.accounts import people, sessions

    bench.do("users add", email="ada@example.com")
    bench.do("users reset", user="ada@example.com")
    ada = bench.reading.at_once(lambda db: people.show_user(db, "ada@example.com"))
    for _ in range(2):
        bench.reading.at_once(lambda db: sessions.open_session(db, SystemRandom(), ada, agent="a test"))
    listed = bench.do("sessions list", user="ada@example.com")["data"]
    assert [one["agent"] for one in listed] == ["a test"] * 2
    assert bench.do("sessions end", user="ada@example.com", session=listed[0]["id"])["ended"] == 1
    bench.do("users remove", user="ada@example.com")
    assert bench.rows("SELECT (SELECT COUNT(*) FROM sessions), (SELECT COUNT(*) FROM links)") == [(0, 0)]
    assert bench.refusal("users reset", user="ada@example.com").status == 409
    assert bench.refusal("sessions end", user="ada@example.com", session="ses_none").status == 404


def test_a_user_is_renamed_and_made_an_operator_and_the_last_one_stays(bench: Bench) -> None:
    bench.do("users add", email="ada@example.com")
    assert bench.do("users set", user="ada@example.com", name="Ada", operator=True)["operator"] is True
    assert bench.do("users set", user="ada@example.com", name="A.")["operator"] is True
    assert bench.refusal("users set", user="ada@example.com", operator=False).status == 409
    assert bench.refusal("users remove", user="ada@example.com").status == 409
    bench.do("users add", email="bob@example.com")
    bench.do("users set", user="bob@example.com", operator=True)
    assert bench.do("users set", user="ada@example.com", operator=False)["operator"] is False
