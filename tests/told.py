"""What is told at the end of a run, of whatever was counted in it."""

from collections.abc import Iterator

import tally


def sections() -> Iterator[tuple[str, list[str]]]:
    """A title, and lines."""
    found = {
        "laws x recordings": _laws(),
        "money x recordings": list(tally.counter("metering measured")),
        "rows of mapping.md x valid Chat requests": _rows(),
    }
    yield from ((title, lines) for title, lines in found.items() if lines)


def _laws() -> list[str]:
    lines = []
    for law, count in sorted(tally.counter("laws judged").items()):
        skipped = {rule: n for (name, rule), n in tally.counter("laws skipped").items() if name == law}
        said = "; ".join(f"{n} skipped: {rule}" for rule, n in sorted(skipped.items()))
        lines.append(f"{law}: {count} judged" + (f"; {said}" if said else ""))
    return lines


def _rows() -> list[str]:
    """How often each was hit."""
    hits, asked = tally.counter("rows hit"), tally.counter("requests asked")
    if not hits:
        return []
    from properties.chat_requests import ALL_ROWS

    told = ", ".join(f"{count} {name}" for name, count in sorted(asked.items()))
    rows = [f"{hits[row]:6d}  {row}" for row in sorted(ALL_ROWS | hits.keys())]
    return [f"{sum(asked.values())} requests: {told}", *rows]
