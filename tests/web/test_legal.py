"""Terms, privacy, and whom to write to: what an operator has said, and what is said where they have not."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from portico.config import ConfigError, RetentionConfig, load_config
from portico.web.addresses import Address, Form, Locale
from portico.web.house import House
from portico.web.showroom import KEEPING, Keeping
from web.rooms import NOW, ROOM, ask

LOCALES = tuple(Locale)
NAMES = ("terms", "privacy")


def house(**changes: Any) -> House:
    return House(msgspec.structs.replace(ROOM, **changes))


# -- security.txt ------------------------------------------------------------------------------------------------------

SECURITY = "/.well-known/security.txt"


async def test_security_txt_has_a_contact_and_a_day_on_which_it_ends() -> None:
    answer = await ask(house(contact="mailto:security@portico.example"), SECURITY)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == "mailto:security@portico.example"
    assert fields["Canonical"] == f"http://portico.example:8080{SECURITY}"
    until = datetime.fromisoformat(fields["Expires"])
    assert until.tzinfo == UTC
    assert timedelta(days=90) < until - NOW < timedelta(days=365), "RFC 9116 2.5.5"
    assert answer.text.count("Expires: ") == 1


async def test_without_a_contact_it_is_said_in_words_that_there_is_none() -> None:
    answer = await ask(house(), SECURITY)
    assert (answer.status, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert "contact" in answer.text


# -- the texts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NAMES)
async def test_every_page_leads_to_terms_and_privacy(name: str, locale: Locale) -> None:
    for path in ("/", "/docs", "/models"):
        assert str(Address(f"/legal/{name}", locale)) in (await ask(house(), str(Address(path, locale)))).page.links
    assert (await ask(house(), str(Address(f"/legal/{name}", locale)))).status == 200


def test_what_a_page_says_is_kept_for_so_long_is_so_by_default() -> None:
    settings = RetentionConfig()
    assert {name: getattr(settings, name) for name in Keeping.__struct_fields__} == msgspec.structs.asdict(KEEPING)


@pytest.mark.parametrize("form", [Form.HTML, Form.MARKDOWN])
@pytest.mark.parametrize("locale", LOCALES)
async def test_privacy_tells_for_how_long_this_portico_keeps_what(locale: Locale, form: Form) -> None:
    own = Keeping(receipts_days=411, usage_days=822, idempotency_hours=33, vault_hours=44, responses_days=55)
    text = (await ask(house(keeping=own), str(Address("/legal/privacy", locale, form)))).text
    for figure in msgspec.structs.astuple(own):
        assert re.search(rf"\b{figure} ?(?:days|hours|天|小时|日|小時)", text), figure


async def test_privacy_says_one_day_and_one_hour() -> None:
    one = Keeping(receipts_days=1, usage_days=1, idempotency_hours=1, vault_hours=1, responses_days=1)
    text = (await ask(house(keeping=one), "/legal/privacy.md")).text
    assert (len(re.findall(r"\b1 (?:day|hour)\b", text)), re.findall(r"\b1 (?:day|hour)s", text)) == (5, [])


@pytest.mark.parametrize(
    ("locale", "title", "body", "lang"),
    [
        (Locale.EN, "Our rules", "Be kind", None),
        (Locale.ZH_HK, "守則", "待人以誠", None),
        (Locale.ZH_CN, "Our rules", "Be kind", "en"),
    ],
)
async def test_the_operators_own_text_stands_instead(locale: Locale, title: str, body: str, lang: str | None) -> None:
    mine = house(
        legal={
            ("terms", "en"): "# Our rules\n\n## First\n\nBe **kind**. <b>no tag</b> See [prices](/pricing).\n",
            ("terms", "zh-HK"): "# 守則\n\n待人以誠。\n",
        }
    )
    answer = await ask(mine, str(Address("/legal/terms", locale)))
    seen = re.sub("<[^>]+>", "", answer.text)
    assert f"{title}</h1>" in answer.text
    assert body in seen
    assert "<b>no tag" not in answer.text
    assert len(list(answer.page.all("h1"))) == 1
    assert [attrs["lang"] for attrs in answer.page.all("div") if "lang" in attrs] == ([lang] if lang else [])
    twin = await ask(mine, str(Address("/legal/terms", locale, Form.MARKDOWN)))
    assert twin.front["title"] == title
    assert (await ask(mine, "/legal/privacy")).text == (await ask(house(), "/legal/privacy")).text


# -- the configuration -------------------------------------------------------------------------------------------------


def configured(folder: Path, lines: str) -> Any:
    (folder / "portico.toml").write_text(f"[web]\n{lines}\n", encoding="utf-8")
    return load_config(environment={}, folder=folder).web


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("security@portico.example", "mailto:security@portico.example"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("https://portico.example/security", "https://portico.example/security"),
        ("tel:+1-201-555-0123", "tel:+1-201-555-0123"),
    ],
)
def test_a_contact_is_an_address(tmp_path: Path, said: str, told: str) -> None:
    assert configured(tmp_path, f'contact = "{said}"').contact == told


@pytest.mark.parametrize("said", ["somebody", "http://portico.example", "a b@c", "a@b\\nExpires: never", ""])
def test_what_is_no_address_is_no_contact(tmp_path: Path, said: str) -> None:
    with pytest.raises(ConfigError):
        configured(tmp_path, f'contact = "{said}"')


def test_the_texts_of_a_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    for name in ("terms.md", "terms.zh-CN.md", "privacy.md", "other.md"):
        (tmp_path / "texts" / name).write_text(name, encoding="utf-8")
    assert configured(tmp_path, 'legal = "texts"').legal == {
        ("terms", "en"): "terms.md",
        ("terms", "zh-CN"): "terms.zh-CN.md",
        ("privacy", "en"): "privacy.md",
    }


@pytest.mark.parametrize("names", [(), ("terms.zh-CN.md",)])
def test_a_folder_without_a_text_for_everybody_is_an_error(tmp_path: Path, names: tuple[str, ...]) -> None:
    (tmp_path / "texts").mkdir()
    for name in names:
        (tmp_path / "texts" / name).write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError):
        configured(tmp_path, 'legal = "texts"')
