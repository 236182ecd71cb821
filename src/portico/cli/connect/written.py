"""`portico connect NAME --write`: merges what a client has to be told into its own files."""

import json
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from portico.cli.connect.asked import Asked, World, again, enough
from portico.cli.connect.files import Unwritable, Written, merged_text, write
from portico.cli.connect.shown import further, tilde
from portico.clients import Client, Told


def write_settings(client: Client, asked: Asked, told: Told, notes: Sequence[str], world: World) -> int:
    """All files are merged before the first is written, so that what cannot be read stops all of it; that with the key is
    written first, so that no client is pointed here without one. Raises `Unwritable` if nothing was written."""
    files = client.files(told)
    places = world.places(client, files)
    texts = {file.path: merged_text(places[file.path], file) for file in files}
    now = datetime.now(UTC)
    by_path: dict[str, Written] = {}
    try:
        for file in sorted(files, key=lambda file: not file.secret):
            by_path[file.path] = write(places[file.path], file, *texts[file.path], now=now)
    except Unwritable as error:
        if not any(one.changed for one in by_path.values()):
            raise
        return _say_stopped(str(error), asked, [*by_path.values()], notes, world)
    done = [by_path[file.path] for file in files]
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
    for line in further(client, told):
        print(line)
    check = again(enough(client, told, asked, world.environment), "--check")
    print(f"Then: {shlex.join(client.start(told))}    ({check} makes one call)")
    return 0


def _say_stopped(error: str, asked: Asked, done: Sequence[Written], notes: Sequence[str], world: World) -> int:
    """Some of the files are written, and one cannot be."""
    if asked.as_json:
        problems = {"ok": False, "client": asked.name, "problems": [error], "files": _rows(done), "notes": list(notes)}
        print(json.dumps(problems, ensure_ascii=False, indent=2))
        return 1
    print(error, file=sys.stderr)
    print("Written before that, and left so:", file=sys.stderr)
    for one in done:
        print(_said(one, world), file=sys.stderr)
    return 1


def _said(one: Written, world: World) -> str:
    name = tilde(one.path, world)
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
        "files": _rows(done),
        "environment": dict(client.environment(told)),
        "start": list(client.start(told)),
        "notes": [*notes, *further(client, told)],
    }


def _rows(done: Sequence[Written]) -> list[dict[str, Any]]:
    return [
        {"path": str(one.path), "changed": one.changed, "backup": None if one.backup is None else str(one.backup)}
        for one in done
    ]
