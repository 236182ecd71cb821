"""A page for every client that `portico connect` knows, made of the same data: it shows what the command writes."""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import msgspec
import pytest
import yaml

from portico.catalog import Model, Rates, Tier
from portico.clients import CLIENTS, Client, File, Format, Told
from portico.clients.listed import cards_of
from portico.clients.merge import merge
from portico.http.listing import openai_list
from portico.web import book, connecting, evidence, render, words
from portico.web.addresses import Address, Form, Locale
from portico.web.evidence import Trials, Tried
from portico.web.house import House
from portico.web.page import finished
from portico.web.site.cards import cards
from web.rooms import CATALOG, HOUSE, NOW, ROOM, ask, showroom

BASE_URL: Final = "http://portico.example:8080"
CARDS: Final = finished(cards(ROOM))
BLOCK: Final = re.compile(r"^`~/(?P<path>[^`]+)`\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PARSERS: Final[Mapping[Format, Callable[[str], Any]]] = {
    Format.JSON: json.loads,
    Format.TOML: tomllib.loads,
    Format.YAML: yaml.safe_load,
    Format.ENV: lambda text: dict(line.split("=", 1) for line in text.splitlines()),
}
"""Readers that are none of ours."""
each_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda one: one.name)
each_locale = pytest.mark.parametrize("locale", list(Locale))
DAYS: Final = {Locale.EN: "Nov 28, 2026", Locale.ZH_CN: "2026年11月28日", Locale.ZH_HK: "2026年11月28日"}
TRIALS: Final = Trials(
    rows=(
        *(
            Tried(
                client=client.name,
                title=client.title,
                version="9.8.7",
                api=client.apis[0].name,
                dialect=client.apis[0].dialect,
                models=("gemini-3.5-flash",),
                checks={"text": "passed", "tool": "failed", "image": "not"},
                measured=date(2026, 11, 28),
                portico="0.0.9",
                reasons={"tool": "gemini-3.5-flash: no file came", "image": "it takes no pictures"},
            )
            for client in CLIENTS
        ),
        Tried(
            client="old-sdk",
            title="Old SDK",
            version="4.5.6",
            api="chat",
            dialect="openai_chat",
            models=("gpt-5.5",),
            checks={"text": "passed"},
            reasons={},
            measured=date(2026, 11, 27),
            portico="0.0.8",
        ),
        Tried(
            client="some-sdk",
            title="Some SDK",
            version="1.2.3",
            api="chat",
            dialect="openai_chat",
            models=("gpt-5.5",),
            checks={"text": "passed"},
            reasons={},
            measured=date(2026, 11, 29),
            portico="0.1.0",
        ),
    ),
)


def told(client: Client) -> Told:
    """What the command tells it, asked by nobody in particular."""
    found = connecting.told_by_hand(client, CARDS, BASE_URL)
    assert found is not None
    return found


async def twin(path: str, locale: Locale = Locale.EN, *, house: House = HOUSE) -> str:
    answer = await ask(house, str(Address(path, locale, Form.MARKDOWN)))
    assert answer.status == 200, path
    return answer.text


def blocks(text: str) -> dict[str, str]:
    """What a page says that stands in which file, by its path below the home folder."""
    return {match["path"]: match["text"] for match in BLOCK.finditer(text)}


def test_pages_know_of_models_what_the_command_is_told_when_it_asks() -> None:
    def rates(model: Model, on: date) -> Rates | None:
        offers = ROOM.offers(model)
        return ROOM.rates(model, offers[0], on, Tier.STANDARD) if offers else None

    listed = openai_list(CATALOG, NOW.date(), serves=lambda model: bool(ROOM.offers(model)), rates=rates)
    assert cards_of(listed["data"]) == CARDS
    assert len(CARDS) > 50


@each_client
@each_locale
async def test_every_client_of_the_table_has_a_page_that_the_others_lead_to(client: Client, locale: Locale) -> None:
    path = connecting.page_of(client.name)
    answer = await ask(HOUSE, str(Address(path, locale)))
    assert answer.status == 200
    assert next(text for tag, text in answer.page.pieces if tag == "h1") == client.title
    for there in ("/clients", "/", "/models/gemini-3.8-flash", "/docs/quickstart"):
        assert str(Address(path, locale)) in (await ask(HOUSE, str(Address(there, locale)))).page.links, there
    command = f"portico connect {client.name} --url {BASE_URL} --write"
    assert command in await twin(path, locale)


def test_no_page_tells_of_a_client_that_is_not_in_the_table() -> None:
    known = {client.name for client in CLIENTS}
    for locale in Locale:
        pages = {source.path: source.client for source in book.pages(locale).values()}
        named = {path: name for path, name in pages.items() if name not in ("", "*")}
        assert set(named.values()) == known
        assert all(connecting.page_of(name) == path for path, name in named.items())


@each_client
@each_locale
async def test_the_settings_on_a_page_are_those_that_the_command_writes(client: Client, locale: Locale) -> None:
    found = blocks(await twin(connecting.page_of(client.name), locale))
    wanted = {file.path: file for file in client.files(connecting.few(told(client)))}
    assert set(found) == set(wanted)
    for path, file in wanted.items():
        assert found[path] == merge(file.format, "", file.settings)
        assert PARSERS[file.format](found[path])


@each_client
async def test_a_page_names_a_few_models_and_says_so(client: Client) -> None:
    every = told(client)
    few = connecting.few(every)
    assert len(every.models) > connecting.SHOWN >= len(few.models)
    assert {few.model, few.small} <= set(few.models)
    assert {card.owner for card in few.models} == {card.owner for card in every.models}
    text = await twin(connecting.page_of(client.name))
    names_many = client.files(few) != client.files(msgspec.structs.replace(few, models=(few.model, few.small)))
    assert (f"{len(few.models)} of {len(every.models)} models" in text) == names_many


async def test_who_changes_what_a_client_is_told_changes_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(_: Told) -> tuple[File, ...]:
        return (File(path=".elsewhere/it.toml", format=Format.TOML, settings={"changed": True}),)

    changed = msgspec.structs.replace(CLIENTS[1], files=files, tried="99.1", install="get it")
    monkeypatch.setattr(connecting, "client_named", {changed.name: changed}.get)
    text = await twin(connecting.page_of(changed.name), house=House(showroom()))
    assert blocks(text) == {".elsewhere/it.toml": "changed = true\n"}
    assert "99.1" in text
    assert "`get it`" in text


@each_client
async def test_a_page_tells_of_the_models_of_its_own_portico(client: Client) -> None:
    path = connecting.page_of(client.name)
    for vendors, there, away in ((("openai",), "gpt-", "claude-"), (("anthropic",), "claude-", "gpt-")):
        house = House(showroom(vendors=vendors))
        said = "\n".join(blocks(await twin(path, house=house)).values())
        shown = re.sub("<[^>]+>", "", (await ask(house, path)).text)
        for line in said.splitlines():
            assert line.strip() in shown.replace("&quot;", '"').replace("&#x27;", "'").replace("&#39;", "'")
        assert away not in said
        assert there in said or not said


@each_client
async def test_a_page_says_how_many_models_it_leaves_out_where_the_command_writes_more(client: Client) -> None:
    names = ("gpt-4.1", "gpt-4o")
    room = msgspec.structs.replace(ROOM, offers=lambda model: ROOM.offers(model) if model.name in names else ())
    text = await twin(connecting.page_of(client.name), house=House(room))
    every = connecting.told_by_hand(client, finished(cards(room)), BASE_URL)
    assert every is not None
    written = "".join(merge(file.format, "", file.settings) for file in client.files(every))
    if all(name in written for name in names):
        assert "Listed here: 1 of 2 models. The command writes all of them." in text
    else:
        assert "Listed here" not in text


@each_locale
async def test_where_there_is_no_model_a_page_has_no_settings_and_says_why(locale: Locale) -> None:
    house = House(showroom(vendors=()))
    for client in CLIENTS:
        text = await twin(connecting.page_of(client.name), locale, house=house)
        assert blocks(text) == {}
        assert f"portico connect {client.name} --url" in text
    assert "portico connect codex --write" in await twin("/clients", locale, house=house)


@pytest.mark.parametrize("few", [0, 1, len(CLIENTS)])
async def test_a_run_of_some_clients_leads_to_no_place_that_is_not_there(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "trials", lambda: msgspec.structs.replace(TRIALS, rows=TRIALS.rows[:few]))
    monkeypatch.setattr(render, "_HTML", {})  # pages of another run are kept there
    house = House(showroom())
    paths = ["/clients", "/clients/sdks", *(connecting.page_of(client.name) for client in CLIENTS)]
    for path in paths:
        for href in (await ask(house, path)).page.links:
            there, _, place = href.partition("#")
            if place and there in ("", *paths):
                assert place in (await ask(house, there or path)).page.ids, (path, href)


@pytest.fixture(params=["tried", "untried"])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Trials | None:
    found = TRIALS if request.param == "tried" else None
    monkeypatch.setattr(connecting, "trials", lambda: found)
    return found


@each_locale
async def test_what_clients_proved_is_shown_where_it_was_tried_and_nowhere_else(
    run: Trials | None, locale: Locale
) -> None:
    house = House(showroom())
    for client in CLIENTS:
        text = await twin(connecting.page_of(client.name), locale, house=house)
        assert ("9.8.7" in text) == (run is not None)
        assert (DAYS[locale] in text) == ("0.0.9" in text) == (run is not None)
        assert "0.1.0" not in text
        assert ("it takes no pictures" in text) == (run is not None)
        assert ("`gemini-3.5-flash` | 1/3 |" in text) == (run is not None)
    overview, sdks = await twin("/clients", locale, house=house), await twin("/clients/sdks", locale, house=house)
    assert ("0.1.0" in overview) == (run is not None)
    assert ("Some SDK 1.2.3" in sdks) == ("/clients/sdks.md#proven" in overview) == (run is not None)
    if run is not None:
        say = words.Say(locale, markup=False)
        for day, version, title in ((29, "0.1.0", "Some SDK 1.2.3"), (27, "0.0.8", "Old SDK 4.5.6")):
            told = next(part for part in sdks.split("\n\n|")[1:] if title in part)
            before = sdks.partition(told)[0].rstrip("|\n").rpartition("\n")[2]
            assert say.day(date(2026, 11, day)) in before, day
            assert f"Portico {version}" in before, day
    assert not re.search(r"\|\n\n\|", overview + sdks)


def test_what_make_clients_wrote_down_can_be_read() -> None:
    run = evidence.trials()
    if run is not None:
        assert run.rows
        assert {state for row in run.rows for state in row.checks.values()} <= {"passed", "failed", "not"}
        assert all(set(row.reasons) <= set(row.checks) for row in run.rows)


@pytest.mark.parametrize("locale", [Locale.ZH_CN, Locale.ZH_HK])
def test_what_a_client_itself_cannot_do_is_said_in_chinese(locale: Locale) -> None:
    run = evidence.trials()
    rows = () if run is None else run.rows
    said = {row.reasons.get(name, "") for row in rows for name, state in row.checks.items() if state == "not"}
    known = words.translations(locale)
    assert {reason for reason in said if not reason.startswith("cannot be installed: ")} <= known.keys()


async def test_a_client_that_cannot_be_installed_is_told_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = msgspec.structs.replace(
        TRIALS.rows[-1], checks={"text": "not"}, reasons={"text": "cannot be installed: no such package"}
    )
    monkeypatch.setattr(connecting, "trials", lambda: msgspec.structs.replace(TRIALS, rows=(lacking,)))
    text = await twin("/clients/sdks", Locale.ZH_CN, house=House(showroom()))
    assert "text：无法安装：no such package" in text


async def test_what_was_not_passed_is_told_once_for_all_apis(monkeypatch: pytest.MonkeyPatch) -> None:
    first = msgspec.structs.replace(TRIALS.rows[-1], checks={"tool": "not", "result": "not"})
    lacking = msgspec.structs.replace(first, reasons={"tool": "it has none", "result": "it has none"})
    rows = (lacking, msgspec.structs.replace(lacking, api="responses"))
    monkeypatch.setattr(connecting, "trials", lambda: msgspec.structs.replace(TRIALS, rows=rows))
    text = await twin("/clients/sdks", house=House(showroom()))
    assert text.count("it has none") == 1
    assert "- Some SDK, `chat`, `responses`: tool, result: it has none" in text


@each_client
async def test_a_page_is_data_too(client: Client) -> None:
    data: Mapping[str, Any] = (await ask(HOUSE, f"{connecting.page_of(client.name)}.json")).json
    assert (data["name"], data["tried"]) == (client.name, client.tried)
    assert {f"~/{path}": text for path, text in blocks(await twin(connecting.page_of(client.name))).items()} == {
        one["path"]: one["text"] for one in data["blocks"]
    }
    every = (await ask(HOUSE, "/clients.json")).json["clients"]
    assert [one["name"] for one in every] == [one.name for one in CLIENTS]
