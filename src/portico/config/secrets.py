"""[secrets]: what upstream credentials in the database are encrypted with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from portico.config.sources import Sources
from portico.providers import Secret
from portico.providers.secret_keys import SecretKeys, is_strong

KEYS: Final = frozenset({"key", "old_keys"})
KEY_FILE: Final = "secret.key"


class SecretsConfig(msgspec.Struct, frozen=True):
    """[secrets]. Nothing is derived from them, and no file is made, before there is something to encrypt."""

    key_file: Path
    """Made at first need where no key is named; what it holds is always good for decrypting."""
    key: Secret | None = None
    """What encrypts, if the operator named one."""
    old_keys: tuple[Secret, ...] = ()
    """What encrypted before."""

    def keys(self) -> SecretKeys:
        """What reads them when they are needed."""
        return SecretKeys(self.key_file, self.key, self.old_keys)


def read_secrets(sources: Sources, table: Mapping[str, Any], data_folder: Path) -> SecretsConfig:
    """PORTICO_SECRET_KEY is the key itself."""
    key = sources.secret_of_environment("PORTICO_SECRET_KEY")
    if key is not None:
        if not is_strong(key):
            sources.problem("PORTICO_SECRET_KEY", WEAK, in_file=False)
    elif (named := table.get("key")) is not None:
        key = _key(sources, "key", named)
    old: Any = table.get("old_keys", [])
    if not isinstance(old, list):
        sources.at("secrets", "old_keys", 'expected a list such as ["env:PORTICO_OLD_SECRET_KEY"]')
        old = []
    found = [_key(sources, "old_keys", item) for item in old]
    return SecretsConfig(data_folder / KEY_FILE, key, tuple(one for one in found if one is not None))


WEAK: Final = "is too short to keep a secret: 16 characters at least; best is `openssl rand -base64 32`"


def _key(sources: Sources, setting: str, named: object) -> Secret | None:
    found = sources.secret(named)
    if isinstance(found, Secret) and is_strong(found):
        return found
    sources.at("secrets", setting, f"{named} {WEAK}" if isinstance(found, Secret) else found)
    return None
