"""Commands on the pool of credentials: what rests at providers, and letting it be asked again."""

from datetime import datetime
from typing import Annotated

import msgspec

from portico.admin.desk import Args, Desk, Nothing, Page, at, says
from portico.core.errors import NotFound
from portico.routing import ALL_MODELS, FOREVER, rows

_MICROSECONDS = 1_000_000


class RestView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not asked for a while."""

    provider: str
    group: Annotated[
        str, says("Whose quota it is: a project, the provider's own word for one, or `key:…` for one key.")
    ]
    model: Annotated[str, says("The upstream model. Empty: all of them.")]
    until: Annotated[datetime, says("When it is asked again. Not there: when it is cleared.")] | None = None
    why: str


class ClearRest(Args, frozen=True, kw_only=True):
    provider: Annotated[str, says("Which provider.", min_length=1, max_length=200)]
    group: Annotated[str, says("Only this group. Empty: all of the provider.", max_length=200)] = ""
    model: Annotated[str, says("Only this upstream model.", max_length=256)] | None = None


class Cleared(msgspec.Struct, frozen=True, kw_only=True):
    cleared: Annotated[int, says("How many rests were ended.")]


def list_(desk: Desk, args: Nothing) -> Page[RestView]:  # noqa: ARG001
    """Lists what rests at providers, and why."""
    now = desk.db.now_us / _MICROSECONDS
    found = sorted(rows.load(desk.db).items())
    return Page(
        data=[
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
    )


def clear(desk: Desk, args: ClearRest) -> Cleared:
    """Lets what rests be asked again at once."""
    ended = rows.clear(desk.db, args.provider, args.group, args.model)
    if not ended:
        what = f" of {args.model}" if args.model not in (None, ALL_MODELS) else ""
        raise NotFound(f"Nothing{what} rests at {args.provider!r}.")
    return Cleared(cleared=ended)
