"""Keeps a worker's keys as the store has them. Whoever sees that `revisions.keys` rose (`store.watch`) calls `load`, until
it goes well; meanwhile the keys that are known stay in force (complaint 17).

A key that was made a moment ago is not waited for: who brings one that is not known has the store looked at (`catch_up`),
for after a single 401 some clients shut a key out.
"""

import asyncio
from typing import Final

from portico.accounts.keys import Keyring
from portico.accounts.rows import changed_keys
from portico.core.storage import Reading

PAUSE_S: Final = 0.02
"""Between two looks for keys that are not known: whoever tries out keys has the store asked no more often."""


class Follower:
    """Of one keyring, on the loop that asks it."""

    def __init__(self, keyring: Keyring, reading: Reading) -> None:
        self._keyring = keyring
        self._reading = reading
        self._next: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def load(self) -> None:
        """Reads what has changed since it was read last. Raises `StorageUnavailable`, and nothing has changed then."""
        above = self._keyring.revision
        self._keyring.update(await self._reading.read(lambda db: changed_keys(db, above)))

    async def catch_up(self) -> None:
        """The same, begun after this was asked for, and shared by all who ask until then. Raises as `load` does."""
        if self._next is None:
            self._next = asyncio.create_task(self._look())
            self._next.add_done_callback(_noted)
        look = self._next
        await asyncio.wait([look])  # it belongs to nobody who waits for it: one who leaves does not end it
        look.result()

    async def _look(self) -> None:
        async with self._turn:
            await asyncio.sleep(PAUSE_S)
            self._next = None  # who comes from now on may have a key that is not read
            await self.load()


def _noted(task: asyncio.Task[None]) -> None:
    """Takes note of a failure that everyone who waited for it has left."""
    if not task.cancelled():
        task.exception()
