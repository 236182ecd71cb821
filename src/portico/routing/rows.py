"""What rests, in the database: every worker knows of it within a second, and a restart forgets nothing.

A longer rest is never cut short by a shorter one that was found out elsewhere. What is over is removed by the sweep.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from portico.core.storage import Db, raise_revision
from portico.routing.health import Group
from portico.routing.rest import FOREVER, Rest

REVISION: Final = "rests"
MICROSECONDS: Final = 1_000_000
KEPT_US: Final = 3600 * MICROSECONDS
"""What is over is kept so long: how often it failed is looked at when it fails again."""

_KEEP: Final = (
    "INSERT INTO rests (provider, quota_group, model, until_us, why, misses, at_us) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (provider, quota_group, model) DO UPDATE SET until_us = excluded.until_us, why = excluded.why,"
    " misses = excluded.misses, at_us = excluded.at_us"
    " WHERE rests.until_us IS NOT NULL AND (excluded.until_us IS NULL OR excluded.until_us >= rests.until_us)"
)
_ALL: Final = "SELECT provider, quota_group, model, until_us, why, misses FROM rests"
_OVER: Final = "DELETE FROM rests WHERE until_us < ?"


class KeepRest(msgspec.Struct, frozen=True):
    """A Write[bool]: something rests from now on. False: it rests for longer already."""

    group: Group
    rest: Rest

    @property
    def keys(self) -> Sequence[str]:
        return (f"rest:{self.group[0]}:{self.group[1]}",)

    def apply(self, db: Db) -> bool:
        rest = self.rest
        until_us = None if math.isinf(rest.until) else int(rest.until * MICROSECONDS)
        kept = db.run(_KEEP, *self.group, rest.model, until_us, rest.why, rest.misses, db.now_us) == 1
        if kept:
            raise_revision(db, REVISION)
        return kept


def load(db: Db) -> dict[tuple[str, str, str], Rest]:
    """(provider, quota group, model) -> what rests there, or did a moment ago."""
    return {
        (provider, group, model): Rest(FOREVER if until_us is None else until_us / MICROSECONDS, why, model, misses)
        for provider, group, model, until_us, why, misses in db.rows(_ALL)
    }


def clear(db: Db, provider: str, group: str = "", model: str | None = None) -> int:
    """Lets something be asked again at once; how many rests were ended. `group` "": the whole provider; `model` None: every
    one."""
    where, values = "provider = ?", [provider]
    if group:
        where, values = f"{where} AND quota_group = ?", [*values, group]
    if model is not None:
        where, values = f"{where} AND model = ?", [*values, model]
    ended = db.run(f"DELETE FROM rests WHERE {where}", *values)  # noqa: S608 - no value is in it
    raise_revision(
        db, REVISION
    )  # behind the rests, as a rest that is kept does it: two that wait for each other are stuck
    return ended


def sweep(db: Db) -> int:
    """Removes what has been over for a while."""
    return db.run(_OVER, db.now_us - KEPT_US)
