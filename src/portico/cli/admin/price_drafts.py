"""`portico prices draft`: prices that are written down and kept, and not published yet."""

from pathlib import Path
from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import ConfigOption, JsonOption, Yes, confirmed, given, read_file
from portico.cli.admin.run import perform

app = typer.Typer(no_args_is_help=True, help="Drafts that are kept: prices that nobody has published yet.")

Draft = Annotated[str, typer.Argument(metavar="DRAFT", help="A draft's id (drf_…).")]


@app.command()
def save(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A draft: .toml, .csv or .json, or - for standard input.")
    ],
    title: Annotated[str, typer.Option(help="What it is about.")] = "",
    draft: Annotated[str | None, typer.Option(help="The id of the draft to write over.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Keep a draft in the database, also one that cannot be read yet. Nothing is published.

    Example:

        portico prices draft save prices.toml --title "January"
    """
    fields = given(text=read_file(file), title=title, draft=draft)
    perform("prices draft save", fields, config=config, as_json=json, show=_one)


@app.command("list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the drafts that are kept, the latest first.

    Example:

        portico prices draft list
    """
    perform("prices draft list", {}, config=config, as_json=json, show=_table)


@app.command("show")
def show_(draft: Draft, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show the text of a draft. To publish it: portico prices publish -

    Example:

        portico prices draft show drf_0UXgq2xRAbCdEfGhIjKlMnOp | portico prices diff - --format toml
    """
    perform(
        "prices draft show", {"draft": draft}, config=config, as_json=json, show=lambda found: print(found.text, end="")
    )


@app.command()
def drop(draft: Draft, yes: Yes = False, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Drop a draft. What was published of it stays.

    Example:

        portico prices draft drop drf_0UXgq2xRAbCdEfGhIjKlMnOp --yes
    """
    confirmed(f"Drop the draft {draft}?", yes=yes)
    perform("prices draft drop", {"draft": draft}, config=config, as_json=json, show=_one)


def _one(draft: Any) -> None:
    where = "" if draft.problem_line is None else f"line {draft.problem_line}: "
    show.sheet(
        [
            ("id", draft.id),
            ("title", draft.title),
            ("lines", draft.lines),
            ("changed", draft.changed),
            ("wrong", f"{where}{draft.problem}" if draft.problem else ""),
        ]
    )


def _table(page: Any) -> None:
    columns = [("id", show.KEPT), ("title", ""), ("lines", show.RIGHT), ("changed", show.KEPT), ("wrong", "")]
    rows = [[one.id, one.title, one.lines, one.changed, one.problem] for one in page.data]
    show.table(columns, rows, empty="No draft is kept.")
