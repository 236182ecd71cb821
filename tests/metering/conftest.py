"""At the end of a run it is told by how much ceilings fell short where nobody promised that they would not."""

import pytest

from metering.recorded import MEASURED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MEASURED:
        terminalreporter.section("money x recordings")
        for line in MEASURED:
            terminalreporter.write_line(line)
