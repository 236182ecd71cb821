"""Two hundred calls at once on an account that can bear thirty-three: the database decides, whoever races."""

import sys
from pathlib import Path

import pytest

from books.racing import Raced, raced
from databases import started_postgres_url

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")


def judge(told: Raced) -> None:
    assert (told.calls, told.funded) == (200, 33)
    assert told.answered == told.funded
    assert told.refused == told.calls - told.funded
    # A worker may begin one call beside a hold that is then refused (relay/till.py): nobody's answer, nobody's charge.
    assert told.funded <= told.arrived <= told.funded + told.workers
    assert told.charge_nanos > 0
    assert told.charged_nanos == told.funded * told.charge_nanos <= told.paid_in_nanos
    assert told.adds_up


async def test_of_two_hundred_calls_at_once_as_many_are_answered_as_the_account_covers(tmp_path: Path) -> None:
    judge(await raced(tmp_path))


async def test_the_same_holds_on_postgresql(tmp_path: Path) -> None:
    judge(await raced(tmp_path, storage_url=started_postgres_url()))
