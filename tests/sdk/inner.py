"""pytest with another Python, and each of its tests a result of the run that started it.

A test runs the inner pytest and puts the results into the fixture `inner_results`; after its own result the hooks here
report theirs, with their own messages, reasons and times. A `conftest.py` has to import them: the topmost one, for where
several processes share the tests (`pytest -n 2`) it is another that reports.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as ET

import pytest
from _pytest._io import TerminalWriter

_RUNNING_S = 600
_SKIPPED_AT = re.compile(r"(?:.*/site-packages/)?(.+?):(\d+): ")


@dataclass(frozen=True)
class Result:
    """What came of one inner test."""

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    seconds: float = 0.0
    message: str = ""
    """Of a failure: what pytest said of it in a line. Of a skip or an expected failure: its reason."""
    printed: str = ""
    """Of a failure: all of it."""
    where: tuple[str, int] = ("", 0)
    """Of a skip: the file and the line."""
    expected: bool = False
    """A failure that was declared beforehand (outcome "skipped")."""


@dataclass(frozen=True)
class Run:
    """A whole inner run. `status` is pytest's exit status, `said` what it printed."""

    status: int
    said: str
    results: Sequence[Result]

    def check(self) -> None:
        """Raises `AssertionError` unless tests ran, and what the run says of itself is what its results say."""
        failed = any(result.outcome == "failed" for result in self.results)
        assert self.status == failed, f"pytest ended with {self.status}\n{self.said}"
        assert any(result.outcome != "skipped" for result in self.results), f"No test ran\n{self.said}"


def run(python: Path, config: Path, tests: Sequence[Path], environment: Mapping[str, str], *options: str) -> Run:
    """Runs these modules as `config` (a `pytest.ini`) says; no conftest.py from above it is read."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        where = [f"--config-file={config}", f"--rootdir={config.parent}", f"--confcutdir={config.parent}"]
        how = ["-p", "no:cacheprovider", "-o", "junit_family=xunit2", f"--junit-xml={report}", *options]
        done = subprocess.run(
            [python, "-m", "pytest", *where, *how, *tests],
            cwd=folder,
            env={**_kept(), **environment, "HOME": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_RUNNING_S,
        )
        return Run(done.returncode, done.stdout, list(read(report)) if report.exists() else [])


def _kept() -> dict[str, str]:
    """What a Python may need to start at all; nothing else of ours reaches it."""
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}


def read(report: Path) -> Iterator[Result]:
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 (pytest has just written it)
        name = "::".join(part for part in (*case.get("classname", "").split("."), case.get("name", "")) if part)
        seconds = float(case.get("time", "0"))
        failures = [*case.iter("failure"), *case.iter("error")]
        skip = case.find("skipped")
        if failures:
            printed = "\n".join(failure.text or "" for failure in failures)
            yield Result(name, "failed", seconds, failures[0].get("message", ""), printed)
        elif skip is not None:
            found = _SKIPPED_AT.match(skip.text or "")
            where = (found[1], int(found[2])) if found else ("", 0)
            expected = skip.get("type") == "pytest.xfail"
            yield Result(name, "skipped", seconds, skip.get("message", ""), where=where, expected=expected)
        else:
            yield Result(name, "passed", seconds)


# -- in the outer run ------------------------------------------------------------------------------------------------

RESULTS = pytest.StashKey[list[Result]]()


@pytest.fixture
def inner_results(request: pytest.FixtureRequest) -> list[Result]:
    """What is put here is reported after the test."""
    results: list[Result] = request.node.stash.setdefault(RESULTS, [])
    return results


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, Any]:
    """With the last report of a test go the results that it has, as plain values: the report may leave the process."""
    report = yield
    if call.when == "teardown":
        vars(report).update(inner=[asdict(result) for result in item.stash.get(RESULTS, [])])
    return report


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Outer(config))


class _Outer:
    """Of the process that hears of all results, if several share the tests."""

    def __init__(self, config: pytest.Config) -> None:
        self._plugins = config.pluginmanager
        self._hook = config.hook

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        inner = [_report(report, Result(**told)) for told in getattr(report, "inner", ())]
        session: Any = self._plugins.get_plugin("session")
        session.testscollected += len(inner)  # or the progress would go beyond 100 %
        for one in inner:
            self._hook.pytest_runtest_logstart(nodeid=one.nodeid, location=one.location)
            self._hook.pytest_runtest_logreport(report=one)
            self._hook.pytest_runtest_logfinish(nodeid=one.nodeid, location=one.location)


@dataclass(frozen=True)
class _Failure:
    """What pytest asks of the representation of a failure."""

    message: str
    printed: str

    @property
    def reprcrash(self) -> "_Failure":
        """Whose message the summary shows."""
        return self

    def toterminal(self, terminal: TerminalWriter) -> None:
        for line in self.printed.splitlines():
            terminal.line(line, red=line.startswith("E "))

    def __str__(self) -> str:
        return self.printed


def _report(outer: pytest.TestReport, result: Result) -> pytest.TestReport:
    path, line, _ = outer.location
    told: dict[str, Any] = {
        "passed": None,
        "failed": _Failure(result.message, result.printed),
        "skipped": (*result.where, f"Skipped: {result.message}"),
    }
    report = pytest.TestReport(
        nodeid=f"{path}::{result.name}",
        location=(path, line, result.name),
        keywords={},
        outcome=result.outcome,
        longrepr=told[result.outcome],
        when="call",
        duration=result.seconds,
        **({"node": outer.node} if hasattr(outer, "node") else {}),  # by which junitxml tells processes apart
    )
    if result.expected:
        report.wasxfail = result.message
    return report
