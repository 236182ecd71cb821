"""Keeps a worker's keys as the store has them: whoever sees that `revisions.keys` rose calls `changed`.

What cannot be read is tried again until it is, and meanwhile the keys that are known stay in force (complaint 17).
"""

import asyncio
import logging
from typing import Final

from portico.accounts.keys import Keyring
from portico.accounts.rows import changed_keys
from portico.core.errors import StorageUnavailable
from portico.core.storage import Reading

log = logging.getLogger("portico.accounts")
PAUSE_S: Final = 0.5


class Follower:
    """Of one keyring, on the loop that asks it."""

    def __init__(self, keyring: Keyring, reading: Reading, *, pause_s: float = PAUSE_S) -> None:
        self._keyring = keyring
        self._reading = reading
        self._pause_s = pause_s
        self._wanted = False
        self._task: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Reads what has changed, once. Raises `StorageUnavailable`."""
        above = self._keyring.revision
        self._keyring.update(await self._reading.read(lambda db: changed_keys(db, above)))

    def changed(self) -> None:
        """Something has changed: it is read beside, one reading at a time."""
        self._wanted = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._follow())

    async def _follow(self) -> None:
        while self._wanted:
            self._wanted = False
            try:
                await self.load()
                continue
            except StorageUnavailable:
                log.warning("changes of keys cannot be read right now: the keys that are known stay in force")
            except Exception:
                log.exception("changes of keys could not be read")
            self._wanted = True
            await asyncio.sleep(self._pause_s)

    async def stop(self) -> None:
        """Reads no more."""
        self._wanted = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
