"""What a worker serves its administrator: the admin API, with connections of its own, if there is an admin key."""

from collections.abc import Awaitable, Callable
from random import Random

from portico.admin.command import Office
from portico.cli.housekeeping import house_of
from portico.config import Config
from portico.http.admin import AdminApi
from portico.http.exchange import HttpExchange
from portico.store.database import Database, open_database
from portico.store.version import bring_up_to_date


class Administration:
    """To be opened after a fork: connections do not survive one."""

    def __init__(self, settings: Config, rng: Random) -> None:
        """Brings the database up to date, which may take a moment; raises what `bring_up_to_date` does."""
        self._settings = settings
        self._rng = rng
        self._database: Database = open_database(settings.storage.url)
        bring_up_to_date(settings.storage.url, self._database)

    def around(self, inner: Callable[[HttpExchange], Awaitable[None]]) -> AdminApi:
        """The admin API, and every other path as `inner` has it."""
        office = Office(self._database.reading, house_of(self._settings), self._rng)
        return AdminApi(inner, office, self._settings.admin_key, rng=self._rng)

    async def aclose(self) -> None:
        await self._database.aclose()
