"""Certificates made for a test, by openssl."""

import shutil
import subprocess
from pathlib import Path

import pytest

EC = "ec -pkeyopt ec_paramgen_curve:prime256v1"
RSA = "rsa:2048"


def openssl(*words: str) -> None:
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("there is no openssl to make a certificate with")
    subprocess.run([command, *words], check=True, capture_output=True, timeout=30)


def make_pair(folder: Path, name: str = "server", *, kind: str = EC, days: int = 2) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and provider.test, valid so many days (below 0: expired), and its key."""
    certificate, key, request = (folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
    words = f"req -new -newkey {kind} -nodes -subj /CN={name}".split()
    openssl(*words, "-keyout", str(key), "-out", str(request))
    extensions = folder / f"{name}.extensions"
    extensions.write_text("subjectAltName=DNS:localhost,DNS:provider.test\n", encoding="ascii")
    words = ["x509", "-req", "-in", str(request), "-signkey", str(key), "-days", str(days)]
    openssl(*words, "-extfile", str(extensions), "-out", str(certificate))
    key.chmod(0o600)
    return certificate, key
