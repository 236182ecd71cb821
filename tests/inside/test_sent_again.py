"""A form that is answered with what is shown once, and the same form sent again, as a reload of that page does it."""

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest

from inside.desk import Client, Rooms
from portico.accounts import forms
from portico.accounts.sessions import LIFE_US
from web.rooms import Answer

SECRET: Final = re.compile(r"sk-portico-\w{40}|code-[\w-]{20,}|/(?:invite|reset)/\w{43}")
KEY: Final = {"name": "laptop"}
FORMS: Final[Mapping[str, tuple[str, str, Mapping[str, Any], str]]] = {
    "a key": ("/console/keys/new", "/console/keys", KEY, "SELECT id, digest FROM keys"),
    "a rotation": (
        "/console/keys/{key}",
        "/console/keys/{key}",
        {"do": "rotate", "overlap": "0"},
        "SELECT digest, previous_digest FROM keys",
    ),
    "an invitation": (
        "/console/people",
        "/console/people",
        {"do": "invite", "email": "new@example.com", "role": "member"},
        "SELECT digest FROM links",
    ),
    "codes": ("/admin/codes", "/admin/codes", {"do": "create", "amount_usd": "5", "count": "2"}, "SELECT * FROM codes"),
    "an operator's invitation": (
        "/admin/users",
        "/admin/users",
        {"do": "invite", "email": "new@example.com"},
        "SELECT digest FROM links",
    ),
    "another password": ("/admin/users/{user}", "/admin/users/{user}", {"do": "reset"}, "SELECT digest FROM links"),
}
"""What is made -> where its form stands, where whoever sends it again is led, what it says, what is kept of it."""


class Form:
    """A form as a page shows it, to be sent as often as one likes."""

    def __init__(self, client: Client, path: str, said: Mapping[str, Any]) -> None:
        self.client, self.path = client, path
        shown = client.get(path)
        (found,) = [
            one
            for one in re.findall(r'<form method="post".*?</form>', shown.text, re.DOTALL)
            if 'name="once"' in one and ("do" not in said or f'value="{said["do"]}"' in one)
        ]
        once = re.search(r'name="once" value="(\w{24})" autocomplete="off"', found)
        assert once is not None
        self.said = {**said, "once": once[1]}

    def send(self) -> Answer:
        return self.client.post(self.path, self.said)


@pytest.fixture
def root(rooms_anywhere: Rooms) -> Client:
    return rooms_anywhere.person("root@example.com", account="acme", operator=True)


def made(root: Client, what: str) -> tuple[str, str, Mapping[str, Any], str]:
    path, to, said, kept = FORMS[what]
    names = {"user": root.user.id, "key": ""}
    if "{key}" in path:
        names["key"] = root.rooms.bench.do("keys create", account="acme", user=root.user.id)["id"]
    return path.format(**names), to.format(**names), said, kept


@pytest.mark.parametrize("what", FORMS)
def test_it_is_carried_out_once_and_what_it_made_is_shown_once(root: Client, what: str) -> None:
    path, to, said, kept = made(root, what)
    form = Form(root, path, said)
    answer = form.send()
    assert answer.status == 200
    assert SECRET.search(answer.text)
    before = root.rooms.bench.rows(kept)
    again = form.send()
    assert again.status == 303
    location = again.headers["location"]
    assert location.partition("?")[0] == to
    assert SECRET.search(location + str(again.headers)) is None
    shown = root.get(location)
    assert shown.status == 200
    assert "This form was sent already" in shown.page.prose
    assert SECRET.search(shown.text) is None
    assert root.rooms.bench.rows(kept) == before
    assert Form(root, path, said).send().status == 200
    assert root.rooms.bench.rows(kept) != before


def test_a_form_that_was_refused_may_be_mended_and_sent(root: Client) -> None:
    form = Form(root, "/console/keys/new", KEY)
    form.said |= {"expires-is": "some", "expires": "2001-01-01"}
    assert form.send().status == 422
    form.said["expires-is"] = "none"
    assert form.send().status == 200


def test_nobody_else_uses_a_form_up(root: Client) -> None:
    mal = root.rooms.person("mal@example.com", account="other")
    form = Form(root, "/console/keys/new", KEY)
    assert mal.post(form.path, form.said).status == 200
    assert form.send().status == 200


def test_what_is_known_of_it_goes_with_the_session(root: Client) -> None:
    bench, kept = root.rooms.bench, "SELECT 1 FROM counters WHERE kind = 'form'"
    Form(root, "/console/keys/new", KEY).send()
    bench.reading.at_once(forms.sweep)
    assert len(bench.rows(kept)) == 1
    bench.reading.now_us += LIFE_US + 3_600_000_000
    bench.reading.at_once(forms.sweep)
    assert bench.rows(kept) == []
