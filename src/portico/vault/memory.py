"""A vault in this process's memory: bounded by bytes and by age, least recently kept goes first."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from portico.vault.record import TurnRecord

MAX_BYTES: Final = 256 * 1024 * 1024
TTL_S: Final = 24 * 3600.0


class _Held(msgspec.Struct):
    """A record while some key leads to it: it weighs once, however many do."""

    record: TurnRecord
    expires: float
    size_bytes: int
    keys: int = 0


class MemoryVault:
    """Implements `Vault`. `clock` gives seconds; it only needs to go forward."""

    def __init__(self, clock: Callable[[], float], *, max_bytes: int = MAX_BYTES, ttl_s: float = TTL_S) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._ttl_s = ttl_s
        self._held: OrderedDict[tuple[str, str], _Held] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    async def find(self, tenant: str, keys: Iterable[str]) -> Mapping[str, TurnRecord]:
        return self.look(tenant, keys)

    def look(self, tenant: str, keys: Iterable[str]) -> dict[str, TurnRecord]:
        """What `find` finds."""
        now = self._clock()
        found: dict[str, TurnRecord] = {}
        for key in keys:
            held = self._held.get((tenant, key))
            if held is not None and held.expires > now:
                found[key] = held.record
        return found

    def keep_all(self, tenant: str, kept: Iterable[tuple[Sequence[str], TurnRecord]]) -> None:
        for keys, record in kept:
            self.keep(tenant, keys, record)

    def keep(self, tenant: str, keys: Iterable[str], record: TurnRecord, ttl_s: float | None = None) -> None:
        """Keeps one record under each key, for as long as all are kept or for `ttl_s`."""
        held = _Held(record, self._clock() + (self._ttl_s if ttl_s is None else ttl_s), record.size_bytes)
        if held.size_bytes > self._max_bytes:
            return
        for key in dict.fromkeys(keys):
            self._drop((tenant, key))
            self._held[tenant, key] = held
            self.size_bytes += 0 if held.keys else held.size_bytes
            held.keys += 1
        while self._held:
            oldest = next(iter(self._held))
            if self.size_bytes <= self._max_bytes and self._held[oldest].expires > self._clock():
                break
            self._drop(oldest)

    def _drop(self, place: tuple[str, str]) -> None:
        held = self._held.pop(place, None)
        if held is not None:
            held.keys -= 1
            self.size_bytes -= 0 if held.keys else held.size_bytes
