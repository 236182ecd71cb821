"""What is printed: the table, whether the bars are reached, and a note of what was measured where."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from bench.rows import ROWS
from portico.web.evidence import FLOOR, OURS, Figure, number

COMPILED: Final = "portico-compiled"


class Bar(msgspec.Struct, frozen=True):
    """What Portico is to reach: a row at most `most` times that of another gateway, or `most` itself. `aim`: beyond it."""

    row: str
    most: float
    than: str = ""
    aim: float | None = None


BARS: Final = (
    Bar("small", 5, FLOOR, 3.5),
    Bar("small", 0.6, "tensorzero"),
    Bar("small", 1 / 200, "litellm"),
    Bar("event", 2.5, FLOOR, 2),
    Bar("event", 0.75, "tensorzero"),
    Bar("agent", 10, FLOOR, 8),
    Bar("agent", 1 / 10, "tensorzero"),
    Bar("agent", 1 / 80, "litellm"),
    Bar("latency_p50", 0.4, aim=0.2),
    Bar("latency_p99", 3, aim=1),
    Bar("open_rss", 40, aim=20),
    Bar("open_late", 100),
    Bar("image_peak", 4, aim=3),
    Bar("start", 1.0, aim=0.5),
)

Found = Mapping[tuple[str, str], Figure]
"""(row, gateway) -> figure."""


def _cell(row: str, gateway: str, found: Found) -> str:
    figure, floor = found.get((row, gateway)), found.get((row, FLOOR))
    if figure is None:
        return ""
    text = number(figure.value)
    if ROWS[row].ratio and gateway != FLOOR and floor is not None and floor.value > 0:
        text += f" ({number(figure.value / floor.value)}x)"
    if figure.failed:
        text += f" [{figure.failed:,} of {figure.answered + figure.failed:,} failed]"
    return text


def rendered(found: Found, heads: Mapping[str, str]) -> str:
    """A line for each row: the gateways' values (of several rounds, the one in the middle), how many times the floor's.

    `heads`: gateway -> what stands above its column.
    """
    lines = [["", "", *heads.values()], ["---", "---", *["--:" for _ in heads]]]
    for key, row in ROWS.items():
        if any((key, name) in found for name in heads):
            lines.append([row.title, row.unit, *[_cell(key, name, found) for name in heads]])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _times(value: float) -> str:
    """A small multiple is told as a fraction."""
    return f"1/{1 / value:.0f}" if 0 < value < 0.5 else f"{value:.2f}".rstrip("0").rstrip(".")


def judged(found: Found, whose: str = OURS) -> list[tuple[str, bool]]:
    """For each bar both sides of which were measured: what it says, and whether it is reached with nothing failed."""
    verdicts: list[tuple[str, bool]] = []
    for bar in BARS:
        ours, other = found.get((bar.row, whose)), found.get((bar.row, bar.than))
        if ours is None or (bar.than and (other is None or not other.value)):
            continue
        value = ours.value / other.value if other is not None else ours.value
        unit = f"x {bar.than}" if bar.than else ROWS[bar.row].unit
        told = _times if bar.than else number
        aim = f", aim {told(bar.aim)}" if bar.aim is not None else ""
        text = f"{ROWS[bar.row].title}: {told(value)} {unit} (bar {told(bar.most)}{aim})"
        verdicts.append((text, value <= bar.most and not ours.failed))
    return verdicts


def note(machine: str, versions: Sequence[str], problems: Sequence[str], *, quick: bool, now: datetime) -> str:
    """When, where and what, in lines."""
    lines = [f"Measured {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC on {machine}.", f"Versions: {'; '.join(versions)}."]
    if quick:
        lines.append("Short loads (--quick): for a first look, not for quoting.")
    return "\n".join([*lines, *(f"Not measured: {problem}" for problem in problems)])


def report(head: str, found: Found, heads: Mapping[str, str]) -> str:
    """All of it, as Markdown."""
    parts = [head, rendered(found, heads)]
    for whose in (OURS, COMPILED):
        verdicts = [f"- {'reached' if reached else '**missed**'}: {text}" for text, reached in judged(found, whose)]
        if verdicts:
            parts += [f"What {whose} is to reach:", "\n".join(verdicts)]
    return "\n\n".join(parts)
