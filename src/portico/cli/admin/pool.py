"""`portico pool`: credentials whose quota is used up, or that were refused."""

from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import ConfigOption, JsonOption, given
from portico.cli.admin.run import perform

app = typer.Typer(no_args_is_help=True, help="What rests at providers: used-up quotas, refused and suspended keys.")


@app.command("list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List what is not asked at the moment, till when, and why.

    Example:

        portico pool list
    """
    perform("pool list", {}, config=config, as_json=json, show=_table)


@app.command()
def rest(
    provider: Annotated[str, typer.Argument(help="Which provider.")],
    group: Annotated[str, typer.Option(help="Only this group, as `portico pool list` names it.")] = "",
    model: Annotated[str, typer.Option(help="Only this upstream model.")] = "",
    minutes: Annotated[int | None, typer.Option(help="For so long; by default until it is cleared.")] = None,
    note: Annotated[str, typer.Option(help="Why, for whoever looks.")] = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Let a provider rest: every worker stops asking it within a second. Calls go to others that serve the model.

    Examples:

        portico pool rest gemini --minutes 30 --note "they have an outage"

        portico pool rest openai --model gpt-5.5
    """
    fields = given(provider=provider, group=group or None, model=model or None, minutes=minutes, note=note or None)
    perform("pool rest", fields, config=config, as_json=json, show=_rested)


@app.command()
def clear(
    provider: Annotated[str, typer.Argument(help="Which provider.")],
    group: Annotated[str, typer.Option(help="Only this group, as `portico pool list` names it.")] = "",
    model: Annotated[str | None, typer.Option(help="Only this upstream model.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Let what rests be asked again at once: a key was mended, a quota raised.

    Examples:

        portico pool clear gemini

        portico pool clear gemini --group project:research --model gemini-2.5-pro
    """
    fields = given(provider=provider, group=group or None, model=model)
    perform("pool clear", fields, config=config, as_json=json, show=_cleared)


def _table(page: Any) -> None:
    columns = [("provider", show.KEPT), ("group", show.KEPT), ("model", show.KEPT), ("until", show.KEPT), ("why", "")]
    rows = [
        [
            rest.provider,
            (rest.group if len(rest.group) <= 24 else rest.group[:23] + "…") or "(all)",
            rest.model or "(all)",
            rest.until or "cleared",
            rest.why,
        ]
        for rest in page.data
    ]
    show.table(columns, rows, empty="Nothing rests: every credential is in use.")


def _rested(rest: Any) -> None:
    until = show.cell(rest.until) or "it is cleared"
    print(f"{rest.provider} rests until {until}: {rest.model or 'all models'}.")


def _cleared(done: Any) -> None:
    print(f"{done.cleared} may be asked again.")
