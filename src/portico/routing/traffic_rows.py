"""What callers of each model got, and how its providers answered, in the database: every worker adds what it counted, and a
restart forgets nothing.

What the simulator answered is kept apart from what providers did.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from portico.core.storage import Db
from portico.routing.traffic import KEPT_S, Counts, Key, Served, TryKey, Waits, added, by_name, slot_of

_MICROSECONDS: Final = 1_000_000

# The row is locked from here on, whoever else adds to it: what it held is read, and written again with more in it.
_ADD: Final = (
    "INSERT INTO traffic (slot, model, simulated, calls, failed, waits) VALUES (?, ?, ?, ?, ?, '{}')"
    " ON CONFLICT (slot, model, simulated) DO UPDATE SET calls = traffic.calls + excluded.calls,"
    " failed = traffic.failed + excluded.failed RETURNING waits"
)
_WAITS: Final = "UPDATE traffic SET waits = ? WHERE slot = ? AND model = ? AND simulated = ?"
_SINCE: Final = "SELECT slot, model, calls, failed, waits FROM traffic WHERE slot >= ? AND simulated = ?"
_OVER: Final = "DELETE FROM traffic WHERE slot < ?"
_ADD_TRIES: Final = (
    "INSERT INTO tries (slot, model, provider, simulated, calls, failed, waits) VALUES (?, ?, ?, ?, ?, ?, '{}')"
    " ON CONFLICT (slot, model, provider, simulated) DO UPDATE SET calls = tries.calls + excluded.calls,"
    " failed = tries.failed + excluded.failed RETURNING waits"
)
_TRIES_WAITS: Final = "UPDATE tries SET waits = ? WHERE slot = ? AND model = ? AND provider = ? AND simulated = ?"
_TRIES_SINCE: Final = "SELECT slot, model, provider, calls, failed, waits FROM tries WHERE slot >= ? AND simulated = ?"
_TRIES_OVER: Final = "DELETE FROM tries WHERE slot < ?"

_encoded = msgspec.json.Encoder().encode
_decoded = msgspec.json.Decoder(Waits).decode


class AddTraffic(msgspec.Struct, frozen=True):
    """A Write[None]: so much more was counted. Rows are added to in their order, so that workers never wait for each other
    in a circle."""

    counted: Mapping[Key, Counts]
    simulated: bool
    tries: Mapping[TryKey, Counts] = {}

    @property
    def keys(self) -> Sequence[str]:
        calls = [f"traffic:{slot}:{model}" for slot, model in sorted(self.counted)]
        return calls + [f"tries:{slot}:{model}:{provider}" for slot, (model, provider) in sorted(self.tries)]

    def apply(self, db: Db) -> None:
        simulated = int(self.simulated)
        for slot, model in sorted(self.counted):
            counts = self.counted[slot, model]
            ((waits,),) = db.rows(_ADD, slot, model, simulated, counts.calls, counts.failed)
            if counts.waits:
                told = _encoded(added(_decoded(waits), counts.waits)).decode()
                db.run(_WAITS, told, slot, model, simulated)
        for slot, (model, provider) in sorted(self.tries):
            counts = self.tries[slot, (model, provider)]
            ((waits,),) = db.rows(_ADD_TRIES, slot, model, provider, simulated, counts.calls, counts.failed)
            if counts.waits:
                told = _encoded(added(_decoded(waits), counts.waits)).decode()
                db.run(_TRIES_WAITS, told, slot, model, provider, simulated)


def since(slot: int, *, simulated: bool) -> Callable[[Db], dict[str, dict[int, Counts]]]:
    """A Query: model -> slot -> what was counted, from a slot on."""

    def query(db: Db) -> dict[str, dict[int, Counts]]:
        rows = db.rows(_SINCE, slot, int(simulated))
        return by_name(
            ((slot, model), Counts(calls, failed, _decoded(waits))) for slot, model, calls, failed, waits in rows
        )

    return query


def tries_since(slot: int, *, simulated: bool) -> Callable[[Db], dict[Served, dict[int, Counts]]]:
    """A Query: (model, provider) -> slot -> what was counted, from a slot on."""

    def query(db: Db) -> dict[Served, dict[int, Counts]]:
        rows = db.rows(_TRIES_SINCE, slot, int(simulated))
        return by_name(
            ((slot, (model, provider)), Counts(calls, failed, _decoded(waits)))
            for slot, model, provider, calls, failed, waits in rows
        )

    return query


def sweep(db: Db) -> int:
    """Removes what is too old to be shown; how many rows."""
    oldest = slot_of(db.now_us / _MICROSECONDS - KEPT_S)
    return db.run(_OVER, oldest) + db.run(_TRIES_OVER, oldest)
