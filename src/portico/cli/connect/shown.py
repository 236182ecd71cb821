"""`portico connect NAME`: shows what a client has to be told, and writes nothing."""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from portico.cli.connect.asked import Asked, Failed, World
from portico.cli.connect.told import where_the_key_goes
from portico.clients import Client, File, Told
from portico.clients.merge import Unmergeable, merge
from portico.clients.settings import bare
from portico.clients.told import KEY_VARIABLE

PLACEHOLDER: Final = "sk-portico-…"
"""What stands for a key that is nobody's to print."""


def print_settings(client: Client, asked: Asked, told: Told, notes: Sequence[str], world: World) -> int:
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
        print(f"\n# {tilde(places[file.path], world)}{' (holds the key: chmod 600)' if file.secret else ''}")
        print(texts[file.path], end="")
    for line in further(client, msgspec.structs.replace(told, key=asked.key or told.key)):
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


def further(client: Client, told: Told) -> list[str]:
    """What no file tells the client."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in client.environment(told).items()]
    if told.key is None:
        lines.append(where_the_key_goes(client, told.api))
    return lines


def tilde(path: Path, world: World) -> str:
    return f"~/{path.relative_to(world.home)}" if path.is_relative_to(world.home) else str(path)
