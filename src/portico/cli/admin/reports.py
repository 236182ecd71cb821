"""`portico usage` and `portico audit`: what was used, and who changed what."""

from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import After, Amounts, ConfigOption, JsonOption, Limit, given
from portico.cli.admin.run import perform

receipts = typer.Typer(no_args_is_help=True, help="Receipts: each call explained, line by line.")


def usage(
    account: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    key: Annotated[str | None, typer.Option(help="Only of this key, by its id.")] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="The first day (UTC): 2026-11-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day (UTC).")] = None,
    by: Annotated[str, typer.Option(help="What a line is for: some of day, model, key, account.")] = "day,model",
    limit: Limit = 100,
    after: After = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what was used: calls, tokens, what callers paid and what providers asked.

    Examples:

        portico usage --account acme --from 2026-11-01

        portico usage --by account,model --json
    """
    fields = given(
        account=account, key=key, model=model, by=by, limit=limit, after=after, **{"from": first, "to": last}
    )
    columns = [word.strip() for word in by.split(",") if word.strip()]
    perform("usage", fields, config=config, as_json=json, show=lambda page: _usage(page, columns))


def audit(
    subject: Annotated[str | None, typer.Option(help="Only changes of this account, key or user, by its id.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what they did, as the list names them.")] = None,
    command: Annotated[str | None, typer.Option(help='Only this command: "keys revoke".')] = None,
    limit: Limit = 50,
    after: After = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show who changed what, newest first.

    Example:

        portico audit --limit 20
    """
    fields = given(subject=subject, actor=actor, command=command, limit=limit, after=after)
    perform("audit", fields, config=config, as_json=json, show=_audit)


@receipts.command("list")
def list_receipts(
    account: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    key: Annotated[str | None, typer.Option(help="Only of this key, by its id.")] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model.")] = None,
    outcome: Annotated[str | None, typer.Option(help="How they ended: ok, failed, or an error code.")] = None,
    charged: Annotated[bool | None, typer.Option("--charged/--free", help="Only what was charged, or was not.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="The first day (UTC): 2026-11-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day (UTC).")] = None,
    search: Annotated[str, typer.Option(help="A request's id, how a key begins, a model or an error code.")] = "",
    limit: Limit = 50,
    after: After = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List calls by their receipts, newest first.

    Examples:

        portico receipts list --account acme --outcome failed

        portico receipts list --from 2026-11-01 --charged --json
    """
    fields = given(
        account=account,
        key=key,
        model=model,
        outcome=outcome,
        charged=charged,
        search=search,
        limit=limit,
        after=after,
        **{"from": first, "to": last},
    )
    perform("receipts list", fields, config=config, as_json=json, show=_calls)


def _calls(page: Any) -> None:
    columns = [
        ("request", show.KEPT),
        ("when", show.KEPT),
        ("model", ""),
        ("in", show.RIGHT),
        ("out", show.RIGHT),
        ("charge", show.RIGHT),
        ("ended", ""),
    ]
    rows = [
        [
            one.request_id,
            one.at,
            one.model,
            "?" if one.input_tokens is None else show.short(one.input_tokens),
            "?" if one.output_tokens is None else show.short(one.output_tokens),
            show.rounded(one.charge_usd),
            ", ".join([one.outcome, *one.flags]),
        ]
        for one in page.data
    ]
    show.table(columns, rows, empty="There are no such calls.")
    show.more(page)


@receipts.command("show")
def show_receipt(
    request: Annotated[str, typer.Argument(help="A request's id (req_…), as every answer carries it.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show the receipt of a call: what was used, by which prices, and what it cost.

    Example:

        portico receipts show req_0UXgq2xRAbCdEfGhIjKlMnOp
    """
    perform("receipts show", {"request": request}, config=config, as_json=json, show=_receipt)


@receipts.command("refund", cls=Amounts)
def refund_call(
    request: Annotated[str, typer.Argument(help="A request's id (req_…).")],
    amount: Annotated[str | None, typer.Argument(help="Dollars: 0.05. All that it was charged if left out.")] = None,
    note: Annotated[str, typer.Option(help="A line for the account: it stands on the receipt.")] = "",
    reference: Annotated[str | None, typer.Option(help="What makes it unique: it is booked once.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Give back what a call was charged, or some of it. Its receipt says so from then on.

    Examples:

        portico receipts refund req_0UXgq2xRAbCdEfGhIjKlMnOp

        portico receipts refund req_0UXgq2xRAbCdEfGhIjKlMnOp 0.05 --note "half of it was missing"
    """
    fields = given(request=request, amount_usd=amount, note=note, reference=reference)
    perform("receipts refund", fields, config=config, as_json=json, show=_refunded)


def _refunded(found: Any) -> None:
    show.sheet(
        [
            ("request", found.request),
            ("account", found.account),
            ("given back", show.dollars(found.refunded_usd)),
            ("balance", show.dollars(found.posted_usd)),
        ]
    )


def _receipt(found: Any) -> None:
    import msgspec

    from portico.admin import dollars
    from portico.admin.desk import at
    from portico.metering.receipt import Receipt, explained

    told = msgspec.convert(found.receipt, Receipt)
    tries = [f"{one.provider} ({one.model}): {one.outcome}" for one in told.tries]
    show.sheet(
        [
            ("request", told.request_id),
            ("began", at(told.at_us)),
            ("account", found.account),
            ("key", found.key),
            ("by way of", f"{told.route}, streamed" if told.stream else told.route),
            ("asked for", told.asked),
            ("answered", told.model),
            ("provider", f"{told.provider} ({told.upstream_model})" if told.upstream_model else told.provider),
            ("ended", told.outcome),
            ("asked", tries if len(tries) > 1 else ""),
            ("changes", list(told.losses)),
            ("held", show.dollars(dollars.usd(told.hold_nanos))),
            ("charged", show.dollars(dollars.usd(told.charge_nanos))),
            ("cost", "not known" if told.cost_unknown else show.dollars(dollars.usd(told.cost_nanos))),
        ]
    )
    said = explained(told)
    for note in found.notes:
        said += ["", f"{show.cell(note['at'])} {note['kind']}:", *_note(note["kind"], note["body"])]
    print()
    for line in said:
        print(show.printable(line))


def _note(kind: str, body: str) -> list[str]:
    """What came after a receipt: another one, of a worker that woke up late, or a refund."""
    import msgspec

    from portico.admin import dollars
    from portico.ledger.pay import Returned
    from portico.metering.receipt import decode, explained

    if kind == "refund":
        found = msgspec.json.decode(body, type=Returned)
        return [f"{show.dollars(dollars.usd(found.refunded_nanos))} given back", *([found.note] if found.note else [])]
    try:
        return explained(decode(body))
    except ValueError:
        return [body]


def _usage(page: Any, by: list[str]) -> None:
    titles = [("day (UTC)" if word == "day" else word, show.KEPT if word in ("day", "key") else "") for word in by]
    columns = [
        *titles,
        ("calls", show.RIGHT),
        ("in", show.RIGHT),
        ("cached", show.RIGHT),
        ("out", show.RIGHT),
        ("charge", show.RIGHT),
        ("cost", show.RIGHT),
    ]
    rows = [
        [
            *[row.account_name if word == "account" else getattr(row, word) for word in by],
            show.short(row.calls),
            show.short(row.input_tokens),
            show.short(row.cached_tokens),
            show.short(row.output_tokens),
            show.rounded(row.charge_usd),
            show.rounded(row.cost_usd),
        ]
        for row in page.data
    ]
    show.table(columns, rows, empty="Nothing was used.")
    show.more(page)


def _audit(page: Any) -> None:
    columns = [("when", show.KEPT), ("who", ""), ("command", ""), ("what", "")]
    rows = [[entry.at, entry.actor, entry.command, _asked(entry)] for entry in page.data]
    show.table(columns, rows, empty="Nothing was changed.")
    show.more(page)


def _asked(entry: Any) -> str:
    words = [f"{name}={value}" for name, value in entry.detail.items() if value not in ("", [], None, entry.subject)]
    told = " ".join([entry.subject, *words]).strip()
    return told if len(told) <= 120 else f"{told[:119]}…"
