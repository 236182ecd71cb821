"""What no database of texts takes, wherever somebody says it."""

import pytest

from inside.desk import Client, Rooms


def test_a_character_that_no_text_has_fails_no_page(rooms_anywhere: Rooms) -> None:
    root = rooms_anywhere.person(account="acme", operator=True)
    for path in ("/console/keys", "/console/receipts", "/admin/keys", "/admin/accounts", "/admin/users"):
        assert root.get(f"{path}/a%00").status == 404
    for address in (
        "/console/usage?q=%00",
        "/console/usage.csv?model=%00",
        "/console/keys?after=%00",
        "/admin/keys?q=%00",
    ):
        assert root.get(address).status == 200
    assert root.post("/console/settings", do="profile", name="a\0").status == 422


@pytest.mark.parametrize("field", ["email", "password", "to"])
def test_nor_a_form_of_whoever_has_not_signed_in(rooms_anywhere: Rooms, field: str) -> None:
    stranger = Client(rooms_anywhere)
    stranger.get("/sign-in")
    fields = {"email": "ada@example.com", "password": "correct horse battery", field: "\0"}
    assert stranger.post("/sign-in", fields).status == 422


def test_a_day_that_no_book_has_fails_no_page(rooms: Rooms) -> None:
    root = rooms.person(account="acme", operator=True)
    for month in ("0001-01", "9999-12"):
        assert root.get(f"/console/statements/{month}").status == 404
    for day in ("0001-01-01", "9999-12-31"):
        assert root.get(f"/console/usage?to={day}").status == 422
        assert root.get(f"/admin/usage?to={day}").status == 422
