"""Commands on the database as a whole. They run beside its transactions, not in one."""

import re
from typing import Annotated, Final

from portico.admin.desk import Args, BackupFile, House, Nothing, SchemaStatus, Upkeep, says
from portico.core.errors import InvalidRequest

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Backup(Args, frozen=True, kw_only=True):
    name: Annotated[
        str, says("The file's name, in the folder `backups` beside the database. By default one with the time.")
    ] = ""


def backup(house: House, args: Backup) -> BackupFile:
    """Writes a copy of the database while it is used (SQLite)."""
    if args.name and _NAME.fullmatch(args.name) is None:
        raise InvalidRequest(
            "name: letters (a to z), digits, dots, dashes and underscores, without folders.", param="name"
        )
    return _upkeep(house).backup(args.name)


def status(house: House, args: Nothing) -> SchemaStatus:  # noqa: ARG001
    """Shows which version of the tables the database has."""
    return _upkeep(house).schema()


def _upkeep(house: House) -> Upkeep:
    if house.upkeep is None:
        raise InvalidRequest("There is no database here to look after.")
    return house.upkeep
