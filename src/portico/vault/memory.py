"""A vault in this process's memory: bounded by bytes and by age, least recently kept goes first."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from portico.vault.record import TurnRecord

MAX_BYTES: Final = 256 * 1024 * 1024
TTL_S: Final = 24 * 3600.0


class MemoryVault:
    """Implements `Vault`. `clock` gives seconds; it only needs to go forward."""

    def __init__(self, clock: Callable[[], float], *, max_bytes: int = MAX_BYTES, ttl_s: float = TTL_S) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._ttl_s = ttl_s
        self._records: OrderedDict[tuple[str, str], tuple[float, int, TurnRecord]] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    async def find(self, tenant: str, keys: Iterable[str]) -> Mapping[str, TurnRecord]:
        now = self._clock()
        found: dict[str, TurnRecord] = {}
        for key in keys:
            entry = self._records.get((tenant, key))
            if entry is not None and entry[0] > now:
                found[key] = entry[2]
        return found

    def keep(self, tenant: str, keys: Iterable[str], record: TurnRecord) -> None:
        expires = self._clock() + self._ttl_s
        size = record.size_bytes
        if size > self._max_bytes:
            return
        for key in keys:
            self._drop((tenant, key))
            self._records[tenant, key] = (expires, size, record)
            self.size_bytes += size
        while self._records:
            oldest = next(iter(self._records))
            if self.size_bytes <= self._max_bytes and self._records[oldest][0] > self._clock():
                break
            self._drop(oldest)

    def _drop(self, place: tuple[str, str]) -> None:
        entry = self._records.pop(place, None)
        if entry is not None:
            self.size_bytes -= entry[1]
