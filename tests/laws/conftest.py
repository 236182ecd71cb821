"""Laws need recordings; without them they are skipped, with the reason. At the end of a run the tally is printed."""

from pathlib import Path

import pytest

from laws import judge
from laws.corpus import FOLDER, files

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if files():
        return
    for item in items:
        if item.path.parent == HERE and "path" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=f"no recordings in {FOLDER} (set PORTICO_RECORDINGS)"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not judge.JUDGED:
        return
    terminalreporter.section("laws x recordings")
    for law, count in sorted(judge.JUDGED.items()):
        skipped = {rule: n for (name, rule), n in judge.SKIPPED.items() if name == law}
        said = "; ".join(f"{n} skipped: {rule}" for rule, n in sorted(skipped.items()))
        terminalreporter.write_line(f"{law}: {count} judged" + (f"; {said}" if said else ""))
