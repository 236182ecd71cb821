"""One run, by one process or by several (`pytest -n 2`): what it counted is added up, judged and told at its end.

Several processes have one more before them, which collects nothing: of the tests' conftests it loads this one alone.
"""

import gc
import importlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import tally
import told
from longest import begin_with_the_longest
from sdk.inner import pytest_configure as pytest_configure
from sdk.inner import pytest_runtest_makereport as pytest_runtest_makereport

# The time of examples on the clock says nothing where several processes share the cores.
settings.register_profile("portico", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("portico")

_LEFT = pytest.StashKey[list[str]]()
"""Tests that processes which see only a part of the run leave to the one before them."""


def _one_of_several(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected, a million objects, stays to the end: the search for cycles need not look at it, then or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    judges = [item for item in items if item.get_closest_marker("of_the_whole_run")]
    others = [item for item in items if item not in judges]
    if _one_of_several(config):
        begin_with_the_longest(others)
    items[:] = others + ([] if _one_of_several(config) else judges)
    config.stash[_LEFT] = [item.nodeid for item in judges]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _one_of_several(session.config):
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]
        output.update(counted=tally.counted(), left=session.config.stash.get(_LEFT, []))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """One of several has ended; whoever crashed has told nothing."""
    output = getattr(node, "workeroutput", {})
    tally.add(output.get("counted", {}))
    node.config.stash[_LEFT] = output.get("left", node.config.stash.get(_LEFT, []))


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    done = yield
    if session.config.pluginmanager.has_plugin("dsession"):
        left = session.config.stash.get(_LEFT, [])
        session.testscollected += len(left)
        for nodeid in left:
            session.ihook.pytest_runtest_logreport(report=_judged(nodeid))
    return done


def _judged(nodeid: str) -> pytest.TestReport:
    """The result of a test of this process: a function that needs nothing."""
    name, _, function = nodeid.partition("::")
    path = Path(name).relative_to(Path(__file__).parent.name).with_suffix("")
    test = getattr(importlib.import_module(".".join(path.parts)), function)
    call = pytest.CallInfo.from_call(test, when="call", reraise=(KeyboardInterrupt,))
    where = (name, test.__code__.co_firstlineno - 1, function)
    if call.excinfo is None:
        return pytest.TestReport(nodeid, where, {}, "passed", None, "call", duration=call.duration)
    if call.excinfo.errisinstance(pytest.skip.Exception):
        why = (name, where[1], f"Skipped: {call.excinfo.value}")
        return pytest.TestReport(nodeid, where, {}, "skipped", why, "call", duration=call.duration)
    broken = call.excinfo.getrepr()
    return pytest.TestReport(nodeid, where, {}, "failed", broken, "call", duration=call.duration)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for title, lines in told.sections():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)
    if file := os.environ.get("PORTICO_CONFORMANCE"):
        from laws.conformance import as_text, conformance

        Path(file).write_text(as_text(conformance()), encoding="utf-8")
