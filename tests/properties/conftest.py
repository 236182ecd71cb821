"""At the end of a run: how often each row was hit."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    from properties.asking import ASKED, HITS
    from properties.chat_requests import ALL_ROWS

    if not HITS:
        return
    terminalreporter.section("rows of mapping.md x valid Chat requests")
    told = ", ".join(f"{count} {name}" for name, count in sorted(ASKED.items()))
    terminalreporter.write_line(f"{sum(ASKED.values())} requests: {told}")
    for row in sorted(ALL_ROWS | HITS.keys()):
        terminalreporter.write_line(f"{HITS[row]:6d}  {row}")
