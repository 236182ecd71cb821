"""`portico connect`: tells a client that people have where this Portico is, with which key, and which models there are."""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from portico.cli.connect_ask import NoAnswer
from portico.cli.connect_check import run_check_of
from portico.cli.connect_files import Unwritable, Written, merged_text, write
from portico.cli.connect_told import PLACEHOLDER, Asked, Failed, World, told_to, where_the_key_goes
from portico.clients import CLIENTS, Client, File, Told, client_named
from portico.clients.merge import Unmergeable, merge
from portico.clients.settings import bare
from portico.clients.told import KEY_VARIABLE


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
    print("\nportico connect NAME shows what a client needs, --write writes it, --check tries it.")
    return 0


def run_connect(asked: Asked, *, write_files: bool, check: bool) -> int:
    """Prints, writes or checks the settings of a client; 1 if that cannot be done or something is wrong."""
    world = World(Path.home(), os.environ, sys.platform)
    try:
        client = client_named(asked.name)
        if client is None:
            raise Failed(f"{asked.name!r} is no client that is known here; portico connect --list shows which are.")
        if check:
            return run_check_of(client, asked, world)
        told, notes = told_to(client, asked, world.environment, may_guess=not write_files)
        if write_files:
            return _write(client, asked, told, notes, world)
        return _print(client, asked, told, notes, world)
    except (Failed, NoAnswer, Unwritable) as error:
        return _failed(str(error), as_json=asked.as_json)


def _failed(message: str, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"ok": False, "problems": [message]}, ensure_ascii=False, indent=2))
    else:
        print(message, file=sys.stderr)
    return 1


# -- printing --------------------------------------------------------------------------------------------------------


def _print(client: Client, asked: Asked, told: Told, notes: Sequence[str], world: World) -> int:
    printed = msgspec.structs.replace(told, key=asked.key or PLACEHOLDER)
    files = client.files(printed)
    places = world.places(client, files)
    try:
        texts = {file.path: merge(file.format, "", file.settings) for file in files}
    except Unmergeable as error:
        raise Failed(f"{error}.") from None
    if asked.as_json:
        print(json.dumps(_document(client, printed, files, places, texts, notes), ensure_ascii=False, indent=2))
        return 0
    for note in notes:
        print(note, file=sys.stderr)
    print(f"{client.title} asks {told.address} ({told.api.name}), by default for {told.model.id}.")
    for file in files:
        print(f"\n# {_tilde(places[file.path], world)}{' (holds the key: chmod 600)' if file.secret else ''}")
        print(texts[file.path], end="")
    for line in _further(client, msgspec.structs.replace(told, key=asked.key or told.key)):
        print(f"\n{line}")
    if asked.key is None:
        print(f"\nThe key is shown as {PLACEHOLDER}. --write puts the one of --key or ${KEY_VARIABLE} there.")
    print(f"\nThen: {shlex.join(client.start(told))}")
    return 0


def _document(
    client: Client,
    told: Told,
    files: Sequence[File],
    places: Mapping[str, Path],
    texts: Mapping[str, str],
    notes: Sequence[str],
) -> dict[str, Any]:
    return {
        "client": client.name,
        "title": client.title,
        "url": told.base_url,
        "api": told.api.name,
        "base_url": told.address,
        "model": told.model.id,
        "small_model": told.small.id,
        "models": [card.id for card in told.models],
        "files": [
            {
                "path": str(places[file.path]),
                "format": file.format.value,
                "secret": file.secret,
                "settings": bare(file.settings),
                "text": texts[file.path],
            }
            for file in files
        ],
        "environment": dict(client.environment(told)),
        "key_variable": told.api.key_variable,
        "start": list(client.start(told)),
        "notes": list(notes),
    }


def _further(client: Client, told: Told) -> list[str]:
    """What no file tells the client."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in client.environment(told).items()]
    if told.key is None:
        lines.append(where_the_key_goes(client, told.api))
    return lines


def _tilde(path: Path, world: World) -> str:
    return f"~/{path.relative_to(world.home)}" if path.is_relative_to(world.home) else str(path)


# -- writing ---------------------------------------------------------------------------------------------------------


def _write(client: Client, asked: Asked, told: Told, notes: Sequence[str], world: World) -> int:
    """All files are merged before the first is written, so that what cannot be read stops all of it."""
    files = client.files(told)
    places = world.places(client, files)
    texts = {file.path: merged_text(places[file.path], file) for file in files}
    now = datetime.now(UTC)
    done = [write(places[file.path], file, *texts[file.path], now=now) for file in files]
    if asked.as_json:
        print(json.dumps(_done(client, told, done, notes), ensure_ascii=False, indent=2))
        return 0
    for note in notes:
        print(note, file=sys.stderr)
    for one in done:
        print(_said(one, world))
    if not any(one.changed for one in done):
        print(f"Nothing changed: {client.title} knows {told.base_url} already.")
    else:
        print(f"{client.title} asks {told.address} ({told.api.name}), by default for {told.model.id}.")
    for line in _further(client, told):
        print(line)
    print(f"Then: {shlex.join(client.start(told))}    (portico connect {client.name} --check makes one call)")
    return 0


def _said(one: Written, world: World) -> str:
    name = _tilde(one.path, world)
    if not one.changed:
        return f"  unchanged  {name}"
    if one.backup is None:
        return f"  written    {name}"
    return f"  written    {name}  (as it was: {one.backup.name})"


def _done(client: Client, told: Told, done: Sequence[Written], notes: Sequence[str]) -> dict[str, Any]:
    return {
        "ok": True,
        "client": client.name,
        "url": told.base_url,
        "api": told.api.name,
        "model": told.model.id,
        "changed": any(one.changed for one in done),
        "files": [
            {
                "path": str(one.path),
                "changed": one.changed,
                "backup": None if one.backup is None else str(one.backup),
            }
            for one in done
        ],
        "environment": dict(client.environment(told)),
        "start": list(client.start(told)),
        "notes": [*notes, *_further(client, told)],
    }
