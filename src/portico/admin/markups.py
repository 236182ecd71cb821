"""Commands on markups: rules on top of the price list. A price that was published is never rewritten by one."""

from datetime import date
from typing import Annotated

import msgspec

from portico.accounts.rows import show_account
from portico.admin import dollars
from portico.admin.desk import AccountRef, Args, Desk, Page, says
from portico.core.errors import InvalidRequest
from portico.core.storage import raise_revision


class MarkupView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule. The most particular one that has begun holds: for a model and an account, for an account, for a model, for
    all."""

    account: Annotated[str, says("The account's id; empty: every account.")]
    model: Annotated[str, says("The model's name; empty: every model.")]
    factor: Annotated[str, says("What a price is multiplied by.")]
    effective_from: date


class SetMarkup(Args, frozen=True, kw_only=True):
    factor: Annotated[str, says("`1.2` or `+20%`; `1` takes a rule back.", min_length=1, max_length=20)]
    account: AccountRef | None = None
    model: Annotated[str, says("A model, by any name it is known by.", max_length=200)] | None = None
    effective_from: Annotated[date, says("The first day (UTC) it holds. By default today.")] | None = None


class ListMarkups(Args, frozen=True, kw_only=True):
    every: Annotated[bool, says("Those that another has followed, and those that have not begun, too.")] = False


def set_(desk: Desk, args: SetMarkup) -> MarkupView:
    """Sets a markup for all, a model, an account, or a model for an account."""
    begins = args.effective_from or desk.today
    if begins < desk.today:
        message = f"{begins} has passed. A markup begins today ({desk.today}) or later."
        raise InvalidRequest(message, param="effective_from")
    raise_revision(desk.db, "prices")
    account = "" if args.account is None else show_account(desk.db, args.account).id
    model = "" if args.model is None else desk.house.catalog.resolve(args.model).name
    permille = dollars.permille(args.factor, "factor")
    sql = (
        "INSERT INTO markups (account_id, model, permille, effective_from, published_us) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (account_id, model, effective_from)"
        " DO UPDATE SET permille = excluded.permille, published_us = excluded.published_us"
    )
    desk.db.run(sql, account, model, permille, begins.isoformat(), desk.db.now_us)
    return MarkupView(account=account, model=model, factor=dollars.factor(permille), effective_from=begins)


def list_(desk: Desk, args: ListMarkups) -> Page[MarkupView]:
    """Lists the markups in force today."""
    sql = "SELECT account_id, model, permille, effective_from FROM markups ORDER BY account_id, model, effective_from"
    found = [
        MarkupView(
            account=account, model=model, factor=dollars.factor(permille), effective_from=date.fromisoformat(day)
        )
        for account, model, permille, day in desk.db.rows(sql)
    ]
    if not args.every:
        latest = {(rule.account, rule.model): rule for rule in found if rule.effective_from <= desk.today}
        found = list(latest.values())
    return Page(data=found)
