"""Judging: a law is a function of an exchange that returns nothing, fails, or skips by a named rule.

Every run keeps the tally of laws x recordings, judged and skipped by rule; the tally is printed at the end of the run, and
more than 3 % skipped of what was on the wire fails (`test_tally.py`).
"""

import difflib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import tally
from laws.corpus import Exchange, exchanges
from portico.core.errors import PorticoError
from portico.core.loss import Loss
from portico.core.normal import Normal, erase

JUDGED: Counter[str] = tally.counter("laws judged")
SKIPPED: Counter[tuple[str, str]] = tally.counter("laws skipped")
"""(law, rule) -> how often; only of exchanges that were on the wire."""
CARRIED: Counter[tuple[str, str, str]] = tally.counter("laws carried")
LOST: Counter[tuple[str, str, str, str]] = tally.counter("laws lost")
"""(REQUESTS or ANSWERS, from which dialect, into which[, code of the loss]) -> how many of the wire's recordings; the page
on conformance is made of them."""
REQUESTS, ANSWERS = "requests", "answers"
MAX_SHOWN = 4
MAX_SKIPPED_SHARE = 0.03


class Skip(Exception):
    """The law would apply, but a rule with a reason excepts this exchange; the message is the rule."""


class NotThisShape(Exception):
    """The law speaks of something else: of streams where this is a body, of answers where this is an error."""


Law = Callable[[Exchange], None]


def hold(law: Law, path: Path) -> None:
    """Judges a law over every exchange of a file and fails with the first few that break it."""
    broken: list[str] = []
    count = 0
    for exchange in exchanges(path):
        try:
            law(exchange)
        except NotThisShape:
            continue
        except Skip as rule:
            if exchange.trusted:
                SKIPPED[law.__name__, str(rule)] += 1
        except Exception as error:  # noqa: BLE001 - whatever breaks a law is told with the recording's name
            if not exchange.trusted and isinstance(error, (AssertionError, PorticoError)):
                continue  # shaped by hand, often deliberately wrong: it must only be survived
            count += 1
            if len(broken) < MAX_SHOWN:
                broken.append(f"{exchange.id}\n  {type(error).__name__}: {error}")
        else:
            if exchange.trusted:
                JUDGED[law.__name__] += 1
    if broken:
        pytest.fail(f"{count} recording(s) break {law.__name__}:\n" + "\n".join(broken), pytrace=False)


def told(what: str, exchange: Exchange, into: str, losses: Iterable[Loss]) -> None:
    """Notes what became of one recording in another dialect."""
    if exchange.trusted:
        CARRIED[what, exchange.dialect.name, into] += 1
        LOST.update((what, exchange.dialect.name, into, code) for code in {loss.code for loss in losses})


def same(actual: Normal, expected: Normal, losses: list[Loss] | None = None) -> None:
    """Fails unless two normal forms are one, minus what declared losses excuse, and shows where they differ."""
    if losses:
        actual, expected = erase(actual, losses), erase(expected, losses)
    if actual == expected:
        return
    left, right = (json.dumps(form, indent=1, sort_keys=True, default=str) for form in (expected, actual))
    lines = [line[:300] for line in difflib.unified_diff(left.splitlines(), right.splitlines(), "was", "became", n=1)]
    codes = sorted({loss.code for loss in losses or ()})
    raise AssertionError(f"not the same (declared: {codes})\n    " + "\n    ".join(lines[:24]))
