"""`portico connect`: tells a client that people have where this Portico is, with which key, and which models there are.

`asked` is what the command was asked, `told` what a client is to be told: `ask` asks a Portico for it, and `here`
knows what a configuration on this machine says. `shown` prints it, `written` merges it into the client's `files`.
`check` looks at what came of that: `reading` says what the files hold, `call` makes the client's call, and `stream`
knows how an answer ends.
"""

import difflib
import json
import os
import sys
from pathlib import Path

from portico.cli.connect.ask import NoAnswer
from portico.cli.connect.asked import Asked, Failed, World
from portico.cli.connect.check import run_check_of
from portico.cli.connect.files import Unwritable
from portico.cli.connect.shown import print_settings
from portico.cli.connect.told import told_to
from portico.cli.connect.written import write_settings
from portico.clients import CLIENTS, client_named

__all__ = ["Asked", "run_connect", "run_list"]


def run_list(*, as_json: bool) -> int:
    """Prints which clients are known."""
    rows = [
        {
            "name": client.name,
            "title": client.title,
            "tried": client.tried,
            "apis": [api.name for api in client.apis],
            "install": client.install,
            "homepage": client.homepage,
        }
        for client in CLIENTS
    ]
    if as_json:
        print(json.dumps({"clients": rows}, indent=2))
        return 0
    width = max(len(client.name) for client in CLIENTS)
    for client in CLIENTS:
        print(f"{client.name:<{width}}  {client.title} {client.tried}: {', '.join(api.name for api in client.apis)}")
    print(
        "\nportico connect NAME shows what a client needs, --write writes it, --check tries it, by which --api you like."
    )
    return 0


def run_connect(asked: Asked, *, write_files: bool, check: bool) -> int:
    """Prints, writes or checks the settings of a client; 1 if that cannot be done or something is wrong."""
    world = World(Path.home(), os.environ, sys.platform)
    try:
        client = client_named(asked.name)
        if client is None:
            near = difflib.get_close_matches(asked.name.lower(), [client.name for client in CLIENTS], n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise Failed(
                f"{asked.name!r} is no client that is known here; portico connect --list shows which are.{hint}"
            )
        if check:
            return run_check_of(client, asked, world)
        told, notes = told_to(client, asked, world, writes=write_files)
        if write_files:
            return write_settings(client, asked, told, notes, world)
        return print_settings(client, asked, told, notes, world)
    except (Failed, NoAnswer, Unwritable) as error:
        return _failed(asked, str(error))


def _failed(asked: Asked, message: str) -> int:
    if asked.as_json:
        document = {"ok": False, "client": asked.name, "problems": [message], "notes": []}
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        print(message, file=sys.stderr)
    return 1
