"""Every table is read, and what they say becomes one `Config`; or everything that is wrong is said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from portico.config import (
    books,
    defaults,
    media,
    models,
    oidc,
    payments,
    providers,
    retention,
    routing,
    secrets,
    server,
    signup,
    storage,
    telemetry,
    web,
)
from portico.config.config import Config
from portico.config.problems import ConfigError
from portico.config.sources import Sources
from portico.http.proxy import proxies_of

DEFAULT_FILE: Final = "portico.toml"

TABLES: Final[Mapping[str, frozenset[str]]] = {
    "server": server.KEYS,
    "storage": storage.KEYS,
    "books": books.KEYS,
    "retention": retention.KEYS,
    "secrets": secrets.KEYS,
    "routing": routing.KEYS,
    "media": media.KEYS,
    "defaults": defaults.KEYS,
    "log": telemetry.LOG_KEYS,
    "metrics": telemetry.METRICS_KEYS,
    "web": web.KEYS,
    "signup": signup.KEYS,
    "oidc": oidc.KEYS,
    "payments": payments.KEYS,
    "stripe": payments.STRIPE_KEYS,
    "providers": providers.KEYS,
    "models": models.KEYS,
}
"""The tables of the file and their keys."""

LISTS: Final = frozenset({"providers", "models"})
"""Tables that may come several times."""


def load_config(
    environment: Mapping[str, str],
    *,
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Config:
    """The configuration: file, then environment, then what the command line gave. Raises `ConfigError`.

    `file`: from --config; else PORTICO_CONFIG; else portico.toml in `folder` (the working directory) if there is one.
    """
    folder = folder or Path.cwd()
    named = file or (Path(environment["PORTICO_CONFIG"]) if environment.get("PORTICO_CONFIG") else None)
    path = named or (folder / DEFAULT_FILE if (folder / DEFAULT_FILE).is_file() else None)
    sources = Sources(environment, path, folder)
    config = _read(sources, overrides or {})
    if sources.problems:
        raise ConfigError(sources.problems)
    return config


def _read(sources: Sources, overrides: Mapping[str, Any]) -> Config:
    """What the sources say, as far as it can be understood. What cannot is among their problems."""
    tables = sources.tables(TABLES, LISTS)

    def table(name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = tables.get(name, {})
        return found

    kept = storage.read_storage(sources, table("storage"))
    found = providers.read_providers(sources, tables.get("providers"))
    dormant = providers.dormant_providers(sources, tables.get("providers"), found)
    names = providers.declared_names(tables.get("providers", [])) or {one.name for one in (*found, *dormant)}
    folder = storage.data_folder(sources, kept)
    api_key = sources.secret_of_environment("PORTICO_API_KEY")
    proxies, unusable = proxies_of(sources.environment)
    config = Config(
        server=server.read_server(sources, table("server"), overrides),
        storage=kept,
        media=media.read_media(sources, table("media")),
        defaults=defaults.read_defaults(sources, table("defaults")),
        log=telemetry.read_log(sources, table("log"), overrides.get("access_log")),
        metrics=telemetry.read_metrics(sources, table("metrics")),
        books=books.read_books(sources, table("books")),
        retention=retention.read_retention(sources, table("retention")),
        secrets=secrets.read_secrets(sources, table("secrets"), folder),
        routing=routing.read_routing(sources, table("routing")),
        web=web.read_web(sources, table("web")),
        signup=signup.read_signup(sources, table("signup")),
        oidc=oidc.read_oidc(sources, tables.get("oidc")),
        payments=payments.read_payments(sources, table("payments")),
        stripe=payments.read_stripe(sources, tables.get("stripe")),
        providers=tuple(found),
        dormant=tuple(dormant),
        models=tuple(models.read_models(sources, tables.get("models", []), names)),
        api_key=api_key,
        admin_key=server.read_admin_key(sources, table("server"), api_key),
        proxies=proxies,
        source=sources.path,
        data_folder=folder,
    )
    for name, complaint in unusable:
        sources.problem(name, complaint, in_file=False)
    return config
