"""`portico calls`: what runs right now."""

from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import ConfigOption, JsonOption, Limit, Yes, confirmed, given
from portico.cli.admin.run import perform

app = typer.Typer(no_args_is_help=True, help="Calls that are open: what runs right now, and ending it.")


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Only of this account (id or name).")] = None,
    limit: Limit = 100,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the calls that are open, the oldest first.

    Examples:

        portico calls list

        portico calls list --account acme
    """
    perform("calls list", given(account=account, limit=limit), config=config, as_json=json, show=_table)


@app.command()
def end(
    request: Annotated[str, typer.Argument(help="A request's id (req_…), as `portico calls list` names it.")],
    yes: Yes = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """End an open call within a second. Its provider is stopped, its caller told; what was delivered is charged.

    Example:

        portico calls end req_0UXgq2xRAbCdEfGhIjKlMnOp --yes
    """
    confirmed(f"End the call {request}?", yes=yes)
    perform("calls end", {"request": request}, config=config, as_json=json, show=_ended)


def _table(page: Any) -> None:
    columns = [
        ("request", show.KEPT),
        ("age", show.RIGHT),
        ("account", ""),
        ("key", ""),
        ("model", ""),
        ("held", show.RIGHT),
        ("process", show.RIGHT),
    ]
    rows = [
        [
            call.request_id,
            f"{call.age_s} s",
            call.account_name or call.account,
            call.key_name or call.key_prefix or call.key,
            call.model or "",
            show.rounded(call.held_usd),
            f"{call.machine}:{call.process}" if call.machine else call.process,
        ]
        for call in page.data
    ]
    show.table(columns, rows, empty="No call is open.")


def _ended(call: Any) -> None:
    print(f"{call.request_id} is being ended.")
