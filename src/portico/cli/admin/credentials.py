"""`portico credentials` and `portico secrets`: the keys that providers gave us, kept encrypted."""

import getpass
import sys
from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import ConfigOption, JsonOption, Yes, confirmed, usage_error
from portico.cli.admin.run import perform

app = typer.Typer(no_args_is_help=True, help="Credentials: what providers are asked with, encrypted in the database.")
secrets = typer.Typer(no_args_is_help=True, help="Secrets: the key that stored credentials are encrypted with.")

Id = Annotated[str, typer.Argument(metavar="CREDENTIAL", help="Its id (cred_…).")]


@app.command()
def add(
    provider: Annotated[str, typer.Argument(help="The provider that takes it, by its configured name.")],
    name: Annotated[str, typer.Option(help="What it is called here.")] = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Add a credential. It is asked for, or read from standard input; never an argument, which others could see.

    Example:

        portico credentials add gemini --name second < key.txt
    """
    value = (getpass.getpass("The credential: ") if sys.stdin.isatty() else sys.stdin.read()).strip()
    if not value:
        raise usage_error("No credential was given: type it, or hand it in on standard input.")
    fields = {"provider": provider, "value": value, "name": name}
    perform("credentials add", fields, config=config, as_json=json, show=_sheet)


@app.command("list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List credentials, without what they hide.

    Example:

        portico credentials list
    """
    perform("credentials list", {}, config=config, as_json=json, show=_table)


@app.command()
def disable(credential: Id, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Use a credential no more, and keep it.

    Example:

        portico credentials disable cred_0UXgq2xRAbCdEfGhIjKlMnOp
    """
    perform("credentials disable", {"credential": credential}, config=config, as_json=json, show=_sheet)


@app.command()
def enable(credential: Id, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Use a disabled credential again.

    Example:

        portico credentials enable cred_0UXgq2xRAbCdEfGhIjKlMnOp
    """
    perform("credentials enable", {"credential": credential}, config=config, as_json=json, show=_sheet)


@app.command()
def remove(credential: Id, yes: Yes = False, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Remove a credential for good.

    Example:

        portico credentials remove cred_0UXgq2xRAbCdEfGhIjKlMnOp --yes
    """
    confirmed(f"Remove the credential {credential} for good?", yes=yes)
    perform("credentials remove", {"credential": credential}, config=config, as_json=json, show=_sheet)


@secrets.command()
def rotate(yes: Yes = False, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Encrypt every stored credential anew, with a new secret key.

    Example:

        portico secrets rotate --yes
    """
    confirmed("Encrypt every stored credential with a new key?", yes=yes)
    perform("secrets rotate", {}, config=config, as_json=json, show=_rotated)


def _sheet(credential: Any) -> None:
    show.sheet(
        [
            ("id", credential.id),
            ("provider", credential.provider),
            ("name", credential.name),
            ("state", credential.state),
            ("encrypted with", credential.secret_key_id),
            ("created", credential.created),
        ]
    )


def _table(page: Any) -> None:
    columns = [("id", show.KEPT), ("provider", ""), ("name", ""), ("state", show.KEPT)]
    rows = [[one.id, one.provider, one.name, one.state] for one in page.data]
    show.table(columns, rows, empty="There are none; providers are asked with the keys of the configuration.")


def _rotated(done: Any) -> None:
    print(f"{done.credentials} credentials are encrypted with the key {done.secret_key_id}.")
