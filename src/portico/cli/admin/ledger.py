"""`portico ledger`: do the books add up, and what is in them."""

import csv
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from portico.cli.admin.options import ConfigOption, JsonOption, given, usage_error
from portico.cli.admin.run import ask, ask_all, tell

app = typer.Typer(no_args_is_help=True, help="The ledger: check it, take it elsewhere.")

COLUMNS = ("id", "at", "account", "kind", "posted_usd", "held_usd", "posted_nanos", "held_nanos", "request_id", "note")


@app.command()
def verify(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Compute every balance anew from its entries, and compare receipts, usage and payments with them. Exit code 1 if
    anything differs, with what to do about it. May run while Portico serves.

    Example:

        portico ledger verify
    """
    result = ask("ledger verify", {}, config=config)
    tell(result, as_json=json, show=_verified)
    if not result.ok:
        raise typer.Exit(1)


@app.command()
def export(
    account: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where it goes; else it is printed.")] = None,
    config: ConfigOption = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line, in place of CSV.")] = False,
) -> None:
    """Write every entry of the ledger, oldest first, as CSV (or with --json as JSON lines).

    Example:

        portico ledger export --account acme -o entries.csv
    """
    from portico.wire import jsontext

    with ExitStack() as open_files:
        out: TextIO | None = None

        def write(page: Any) -> None:
            nonlocal out
            if out is None:  # what was exported before stays where nothing can be asked
                out = sys.stdout if output is None else open_files.enter_context(_opened(output))
                out.write("" if json else f"{','.join(COLUMNS)}\n")
            writer = csv.writer(out, lineterminator="\n")
            for entry in page.data:
                if json:
                    out.write(jsontext.dumps(entry) + "\n")
                else:
                    writer.writerow([_cell(getattr(entry, name)) for name in COLUMNS])

        ask_all("ledger export", given(account=account), config=config, found=write)


def _opened(output: Path) -> TextIO:
    try:
        return output.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise usage_error(f"{output} cannot be written: {error.strerror}") from None


def _cell(value: Any) -> str:
    """A note that begins like a formula is told as text: tables are opened in programs that would compute it."""
    text = "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
    is_text = isinstance(value, str) and not text.lstrip("-").replace(".", "").isdigit()
    return f"'{text}" if is_text and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _verified(result: Any) -> None:
    if result.ok:
        open_holds = f", open calls {result.open_holds:,}" if result.open_holds else ""
        print(f"The books add up: accounts {result.accounts:,}, entries {result.entries:,}{open_holds}.")
        return
    for one in result.differences:
        print(one.message)
    for what, advice in {one.what: one.advice for one in result.differences}.items():
        print(f"\n{what}: {advice}")
    print("The books do not add up.", file=sys.stderr)
