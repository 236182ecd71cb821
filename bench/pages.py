"""What the pages cost: CPU to the first byte, and the weight of a page with everything it loads.

python -m bench.pages            a table: every page in every locale, the dearest first
python -m bench.pages --json     the same for scripts

Bars: under 30 ms of CPU to the first byte of any page, and under 150 KB without images, as they are before anything is
compressed. Measured on a house with the whole catalog served, in this process: the CPU of a page is that of a later
rendering, since the first one loads templates, in a house that has kept nothing; the weight is HTML, style sheet and script
as a browser gets them (brotli), and as they are. Pages that show traffic are measured with every model called, at two
providers each.
"""

import argparse
import asyncio
import json
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from portico.web.addresses import Address, Form, Locale
from portico.web.house import House
from portico.web.showroom import Showroom, Traffic
from web.rooms import ADDRESSES, CATALOG, NOW, ROOM, ask, showroom

ROUNDS: Final = 5
SLOT_S, SLOTS = 960, 90
BUSY: Final = ("/models", "/status", "/status/gpt-5.5", "/models/gpt-5.5", "/models?in=13000&cached=60&out=800")
"""What is measured with traffic, too."""
CPU_MS: Final = 30.0
WEIGHT_BYTES: Final = 150_000


class Cost(msgspec.Struct):
    """Of one page."""

    path: str
    cpu_ms: float
    """Median of the rounds."""
    sent_bytes: int
    """With style and script, compressed."""
    plain_bytes: int


def busy() -> Showroom:
    """Every model is called all day, and some calls of every fourth step fail."""
    first = (int(NOW.timestamp()) // SLOT_S - SLOTS + 1) * SLOT_S
    day = tuple(Traffic(first + n * SLOT_S, 40 + n, n % 4, {100: 20, 250: 20 + n - n % 4}) for n in range(SLOTS))
    providers = {name: {"first": day, "second": day} for name in CATALOG.models}
    return showroom(traffic=dict.fromkeys(CATALOG.models, day), providers=providers)


async def _weight(house: House, path: str, headers: dict[str, str]) -> int:
    """A page and what it loads: style sheets, scripts, the icons its SVG uses."""
    answer = await ask(house, path, headers)
    page = (await ask(house, path)).text
    files = set(re.findall(r'(?:href|src)="(/s/[^"#]+)', page))
    return len(answer.body) + sum([len((await ask(house, file, headers)).body) for file in sorted(files)])


async def measure(path: str, room: Showroom = ROOM, name: str = "") -> Cost:
    await ask(House(room), path)
    spent = []
    for _ in range(ROUNDS):
        house = House(room)
        began = time.process_time()
        await ask(house, path, {"accept-encoding": "br"})
        spent.append((time.process_time() - began) * 1000)
    house, compressed = House(room), {"accept-encoding": "br, gzip"}
    weights = await _weight(house, path, compressed), await _weight(house, path, {})
    return Cost(name or path, statistics.median(spent), *weights)


async def measure_all() -> list[Cost]:
    forms = (Form.HTML, Form.MARKDOWN)
    paths = [str(Address(path, locale, form)) for path in ADDRESSES for locale in Locale for form in forms]
    costs = [await measure(path) for path in paths]
    room = busy()
    called = [f"{locale.prefix}{path}" for path in BUSY for locale in Locale]
    costs += [await measure(path, room, f"busy: {path}") for path in called]
    return sorted(costs, key=lambda cost: -cost.cpu_ms)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="every page, for scripts")
    options = parser.parse_args()
    costs = asyncio.run(measure_all())
    if options.json:
        told: list[dict[str, Any]] = [msgspec.to_builtins(cost) for cost in costs]
        print(json.dumps(told, indent=1))
    else:
        print(f"{'page':56}{'CPU ms':>8}{'sent KB':>9}{'plain KB':>10}")
        for cost in [*costs[:12], *sorted(costs[12:], key=lambda one: -one.plain_bytes)[:5]]:
            print(f"{cost.path[:55]:56}{cost.cpu_ms:8.1f}{cost.sent_bytes / 1000:9.1f}{cost.plain_bytes / 1000:10.1f}")
        print(f"{len(costs)} pages; median {statistics.median(cost.cpu_ms for cost in costs):.1f} ms")
    missed = [cost for cost in costs if cost.cpu_ms >= CPU_MS or cost.plain_bytes >= WEIGHT_BYTES]
    print(f"bars: {'held by all' if not missed else f'missed by {len(missed)}'}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
