"""`portico backup` and `portico db`: the database as a whole."""

from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import ConfigOption, JsonOption, given
from portico.cli.admin.run import failed, perform, tell

db = typer.Typer(no_args_is_help=True, help="The database: its version, and how it gets to the next.")


def backup(
    name: Annotated[str | None, typer.Argument(help="The file's name; by default one with the time.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Write a copy of the database into the folder backups beside it, while it is used (SQLite; PostgreSQL: pg_dump).

    Example:

        portico backup
    """
    perform("backup", given(name=name), config=config, as_json=json, show=_file)


@db.command()
def status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show which version of the tables the database has. Changes nothing.

    Example:

        portico db status
    """
    from portico.cli.books import schema_status
    from portico.core.errors import PorticoError

    try:
        tell(schema_status(config), as_json=json, show=_status)
    except PorticoError as error:
        raise failed(error) from None


@db.command()
def upgrade(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Bring the database's tables to this version. Every start does it, too; running it again changes nothing.

    Example:

        portico db upgrade
    """
    from portico.cli.books import upgrade_schema
    from portico.core.errors import PorticoError

    try:
        tell(upgrade_schema(config), as_json=json, show=_status)
    except PorticoError as error:
        raise failed(error) from None


def _file(made: Any) -> None:
    print(f"{made.path} ({made.size_bytes:,} bytes)")


def _status(found: Any) -> None:
    show.sheet(
        [("database", found.database), ("version", found.found), ("wanted", found.wanted), ("state", found.state)]
    )
