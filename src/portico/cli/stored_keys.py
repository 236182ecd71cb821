"""Provider keys that are kept in the database: found at the start, and read again by every worker when they change.

Nothing is opened, and nothing imported, where no provider takes such keys or there is no database yet.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from portico.config import Config
from portico.core.errors import StorageUnavailable
from portico.core.storage import Reading
from portico.providers import Provider
from portico.providers.secret_keys import NoSecretKey
from portico.providers.stored import Loaded, load_credentials, with_credentials
from portico.relay.relay import Relay
from portico.store.engine import reason

if TYPE_CHECKING:
    from portico.store.database import Database

log = logging.getLogger("portico.providers")


def with_stored(settings: Config, loaded: Loaded) -> Config:
    """The configuration with the keys of the database among those of its providers. May be done again with the result."""
    alive = with_credentials(settings.providers, settings.dormant, loaded.secrets)
    names = {provider.name for provider in alive}
    rest = tuple(one for one in (*settings.providers, *settings.dormant) if one.name not in names)
    return msgspec.structs.replace(settings, providers=alive, dormant=rest)


def at_start(settings: Config) -> tuple[Config, list[str]]:
    """What to start with, before there are workers, and what is wrong with stored keys: it is served without those."""
    database: Database | None = None
    try:
        database = opened(settings)
        if database is None:
            return with_stored(settings, Loaded(0)), []
        loaded = database.ask(lambda db: load_credentials(db, settings.secrets.keys().ring))
    except (NoSecretKey, StorageUnavailable) as error:
        why = reason(error) if isinstance(error, StorageUnavailable) else error
        return with_stored(settings, Loaded(0)), [f"Keys that are kept in the database are not used: {why}"]
    finally:
        if database is not None:
            database.close()
    return with_stored(settings, loaded), list(loaded.complaints)


def start_with(settings: Config) -> Config:
    """As `at_start`, telling what is wrong."""
    found, complaints = at_start(settings)
    for complaint in complaints:
        print(f"Careful: {complaint}", file=sys.stderr)
    return found


def may_be_kept(settings: Config) -> bool:
    """Whether some provider takes stored keys, and there is a database that they can be in."""
    url = settings.storage.url
    exists = not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()
    return exists and any(provider.takes_stored for provider in (*settings.providers, *settings.dormant))


def opened(settings: Config) -> "Database | None":
    """The database, if there can be stored keys in it that anybody wants. Raises `StorageUnavailable`."""
    if not may_be_kept(settings):
        return None
    from portico.store.database import open_database
    from portico.store.version import SchemaTooNew, State, check

    database = open_database(settings.storage.url)
    try:
        if check(database) is State.CURRENT:
            return database
    except SchemaTooNew:  # whoever serves from it says so
        pass
    except BaseException:
        database.close()
        raise
    database.close()
    return None


class StoredKeys:
    """One worker's: tells its relays which providers can be asked, whenever the revision of the credentials has risen.

    `changed` is what a `store.watch.RevisionWatch` calls for the name `credentials`.
    """

    def __init__(self, settings: Config, relays: Sequence[Relay], reading: Reading) -> None:
        self._settings = settings
        self._relays = relays
        self._reading = reading
        self._begun = False

    async def changed(self) -> None:
        """Reads the credentials again. Raises `StorageUnavailable`; then what was read last goes on to hold."""
        if not any(one.takes_stored for one in (*self._settings.providers, *self._settings.dormant)):
            return
        try:
            ring = self._settings.secrets.keys().ring
            loaded = await self._reading.read(lambda db: load_credentials(db, ring))
        except NoSecretKey as error:
            log.error("credentials are not read again: %s", error)
            return
        self.take(loaded)

    def take(self, loaded: Loaded) -> tuple[Provider, ...]:
        """Serves with these from now on."""
        for complaint in loaded.complaints if self._begun else ():  # the start has told them already
            log.error("%s", complaint)
        self._begun = True
        self._settings = with_stored(self._settings, loaded)
        for relay in self._relays:
            relay.serve_from(self._settings.providers)
        return self._settings.providers
