"""Certificates made for a test."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

Kind: TypeAlias = Literal["ec", "rsa"]
_NAMES: Final = ("localhost", "provider.test")
_PLAIN: Final = NoEncryption()


def make_pair(folder: Path, name: str = "server", *, kind: Kind = "ec", days: int = 2) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and provider.test, valid so many days (below 0: expired), and its key."""
    made = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(subject, subject, made.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in _NAMES]), critical=False)
        .sign(made, hashes.SHA256())
    )
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    _keep(key, made, _PLAIN)
    return certificate, key


def lock(key: Path, locked: Path, password: bytes) -> None:
    """The same key, for whoever knows the password."""
    found = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(found, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey))
    _keep(locked, found, BestAvailableEncryption(password))


def _keep(
    path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, encryption: KeySerializationEncryption
) -> None:
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    path.chmod(0o600)
