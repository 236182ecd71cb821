"""What is the same for every call of a model, worked out once: where it is served, what its media must fit into, and what
is rendered for at each place.

Bounded by the catalog and the configuration. A target depends on the day too, since models are retired.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from portico.catalog import Catalog, Model
from portico.core.dialect import Dialect
from portico.core.target import Target
from portico.providers import Provider, Spoken, Verb, upstream_url
from portico.providers.intake import Intake
from portico.relay.media import intakes_of
from portico.relay.prepare import successor, target_at
from portico.routing import Deployment, deployments_of

_DAY_S: Final = 86_400


class Place(msgspec.Struct, frozen=True):
    """A deployment as it stands today: the model that answers there, perhaps in another's place, and its target."""

    model: Model
    deployment: Deployment
    target: Target
    spoken: Spoken


class Served:
    """The answers to these questions, remembered. `small_max_tokens` is the operator's (`relay/defaults.py`)."""

    def __init__(self, catalog: Catalog, providers: Mapping[str, Provider], small_max_tokens: int) -> None:
        self._catalog = catalog
        self._providers = providers
        self._small_max_tokens = small_max_tokens
        self._deployments: dict[str, list[Deployment]] = {}
        self._intakes: dict[tuple[str, str], list[Intake]] = {}
        self._places: dict[tuple[str, str, str, str], Place] = {}
        self._urls: dict[tuple[str, str, str, Verb], str] = {}
        self._day = 0

    def deployments(self, model: Model) -> list[Deployment]:
        """Where a model is served."""
        found = self._deployments.get(model.name)
        if found is None:
            found = self._deployments[model.name] = deployments_of(model, self._providers)
        return found

    def serves(self, model: Model, today: date) -> bool:
        """Whether anybody serves a model on a day, or the one that follows it there."""
        kinds = [one.provider.kind.name for one in self.deployments(model)]
        return any(model.successor is not None or not model.is_gone(today, kind) for kind in kinds)

    def intakes(self, dialect: Dialect, model: Model) -> list[Intake]:
        """What media must fit into, for a caller of this dialect."""
        found = self._intakes.get((dialect.name, model.name))
        if found is None:
            kinds = [one.provider.kind for one in self.deployments(model)]
            found = self._intakes[dialect.name, model.name] = intakes_of(dialect, kinds)
        return found

    def place(self, dialect: Dialect, model: Model, deployment: Deployment, now: float) -> Place:
        """A deployment of a model at a time (seconds since 1970), for a caller of this dialect."""
        day = int(now // _DAY_S)
        if day != self._day:
            self._day = day
            self._places.clear()
        key = (dialect.name, model.name, deployment.provider.name, deployment.upstream_model)
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = self._found(dialect, model, deployment, now)
        return found

    def _found(self, dialect: Dialect, model: Model, deployment: Deployment, now: float) -> Place:
        kind = deployment.provider.kind
        today = datetime.fromtimestamp(now, UTC).date()
        if (follower := successor(self._catalog, model, today, kind.name)) is not None:
            able = follower.capabilities_at(kind.name)
            model, deployment = follower, Deployment(deployment.provider, follower.name, able)
        small = self._small_max_tokens
        upstream, able = deployment.upstream_model, deployment.capabilities
        spoken = kind.to(dialect)
        target = target_at(dialect, spoken.dialect, upstream, kind.name, able, small_max_tokens=small)
        return Place(model, deployment, target, spoken)

    def url(self, provider: Provider, spoken: Spoken, model: str, verb: Verb) -> str:
        """The address of one call. Raises as `upstream_url` does."""
        found = self._urls.get((provider.name, spoken.dialect.name, model, verb))
        if found is None:
            found = upstream_url(provider, spoken, model, verb)
            self._urls[provider.name, spoken.dialect.name, model, verb] = found
        return found
