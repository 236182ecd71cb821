"""What is true of a worker right now, put down once a second, so that a scrape of any worker tells of all.

The timer that does it is also the measure of the event loop: as late as it is, so late was everything else.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from portico.telemetry.metrics import Tally

TICK_S: Final = 0.25
TICKS: Final = 4
"""From one sample to the next."""

Source = Callable[[], float]


class Sampler:
    """Reads sources into a tally, from `start` to `stop`, and whenever asked."""

    def __init__(self, tally: Tally, *, gauges: Mapping[str, Source], totals: Mapping[str, Source]) -> None:
        """`gauges` and `totals`: by names of `metrics.GAUGES` and `metrics.TOTALS`."""
        self._tally = tally
        self._gauges = gauges
        self._totals = totals
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._ticks = 0

    def start(self) -> None:
        """On the running loop."""
        self.sample()
        self._loop = asyncio.get_running_loop()
        self._arm()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def sample(self) -> None:
        """Reads everything now."""
        for name, source in self._gauges.items():
            self._tally.set(name, source())
        for name, source in self._totals.items():
            self._tally.grown(name, source())

    def _arm(self) -> None:
        self._due = self._loop.time() + TICK_S
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._tally.lagged(max(0.0, self._loop.time() - self._due))
        self._ticks += 1
        if self._ticks % TICKS == 0:
            self.sample()
        self._arm()
