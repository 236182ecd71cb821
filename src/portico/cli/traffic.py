"""How models fare, of one worker: what it counts is written now and then, and read for the pages.

What is counted goes to the database every quarter of a minute, with that of the other workers, and at the end of serving.
What is shown is a reading of that, a quarter of a minute old at most; while the database does not answer, the last one.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from portico.core.errors import StorageUnavailable
from portico.core.storage import Committer, Reading
from portico.routing.traffic import SLOTS, Counts, Served, TrafficTally, TryTally, slot_of
from portico.routing.traffic_rows import AddTraffic, since, tries_since

WRITE_EVERY_S: Final = 15.0
READ_EVERY_S: Final = 15.0
PATIENCE_S: Final = 2.0
"""How long a visitor waits for a database that does not answer."""

log = logging.getLogger("portico.traffic")


class Measured(msgspec.Struct, frozen=True):
    """A reading. `models`: model -> slot -> what was counted."""

    at_s: float | None = None
    """When it was made; None: nothing could be read yet."""
    models: Mapping[str, Mapping[int, Counts]] = {}
    tries: Mapping[Served, Mapping[int, Counts]] = {}
    """(model, provider) -> slot -> what was counted of attempts."""

    @property
    def slots(self) -> range:
        """The last 24 hours as they were then."""
        last = 0 if self.at_s is None else slot_of(self.at_s)
        return range(last + 1 - SLOTS, last + 1)


class TrafficBook:
    """Of one worker. To be made on its loop; `now` is seconds since 1970, `clock` only needs to go forward."""

    def __init__(
        self,
        committer: Committer,
        reading: Reading,
        *,
        simulated: bool,
        write_every_s: float = WRITE_EVERY_S,
        read_every_s: float = READ_EVERY_S,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tally = TrafficTally(now)
        self.tries = TryTally(now)
        self._committer = committer
        self._reading = reading
        self._simulated = simulated
        self._write_every_s = write_every_s
        self._read_every_s = read_every_s
        self._now = now
        self._clock = clock
        self._last = Measured()
        self._read_again_at = float("-inf")
        self._asking = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None

    # -- writing

    def start(self) -> None:
        """From now on what is counted is written now and then."""
        self._writing = asyncio.create_task(self._write_on())

    async def finish(self) -> None:
        """Writes the rest: nothing more will be counted. Before the committer is closed."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        counted, tries = self.tally.take(), self.tries.take()
        if counted or tries:
            self._committer.post(AddTraffic(counted, self._simulated, tries))

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(self._write_every_s)
            try:
                await self.write()
            except Exception:
                log.exception("how models fare could not be written; what was counted is lost")

    async def write(self) -> None:
        """What a database that does not answer cannot have is written later: it is nothing that must be kept at any price,
        and many such writes would stand in the way of those that must."""
        counted, tries = self.tally.take(), self.tries.take()
        if not counted and not tries:
            return
        try:
            await self._committer.submit(AddTraffic(counted, self._simulated, tries), hurry=False)
        except StorageUnavailable:
            self.tally.put_back(counted)
            self.tries.put_back(tries)

    # -- reading

    async def measured(self) -> Measured:
        """How the models fared. Never raises."""
        if self._clock() >= self._read_again_at:
            async with self._asking:
                if self._clock() >= self._read_again_at:
                    await self._read()
        return self._last

    async def _read(self) -> None:
        now = self._now()
        first = slot_of(now) + 1 - SLOTS
        calls, tries = since(first, simulated=self._simulated), tries_since(first, simulated=self._simulated)
        try:
            async with asyncio.timeout(PATIENCE_S):
                self._last = Measured(now, *await self._reading.read(lambda db: (calls(db), tries(db))))
        except (StorageUnavailable, TimeoutError):
            pass  # the last reading says when it was made
        except Exception:
            log.exception("how models fare could not be read")
        self._read_again_at = self._clock() + self._read_every_s
