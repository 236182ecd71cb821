"""`portico providers`: whom calls can be sent to, and how they stand."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from portico.cli.admin import show
from portico.cli.admin.options import ConfigOption, JsonOption
from portico.cli.admin.run import perform

app = typer.Typer(
    no_args_is_help=True, help="Providers: their addresses, credentials, what rests, and a try of their keys."
)
FEW: Final = 3


@app.command("list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List providers, those in trouble first.

    Example:

        portico providers list
    """
    perform("providers list", {}, config=config, as_json=json, show=_table)


@app.command()
def probe(
    provider: Annotated[str, typer.Argument(help="Which provider.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Try every key of a provider by listing its models, which costs nothing.

    Example:

        portico providers probe gemini
    """
    perform("providers probe", {"provider": provider}, config=config, as_json=json, show=_probed)


def _table(page: Any) -> None:
    columns = [
        ("provider", show.KEPT),
        ("kind", show.KEPT),
        ("at", ""),
        ("keys", show.RIGHT),
        ("state", show.KEPT),
        ("why", ""),
    ]
    rows = [
        [
            one.name,
            one.kind,
            one.host,
            one.configured + one.stored,
            one.state,
            _why(one.rests),
        ]
        for one in page.data
    ]
    show.table(columns, rows, empty="No provider is configured.")


def _why(rests: Sequence[Any]) -> str:
    """What rests, and on what evidence: of much the first."""
    told = [f"{rest.model or 'all models'}: {rest.why}" for rest in rests[:FEW]]
    if len(rests) > FEW:
        told.append(f"{len(rests) - FEW} more: portico pool list")
    return "; ".join(told)


def _probed(page: Any) -> None:
    rows = [[one.key, "ok" if one.ok else "failed", one.error] for one in page.data]
    show.table([("key", ""), ("state", show.KEPT), ("error", "")], rows, empty="It has no key.")
