"""Providers: where a dialect is spoken to. An address, an auth scheme, and what its kind implies; never a format."""

from portico.providers.kind import EMBEDDING, GENERATING, ProviderKind, Spoken, Verb
from portico.providers.kinds import KINDS
from portico.providers.provider import Provider, check_url, upstream_url, with_forwarded
from portico.providers.secret import NO_KEY, Secret

__all__ = [
    "EMBEDDING",
    "GENERATING",
    "KINDS",
    "NO_KEY",
    "Provider",
    "ProviderKind",
    "Secret",
    "Spoken",
    "Verb",
    "check_url",
    "upstream_url",
    "with_forwarded",
]
