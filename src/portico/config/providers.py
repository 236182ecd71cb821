"""[[providers]]: who is asked for answers, and with which keys."""

import re
from collections.abc import Mapping
from typing import Any, Final

from portico.config.sources import Sources
from portico.config.values import shown
from portico.core.masking import masked_url
from portico.http.address import parse_address
from portico.providers import KINDS, Provider, ProviderKind, Secret

KEYS: Final = frozenset({"name", "kind", "base_url", "keys"})
NO_URL: Final = "not an http(s) address without user, password and query"
DATABASE: Final = "database"
"""Stands among `keys` for those that are kept in the database."""


def read_providers(sources: Sources, entries: list[Any] | None) -> list[Provider]:
    """The providers of the file; those that environment keys imply, if it names none (`entries` is None)."""
    if entries is None:
        return _implied(sources)
    providers: list[Provider] = []
    for index, entry in enumerate(entries):
        provider = _provider(sources, entry, index) if isinstance(entry, dict) else None
        if provider is None:
            continue
        if any(provider.name == other.name for other in providers):
            line = sources.line("providers", "name", index)
            sources.problem("providers.name", f"{provider.name!r} is used twice", line=line)
        providers.append(provider)
    return providers


def dormant_providers(sources: Sources, entries: list[Any] | None, found: list[Provider]) -> list[Provider]:
    """Providers that nobody configured, and that a key in the database would bring to life: every kind has an address."""
    taken = declared_names(entries or []) | {provider.name for provider in found}
    dormant: list[Provider] = []
    for kind in KINDS.values():
        if kind.default_base_url and kind.name not in taken:
            base_url = None if entries is not None else _stated_address(sources, kind)
            dormant.append(Provider.at(kind.name, kind, base_url, (), takes_stored=True))
    return dormant


def declared_names(entries: list[Any]) -> set[str]:
    """The names that the file gives, whether or not the rest of an entry is right."""
    names = (entry.get("name", entry.get("kind", "gemini")) for entry in entries if isinstance(entry, dict))
    return {name for name in names if isinstance(name, str)}


def _implied(sources: Sources) -> list[Provider]:
    providers: list[Provider] = []
    for kind in KINDS.values():
        if kind.default_base_url and (secret := sources.secret_of_environment(kind.key_env)) is not None:
            base_url = _stated_address(sources, kind)
            providers.append(Provider.at(kind.name, kind, base_url, (secret,), takes_stored=True))
    return providers


def _stated_address(sources: Sources, kind: ProviderKind) -> str | None:
    """Where the environment says that a kind of provider is."""
    variable = f"{kind.name.upper()}_BASE_URL"
    base_url = sources.environment.get(variable)
    if not base_url:
        return None
    if not _is_url(base_url):
        sources.problem(variable, f"{masked_url(base_url)!r} is {NO_URL}", in_file=False)
        return None
    return base_url


def _provider(sources: Sources, entry: Mapping[str, Any], index: int) -> Provider | None:
    kind_name = entry.get("kind", "gemini")
    name, base_url, keys = entry.get("name", kind_name), entry.get("base_url"), entry.get("keys")
    kind = KINDS.get(kind_name) if isinstance(kind_name, str) else None
    before = len(sources.problems)

    def wrong(key: str, message: str) -> None:
        sources.at("providers", key, message, index=index)

    if kind is None:
        wrong("kind", f"{kind_name!r} is no kind of provider; known: {', '.join(KINDS)}")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        wrong("name", f"{name!r} is no name: letters, digits, '.', '_' and '-' are")
    if base_url is not None and not _is_url(base_url):
        wrong("base_url", f"{_shown(base_url)} is {NO_URL}")
    if kind is not None and keys is None:
        keys = [f"env:{kind.key_env}"]
    stored = isinstance(keys, list) and DATABASE in keys
    named = [key for key in keys if key != DATABASE] if isinstance(keys, list) else keys
    secrets = _secrets(sources, named, index, stored=stored)
    if kind is None or len(sources.problems) > before:
        return None
    return Provider.at(str(name), kind, base_url, tuple(secrets), takes_stored=stored)


def _secrets(sources: Sources, keys: Any, index: int, *, stored: bool) -> list[Secret]:
    """`stored`: there may be none, since the database has others."""
    if not isinstance(keys, list) or not (keys or stored):
        sources.at("providers", "keys", 'expected a list such as ["env:GEMINI_API_KEY"]', index=index)
        return []
    secrets: list[Secret] = []
    for item in keys:
        secret = sources.secret(item)
        if isinstance(secret, str):
            sources.at("providers", "keys", secret, index=index)
        else:
            secrets.append(secret)
    return secrets


def _shown(base_url: object) -> str:
    return repr(masked_url(base_url)) if isinstance(base_url, str) else shown(base_url)


def _is_url(value: Any) -> bool:
    if not isinstance(value, str) or re.fullmatch(r"https?://[^\s?#]+", value) is None:
        return False
    try:
        parse_address(value)
    except ValueError:
        return False
    return True
