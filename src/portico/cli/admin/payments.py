"""`portico payments`: what is paid by card."""

from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import After, ConfigOption, JsonOption, Limit, given
from portico.cli.admin.run import perform

app = typer.Typer(no_args_is_help=True, help="Payments by card: what is waited for, paid, given back.")


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Only of this account (id or name).")] = None,
    state: Annotated[str | None, typer.Option(help="waiting, paid, expired, refunded or disputed.")] = None,
    limit: Limit = 100,
    after: After = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List payments by card, newest first.

    Examples:

        portico payments list

        portico payments list --account acme --state disputed
    """
    fields = given(account=account, state=state, limit=limit, after=after)
    perform("payments list", fields, config=config, as_json=json, show=_table)


@app.command()
def strays(limit: Limit = 100, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List what the payment provider told that fits no payment here.

    Example:

        portico payments strays
    """
    perform("payments strays", {"limit": limit}, config=config, as_json=json, show=_strays)


def _table(page: Any) -> None:
    columns = [
        ("made", show.KEPT),
        ("account", show.KEPT),
        ("amount", show.RIGHT),
        ("fee", show.RIGHT),
        ("returned", show.RIGHT),
        ("state", show.KEPT),
        ("id", show.KEPT),
    ]
    rows = [
        [
            show.day(one.created),
            one.account,
            show.dollars(one.amount_usd),
            show.dollars(one.fee_usd),
            show.dollars(one.returned_usd),
            one.state,
            one.id,
        ]
        for one in page.data
    ]
    show.table(columns, rows, empty="Nothing was paid by card.")
    show.more(page)


def _strays(page: Any) -> None:
    columns = [
        ("told", show.KEPT),
        ("kind", show.KEPT),
        ("amount", show.RIGHT),
        ("why", show.KEPT),
        ("payment", show.KEPT),
        ("event", show.KEPT),
    ]
    rows = [
        [show.day(one.at), one.kind, show.dollars(one.amount_usd), one.why, one.payment or one.reference, one.id]
        for one in page.data
    ]
    show.table(columns, rows, empty="Everything that was told is booked.")
