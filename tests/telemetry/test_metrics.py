"""Metrics: what is counted is told, in a text that the reference parser reads, by whichever worker is asked."""

import os
import platform
from bisect import bisect_left
from collections.abc import Callable, Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from portico.core.usage import Usage
from portico.relay.report import CANCELLED, OUTCOMES, Report, Try
from portico.telemetry.families import Layout, observe, rendered
from portico.telemetry.metrics import GAUGES, SECONDS, STATUSES, TOKENS, TOTALS, Metrics
from portico.telemetry.observing import Observing, counted
from portico.telemetry.sheet import Sheet

ROUTES, PROVIDERS, MODELS, ERRORS = ("chat", "models"), ("one", "two"), ("small", "large"), ("overloaded",)
Labels = frozenset[tuple[str, str]]


def metrics(workers: int = 1) -> Metrics:
    return Metrics(workers=workers, version="1.2", routes=ROUTES, providers=PROVIDERS, models=MODELS, errors=ERRORS)


def samples(of: Metrics) -> dict[tuple[str, Labels], float]:
    """Everything that is told, as the reference parser understands it."""
    families = text_string_to_metric_families(of.text().decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(of: Metrics, name: str, **labels: str) -> float:
    return samples(of).get((name, frozenset(labels.items())), 0.0)


def told_of(of: Metrics, worker: str) -> set[str]:
    """What is told of one worker."""
    return {name for name, labels in samples(of) if ("worker", worker) in labels}


def report(**fields: object) -> Report:
    made = Report(
        began=10.0, first_byte=10.02, ended=10.5, route="chat", model="small", status=200, bytes_in=7, bytes_out=9
    )
    for name, what in fields.items():
        setattr(made, name, what)
    return made


def test_what_a_request_was_is_counted() -> None:
    made = metrics()
    usage = Usage(input_uncached={"text": 3, "image": 4}, output_reasoning={"text": 5})
    tries = [Try("one", "m", 10.0, 10.3, "overloaded"), Try("two", "m", 10.3, 10.35, "ok")]
    Observing(made.tally(0), None).finished(report(usage=usage, tries=tries))
    assert value(made, "portico_requests_total", route="chat", status="200") == 1
    assert value(made, "portico_request_duration_seconds_sum", route="chat") == 0.5
    assert value(made, "portico_request_duration_seconds_bucket", route="chat", le="0.25") == 0
    assert value(made, "portico_request_duration_seconds_bucket", route="chat", le="0.5") == 1
    assert value(made, "portico_first_byte_seconds_count", route="chat") == 1
    assert value(made, "portico_calls_total", model="small", outcome="ok") == 1
    assert value(made, "portico_tokens_total", model="small", kind="input_uncached") == 7
    assert value(made, "portico_tokens_total", model="small", kind="output_reasoning") == 5
    assert value(made, "portico_body_bytes_total", direction="in") == 7
    assert value(made, "portico_body_bytes_total", direction="out") == 9
    assert value(made, "portico_upstream_attempts_total", provider="one", outcome="overloaded") == 1
    assert value(made, "portico_upstream_attempts_total", provider="two", outcome="ok") == 1
    assert value(made, "portico_upstream_first_byte_seconds_count", provider="two") == 1
    assert value(made, "portico_build_info", version="1.2", python=platform.python_version()) == 1


def test_a_request_that_was_no_call_counts_for_no_model_and_one_without_an_answer_has_no_first_byte() -> None:
    made = metrics()
    made.tally(0).count(report(model="", route="models", first_byte=0.0, status=0), None)
    told = samples(made)
    assert value(made, "portico_requests_total", route="models", status="none") == 1
    assert not [name for name, _ in told if name.startswith(("portico_tokens", "portico_first_byte"))]
    assert not any(count for (name, _), count in told.items() if name == "portico_calls_total")


def test_how_fast_streams_are_is_counted_by_provider() -> None:
    made = metrics()
    fast = Try("one", "m", 10.0, 10.1, "ok", streamed=True, shown=10.3, ended=12.3, events=11)
    slow_caller = Try("one", "m", 10.0, 10.1, "ok", streamed=True, shown=10.3, events=11)
    short = Try("one", "m", 10.0, 10.1, "ok", streamed=True, shown=10.3, ended=12.3, events=2)
    whole = Try("one", "m", 10.0, 10.1, "ok")
    made.tally(0).count(report(tries=[fast, slow_caller, short, whole]), None)
    assert value(made, "portico_upstream_first_event_seconds_count", provider="one") == 3
    assert value(made, "portico_upstream_first_event_seconds_sum", provider="one") == pytest.approx(0.9)
    assert value(made, "portico_upstream_event_gap_seconds_count", provider="one") == 1
    assert value(made, "portico_upstream_event_gap_seconds_sum", provider="one") == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("field", "odd", "name", "labels"),
    [
        ("route", "invented", "portico_requests_total", {"route": "other", "status": "200"}),
        ("status", 299, "portico_requests_total", {"route": "chat", "status": "other"}),
        ("model", "invented", "portico_calls_total", {"model": "other", "outcome": "ok"}),
        (
            "tries",
            [Try("invented", outcome=CANCELLED)],
            "portico_upstream_attempts_total",
            {"provider": "other", "outcome": "cancelled"},
        ),
        (
            "tries",
            [Try("one", outcome="x")],
            "portico_upstream_attempts_total",
            {"provider": "one", "outcome": "other"},
        ),
    ],
)
def test_what_was_not_known_at_the_start_is_other(
    field: str, odd: object, name: str, labels: Mapping[str, str]
) -> None:
    made = metrics()
    made.tally(0).count(report(**{field: odd}), None)
    assert value(made, name, **labels) == 1


@given(
    st.lists(
        st.builds(
            Report,
            route=st.sampled_from([*ROUTES, "other", ""]) | st.text(max_size=5),
            status=st.sampled_from([*STATUSES, 299]),
            model=st.sampled_from([*MODELS, ""]) | st.text(max_size=5),
            outcome=st.sampled_from(OUTCOMES),
            began=st.just(1.0),
            first_byte=st.sampled_from([0.0, 1.0]) | st.floats(1, 2000),
            ended=st.floats(1, 2000),
            tries=st.lists(
                st.builds(Try, st.sampled_from(PROVIDERS) | st.text(max_size=3), outcome=st.text(max_size=3)),
                max_size=3,
            ),
        ),
        max_size=20,
    )
)
def test_whatever_is_counted_the_text_is_read_and_its_sums_agree(reports: list[Report]) -> None:
    made = metrics()
    tally = made.tally(0)
    for one in reports:
        tally.count(one, None)
    told = samples(made)

    def total(name: str) -> float:
        return sum(count for (told_name, _), count in told.items() if told_name == name)

    assert total("portico_requests_total") == len(reports)
    assert total("portico_request_duration_seconds_count") == len(reports)
    assert total("portico_calls_total") == sum(1 for one in reports if one.model)
    assert total("portico_upstream_attempts_total") == sum(len(one.tries) for one in reports)
    assert total("portico_first_byte_seconds_count") == sum(1 for one in reports if one.first_byte)


@given(st.lists(st.floats(0, 2) | st.sampled_from([0.1, 0.5, 1.0])))
def test_a_bucket_holds_what_is_at_most_its_bound_and_all_smaller_ones(values: list[float]) -> None:
    bounds = (0.1, 0.5, 1.0)
    layout = Layout()
    family = layout.histogram("seconds", "Of something.", bounds)
    sheet = Sheet(1, layout.width)
    for one in values:
        observe(sheet.row(0), family.start, bounds, one)
    (read,) = text_string_to_metric_families(rendered(layout.families, sheet))
    told = {(one.name, one.labels.get("le")): one.value for one in read.samples}
    for bound in bounds:
        assert told["seconds_bucket", str(int(bound) if bound == 1 else bound)] == sum(one <= bound for one in values)
    assert told["seconds_bucket", "+Inf"] == told["seconds_count", None] == len(values)
    assert told["seconds_sum", None] == pytest.approx(sum(values))


def test_names_that_need_escaping_come_back_as_they_are() -> None:
    odd = 'a "quoted" \\ name\nof two lines'
    made = Metrics(workers=1, version="1", routes=(), providers=(), models=(odd,), errors=())
    made.tally(0).count(report(model=odd), None)
    assert value(made, "portico_calls_total", model=odd, outcome="ok") == 1


def test_every_family_has_a_type_and_a_help_and_comes_once() -> None:
    made = metrics(2)
    lines = made.text().decode().splitlines()
    for word in ("HELP", "TYPE"):
        names = [line.split(" ")[2] for line in lines if line.startswith(f"# {word} ")]
        assert len(names) == len(set(names))
        assert {*GAUGES, *TOTALS} < set(names)
    assert all(line.split(" ", 3)[3] for line in lines if line.startswith("# HELP "))


def test_what_alarms_look_at_is_told_as_0_before_it_happens() -> None:
    """Prometheus finds no increase in a counter that begins at 1. A key that is refused once rests from then on."""
    told = samples(metrics())
    for provider in (*PROVIDERS, "other"):
        assert told["portico_upstream_attempts_total", frozenset({("provider", provider), ("outcome", ERRORS[0])})] == 0
    for model in (*MODELS, "other"):
        assert told["portico_calls_total", frozenset({("model", model), ("outcome", "failed")})] == 0


# -- several workers


@pytest.fixture
def two() -> Metrics:
    return metrics(2)


def in_a_child(work: Callable[[], None]) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_scrape_tells_of_all_workers_whichever_is_asked(two: Metrics) -> None:
    in_a_child(lambda: two.tally(1).count(report(), [1] * len(TOKENS)))
    two.tally(0).count(report(), None)
    in_a_child(lambda: two.tally(0).set("portico_open_connections", 3.0))
    assert value(two, "portico_requests_total", route="chat", status="200") == 2
    assert value(two, "portico_tokens_total", model="small", kind="output_visible") == 1
    assert value(two, "portico_open_connections", worker="0") == 3


def test_nothing_is_told_of_a_worker_that_is_not_there(two: Metrics) -> None:
    assert told_of(two, "1") == set()
    tally = two.tally(1)
    assert told_of(two, "1") == set()
    tally.set("portico_lease_held", 1.0)
    tally.set("portico_open_calls", 0.0)
    assert told_of(two, "1") == {"portico_lease_held", "portico_open_calls"}
    two.clear_gauges(1)
    assert told_of(two, "1") == set()


def test_a_replaced_worker_counts_on_and_nothing_is_true_of_the_dead_one(two: Metrics) -> None:
    def serve() -> None:
        tally = two.tally(1)
        tally.count(report(), None)
        tally.grown("portico_log_lines_total", 5.0)
        tally.grown("portico_log_lines_total", 7.0)
        tally.set("portico_open_calls", 1.0)

    in_a_child(serve)
    assert value(two, "portico_open_calls", worker="1") == 1
    two.clear_gauges(1)
    two.replaced(1)
    assert told_of(two, "1") == set()
    in_a_child(serve)
    assert value(two, "portico_requests_total", route="chat", status="200") == 2
    assert value(two, "portico_log_lines_total") == 14
    assert value(two, "portico_worker_restarts_total") == 1


def test_buckets_rise_and_tokens_are_the_buckets_of_a_usage() -> None:
    assert list(SECONDS) == sorted(set(SECONDS))
    assert bisect_left(SECONDS, 0.0) == 0
    fields = [name for name in Usage.__struct_fields__ if name != "ext"]
    assert list(TOKENS) == fields
    for number, name in enumerate(fields):
        usage = msgspec.structs.replace(Usage(), **{name: {"text": 2, "audio": 3}})
        assert counted(usage)[number] == 5
