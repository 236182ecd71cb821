"""TLS for callers: a certificate and its key, looked at before they are used, and exchanged while serving.

A pair is taken only if a client could trust it: the server's side of a handshake is tried, in memory, against a client that
trusts exactly this certificate. So what is wrong is said at the start, and not to every caller.
"""

import re
import ssl
import stat
from pathlib import Path
from typing import Final, NoReturn

ALPN: Final = ("http/1.1",)
_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_EXPIRED: Final = 10
_NOT_YET: Final = 9
"""X509_V_ERR_… of x509_vfy.h."""
_MISMATCH: Final = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
_ROUNDS: Final = 8
"""Both sides speak in turn; a handshake is over after three."""


class TlsError(Exception):
    """The certificate or its key cannot be used. `setting` is the one to mend."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


class ServerTls:
    """What a listener speaks TLS with. `context` stays; what it shows to new connections changes with `reload`."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises `TlsError`."""
        self._certificate = certificate
        self._key = key
        self._current = self.context = _load(certificate, key)
        self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Reads both files again, for connections to come. Raises `TlsError`, and then nothing has changed."""
        self._current = _load(self._certificate, self._key)

    def warning(self) -> str | None:
        """What is not wrong, and yet not as it should be."""
        if self._key.stat().st_mode & stat.S_IROTH:
            return f"{self._key} can be read by everybody on this machine; chmod 600 it"
        return None

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        # A context of its own for each pair: one that is loaded twice keeps both, if their keys are of different kinds.
        connection.context = self._current


def _load(certificate: Path, key: Path) -> ssl.SSLContext:
    found = _CERTIFICATE.search(_read("tls_certificate", certificate))
    if found is None:
        raise TlsError("tls_certificate", f"{certificate} holds no certificate in PEM form")
    if _KEY.search(_read("tls_key", key)) is None:
        raise TlsError("tls_key", f"{key} holds no private key in PEM form")

    def no_password() -> NoReturn:  # without it one would be asked for at the terminal
        raise TlsError("tls_key", f"{key} is encrypted; a server starts without anybody to ask")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(ALPN)
    try:
        context.load_cert_chain(certificate, key, password=no_password)
    except ssl.SSLError as error:
        if error.reason in _MISMATCH:
            raise TlsError("tls_key", f"{key} is not the key of {certificate}") from None
        raise TlsError("tls_certificate", f"{certificate} with {key} cannot be used: {error.reason or error}") from None
    try:
        _try(context, found.group().decode("ascii"))
    except ssl.SSLCertVerificationError as error:
        what = {_EXPIRED: "has expired", _NOT_YET: "is not valid yet"}.get(error.verify_code)
        raise TlsError("tls_certificate", f"{certificate} {what or f'is no use: {error.verify_message}'}") from None
    except ssl.SSLError as error:
        raise TlsError("tls_certificate", f"{certificate} cannot be used: {error.reason or error}") from None
    return context


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(setting, f"{path} cannot be read: {error.strerror}") from None


def _try(context: ssl.SSLContext, certificate: str) -> None:
    """A handshake with a client that trusts this one certificate. Raises `ssl.SSLError`."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client_context.load_verify_locations(cadata=certificate)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(down, up)
    server = context.wrap_bio(up, down, server_side=True)
    sides = [client, server]
    for _ in range(_ROUNDS):
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                pass
