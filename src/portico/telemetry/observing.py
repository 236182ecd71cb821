"""The observer of a gateway: counts every request and writes it down."""

from portico.core.usage import Usage
from portico.relay.report import Report
from portico.routing.traffic import TrafficTally, TryTally
from portico.telemetry import traffic
from portico.telemetry.logs import AccessLog
from portico.telemetry.metrics import Tally


class Observing:
    """`relay.report.Observer`. Knows the calls that are open."""

    def __init__(
        self,
        tally: Tally,
        log: AccessLog | None,
        models: TrafficTally | None = None,
        tries: TryTally | None = None,
    ) -> None:
        """`log`: None writes nothing down. `models`, `tries`: where it is counted how they and their providers fare."""
        self._tally = tally
        self._log = log
        self._models = models
        self._tries = tries
        self._open: set[Report] = set()

    def opened(self, report: Report) -> None:
        self._open.add(report)

    def closed(self, report: Report) -> None:
        self._open.discard(report)

    def finished(self, report: Report) -> None:
        tokens = None if report.usage is None else counted(report.usage)
        self._tally.count(report, tokens)
        if self._models is not None:
            traffic.count(report, self._models)
        if self._tries is not None:
            traffic.count_tries(report, self._tries)
        if self._log is not None:
            self._log.log(report, tokens)

    @property
    def open_calls(self) -> int:
        return len(self._open)

    @property
    def open_streams(self) -> int:
        return sum(1 for report in self._open if report.stream)


def counted(usage: Usage) -> list[int]:
    """How many tokens there are of each of `metrics.TOKENS`, whatever their modality."""
    buckets = (
        usage.input_uncached,
        usage.input_cache_read,
        usage.input_cache_write,
        usage.input_cache_write_1h,
        usage.input_tool,
        usage.output_visible,
        usage.output_reasoning,
    )
    return [sum(tokens.values()) if tokens else 0 for tokens in buckets]
