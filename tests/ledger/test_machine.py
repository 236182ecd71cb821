"""Any interleaving of holds, extensions, ends, payments, crashes and late words: the books add up after each step."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.calls import KEY, checkpoint, hold, release, settle
from ledger.conftest import sqlite_books
from portico.ledger import Extend, Held, Limits, Refused, windows
from portico.ledger.pay import top_up
from portico.ledger.recover import gone_workers, recover
from portico.ledger.verify import entries, verify

AMOUNTS = st.integers(0, 400)


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="portico-ledger-"))
        self._opened = sqlite_books(self._folder / "books.db")
        self.books = self._opened.__enter__()
        self.books.account("alice", 1000)
        self.count = 0
        self.live: list[str] = []
        """Requests whose worker still lives."""
        self.lost: list[str] = []
        """Requests of a worker that was recovered, and may still be heard of."""
        self.charges: dict[str, int] = {}
        """What each request was charged in the end."""
        self.paid_in = 1000
        self.budget: int | None = None

    @rule(budget=st.none() | st.integers(0, 2000))
    def budget_set(self, budget: int | None) -> None:
        self.books.do(lambda db: windows.begin_budgets_anew(db, KEY))
        self.budget = budget

    @rule(amount=AMOUNTS)
    def held_within_the_budget(self, amount: int) -> None:
        """What is used of it is what all calls were charged and all open ones hold, whenever it was set."""
        self.count += 1
        request = f"r{self.count}"
        used = sum(self.charges.values()) + self.standing()[1]
        limits = Limits(budget_month_nanos=self.budget)
        decision = self.books.do(hold(request, amount, prepaid=False, limits=limits).apply)
        if self.budget is None or used + amount <= self.budget:
            assert isinstance(decision, Held)
            assert [use.used for use in decision.uses] == ([] if self.budget is None else [used + amount])
            self.live.append(request)
        else:
            assert isinstance(decision, Refused)
            assert (decision.reason, decision.used) == ("budget_month", used)

    @precondition(lambda self: self.budget is None)
    @rule(amount=AMOUNTS, prepaid=st.booleans())
    def held(self, amount: int, prepaid: bool) -> None:
        self.count += 1
        request = f"r{self.count}"
        posted, holding = self.standing()
        decision = self.books.do(hold(request, amount, prepaid=prepaid).apply)
        assert isinstance(decision, Held) is (not prepaid or posted - holding >= amount)
        if isinstance(decision, Held):
            self.live.append(request)

    @rule(amount=AMOUNTS)
    def held_late(self, amount: int) -> None:
        """It was let through while the database was away."""
        self.count += 1
        limits = Limits(budget_month_nanos=self.budget)
        assert isinstance(
            self.books.do(hold(f"r{self.count}", amount, prepaid=False, limits=limits, refusable=False).apply), Held
        )
        self.live.append(f"r{self.count}")

    @precondition(lambda self: self.live)
    @rule(data=st.data(), amount=AMOUNTS)
    def extended(self, data: st.DataObject, amount: int) -> None:
        self.books.do(Extend(data.draw(st.sampled_from(self.live)), "alice", KEY, amount).apply)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), charge=AMOUNTS, twice=st.booleans())
    def settled(self, data: st.DataObject, charge: int, twice: bool) -> None:
        request = data.draw(st.sampled_from(self.live))
        self.live.remove(request)
        for _ in range(1 + twice):
            self.books.do(settle(request, charge).apply)
        self.charges[request] = charge

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def released(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self.live))
        self.live.remove(request)
        self.books.do(release(request).apply)

    @rule(amount=st.integers(1, 500))
    def topped_up(self, amount: int) -> None:
        self.books.do(lambda db: top_up(db, "alice", amount))
        self.paid_in += amount

    @precondition(lambda self: self.live)
    @rule(data=st.data(), charge=AMOUNTS)
    def crashed(self, data: st.DataObject, charge: int) -> None:
        """The worker dies; some of its calls had reached a checkpoint."""
        for request in self.live:
            if data.draw(st.booleans()):
                self.books.do(checkpoint(request, charge).apply)
        amounts: dict[str, int] = dict(self.books.do(lambda db: db.rows("SELECT request_id, amount_nanos FROM holds")))
        kept: dict[str, str] = dict(self.books.do(lambda db: db.rows("SELECT request_id, checkpoint FROM holds")))
        self.books.do(lambda db: sum(recover(db, worker) for worker in gone_workers(db)))
        for request in self.live:
            self.charges[request] = min(charge, amounts[request]) if kept[request] else 0
        self.lost += self.live
        self.live = []

    @precondition(lambda self: self.lost)
    @rule(data=st.data(), charge=AMOUNTS, twice=st.booleans())
    def spoke_late(self, data: st.DataObject, charge: int, twice: bool) -> None:
        request = data.draw(st.sampled_from(self.lost))
        self.lost.remove(request)
        for _ in range(1 + twice):
            self.books.do(settle(request, charge).apply)
        self.charges[request] = charge

    def standing(self) -> tuple[int, int]:
        posted, holding = self.books.do(lambda db: db.rows("SELECT posted_nanos, held_nanos FROM accounts"))[0]
        return int(posted), int(holding)

    @invariant()
    def the_books_add_up(self) -> None:
        verdict = self.books.do(verify)
        assert verdict.ok, [str(one) for one in verdict.differences]
        assert self.standing()[0] == self.paid_in - sum(self.charges.values())
        resolutions = [
            entry.request_id
            for entry in self.books.do(lambda db: list(entries(db)))
            if entry.kind in ("settle", "release")
        ]
        assert len(set(resolutions)) == len(resolutions)

    def teardown(self) -> None:
        self._opened.__exit__(None, None, None)
        shutil.rmtree(self._folder)


LedgerMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestLedger = LedgerMachine.TestCase
