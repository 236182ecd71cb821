"""Tells when something has changed in the database: looks twice a second whether a number of `revisions` has moved.

Who changes keys, prices or credentials raises the number in the same transaction. One small query for all of them reaches
every worker on every machine within a second, and works alike on both databases.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from portico.core.errors import StorageUnavailable
from portico.core.storage import Db, Reading

LOOK_EVERY_S: Final = 0.5

Changed: TypeAlias = Callable[[], Awaitable[None]]
"""Reads anew what has changed. If it raises, it is called again at the next look."""

log = logging.getLogger("portico.store")


def numbers(db: Db) -> dict[str, int]:
    """Every revision there is, by its name."""
    return {row[0]: row[1] for row in db.rows("SELECT name, number FROM revisions")}


class RevisionWatch:
    """Calls back per name: once at the start, and whenever its number has moved since what was read last."""

    def __init__(self, reading: Reading, changed: Mapping[str, Changed], *, every_s: float = LOOK_EVERY_S) -> None:
        self._reading = reading
        self._changed = dict(changed)
        self._every_s = every_s
        self._seen: dict[str, int] = {}
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reads everything once. Raises what reading raises."""
        await self.look()
        self._task = asyncio.create_task(self._watch())

    async def look(self) -> None:
        """Looks once. A number is read before what it counts, so that a change in between is read again, and not missed."""
        found = await self._reading.read(numbers)
        for name, changed in self._changed.items():
            number = found.get(name, 0)
            if self._seen.get(name) != number:
                await changed()
                self._seen[name] = number

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.look()
            except StorageUnavailable:  # what was read last goes on to hold
                continue
            except Exception:
                if not self._failing:  # once, and not twice a second
                    log.exception("what has changed in the database could not be read")
                self._failing = True
            else:
                self._failing = False

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
