"""Shared rows are locked in one order, the account first: two workers never wait for each other."""

import threading
import time

import pytest

from ledger.calls import hold
from ledger.conftest import Books
from portico.ledger import Held, Refused
from portico.ledger.hold import Decision
from portico.store.postgres import PostgresDb


@pytest.fixture
def pg(books: Books) -> Books:
    if not isinstance(books.db, PostgresDb):
        pytest.skip("on SQLite one transaction at a time writes")
    return books


def test_an_idempotency_key_sent_to_two_workers_at_once_lets_neither_wait_for_ever(pg: Books) -> None:
    """The first worker has another call of the account in its batch before this one."""
    pg.account("alice", 1000)
    first, second, watcher = pg.another(), pg.another(), pg.another()
    decisions: list[Decision] = []
    asked = {"idempotency_key": "k", "fingerprint": "f"}
    other = threading.Thread(target=lambda: decisions.append(second.do(hold("r2", 10, **asked).apply)))
    with first.transaction() as db:
        assert isinstance(hold("r0", 10).apply(db), Held)
        other.start()
        sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        for _ in range(500):
            if watcher.do(lambda db: db.rows(sql))[0][0]:
                break
            time.sleep(0.01)
        else:
            pytest.fail("the second worker did not wait")
        assert isinstance(hold("r1", 10, **asked).apply(db), Held)
    other.join()
    assert decisions == [Refused("in_flight", 1.0)]
