"""An operator names models: whatever the name, it stays a name on every page, in every twin and in every sample."""

import itertools
import re

import pytest
from markdown_it import MarkdownIt

from portico.catalog import OperatorModel
from portico.web.addresses import Address, Form
from portico.web.house import House
from web.rooms import CATALOG, Answer, ask, showroom

NAMES = (
    'a"; rm -rf ~; "',
    "b`id`c",
    "$(id)",
    "c\\",
    "<script>alert(1)</script>",
    "[x](http://evil.example)",
    "d | e",
    "it's",
    "``f`",
    "&lt;b&gt;~~g~~",
)
ROOM = showroom(catalog=CATALOG.with_models([OperatorModel(name, target=f"openai/{name}") for name in NAMES]))
HOUSE = House(ROOM)
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


async def page_of(name: str, form: Form) -> Answer:
    return await ask(HOUSE, str(Address(f"/models/{name}", form=form)))


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_text_in_a_twin(name: str) -> None:
    answer = await page_of(name, Form.MARKDOWN)
    assert answer.status == 200
    assert answer.front["title"] == answer.front["model"] == name
    tokens = PARSER.parse(answer.text.split("---\n", 2)[2])
    inline = [child for token in tokens for child in token.children or ()]
    assert not [token for token in [*tokens, *inline] if token.type in ("html_block", "html_inline", "s_open", "image")]
    assert not [child for child in inline if child.type == "link_open" and "evil" in str(child.attrs.get("href"))]
    titles = [b for a, b in itertools.pairwise(tokens) if a.type == "heading_open" and a.tag == "h1"]
    assert ["".join(child.content for child in title.children or ()) for title in titles] == [name]
    assert name in [child.content for child in inline if child.type == "code_inline"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_that_is_more_than_a_word_is_in_no_sample(name: str) -> None:
    for form in (Form.HTML, Form.MARKDOWN):
        answer = await page_of(name, form)
        assert answer.status == 200
        assert "PORTICO_API_KEY" not in answer.text
    assert "PORTICO_API_KEY" in (await page_of("gpt-5.5", Form.MARKDOWN)).text


@pytest.mark.parametrize("path", ["/llms.txt", "/models.md", "/pricing.md", "/models/compare.md?m=d+%7C+e&m=gpt-5.5"])
async def test_a_list_keeps_its_links_and_its_cells(path: str) -> None:
    answer = await ask(HOUSE, path)
    tokens = PARSER.parse(re.sub(r"\A---\n.*?---\n", "", answer.text, flags=re.DOTALL))
    inline = [child for token in tokens for child in token.children or ()]
    links = [str(child.attrs["href"]) for child in inline if child.type == "link_open"]
    assert not [href for href in links if not href.startswith("http://portico.example:8080")]
    assert not [token for token in [*tokens, *inline] if token.type in ("html_block", "html_inline", "s_open")]
    rows = [token.map for token in tokens if token.type == "tr_open"]
    assert path == "/llms.txt" or rows
