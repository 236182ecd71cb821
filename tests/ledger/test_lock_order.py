"""Shared rows are locked in one order, the account first: two workers never wait for each other."""

import threading
import time
from typing import Any

import pytest

from ledger.calls import Together, checkpoint, hold, settle
from ledger.conftest import Books
from portico.core.storage import Write
from portico.ledger import Held, Limits, Refused
from portico.store.postgres import PostgresDb


@pytest.fixture
def pg(books: Books) -> Books:
    if not isinstance(books.db, PostgresDb):
        pytest.skip("on SQLite one transaction at a time writes")
    return books


def test_an_idempotency_key_sent_to_two_workers_at_once_lets_neither_wait_for_ever(pg: Books) -> None:
    """The first worker has another call of the account in its batch before this one."""
    pg.account("alice", 1000)
    asked = {"idempotency_key": "k", "fingerprint": "f"}
    decisions = beside(pg, hold("r2", 10, **asked), first=hold("r0", 10), then=hold("r1", 10, **asked))
    assert [type(one) for one in decisions] == [Held, Held, Refused]
    assert decisions[2] == Refused("in_flight", 1.0)


def test_a_checkpoint_and_a_budget_that_takes_its_hold_in_do_not_wait_for_each_other(pg: Books) -> None:
    """The first worker's batch has a checkpoint and then a hold of the account; a budget begins in the second's."""
    pg.account("alice", 1000)
    pg.do(hold("r0", 10).apply)
    begins = hold("r2", 10, limits=Limits(budget_day_nanos=500))
    decisions = beside(pg, begins, first=checkpoint("r0", 5), then=hold("r1", 10))
    assert [type(one) for one in decisions] == [type(None), Held, Held]


@pytest.mark.parametrize("before", [[], [settle("a0", 5, account="alice")]], ids=["alone", "after another account's"])
def test_a_settlement_and_a_budget_that_takes_its_hold_in_do_not_wait_for_each_other(
    pg: Books, before: list[Write[Any]]
) -> None:
    """A budget begins in the first worker's batch, which had another call of the account before."""
    for account in ("alice", "bob"):
        pg.account(account, 1000)
        pg.do(hold(f"{account[0]}0", 10, account=account, key_id=f"key_{account}").apply)
    bobs: dict[str, Any] = {"account": "bob", "key_id": "key_bob"}
    begins = hold("b2", 10, **bobs, limits=Limits(budget_day_nanos=500))
    ends = Together([*before, settle("b0", 5, **bobs)])
    decisions = beside(pg, ends, first=hold("b1", 10, **bobs), then=begins)
    assert [type(one) for one in decisions] == [Held, Held, list]


def beside(pg: Books, second: Write[object], *, first: Write[object], then: Write[object]) -> list[object]:
    """What becomes of two writes of one worker, and of one that another makes between them."""
    one, another, watcher = pg.another(), pg.another(), pg.another()
    told: list[object] = []
    other = threading.Thread(target=lambda: told.append(another.do(second.apply)))
    with one.transaction() as db:
        results = [first.apply(db)]
        other.start()
        sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        for _ in range(4000):
            if watcher.do(lambda db: db.rows(sql))[0][0]:
                break
            time.sleep(0.01)
        else:
            pytest.fail("the second worker did not wait")
        results.append(then.apply(db))
    other.join()
    return results + told
