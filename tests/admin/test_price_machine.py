"""Whatever is published, in whatever order and for whichever days: what a call is charged by is what was said last of it.

The model beside it keeps every line that was ever published, and looks for the newest that has begun.
"""

import datetime as dt
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from admin.local import Bench, on_sqlite
from portico.catalog import PriceBooks, PriceKind, load_catalog

CATALOG: Final = load_catalog()
MODEL: Final = "gemini-2.5-flash"
PROVIDERS: Final = ("first", "second")
AHEAD: Final = 6
DAY_US: Final = 86_400_000_000
KINDS: Final = {"input": PriceKind.INPUT, "output": PriceKind.OUTPUT}

AFTER: Final = st.integers(0, AHEAD - 1)
"""In how many days something begins."""
PRICES: Final = st.dictionaries(st.sampled_from([*KINDS]), st.integers(1, 2), min_size=1) | st.none()
"""In dollars; None: it is free."""


class Said(NamedTuple):
    """A price of one kind, in nano-dollars; free without a kind."""

    where: str
    begins: dt.date
    kind: str | None
    nanos: int


class Asked(NamedTuple):
    """What is asked in one book on one day, in nano-dollars by kind; what is free has prices that count once it is not."""

    prices: dict[PriceKind, int]
    free: bool = False


class PriceMachine(RuleBasedStateMachine):
    @initialize()
    def nothing_is_published(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portico-prices-"))
        self.bench = Bench(on_sqlite(self.folder / "books.db"), dict.fromkeys(PROVIDERS, "gemini"))
        self.account = self.bench.do("accounts create", name="alice")["id"]
        self.said: list[Said] = []
        self.markups: dict[tuple[str, str, dt.date], int] = {}

    @property
    def today(self) -> dt.date:
        return dt.datetime.fromtimestamp(self.bench.reading.now_us / 1e6, dt.UTC).date()

    @rule(
        lines=st.lists(
            st.tuples(st.sampled_from(["", *PROVIDERS]), AFTER, PRICES),
            min_size=1,
            max_size=3,
            unique_by=lambda x: x[:2],
        )
    )
    def published(self, lines: list[tuple[str, int, dict[str, int] | None]]) -> None:
        """What is told before is what is done, and doing it again changes nothing."""
        draft = []
        for where, after, prices in lines:
            begins = self.today + dt.timedelta(days=after)
            fields: dict[str, Any] = {"free": True} if prices is None else {k: str(usd) for k, usd in prices.items()}
            draft.append({"model": MODEL, "provider": where, "effective_from": begins.isoformat(), **fields})
            if prices is None:
                self.said.append(Said(where, begins, None, 0))
            else:
                self.said += [Said(where, begins, kind, usd * 10**9) for kind, usd in prices.items()]
        told = self.bench.do("prices diff", prices=draft)
        done = self.bench.do("prices publish", prices=draft)
        assert told["changes"][: len(done["changes"])] == done["changes"]
        assert told["unchanged"] == done["unchanged"]
        rows = self.bench.rows("SELECT COUNT(*) FROM prices")
        assert self.bench.do("prices publish", prices=draft)["changes"] == []
        assert self.bench.rows("SELECT COUNT(*) FROM prices") == rows

    @rule(of_account=st.booleans(), of_model=st.booleans(), after=AFTER, permille=st.sampled_from([1000, 1200, 1500]))
    def marked_up(self, of_account: bool, of_model: bool, after: int, permille: int) -> None:
        begins = self.today + dt.timedelta(days=after)
        self.bench.do(
            "markup set",
            factor=f"{permille // 1000}.{permille % 1000:03d}",
            account="alice" if of_account else None,
            model=MODEL if of_model else None,
            effective_from=begins.isoformat(),
        )
        self.markups[self.account if of_account else "", MODEL if of_model else "", begins] = permille

    @rule(days=st.integers(1, 3))
    def days_pass(self, days: int) -> None:
        self.bench.reading.now_us += days * DAY_US

    @invariant()
    def each_day_is_charged_as_it_was_said(self) -> None:
        books = PriceBooks.from_rows(
            CATALOG,
            self.bench.rows("SELECT book, provider, model, row, effective_from FROM prices ORDER BY id"),
            self.bench.rows("SELECT account_id, model, permille, effective_from FROM markups"),
        )
        for after in range(AHEAD):
            on = self.today + dt.timedelta(days=after)
            for provider in PROVIDERS:
                found = books.rates(
                    model=CATALOG.models[MODEL],
                    provider=provider,
                    provider_kind="gemini",
                    upstream_model=MODEL,
                    account=self.account,
                    on=on,
                )
                cost = self.with_said(Asked(self.listed(on)), provider, on)
                sale = self.with_said(cost, "", on)
                assert (found.cost_free, found.free) == (cost.free, sale.free)
                for rows, wanted in ((found.cost, cost), (found.sale, sale)):
                    if not wanted.free:
                        assert {row.kind: row.rate_nanos for row in rows if is_plain(row)} == wanted.prices
                assert found.markup_permille == self.markup(on)

    def listed(self, on: dt.date) -> dict[PriceKind, int]:
        rows = CATALOG.models[MODEL].prices.in_force(on, backend="gemini")
        return {row.kind: row.rate_nanos for row in rows if is_plain(row)}

    def with_said(self, asked: "Asked", where: str, on: dt.date) -> "Asked":
        """With what was said of a place on top."""
        begun = [one for one in self.said if one.where == where and one.begins <= on]
        if not begun:
            return asked
        last = max(one.begins for one in begun)
        free = [one for one in begun if one.begins == last][-1].kind is None
        later = {
            KINDS[one.kind]: one.nanos for one in sorted(begun, key=lambda one: one.begins) if one.kind is not None
        }
        return Asked(asked.prices | later, free)

    def markup(self, on: dt.date) -> int:
        for scope in ((self.account, MODEL), (self.account, ""), ("", MODEL), ("", "")):
            begun = {day: permille for (*of, day), permille in self.markups.items() if tuple(of) == scope and day <= on}
            if begun:
                return begun[max(begun)]
        return 1000

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.bench.reading.connection.close()
            shutil.rmtree(self.folder)


def is_plain(row: Any) -> bool:
    """What a line without further words sets: of any modality, not cached."""
    return row.kind in KINDS.values() and row.modality == "any" and not row.cached and row.above_tokens == 0


PriceMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a failure is told as it was found
    suppress_health_check=list(HealthCheck),
)
TestPrices = PriceMachine.TestCase
