"""The certificate and key of the configuration, read and tried."""

from portico.config import Config, ConfigError, Problem
from portico.http.tls import ServerTls, TlsError


def server_tls(settings: Config) -> ServerTls | None:
    """None if the configuration names no certificate. Raises `ConfigError`."""
    server = settings.server
    if server.tls_certificate is None or server.tls_key is None:
        return None
    try:
        return ServerTls(server.tls_certificate, server.tls_key)
    except TlsError as error:
        file = str(settings.source) if settings.source is not None else None
        raise ConfigError([Problem(f"server.{error.setting}", str(error), file=file)]) from None
