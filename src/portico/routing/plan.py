"""The order of candidates for one call. Pure: what is known of providers, the time and the dice are arguments.

    what the caller excluded, or did not pin, is left out
    -> what rests and whose circuit is open is left out, with when it is worth coming back
    -> lowest priority first; within one, by the policy:
         weighted   by weight and chance, or by the caller's sticky word, so that the provider's own cache is met again
         latency    the fastest to a first event first (to a whole answer, where that was asked for)
         speed      the fastest from one event to the next first
         price      the cheapest first
       (who was not measured for a while comes before those who were, for one call at a time: so it is)
    -> each deployment with all its credentials: by the sticky word, else the least loaded first

A deployment that is half open is tried in its turn like any other: it is its own probe.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from random import Random
from typing import Final

import msgspec

from portico.providers import Secret
from portico.routing.deployment import Candidate, Deployment
from portico.routing.health import Health


class Policy(StrEnum):
    """How deployments of one priority are put in order."""

    WEIGHTED = "weighted"
    LATENCY = "latency"
    SPEED = "speed"
    PRICE = "price"


class Wish(msgspec.Struct, frozen=True):
    """What a caller says of where its call goes. Names are of providers, or `provider/upstream-model`."""

    only: frozenset[str] = frozenset()
    """Empty: any."""
    never: frozenset[str] = frozenset()
    sticky: str = ""
    """Calls with one such word go the same way, as long as that way is open."""

    def allows(self, deployment: Deployment) -> bool:
        if not self.only and not self.never:
            return True
        names = {deployment.provider.name, deployment.name}
        return not names & self.never and (not self.only or bool(names & self.only))


ANY: Final = Wish()
CIRCUIT_OPEN: Final = "circuit_open"
"""Why a deployment is left out that failed several times in a row."""


class LeftOut(msgspec.Struct, frozen=True):
    """A candidate that is not tried now, and why. `until`: when it may be, in seconds since 1970."""

    candidate: Candidate
    why: str
    until: float


class Order(msgspec.Struct, frozen=True):
    """The candidates of a call in the order they are tried in, and those that are not."""

    candidates: list[Candidate]
    left_out: list[LeftOut] = []

    @property
    def back_at(self) -> float | None:
        """When the first of those left out is back; None: none is, by any clock."""
        times = [one.until for one in self.left_out if math.isfinite(one.until)]
        return min(times, default=None)


def plan(
    deployments: Sequence[Deployment],
    health: Health,
    *,
    now: float,
    rng: Random,
    wish: Wish = ANY,
    policy: Policy = Policy.WEIGHTED,
    streamed: bool = True,
    price: Callable[[Deployment], float] = lambda _: 0.0,
) -> Order:
    """Every credential of every deployment at most once. `price` is only asked where the policy is that; `streamed`: by
    what a call is measured."""
    if wish is not ANY and (wish.only or wish.never):
        deployments = [one for one in deployments if wish.allows(one)]
    if len(deployments) == 1 and health.is_quiet and len(deployments[0].provider.keys) == 1:  # as in most houses
        return Order([Candidate(deployments[0], deployments[0].provider.keys[0])])
    ordered = deployments
    if len(deployments) > 1:
        ordered = _by_priority(deployments, rng, wish.sticky, _key(policy, health, now, price, streamed=streamed))
    candidates: list[Candidate] = []
    left_out: list[LeftOut] = []
    is_quiet = health.is_quiet
    for deployment in ordered:
        for credential in _credentials(deployment, health, rng, wish.sticky):
            candidate = Candidate(deployment, credential)
            if is_quiet or (why := kept_from(candidate, health, now)) is None:
                candidates.append(candidate)
            else:
                left_out.append(LeftOut(candidate, *why))
    return Order(candidates, left_out)


def kept_from(candidate: Candidate, health: Health, now: float) -> tuple[str, float] | None:
    """Why a candidate is not tried now, and till when; None: it may be."""
    if (rest := health.resting(candidate, now)) is not None:
        return rest.why, rest.until
    circuit = health.circuit(candidate.deployment)
    return (CIRCUIT_OPEN, max(circuit.open_until, circuit.probing_until)) if circuit.is_open(now) else None


def _key(
    policy: Policy, health: Health, now: float, price: Callable[[Deployment], float], *, streamed: bool
) -> Callable[[Deployment], float] | None:
    """What equals are sorted by after the draw; None: by that alone."""
    if policy is Policy.WEIGHTED:
        return None
    if policy is Policy.PRICE:
        return price

    def seconds(one: Deployment) -> float:
        pace = health.pace(one, now, streamed=streamed)
        found = pace.per_event_s if policy is Policy.SPEED and streamed else pace.first_s
        if found is not None:
            return found
        return math.inf if health.is_asked(one) else 0.0

    return seconds


def _by_priority(
    deployments: Sequence[Deployment], rng: Random, sticky: str, key: Callable[[Deployment], float] | None
) -> list[Deployment]:
    ordered: list[Deployment] = []
    for priority in sorted({one.priority for one in deployments}):
        ordered += _ordered([one for one in deployments if one.priority == priority], rng, sticky, key)
    return ordered


def _ordered(
    equals: list[Deployment], rng: Random, sticky: str, key: Callable[[Deployment], float] | None
) -> Iterable[Deployment]:
    if len(equals) < 2:
        return equals
    drawn = sorted(equals, key=lambda one: _draw(one.weight, f"{sticky}\0{one.name}" if sticky else "", rng))
    return drawn if key is None else sorted(drawn, key=key)


def _credentials(deployment: Deployment, health: Health, rng: Random, sticky: str) -> Sequence[Secret]:
    keys = deployment.provider.keys
    if len(keys) < 2:
        return keys
    if sticky:
        hashed = _hashed_before if len(sticky) <= _LONGEST_KEPT else _hashed
        drawn = [hashed(f"{sticky}\0{key.mark}") for key in keys]
        return [keys[number] for _, number in sorted(zip(drawn, range(len(keys)), strict=True))]
    drawn = [rng.random() for _ in keys]
    loads = health.loads(deployment)
    return [keys[number] for _, _, number in sorted(zip(loads, drawn, range(len(keys)), strict=True))]


def _draw(weight: int, word: str, rng: Random) -> float:
    """A number by which a weighted draw without putting back is a sort: exponential, its mean one part in `weight`
    (Efraimidis and Spirakis, 2006). With a word it is always the same (rendezvous hashing): adding a deployment moves only
    the calls that it takes over. A weight of 0 comes last."""
    if weight <= 0:
        return math.inf
    chance = rng.random() if not word else _hashed(word)
    return -math.log(1.0 - chance) / weight


def _hashed(word: str) -> float:
    """The same number for the same word, 0 to 1."""
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


_LONGEST_KEPT: Final = 256
"""Characters of a caller's word. It may say what it likes, and a memory is bounded in bytes as well."""
_hashed_before: Final = lru_cache(maxsize=4096)(_hashed)
"""Callers who are sent the same way come turn after turn."""
