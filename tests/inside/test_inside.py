"""What is common to all pages behind the door: who gets in, and what every answer carries."""

import re

import pytest

from inside.desk import Client, Rooms
from portico.accounts import people, sessions


def test_an_address_without_a_room_says_so_and_shows_the_door(rooms: Rooms) -> None:
    rooms.person()
    answer = Client(rooms).get("/console/nothing")
    assert answer.status == 404
    assert "Sign in" in answer.text


def test_the_server_as_a_whole_is_no_page(rooms: Rooms) -> None:
    """`OPTIONS *` (RFC 9112 3.2.4): the one path without a slash."""
    assert Client(rooms).get("*").status == 404


def test_every_answer_is_for_one_person_and_kept_by_nobody(rooms: Rooms) -> None:
    for answer in (Client(rooms).get("/console/nothing"), rooms.person().get("/admin/nothing")):
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_the_language_is_the_persons_wherever_they_sign_in(rooms: Rooms) -> None:
    ada = rooms.person()
    rooms.bench.reading.at_once(lambda db: people.set_locale(db, ada.user.id, "zh-HK"))
    assert '<html lang="zh-HK"' in ada.get("/console/nothing").text
    other = Client(rooms)
    other.sign_in(ada.user)
    assert '<html lang="zh-HK"' in other.get("/console/nothing").text


@pytest.mark.parametrize("days", [8, 31])
def test_a_session_ends_when_it_is_not_used_and_in_any_case(rooms: Rooms, days: int) -> None:
    ada, reading = rooms.person(), rooms.bench.reading
    if days == 31:  # used all the while
        reading.at_once(lambda db: db.run("UPDATE sessions SET seen_us = ?", db.now_us + days * 86_400_000_000))
    assert "Sign out" in ada.get("/console/nothing").text
    reading.now_us += days * 86_400_000_000
    assert "Sign out" not in ada.get("/console/nothing").text


def test_a_disabled_person_is_signed_out(rooms: Rooms) -> None:
    ada = rooms.person()
    rooms.bench.do("users remove", user=ada.user.id)
    assert "Sign out" not in ada.get("/console/nothing").text


def test_no_secret_of_a_session_is_in_the_books(rooms: Rooms) -> None:
    ada = rooms.person()
    assert ada.secret not in str(rooms.bench.rows("SELECT * FROM sessions"))
    assert rooms.bench.reading.at_once(lambda db: sessions.find_session(db, ada.secret)) is not None


def test_who_is_in_no_account_is_led_where_they_may_be(rooms: Rooms) -> None:
    nobody = rooms.person("nobody@example.com")
    refused = nobody.get("/console")
    assert refused.status == 403
    offered = {link for link in refused.page.links if link.startswith("/console")}
    assert "/console/settings" in offered
    assert nobody.get("/console/settings").status == 200
    assert re.findall(r'class="button" href="(/console[^"]*)"', refused.text) == ["/console/settings"]
