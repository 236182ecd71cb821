"""Every text of the pages behind the door is told in both kinds of Chinese, and nothing Chinese is told in English."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2.ext import extract_from_ast

import portico.web
from portico.web.addresses import Locale
from portico.web.inside import app, render
from portico.web.inside.notices import NOTICES
from portico.web.render import environment
from portico.web.words import translations

WEB = Path(portico.web.__file__).parent
PARTS = ("inside", "people", "console", "playground", "admin", "payments")
TEMPLATES = sorted(
    str(path.relative_to(WEB / "templates")) for part in PARTS for path in (WEB / "templates" / part).glob("*")
)
MODULES = sorted(path for part in PARTS for path in (WEB / part).glob("*.py"))
FIXED = (
    *NOTICES.values(),
    *(name for _, name, _ in (*render.CONSOLE, *render.ADMIN)),
    *app._NOT_ALLOWED.values(),
    *app._TITLES.values(),
    app._STALE,
    app._OF_ANOTHER,
)


def said_in(template: str) -> set[str]:
    tree = environment(html=True).parse((WEB / "templates" / template).read_text(encoding="utf-8"))
    found = [told[0] if isinstance(told, tuple) else told for _, _, told in extract_from_ast(tree, ("_", "say"))]
    return {text for text in found if isinstance(text, str)}


def titles_in(module: Path) -> Iterator[str]:
    """The titles of pages, and what is said by `say(…)`."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        told = [one.value for one in node.keywords if node.func.id == "Shown" and one.arg == "title"]
        told += node.args[:1] if node.func.id in ("say", "_") else []
        yield from (one.value for one in told if isinstance(one, ast.Constant) and isinstance(one.value, str))


@pytest.mark.parametrize("locale", [Locale.ZH_CN, Locale.ZH_HK])
@pytest.mark.parametrize("template", TEMPLATES)
def test_what_a_template_says_is_told_in_both_kinds_of_chinese(template: str, locale: Locale) -> None:
    assert sorted(said_in(template) - set(translations(locale))) == []


@pytest.mark.parametrize("locale", [Locale.ZH_CN, Locale.ZH_HK])
def test_what_the_code_says_is_told_in_both_kinds_of_chinese(locale: Locale) -> None:
    said = {*FIXED, *(text for module in MODULES for text in titles_in(module))}
    assert sorted(said - set(translations(locale))) == []


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_template_says_anything_past_the_catalogue(template: str) -> None:
    """What stands between tags is put there by `_`, but for names and numbers."""
    text = (WEB / "templates" / template).read_text(encoding="utf-8")
    assert re.search("[\u3400-\u9fff]", text) is None
    bare = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}|<(?:code|pre)\b.*?</(?:code|pre)>|<[^>]*>", "\n", text, flags=re.DOTALL)
    words = [line.strip() for line in bare.splitlines() if re.search(r"[A-Za-z]{3}", line)]
    assert [word for word in words if word.strip(" ·:.,()–") not in NAMES] == []


NAMES = {"Portico", "Esc", "UTC", "· Portico", "Stripe", "JSON", "CSV", "Markdown", "curl", "OpenAPI", "USD"}
