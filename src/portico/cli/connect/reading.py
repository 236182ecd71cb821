"""What a client's own files say: read once, and then looked at as the settings of each of its APIs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from portico.cli.connect.ask import root_of
from portico.cli.connect.asked import World
from portico.cli.connect.files import Unwritable, value_of
from portico.clients import Api, Card, Client, File, Format, Told
from portico.clients.held import Difference, differences, found_at, in_front
from portico.clients.judged import pieces

_KEY: Final = "portico-key-here"
_ROOT: Final = "http://portico.invalid"
_MODEL: Final = "portico-model-here"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a client, by their path below the home folder."""

    places: Mapping[str, Path]
    written: Mapping[str, Any]
    """What each says that is there and can be read."""
    heeded: Mapping[str, Any]
    """The same with what the shell has exported, where that beats what is written."""
    problems: tuple[str, ...]
    """What cannot be read."""
    beaten: tuple[str, ...]
    """Where the shell says something else."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the files say if they are meant for one API."""

    api: Api
    root: str | None
    """Of the address that the client asks."""
    key: str | None
    """The key that it then uses."""
    key_from: str
    """The file or the variable that has it."""
    is_filed: bool
    """Whether a file has one."""
    model: str | None


def held_by(client: Client, world: World) -> Held:
    """Reads all files that the client may have for any of its APIs."""
    files = {file.path: file for api in client.apis for file in _marked(client, api)}
    places = world.places(client, files.values())
    written: dict[str, Any] = {}
    heeded: dict[str, Any] = {}
    problems: list[str] = []
    beaten: list[str] = []
    for path, file in files.items():
        place = places[path]
        try:
            if place.exists():
                written[path] = value_of(place, file)
        except Unwritable as error:
            problems.append(f"{error}.")
        exported = _exported(client, file, world.environment)
        told = written.get(path)
        heeded[path] = {**told, **exported} if isinstance(told, Mapping) and exported else told or exported or None
        for name, value in exported.items():
            if isinstance(told, Mapping) and told.get(name, value) != value:
                beaten.append(f"{client.title} takes ${name} as this shell has it; {place} says something else.")
    return Held(places=places, written=written, heeded=heeded, problems=tuple(problems), beaten=tuple(beaten))


def _exported(client: Client, file: File, environment: Mapping[str, str]) -> dict[str, str]:
    if not client.shell_first or file.format is not Format.ENV or not isinstance(file.settings, Mapping):
        return {}
    return {name: value for name in file.settings if (value := environment.get(name))}


def _marked(client: Client, api: Api, *, lists: bool = True) -> tuple[File, ...]:
    """The files with marks where the key, the address and the model stand; without those in lists of models, if need be."""
    card = Card(id=_MODEL, title="another", owner="", context_tokens=1, output_tokens=1)
    models = (card,) if lists else ()
    return client.files(Told(base_url=_ROOT, key=_KEY, model=card, small=card, models=models, api=api))


def reading_of(client: Client, api: Api, held: Held, environment: Mapping[str, str]) -> Reading:
    """What the files say if they are for this API."""

    def found(mark: str, values: Mapping[str, Any], *, lists: bool = True) -> tuple[str, str] | None:
        files = _marked(client, api, lists=lists)
        every = ((found_at(file.settings, values.get(file.path), mark), str(held.places[file.path])) for file in files)
        return next(((one, place) for one, place in every if one), None)

    filed, address = found(_KEY, held.written), found(_ROOT, held.heeded)
    model = found(_MODEL, held.heeded, lists=False) or found(_MODEL, held.heeded)
    key, key_from = found(_KEY, held.heeded) or (environment.get(api.key_variable) or None, f"${api.key_variable}")
    if filed is not None and filed[0] != key:
        key_from = "this shell"
    try:
        root = None if address is None else root_of(address[0])
    except ValueError:
        root = None
    return Reading(
        api=api,
        root=root,
        key=key,
        key_from=key_from,
        is_filed=filed is not None,
        model=None if model is None else model[0],
    )


def filed_for(client: Client, root: str, world: World) -> Reading | None:
    """What the client's files say for the API by which they ask this address with a key of their own."""
    held = held_by(client, world)
    alone = msgspec.structs.replace(held, heeded=held.written)
    readings = (reading_of(client, api, alone, {}) for api in client.apis)
    return next((one for one in readings if one.root == root and one.is_filed), None)


def stale(client: Client, told: Told, held: Held) -> Iterator[tuple[Path, Difference]]:
    """What in the files is not as this Portico would tell it, piece by piece; nothing of a file that cannot be read."""
    for file in client.files(told):
        if held.places[file.path].exists() and file.path not in held.written:
            continue
        for difference in differences(file.settings, held.heeded.get(file.path)):
            for piece in pieces(difference):
                yield held.places[file.path], piece


def unheard(client: Client, told: Told, held: Held) -> Iterator[tuple[Path, str]]:
    """What others have put where the client looks first, by its name."""
    for file in client.files(told):
        for name in in_front(file.settings, held.heeded.get(file.path)):
            yield held.places[file.path], name


def missing(client: Client, told: Told, held: Held) -> list[Path]:
    """The files that are not there, and that the client wants."""
    places = ((held.places[file.path], file) for file in client.files(told))
    return [
        place
        for place, file in places
        if not place.exists() and [*differences(file.settings, held.heeded.get(file.path))]
    ]
