"""`portico prices` and `portico markup`: what callers pay, and how it changes."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from portico.cli.admin import price_drafts, show
from portico.cli.admin.options import (
    After,
    Amounts,
    ConfigOption,
    JsonOption,
    Limit,
    Yes,
    confirmed,
    given,
    read_file,
    usage_error,
)
from portico.cli.admin.run import ask, perform, tell

prices = typer.Typer(no_args_is_help=True, help="Prices: what callers pay and what providers ask, each from a day on.")
prices.add_typer(price_drafts.app, name="draft")
markup = typer.Typer(no_args_is_help=True, help="Markup: a rule on top of prices, for all, a model or an account.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="A draft: .toml, .csv or .json, or - for standard input.")]
Format = Annotated[str | None, typer.Option("--format", help="toml, csv or json, where the file's name does not say.")]


@prices.command("list")
def list_(
    model: Annotated[str | None, typer.Argument(help="One model, by any name it is known by.")] = None,
    book: Annotated[str | None, typer.Option(help="sale: what callers pay. cost: what providers ask.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every row that was published, those of later days, too.")
    ] = False,
    limit: Limit = 500,
    after: After = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the prices in force, in dollars per million tokens. What was not published is the catalog's.

    Examples:

        portico prices list

        portico prices list gemini-3.5-flash --all
    """
    fields = given(model=model, book=book, every=every, limit=limit, after=after)
    perform("prices list", fields, config=config, as_json=json, show=_long if model or every else _short)


@prices.command("import")
def import_(
    file: File,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the draft goes; else it is printed.")
    ] = None,
    format: Format = None,  # noqa: A002
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Read prices from a TOML, CSV or JSON file, check them, and write a draft (TOML). Nothing is published.

    One line is one model's prices, in dollars per million tokens; the columns of a CSV have the same names:

        [[prices]]

        model = "gemini-3.5-flash"     # with provider = "gemini": what that provider asks

        input = "1.80"

        cached = "0.18"

        output = "10.80"               # write, write_1h: kept in a cache for minutes, for an hour

        effective_from = 2027-01-01    # by default today

    Beside these: modality (any, text, image, audio, video, document), above_tokens, tier (standard, flex, batch,
    priority, fast, ultrafast), backend, source. A fee has item, usd and unit (query, prompt, mtok_hour,
    character, second) instead: item = "web_search", usd = "0.014", unit = "query". A model that costs nothing says
    free = true.

    Examples:

        portico prices import prices.csv -o draft.toml

        portico prices diff draft.toml

        portico prices publish draft.toml
    """
    fields = {"text": read_file(file), "format": _format(file, format)}
    draft = ask("prices import", fields, config=config)
    if output is None:
        tell(draft, as_json=json, show=lambda draft: print(draft.toml, end=""))
        return
    try:
        output.write_text(draft.toml, encoding="utf-8")
    except OSError as error:
        raise usage_error(f"{output} cannot be written: {error.strerror}") from None
    count = len(draft.lines)
    tell(
        {"file": str(output), "lines": count},
        as_json=json,
        show=lambda _: print(f"Lines in {output}: {count}. What they change: portico prices diff {output}"),
    )


@prices.command()
def diff(file: File, format: Format = None, config: ConfigOption = None, json: JsonOption = False) -> None:  # noqa: A002
    """Show what publishing a draft would change: old, new, percent.

    Example:

        portico prices diff draft.toml
    """
    fields = {"prices": _lines(file, format)}
    perform("prices diff", fields, config=config, as_json=json, show=_changes)


@prices.command()
def publish(
    file: File,
    format: Format = None,  # noqa: A002
    yes: Yes = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Publish a draft. Rows are added, never changed; each holds from its day on, for calls that begin then.

    Example:

        portico prices publish draft.toml --yes
    """
    fields = {"prices": _lines(file, format)}
    if not yes:
        found = ask("prices diff", fields, config=config)
        if not json:
            _changes(found)
        if found.changes:
            confirmed("Publish these prices?", yes=yes)
    perform("prices publish", fields, config=config, as_json=json, show=_published)


@markup.command("set", cls=Amounts)
def set_markup(
    factor: Annotated[str, typer.Argument(help="1.2, +20% or -5%; 1 takes a rule back.")],
    model: Annotated[str | None, typer.Option(help="Only for this model.")] = None,
    account: Annotated[str | None, typer.Option(help="Only for this account.")] = None,
    effective_from: Annotated[str | None, typer.Option("--from", help="The first day (UTC); by default today.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Set a markup on all prices, or on those of a model or an account.

    Examples:

        portico markup set +20%

        portico markup set 1.1 --account acme --model gemini-3.5-flash
    """
    fields = given(factor=factor, model=model, account=account, effective_from=effective_from)
    perform("markup set", fields, config=config, as_json=json, show=_rule)


@markup.command("list")
def list_markups(
    every: Annotated[bool, typer.Option("--all", help="Those of other days, too.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the markups in force.

    Example:

        portico markup list
    """
    perform("markup list", {"every": every}, config=config, as_json=json, show=_rules)


def _format(file: Path, said: str | None) -> str:
    form = said or file.suffix.lstrip(".").lower()
    if form not in ("toml", "csv", "json"):
        raise usage_error(f"What {file} is written in cannot be told by its name: say --format toml, csv or json.")
    return form


def _lines(file: Path, said: str | None) -> list[Any]:
    """The lines of a draft, as the API takes them."""
    import msgspec

    from portico.admin.drafts import read_lines
    from portico.cli.admin.run import failed
    from portico.core.errors import InvalidRequest

    form = _format(file, said)
    text = read_file(file)
    try:
        return [msgspec.to_builtins(line) for line in read_lines(text, form)]
    except InvalidRequest as error:
        raise failed(error) from None


def _short(page: Any) -> None:
    """One line for each model: plain tokens at the standard tier. The rest is a question away."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for price in page.data:
        row = rows.setdefault((price.model, price.book, price.provider), {"price": price})
        if price.kind == "free":
            row |= {"input": "free", "output": "free"}
        plain = price.tier == "standard" and price.above_tokens == 0 and price.kind in ("input", "output")
        if plain and price.backend == "" and price.modality in ("any", "text"):
            row["cached" if price.cached else price.kind] = price.usd
    columns = [
        ("model", show.KEPT),
        ("book", ""),
        ("$/M in", show.RIGHT),
        ("cached", show.RIGHT),
        ("out", show.RIGHT),
        ("origin", show.KEPT),
    ]
    listed = [
        [
            model,
            f"{book} {provider}".strip(),
            row.get("input", ""),
            row.get("cached", ""),
            row.get("output", ""),
            row["price"].origin,
        ]
        for (model, book, provider), row in rows.items()
    ]
    show.table(columns, listed, empty="There are no prices.")
    show.more(page)
    if listed and page.next is None:
        print("\nBands, modalities, tiers and fees: portico prices list MODEL", file=sys.stderr)


def _long(page: Any) -> None:
    columns = [
        ("model", show.KEPT),
        ("book", ""),
        ("price of", ""),
        ("$", show.RIGHT),
        ("per", show.KEPT),
        ("from", show.KEPT),
        ("origin", show.KEPT),
    ]
    rows = [
        [
            price.model,
            f"{price.book} {price.provider}".strip(),
            _what(price),
            price.usd,
            price.unit,
            price.effective_from if price.origin == "published" else "",
            price.origin,
        ]
        for price in page.data
    ]
    show.table(columns, rows, empty="There are no prices.")
    show.more(page)


def _what(price: Any) -> str:
    words = [price.item or ("cached" if price.cached else price.kind)]
    words += [price.modality] if price.modality != "any" else []
    words += [f"above {price.above_tokens:,}"] if price.above_tokens else []
    words += [price.tier] if price.tier != "standard" else []
    words += [f"at {price.backend}"] if price.backend else []
    return " ".join(words)


def _changes(diff: Any) -> None:
    columns = [
        ("model", show.KEPT),
        ("price of", ""),
        ("old $", show.RIGHT),
        ("new $", show.RIGHT),
        ("change", show.RIGHT),
        ("per", show.KEPT),
        ("from", show.KEPT),
    ]
    rows = [
        [
            change.model,
            f"{change.what} ({change.provider})" if change.provider else change.what,
            change.old_usd or "none",
            change.new_usd,
            change.change,
            change.unit,
            change.effective_from,
        ]
        for change in diff.changes
    ]
    show.table(columns, rows, empty="Nothing would change.")
    if diff.unchanged:
        print(f"\nAlready so: {diff.unchanged}", file=sys.stderr)


def _published(result: Any) -> None:
    print(f"{len(result.changes)} prices published. Workers charge by them within a second, from their day on.")


def _rule(rule: Any) -> None:
    show.sheet(
        [
            ("for account", rule.account or "all"),
            ("for model", rule.model or "all"),
            ("factor", rule.factor),
            ("from", rule.effective_from),
        ]
    )


def _rules(page: Any) -> None:
    columns = [("account", show.KEPT), ("model", show.KEPT), ("factor", show.RIGHT), ("from", show.KEPT)]
    rows = [[rule.account or "all", rule.model or "all", rule.factor, rule.effective_from] for rule in page.data]
    show.table(columns, rows, empty="There is no markup: callers pay the price list.")
