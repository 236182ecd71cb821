"""[[providers]]: who is asked for answers, and with which keys."""

from typing import Any, Final

from portico.config.provider import AZURE, AZURE_VERSION, KEYS, NO_URL, is_url, made, name_said, read_provider
from portico.config.sources import Sources
from portico.core.masking import masked_url
from portico.providers import KINDS, Provider, ProviderKind
from portico.providers.kinds import at_api_version
from portico.providers.presets import PRESETS

__all__ = ["KEYS", "declared_names", "dormant_providers", "read_providers"]

_ADDRESSES: Final = {AZURE: "AZURE_OPENAI_ENDPOINT"}
"""Where the environment says that a kind of provider is, if that is not <KIND>_BASE_URL."""


def read_providers(sources: Sources, entries: list[Any] | None) -> list[Provider]:
    """The providers of the file; those that environment keys imply, if it names none (`entries` is None)."""
    if entries is None:
        return _implied(sources)
    providers: list[Provider] = []
    for index, entry in enumerate(entries):
        provider = read_provider(sources, entry, index) if isinstance(entry, dict) else None
        if provider is None:
            continue
        if any(provider.name == other.name for other in providers):
            line = sources.line("providers", "name", index) or sources.line("providers", None, index)
            sources.problem("providers.name", f"{provider.name!r} is used twice", line=line)
        providers.append(provider)
    return providers


def dormant_providers(sources: Sources, entries: list[Any] | None, found: list[Provider]) -> list[Provider]:
    """Providers that nobody configured, and that a key in the database would bring to life: all whose address is known."""
    taken = declared_names(entries or []) | {provider.name for provider in found}
    dormant: list[Provider] = []
    for kind in KINDS.values():
        if kind.default_base_url and kind.name not in taken:
            base_url = None if entries is not None else _stated_address(sources, kind)
            dormant.append(made(kind.name, kind, base_url, (), stored=True))
    for name, preset in PRESETS.items():
        if preset.key_env and name not in taken:
            dormant.append(made(name, KINDS["openai-compatible"], preset.base_url, (), stored=True))
    return dormant


def declared_names(entries: list[Any]) -> set[str]:
    """The names that the file gives, whether or not the rest of an entry is right."""
    names = (name_said(entry) for entry in entries if isinstance(entry, dict))
    return {name for name in names if isinstance(name, str)}


def _implied(sources: Sources) -> list[Provider]:
    providers: list[Provider] = []
    for kind in KINDS.values():
        secret = sources.secret_of_environment(kind.key_env) if kind.key_env else None
        base_url = _stated_address(sources, kind) if secret is not None else None
        if secret is None or not (base_url or kind.default_base_url):
            continue
        texts: dict[str, str] = {}
        if kind.name == AZURE and (version := sources.environment.get("OPENAI_API_VERSION")):
            if not AZURE_VERSION.fullmatch(version):
                sources.problem("OPENAI_API_VERSION", f"{version!r} is no version of Azure's", in_file=False)
                continue
            texts["api_version"] = version
            kind = at_api_version(kind, version)
        providers.append(made(kind.name, kind, base_url, (secret,), texts, stored=True))
    return providers


def _stated_address(sources: Sources, kind: ProviderKind) -> str | None:
    """Where the environment says that a kind of provider is."""
    variable = _ADDRESSES.get(kind.name, f"{kind.name.upper().replace('-', '_')}_BASE_URL")
    base_url = sources.environment.get(variable)
    if not base_url:
        return None
    if not is_url(base_url):
        sources.problem(variable, f"{masked_url(base_url)!r} is {NO_URL}", in_file=False)
        return None
    return base_url
