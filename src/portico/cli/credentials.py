"""`portico credentials` and `portico secrets`: keys of providers that are kept in the database, encrypted.

A credential is read from standard input or from a variable, never from the command line, which every user of the machine
can read. It is shown to nobody afterwards.
"""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from portico.config import Config
    from portico.core.storage import Db
    from portico.providers.stored import Credential, Rotated

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Credentials: keys of providers, kept encrypted in the database.")
secrets = typer.Typer(no_args_is_help=True, help="Secrets: the key that stored credentials are encrypted with.")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="The configuration file (default: portico.toml here, or $PORTICO_CONFIG)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="A credential, by its id (`portico credentials list`).")]


@app.command()
def add(
    provider: Annotated[
        str, typer.Argument(help="The provider it is for, by its name in the configuration.")
    ] = "gemini",
    name: Annotated[str, typer.Option(help="A word to know it by.")] = "",
    from_env: Annotated[
        str | None,
        typer.Option("--from-env", metavar="NAME", help="Read it from this variable (default: standard input)."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Store a provider's key. Running gateways use it within a second.

    Examples:

        portico credentials add gemini < key.txt

        portico credentials add gemini --name second --from-env GEMINI_API_KEY
    """
    from portico.core.ids import PooledRandom
    from portico.providers.stored import add_credential

    settings = _settings(config)
    _check_provider(settings, provider)
    value, ring = _value(from_env), settings.secrets.keys().ring
    made = _change(
        settings,
        lambda db: add_credential(db, ring, provider=provider, value=value, name=name, rng=PooledRandom()),
    )
    _tell(made, as_json=json, said=f"{made.id}: stored for {made.provider}.")


@app.command("list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List stored credentials. What they hide is never shown.

    Example:

        portico credentials list
    """
    from portico.providers.stored import list_credentials
    from portico.wire import jsontext

    found = _change(_settings(config), list_credentials)
    if json:
        print(jsontext.dumps({"data": [_plain(one) for one in found]}))
        return
    if not found:
        print("There are no stored credentials. Add one: portico credentials add gemini < key.txt")
    for one in found:
        state = "disabled" if one.disabled_us is not None else "in use"
        print(f"{one.id}  {one.provider}  {_time(one.created_us):%Y-%m-%d}  {state}  {one.name}".rstrip())


@app.command()
def disable(credential: Id, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Use a credential no more, and keep it.

    Example:

        portico credentials disable cred_…
    """
    from portico.providers.stored import disable_credential

    found = _change(_settings(config), lambda db: disable_credential(db, credential))
    _tell(found, as_json=json, said=f"{found.id}: not used any more.")


@app.command()
def enable(credential: Id, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Use a disabled credential again.

    Example:

        portico credentials enable cred_…
    """
    from portico.providers.stored import enable_credential

    found = _change(_settings(config), lambda db: enable_credential(db, credential))
    _tell(found, as_json=json, said=f"{found.id}: used again.")


@app.command()
def remove(credential: Id, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Delete a credential.

    Example:

        portico credentials remove cred_…
    """
    from portico.providers.stored import remove_credential

    found = _change(_settings(config), lambda db: remove_credential(db, credential))
    _tell(found, as_json=json, said=f"{found.id}: removed.")


@secrets.command()
def rotate(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Encrypt every stored credential anew: with a new key of the key file, or with the key that [secrets] names.

    Example:

        portico secrets rotate
    """
    from portico.wire import jsontext

    done = rotate_secret_key(_settings(config))
    if json:
        print(jsontext.dumps({"credentials": done.credentials, "secret_key_id": done.secret_key_id}))
    else:
        print(f"Credentials encrypted with the key {done.secret_key_id}: {done.credentials}.")


@secrets.callback()
def _group() -> None:
    """Keeps `rotate` a command by name, though it is alone."""


def rotate_secret_key(settings: "Config") -> "Rotated":
    """What `portico secrets rotate` does."""
    from portico.providers.stored import rotate_secrets

    keys = settings.secrets.keys()
    return _change(settings, lambda db: rotate_secrets(db, keys))


def _settings(config: Path | None) -> "Config":
    from portico.config import ConfigError, load_config

    try:
        return load_config(os.environ, file=config)
    except ConfigError as error:
        raise _failed(str(error)) from None


def _change(settings: "Config", change: "Callable[[Db], T]") -> T:
    """What comes of a change of the database, whose schema is brought up to date first. Ends the command if it fails."""
    from portico.core.errors import PorticoError
    from portico.providers.sealed import CannotUnseal
    from portico.providers.secret_keys import NoSecretKey
    from portico.store.database import open_database
    from portico.store.version import SchemaTooNew, UpgradeFailed, bring_up_to_date

    database = open_database(settings.storage.url)
    try:
        bring_up_to_date(settings.storage.url, database)
        return database.change(change)
    except (PorticoError, CannotUnseal, NoSecretKey, SchemaTooNew, UpgradeFailed) as error:
        raise _failed(str(error)) from None
    except OSError as error:
        raise _failed(f"{settings.storage.shown} cannot be opened: {error.strerror}") from None
    finally:
        database.close()


def _check_provider(settings: "Config", name: str) -> None:
    known = {provider.name: provider for provider in (*settings.providers, *settings.dormant)}
    if name not in known:
        raise _failed(f"There is no provider {name!r} (there are: {', '.join(sorted(known))}).")
    if not known[name].takes_stored:
        raise _failed(f'{name} takes no keys of the database: add "database" to its keys in [[providers]].')


def _value(variable: str | None) -> str:
    if variable is not None:
        value = os.environ.get(variable)
        if not value:
            raise _failed(f"The environment variable {variable} is not set.")
        return value
    if sys.stdin.isatty():
        hidden: str = typer.prompt("Credential", hide_input=True, err=True)
        return hidden
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise _failed("Standard input is not text.") from None


def _tell(found: "Credential", *, as_json: bool, said: str) -> None:
    from portico.wire import jsontext

    print(jsontext.dumps(_plain(found)) if as_json else said)


def _plain(one: "Credential") -> dict[str, Any]:
    disabled = None if one.disabled_us is None else _time(one.disabled_us).isoformat()
    return {
        "id": one.id,
        "provider": one.provider,
        "name": one.name,
        "created": _time(one.created_us).isoformat(),
        "disabled": disabled,
        "secret_key_id": one.secret_key_id,
    }


def _time(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, UTC)


def _failed(message: str) -> typer.Exit:
    print(f"Error: {message}", file=sys.stderr)
    return typer.Exit(1)
