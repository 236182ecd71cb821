"""[[providers]]: who is asked for answers, and with which keys."""

import re
from collections.abc import Mapping
from typing import Any, Final

from portico.config.sources import Sources
from portico.http.address import parse_address
from portico.providers import KINDS, Provider, Secret

KEYS: Final = frozenset({"name", "kind", "base_url", "keys"})
NO_URL: Final = "not an http(s) address without user, password and query"


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


def declared_names(entries: list[Any]) -> set[str]:
    """The names that the file gives, whether or not the rest of an entry is right."""
    names = (entry.get("name", entry.get("kind", "gemini")) for entry in entries if isinstance(entry, dict))
    return {name for name in names if isinstance(name, str)}


def _implied(sources: Sources) -> list[Provider]:
    providers: list[Provider] = []
    for kind in KINDS.values():
        variable = f"{kind.name.upper()}_BASE_URL"
        base_url = sources.environment.get(variable)
        if (secret := sources.secret_of_environment(kind.key_env)) is None:
            continue
        if base_url and not _is_url(base_url):
            sources.problem(variable, f"{base_url!r} is {NO_URL}", in_file=False)
        else:
            providers.append(Provider.at(kind.name, kind, base_url, (secret,)))
    return providers


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
        wrong("base_url", f"{base_url!r} is {NO_URL}")
    if kind is not None and keys is None:
        keys = [f"env:{kind.key_env}"]
    secrets = _secrets(sources, keys, index)
    if kind is None or len(sources.problems) > before:
        return None
    return Provider.at(str(name), kind, base_url, tuple(secrets))


def _secrets(sources: Sources, keys: Any, index: int) -> list[Secret]:
    if not isinstance(keys, list) or not keys:
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


def _is_url(value: Any) -> bool:
    if not isinstance(value, str) or re.fullmatch(r"https?://[^\s?#]+", value) is None:
        return False
    try:
        parse_address(value)
    except ValueError:
        return False
    return True
