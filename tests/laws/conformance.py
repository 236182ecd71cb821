"""What a run of the laws found, for the page on conformance: `make conformance` writes it to `$PORTICO_CONFORMANCE`."""

import json
from datetime import UTC, datetime

from laws import judge, models


def conformance() -> dict[str, object]:
    """What this run found, for the page: the laws, each pair of dialects with its losses, and each model."""
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
        "models": models.as_told(),
    }


def as_text(found: dict[str, object]) -> str:
    """As JSON, an entry of a list on a line: what another run changes can be seen, and it stays small."""
    members = []
    for name, value in found.items():
        told = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if isinstance(value, list):
            lines = [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in value]
            told = "[\n" + ",\n".join(lines) + "\n]"
        members.append(f"{json.dumps(name)}: {told}")
    return "{\n" + ",\n".join(members) + "\n}\n"
