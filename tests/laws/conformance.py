"""What a run of the laws found, for the page on conformance: `make conformance` has it written to `$PORTICO_CONFORMANCE`."""

from datetime import UTC, datetime

from laws import judge


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
