"""`portico keys`: what callers bring."""

import sys
from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import (
    After,
    ConfigOption,
    JsonOption,
    Limit,
    Yes,
    confirmed,
    given,
    moment,
    seconds,
    usage_error,
)
from portico.cli.admin.run import ask, perform
from portico.core.digits import whole

app = typer.Typer(no_args_is_help=True, help="Keys: make them, limit them, take them back.")

KeyId = Annotated[str, typer.Argument(metavar="KEY", help="The key's id (key_…); portico keys list shows it.")]
Name = Annotated[str | None, typer.Option(help="What it is for.")]
Expires = Annotated[str | None, typer.Option(help="When it ends: 30d, 2027-01-01, or never.")]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model", help="A model it may use, also as a fallback; * for anything; several times. Default: all."
    ),
]
Addresses = Annotated[
    list[str] | None, typer.Option("--allow-ip", help="An address or network it may be used from; several times.")
]
Rpm = Annotated[str | None, typer.Option(help="Requests in a minute, or none for no limit.")]
Tpm = Annotated[str | None, typer.Option(help="Tokens in a minute, or none.")]
Concurrent = Annotated[str | None, typer.Option(help="Calls open at a time, or none.")]
Day = Annotated[str | None, typer.Option("--budget-day", help="Dollars it may spend in a day (UTC), or none.")]
Month = Annotated[str | None, typer.Option("--budget-month", help="Dollars it may spend in a month (UTC), or none.")]
Form = Annotated[str | None, typer.Option("--image-form", help="How images come: markdown, images or parts.")]
Strict = Annotated[bool | None, typer.Option("--strict/--no-strict", help="Refuse what cannot be honoured exactly.")]
Gone = Annotated[str | None, typer.Option("--on-disconnect", help="cancel, or drain: read on when a caller hangs up.")]
Effort = Annotated[
    str | None,
    typer.Option("--default-effort", help="How much a model thinks unasked: none to max; default: as it does."),
]
NOTHING = ("none", "never")
NO_EFFORT = ("default",)
"""Here `none` is a value: no thinking."""


@app.command()
def create(
    account: Annotated[str, typer.Option(help="Whose it is: an account's name or id.")] = "default",
    name: Name = None,
    user: Annotated[str | None, typer.Option(help="Who of the account looks after it: an address or an id.")] = None,
    expires: Expires = None,
    model: Models = None,
    allow_ip: Addresses = None,
    rpm: Rpm = None,
    tpm: Tpm = None,
    concurrent: Concurrent = None,
    budget_day: Day = None,
    budget_month: Month = None,
    image_form: Form = None,
    strict: Strict = None,
    on_disconnect: Gone = None,
    default_effort: Effort = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Create a key. It is shown this once, and is nowhere afterwards.

    Examples:

        portico keys create --account acme --name laptop

        portico keys create --account acme --model 'gemini-2.5-*' --rpm 60 --budget-month 20 --expires 90d --json
    """
    fields = given(account=account, name=name, user=user, expires=None if expires is None else _moment(expires))
    fields |= _settings(
        model,
        allow_ip,
        rpm,
        tpm,
        concurrent,
        budget_day,
        budget_month,
        image_form,
        strict,
        on_disconnect,
        default_effort,
    )
    perform("keys create", fields, config=config, as_json=json, show=_issued)


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    limit: Limit = 100,
    after: After = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List keys.

    Example:

        portico keys list --account acme
    """
    fields = given(account=account, limit=limit, after=after)
    perform("keys list", fields, config=config, as_json=json, show=_table)


@app.command("show")
def show_(key: KeyId, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show a key and its settings (never the key itself).

    Example:

        portico keys show key_0UXgq2xRAbCdEfGhIjKlMnOp
    """
    perform("keys show", {"key": key}, config=config, as_json=json, show=_sheet)


@app.command("set")
def set_(
    key: KeyId,
    name: Name = None,
    expires: Expires = None,
    model: Models = None,
    allow_ip: Addresses = None,
    rpm: Rpm = None,
    tpm: Tpm = None,
    concurrent: Concurrent = None,
    budget_day: Day = None,
    budget_month: Month = None,
    image_form: Form = None,
    strict: Strict = None,
    on_disconnect: Gone = None,
    default_effort: Effort = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Change a key's settings; workers follow within a second. What is not named stays as it is; none takes a limit away.

    Examples:

        portico keys set key_0UXgq2xRAbCdEfGhIjKlMnOp --rpm 120 --budget-day none

        portico keys set key_0UXgq2xRAbCdEfGhIjKlMnOp --model '*' --expires never
    """
    fields: dict[str, Any] = {"key": key} | given(name=name)
    if expires is not None:
        fields["expires"] = _moment(expires)
    fields |= _settings(
        model,
        allow_ip,
        rpm,
        tpm,
        concurrent,
        budget_day,
        budget_month,
        image_form,
        strict,
        on_disconnect,
        default_effort,
    )
    perform("keys set", fields, config=config, as_json=json, show=_sheet)


@app.command()
def revoke(key: KeyId, yes: Yes = False, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Revoke a key for good. Workers refuse it within a second.

    Example:

        portico keys revoke key_0UXgq2xRAbCdEfGhIjKlMnOp --yes
    """
    if not yes:
        found = ask("keys show", {"key": key}, config=config)
        confirmed(f"Revoke the key {found.prefix}… ({found.name or 'without a name'}) for good?", yes=yes)
    perform("keys revoke", {"key": key}, config=config, as_json=json, show=_sheet)


@app.command()
def disable(key: KeyId, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Disable a key until it is enabled again.

    Example:

        portico keys disable key_0UXgq2xRAbCdEfGhIjKlMnOp
    """
    perform("keys disable", {"key": key}, config=config, as_json=json, show=_sheet)


@app.command()
def enable(key: KeyId, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Enable a key that was disabled.

    Example:

        portico keys enable key_0UXgq2xRAbCdEfGhIjKlMnOp
    """
    perform("keys enable", {"key": key}, config=config, as_json=json, show=_sheet)


@app.command()
def rotate(
    key: KeyId,
    overlap: Annotated[str, typer.Option(help="For how long the old one opens, too: 24h.")] = "0s",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Give a key another secret, shown this once. Its id, limits, budgets and receipts stay.

    Example:

        portico keys rotate key_0UXgq2xRAbCdEfGhIjKlMnOp --overlap 24h
    """
    perform("keys rotate", {"key": key, "overlap_s": seconds(overlap)}, config=config, as_json=json, show=_issued)


def _moment(text: str) -> str | None:
    return None if text.lower() in NOTHING else moment(text)


def _settings(
    models: list[str] | None,
    addresses: list[str] | None,
    rpm: str | None,
    tpm: str | None,
    concurrent: str | None,
    budget_day: str | None,
    budget_month: str | None,
    image_form: str | None,
    strict: bool | None,
    on_disconnect: str | None,
    default_effort: str | None,
) -> dict[str, Any]:
    """The settings that were named. `none` is null: no limit. An empty text, as of a variable that is not set, is none of
    them: a key without the limit that was meant would be worse than no key."""
    fields: dict[str, Any] = {}
    for name, counted in (("rpm", rpm), ("tpm", tpm), ("concurrent", concurrent)):
        if counted is not None:
            fields[name] = None if counted in NOTHING else _count(name, counted)
    for name, text, nothing in (
        ("budget_day_usd", budget_day, NOTHING),
        ("budget_month_usd", budget_month, NOTHING),
        ("image_form", image_form, NOTHING),
        ("on_disconnect", on_disconnect, NOTHING),
        ("default_effort", default_effort, NO_EFFORT),
    ):
        if text is not None:
            fields[name] = None if text in nothing else text
    for name, words in (("models", models), ("allow_ips", addresses)):
        if words:
            fields[name] = [] if set(words) <= {"*", *NOTHING} else words
    return fields | given(strict=strict)


def _count(name: str, said: str) -> int:
    number = whole(said, 19)
    if not number:
        raise usage_error(f"{name}: a whole number from 1, or none for no limit, not {said[:40]!r}.")
    return number


def _table(page: Any) -> None:
    columns = [("id", show.KEPT), ("account", ""), ("name", ""), ("begins", show.KEPT), ("state", show.KEPT)]
    rows = [[key.id, key.account_name, key.name, key.prefix, key.state] for key in page.data]
    show.table(columns, rows, empty="There are no keys. Make one: portico keys create")
    show.more(page)


def _sheet(key: Any) -> None:
    made = key.settings
    show.sheet(
        [
            ("id", key.id),
            ("account", f"{key.account_name} ({key.account})" if key.account_name != key.account else key.account),
            ("name", key.name),
            ("begins", key.prefix),
            ("state", key.state),
            ("models", made.models or "all"),
            ("from addresses", made.allow_ips),
            ("requests a minute", made.rpm),
            ("tokens a minute", made.tpm),
            ("open calls", made.concurrent),
            ("budget a day", made.budget_day_usd and show.dollars(made.budget_day_usd)),
            ("budget a month", made.budget_month_usd and show.dollars(made.budget_month_usd)),
            ("image form", made.image_form),
            ("strict", "yes" if made.strict else None),
            ("on disconnect", made.on_disconnect),
            ("default effort", made.default_effort),
            ("created", key.created),
            ("expires", key.expires),
            ("old one until", key.old_secret_until),
            ("looked after by", key.user),
        ]
    )


def _issued(key: Any) -> None:
    print(f"key  {key.key}\n     Keep it now: it is not shown again.\n")
    sys.stdout.flush()
    _sheet(key)
