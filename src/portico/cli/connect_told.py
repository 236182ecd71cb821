"""What a client is to be told: which Portico, which key, which models. Asked of the Portico itself, which alone knows."""

import difflib
import fnmatch
import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from portico.cli.connect_ask import NoAnswer, models_of, root_of
from portico.cli.connect_files import place
from portico.clients import Api, Card, Client, File, Told
from portico.clients.listed import cards_of, default_of, small_of
from portico.clients.told import KEY_VARIABLE

URL_VARIABLE: Final = "PORTICO_URL"
_HOME: Final = "http://127.0.0.1:8080"
_KEY: Final = re.compile(r"[!-~]+")
PLACEHOLDER: Final = "sk-portico-…"
"""What stands for a key that is nobody's to print."""


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

    def places(self, client: Client, files: Sequence[File]) -> dict[str, Path]:
        return {
            file.path: place(client, file, home=self.home, environment=self.environment, platform=self.platform)
            for file in files
        }


def told_to(
    client: Client, asked: Asked, environment: Mapping[str, str], *, may_guess: bool = False
) -> tuple[Told, list[str]]:
    """What the client is to be told, and what to say of how that was found. `may_guess`: a configuration on this machine
    may stand in for a Portico that does not run. Raises `Failed`, `NoAnswer`."""
    api = api_of(client, asked.api)
    root = where_is(asked, environment)
    key = (asked.key or environment.get(KEY_VARIABLE) or "").strip() or None
    if key is not None and not _KEY.fullmatch(key):
        raise Failed("The key has spaces, line breaks or letters in it that no key has.")
    notes: list[str] = []
    try:
        cards = cards_of(models_of(root, key))
        if not cards:
            raise Failed(f"{root} lists no model that chats: has it a provider, and may the key ask for any?")
    except NoAnswer as error:
        cards = _local() if may_guess and not (asked.url or environment.get(URL_VARIABLE)) else ()
        if not cards or error.status is not None:
            raise
        notes.append(
            f"{error} The models are those of the configuration on this machine, at the prices of the catalog."
        )
    if asked.models:
        wanted = [glob.strip() for glob in asked.models.split(",")]
        cards = tuple(card for card in cards if any(fnmatch.fnmatchcase(card.id, glob) for glob in wanted))
        if not cards:
            raise Failed(f"No model that is served here fits {asked.models!r}.")
    model = _model(cards, asked.model, client)
    rest = tuple(card for card in cards if card.id != model.id)
    small = small_of(cards, model)
    return Told(base_url=root, key=key, model=model, small=small, models=(model, *rest), api=api), notes


def api_of(client: Client, name: str | None) -> Api:
    found = client.apis[0] if name is None else client.api(name)
    if found is None:
        raise Failed(f"{client.title} speaks {', '.join(api.name for api in client.apis)}; {name!r} is none of them.")
    return found


def where_is(asked: Asked, environment: Mapping[str, str]) -> str:
    """The root of Portico. Raises `Failed` for what is no address."""
    try:
        return root_of(asked.url or environment.get(URL_VARIABLE) or _public_url() or _HOME)
    except ValueError as error:
        raise Failed(f"{error}.") from None


def _public_url() -> str | None:
    """What a configuration on this machine says of where Portico is."""
    from portico.config import ConfigError, load_config

    try:
        settings = load_config(os.environ, file=None)
    except ConfigError:
        return None
    if settings.source is None:
        return None
    scheme = "https" if settings.server.tls_certificate is not None else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.server.host, settings.server.host)
    return settings.web.public_url or f"{scheme}://{host}:{settings.server.port}"


def _local() -> tuple[Card, ...]:
    """The models that a configuration on this machine serves; none where there is none."""
    from portico.catalog import CatalogError, PriceBooks, load_catalog
    from portico.config import ConfigError, load_config
    from portico.http.listing import openai_list
    from portico.routing import deployments_of

    try:
        settings = load_config(os.environ, file=None)
        catalog = load_catalog().with_models(settings.models)
    except (ConfigError, CatalogError):
        return ()
    providers = {provider.name: provider for provider in settings.providers}
    books = PriceBooks(load_catalog())

    def rates(model: Any, on: Any) -> Any:
        for first in deployments_of(model, providers)[:1]:
            return books.rates(
                model=model,
                provider=first.provider.name,
                provider_kind=first.provider.kind.name,
                upstream_model=first.upstream_model,
                account="",
                on=on,
            )
        return None

    listed = openai_list(
        catalog,
        datetime.now(UTC).date(),
        serves=lambda model: bool(deployments_of(model, providers)),
        rates=rates,
    )
    return cards_of(listed["data"])


def _model(cards: Sequence[Card], name: str | None, client: Client) -> Card:
    if name is None:
        return default_of(cards, client.likes)
    found = next((card for card in cards if card.id == name), None)
    if found is None:
        near = difflib.get_close_matches(name, [card.id for card in cards], n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise Failed(f"{name!r} is no model that is listed for this key and that chats.{hint}")
    return found


def where_the_key_goes(client: Client, api: Api) -> str:
    if client.key_command:
        return f"{client.title} has no key yet: {client.key_command}"
    variable = api.key_variable
    if variable == KEY_VARIABLE:
        return f"{client.title} reads the key from ${KEY_VARIABLE}: set it where {client.title} runs."
    return f'{client.title} reads the key from ${variable}: export {variable}="${KEY_VARIABLE}"'
