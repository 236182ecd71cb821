"""The configured database, opened for one command. It is migrated when it is behind; a gateway may be serving from it."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import SystemRandom
from typing import Any, TypeVar

import typer

from portico.admin.command import Office
from portico.admin.desk import House, SchemaStatus
from portico.catalog import CatalogError, load_catalog
from portico.cli.housekeeping import Housekeeping
from portico.config import Config, ConfigError, load_config
from portico.store.database import open_database

T = TypeVar("T")


def with_office(config: Path | None, job: Callable[[Office], Coroutine[Any, Any, T]]) -> T:
    """What comes of a job done on the configured database. Ends the command if the configuration is wrong."""
    settings = _settings(config)
    house = house_of(settings)

    async def main() -> T:
        database = await asyncio.to_thread(open_database, settings.storage.url)
        try:
            return await job(Office(database.reading, house, SystemRandom()))
        finally:
            await asyncio.to_thread(database.close)

    return asyncio.run(main())


def house_of(settings: Config) -> House:
    """What commands need to know of the configuration."""
    return House(
        catalog=load_catalog().with_models(settings.models),
        providers={provider.name: provider.kind.name for provider in settings.providers},
        upkeep=Housekeeping(settings),
    )


def schema_status(config: Path | None) -> SchemaStatus:
    """Without opening it, since that would migrate it."""
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
