"""Which language a page is in: the address says it. A browser that prefers another is offered it, and never sent there."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from portico.web import machine
from portico.web.addresses import Locale, locale_of, preferred
from portico.web.house import House
from web.rooms import HOUSE, ROOM, Answer, ask, showroom


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("en", Locale.EN),
        ("en-GB", Locale.EN),
        ("zh", Locale.ZH_CN),
        ("zh-CN", Locale.ZH_CN),
        ("zh-SG", Locale.ZH_CN),
        ("zh-Hans", Locale.ZH_CN),
        ("zh-Hans-HK", Locale.ZH_CN),
        ("zh-Hant", Locale.ZH_HK),
        ("zh-hant-cn", Locale.ZH_HK),
        ("ZH-TW", Locale.ZH_HK),
        ("zh-MO", Locale.ZH_HK),
        ("zh-HK", Locale.ZH_HK),
        ("fr", None),
        ("*", None),
        ("", None),
        ("english", None),
    ],
)
def test_a_language_tag_is_one_of_the_houses_languages_or_none(tag: str, locale: Locale | None) -> None:
    assert locale_of(tag) is locale


@pytest.mark.parametrize(
    ("accepted", "locale"),
    [
        ("", None),
        ("fr, de;q=0.9", None),
        ("fr, zh-TW;q=0.8, en;q=0.9", Locale.EN),
        ("zh-HK,zh;q=0.9,en-US;q=0.8", Locale.ZH_HK),
        ("en;q=0, zh-CN;q=0.1", Locale.ZH_CN),
        ("en;q=0.5, zh;q=0.5", Locale.EN),  # of equals the first
        ("zh;q=1.0000, en;q=x", None),
        ("en;q=٠", None),
        (",;q=1,,", None),
        ("zh-" + "x-" * 5000, Locale.ZH_CN),
    ],
)
def test_what_weighs_most_is_preferred(accepted: str, locale: Locale | None) -> None:
    assert preferred(accepted) is locale


def offer(answer: Answer) -> list[dict[str, str]]:
    return [a for a in answer.page.all("a") if a.get("rel") == "nofollow"]


async def test_another_language_is_offered_in_its_own_words_and_nobody_is_sent_there() -> None:
    answer = await ask(HOUSE, "/pricing?in=500&all=1", {"accept-language": "zh-TW,en;q=0.5"})
    assert answer.status == 200
    assert next(answer.page.all("html"))["lang"] == "en"
    there, here = offer(answer)
    assert (there["lang"], there["hreflang"]) == ("zh-HK", "zh-HK")
    assert there["href"] == "/zh-HK/pricing?all=1&in=500&language=zh-HK"
    assert here["href"] == "/pricing?all=1&in=500&language=en"
    assert "本頁備有繁體中文版本。" in answer.text
    assert "Accept-Language" in re.split(r",\s*", answer.headers["vary"])


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/pricing", {}),
        ("/pricing", {"accept-language": "fr"}),
        ("/pricing", {"accept-language": "en-GB, zh;q=0.9"}),
        ("/zh-CN/pricing", {"accept-language": "zh"}),
        ("/pricing", {"accept-language": "zh", "cookie": "language=en"}),
        ("/pricing", {"accept-language": "zh", "cookie": "theme=dark; language=zh-CN"}),
    ],
)
async def test_nothing_is_offered_to_who_has_what_they_asked_for_or_chose(path: str, headers: dict[str, str]) -> None:
    assert not offer(await ask(HOUSE, path, headers))


async def test_who_chose_nonsense_is_offered_a_language_still() -> None:
    assert offer(await ask(HOUSE, "/pricing", {"accept-language": "zh", "cookie": "language=klingon"}))


async def test_a_page_with_an_offer_is_kept_apart_from_one_without_and_files_are_kept_once() -> None:
    mine = House(showroom())
    plain = await ask(mine, "/pricing")
    offered = await ask(mine, "/pricing", {"accept-language": "zh"})
    assert plain.headers["etag"] != offered.headers["etag"]
    again = await ask(mine, "/pricing", {"accept-language": "fr", "if-none-match": plain.headers["etag"]})
    assert again.status == 304
    assert (await ask(mine, "/pricing", {"accept-language": "en-US"})).body == plain.body
    assert len(mine._kept._answers) == 2
    for path in ("/llms.txt", "/favicon.svg", "/pricing.md", "/pricing.json"):
        kept = len(mine._kept._answers)
        for language in ("zh", "en", "zh-TW"):
            await ask(mine, path, {"accept-language": language})
        assert len(mine._kept._answers) == kept + 1, path


async def test_a_choice_is_kept_in_a_cookie_and_leads_to_the_page_without_scripts() -> None:
    answer = await ask(HOUSE, "/models?in=image&in=text&q=a%26b&language=zh-CN", {"accept-language": "zh"})
    assert (answer.status, answer.headers["cache-control"]) == (303, "no-store")
    there = urlsplit(answer.headers["location"])
    assert there.path == "/zh-CN/models"
    assert sorted(parse_qsl(there.query)) == [("in", "image"), ("in", "text"), ("q", "a&b")]
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("language=zh-CN; Path=/;")
    page = await ask(HOUSE, "/models", {"accept-language": "zh", "cookie": cookie.partition(";")[0]})
    assert not offer(page)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/models?language=klingon", 200),
        ("/models?language=", 200),
        ("/no-such?language=en", 404),
        ("//evil.example?language=en", 404),
        ("/models?language=en%0d%0ax:%20y", 200),
    ],
)
async def test_only_a_language_of_the_house_at_a_page_of_the_house_is_a_choice(path: str, status: int) -> None:
    answer = await ask(HOUSE, path)
    assert answer.status == status
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/models?q=%22%3E%3Cb%3E&in=image&in=text", "/zh-HK/pricing?in=5", "/zh-CN/status"])
async def test_the_switch_of_languages_keeps_what_a_page_is_asked(path: str) -> None:
    page = (await ask(HOUSE, path)).page
    query = sorted(parse_qsl(urlsplit(path).query))
    switch = [a["href"] for a in page.all("a") if "data-language" in a]
    assert len(switch) == len(Locale)
    assert all(sorted(parse_qsl(urlsplit(href).query)) == query for href in switch)
    assert not list(page.all("b"))


@pytest.mark.parametrize("locale", list(Locale))
async def test_pages_and_twins_name_the_index_of_their_own_language(locale: Locale) -> None:
    mine = f"{locale.prefix}/llms.txt"
    for path in ("/docs", "/docs/quickstart", "/models", "/status"):
        page = await ask(HOUSE, f"{locale.prefix}{path}")
        named = {href for href in page.page.links if href.endswith("llms.txt")}
        assert named == {mine}, path
        twin = (await ask(HOUSE, f"{locale.prefix}{path}.md")).text
        assert f"http://portico.example:8080{mine}\n" in twin
        if locale is not Locale.EN:
            assert "8080/llms.txt" not in twin, path


@pytest.mark.parametrize("locale", list(Locale))
def test_the_index_lists_every_page_that_is_made_of_data(locale: Locale) -> None:
    index = machine.llms(locale, ROOM, "http://x")
    for path in ("/models", "/pricing", "/status", "/changes", "/conformance"):
        assert f"(http://x{locale.prefix}{path}.md)" in index, path


@pytest.mark.parametrize("locale", [Locale.ZH_CN, Locale.ZH_HK])
@pytest.mark.parametrize("path", ["/nothing-is-here", "/models/nothing-is-called-so", "/models", "/docs/chat"])
async def test_no_chinese_sentence_has_a_space_before_the_next(locale: Locale, path: str) -> None:
    text = (await ask(HOUSE, f"{locale.prefix}{path}".rstrip("/"))).text
    prose = re.sub(r"<(pre|script|svg)\b.*?</\1>|<[^>]+>", "", text, flags=re.DOTALL)
    assert re.findall(r".{0,12}[。！？；：，、] +[\u3400-\u9fff「“].{0,12}", prose) == []
