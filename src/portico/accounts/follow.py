"""Keeps a worker's keys as the store has them. Whoever sees that `revisions.keys` rose (`store.watch`) calls `load`, until
it goes well; meanwhile the keys that are known stay in force (complaint 17).
"""

from portico.accounts.keys import Keyring
from portico.accounts.rows import changed_keys
from portico.core.storage import Reading


class Follower:
    """Of one keyring, on the loop that asks it."""

    def __init__(self, keyring: Keyring, reading: Reading) -> None:
        self._keyring = keyring
        self._reading = reading

    async def load(self) -> None:
        """Reads what has changed since it was read last. Raises `StorageUnavailable`, and nothing has changed then."""
        above = self._keyring.revision
        self._keyring.update(await self._reading.read(lambda db: changed_keys(db, above)))
