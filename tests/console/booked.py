"""Calls in the books of a bench, as the ledger writes them: holds, settlements, releases, recoveries, with receipts."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

from inside.desk import Rooms
from portico.core.ids import timed_id
from portico.core.storage import Db
from portico.ledger import Checkpoint, Hold, Release, Settle
from portico.ledger.recover import gone_workers, recover
from portico.metering.charge import Line
from portico.metering.receipt import Receipt, Tried, encode

MODELS = ("gemini-3.8-flash", "gpt-5.5", "claude-sonnet-5-5")


class Book:
    """One account's calls."""

    def __init__(self, rooms: Rooms, account: str, seed: int = 1) -> None:
        self.rooms = rooms
        self.rng = Random(seed)
        self.account = str(rooms.bench.do("accounts show", account=account)["id"])

    def at(self, day: str, hour: int = 12) -> None:
        """Sets the clock of the books."""
        then = datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)
        self.rooms.bench.reading.now_us = int(then.timestamp()) * 1_000_000

    def call(self, key: str, charge: int = 1000, **more: Any) -> str:
        """A call that was settled, and when that is said (`outcome`), did not end well; its id."""
        return self._booked(Settle, key, charge, **more)

    def failed(self, key: str, outcome: str = "overloaded", **more: Any) -> str:
        """A call that came to nothing."""
        return self._booked(Release, key, 0, outcome=outcome, usage=None, **more)

    def died(self, key: str, charge: int, then: int | None = None, model: str = MODELS[0]) -> str:
        """A call whose gateway died after a checkpoint of this charge; `then`: what it turned out to have cost."""
        request, now = self._id(), self.rooms.bench.reading.now_us
        told = self._receipt(request, key, charge, model=model, at_us=now)
        self._do(self._hold(request, key, charge * 3, worker="gone"))
        self._do(Checkpoint(request, self.account, key, encode(told)))
        self.rooms.bench.reading.at_once(lambda db: [recover(db, one) for one in gone_workers(db)])
        if then is not None:
            self._do(self._last(Settle, msgspec.structs.replace(told, charge_nanos=then)))
        return request

    def open(self, key: str, amount: int) -> str:
        request = self._id()
        self._do(self._hold(request, key, amount))
        return request

    def _booked(self, write: Any, key: str, charge: int, **more: Any) -> str:
        request = self._id()
        told = self._receipt(request, key, charge, at_us=self.rooms.bench.reading.now_us, **more)
        self._do(self._hold(request, key, charge * 3 + 7))
        self._do(self._last(write, told))
        return request

    def _last(self, write: Any, told: Receipt) -> Any:
        return write(
            request_id=told.request_id,
            account_id=self.account,
            key_id=told.key_id,
            charge_nanos=told.charge_nanos,
            cost_nanos=told.cost_nanos,
            receipt=encode(told),
            model=told.model,
            outcome=told.outcome,
            at_us=told.at_us,
            input_tokens=told.input_tokens,
            cached_tokens=told.cached_tokens,
            output_tokens=told.output_tokens,
            reasoning_tokens=told.reasoning_tokens,
        )

    def _receipt(self, request: str, key: str, charge: int, **more: Any) -> Receipt:
        model = more.pop("model", None) or self.rng.choice(MODELS)
        usage = {
            "input_uncached": {"text": self.rng.randint(1, 5000)},
            "input_cache_read": {"text": self.rng.randint(1, 500)},
            "output_visible": {"text": self.rng.randint(1, 900)},
            "output_reasoning": {"text": self.rng.randint(1, 900)},
        }
        line = Line("output", "text", 1, "mtok", charge * 1_000_000, 5, charge * 1_000_000, charge // 2 * 1_000_000)
        values: dict[str, Any] = {
            "asked": model,
            "model": model,
            "upstream_model": model,
            "provider": "upstream",
            "outcome": "ok",
            "usage": usage,
            "lines": (line,) if charge else (),
            "hold_nanos": charge * 3 + 7,
            "cost_nanos": charge // 2,
            "tries": (Tried("upstream", model, more.get("outcome", "ok")),),
            **more,
        }
        return Receipt(request_id=request, account=self.account, key_id=key, charge_nanos=charge, **values)

    def _id(self) -> str:
        return timed_id("req_", self.rng, self.rooms.bench.reading.now_us / 1_000_000)

    def _hold(self, request: str, key: str, amount: int, worker: str = "w") -> Hold:
        return Hold(
            request_id=request,
            account_id=self.account,
            key_id=key,
            worker_id=worker,
            amount_nanos=amount,
            prepaid=False,
        )

    def _do(self, write: Any) -> None:
        def apply(db: Db) -> None:
            db.run("INSERT INTO leases (worker_id, expires_us) VALUES ('w', ?) ON CONFLICT DO NOTHING", db.now_us * 2)
            write.apply(db)

        self.rooms.bench.reading.at_once(apply)


def seeded(rooms: Rooms, account: str, keys: list[str], seed: int, calls: int = 60) -> Book:
    """Two months of calls of every kind, and payments. The clock stands at the end."""
    book, rng = Book(rooms, account, seed), Random(seed)
    days = [f"2026-{month:02d}-{day:02d}" for month in (9, 10) for day in range(1, 31)]
    chosen = sorted(rng.choices(days, k=calls))
    for number, day in enumerate(chosen):
        book.at(day, rng.randrange(24))
        key, charge = rng.choice(keys), rng.choice([1, 999, 123_000, 7_000_000, 2_500_000_001])
        match rng.randrange(8):
            case 0:
                book.failed(key, rng.choice(["overloaded", "rate_limit_exceeded", "caller_gone"]))
            case 1:
                book.call(key, charge, outcome="caller_gone", flags=("partial", "estimated"))
            case 2:
                book.call(key, 0)
            case 3:
                book.died(key, charge, rng.choice([None, charge + 5, charge * 2]))
            case _:
                book.call(key, charge)
        if number % 20 == 0:
            rooms.bench.do("accounts top-up", account=account, amount_usd="12.50")
    book.at("2026-10-31", 23)
    return book
