"""The page of all parts is the operators' own."""

from inside.desk import Rooms


def test_operators_see_every_part_in_both_themes_and_nobody_else_does(rooms: Rooms) -> None:
    page = rooms.person(account="acme", operator=True).get("/console/_parts")
    assert page.status == 200
    assert page.text.count('class="theme"') == 2
    assert rooms.person("bob@example.com", account="acme").get("/console/_parts").status == 403
