"""The Chinese pages are written, each in the words of its place, and not converted from each other."""

import ast
import re
import warnings
from pathlib import Path

import pytest
import zhconv
from markupsafe import Markup

import portico
from portico.web.addresses import Locale
from portico.web.book import Source, body_of
from portico.web.book import every_source as pages
from portico.web.manual import _PLURALS
from portico.web.words import Say, of_one, translations

MAINLAND = (
    *("什麼", "布林", "函數", "簽署", "開著"),  # words that the pages for Hong Kong have agreed on otherwise
    *(
        "视频",
        "網路",
        "网络",
        "软件",
        "默认",
        "信息",
        "服务器",
        "数据库",
        "缓存",
        "文件夹",
        "菜单",
        "登录",
        "默認",
        "緩存",
        "數據庫",
    ),
    *(
        "服務器",
        "信息",
        "視頻",
        "軟件包",
        "用戶名",
        "程序",
        "調用",
        "令牌",
        "字符串",
        "接口",
        "端口",
        "日志",
        "日誌文件",
        "內存",
        "通過",
    ),
)
"""Words that readers in Hong Kong do not use for these things, in either kind of character."""
HONG_KONG = (
    *("供应商", "收据"),  # and those for the mainland
    *(
        "影片",
        "網絡",
        "網路",
        "檔案",
        "預設",
        "資訊",
        "伺服器",
        "資料庫",
        "快取",
        "串流",
        "呼叫",
        "金鑰",
        "設定",
        "執行",
        "程式",
        "連結",
        "餘額",
    ),
    *("影片", "档案", "预设", "资讯", "伺服器", "快取", "串流", "金钥"),
)
"""And the other way round."""
CODE = re.compile(r"```.*?```|`[^`\n]+`|\{\{.*?\}\}|\]\([^)]*\)", re.DOTALL)


def prose(source: Source) -> str:
    body = CODE.sub("", body_of(source, "http://localhost:8080"))
    return f"{source.title}\n\n{source.summary}\n\n{body}"


with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)  # it leaves its table open when it first reads it
    zhconv.convert("愛", "zh-hans")

PAGES = sorted(pages(Locale.EN))


@pytest.mark.parametrize("path", PAGES)
def test_words_of_the_mainland_stay_off_the_pages_for_hong_kong(path: str) -> None:
    text = prose(pages(Locale.ZH_HK)[path])
    assert [word for word in MAINLAND if word in text] == []


@pytest.mark.parametrize("path", PAGES)
def test_words_of_hong_kong_stay_off_the_pages_for_the_mainland(path: str) -> None:
    text = prose(pages(Locale.ZH_CN)[path])
    assert [word for word in HONG_KONG if word in text] == []


@pytest.mark.parametrize("path", PAGES)
def test_every_character_is_of_its_script(path: str) -> None:
    simplified, traditional = prose(pages(Locale.ZH_CN)[path]), prose(pages(Locale.ZH_HK)[path])
    assert odd(simplified, "zh-hans") == set()
    assert odd(traditional, "zh-hant") - BOTH == set()


BOTH = set("裏群台里只於着麪綫床峰衞晒説")
"""Characters that Hong Kong writes, or that both scripts know, and that a converter changes all the same."""


def odd(text: str, locale: str) -> set[str]:
    """Characters that a conversion to the script would change."""
    return {char for char in text if "\u3400" <= char <= "\u9fff" and zhconv.convert(char, locale) != char}


def plain(text: str) -> str:
    return re.sub(r"[\s\W]+", "", text)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_for_hong_kong_is_a_conversion_of_its_twin(path: str) -> None:
    twin = {plain(zhconv.convert(one, "zh-hk")) for one in paragraphs(pages(Locale.ZH_CN)[path])}
    own = [one for one in paragraphs(pages(Locale.ZH_HK)[path]) if len(plain(one)) >= 24]
    same = [one for one in own if plain(one) in twin]
    assert len(same) * 10 <= len(own), same


def paragraphs(source: Source) -> list[str]:
    return [one for one in re.split(r"\n\s*\n", prose(source)) if not one.lstrip().startswith(("|", "#"))]


def test_the_house_says_nothing_to_hong_kong_in_words_of_the_mainland() -> None:
    told = " ".join(translations(Locale.ZH_HK).values())
    assert [word for word in MAINLAND if word in told] == []
    assert odd(told, "zh-hant") - BOTH == set()
    told = " ".join(translations(Locale.ZH_CN).values())
    assert [word for word in HONG_KONG if word in told] == []
    assert odd(told, "zh-hans") == set()


def test_both_locales_say_everything_with_the_same_places_to_fill() -> None:
    one, other = translations(Locale.ZH_CN), translations(Locale.ZH_HK)
    assert set(one) == set(other)
    places = re.compile(r"%\(\w+\)s|%%")
    for text in one:
        wanted = sorted(places.findall(text))
        assert sorted(places.findall(one[text])) == wanted, text
        assert sorted(places.findall(other[text])) == wanted, text


MADE_UP = (*(f"array of {plural}" for plural in _PLURALS.values()), "Note", "Tip", "Important", "Warning", "Caution")
"""Texts that stand whole in no file: types of the reference, and the alerts of Markdown, as its parser names them."""


def test_everything_that_is_told_in_chinese_is_said_somewhere() -> None:
    home = Path(portico.__file__).parent
    files = [path for path in home.rglob("*") if path.suffix in (".py", ".html", ".md", ".js", ".json", ".toml")]
    constants = {
        node.value
        for path in files
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    plain = "\n".join(path.read_text(encoding="utf-8") for path in files if path.suffix != ".py")
    told = set(translations(Locale.ZH_HK)) - constants - {*MADE_UP}
    assert sorted(text for text in told if text not in plain and text.replace('"', r"\"") not in plain) == []


@pytest.mark.parametrize("markup", [True, False])
@pytest.mark.parametrize(
    ("text", "values", "wanted"),
    [
        ("%(n)s kinds of loss", {"n": 1}, "1 kind of loss"),
        ("%(n)s kinds of loss", {"n": 0}, "0 kinds of loss"),
        ("%(n)s kinds of loss", {"n": "21"}, "21 kinds of loss"),
        ("%(bad)s of %(n)s calls failed", {"bad": "1", "n": "2"}, "1 of 2 calls failed"),
        ("%(bad)s of %(n)s calls failed", {"bad": "1", "n": "1"}, "1 of 1 call failed"),
        ("%(n)s of %(all)s models", {"n": 1, "all": 30}, "1 of 30 models"),
        ("Too many tries. Wait %(minutes)s minutes and try again.", {"minutes": 1}, "Wait a minute"),
    ],
)
def test_of_one_thing_english_says_one(text: str, values: dict[str, object], wanted: str, markup: bool) -> None:
    assert wanted in Say(Locale.EN, markup=markup)(text, **values)
    assert wanted not in Say(Locale.ZH_HK, markup=markup)(text, **values)


COUNTED = re.compile(r"%\((?:n|all|input|minutes|tokens)\)s (?:[a-z]+ )?[a-z]{3,}s\b")
NEVER_ONE = (
    *("days", "Spent on each of the last", "These are more than", "Below", "tokens: the second price", "longer than"),
    *("prompts over", "crosses", "a budget of up to", "An image counts as", "tokens in", "Function", "One job is"),
    *("judgements", "These are the", "calls at once", "rows that measure"),
)
"""In texts of bounds, of lengths that are never so short, and of evidence."""


def test_what_is_counted_in_english_is_said_of_one_too() -> None:
    known = translations(Locale.ZH_CN)
    assert set(of_one()) <= set(known)
    for text, (count, one) in of_one().items():
        assert f"%({count})s" in text
        assert set(re.findall(r"%\(\w+\)s", one)) <= set(re.findall(r"%\(\w+\)s", text)), one
    counted = {text for text in known if COUNTED.search(text)} - set(of_one())
    assert [text for text in counted if not any(one in text for one in NEVER_ONE)] == []


def test_a_script_that_counts_by_itself_is_told_both() -> None:
    text = "Done: %(tokens)s tokens out, %(cost)s"
    told = {"several": text, "count": "tokens", "one": "Done: %(tokens)s token out, %(cost)s"}
    assert Say(Locale.EN, markup=True).counted(text) == told
    assert Say(Locale.ZH_HK, markup=True).counted(text) == translations(Locale.ZH_HK)[text]


@pytest.mark.parametrize("name", ["محطة العمل 11", "כלי-עברית", "\U0001e900\U0001e901"])
def test_a_name_that_is_read_from_the_right_stands_by_itself(name: str) -> None:
    """A sum beside it was drawn on its other side, beside another name."""
    say = Say(Locale.EN, markup=True)
    told = say("%(sum)s for %(model)s by %(key)s", sum="$0.1", model="gpt-5.5", key=name)
    assert told == f"$0.1 for gpt-5.5 by \u2068{name}\u2069"
    assert say("%(name)s", name=f"<b>{name}") == f"\u2068&lt;b&gt;{name}\u2069"
    assert say("%(name)s", name=Markup("<b>%s") % name) == f"\u2068<b>{name}\u2069"
    assert Say(Locale.EN, markup=False)("%(name)s", name=name) == name
    assert say("%(name)s", name="生产 laptop ключ") == "生产 laptop ключ"
