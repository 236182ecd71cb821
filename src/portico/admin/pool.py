"""Commands on the pool of credentials: what rests at providers, and letting it be asked again."""

from datetime import datetime
from typing import Annotated

import msgspec

from portico.admin.desk import Args, Desk, Note, Nothing, Page, at, at_or_none, checked_text, says
from portico.core.errors import Conflict, InvalidRequest, NotFound
from portico.providers import stored
from portico.routing import ALL_GROUPS, ALL_MODELS, BY_OPERATOR, FOREVER, Rest, rows

_MICROSECONDS = 1_000_000


class RestView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not asked for a while."""

    provider: str
    group: Annotated[
        str,
        says(
            "Whose quota it is: a project, the provider's own word for one, `key:…` for one key. Empty: every credential."
        ),
    ]
    model: Annotated[str, says("The upstream model. Empty: all of them.")]
    until: Annotated[datetime, says("When it is asked again. Not there: when it is cleared.")] | None = None
    why: str


class LetRest(Args, frozen=True, kw_only=True):
    provider: Annotated[str, says("Which provider.", min_length=1, max_length=200)]
    group: Annotated[str, says("Only this group. Empty: every credential of the provider.", max_length=200)] = (
        ALL_GROUPS
    )
    model: Annotated[str, says("Only this upstream model. Empty: all of them.", max_length=256)] = ALL_MODELS
    minutes: (
        Annotated[int, says("For so many minutes. Not given: until it is cleared.", ge=1, le=366 * 24 * 60)] | None
    ) = None
    note: Note = ""


class ClearRest(Args, frozen=True, kw_only=True):
    provider: Annotated[str, says("Which provider.", min_length=1, max_length=200)]
    group: Annotated[str, says("Only this group. Empty: all of the provider.", max_length=200)] = ""
    model: Annotated[str, says("Only this upstream model.", max_length=256)] | None = None


class Cleared(msgspec.Struct, frozen=True, kw_only=True):
    cleared: Annotated[int, says("How many rests were ended.")]


def list_(desk: Desk, args: Nothing) -> Page[RestView]:  # noqa: ARG001
    """Lists what rests at providers, and why."""
    return Page(data=resting(desk))


def resting(desk: Desk) -> list[RestView]:
    """What rests now."""
    now = desk.db.now_us / _MICROSECONDS
    found = sorted(rows.load(desk.db).items())
    return [
        RestView(
            provider=provider,
            group=group,
            model=model,
            until=None if rest.until == FOREVER else at(int(rest.until * _MICROSECONDS)),
            why=rest.why,
        )
        for (provider, group, model), rest in found
        if rest.until > now
    ]


def rest(desk: Desk, args: LetRest) -> RestView:
    """Lets a provider rest: it is not asked for a while, or until that is cleared."""
    _check_asked(desk, args.provider)
    note = checked_text(args.note.strip(), "note")
    now_us = desk.db.now_us
    until_us = None if args.minutes is None else now_us + args.minutes * 60 * _MICROSECONDS
    why = f"{BY_OPERATOR}: {note or desk.actor}"[:200]
    made = Rest(FOREVER if until_us is None else until_us / _MICROSECONDS, why, args.model)
    if not rows.KeepRest((args.provider, args.group), made).apply(desk.db):
        raise Conflict("It rests for longer already. Clear that first.")
    return RestView(provider=args.provider, group=args.group, model=args.model, until=at_or_none(until_us), why=why)


def _check_asked(desk: Desk, provider: str) -> None:
    """That somebody asks it: of the known names that nobody has configured none is meant. Raises `InvalidRequest`."""
    upstreams, stored_of = desk.house.upstreams, {one.provider for one in stored.list_credentials(desk.db)}
    asked = [
        name
        for name in desk.house.providers
        if name in stored_of or name not in upstreams or not upstreams[name].dormant
    ]
    if provider not in asked:
        known = ", ".join(asked) or "none"
        raise InvalidRequest(f"There is no provider {provider!r} (configured: {known}).", param="provider")


def clear(desk: Desk, args: ClearRest) -> Cleared:
    """Lets what rests be asked again at once."""
    ended = rows.clear(desk.db, args.provider, args.group, args.model)
    if not ended:
        what = f" of {args.model}" if args.model not in (None, ALL_MODELS) else ""
        raise NotFound(f"Nothing{what} rests at {args.provider!r}.")
    return Cleared(cleared=ended)
