"""Laws need recordings; without them they are skipped, with the reason. At the end of a run the tally is printed; where
`$PORTICO_CONFORMANCE` names a file, it is written there for the page on conformance (`make conformance`)."""

import json
import os
from datetime import UTC, datetime
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
    if file := os.environ.get("PORTICO_CONFORMANCE"):
        Path(file).write_text(json.dumps(conformance(), indent=1) + "\n", encoding="utf-8")


def conformance() -> dict[str, object]:
    """What this run found, for the page: the laws, and each pair of dialects with its losses."""
    pairs = sorted({(whence, into) for _, whence, into in judge.CARRIED})
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "laws": [
            {
                "law": law,
                "judged": count,
                "skipped": {rule: n for (name, rule), n in sorted(judge.SKIPPED.items()) if name == law},
            }
            for law, count in sorted(judge.JUDGED.items())
        ],
        "pairs": [
            {
                "from": whence,
                "into": into,
                **{what: judge.CARRIED[what, whence, into] for what in (judge.REQUESTS, judge.ANSWERS)},
                "losses": {
                    what: {
                        code: n
                        for (told, one, other, code), n in sorted(judge.LOST.items())
                        if (told, one, other) == (what, whence, into)
                    }
                    for what in (judge.REQUESTS, judge.ANSWERS)
                },
            }
            for whence, into in pairs
        ],
    }
