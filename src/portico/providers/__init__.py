"""Providers: where a dialect is spoken to. An address, an auth scheme, and what its kind implies; never a format."""

from portico.providers.kinds import GENERATING, KINDS, ProviderKind, Spoken, Verb
from portico.providers.provider import Provider, upstream_url
from portico.providers.secret import Secret

__all__ = ["GENERATING", "KINDS", "Provider", "ProviderKind", "Secret", "Spoken", "Verb", "upstream_url"]
