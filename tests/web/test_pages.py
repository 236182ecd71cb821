"""Every page in every locale, as HTML and as Markdown: there, whole, linked, and in its own language."""

import re
from functools import cache
from urllib.parse import urlsplit

import pytest

from portico.web import words
from portico.web.addresses import Address, Form, Locale
from portico.web.book import pages, sections
from web.rooms import ADDRESSES, CATALOG, HOUSE, Answer, ask

LOCALES = tuple(Locale)
CHINESE = (Locale.ZH_CN, Locale.ZH_HK)
HAN = re.compile(r"[\u3400-\u9fff]")
OTHERS = [path for path in ADDRESSES if path.removeprefix("/models/") not in CATALOG.models]
MODELS = [path for path in ADDRESSES if path not in OTHERS]
LOOKED_AT = [*OTHERS, *MODELS[::9]]
"""Model pages are of one template: every ninth is looked at closely, and all are there."""


async def html(path: str, locale: Locale) -> Answer:
    answer = await ask(HOUSE, str(Address(path, locale)))
    assert answer.status == 200, (path, locale)
    return answer


@pytest.mark.parametrize("locale", LOCALES)
async def test_every_address_of_the_sitemap_is_a_page_and_has_a_twin(locale: Locale) -> None:
    for path in ADDRESSES:
        page = await html(path, locale)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        twin = await ask(HOUSE, str(Address(path, locale, Form.MARKDOWN)))
        assert (twin.status, twin.headers["content-type"]) == (200, "text/markdown; charset=utf-8"), path


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("path", LOOKED_AT)
async def test_a_page_says_its_language_and_where_its_twins_are(path: str, locale: Locale) -> None:
    page = (await html(path, locale)).page
    assert next(page.all("html"))["lang"] == locale.value
    base = "http://portico.example:8080"
    told = {link["hreflang"]: link["href"] for link in page.all("link", rel="alternate") if "hreflang" in link}
    assert told == {
        "en": base + str(Address(path)),
        "x-default": base + str(Address(path)),
        "zh-CN": base + str(Address(path, Locale.ZH_CN)),
        "zh-Hans": base + str(Address(path, Locale.ZH_CN)),
        "zh-HK": base + str(Address(path, Locale.ZH_HK)),
        "zh-Hant": base + str(Address(path, Locale.ZH_HK)),
    }
    assert [link["href"] for link in page.all("link", rel="canonical")] == [base + str(Address(path, locale))]
    markdown = [link["href"] for link in page.all("link", rel="alternate", type="text/markdown")]
    assert markdown == [base + str(Address(path, locale, Form.MARKDOWN))]
    switch = {a["hreflang"]: a["href"] for a in page.all("a") if "data-language" in a}
    assert switch == {other.value: str(Address(path, other)) for other in LOCALES}
    assert len(list(page.all("h1"))) == 1
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("path", LOOKED_AT)
async def test_the_front_matter_of_a_twin_is_yaml_with_its_keys(path: str, locale: Locale) -> None:
    twin = await ask(HOUSE, str(Address(path, locale, Form.MARKDOWN)))
    front = twin.front
    base = "http://portico.example:8080"
    assert front["url"] == base + str(Address(path, locale, Form.MARKDOWN))
    assert front["url"].endswith(".md")
    assert front["canonical"] == base + str(Address(path, locale))
    assert front["locale"] == locale.value
    assert front["title"]
    assert front["summary"]
    assert ("model" in front) == (path in MODELS)
    assert "{{" not in twin.text.replace("{{ ", "")
    assert not re.search(r"^#+ .*\{#", twin.text, re.MULTILINE)
    assert "</" not in re.sub(r"```.*?```|`[^`\n]*`", "", twin.text, flags=re.DOTALL)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("path", LOOKED_AT)
async def test_emphasis_is_closed_on_every_page(path: str, locale: Locale) -> None:
    page = (await html(path, locale)).page
    assert "**" not in page.prose, [text for _, text in page.pieces if "**" in text]


@pytest.mark.parametrize("path", LOOKED_AT)
async def test_no_english_page_has_chinese_in_it(path: str) -> None:
    page = (await html(path, Locale.EN)).page
    found = [text for tag, text in page.pieces if HAN.search(text) and tag not in ("code", "span", "a")]
    assert not found


@pytest.mark.parametrize("locale", CHINESE)
@pytest.mark.parametrize("path", LOOKED_AT)
async def test_chinese_sentences_have_no_space_between_them(path: str, locale: Locale) -> None:
    text = re.sub("<(pre|code|script)[ >].*?</\\1>", "x", (await html(path, locale)).text, flags=re.DOTALL)
    told = re.sub("</?(a|em|span|strong|time)( [^<>]*)?>", "", text)
    assert re.findall("[^>\n]*[。！？；：，、日] +[\u3400-\u9fff]", told) == []


@pytest.mark.parametrize("locale", CHINESE)
async def test_every_text_of_the_house_is_said_in_chinese(locale: Locale, monkeypatch: pytest.MonkeyPatch) -> None:
    missing: set[str] = set()
    known = words.translations(locale)

    def say(self: words.Say, text: str, **values: object) -> object:
        if text not in known and text != "Portico":
            missing.add(text)
        return original(self, text, **values)

    original = words.Say.__call__
    monkeypatch.setattr(words.Say, "__call__", say)
    for path in LOOKED_AT:
        await ask(HOUSE, str(Address(path, locale)))
        await ask(HOUSE, str(Address(path, locale, Form.MARKDOWN)))
    await ask(HOUSE, f"{locale.prefix}/llms.txt")
    await ask(HOUSE, f"{locale.prefix}/nothing")
    assert not missing


@cache
def _targets() -> dict[str, set[str]]:
    return {}


async def _ids(path: str) -> set[str]:
    """The ids of the page at a path."""
    if path not in _targets():
        answer = await ask(HOUSE, path)
        assert answer.status == 200, path
        _targets()[path] = set(answer.page.ids)
    return _targets()[path]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("path", LOOKED_AT)
async def test_no_link_of_a_page_is_dead(path: str, locale: Locale) -> None:
    page = (await html(path, locale)).page
    for href in page.links:
        parts = urlsplit(href)
        if parts.scheme or href.startswith(("/openapi.json", "/v1", "/sign-in")):
            continue  # the door is another app's: tests/inside look at it
        target = parts.path or str(Address(path, locale))
        if target.endswith((".md", ".json", ".txt")):
            assert (await ask(HOUSE, target)).status == 200, href
            continue
        ids = await _ids(target)
        assert not parts.fragment or parts.fragment in ids, href
        found = Address.of(target)
        assert found.locale is locale or target in {str(found.in_locale(locale)) for locale in LOCALES}


@pytest.mark.parametrize("locale", LOCALES)
async def test_no_link_of_a_twin_is_dead(locale: Locale) -> None:
    base = "http://portico.example:8080"
    for path in LOOKED_AT:
        twin = await ask(HOUSE, str(Address(path, locale, Form.MARKDOWN)))
        outside = re.sub(r"```.*?```|`[^`\n]*`", "", twin.text, flags=re.DOTALL)
        for href in re.findall(r"\]\(([^)\s]+)\)", outside):
            if not href.startswith(base):
                assert href.startswith(("https://", "http://", "#")), (path, href)
                continue
            target = href.removeprefix(base).partition("#")[0]
            if target != "/openapi.json":
                assert (await ask(HOUSE, target)).status == 200, (path, href)


def test_every_page_is_written_in_every_locale_and_stands_in_the_navigation() -> None:
    for locale in CHINESE:
        assert set(pages(locale)) == set(pages(Locale.EN))
    listed = [path for section in sections() for path in section.pages]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(pages(Locale.EN))


@pytest.mark.parametrize("path", list(pages(Locale.EN)))
async def test_headings_have_the_same_ids_in_every_locale(path: str) -> None:
    """So that a switch of the language keeps the place."""
    told = []
    for locale in LOCALES:
        parser = (await html(path, locale)).page
        told.append([attrs.get("id", "?") for tag, attrs in parser.tags if tag in ("h2", "h3", "h4")])
    assert "?" not in told[0]
    assert told[0] == told[1] == told[2]
