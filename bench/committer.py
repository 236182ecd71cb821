"""What the group committer costs: CPU time per write, and how long a commit takes beside a busy event loop.

python -m bench.committer [postgresql://…]
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from portico.cli.loop import run
from portico.core.storage import Db
from portico.store.committer import GroupCommitter
from portico.store.database import open_database
from portico.store.migrate import upgrade

SIZES: Final = (1, 4, 16, 64)
WRITES: Final = 1536
ROUNDS: Final = 7
BUSY_S: Final = 0.0002
"""What a callback of a loop under load takes at a time."""
_INSERT: Final = "INSERT INTO usage_days (account_id, day, model, key_id, calls) VALUES (?, ?, 'm', 'k', 1)"
_UPDATE: Final = "UPDATE counters SET used = used + 1 WHERE subject = 'k' AND kind = 'bench'"


class Two:
    """Two statements: a row that is new, and one that all share."""

    keys: Sequence[str] = ("account:a", "key:k")

    def __init__(self, name: str) -> None:
        self.name = name

    def apply(self, db: Db) -> int:
        db.run(_INSERT, self.name, "2026-01-01")
        return db.run(_UPDATE)


async def rounds(committer: GroupCommitter, size: int, prefix: str) -> tuple[float, list[float]]:
    """CPU microseconds per write, and how long each group took, in seconds."""
    took, began = [], time.process_time_ns()
    for number in range(WRITES // size):
        started = time.perf_counter()
        await asyncio.gather(*(committer.submit(Two(f"{prefix}{number:06d}.{n:03d}")) for n in range(size)))
        took.append(time.perf_counter() - started)
    return (time.process_time_ns() - began) / 1000 / WRITES, took


async def busy() -> None:
    """A loop that never waits."""
    while True:
        until = time.perf_counter() + BUSY_S
        while time.perf_counter() < until:
            pass
        await asyncio.sleep(0)


async def measure(url: str) -> int:
    database = open_database(url)
    committer = database.committer("bench")
    await database.reading.work(
        lambda db: db.run("""INSERT INTO counters (subject, kind, "window") VALUES ('k', 'bench', 0)""")
    )
    print("| writes at once | CPU us / write | ms / group, p50 | p99 |\n|--:|--:|--:|--:|")
    for size in SIZES:
        results = [await rounds(committer, size, f"{size}.{n}.") for n in range(ROUNDS)]
        took = sorted(each for _, group in results for each in group)
        show(f"{size}", f"{min(cpu for cpu, _ in results):.1f}", took)
    spinning = asyncio.create_task(busy())
    for size in SIZES[:3]:
        _, took = await rounds(committer, size, f"busy.{size}.")
        show(f"{size}, loop busy", "", sorted(took))
    spinning.cancel()
    await committer.aclose()
    await database.aclose()
    return 0


def show(name: str, cpu: str, took: list[float]) -> None:
    p50, p99 = (took[int(len(took) * part)] * 1000 for part in (0.5, 0.99))
    print(f"| {name} | {cpu} | {p50:.2f} | {p99:.2f} |", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{Path(folder, 'bench.db')}"
        upgrade(url)
        run(lambda: measure(url))


if __name__ == "__main__":
    main()
