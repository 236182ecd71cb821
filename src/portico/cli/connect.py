"""`portico connect`: tells a client that people have where this Portico is, with which key, and which models there are."""

import fnmatch
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from portico.cli.connect_ask import NoAnswer, models_of, root_of
from portico.cli.connect_check import call_of, cost_of, made, stale, standing
from portico.cli.connect_files import Unwritable, Written, merged_text, place, write
from portico.clients import CLIENTS, Api, Card, Client, File, Told, client_named
from portico.clients.listed import cards_of, default_of, small_of
from portico.clients.merge import Unmergeable, merge
from portico.clients.settings import bare

URL_VARIABLE: Final = "PORTICO_URL"
KEY_VARIABLE: Final = "PORTICO_API_KEY"
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


class _World(msgspec.Struct, frozen=True):
    """What the command is told of the machine it runs on."""

    home: Path
    environment: Mapping[str, str]
    platform: str

    def places(self, client: Client, files: Sequence[File]) -> dict[str, Path]:
        return {
            file.path: place(client, file, home=self.home, environment=self.environment, platform=self.platform)
            for file in files
        }


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
    world = _World(Path.home(), os.environ, sys.platform)
    try:
        client = client_named(asked.name)
        if client is None:
            raise Failed(f"{asked.name!r} is no client that is known here; portico connect --list shows which are.")
        if check:
            return _check(client, asked, world)
        told, notes = _told(client, asked, world.environment)
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


# -- what is told ----------------------------------------------------------------------------------------------------


def _told(client: Client, asked: Asked, environment: Mapping[str, str]) -> tuple[Told, list[str]]:
    """What the client is to be told, and what to say of how that was found. Raises `Failed`, `NoAnswer`."""
    api = _api(client, asked.api)
    root, told_so = _root(asked, environment)
    key = asked.key or environment.get(KEY_VARIABLE) or None
    if key is not None and not key.isprintable():
        raise Failed("The key has line breaks or other signs in it that no key has.")
    notes: list[str] = []
    try:
        cards = cards_of(models_of(root, key))
        if not cards:
            raise Failed(f"{root} lists no model that chats: has it a provider, and may the key ask for any?")
    except NoAnswer as error:
        cards = () if asked.url else _local()
        if not cards or error.status is not None:
            raise
        notes.append(
            f"{error} The models are those of the configuration on this machine, at the prices of the catalog."
        )
    if told_so:
        notes.append(told_so)
    if asked.models:
        wanted = [glob.strip() for glob in asked.models.split(",")]
        cards = tuple(card for card in cards if any(fnmatch.fnmatchcase(card.id, glob) for glob in wanted))
        if not cards:
            raise Failed(f"No model that is served here fits {asked.models!r}.")
    model = _model(cards, asked.model, client)
    rest = tuple(card for card in cards if card.id != model.id)
    small = small_of(cards, model)
    return Told(base_url=root, key=key, model=model, small=small, models=(model, *rest), api=api), notes


def _api(client: Client, name: str | None) -> Api:
    found = client.apis[0] if name is None else client.api(name)
    if found is None:
        raise Failed(f"{client.title} speaks {', '.join(api.name for api in client.apis)}; {name!r} is none of them.")
    return found


def _root(asked: Asked, environment: Mapping[str, str]) -> tuple[str, str]:
    """Where Portico is, and what to say of that."""
    given = asked.url or environment.get(URL_VARIABLE)
    try:
        if given:
            return root_of(given), ""
        found = _public_url()
        return root_of(found or "http://127.0.0.1:8080"), ""
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
        import difflib

        near = difflib.get_close_matches(name, [card.id for card in cards], n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise Failed(f"{name!r} is no model that is listed for this key and that chats.{hint}")
    return found


# -- printing --------------------------------------------------------------------------------------------------------


def _print(client: Client, asked: Asked, told: Told, notes: Sequence[str], world: _World) -> int:
    shown = msgspec.structs.replace(told, key=asked.key or PLACEHOLDER)
    files = client.files(shown)
    places = world.places(client, files)
    try:
        texts = {file.path: merge(file.format, "", file.settings) for file in files}
    except Unmergeable as error:
        raise Failed(f"{error}.") from None
    if asked.as_json:
        print(json.dumps(_document(client, shown, files, places, texts, notes), ensure_ascii=False, indent=2))
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
        "key_variable": client.key_variable,
        "start": list(client.start(told)),
        "notes": list(notes),
    }


def _further(client: Client, told: Told) -> list[str]:
    """What no file tells the client."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in client.environment(told).items()]
    if told.key is None:
        lines.append(_where_the_key_goes(client))
    return lines


def _where_the_key_goes(client: Client) -> str:
    if client.key_command:
        return f"{client.title} has no key yet: {client.key_command}"
    if client.key_variable == KEY_VARIABLE:
        return f"{client.title} reads the key from ${KEY_VARIABLE}: set it where {client.title} runs."
    return f'{client.title} reads the key from ${client.key_variable}: export {client.key_variable}="${KEY_VARIABLE}"'


def _tilde(path: Path, world: _World) -> str:
    return f"~/{path.relative_to(world.home)}" if path.is_relative_to(world.home) else str(path)


# -- writing ---------------------------------------------------------------------------------------------------------


def _write(client: Client, asked: Asked, told: Told, notes: Sequence[str], world: _World) -> int:
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


def _said(one: Written, world: _World) -> str:
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


# -- checking --------------------------------------------------------------------------------------------------------


def _check(client: Client, asked: Asked, world: _World) -> int:
    """Says what the client's own files say, then makes one call as it would."""
    api = _api(client, asked.api)
    nothing = Card(id="none", title="none", owner="", context_tokens=1, output_tokens=1)
    root, _ = _root(asked, world.environment)
    guess = Told(base_url=root, key=None, model=nothing, small=nothing, models=(nothing,), api=api)
    places = world.places(client, client.files(msgspec.structs.replace(guess, key=PLACEHOLDER)))
    now = standing(client, guess, places)
    problems = list(now.problems)
    key = asked.key or now.key or world.environment.get(client.key_variable or KEY_VARIABLE) or None
    if key is None:
        problems.append(_where_the_key_goes(client))
    held = now.root or root
    if asked.url is not None and now.root is not None and now.root != root:
        problems.append(
            f"{client.title} asks {now.root}, not {root}: portico connect {client.name} --write changes that."
        )
    wanted = msgspec.structs.replace(
        asked, url=held, key=key or "", model=asked.model or now.model, models=None, api=asked.api
    )
    try:
        told, _ = _told(client, wanted, {})
    except Failed as error:
        told, _ = _told(client, msgspec.structs.replace(wanted, model=None), {})
        problems.append(str(error))
    told = msgspec.structs.replace(told, key=now.key)
    advice = f"portico connect {client.name} --write mends that."
    problems += [f"{one} {advice}" for one in list(stale(client, told, places))[:5]]
    answered = made(call_of(told, key))
    if answered.in_one_piece:
        problems.append(
            f"The answer came in one piece after {answered.first_s:.1f} s: something in between keeps streams back. "
            "Behind nginx set `proxy_buffering off`."
        )
    result = {
        "ok": not problems,
        "client": client.name,
        "url": told.base_url,
        "api": told.api.name,
        "model": told.model.id,
        "first_event_s": round(answered.first_s, 3),
        "seconds": round(answered.last_s, 3),
        "tokens": answered.tokens,
        "cost_usd": cost_of(told.base_url, key, answered.request_id),
        "request_id": answered.request_id,
        "problems": problems,
    }
    if asked.as_json:
        print(json.dumps(result, ensure_ascii=False, indent=2))
        return 1 if problems else 0
    cost = f", ${result['cost_usd']}" if result["cost_usd"] else ""
    print(
        f"{told.model.id} answered by {told.api.name}: first event after {answered.first_s:.2f} s, "
        f"all after {answered.last_s:.2f} s, {answered.tokens or 'unknown'} tokens{cost} ({answered.request_id})."
    )
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{client.title} is connected.")
    return 1 if problems else 0
