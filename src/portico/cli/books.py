"""The configured database, opened for one command. It is migrated when it is behind; a gateway may be serving from it."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import SystemRandom
from typing import Any, TypeVar

import typer

from portico.accounts.rows import ensure_default_account
from portico.admin.command import Office
from portico.admin.desk import SchemaStatus
from portico.catalog import CatalogError, load_catalog
from portico.cli.housekeeping import Housekeeping, house_of
from portico.config import Config, ConfigError, load_config
from portico.core.errors import Conflict
from portico.store.database import open_database
from portico.store.version import State, Unusable, bring_up_to_date

T = TypeVar("T")


def with_office(config: Path | None, job: Callable[[Office], Coroutine[Any, Any, T]], *, kept: bool = False) -> T:
    """What comes of a job done on the configured database. Ends the command if the configuration is wrong; raises what the
    job raises, and `Conflict` if the database cannot be brought up to date, or is empty though it is about what was `kept`:
    books made for the question would add up."""
    settings = _settings(config)
    if kept:
        _check_kept(settings)
    house = house_of(settings)

    async def main() -> T:
        database = open_database(settings.storage.url)
        try:
            if bring_up_to_date(settings.storage.url, database) is State.EMPTY:
                database.change(ensure_default_account)
            return await job(Office(database.reading, house, SystemRandom()))
        except Unusable as error:
            raise Conflict(f"The database cannot be used: {error}") from None
        finally:
            await database.aclose()

    return asyncio.run(main())


def _check_kept(settings: Config) -> None:
    found = Housekeeping(settings).schema()
    if found.state == State.EMPTY.value:
        raise Conflict(f"There are no books in {found.database}: is this the database that is meant?")


def schema_status(config: Path | None) -> SchemaStatus:
    """Without opening it as other commands do, since that would migrate it."""
    return Housekeeping(_settings(config)).schema()


def upgrade_schema(config: Path | None) -> SchemaStatus:
    return Housekeeping(_settings(config)).upgrade()


def _settings(config: Path | None) -> Config:
    try:
        settings = load_config(os.environ, file=config)
        load_catalog().with_models(settings.models)
    except (ConfigError, CatalogError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    return settings
