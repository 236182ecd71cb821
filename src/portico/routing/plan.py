"""Deployments of a model, and the order of candidates for one call. Pure: the dice are an argument."""

from collections.abc import Mapping, Sequence
from random import Random

import msgspec

from portico.catalog import Model
from portico.core.target import Capabilities
from portico.providers import Provider, Secret


class Deployment(msgspec.Struct, frozen=True):
    """One upstream model at one provider."""

    provider: Provider
    upstream_model: str
    capabilities: Capabilities


class Candidate(msgspec.Struct, frozen=True):
    """A deployment with the credential to try it with."""

    deployment: Deployment
    credential: Secret


def deployments_of(model: Model, providers: Mapping[str, Provider]) -> list[Deployment]:
    """Where a model is served: at the targets its operator named, else at every provider that speaks for its vendor."""
    if model.targets:
        return [
            Deployment(provider, target.upstream_model, model.capabilities_at(provider.kind.name))
            for target in model.targets
            if (provider := providers.get(target.provider)) is not None
        ]
    return [
        Deployment(provider, model.name, model.capabilities_at(provider.kind.name))
        for provider in providers.values()
        if model.vendor in provider.kind.vendors
    ]


def plan(deployments: Sequence[Deployment], *, rng: Random) -> list[Candidate]:
    """Every credential of every deployment once, deployments in their order, keys from a random one on."""
    candidates: list[Candidate] = []
    for deployment in deployments:
        keys = deployment.provider.keys
        first = rng.randrange(len(keys)) if len(keys) > 1 else 0
        candidates += [Candidate(deployment, keys[(first + n) % len(keys)]) for n in range(len(keys))]
    return candidates
