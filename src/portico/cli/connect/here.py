"""What a configuration on this machine says of Portico: where it is, and which models it serves."""

import os
from datetime import UTC, datetime
from typing import Any

from portico.clients import Card
from portico.clients.listed import cards_of, others_of


def address_here() -> str | None:
    """Where Portico is by the configuration; None without one."""
    from portico.config import ConfigError, load_config

    try:
        settings = load_config(os.environ, file=None)
    except ConfigError:
        return None
    if settings.source is None:
        return None
    scheme = "https" if settings.server.tls_certificate is not None else "http"
    return settings.web.public_url or f"{scheme}://{_reachable(settings.server.host)}:{settings.server.port}"


def _reachable(host: str) -> str:
    """Where a server that listens at a host is asked on the same machine, as addresses have it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def cards_here() -> tuple[Card, ...]:
    """The models that the configuration serves, at the prices of the catalog; none where there is none."""
    from portico.catalog import CatalogError, PriceBooks, load_catalog
    from portico.config import ConfigError, load_config
    from portico.http.listing import openai_list
    from portico.relay.served import answering
    from portico.routing import deployments_of

    try:
        settings = load_config(os.environ, file=None)
        catalog = load_catalog().with_models(settings.models)
    except (ConfigError, CatalogError):
        return ()
    providers = {provider.name: provider for provider in settings.providers}
    books = PriceBooks(load_catalog())

    def rates(model: Any, on: Any) -> Any:
        for served in deployments_of(model, providers)[:1]:
            answers, first = answering(catalog, model, served, on)
            return books.rates(
                model=answers,
                provider=first.provider.name,
                provider_kind=first.provider.kind.name,
                upstream_model=first.upstream_model,
                account="",
                on=on,
            )
        return None

    listed = openai_list(
        catalog,
        datetime.now(UTC).date(),
        serves=lambda model: bool(deployments_of(model, providers)),
        rates=rates,
    )
    cards = cards_of(listed["data"])
    return cards + others_of(listed["data"], cards)
