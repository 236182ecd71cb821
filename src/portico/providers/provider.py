"""One configured provider, and the address of a call to it."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from portico.core.errors import InvalidRequest
from portico.providers.kind import ProviderKind, Spoken, Verb
from portico.providers.secret import NO_KEY, Secret
from portico.wire.http import Headers

_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,255}")
_VERSION_AT_END: Final = re.compile(r"/v\d+[a-z0-9]*$")
_FORWARDED: Final = re.compile(r"[\x20-\x7e]{1,1024}")
"""What a caller may have forwarded."""
_JSON: Final = ("content-type", "application/json")


class Provider(msgspec.Struct, frozen=True):
    """Where calls go: a kind, an address with its version, and the credentials that open it."""

    name: str
    kind: ProviderKind
    base_url: str
    keys: tuple[Secret, ...]
    takes_stored: bool = False
    """Whether keys that are kept in the database under its name are its own, too."""
    headers: tuple[tuple[str, Secret], ...] = ()
    """What every call carries beside what its kind and dialect want."""
    project: str = ""
    location: str = ""

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
        if kind.default_version and not _VERSION_AT_END.search(urlsplit(address).path):
            address = f"{address}/{kind.default_version}"
        return cls(name, kind, address, keys, takes_stored)

    def fixed_headers(self, spoken: Spoken, credential: Secret) -> Headers | None:
        """What a call in a dialect carries; None where the credential has to be exchanged for a token first."""
        if self.kind.exchanges(credential.reveal()):
            return None
        shown = (self.kind.auth_header(credential.reveal()),) if credential.reveal() else ()
        return self.headers_with(spoken, shown)

    def headers_with(self, spoken: Spoken, shown: Headers) -> Headers:
        """The same, given those that show who calls."""
        named = {name.lower() for name, _ in self.headers}
        fixed = [pair for pair in (*shown, _JSON, *spoken.headers) if pair[0] not in named]
        return (*fixed, *[(name, value.reveal()) for name, value in self.headers])


def upstream_url(provider: Provider, spoken: Spoken, model: str, verb: Verb, credential: Secret = NO_KEY) -> str:
    """The address of one call, in a dialect that the provider speaks.

    Raises `InvalidRequest` for a model name that has no place in a path, `KeyError` for what cannot be asked in it."""
    path = spoken.paths[verb]
    if "{" in path:
        if not _MODEL.fullmatch(model):
            raise InvalidRequest(f"{model!r} is not a model name.", param="$.model")
        path = path.format(model=model)
    place = provider.kind.place_of(provider.project, provider.location, credential.reveal())
    return provider.base_url + place + path


def check_url(provider: Provider) -> str:
    """What to GET to see whether a credential works."""
    return provider.base_url + provider.kind.models_path


def with_forwarded(headers: Headers, spoken: Spoken, said: Mapping[str, str]) -> Headers:
    """Headers of a call with those that its caller wants the provider to have. `said`: the caller's, in lower case."""
    wanted = {name: said[name] for name in spoken.forwarded if name in said and _FORWARDED.fullmatch(said[name])}
    if not wanted:
        return headers
    return (*[pair for pair in headers if pair[0] not in wanted], *wanted.items())
