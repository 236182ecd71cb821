"""The playground's page, what it is offered, and what the server makes of the text of others."""

import json
import re
from html import unescape
from typing import Any

import pytest

from inside.desk import Client, Rooms
from portico.web.addresses import Locale
from portico.web.playground import tree as trees
from portico.web.playground.page import explained
from portico.web.playground.tree import MAX_CHARACTERS, to_tree
from web.rooms import showroom


def keyed(rooms: Rooms, role: str = "owner", name: str = "laptop", **fields: Any) -> Client:
    person = rooms.person(account="acme", role=role)
    rooms.bench.do("keys create", account="acme", name=name, **fields)
    return person


def data(page: str, name: str) -> Any:
    found = re.search(rf"data-{name}='([^']*)'", page)
    assert found is not None
    return json.loads(unescape(found[1]))


def test_a_person_sees_the_keys_they_may_call_with_and_never_a_secret(rooms: Rooms) -> None:
    ada = keyed(rooms)
    page = ada.get("/console/playground")
    assert page.status == 200
    assert "laptop" in page.text
    (key_id, digest) = rooms.bench.rows("SELECT id, digest FROM keys WHERE name = 'laptop'")[0]
    assert f'value="{key_id}.' in page.text
    assert digest not in page.text
    assert ada.secret not in page.text
    assert "img-src 'self' data: blob:;" in page.headers["content-security-policy"]
    assert "script-src 'self';" in page.headers["content-security-policy"]


def test_who_has_no_key_is_led_to_make_one(rooms: Rooms) -> None:
    bob = keyed(rooms, role="member")  # the account's key is not theirs
    page = bob.get("/console/playground")
    assert 'href="/console/keys/new"' in page.text
    assert "playground.js" not in page.text


def test_a_viewer_and_a_stranger_do_not_come_in(rooms: Rooms) -> None:
    assert keyed(rooms, role="viewer").get("/console/playground").status == 403
    assert Client(rooms).get("/console/playground").headers["location"].startswith("/sign-in?")


def test_what_is_offered_is_what_is_served_and_answers_in_a_conversation(rooms: Rooms) -> None:
    models = {one["name"]: one for one in data(keyed(rooms).get("/console/playground").text, "models")}
    assert "gemini-3.8-flash" in models
    assert models["claude-sonnet-5-5"]["adaptive"] is True
    assert not {"whisper-1", "gpt-image-2", "text-embedding-3-small"} & set(models)


def test_nothing_is_offered_where_nothing_is_served(rooms: Rooms) -> None:
    closed = Rooms(rooms.bench, showroom=showroom(vendors=()))
    page = keyed(closed).get("/console/playground")
    assert "No model is served here yet" in page.text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>", "名字"])
def test_names_stay_text(rooms: Rooms, name: str) -> None:
    page = keyed(rooms, name=name).get("/console/playground?model=%3Cscript%3Ealert(2)%3C/script%3E'%22")
    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    assert '<option value="*" selected>' in page.text


def test_markdown_is_set_for_pages_of_ours_alone(rooms: Rooms) -> None:
    ada = keyed(rooms)
    answer = ada.post("/console/playground/render", text="**重要：**請")
    assert answer.json == {"nodes": [["p", {}, ["strong", {}, "重要："], "請"]]}
    assert ada.post_raw("/console/playground/render", {"text": "x"}).status == 403
    assert ada.post_raw("/console/playground/render", {"text": "x", "token": "0" * 40}).status == 403
    assert ada.post("/console/playground/render", text="x" * (MAX_CHARACTERS + 1)).status == 422


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "[a](vbscript:x)",
        "![a](javascript:alert(1))",
        "<javascript:alert(1)>",
        "[a]: javascript:alert(1)\n\n[a]",
        '```"onload="x\ncode\n```',
        "[a](http://[x)",
    ],
)
def test_no_text_becomes_an_element_that_acts(text: str) -> None:
    for tag, attributes in elements(to_tree(text)):
        assert tag not in ("script", "iframe", "object", "style")
        assert set(attributes) <= {"class", "href", "src", "alt", "start"}
        assert attributes.get("href", "https:").startswith(("http:", "https:", "mailto:"))
        assert attributes.get("src", "data:image/").startswith("data:image/")


def elements(nodes: Any) -> Any:
    for node in nodes:
        if not isinstance(node, str):
            yield node[0], node[1]
            yield from elements(node[2:])


def test_a_picture_at_an_address_is_a_link_and_is_not_fetched() -> None:
    assert to_tree("![look](https://evil.example/?q=1)") == [
        ["p", {}, ["a", {"href": "https://evil.example/?q=1"}, "look"]]
    ]
    inline = "data:image/png;base64,AAAA"
    assert to_tree(f"![look]({inline})") == [["p", {}, ["img", {"src": inline, "alt": "look"}]]]


def test_what_markdown_knows_becomes_a_tree() -> None:
    text = (
        "# One\n\n- a\n- b\n\n3. c\n\n> q\n\n| x | y |\n|---|--:|\n| 1 | 2 |\n\n"
        "```python tab='x'\nprint(1)\n```\n\na  \nb\n\n---\n\n~~z~~ `c`"
    )
    tree = to_tree(text)
    assert [node[0] for node in tree] == ["h3", "ul", "ol", "blockquote", "table", "div", "p", "hr", "p"]
    assert tree[2][1] == {"start": 3}
    code = tree[5][2][2]
    assert "".join(one if isinstance(one, str) else one[2] for one in code[2:]) == "print(1)"
    assert ["span", {"class": "nb"}, "print"] in code


@pytest.mark.parametrize("locale", list(Locale))
def test_an_error_is_explained_in_the_readers_language(locale: Locale) -> None:
    told = json.dumps(explained("insufficient_funds", locale), ensure_ascii=False)
    assert "402" not in told, "status and charge are told of the call itself"
    assert bool(re.search("[\u3400-\u9fff]", told)) is (locale is not Locale.EN)


def test_an_error_that_is_explained_nowhere_is_a_404(rooms: Rooms) -> None:
    ada = keyed(rooms)
    assert ada.get("/console/playground/errors/insufficient_funds").json["doc"] == "/docs/errors#insufficient_funds"
    assert ada.get("/console/playground/errors/no_such_thing").status == 404
    assert ada.get("/console/playground/errors/.*").status == 404


BOMBS = {
    "brackets": ("", "[" * 31_000),
    "pictures": ("", "![" * 15_000),
    "code of a lexer that nobody tried": ("perl", "m{" * 15_000),
    "code on one line": ("js", '"\\' * 15_000),
    "nothing, in lines": ("java", "x" + "\n" * 10_000 + "x"),
    "much code": ("ts", ("a." * 90 + "\n") * 170),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_text_that_is_made_to_take_long_is_shown_plain(name: str) -> None:
    language, text = BOMBS[name]
    tree = to_tree(f"```{language}\n{text}\n```" if language else text)
    assert not [tag for tag, _ in elements(tree) if tag == "span"]
    assert "".join(texts(tree)) == text.rstrip("\n")


def test_code_has_colours_as_far_as_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "x = 1\n" * 300
    whole = to_tree(f"```python\n{code}```")
    assert "".join(texts(whole)) == code.rstrip("\n")
    monkeypatch.setattr(trees, "COLOURED_S", 0.0)
    part = to_tree(f"```python\n{code}```")
    assert "".join(texts(part)) == code.rstrip("\n")
    assert 0 < len(list(elements(part))) < len(list(elements(whole)))


def texts(nodes: Any) -> Any:
    for node in nodes:
        if isinstance(node, str):
            yield node
        else:
            yield from texts(node[2:])
