"""What is known of providers right now: what rests, which circuits are open, how much is under way, how fast they are.

`Health` is looked at by `plan` and changed by the relay after each attempt. It holds for one process; what rests is shared
with the other workers, and kept over a restart, by whoever is told of it (`on_rest`).
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Final, TypeAlias

import msgspec

from portico.core.errors import UpstreamError
from portico.providers import Secret
from portico.routing.circuit import NEW, BreakerRules, Circuit, failed, tried, worked
from portico.routing.deployment import Candidate, Deployment
from portico.routing.rest import ALL_GROUPS, ALL_MODELS, Rest, rests_after

SMOOTHING: Final = 0.2
"""How much the latest measurement counts against all before it."""
PACE_KEPT_S: Final = 300.0
"""So long a measurement counts: who was slow for a while is tried again after it."""
Group: TypeAlias = tuple[str, str]
"""(provider, quota group): what shares quotas."""


class Pace(msgspec.Struct, frozen=True):
    """How fast a deployment answers streamed calls, or others, smoothed; None: not measured yet. Seconds."""

    first_s: float | None = None
    """From a call to the first event that shows something, or to the whole answer."""
    per_event_s: float | None = None
    """From one event of a stream to the next."""
    at: float = 0.0
    """When it was measured last, in seconds since 1970."""


class Health:
    """Of all deployments and credentials. Times are seconds since 1970."""

    def __init__(
        self,
        *,
        rules: BreakerRules | None = None,
        on_rest: Callable[[Group, Rest], None] = lambda _group, _rest: None,
        group_of: Callable[[str, Secret], str] | None = None,
    ) -> None:
        """`group_of`: (provider, credential) -> the group whose quotas it uses; by default each credential is its own.
        `on_rest` is told of what begins to rest."""
        self.rules = rules or BreakerRules()
        self.on_rest = on_rest
        self._group_of = group_of
        self._consumers: dict[tuple[str, str], str] = {}
        """(provider, mark of a credential) -> what the provider said whose quota it uses."""
        self._rests: dict[tuple[str, str, str], Rest] = {}
        """(provider, group, model) -> what rests."""
        self._circuits: dict[Hashable, Circuit] = {}
        self._open: dict[tuple[str, str, str], int] = {}
        """(provider, upstream model, mark of the credential) -> calls under way."""
        self._paces: dict[tuple[str, str, bool], Pace] = {}
        """(provider, upstream model, whether streamed) -> how fast."""

    # -- looked at by `plan`

    @property
    def is_quiet(self) -> bool:
        """Nothing rests and every circuit is closed, as nearly always."""
        return not self._rests and not self._circuits

    def resting(self, candidate: Candidate, now: float) -> Rest | None:
        """What keeps a candidate from being asked, if anything does; of several the one that lasts longest."""
        provider, model = candidate.deployment.provider.name, candidate.deployment.upstream_model
        rests, longest = self._rests, None
        if not rests:
            return None
        own = self.own_group(provider, candidate.credential)
        group = self._shared_group(provider, candidate.credential) or own
        for name in (group, own, ALL_GROUPS):
            for scope in (model, ALL_MODELS):
                rest = rests.get((provider, name, scope))
                if rest is not None and rest.until > (now if longest is None else longest.until):
                    longest = rest
        return longest

    def circuit(self, deployment: Deployment) -> Circuit:
        return self._circuits.get((deployment.provider.name, deployment.upstream_model), NEW)

    def loads(self, deployment: Deployment) -> list[int]:
        """Calls under way with each credential of a deployment, in their order."""
        provider, model, under_way = deployment.provider, deployment.upstream_model, self._open
        if not under_way:
            return [0] * len(provider.keys)
        return [under_way.get((provider.name, model, key.mark), 0) for key in provider.keys]

    def is_asked(self, deployment: Deployment) -> bool:
        """Whether any call of it is under way, with any credential."""
        return any(self.loads(deployment))

    def pace(self, deployment: Deployment, now: float, *, streamed: bool = True) -> Pace:
        """How fast it is; what was measured long ago is not known any more."""
        found = self._paces.get((deployment.provider.name, deployment.upstream_model, streamed), _UNKNOWN)
        return found if now - found.at < PACE_KEPT_S else _UNKNOWN

    # -- told by the relay

    def began(self, candidate: Candidate, now: float) -> None:
        """An attempt is made."""
        deployment = candidate.deployment
        key = (deployment.provider.name, deployment.upstream_model, candidate.credential.mark)
        self._open[key] = self._open.get(key, 0) + 1
        if self._circuits:
            self._turn(deployment, tried(self.circuit(deployment), now))

    def ended(self, candidate: Candidate) -> None:
        """It is over, whatever became of it."""
        deployment = candidate.deployment
        key = (deployment.provider.name, deployment.upstream_model, candidate.credential.mark)
        left = self._open.get(key, 0) - 1
        if left > 0:
            self._open[key] = left
        else:
            self._open.pop(key, None)

    def answered(self, candidate: Candidate) -> None:
        """It worked."""
        if self._circuits:
            deployment = candidate.deployment
            self._turn(deployment, worked(self.circuit(deployment)))

    def measured(self, candidate: Candidate, latest: Pace, *, streamed: bool = True) -> None:
        """How fast it was this time, as far as that was measured."""
        if latest.first_s is None:
            return
        deployment = candidate.deployment
        key = (deployment.provider.name, deployment.upstream_model, streamed)
        before = self._paces.get(key)
        if before is None or latest.at - before.at >= PACE_KEPT_S:
            self._paces[key] = latest
        else:
            per_event_s = before.per_event_s
            if latest.per_event_s is not None:
                per_event_s = _smoothed(per_event_s, latest.per_event_s)
            self._paces[key] = Pace(_smoothed(before.first_s, latest.first_s), per_event_s, latest.at)

    def failed(self, candidate: Candidate, error: UpstreamError, now: float) -> None:
        """It failed: what it shows to be used up or refused rests from now on."""
        deployment = candidate.deployment
        self._turn(deployment, failed(self.circuit(deployment), error, now, self.rules))
        provider, model = deployment.provider.name, deployment.upstream_model
        consumer = getattr(error, "consumer", None)
        if consumer:
            self._consumers[provider, candidate.credential.mark] = consumer
        group, own = self.group(provider, candidate.credential), self.own_group(provider, candidate.credential)
        before = self._rests.get((provider, group, model)) or self._rests.get((provider, group, ALL_MODELS))
        # Whose quota a key uses is known here alone where the provider said it: others know this key by its own name.
        shared = (group,) if self._named(provider, candidate.credential) else tuple(dict.fromkeys((group, own)))
        for rest in rests_after(error, model, now, before):
            for name in shared if rest.whole_group else (own,):
                self.rest((provider, name), rest)
                self.on_rest((provider, name), rest)

    # -- what rests

    def rest(self, group: Group, rest: Rest) -> None:
        """Something rests from now on, here. One that lasts longer stands."""
        key = (*group, rest.model)
        before = self._rests.get(key)
        if before is None or rest.until >= before.until:
            self._rests[key] = rest

    def replace_rests(self, rests: Mapping[tuple[str, str, str], Rest]) -> None:
        """All that rests, as it is known together with the other workers: what was ended there is ended here."""
        self._rests = dict(rests)

    def rests(self) -> dict[tuple[str, str, str], Rest]:
        """(provider, group, model) -> what rests, or did."""
        return dict(self._rests)

    def group(self, provider: str, credential: Secret) -> str:
        """Whose quota a credential uses: as it was configured, as the provider said, else its own."""
        return self._shared_group(provider, credential) or self.own_group(provider, credential)

    def _shared_group(self, provider: str, credential: Secret) -> str:
        """The same, where others may use that quota too; "": nobody says so."""
        return self._named(provider, credential) or self._consumers.get((provider, credential.mark), "")

    def _named(self, provider: str, credential: Secret) -> str:
        """The group that was written beside it; "": none."""
        return "" if self._group_of is None else self._group_of(provider, credential)

    @staticmethod
    def own_group(provider: str, credential: Secret) -> str:  # noqa: ARG004 - the same shape as `group`
        """The credential alone, by a name that does not show it."""
        return f"key:{credential.mark}"

    def _turn(self, deployment: Deployment, circuit: Circuit) -> None:
        key = (deployment.provider.name, deployment.upstream_model)
        if circuit == NEW:
            self._circuits.pop(key, None)
        else:
            self._circuits[key] = circuit


_UNKNOWN: Final = Pace()


def _smoothed(before: float | None, measured: float) -> float:
    return measured if before is None else before + SMOOTHING * (measured - before)
