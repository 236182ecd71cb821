"""Tries real clients on a running Portico with the simulator behind it, and prints a table.

    make clients                                 all of them (installs them first)
    python -m clients --only openclaw,codex      these
    python -m clients --apis openai-responses    on these APIs
    python -m clients --checks text,tool         these checks
    python -m clients --json                     prints what the pages get
    python -m clients --write                    puts the table into docs/clients.md and the data where the pages find it
    python -m clients --record FOLDER            keeps what each client sent (see clients/shape.py)

Ends with 1 if a check failed. See clients/README.md.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from clients import installs, report
from clients.check import Row, Trial, not_there
from clients.client import Client, Npm
from clients.judge import CHECKS, OF_LIBRARIES
from clients.place import Place, running
from clients.processes import leave_on_signals
from clients.table import all_clients

FOLDER: Final = Path(__file__).parent
CACHE: Final = Path(os.environ.get("PORTICO_CLIENTS_CACHE") or FOLDER / ".cache").absolute()
"""Where clients are installed; outside a checkout when several share it."""


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


def tried(client: Client, place: Place, options: argparse.Namespace) -> list[Row]:
    apis = [api for api in client.apis if not options.apis or api.name in options.apis]
    began = time.monotonic()
    say(f"{client.name}: installing, unless it is there")
    try:
        folder = installed(client)
    except installs.InstallFailed as failed:
        reason = " ".join(re.sub(r"https?://\S+", "…", str(failed)).split())[:300]
        say(f"{client.name}: cannot be installed: {reason}")
        return [not_there(client, api, f"cannot be installed: {reason}") for api in apis]
    which = version(client, folder)
    say(f"{client.name} {which}: there after {time.monotonic() - began:.0f} s")
    rows = []
    for api in apis:
        with ExitStack() as ends:
            made = ends.enter_context(
                tempfile.TemporaryDirectory(prefix=f"portico-{client.name}-", ignore_cleanup_errors=True)
            )
            trial = Trial(
                client,
                api,
                place,
                folder,
                which,
                Path(made),
                lambda words, api=api: say(f"  {client.name} {api.name}: {words}"),  # type: ignore[misc]
            )
            began, before = time.monotonic(), place.now()
            rows.append(trial.run(options.checks))
            if options.record:
                options.record.mkdir(parents=True, exist_ok=True)
                (options.record / f"{client.name}-{api.name}.jsonl").write_bytes(place.sent_since(before))
        passed = sum(outcome.state == "passed" for outcome in rows[-1].checks.values())
        say(f"  {client.name} {api.name}: {passed} of {len(rows[-1].checks)} in {time.monotonic() - began:.0f} s")
    return rows


def _options(known: dict[str, Client]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="clients", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(known), help=f"clients, by comma: {', '.join(known)}")
    parser.add_argument("--apis", default="", help="names of APIs, by comma")
    checks = ",".join(CHECKS + OF_LIBRARIES)
    parser.add_argument("--checks", default=checks, help=f"checks, by comma: {checks}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", action="store_true", help="write docs/clients.md and the data of the pages")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="keep what each client sent")
    options = parser.parse_args()
    for name in ("only", "apis", "checks"):
        setattr(options, name, [one for one in getattr(options, name).split(",") if one])
    for wanted, can_be in ((options.only, [*known]), (options.checks, checks.split(","))):
        if unknown := {*wanted} - {*can_be}:
            parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(can_be)}")
    return options


def main() -> int:
    known = all_clients()
    options = _options(known)
    leave_on_signals(say)
    rows: list[Row] = []
    places = [(client.name, api.name) for client in known.values() for api in client.apis]
    told = report.table(rows, datetime.now(UTC).date())
    with running() as place:
        for name in options.only:
            rows += tried(known[name], place, options)
            told = report.table(rows, datetime.now(UTC).date())
            if options.write:
                report.write(told, places)  # at once: a full run is long, and may be ended
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        print("\n".join(report.lines(told)))
    return 1 if any(row.failed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
