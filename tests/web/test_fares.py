"""How models fare, on their pages: the figures are those of the calls, and what is not known is said to be unknown."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.routing.traffic import BOUNDS_MS, SLOT_S, SLOTS, within_ms
from portico.web import chart, words
from portico.web.addresses import Address, Form, Locale
from portico.web.house import House
from portico.web.showroom import Day, Showroom, Traffic
from portico.web.site import shelf
from portico.web.site.status import DRAWN, troubles
from portico.web.words import wait
from web.rooms import CATALOG, HOUSE, NOW, ask, showroom

FIRST = (int(NOW.timestamp()) // SLOT_S - SLOTS + 1) * SLOT_S


def day(**slots: tuple[int, int, dict[int, int]]) -> tuple[Traffic, ...]:
    """A day of which some slots (`s0` … `s89`) had calls: (calls, failed, waits)."""
    at = {int(name[1:]): told for name, told in slots.items()}
    return tuple(Traffic(FIRST + number * SLOT_S, *at.get(number, (0, 0, {}))) for number in range(SLOTS))


TRAFFIC: Mapping[str, tuple[Traffic, ...]] = {
    "gemini-3.5-flash": day(s0=(1000, 1, {250: 500, 630: 499}), s89=(10, 0, {10: 10})),
    "gpt-5.5": day(s40=(40, 4, {1250: 30, 31_500: 6})),
    "claude-opus-5-5": day(s40=(29, 2, {100: 27})),
    "gemini-2.5-flash": day(s7=(60, 60, {})),
}
PROVIDERS: Mapping[str, Mapping[str, tuple[Traffic, ...]]] = {
    "gpt-5.5": {
        "openai": day(s40=(60, 24, {1250: 30, 31_500: 6})),
        "second": day(s41=(3, 0, {100: 3})),
    },
}
CALLED = House(showroom(traffic=TRAFFIC, providers=PROVIDERS))


async def silent() -> Day:
    return Day()


def unread() -> House:
    """One whose figures cannot be read."""
    room = showroom()
    return House(Showroom(**{name: getattr(room, name) for name in room.__struct_fields__} | {"traffic": silent}))


def cells(page: str) -> dict[str, list[str]]:
    """The rows of the first table: by model, what its cells say."""
    body = page.partition("<tbody")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in body.split("<tr")[1:]]
    told = [[re.sub(r"<small>.*?</small>|<[^>]+>", "", cell).strip() for cell in row] for row in rows]
    return {row[0]: [row[1], *row[3:]] for row in told}


async def test_the_status_page_says_of_each_model_what_its_callers_got() -> None:
    page = await ask(CALLED, "/status")
    assert cells(page.text) == {
        "gemini-2.5-flash": ["Failing", "0.0 %", "60", "60", "–", "–"],
        "gpt-5.5": ["Failing", "90.0 %", "40", "4", "1.25 s", "31.5 s"],
        "openai": ["Failing", "60.0 %", "60", "24", "1.25 s", "31.5 s"],
        "second": ["Too few calls", "–", "3", "0", "–", "–"],
        "claude-opus-5-5": ["Too few calls", "–", "29", "2", "–", "–"],
        "gemini-3.5-flash": ["Fine", "99.9 %", "1,010", "1", "250 ms", "630 ms"],
    }
    assert "as of" in page.text
    assert "2026-11-28 12:00 UTC" in page.text


async def test_the_twins_of_the_status_page_say_the_same() -> None:
    told = (await ask(CALLED, "/status.json")).json
    assert (told["at"], told["hours"]) == (NOW.isoformat(), 24)
    assert told["data"][1] == {
        "id": "gpt-5.5",
        "verdict": "failing",
        "calls": 40,
        "failed": 4,
        "success_permille": 900,
        "first_event_p50_ms": 1250,
        "first_event_p95_ms": 31_500,
        "providers": [
            {
                "provider": "openai",
                "verdict": "failing",
                "calls": 60,
                "failed": 24,
                "success_permille": 600,
                "first_event_p50_ms": 1250,
                "first_event_p95_ms": 31_500,
            },
            {
                "provider": "second",
                "verdict": "too_few_calls",
                "calls": 3,
                "failed": 0,
                "success_permille": None,
                "first_event_p50_ms": None,
                "first_event_p95_ms": None,
            },
        ],
    }
    assert told["data"][2] == {
        "id": "claude-opus-5-5",
        "verdict": "too_few_calls",
        "calls": 29,
        "failed": 2,
        "success_permille": None,
        "first_event_p50_ms": None,
        "first_event_p95_ms": None,
        "providers": [],
    }
    assert "gpt-5.4" in told["no_traffic"]
    assert not {row["id"] for row in told["data"]} & set(told["no_traffic"])
    twin = (await ask(CALLED, "/status.md")).text
    at = "http://portico.example:8080/status"
    assert f"| [gpt-5.5]({at}/gpt-5.5.md) | what callers got | Failing | 90.0 % | 40 | 4 | 1.25 s | 31.5 s |" in twin
    assert "| gpt-5.5 | openai | Failing | 60.0 % | 60 | 24 | 1.25 s | 31.5 s |" in twin
    assert (
        f"| [claude-opus-5-5]({at}/claude-opus-5-5.md) | what callers got | Too few calls | – | 29 | 2 | – | – |"
        in twin
    )


@pytest.mark.parametrize("locale", list(Locale))
async def test_a_model_has_a_status_of_its_own_in_every_form(locale: Locale) -> None:
    path = Address("/status/gpt-5.5", locale)
    page = await ask(CALLED, str(path))
    assert (page.status, next(page.page.all("html"))["lang"]) == (200, locale.value)
    assert cells(page.text).keys() >= {"2026-11-27 22:56 UTC"}
    providers = page.text.partition('id="providers"')[2]
    assert list(cells(providers)) == ["openai", "second"]
    for href in page.page.links:
        target = href.partition("#")[0]
        assert not target or target.startswith(("/openapi", "/sign-in")) or (await ask(CALLED, target)).status == 200, (
            href
        )
    twin = await ask(CALLED, str(path.as_form(Form.MARKDOWN)))
    assert (twin.front["model"], twin.front["locale"]) == ("gpt-5.5", locale.value)
    assert "| openai |" in twin.text
    told = (await ask(CALLED, str(path.as_form(Form.JSON)))).json
    assert (told["id"], told["calls"], told["providers"][0]["failed"]) == ("gpt-5.5", 40, 24)
    slot = FIRST + 40 * SLOT_S
    when = [datetime.fromtimestamp(at, UTC).isoformat() for at in (slot, slot + SLOT_S)]
    assert told["troubles"] == [{"from": when[0], "to": when[1], "calls": 40, "failed": 4}]
    assert [step["from"] for step in told["slots"]] == when[:1]


async def test_an_alias_has_no_status_beside_its_models_and_who_is_not_served_has_none() -> None:
    alias = await ask(CALLED, "/status/gpt-5.5-2026-04-23.json")
    assert (alias.status, alias.headers["location"]) == (308, "/status/gpt-5.5.json")
    assert (await ask(CALLED, "/status/no-such")).status == 404
    assert (await ask(House(showroom(vendors=("google",))), "/status/gpt-5.5")).status == 404


async def test_no_traffic_has_a_word_of_its_own() -> None:
    told = (await ask(CALLED, "/status/gpt-5.4.json")).json
    assert (told["verdict"], told["calls"], told["troubles"]) == ("no_traffic", 0, [])
    assert "No traffic" in (await ask(CALLED, "/status/gpt-5.4")).text
    unknown = (await ask(unread(), "/status/gpt-5.4.json")).json
    assert (unknown["verdict"], unknown["calls"]) == ("unknown", None)
    assert re.search(r"No traffic: \d+ models", (await ask(CALLED, "/status")).text)


def test_a_trouble_is_a_stretch_of_failures_and_never_of_a_few_calls() -> None:
    counted = {1: (100, 5), 2: (100, 6), 4: (100, 50), 5: (100, 0), 9: (29, 29), 10: (10, 0), 20: (30, 2)}
    found = troubles(day(**{f"s{number}": (*pair, {}) for number, pair in counted.items()}))
    told = [((one.from_s - FIRST) // SLOT_S, (one.to_s - FIRST) // SLOT_S, one.calls, one.failed) for one in found]
    assert told == [(20, 21, 30, 2), (2, 5, 200, 56)]


async def test_of_very_many_models_only_so_many_days_are_drawn_and_all_are_named() -> None:
    every = {row.name: day(s1=(40, 1, {100: 39})) for row in CATALOG.models.values()}
    house = House(showroom(traffic=every, providers={name: {"one": slots} for name, slots in every.items()}))
    page = await ask(house, "/status")
    assert page.text.count('<svg class="bars"') == DRAWN
    told = (await ask(house, "/status.json")).json["data"]
    assert {row["id"] for row in told} <= {link.removeprefix("/status/") for link in page.page.links}
    assert page.text.count("what callers got") == DRAWN // 2


async def test_a_models_page_says_it_in_words_in_bars_and_as_a_table() -> None:
    page = await ask(CALLED, "/models/gpt-5.5")
    assert "90.0 % of 40 calls" in page.text
    assert "half within 1.25 s, 95 % within 31.5 s" in page.text
    assert len(list(page.page.all("path", **{"class": "bad"}))) == 1
    slot = datetime.fromtimestamp(FIRST + 40 * SLOT_S, UTC)
    assert page.text.count(f'datetime="{slot.isoformat()}"') == 1
    told = (await ask(CALLED, "/models/gpt-5.5.json")).json
    assert (told["calls_24h"], told["failed_24h"], told["success_permille_24h"]) == (40, 4, 900)
    assert told["slots_24h"] == [
        {
            "from": slot.isoformat(),
            "calls": 40,
            "failed": 4,
            "first_event_p50_ms": 1250,
            "first_event_p95_ms": 31_500,
        }
    ]
    assert "half within 1.25 s, 95 % within 31.5 s" in (await ask(CALLED, "/models/gpt-5.5.md")).text


async def test_of_few_calls_no_more_is_said_than_how_many_there_were() -> None:
    page = await ask(CALLED, "/models/claude-opus-5-5")
    assert "29 calls, 2 failed: too few to say more." in page.text
    assert "half within" not in page.text
    told = (await ask(CALLED, "/models/claude-opus-5-5.json")).json
    assert (told["calls_24h"], told["failed_24h"]) == (29, 2)
    assert (told["success_permille_24h"], told["first_event_p50_ms_24h"]) == (None, None)


async def test_nothing_is_said_of_a_model_that_nobody_called() -> None:
    for house in (CALLED, HOUSE):
        page = await ask(house, "/models/gpt-5.4")
        assert "No calls." in page.text
        assert "<svg class=" not in page.text
        told = (await ask(house, "/models/gpt-5.4.json")).json
        assert (told["calls_24h"], told["slots_24h"]) == (0, [])
    assert (await ask(HOUSE, "/status.json")).json["data"] == []
    assert "No model was called" in (await ask(HOUSE, "/status")).text


async def test_what_cannot_be_read_is_no_silence_of_callers() -> None:
    house = unread()
    for path in ("/status", "/models/gpt-5.5"):
        page = (await ask(house, path)).text
        assert "The figures cannot be read right now." in page
        assert "No model was called" not in page
        assert "No calls." not in page
    assert (await ask(house, "/status.json")).json["at"] is None
    assert (await ask(house, "/models/gpt-5.5.json")).json["calls_24h"] is None
    assert "no traffic" not in (await ask(house, "/models")).text


async def test_the_catalog_shows_it_in_its_last_column() -> None:
    page = (await ask(CALLED, "/models?q=gpt-5.5")).text
    assert "90.0 %" in page
    assert "of 40 calls" in page
    assert "half in 1.25 s" in page


@pytest.mark.parametrize("locale", [Locale.ZH_CN, Locale.ZH_HK])
async def test_all_of_it_is_said_in_chinese(locale: Locale, monkeypatch: pytest.MonkeyPatch) -> None:
    missing: set[str] = set()
    known = words.translations(locale)
    original = words.Say.__call__

    def say(self: words.Say, text: str, **values: object) -> str:
        missing.update({text} - known.keys() - {"Portico"})
        return original(self, text, **values)

    monkeypatch.setattr(words.Say, "__call__", say)
    room = showroom(traffic=TRAFFIC)
    simulated = House(Showroom(**{name: getattr(room, name) for name in room.__struct_fields__} | {"simulated": True}))
    for house in (CALLED, simulated, unread()):
        names = (*TRAFFIC, "gpt-5.4")
        for path in ("/status", "/models", *[f"{room}/{name}" for room in ("/models", "/status") for name in names]):
            for form in (Form.HTML, Form.MARKDOWN):
                assert (await ask(house, str(Address(path, locale, form)))).status == 200
    assert not missing


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=SLOTS))
def test_the_figures_of_a_day_are_those_of_its_slots(counts: list[tuple[int, int]]) -> None:
    slots = tuple(
        Traffic(FIRST + n * SLOT_S, ok + bad, bad, {BOUNDS_MS[ok]: ok} if ok else {})
        for n, (ok, bad) in enumerate(counts)
    )
    state = shelf.state_of(slots)
    calls, failed = sum(sum(pair) for pair in counts), sum(bad for _, bad in counts)
    assert (state.calls, state.failed) == (calls, failed)
    waits = sorted(BOUNDS_MS[ok] for ok, _ in counts for _ in range(ok))
    if len(waits) < shelf.FEW:
        assert (state.p50_ms, state.p95_ms) == (None, None)
    else:
        assert state.p50_ms == waits[-(-len(waits) // 2) - 1]
        assert state.p95_ms == waits[-(-len(waits) * 95 // 100) - 1]
    if calls < shelf.FEW:
        assert state.success_permille is None
    else:
        assert state.success_permille is not None
        assert (state.success_permille == 1000) == (failed == 0)


BAR = re.compile(r"M(\d+) (\d+)v(\d+)")


def bars(path: str) -> dict[int, tuple[int, int]]:
    """Which slot -> (top, height)."""
    assert re.fullmatch(rf"(?:{BAR.pattern})*", path)
    return {int(x) // chart.STEP: (int(top), int(height)) for x, top, height in BAR.findall(path)}


def runs(path: str) -> set[int]:
    """Which slots a stroke from left to right is broken into, each 3 wide and 1 from the next."""
    found: set[int] = set()
    for x, width in re.findall(r"M([\d.]+) \d+h(\d+)", path):
        first, count = divmod(float(x) - 0.5, chart.STEP)[0], (int(width) + 1) / chart.STEP
        assert (float(x) - 0.5) % chart.STEP == 0
        assert count == int(count) > 0
        found |= set(range(int(first), int(first + count)))
    return found


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=SLOTS))
def test_each_bar_is_whole_and_what_failed_can_be_seen(counts: list[tuple[int, int]]) -> None:
    drawn = chart.shares([Traffic(n, ok + bad, bad) for n, (ok, bad) in enumerate(counts)])
    good, bad, none = runs(drawn.ok), bars(drawn.bad), runs(drawn.none)
    for number, (ok, failed) in enumerate(counts):
        assert (number in none) == (ok + failed == 0)
        assert (number in good, number in bad) == (ok > 0, failed > 0)
        if failed:  # what failed is drawn over what was answered, and leaves some of that to be seen
            top, height = bad[number]
            assert top == 0
            assert height >= chart.LEAST
            assert (chart.HEIGHT - height >= chart.LEAST) == (ok > 0)


WAITS = st.dictionaries(st.sampled_from(BOUNDS_MS), st.integers(1, 9), max_size=5)


@given(st.lists(WAITS, min_size=1, max_size=SLOTS))
def test_a_longer_wait_is_drawn_no_lower(days: list[dict[int, int]]) -> None:
    drawn = chart.spans([Traffic(n, sum(waits.values()), 0, waits) for n, waits in enumerate(days)])
    if drawn is None:
        assert not any(days)
        return
    marks, rest = bars(drawn.half), bars(drawn.most)
    halves = {n: within_ms(waits, 50) for n, waits in enumerate(days) if waits}
    assert marks.keys() == halves.keys()
    assert rest.keys() <= marks.keys()
    for one in marks:
        assert all(marks[one][0] >= marks[other][0] for other in marks if (halves[one] or 0) <= (halves[other] or 0))
        assert 0 <= marks[one][0] <= chart.HEIGHT - chart.MARK
    for number, (top, height) in rest.items():
        assert top >= 0
        assert top + height == marks[number][0]


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [(10, "10 ms"), (800, "800 ms"), (1000, "1 s"), (1250, "1.25 s"), (31_500, "31.5 s"), (800_000, "800 s")],
)
def test_a_wait_is_told_without_rounding(milliseconds: int, told: str) -> None:
    assert wait(milliseconds) == told
