"""Measures gateways on this machine, in one run, and prints a table with ratios.

    make bench                                   everything (installs the peers first; twenty minutes)
    python -m bench --only nginx,portico         these gateways
    python -m bench --rows small,event           these rows
    python -m bench --quick                      short loads: for a first look, not for figures to quote
    python -m bench --beside ../before           another checkout of Portico too, in the same run
    python -m bench --write                      the table goes into bench/README.md
    python -m bench --page src/portico/web/data/bench.json      and into the page /benchmarks

What is counted is CPU time of a gateway's process tree. The gateway has one core; the load and the stand-in for a provider
have another. See bench/README.md.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from bench import page
from bench.contenders import CONTENDERS, Contender, Running, portico_at
from bench.machine import LOAD_CORE, coming_first, described, facts
from bench.rows import ALONE, QUICK, TOGETHER, Bench, Effort, provider, say
from bench.table import note, report
from portico.web.evidence import Figure

README: Final = Path(__file__).parent / "README.md"
MARKS: Final = ("<!-- table: written by `python -m bench --write` -->\n", "<!-- end of table -->\n")
OPEN_FILES: Final = 65_536
TROUBLE: Final = (OSError, RuntimeError)
"""What a gateway that does not start, does not answer or is not there raises: it is left out, and the note says so."""


class Run:
    """What is measured of whom, what was found, and what could not be."""

    def __init__(self, contenders: Mapping[str, Contender], rows: list[str], effort: Effort) -> None:
        self.contenders = dict(contenders)
        self.rows, self.effort = rows, effort
        self.found: dict[tuple[str, str], Figure] = {}
        self.problems: list[str] = []

    def install(self) -> None:
        """Leaves out who cannot be installed."""
        for name, contender in list(self.contenders.items()):
            missing = [tool for tool in contender.needs if shutil.which(tool) is None]
            try:
                if missing:
                    raise RuntimeError(f"needs {', '.join(missing)}")
                contender.install()
            except TROUBLE as error:
                del self.contenders[name]
                self.problem(name, error)

    def measure(self, folder: Path) -> None:
        with provider(folder) as port:
            bench = Bench(folder, self.effort, port, self.problem)
            together = [row for row in self.rows if row in TOGETHER]
            if together:
                with self._all_up(bench) as gateways:
                    for row in together:
                        say(f"-- {row}, {self.rows.index(row) + 1} of {len(self.rows)}")
                        self._together(bench, row, gateways)
            for row in [row for row in self.rows if row in ALONE]:
                say(f"-- {row}, {self.rows.index(row) + 1} of {len(self.rows)}")
                for contender in self._in(row):
                    try:
                        self._keep(ALONE[row](bench, contender))
                    except TROUBLE as error:
                        self.problem(f"{row} of {contender.name}", error)

    def _in(self, row: str) -> list[Contender]:
        return [contender for contender in self.contenders.values() if not contender.rows or row in contender.rows]

    @contextmanager
    def _all_up(self, bench: Bench) -> Iterator[dict[str, Running]]:
        with ExitStack() as stack:
            gateways: dict[str, Running] = {}
            for name, contender in self.contenders.items():
                say(f"starting {name}")
                try:
                    gateways[name] = bench.start(contender)
                except TROUBLE as error:
                    self.problem(name, error)
                else:
                    stack.callback(gateways[name].stop)
            yield gateways

    def _together(self, bench: Bench, row: str, gateways: Mapping[str, Running]) -> None:
        bench.behave()
        taking_part = {
            contender.name: gateways[contender.name] for contender in self._in(row) if contender.name in gateways
        }
        try:
            self._keep(TOGETHER[row](bench, taking_part))
        except TROUBLE as error:
            self.problem(row, error)

    def _keep(self, figures: Iterator[Figure]) -> None:
        self.found |= {(figure.row, figure.gateway): figure for figure in figures}

    def problem(self, what: str, error: Exception) -> None:
        self.problems.append(f"{what}: {' '.join(str(error).split())[:300]}")
        say(self.problems[-1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    rows = [*TOGETHER, *ALONE]
    parser.add_argument("--only", default=",".join(CONTENDERS), help=f"gateways, by comma: {', '.join(CONTENDERS)}")
    parser.add_argument("--rows", default=",".join(rows), help=f"rows, by comma: {', '.join(rows)}")
    parser.add_argument("--beside", type=Path, help="another checkout of Portico")
    parser.add_argument("--quick", action="store_true", help="short loads")
    parser.add_argument("--json", action="store_true", help="print JSON: every round of every figure")
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write what the page /benchmarks shows")
    options = parser.parse_args()
    options.only, options.rows = options.only.split(","), options.rows.split(",")
    for wanted, known in ((options.only, [*CONTENDERS]), (options.rows, rows)):
        if unknown := set(wanted) - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return options


def write_table(text: str, readme: Path = README) -> None:
    """Puts a report between the marks of the page."""
    before, begin, rest = readme.read_text(encoding="utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise ValueError(f"{readme} has no place for the table")
    readme.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")


def main() -> int:
    options = _options()
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            print(f"bench needs {tool}: apt-get install wrk util-linux", file=sys.stderr)
            return 1
    contenders = {name: CONTENDERS[name] for name in CONTENDERS if name in options.only}
    if options.beside is not None:
        contenders["beside"] = portico_at(options.beside.resolve(), "beside")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    effort = QUICK if options.quick else Effort()
    run = Run(contenders, options.rows, effort)
    run.install()
    machine, now = facts(), datetime.now(UTC)
    os.sched_setaffinity(0, {LOAD_CORE})
    with coming_first(), tempfile.TemporaryDirectory() as folder:
        run.measure(Path(folder))
    versions = [f"{contender.name} {contender.version()}" for contender in run.contenders.values()]
    head = note(described(machine), versions, run.problems, quick=options.quick, now=now)
    heads = {name: f"{name}<br>{contender.between}" for name, contender in run.contenders.items()}
    text = report(head, run.found, heads)
    if options.json:
        print(msgspec.json.format(msgspec.json.encode({"note": head, "figures": [*run.found.values()]})).decode())
    else:
        print(text)
    if options.page is not None:
        told = run.contenders.values()
        page.write(
            page.measured(machine, told, run.found, run.problems, effort, quick=options.quick, now=now), options.page
        )
    if options.write:
        write_table(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
