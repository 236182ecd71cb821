"""`portico accounts`: who owns money here."""

from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import Account, After, Amounts, ConfigOption, JsonOption, Limit, Yes, confirmed, given
from portico.cli.admin.run import ask, perform

app = typer.Typer(no_args_is_help=True, help="Accounts: create them, top them up, look at their balance.")

Kind = Annotated[str, typer.Option(help="prepaid: refused beyond the balance. open: recorded only.")]
Dollars = Annotated[str, typer.Argument(help="Dollars: 10 or 12.50.")]
Note = Annotated[str, typer.Option(help="A line for whoever reads the books later.")]
Reference = Annotated[
    str | None, typer.Option(help="What makes it unique, such as an invoice's number: it is booked once.")
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The account's name.")],
    kind: Kind = "prepaid",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Create an account.

    Examples:

        portico accounts create acme

        portico accounts create family --kind open
    """
    perform("accounts create", given(name=name, kind=kind), config=config, as_json=json, show=sheet)


@app.command("list")
def list_(
    closed: Annotated[bool, typer.Option("--closed", help="Closed ones, too.")] = False,
    limit: Limit = 100,
    after: After = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List accounts with their balances.

    Example:

        portico accounts list
    """
    perform(
        "accounts list", {"closed": closed, "limit": limit, "after": after}, config=config, as_json=json, show=_table
    )


@app.command("show")
def show_(account: Account, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show an account: its balance, and what open calls hold of it.

    Example:

        portico accounts show acme
    """
    perform("accounts show", {"account": account}, config=config, as_json=json, show=sheet)


@app.command("set")
def set_(account: Account, kind: Kind, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Make an account prepaid or open.

    Example:

        portico accounts set acme --kind open
    """
    perform("accounts set", {"account": account, "kind": kind}, config=config, as_json=json, show=sheet)


@app.command("top-up", cls=Amounts)
def top_up(
    account: Account,
    amount: Dollars,
    note: Note = "",
    reference: Reference = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Pay dollars into an account.

    Examples:

        portico accounts top-up acme 10

        portico accounts top-up acme 12.50 --note "June" --reference INV-1042
    """
    fields = given(account=account, amount_usd=amount, note=note, reference=reference)
    perform("accounts top-up", fields, config=config, as_json=json, show=sheet)


@app.command(cls=Amounts)
def refund(
    account: Account,
    amount: Dollars,
    note: Note = "",
    reference: Reference = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Give back dollars that were charged.

    Example:

        portico accounts refund acme 5 --note "a broken afternoon"
    """
    fields = given(account=account, amount_usd=amount, note=note, reference=reference)
    perform("accounts refund", fields, config=config, as_json=json, show=sheet)


@app.command(cls=Amounts)
def withdraw(
    account: Account,
    amount: Dollars,
    note: Note = "",
    reference: Reference = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Take dollars out of an account: paid in by mistake, or paid out. It may fall below zero.

    Example:

        portico accounts withdraw acme 450 --note "500 were typed for 50"
    """
    fields = given(account=account, amount_usd=amount, note=note, reference=reference)
    perform("accounts withdraw", fields, config=config, as_json=json, show=sheet)


@app.command()
def delete(account: Account, yes: Yes = False, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Close an account. Its keys open nothing any more; its books stay.

    Example:

        portico accounts delete acme --yes
    """
    if not yes:
        found = ask("accounts show", {"account": account}, config=config)
        balance = show.dollars(found.available_usd)
        confirmed(f"Close the account {found.name} ({balance} left)? Its keys stop working.", yes=yes)
    perform("accounts delete", {"account": account}, config=config, as_json=json, show=sheet)


def _table(page: Any) -> None:
    columns = [("name", ""), ("id", show.KEPT), ("kind", show.KEPT), ("available", show.RIGHT), ("held", show.RIGHT)]
    states = any(account.closed for account in page.data)
    show.table(
        [*columns, *([("state", show.KEPT)] if states else [])],
        [
            [
                account.name,
                account.id,
                account.kind,
                show.dollars(account.available_usd),
                show.dollars(account.held_usd),
                *([account.state] if states else []),
            ]
            for account in page.data
        ],
        empty="There are no accounts. Make one: portico accounts create NAME",
    )
    show.more(page)


def sheet(account: Any) -> None:
    show.sheet(
        [
            ("id", account.id),
            ("name", account.name),
            ("kind", account.kind),
            ("state", account.state),
            ("available", show.dollars(account.available_usd)),
            ("posted", show.dollars(account.posted_usd)),
            ("held", show.dollars(account.held_usd)),
            ("created", account.created),
            ("closed", account.closed),
        ]
    )
