"""The numbers of Portico, and the one place that says which there are.

Made once, before workers are forked; each worker counts in a `Tally` of its own, and whoever is scraped tells the sums.
What differs between workers (memory, open connections) is told for each, as `worker="0"`. Labels are routes, providers
and models that are known at the start; what is not among them is "other".
"""

import platform
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from math import nan
from typing import Final

from portico.relay.report import CANCELLED, OK, OUTCOMES, Report, Try
from portico.telemetry.families import CONTENT_TYPE, Family, Layout, observe, rendered
from portico.telemetry.sheet import Sheet

__all__ = ["CONTENT_TYPE", "GAUGES", "TOKENS", "TOTALS", "Metrics", "Tally"]

OTHER: Final = "other"
SECONDS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
)
LAG_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_KNOWN_STATUSES: Final = (200, 400, 401, 403, 404, 405, 408, 409, 413, 417, 429, 431, 500, 501, 502, 503, 504)
STATUSES: Final[Mapping[int, str]] = {0: "none", **{status: str(status) for status in _KNOWN_STATUSES}}
"""Statuses told apart; `none`: the caller left before there was one."""
TOKENS: Final = (
    "input_uncached",
    "input_cache_read",
    "input_cache_write",
    "input_cache_write_1h",
    "input_tool",
    "output_visible",
    "output_reasoning",
)
"""Kinds of tokens, no two overlapping: the buckets of `core.usage.Usage`, in their order."""

HEDGED: Final = ("won", "lost", "failed")
"""How an attempt beside another ends."""

GAUGES: Final[Mapping[str, tuple[str, str]]] = {
    "process_resident_memory_bytes": ("gauge", "Resident memory."),
    "process_cpu_seconds_total": ("counter", "User and system time."),
    "process_start_time_seconds": ("gauge", "When the process was started, in seconds since 1970."),
    "process_open_fds": ("gauge", "Open file descriptors."),
    "process_max_fds": ("gauge", "How many of them the system lets the process have: a call takes two."),
    "portico_open_connections": ("gauge", "Connections of callers."),
    "portico_open_calls": ("gauge", "Calls being served."),
    "portico_open_streams": ("gauge", "Those of them whose answer is streamed."),
    "portico_body_bytes_in_flight": ("gauge", "Bytes of requests being received or served, and of what they bring."),
    "portico_upstream_connections": ("gauge", "Connections to providers."),
    "portico_upstream_connections_idle": ("gauge", "Those of them that wait for a request."),
    "portico_vault_bytes": ("gauge", "What is kept for later turns (thought signatures)."),
    "portico_vault_entries": ("gauge", "Keys under which something is kept."),
    "portico_store_writes_waiting": ("gauge", "Writes that the database does not have yet."),
    "portico_store_down": ("gauge", "1 while the database does not answer."),
    "portico_lease_held": ("gauge", "1 while the worker has its lease, without which it admits no prepaid call."),
    "portico_draining_answers": ("gauge", "Answers read to their end for callers who have left."),
    "portico_log_queue_bytes": ("gauge", "Access log that is not written yet."),
}
"""What is read of each worker once a second, by name: its type and help."""

TOTALS: Final[Mapping[str, str]] = {
    "portico_log_lines_total": "Lines of the access log that were written.",
    "portico_log_lines_dropped_total": "Lines that were not, since what takes them did not keep up.",
    "portico_vault_unsettled_total": "Answers that ended before other workers were sure to find what the next turn needs.",
    "portico_vault_lost_total": "Records for later turns that could not be written to the database, by key.",
    "portico_vault_unread_total": "Requests for whose earlier turns the database could not be asked.",
    "portico_budget_refusals_body_bytes_total": "Requests refused since too many bytes of bodies were in flight.",
    "portico_budget_refusals_open_calls_total": "Calls refused since too many were open.",
}
"""Counters that somebody else counts, and of which only the growth is added here."""


class Metrics:
    """All families, on one sheet."""

    def __init__(
        self,
        *,
        workers: int,
        version: str,
        routes: Sequence[str],
        providers: Sequence[str],
        models: Sequence[str],
        errors: Sequence[str],
    ) -> None:
        """`routes`, `providers`, `models`: every name they can have; `errors`: codes that an attempt can end with."""
        layout = Layout()
        route, provider = ("route", (*routes, OTHER)), ("provider", (*providers, OTHER))
        status = ("status", (*STATUSES.values(), OTHER))
        model = ("model", (*models, OTHER))
        outcome = ("outcome", ("ok", CANCELLED, *errors, OTHER))
        self.requests = layout.counter(
            "portico_requests_total", "Requests, by what was asked and how it was answered.", route, status
        )
        self.duration = layout.histogram(
            "portico_request_duration_seconds", "From a request's last byte to its answer's last.", SECONDS, route
        )
        self.first_byte = layout.histogram(
            "portico_first_byte_seconds", "From a request's last byte to its answer's first.", SECONDS, route
        )
        self.calls = layout.counter(
            "portico_calls_total",
            "Calls, by the model that was asked for.",
            model,
            ("outcome", OUTCOMES),
            from_zero=True,
        )
        self.tokens = layout.counter(
            "portico_tokens_total",
            "Tokens as providers counted them, no two kinds overlapping.",
            model,
            ("kind", TOKENS),
        )
        self.body_bytes = layout.counter(
            "portico_body_bytes_total",
            "Bytes of bodies of requests (in) and answers (out).",
            ("direction", ("in", "out")),
        )
        self.attempts = layout.counter(
            "portico_upstream_attempts_total",
            "Attempts at providers, by how they ended.",
            provider,
            outcome,
            from_zero=True,
        )
        self.upstream = layout.histogram(
            "portico_upstream_first_byte_seconds",
            "From an attempt to the head of the provider's answer.",
            SECONDS,
            provider,
        )
        self.hedges = layout.counter(
            "portico_upstream_hedges_total",
            "Attempts beside another that had shown nothing, by whether they were first.",
            provider,
            ("outcome", HEDGED),
        )
        self.first_event = layout.histogram(
            "portico_upstream_first_event_seconds",
            "From an attempt to the first event of its stream that shows something.",
            SECONDS,
            provider,
        )
        self.event_gap = layout.histogram(
            "portico_upstream_event_gap_seconds",
            "How far the events of a stream were apart, on average, where its caller kept up.",
            SECONDS,
            provider,
        )
        self.unfunded = layout.counter(
            "portico_unfunded_starts_total", "Calls begun at a provider beside a hold that was then refused."
        )
        self.lag = layout.histogram(
            "portico_event_loop_lag_seconds", "How late the event loop is, looked at four times a second.", LAG_SECONDS
        )
        self.totals = {name: layout.counter(name, text) for name, text in TOTALS.items()}
        self.restarts = layout.counter("portico_worker_restarts_total", "Workers that took the place of one that died.")
        self.gauges = {name: layout.gauge(name, text, kind=kind) for name, (kind, text) in GAUGES.items()}
        self._families = layout.families
        self.sheet = Sheet(workers, layout.width)
        for worker in range(workers):
            self.clear_gauges(worker)
        info = f'version="{version}",python="{platform.python_version()}"'
        self._info = (
            "# HELP portico_build_info What is running.\n# TYPE portico_build_info gauge\n"
            f"portico_build_info{{{info}}} 1\n"
        )

    def tally(self, worker: int) -> "Tally":
        """The numbers of one worker, counted on from where the one before it stopped."""
        self.clear_gauges(worker)
        return Tally(self, self.sheet.row(worker))

    def clear_gauges(self, worker: int) -> None:
        """What was true of a worker that has ended is not true any more, and not 0 either; what it counted is true."""
        row = self.sheet.row(worker)
        for gauge in self.gauges.values():
            row[gauge.start] = nan

    def replaced(self, worker: int) -> None:
        """Another worker has taken the place of one that died. For the supervisor."""
        self.sheet.row(worker)[self.restarts.start] += 1.0

    def text(self) -> bytes:
        """Everything, as Prometheus reads it (`CONTENT_TYPE`)."""
        return (self._info + rendered(self._families, self.sheet)).encode()


class Tally:
    """Counts what one worker does. Every cell is found at the start: counting a request is a few additions."""

    def __init__(self, metrics: Metrics, row: "memoryview[float]") -> None:
        self._row = row
        self._requests = metrics.requests.cells()
        self._duration = _by_one(metrics.duration.cells())
        self._first_byte = _by_one(metrics.first_byte.cells())
        self._calls = metrics.calls.cells()
        self._tokens = {name: metrics.tokens.cells()[name, TOKENS[0]] for name in _first_values(metrics.tokens)}
        self._bytes_in = metrics.body_bytes.start
        self._attempts = metrics.attempts.cells()
        self._upstream = _by_one(metrics.upstream.cells())
        self._hedges = metrics.hedges.cells()
        self._first_event = _by_one(metrics.first_event.cells())
        self._event_gap = _by_one(metrics.event_gap.cells())
        self._unfunded = metrics.unfunded.start
        self._lag = metrics.lag.start
        self._gauges = {name: gauge.start for name, gauge in metrics.gauges.items()}
        self._totals = {name: total.start for name, total in metrics.totals.items()}
        self._read: dict[str, float] = {}

    def count(self, report: Report, tokens: Sequence[int] | None) -> None:
        """Counts a request that is over. `tokens`: how many of each of TOKENS."""
        row = self._row
        route = report.route
        cell = self._requests.get((route, STATUSES.get(report.status, OTHER)))
        if cell is None:
            route = OTHER
            cell = self._requests[OTHER, STATUSES.get(report.status, OTHER)]
        row[cell] += 1.0
        took = report.ended - report.began
        start = self._duration[route]
        row[start + bisect_left(SECONDS, took)] += 1.0
        row[start + _SUM] += took
        if report.first_byte:
            took = report.first_byte - report.began
            start = self._first_byte[route]
            row[start + bisect_left(SECONDS, took)] += 1.0
            row[start + _SUM] += took
        row[self._bytes_in] += report.bytes_in
        row[self._bytes_in + 1] += report.bytes_out
        if report.model:
            model = report.model if report.model in self._tokens else OTHER
            row[self._calls[model, report.outcome]] += 1.0
            if tokens is not None:
                cell = self._tokens[model]
                for number, count in enumerate(tokens, cell):
                    if count:
                        row[number] += count
        if report.unfunded:
            row[self._unfunded] += 1.0
        for tried in report.tries:
            provider = tried.provider
            cell = self._attempts.get((provider, tried.outcome))
            if cell is None:
                provider = provider if provider in self._upstream else OTHER
                cell = self._attempts.get((provider, tried.outcome), self._attempts[provider, OTHER])
            row[cell] += 1.0
            if tried.answered:
                took = tried.answered - tried.sent
                start = self._upstream[provider]
                row[start + bisect_left(SECONDS, took)] += 1.0
                row[start + _SUM] += took
                if tried.shown:
                    self._count_events(tried, provider)
            if tried.beside:
                won, lost, failed = HEDGED
                ended = won if tried.outcome == OK else lost if tried.outcome == CANCELLED else failed
                row[self._hedges[provider, ended]] += 1.0

    def _count_events(self, tried: Try, provider: str) -> None:
        """How fast a stream was."""
        observe(self._row, self._first_event[provider], SECONDS, tried.shown - tried.sent)
        if (gap := tried.per_event_s) is not None:
            observe(self._row, self._event_gap[provider], SECONDS, gap)

    def lagged(self, seconds: float) -> None:
        """The event loop was late."""
        observe(self._row, self._lag, LAG_SECONDS, seconds)

    def set(self, gauge: str, value: float) -> None:
        """What is true of one of GAUGES now."""
        self._row[self._gauges[gauge]] = value

    def grown(self, total: str, value: float) -> None:
        """What one of TOTALS stands at in this process."""
        self._row[self._totals[total]] += value - self._read.get(total, 0.0)
        self._read[total] = value


_SUM: Final = len(SECONDS) + 1


def _by_one(cells: Mapping[tuple[str, ...], int]) -> dict[str, int]:
    return {values[0]: cell for values, cell in cells.items()}


def _first_values(family: Family) -> Sequence[str]:
    return family.labels[0][1]
