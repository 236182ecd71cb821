"""Tries real clients on a running Portico with the simulator behind it, and prints a table.

    make clients                                             all of them: half an hour, and 4.5 GB to install them in
    make clients OPTIONS="--only openclaw,codex"             these
    python -m clients --only llm --checks text,stream        these checks of that one
    python -m clients --apis openai-responses                on these APIs
    python -m clients --only llm --json 2>log | jq '.rows'   the table as data, what is going on in a file
    python -m clients --write                                also into docs/clients.md, and where the pages find its data
    python -m clients --only codex --record FOLDER           keeps what was sent (see clients/shape.py)

Clients are installed where they are not yet, into the folder that PORTICO_CLIENTS_CACHE names. Ends with 0 if every check
passed, with 1 if one failed, with 3 if none did but a client could not be installed. See clients/README.md.
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from clients import installs, report
from clients.check import Row, Trial, checks_of, not_there
from clients.client import Api, Client, Npm
from clients.judge import CHECKS, OF_LIBRARIES
from clients.place import NotStarted, Place, running
from clients.processes import leave_on_signals
from clients.table import all_clients

FOLDER: Final = Path(__file__).parent
CACHE: Final = Path(os.environ.get("PORTICO_CLIENTS_CACHE") or FOLDER / ".cache").absolute()
"""Where clients are installed; outside a checkout when several share it."""
FAILED: Final = 1
NOT_THERE: Final = 3
"""Exit codes. 2 is that of options that are wrong."""
_NODE: Final = 20
"""The version of Node.js that the clients were found to run with, where they do not bring one."""


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def installed(client: Client) -> Path:
    """The folder of a client's packages. Raises `InstallFailed`."""
    if isinstance(client.install, Npm):
        name = client.install.name
        return installs.node_modules(FOLDER / "npm" / name, CACHE, os.environ, name=name)
    return installs.python_with(FOLDER / "pip" / f"{client.install.name}.txt", CACHE, os.environ).parent.parent


def version(client: Client, folder: Path) -> str:
    """Of the package as it is installed."""
    if isinstance(client.install, Npm):
        told = folder / "node_modules" / client.install.package / "package.json"
        return str(json.loads(told.read_bytes())["version"])
    name = client.install.package.replace("-", "_")
    found = next(folder.glob(f"lib/python*/site-packages/{name}-*.dist-info"), None)
    return found.name.removesuffix(".dist-info").rpartition("-")[2] if found else ""


@contextlib.contextmanager
def telling(words: str, *, first_s: float = 1, every_s: float = 15) -> Iterator[None]:
    """Says again and again what takes so long; nothing if it does not."""
    began, over = time.monotonic(), threading.Event()

    def tell() -> None:
        wait_s = first_s
        while not over.wait(wait_s):
            say(f"{words}, {time.monotonic() - began:.0f} s so far")
            wait_s = every_s

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def tried(client: Client, place: Place, options: argparse.Namespace, which: str = "") -> list[Row]:
    """The rows of a client. `which`: that it is this one of so many."""
    apis = [api for api in client.apis if not options.apis or api.name in options.apis]
    began, name = time.monotonic(), f"{which}{client.name}"
    try:
        with telling(f"{name}: installing, or waiting for another run that does"):
            folder = installed(client)
    except installs.InstallFailed as failed:
        words = "pip reaches no package index" if isinstance(failed, installs.NoIndex) else str(failed)
        reason = "cannot be installed: " + " ".join(re.sub(r"https?://\S+", "…", words).split())[:300]
        say(f"{name}: {reason}")
        return [not_there(client, api, reason) for api in apis]
    there = version(client, folder)
    say(f"{name} {there}: there after {time.monotonic() - began:.0f} s")
    rows = []
    for api in apis:
        with tempfile.TemporaryDirectory(prefix=f"portico-{client.name}-", ignore_cleanup_errors=True) as made:

            def said(words: str, api: Api = api) -> None:
                say(f"  {client.name} {api.name}: {words}")

            began, before = time.monotonic(), place.now()
            rows.append(Trial(client, api, place, folder, there, Path(made), said).run(options.checks))
            if options.record:
                options.record.mkdir(parents=True, exist_ok=True)
                (options.record / f"{client.name}-{api.name}.jsonl").write_bytes(place.sent_since(before))
        passed = sum(outcome.state == "passed" for outcome in rows[-1].checks.values())
        said(f"{passed} of {len(rows[-1].checks)} in {time.monotonic() - began:.0f} s")
    return rows


def old_node() -> str:
    """What is to be said of the machine's Node.js; nothing if it will do, or if there is none."""
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
        if int(said.strip().removeprefix("v").partition(".")[0]) < _NODE:
            return f"Node.js {said.strip()} is old: clients of npm may need {_NODE} or newer"
    return ""


def _options(known: dict[str, Client]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m clients", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    can_be = {
        "only": [*known],
        "apis": [*dict.fromkeys(api.name for client in known.values() for api in client.apis)],
        "checks": [*CHECKS, *OF_LIBRARIES],
    }
    helped = {"only": "clients, by comma", "apis": "APIs by their names, by comma", "checks": "checks, by comma"}
    for name, words in can_be.items():
        default = "" if name == "apis" else ",".join(words)
        parser.add_argument(
            f"--{name}", default=default, metavar=name.upper(), help=f"{helped[name]} (all): {', '.join(words)}"
        )
    parser.add_argument("--json", action="store_true", help="print JSON on standard output, in place of the table")
    parser.add_argument("--write", action="store_true", help="write docs/clients.md and the data of the pages")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="keep what each client sent, a file for each API")
    options = parser.parse_args()
    for name, words in can_be.items():
        wanted = [one for one in getattr(options, name).split(",") if one]
        if unknown := {*wanted} - {*words}:
            parser.error(f"--{name}: unknown: {', '.join(sorted(unknown))}; known: {', '.join(words)}")
        setattr(options, name, wanted)
    options.only = [name for name in options.only if is_wanted(known[name], options)]
    if not options.only:
        parser.error("nothing to try: none of these clients has such an API, or such a check")
    return options


def is_wanted(client: Client, options: argparse.Namespace) -> bool:
    """Whether there is anything to try of it."""
    on = not options.apis or {api.name for api in client.apis} & {*options.apis}
    can = {*checks_of(client)} - {*client.lacks}
    return bool(on and can & {*options.checks})


def ended(rows: list[Row], took_s: float) -> int:
    """Says how it went in one line, and gives the exit code."""
    states = [outcome.state for row in rows for outcome in row.checks.values()]
    missing = {row.client for row in rows if not row.version}
    told = f"{states.count('passed')} checks passed, {states.count('failed')} failed, in {took_s / 60:.0f} min"
    say(f"{told}; not installed: {', '.join(sorted(missing))}" if missing else told)
    return FAILED if "failed" in states else NOT_THERE if missing else 0


def main() -> int:
    known = all_clients()
    options = _options(known)
    leave_on_signals(say)
    rows: list[Row] = []
    places = [(client.name, api.name) for client in known.values() for api in client.apis]
    began, told = time.monotonic(), report.table(rows, datetime.now(UTC).date())
    say(f"clients are kept in {CACHE}; Ctrl-C ends all that runs")
    if words := old_node():
        say(words)
    try:
        with running() as place:
            for number, name in enumerate(options.only, 1):
                rows += tried(known[name], place, options, f"[{number}/{len(options.only)}] ")
                told = report.table(rows, datetime.now(UTC).date())
                if options.write:
                    report.write(told, places)  # at once: a full run is long, and may be ended
    except NotStarted as failed:
        say(str(failed))
        return FAILED
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        print("\n".join(report.lines(told)))
    return ended(rows, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
