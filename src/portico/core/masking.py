"""Secrets and addresses as they may be shown: whoever reads a log or an error learns which, and no password."""

import hashlib
import re
from typing import Final

# A password may hold any character when it was not escaped: everything up to the last @ is taken for one.
_PASSWORD: Final = re.compile(r"(?<=://)([^:@]*):.*@", re.DOTALL)
_PARAMETER: Final = re.compile(r"(?<=[?&])([^=&]*)=([^&]*)")
_SHOWN: Final = frozenset(
    {"host", "hostaddr", "port", "dbname", "user", "sslmode", "application_name", "connect_timeout", "options"}
)
"""Parameters of an address whose values may be shown."""


def fingerprint(secret: str) -> str:
    """A credential's, by which it is known without being told: 32 hex digits."""
    return hashlib.blake2b(
        secret.encode("utf-8", "surrogatepass"), digest_size=16, person=b"portico.upstream"
    ).hexdigest()


def masked_url(url: str) -> str:
    """An address with `***` for its password and for the values of parameters that might be secret. What is no address is
    not shown at all, since it may be anything."""
    if "://" not in url:
        return "***"
    shown = _PASSWORD.sub(r"\1:***@", url, count=1)
    return _PARAMETER.sub(lambda found: found[0] if found[1] in _SHOWN else f"{found[1]}=***", shown)
