"""Commands on providers: what is configured, which credentials there are, what rests, and whether their keys are good."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from portico.admin import pool
from portico.admin.desk import Args, Desk, House, Nothing, Page, Probed, Upstream, says
from portico.admin.pool import RestView
from portico.core.errors import Conflict, InvalidRequest
from portico.providers import stored

ASKED, PARTLY, RESTS, NO_KEY = "asked", "partly rests", "rests", "no key"
STATES = (RESTS, PARTLY, NO_KEY, ASKED)
"""What is in trouble first."""


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as it stands."""

    name: str
    kind: str
    host: Annotated[str, says("Where it is asked.")]
    state: Annotated[
        str,
        says(
            "`asked`; `partly rests`: some model or some key; `rests`: nobody asks it; `no key`: there is none to ask with."
        ),
    ]
    configured: Annotated[int, says("How many keys the configuration gives it.")]
    stored: Annotated[int, says("How many more are kept in the database, and used.")]
    disabled: Annotated[int, says("How many are kept there and disabled.")]
    takes_stored: Annotated[bool, says("Whether keys of the database are used for it.")]
    rests: Annotated[list[RestView], says("What is not asked for a while, and why.")]


class ProbeProvider(Args, frozen=True, kw_only=True):
    provider: Annotated[str, says("Which provider.", min_length=1, max_length=200)]


def list_(desk: Desk, args: Nothing) -> Page[ProviderView]:  # noqa: ARG001
    """Lists providers, those in trouble first."""
    resting = pool.resting(desk)
    credentials = stored.list_credentials(desk.db)
    found = []
    for name, upstream in desk.house.upstreams.items():
        of_it = [one for one in credentials if one.provider == name]
        if upstream.dormant and not of_it:
            continue
        active = sum(1 for one in of_it if one.disabled_us is None) if upstream.takes_stored else 0
        rests = [rest for rest in resting if rest.provider == name]
        found.append(
            ProviderView(
                name=name,
                kind=upstream.kind,
                host=upstream.host,
                state=_state(upstream, active, rests),
                configured=len(upstream.groups),
                stored=active,
                disabled=sum(1 for one in of_it if one.disabled_us is not None),
                takes_stored=upstream.takes_stored,
                rests=rests,
            )
        )
    found.sort(key=lambda one: STATES.index(one.state))
    return Page(data=found)


def _state(upstream: Upstream, stored_keys: int, rests: Sequence[RestView]) -> str:
    keys = len(upstream.groups) + stored_keys
    if not keys:
        return NO_KEY
    if not rests:
        return ASKED
    whole = {rest.group for rest in rests if not rest.model}
    if "" in whole:
        return RESTS
    # A key rests by its own name or by that of its project; a stored one is known here by its own name alone.
    named = [group for group in upstream.groups if group in whole]
    others = [group for group in whole - set(upstream.groups) if group.startswith("key:")]
    return RESTS if len(named) + len(others) >= keys else PARTLY


def probe(house: House, args: ProbeProvider) -> Page[Probed]:
    """Tries every key of a provider by listing its models, which costs nothing."""
    if args.provider not in house.upstreams:
        known = ", ".join(house.upstreams) or "none"
        raise InvalidRequest(f"There is no provider {args.provider!r} (known: {known}).", param="provider")
    if house.probe is None:
        raise Conflict("Nobody can be asked from here.")
    return Page(data=house.probe(args.provider))
