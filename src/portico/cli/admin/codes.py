"""`portico codes`: money on paper."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import Account, After, Amounts, ConfigOption, JsonOption, Limit, given, moment, read_file
from portico.cli.admin.run import perform

app = typer.Typer(no_args_is_help=True, help="Redemption codes: each is worth its amount once.")


@app.command(cls=Amounts)
def create(
    amount: Annotated[str, typer.Argument(help="Dollars each is worth: 10 or 12.50.")],
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 1,
    note: Annotated[str, typer.Option(help="A line for whoever reads the books later.")] = "",
    expires: Annotated[str | None, typer.Option(help="When they are worth nothing: 90d, 2027-01-01.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Create redemption codes. They are shown this once.

    Examples:

        portico codes create 10

        portico codes create 5 --count 20 --note "fair" --expires 90d > codes.txt
    """
    fields = given(amount_usd=amount, count=count, note=note, expires=None if expires is None else moment(expires))
    perform("codes create", fields, config=config, as_json=json, show=_issued)


@app.command("list")
def list_(
    open_only: Annotated[bool, typer.Option("--open", help="Only those that may still be redeemed.")] = False,
    limit: Limit = 100,
    after: After = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List codes, newest first, by how they begin.

    Example:

        portico codes list --open
    """
    perform("codes list", {"open": open_only, "limit": limit, "after": after}, config=config, as_json=json, show=_table)


@app.command()
def redeem(
    account: Account,
    code: Annotated[str, typer.Argument(help="The code, or - to read it from standard input.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Redeem a code for an account.

    Example:

        portico codes redeem acme code-h3Kq…
    """
    from portico.cli.admin.accounts import sheet

    text = read_file(Path("-")).strip() if code == "-" else code
    perform("codes redeem", {"account": account, "code": text}, config=config, as_json=json, show=sheet)


def _issued(page: Any) -> None:
    for code in page.data:
        print(code.code)
    first = page.data[0]
    worth = show.dollars(first.amount_usd)
    until = f", until {show.cell(first.expires)}" if first.expires else ""
    print(f"Each is worth {worth} once{until}. Keep them now: they are not shown again.", file=sys.stderr)


def _table(page: Any) -> None:
    columns = [
        ("begins", show.KEPT),
        ("amount", show.RIGHT),
        ("state", show.KEPT),
        ("made", show.KEPT),
        ("expires", show.KEPT),
        ("note", ""),
    ]
    rows = [
        [
            f"{code.prefix}…",
            show.dollars(code.amount_usd),
            code.state,
            show.day(code.created),
            show.day(code.expires),
            code.note,
        ]
        for code in page.data
    ]
    show.table(columns, rows, empty="There are no codes. Make one: portico codes create 10")
    show.more(page)
