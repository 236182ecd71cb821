"""One transaction of independent writes: what the committer's thread does with what it took.

The rules:
    - An item is decided by its own result. If one raises, the transaction is undone and run again with a savepoint around
      each, so that nobody fails its neighbour; without failures there are no savepoints.
    - An item that another transaction stands in the way of comes again with the next batch, and with it who shares a key
      with it: equal keys keep their order, and a row that is locked is waited for once.
    - Rows that many of them change are carried, and written at the end. With savepoints each writes its own.
    - The first statement inserts a row (worker, sequence). If a COMMIT was sent and its answer was lost, the same batch is
      sent again under the same number: where the row exists already, the batch was applied, and the results of then are
      true. PostgreSQL lets the insert wait for a transaction that is still deciding, so that there is no gap between.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from portico.core.storage import Write
from portico.store.engine import Fault, Session

_MARK: Final = "INSERT INTO batches (worker_id, sequence) VALUES (?, ?) ON CONFLICT DO NOTHING"
_PRUNE: Final = "DELETE FROM batches WHERE worker_id = ? AND sequence < ?"
PRUNE_EVERY: Final = 512
"""Batches. What was before a batch that is under way is no longer in doubt."""


class Item:
    """A write on its way. `future` is None for what was posted."""

    __slots__ = ("deadline", "error", "future", "keys", "result", "taken", "withdrawn", "write")

    def __init__(self, write: Write[Any], future: "asyncio.Future[Any] | None", deadline: float) -> None:
        self.write = write
        self.keys = tuple(write.keys)
        self.future = future
        self.deadline = deadline
        self.taken = False
        """In a transaction that may yet be committed: it cannot be withdrawn."""
        self.withdrawn = False
        """Nobody waits any longer, and was told that nothing was written."""
        self.result: Any = None
        self.error: Exception | None = None


Claim: TypeAlias = Callable[[list[Item]], list[Item]]
"""Those of a batch that are still wanted; from now on they are taken."""


def _by_keys(item: Item) -> tuple[str, ...]:
    return item.keys


class Batch:
    """What goes into one transaction, in the order of its keys; equal keys keep their order of arrival."""

    def __init__(self, items: list[Item], worker_id: str, sequence: int) -> None:
        if len(items) > 1:
            items.sort(key=_by_keys)
        self.items = items
        self.worker_id = worker_id
        self.sequence = sequence
        self.in_doubt = False
        """COMMIT was sent, and what became of it is not known."""
        self.done: list[Item] = []
        """Those with a result or an error of their own, once the batch is committed."""
        self.again: list[Item] = []
        """Those that another transaction stood in the way of: for the next batch."""

    def run(self, session: Session, claim: Claim, rest: Callable[[], None] = lambda: None) -> None:
        """Applies and commits. What it raises says that the database cannot be worked with; then it may be run again, on
        another session. `rest` is called before the COMMIT, which takes long and does not need the interpreter."""
        if self._begin(session):
            for item in self.done:  # of a try that was lost
                item.error = None
            self.done, self.again = [], []
            items = claim(self.items)
            if not self._apply(session, items):
                session.rollback()
                self._begin(session)
                self._apply_each(session, items)
            else:
                self.done = items
            if self.sequence % PRUNE_EVERY == 0:
                session.db.run(_PRUNE, self.worker_id, self.sequence)
            self.in_doubt = True
            rest()
            session.commit()
        else:
            session.rollback()

    def _begin(self, session: Session) -> bool:
        """False: it has been applied."""
        session.begin()
        if session.db.run(_MARK, self.worker_id, self.sequence) == 0:
            return False
        self.in_doubt = False
        return True

    def _apply(self, session: Session, items: list[Item]) -> bool:
        """The way without savepoints. False: one of them failed."""
        db, under_way = session.db, None
        db.carried, db.batch = {}, [item.write for item in items]
        try:
            for item in items:
                under_way = item
                item.result = item.write.apply(db)
            under_way = None
            for carried in db.carried.values():
                carried.flush()
        except Exception as error:
            fault = session.fault(error)
            if fault is Fault.LOST:
                raise
            if fault is Fault.PASSING and under_way is not None:
                self.again.append(under_way)
            return False
        finally:
            db.carried, db.batch = None, ()
        return True

    def _apply_each(self, session: Session, items: list[Item]) -> None:
        blocked, self.again = self.again, []
        behind = {key for item in blocked for key in item.keys}
        for item in items:
            if item in blocked or not behind.isdisjoint(item.keys) or not _apply_one(session, item):
                behind.update(item.keys)
                self.again.append(item)
            else:
                self.done.append(item)


def _apply_one(session: Session, item: Item) -> bool:
    """Behind a savepoint. False: another transaction stood in the way."""
    db, failure = session.db, None
    db.run("SAVEPOINT item")
    try:
        item.result = item.write.apply(db)
    except Exception as error:
        fault = session.fault(error)
        if fault is Fault.LOST:
            raise
        db.run("ROLLBACK TO SAVEPOINT item")
        if fault is Fault.PASSING:
            return False
        failure = error
    db.run("RELEASE SAVEPOINT item")
    item.error = failure  # if all of it is lost here, the next try may go well
    return True
