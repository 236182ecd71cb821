"""What the command was asked, on which machine, and how a person would ask it again."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from portico.cli.connect.ask import root_of
from portico.cli.connect.files import place
from portico.cli.connect.here import address_here
from portico.clients import Api, Client, File, Told
from portico.clients.listed import default_of

URL_VARIABLE: Final = "PORTICO_URL"
_HOME: Final = "http://127.0.0.1:8080"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command."""

    name: str
    url: str | None = None
    key: str | None = None
    model: str | None = None
    models: str | None = None
    """Globs, with commas between: the others are not told."""
    api: str | None = None
    as_json: bool = False


class Failed(Exception):
    """The command cannot go on; the text says why, and what to do."""


class World(msgspec.Struct, frozen=True):
    """What the command is told of the machine it runs on."""

    home: Path
    environment: Mapping[str, str]
    platform: str

    def places(self, client: Client, files: Iterable[File]) -> dict[str, Path]:
        return {
            file.path: place(client, file, home=self.home, environment=self.environment, platform=self.platform)
            for file in files
        }


def api_of(client: Client, name: str | None) -> Api:
    """Raises `Failed` for one that the client does not speak."""
    found = client.apis[0] if name is None else client.api(name)
    if found is None:
        raise Failed(f"{client.title} speaks {', '.join(api.name for api in client.apis)}; {name!r} is none of them.")
    return found


def where_is(url: str | None, environment: Mapping[str, str]) -> str:
    """The root of Portico. Raises `Failed` for what is no address."""
    try:
        return root_of(url or environment.get(URL_VARIABLE) or address_here() or _HOME)
    except ValueError as error:
        raise Failed(f"{error}.") from None


def is_known_here(root: str, environment: Mapping[str, str]) -> bool:
    """Whether it is the Portico of this machine, which nobody has to point out."""
    try:
        return where_is(None, environment) == root
    except Failed:
        return False


def again(asked: Asked, *words: str) -> str:
    """The command with the same options but the key, and these words."""
    given = {"--api": asked.api, "--url": asked.url, "--model": asked.model, "--models": asked.models}
    options = [word for name, value in given.items() if value is not None for word in (name, value)]
    return shlex.join(["portico", "connect", asked.name, *options, *words])


def enough(client: Client, told: Told, asked: Asked, environment: Mapping[str, str]) -> Asked:
    """The options without which another time would tell the client something else."""
    model = told.model
    chosen = asked.model is not None or model.base or default_of(told.models, client.likes) != model
    return msgspec.structs.replace(
        asked,
        api=None if told.api == client.apis[0] else told.api.name,
        url=None if is_known_here(told.base_url, environment) else told.base_url,
        model=model.id if chosen else None,
    )
