"""What is the same for every call of a model, worked out once: where it is served, what its media must fit into, and what
is rendered for at each place.

Bounded: there is no end of models at providers that serve any. A target depends on the day too, since models are retired.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from portico.catalog import Catalog, Model, Resolved
from portico.core.dialect import Dialect
from portico.core.request import Request
from portico.core.target import Capabilities, Target, ThinkingControl
from portico.providers import EMBEDDING, Provider, ProviderKind, Secret, Spoken, Verb, upstream_url
from portico.providers.intake import Intake
from portico.relay.media import intakes_of
from portico.relay.passthrough import spoken_for_counts, spoken_for_embeddings, takes
from portico.relay.prepare import held_target, successor, target_at
from portico.routing import Candidate, Deployment, deployments_of

_DAY_S: Final = 86_400
MAX_REMEMBERED: Final = 4096
_K = TypeVar("_K")
_V = TypeVar("_V")


class Place(msgspec.Struct, frozen=True):
    """A deployment as it stands today: the model that answers there, perhaps in another's place, and its target."""

    model: Model
    deployment: Deployment
    target: Target
    spoken: Spoken
    foreign: bool
    """It does not speak the caller's dialect: every call is translated for it."""
    held: Target
    """The target of a body that asks of the model what it refuses (`Passing.beyond`): nobody is spared what it takes."""


class Wish(StrEnum):
    """What a request asks for that a provider may be able to hear in one of its dialects alone."""

    NOTHING = "nothing"
    SEARCH = "search"
    SAMPLING = "sampling"
    """To stop at a text, a seed, or penalties."""


def wish_of(request: Request) -> Wish:
    """What of that a request asks for."""
    if request.builtins:
        return Wish.SEARCH if any(tool.kind == "web_search" for tool in request.builtins) else Wish.NOTHING
    said = request.sampling
    if said.stop or said.seed is not None or said.presence_penalty or said.frequency_penalty:
        return Wish.SAMPLING
    return Wish.NOTHING


def spoken_for(place: Place, verb: Verb) -> Spoken:
    """The dialect a place is asked in by callers who are translated."""
    kind, found = place.deployment.provider.kind, None
    if verb is Verb.COUNT_TOKENS:
        found = spoken_for_counts(kind)
    elif verb in EMBEDDING:
        found = spoken_for_embeddings(kind)
    return found or place.spoken


class Served:
    """The answers to these questions, remembered. `small_max_tokens` is the operator's (`relay/defaults.py`)."""

    def __init__(self, catalog: Catalog, providers: Mapping[str, Provider], small_max_tokens: int) -> None:
        self.catalog = catalog.with_open([one.name for one in providers.values() if one.kind.takes_any_model])
        """The models that callers may name."""
        self._providers = providers
        self._small_max_tokens = small_max_tokens
        self._resolved: dict[str, Resolved] = {}
        self._deployments: dict[str, list[Deployment]] = {}
        self._intakes: dict[tuple[str, str], list[Intake]] = {}
        self._spoken: dict[tuple[str, str], bool] = {}
        self._places: dict[tuple[str, str, str, str, Wish], Place] = {}
        self._able: dict[tuple[str, str, Verb, bool], list[Deployment]] = {}
        self._only: dict[tuple[str, str, Verb, bool], Candidate | None] = {}
        self._urls: dict[tuple[str, str, str, Verb, str], str] = {}
        self._day = 0

    def resolve(self, name: str) -> Resolved:
        """The model that a caller's name stands for. Raises `ModelNotFound`."""
        found = self._resolved.get(name)
        if found is None:
            found = self.catalog.resolve(name)
            _room(self._resolved)[name] = found
        return found

    def deployments(self, model: Model) -> list[Deployment]:
        """Where a model is served."""
        found = self._deployments.get(model.name)
        if found is None:
            found = [_limited(one) for one in deployments_of(model, self._providers)]
            _room(self._deployments)[model.name] = found
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
            found = _room(self._intakes)[dialect.name, model.name] = intakes_of(dialect, kinds)
        return found

    def is_spoken(self, dialect: Dialect, model: Model | None = None) -> bool:
        """Whether a provider of a model, or any at all, speaks a dialect."""
        key = (dialect.name, "" if model is None else model.name)
        found = self._spoken.get(key)
        if found is None:
            at = self._providers.values() if model is None else [one.provider for one in self.deployments(model)]
            found = _room(self._spoken)[key] = any(provider.kind.speaks(dialect) for provider in at)
        return found

    def able(self, dialect: Dialect, model: Model, verb: Verb, now: float, *, passes: bool) -> list[Deployment]:
        """Where a model can be asked this, as it stands at a time. `passes`: a body may go as it is to who speaks it."""
        if int(now // _DAY_S) != self._day:
            self._turn(now)
        key = (dialect.name, model.name, verb, passes)
        found = self._able.get(key)
        if found is None:
            found = _room(self._able)[key] = [
                self.place(dialect, model, one, now).deployment
                for one in self.deployments(model)
                if takes(one.provider.kind, dialect, verb, passes=passes)
            ]
        return found

    def only(self, dialect: Dialect, model: Model, verb: Verb, now: float, *, passes: bool) -> Candidate | None:
        """Whom `able` leaves to be asked, if that is one credential of one deployment."""
        if int(now // _DAY_S) != self._day:
            self._turn(now)
        key = (dialect.name, model.name, verb, passes)
        try:
            return self._only[key]
        except KeyError:
            able = self.able(dialect, model, verb, now, passes=passes)
            alone = len(able) == 1 and len(able[0].provider.keys) == 1
            found = Candidate(able[0], able[0].provider.keys[0]) if alone else None
            _room(self._only)[key] = found
            return found

    def _turn(self, now: float) -> None:
        """What was worked out on another day is forgotten."""
        self._day = int(now // _DAY_S)
        self._places.clear()
        self._able.clear()
        self._only.clear()

    def place(
        self, dialect: Dialect, model: Model, deployment: Deployment, now: float, *, wish: Wish = Wish.NOTHING
    ) -> Place:
        """A deployment of a model at a time (seconds since 1970), for a caller of this dialect. `wish`: what a call that is
        translated asks for."""
        if int(now // _DAY_S) != self._day:
            self._turn(now)
        key = (dialect.name, model.name, deployment.provider.name, deployment.upstream_model, wish)
        found = self._places.get(key)
        if found is None:
            found = _room(self._places)[key] = self._found(dialect, model, deployment, now, wish)
        return found

    def _found(self, dialect: Dialect, model: Model, deployment: Deployment, now: float, wish: Wish) -> Place:
        today = datetime.fromtimestamp(now, UTC).date()
        model, deployment = answering(self.catalog, model, deployment, today)
        kind = deployment.provider.kind
        small = self._small_max_tokens
        upstream, able = deployment.upstream_model, deployment.capabilities
        spoken = _spoken(kind, dialect, able, wish)
        target = target_at(dialect, spoken.dialect, upstream, kind.name, able, small_max_tokens=small)
        return Place(model, deployment, target, spoken, not kind.speaks(dialect), held_target(target, able))

    def url(self, provider: Provider, spoken: Spoken, model: str, verb: Verb, credential: Secret) -> str:
        """The address of one call. Raises as `upstream_url` does."""
        key = (provider.name, spoken.dialect.name, model, verb, credential.mark)
        found = self._urls.get(key)
        if found is None:
            found = upstream_url(provider, spoken, model, verb, credential)
            _room(self._urls)[key] = found
        return found


def answering(catalog: Catalog, model: Model, deployment: Deployment, today: date) -> tuple[Model, Deployment]:
    """Who answers there on a day for a model: itself, or its successor where it is retired."""
    kind = deployment.provider.kind
    if (follower := successor(catalog, model, today, kind.name)) is None:
        return model, deployment
    able = follower.capabilities_at(kind.name)
    return follower, _limited(msgspec.structs.replace(deployment, upstream_model=follower.name, capabilities=able))


def _spoken(kind: ProviderKind, dialect: Dialect, able: Capabilities, wish: Wish) -> Spoken:
    """What a provider is asked in by callers of a dialect who wish for something. Of OpenAI's two, Responses alone searches
    the web for most models, and Chat alone can be told when to stop, but for models that reason."""
    usual = kind.to(dialect)
    if wish is Wish.SEARCH and able.builtin_tools and not able.search_in_chat:
        return kind.spoken[0]
    if wish is Wish.SAMPLING and usual.dialect.few_samplings and able.thinking.control is ThinkingControl.NONE:
        return next((one for one in kind.spoken if one.dialect.receives and not one.dialect.few_samplings), usual)
    return usual


def _limited(deployment: Deployment) -> Deployment:
    """A deployment at a provider that speaks what its model can be asked in, and nothing else."""
    provider = deployment.provider
    kind = provider.kind.for_model(deployment.capabilities)
    if kind is provider.kind:
        return deployment
    provider = msgspec.structs.replace(provider, kind=kind)
    return msgspec.structs.replace(deployment, provider=provider)


def _room(remembered: dict[_K, _V]) -> dict[_K, _V]:
    """A memory with room for one more: callers name models of which nobody has a list."""
    if len(remembered) >= MAX_REMEMBERED:
        remembered.clear()
    return remembered
