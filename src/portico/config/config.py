"""What all of it comes to."""

from pathlib import Path

import msgspec

from portico.catalog import OperatorModel
from portico.config.books import BooksConfig
from portico.config.media import MediaConfig
from portico.config.oidc import OidcConfig
from portico.config.payments import PaymentsConfig, StripeConfig
from portico.config.retention import RetentionConfig
from portico.config.secrets import SecretsConfig
from portico.config.server import ServerConfig
from portico.config.signup import SignupConfig
from portico.config.storage import StorageConfig
from portico.config.web import WebConfig
from portico.http.proxy import Proxies
from portico.providers import Provider, Secret
from portico.relay.defaults import Defaults
from portico.relay.router import RoutingRules
from portico.telemetry.settings import LogConfig, MetricsConfig


class Config(msgspec.Struct, frozen=True):
    """Everything an operator decided. `source` is the file it came from, if there was one."""

    server: ServerConfig
    storage: StorageConfig
    media: MediaConfig
    defaults: Defaults
    log: LogConfig
    metrics: MetricsConfig
    books: BooksConfig
    retention: RetentionConfig
    secrets: SecretsConfig
    routing: RoutingRules
    web: WebConfig
    signup: SignupConfig
    oidc: OidcConfig | None
    payments: PaymentsConfig
    stripe: StripeConfig | None
    """None: nobody pays by card."""
    providers: tuple[Provider, ...]
    dormant: tuple[Provider, ...]
    """Those that nobody configured, and that a key in the database brings to life (`providers.stored.with_credentials`)."""
    models: tuple[OperatorModel, ...]
    api_key: Secret | None
    admin_key: Secret | None
    """What opens /metrics on the callers' listener."""
    proxies: Proxies
    """Through which providers are reached, from HTTPS_PROXY and its like."""
    source: Path | None
    data_folder: Path
