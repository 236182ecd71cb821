"""What is drawn of a day: 90 bars of 16 minutes each, as paths for an SVG that is stretched to the width there is.

A bar is a stroke from its top down; how wide that is the style sheet says. Bars of one height beside each other are one
stroke from left to right, as thick as they are high, which the style sheet's dashes break into them. Texts do not belong
in such a drawing, since they would be stretched too: they stand beside it.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Final

import msgspec

from portico.routing.traffic import within_ms
from portico.web.showroom import Traffic

STEP: Final = 4
GAP: Final = 1
HEIGHT: Final = 36
TALL: Final = 240
"""Of a chart that has a page's width."""
LEAST: Final = 4
"""So high is a part of a bar that is there at all, were it one call of a thousand."""
MARK: Final = 3


class Shares(msgspec.Struct, frozen=True):
    """Of each bar what was answered, full, and over it what failed, from the top; a low bar where nothing was called."""

    width: int
    ok: str
    bad: str
    none: str


class Spans(msgspec.Struct, frozen=True):
    """Of each slot how long the calls waited: a mark for half of them, and from there a span for 95 of 100. The scale is
    logarithmic, from `low_ms` to `high_ms`."""

    width: int
    half: str
    most: str
    low_ms: int
    high_ms: int


def shares(slots: Sequence[Traffic]) -> Shares:
    ok = _runs([slot.calls > slot.failed for slot in slots], HEIGHT // 2)
    none = _runs([not slot.calls for slot in slots], HEIGHT - LEAST // 2)
    bad = [_bar(number, 0, _part(slot.failed, slot.calls)) for number, slot in enumerate(slots) if slot.failed]
    return Shares(len(slots) * STEP, ok, "".join(bad), none)


class Stacks(msgspec.Struct, frozen=True):
    """Of each series one path: its part of every bar. The drawing is `width` by `TALL`."""

    width: int
    paths: tuple[str, ...]


def stacks(days: Sequence[Sequence[int]]) -> Stacks:
    """Amounts of each day, of each series, one on top of the other: the first at the bottom. The highest day fills it."""
    most = max((sum(day) for day in days), default=0)
    paths = [""] * max((len(day) for day in days), default=0)
    for number, day in enumerate(days):
        below = 0
        for place, amount in enumerate(day):
            top, bottom = _level(below + amount, most), _level(below, most)
            if amount > 0:
                paths[place] += _bar(number, TALL - max(top, bottom + 1), max(top - bottom, 1))
            below += amount
    return Stacks(len(days) * STEP, tuple(paths))


def _level(amount: int, most: int) -> int:
    return round(TALL * amount / most) if most else 0


def spark(amounts: Sequence[int]) -> str:
    """A bar for each amount, as high as its share of the largest; nothing where there is nothing."""
    most = max(amounts, default=0)
    return "".join(
        [_bar(number, HEIGHT - (high := _part(one, most)), high) for number, one in enumerate(amounts) if one > 0]
    )


def _runs(there: Sequence[bool], middle: int) -> str:
    """A stroke at that height for each run of bars that are there."""
    told, number = [], 0
    for is_there, run in itertools.groupby(there):
        count = len(list(run))
        if is_there:
            told.append(f"M{number * STEP + GAP / 2:g} {middle}h{count * STEP - GAP}")
        number += count
    return "".join(told)


def _part(count: int, of: int) -> int:
    """The height of a part; neither it nor what is left is too low to be seen."""
    if count in (0, of):
        return HEIGHT if count else 0
    return min(max(round(HEIGHT * count / of), LEAST), HEIGHT - LEAST)


def spans(slots: Sequence[Traffic]) -> Spans | None:
    """None: nothing is known of it."""
    known = []
    for number, slot in enumerate(slots):
        half, most = within_ms(slot.waits, 50), within_ms(slot.waits, 95)
        if half is not None:
            known.append((number, half, half if most is None else most))
    if not known:
        return None
    low, high = min(half for _, half, _ in known), max(most for _, _, most in known)

    def at(wait_ms: int) -> int:
        """How far from the top."""
        share = math.log(wait_ms / low) / math.log(high / low) if high > low else 0.0
        return round((HEIGHT - MARK) * (1.0 - share))

    marks = [_bar(number, at(half), MARK) for number, half, _ in known]
    rest = [_bar(number, at(most), at(half) - at(most)) for number, half, most in known if at(most) < at(half)]
    return Spans(len(slots) * STEP, "".join(marks), "".join(rest), low, high)


def _bar(number: int, top: int, height: int) -> str:
    return f"M{number * STEP + STEP // 2} {top}v{height}"
