"""One configured provider, and the address of a call to it."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from portico.core.errors import InvalidRequest
from portico.providers.kinds import ProviderKind, Spoken, Verb
from portico.providers.secret import Secret

_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,255}")
_VERSION_AT_END: Final = re.compile(r"/v\d+[a-z0-9]*$")


class Provider(msgspec.Struct, frozen=True):
    """Where calls go: a kind, an address with its version, and the credentials that open it."""

    name: str
    kind: ProviderKind
    base_url: str
    keys: tuple[Secret, ...]
    takes_stored: bool = False
    """Whether keys that are kept in the database under its name are its own, too."""
    projects: Mapping[str, str] = {}
    """The mark of a key -> the project whose quota it uses; keys of one project rest together."""

    @classmethod
    def at(
        cls,
        name: str,
        kind: ProviderKind,
        base_url: str | None,
        keys: tuple[Secret, ...],
        *,
        takes_stored: bool = False,
    ) -> "Provider":
        """A provider; an address without a version gets its kind's default (mapping.md 0)."""
        address = (base_url or kind.default_base_url).rstrip("/")
        if not _VERSION_AT_END.search(urlsplit(address).path):
            address = f"{address}/{kind.default_version}"
        return cls(name, kind, address, keys, takes_stored)


def upstream_url(provider: Provider, spoken: Spoken, model: str, verb: Verb) -> str:
    """The address of one call, in a dialect that the provider speaks.

    Raises `InvalidRequest` for a model name that has no place in a path, `KeyError` for what cannot be asked in it."""
    if not _MODEL.fullmatch(model):
        raise InvalidRequest(f"{model!r} is not a model name.", param="$.model")
    return provider.base_url + spoken.paths[verb].format(model=model)
