"""What the pages show as evidence is what was written down, and what was written down adds up."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from bench import evidence as maker
from bench import page, rows
from bench.contenders import Contender
from portico.catalog import Tier
from portico.core.usage import Usage
from portico.metering.charge import FEMTOS, charge
from portico.web import evidence, labels, money, words
from portico.web.addresses import Address, Form, Locale
from portico.web.evidence import Machine, Measured, number
from portico.web.house import House
from portico.web.site import benchmarks, conformance, landing
from portico.web.slip import Slip
from web.rooms import CATALOG, ROOM, ask

LOCALES = tuple(Locale)
FORMS = (Form.HTML, Form.MARKDOWN)
MILLION: Final = 1_000_000


def told() -> evidence.Sample:
    kept = evidence.sample()
    assert kept is not None
    return kept


def race() -> evidence.Race:
    kept = evidence.race()
    assert kept is not None
    return kept


async def text_of(path: str, locale: Locale, form: Form, house: House | None = None) -> str:
    """A page as a reader sees it: without tags, and without the digits that only align a price."""
    answer = await ask(house or House(ROOM), str(Address(path, locale, form)))
    assert answer.status == 200
    if form is Form.MARKDOWN:
        return answer.text
    seen = re.sub(r'<span class="pad"[^>]*>[^<]*</span>', "", answer.text)
    return re.sub(r"<[^>]+>", " ", seen)


# -- the receipt -------------------------------------------------------------------------------------------------------


def test_every_line_of_the_sample_is_count_times_price_and_they_add_up() -> None:
    slip = told().slip
    for line in slip.lines:
        assert line.rate_nanos is not None
        assert line.unit == "mtok"
        assert line.amount_femtos == line.count * line.rate_nanos  # nano-dollars a million, times tokens
    exact = slip.femtos * slip.markup_permille
    assert slip.charge_nanos == -(-exact // (FEMTOS * 1000)), "rounded once, up"
    assert told().before_nanos - slip.charge_nanos == told().after_nanos
    assert slip.charge_nanos <= slip.hold_nanos


def test_the_price_book_charges_the_sample_the_same() -> None:
    slip = told().slip
    row = CATALOG.models[slip.model]
    rates = ROOM.rates(
        row, ROOM.offers(row)[0], datetime.fromtimestamp(slip.at_us // MILLION, UTC).date(), Tier.STANDARD
    )
    charged = charge(Usage(**slip.usage), {}, rates)  # type: ignore[arg-type]
    assert charged.nanos == slip.charge_nanos
    shown = [(line.item, line.detail, line.count, line.rate_nanos, line.amount_femtos) for line in slip.lines]
    assert [
        (line.item, line.detail, line.count, line.rate_nanos, line.amount_femtos) for line in charged.lines
    ] == shown
    assert [line.effective_from for line in charged.lines] == [line.effective_from for line in slip.lines]
    assert {line.item for line in slip.lines} <= labels.LINES.keys()


def test_the_sample_has_one_try_that_failed_and_then_one_that_answered() -> None:
    outcomes = [one.outcome for one in told().slip.tries]
    assert len(outcomes) == 2
    assert outcomes[0] != "ok"
    assert outcomes[1] == "ok"
    assert told().slip.provider == told().slip.tries[1].provider
    assert all(one.provider.startswith("simulated") for one in told().slip.tries)


def shape(value: Any) -> Any:
    """A value without what it says: its fields and their kinds. Counts by modality keep their names."""
    match value:
        case dict():
            return {name: shape(item) for name, item in value.items()}
        case list():
            kinds = [shape(item) for item in value]
            return [kind for number, kind in enumerate(kinds) if kind not in kinds[:number]]
    return type(value).__name__


async def test_the_sample_has_the_shape_that_a_running_portico_gives_today(tmp_path: Path) -> None:
    made = await maker.made_receipt(tmp_path)
    assert shape(made) == shape(msgspec.to_builtins(told()))
    now = msgspec.convert(made["receipt"], Slip)
    assert (now.lines, now.charge_nanos, now.hold_nanos) == (
        told().slip.lines,
        told().slip.charge_nanos,
        told().slip.hold_nanos,
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("locale", LOCALES)
async def test_the_page_shows_every_amount_of_the_sample(locale: Locale, form: Form) -> None:
    text = await text_of("/receipts/sample", locale, form)
    slip = told().slip
    for line in slip.lines:
        assert line.rate_nanos is not None
        for shown in (words.whole(line.count), money.usd(line.rate_nanos), money.exact(line.amount_femtos)):
            assert shown in text
    for nanos in (slip.charge_nanos, slip.hold_nanos, slip.hold_nanos - slip.charge_nanos):
        assert money.usd(nanos) in text
    for nanos in (told().before_nanos, told().after_nanos):
        assert money.usd(nanos) in text
    for said in (slip.request_id, told().key_name, *(one.provider for one in slip.tries)):
        assert said in text
    amounts = set(re.findall(r"\$[0-9][0-9,]*\.[0-9]+", text.partition("LiteLLM")[0]))
    known = {money.usd(line.rate_nanos) for line in slip.lines} | {
        money.exact(line.amount_femtos) for line in slip.lines
    }
    assert amounts <= known | {money.usd(slip.charge_nanos), money.exact(slip.femtos)}


async def test_the_json_twin_of_the_sample_is_what_was_written_down() -> None:
    answer = (await ask(House(ROOM), "/receipts/sample.json")).json
    assert answer["receipt"] == told().receipt
    assert answer["simulated"] is True
    assert "simulator" in await text_of("/receipts/sample", Locale.EN, Form.HTML)


# -- the race ----------------------------------------------------------------------------------------------------------


def test_in_the_race_as_many_were_answered_as_the_balance_covered_and_no_more_was_charged() -> None:
    run = race()
    assert run.answered == run.funded < run.calls
    assert run.answered + run.refused == run.calls
    assert run.funded * run.ceiling_nanos <= run.paid_in_nanos < (run.funded + 1) * run.ceiling_nanos
    assert run.charged_nanos == run.answered * run.charge_nanos == run.paid_in_nanos - run.left_nanos
    assert run.charged_nanos <= run.paid_in_nanos
    assert run.adds_up


@pytest.mark.parametrize("path", ["/", "/receipts/sample"])
@pytest.mark.parametrize("locale", LOCALES)
async def test_the_race_is_told_with_its_figures(locale: Locale, path: str) -> None:
    for form in FORMS:
        text = await text_of(path, locale, form)
        for figure in (race().calls, race().funded, race().answered):
            assert words.whole(figure) in text
    assert "/receipts/sample#race" in (await ask(House(ROOM), str(Address("/", locale)))).text


# -- the bench ---------------------------------------------------------------------------------------------------------

AT: Final = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
MACHINE: Final = Machine("A processor", 2, "Linux 6", "3.11.7", 0.3)
VALUES: Final = {
    "small": (23.6, 204.0, 306.0),
    "event": (24.5, 87.4, 86.5),
    "latency_p99": (1.84, 3.38, 3.89),
    "open_direct": (0.56, 0.89, 0.62),
    "idle": (14.7, 32.3, 63.2),
}


def contender(name: str, *, apart: bool = False) -> Contender:
    return Contender(
        name=name, between="OpenAI -> Gemini", start=lambda *_: ([], {}), version=lambda: f"of {name}", apart=apart
    )


def a_run(**changes: Any) -> Measured:
    names = ("nginx", "portico", "tensorzero")
    found = {
        (row, name): evidence.Figure(row, name, (value, value + 1, value - 1), 4321)
        for row, values in VALUES.items()
        for name, value in zip(names, values, strict=True)
    }
    problems = ["litellm: [Errno 2] No such file or directory: '/home/somebody/bench/litellm'"]
    run = page.measured(
        MACHINE, [contender(name) for name in names], found, problems, rows.Effort(), quick=False, now=AT
    )
    return msgspec.structs.replace(run, **changes)


def test_who_stands_apart_is_not_on_the_page() -> None:
    found = {("small", name): evidence.Figure("small", name, (20.0,), 1) for name in ("nginx", "bare")}
    who = [contender("nginx"), contender("bare", apart=True)]
    run = page.measured(MACHINE, who, found, [], rows.Effort(), quick=False, now=AT)
    assert [one.name for one in run.gateways] == ["nginx"]
    assert [one.gateway for one in run.figures] == ["nginx"]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    run = a_run()
    monkeypatch.setattr(evidence, "bench", lambda: run)
    return run


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "bench", lambda: None)


def test_the_page_knows_every_row_that_the_bench_measures() -> None:
    assert list(benchmarks.ROWS) == list(rows.ROWS)
    assert {name: row.ratio for name, row in benchmarks.ROWS.items()} == {
        name: row.ratio for name, row in rows.ROWS.items()
    }


def test_what_a_run_writes_is_what_the_page_reads(tmp_path: Path) -> None:
    page.write(a_run(), tmp_path / "bench.json")
    assert msgspec.json.decode((tmp_path / "bench.json").read_bytes(), type=Measured) == a_run()
    assert "/home" not in (tmp_path / "bench.json").read_text()


def held_to(text: str, run: Measured) -> None:
    """All figures of a run stand in a text."""
    for figure in run.figures:
        assert number(figure.value) in text, figure
        assert words.whole(figure.answered) in text
    for gateway in run.gateways:
        assert gateway.name in text
    for said in (run.machine.cpu, run.machine.python, str(run.machine.cores)):
        assert said in text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("locale", LOCALES)
async def test_the_figures_of_the_page_are_those_of_the_run(measured: Measured, locale: Locale, form: Form) -> None:
    text = await text_of("/benchmarks", locale, form)
    held_to(text, measured)
    answer = await ask(House(ROOM), str(Address("/benchmarks", locale, form)))
    table = answer.text.partition('id="table"')[2].partition("</table>")[0]
    shown = {float(one.replace(",", "")) for one in re.findall(r'<td class="number">([0-9.,]+)<', table)}
    wanted = {float(number(figure.value).replace(",", "")) for figure in measured.figures}
    assert form is Form.MARKDOWN or shown == wanted


async def test_the_page_of_the_run_that_comes_with_portico_is_held_to_it() -> None:
    run = evidence.bench()
    if run is None:
        pytest.skip("no run of the bench comes with this build")
    assert run.at.tzinfo is not None
    assert run.at.year >= 2026
    assert set(run.rows) <= benchmarks.ROWS.keys()
    held_to(await text_of("/benchmarks", Locale.EN, Form.MARKDOWN), run)


def test_where_portico_is_behind_is_told_of_every_row_and_of_nothing_else() -> None:
    found = [(one.row.title, one.theirs) for one in benchmarks.behind(a_run())]
    assert found == [("Event of a stream", (("tensorzero", "86.5"),))], "of rows that judge a gateway"
    assert benchmarks.under_the_floor(a_run()) == (4, 4)
    failed = tuple(msgspec.structs.replace(one, failed=1) for one in a_run().figures)
    assert benchmarks.behind(a_run(figures=failed)) == []


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("locale", LOCALES)
async def test_where_nothing_was_measured_the_page_says_so_and_how_to(locale: Locale) -> None:
    said = words.Say(locale, markup=False)(
        "Nothing was measured on this build yet. Below stands how to measure it; the figures then stand here."
    )
    for form in FORMS:
        text = await text_of("/benchmarks", locale, form)
        assert said in text
        assert "--page" in text
        assert not re.search(r"n = [0-9]", text)
    twin = (await ask(House(ROOM), "/benchmarks.json")).json
    assert twin["measured"] is False
    assert "figures" not in twin


@pytest.mark.parametrize("locale", [Locale.ZH_CN, Locale.ZH_HK])
async def test_all_of_a_run_is_said_in_chinese(
    measured: Measured, locale: Locale, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing: set[str] = set()
    known = words.translations(locale)
    original = words.Say.__call__

    def say(self: words.Say, text: str, **values: object) -> object:
        missing.update({text} - known.keys() - {"Portico"})
        return original(self, text, **values)

    monkeypatch.setattr(words.Say, "__call__", say)
    for run in (measured, a_run(quick=True, figures=measured.figures[:2]), a_run(figures=measured.figures[1:2])):
        monkeypatch.setattr(evidence, "bench", lambda run=run: run)
        for path in ("/", "/benchmarks"):
            for form in FORMS:
                await text_of(path, locale, form)
    assert not missing
    assert {one for one in labels.EVERY if one not in known} == set()


# -- the landing -------------------------------------------------------------------------------------------------------


async def test_each_claim_of_the_landing_has_a_number_its_n_a_day_and_a_link(measured: Measured) -> None:
    answer = await ask(House(ROOM), "/")
    claims = answer.text.partition('class="claims"')[2].partition("</section>")[0].split("<h3>")
    assert len(claims) == 4
    found = conformance.found()
    judged = words.whole(sum(law.judged for law in found.laws))
    for wanted in ("3.38", "1.84", "n = 4,321", judged, words.whole(race().answered), f"n = {race().calls}"):
        assert wanted in answer.text, wanted
    for day in (measured.at.date(), found.date, race().date):
        assert words.Say(Locale.EN, markup=False).day(day) in answer.text
    for path in ("/benchmarks", "/conformance", "/receipts/sample", "/receipts/sample#race"):
        assert path in answer.page.links, path


@pytest.mark.usefixtures("unmeasured")
async def test_a_claim_without_a_figure_is_not_made() -> None:
    answer = await ask(House(ROOM), "/")
    assert answer.text.partition('class="claims"')[2].partition("</section>")[0].count("<h3>") == 2
    assert "What a door costs" not in answer.text


def test_the_headline_is_the_first_of_its_rows_that_was_measured() -> None:
    run = a_run()
    told = landing.headline(run)
    assert told is not None
    assert (told.value, told.floor, told.n, told.day) == ("3.38", "1.84", "4,321", date(2026, 1, 2))
    small = landing.headline(a_run(figures=run.figures[1:2]))
    assert small is not None
    assert (small.value, small.floor) == ("204", "")
    assert landing.headline(a_run(figures=())) is None


async def test_the_models_of_the_landing_stand_in_the_order_of_what_the_job_costs() -> None:
    text = await text_of("/", Locale.EN, Form.MARKDOWN)
    cells = [line.rsplit("|", 2)[1].strip() for line in text.splitlines() if line.startswith("| [")]
    costs = [0.0 if cell == "free" else float(cell.strip("$")) for cell in cells]
    assert len(costs) > 5
    assert costs == sorted(costs)
