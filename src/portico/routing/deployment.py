"""A deployment, and the credentials it may be asked with."""

from collections.abc import Mapping

import msgspec

from portico.catalog import Model
from portico.core.target import Capabilities
from portico.providers import Provider, Secret


class Deployment(msgspec.Struct, frozen=True):
    """One upstream model at one provider. Of all that can serve, the lowest `priority` is tried first; among equals the
    `weight` says how often one comes first."""

    provider: Provider
    upstream_model: str
    capabilities: Capabilities
    weight: int = 1
    priority: int = 0

    @property
    def name(self) -> str:
        """As an operator writes it: `provider/upstream-model`."""
        return f"{self.provider.name}/{self.upstream_model}"


class Candidate(msgspec.Struct, frozen=True):
    """A deployment with the credential to try it with."""

    deployment: Deployment
    credential: Secret


def deployments_of(model: Model, providers: Mapping[str, Provider]) -> list[Deployment]:
    """Where a model is served: at the targets its operator named, else at every provider that speaks for its vendor."""
    if model.targets:
        return [
            Deployment(
                provider,
                target.upstream_model,
                model.capabilities_at(provider.kind.name),
                target.weight,
                target.priority,
            )
            for target in model.targets
            if (provider := providers.get(target.provider)) is not None
        ]
    return [
        Deployment(provider, model.name, model.capabilities_at(provider.kind.name))
        for provider in providers.values()
        if model.vendor in provider.kind.vendors
    ]
