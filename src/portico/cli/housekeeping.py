"""What is done to the configured database as a whole (`admin.desk.Upkeep`)."""

from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from portico.admin.desk import BackupFile, House, Probed, SchemaStatus, Upstream
from portico.catalog import load_catalog
from portico.config import Config
from portico.core.errors import Conflict, InvalidRequest, StorageUnavailable
from portico.providers.secret_keys import SecretKeys
from portico.providers.stored import SOURCE
from portico.store import version
from portico.store.backup import BackupFailed, backup
from portico.store.database import engine_for, open_database
from portico.store.engine import reason
from portico.store.sqlite import SqliteEngine

BACKUPS: Final = "backups"


def house_of(settings: Config) -> House:
    """What commands need to know of the configuration."""
    secrets = settings.secrets
    return House(
        catalog=load_catalog().with_models(settings.models),
        providers={provider.name: provider.kind.name for provider in (*settings.providers, *settings.dormant)},
        upstreams=_upstreams(settings),
        probe=lambda name: _probe(settings, name),
        upkeep=Housekeeping(settings),
        secret_keys=SecretKeys(secrets.key_file, secrets.key, secrets.old_keys),
        public_url=settings.web.public_url,
    )


def _upstreams(settings: Config) -> dict[str, Upstream]:
    found = {}
    for provider in (*settings.providers, *settings.dormant):
        keys = [key for key in provider.keys if not key.source.startswith(SOURCE)]
        projects = [provider.projects.get(key.mark) for key in keys]
        found[provider.name] = Upstream(
            kind=provider.kind.name,
            host=urlsplit(provider.base_url).netloc,
            groups=tuple(
                [
                    f"key:{key.mark}" if project is None else f"project:{project}"
                    for key, project in zip(keys, projects, strict=True)
                ]
            ),
            takes_stored=provider.takes_stored,
            dormant=provider in settings.dormant,
        )
    return found


def _probe(settings: Config, name: str) -> list[Probed]:
    from portico.cli.check import probe  # what speaks to providers is loaded when one is asked

    return probe(settings, name)


class Housekeeping:
    """Backups go into a folder of their own beside the data, so that nobody who may ask for one says where it lands."""

    def __init__(self, settings: Config) -> None:
        self._url = settings.storage.url
        self._folder = settings.data_folder

    def backup(self, name: str) -> BackupFile:
        """Raises `InvalidRequest` on PostgreSQL, `Conflict` if it cannot be made."""
        engine = engine_for(self._url)
        if not isinstance(engine, SqliteEngine):
            raise InvalidRequest("This database is PostgreSQL: pg_dump backs it up.")
        folder = self._folder / BACKUPS
        target = folder / (name or f"portico-{datetime.now().astimezone():%Y%m%d-%H%M%S}.db")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            size = backup(engine.path, target)
        except OSError as error:
            raise Conflict(f"{folder} cannot be written: {error.strerror}") from None
        except BackupFailed as error:
            raise Conflict(str(error)) from None
        return BackupFile(path=str(target), size_bytes=size)

    def schema(self) -> SchemaStatus:
        """Raises `Conflict` if the database cannot be used."""
        database = open_database(self._url)
        found: str | None = None
        if not (isinstance(database.engine, SqliteEngine) and not Path(database.engine.path).exists()):
            try:
                found = database.ask(lambda db: version.found_version(database.engine, db))
            except StorageUnavailable as error:
                raise Conflict(f"{database.name} cannot be used: {reason(error)}") from None
            finally:
                database.close()
        try:
            state = version.judged(database.name, found).value
        except version.SchemaTooNew:
            state = "newer"
        return SchemaStatus(database=database.name, found=found or "none", wanted=version.KNOWN[-1], state=state)

    def upgrade(self) -> SchemaStatus:
        """Raises `Conflict`."""
        from portico.store import migrate

        try:
            migrate.upgrade(self._url)
        except version.Unusable as error:
            raise Conflict(str(error)) from None
        return self.schema()
