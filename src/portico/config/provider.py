"""One entry of [[providers]]: whom it names, where that is, and what may stand in an entry of its kind."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from portico.config.problems import nearest
from portico.config.sources import NAMED, Sources
from portico.config.values import shown
from portico.core.masking import masked_url
from portico.http.address import parse_address
from portico.providers import KINDS, NO_KEY, Provider, ProviderKind, Secret, google
from portico.providers.kinds import at_api_version, azure_address, compatible_address
from portico.providers.presets import PRESETS, Preset
from portico.providers.quirks import QUIRKS, Quirk

NO_URL: Final = "not an http(s) address without user, password and query"
DATABASE: Final = "database"
"""Stands among `keys` for those that are kept in the database."""
COMPATIBLE: Final = "openai-compatible"
AZURE: Final = "azure-openai"
VERTEX: Final = "vertex"

_OF_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "preset": frozenset({COMPATIBLE}),
    "quirks": frozenset({COMPATIBLE}),
    "project": frozenset({VERTEX, "openai"}),
    "location": frozenset({VERTEX}),
    "organization": frozenset({"openai"}),
    "api_version": frozenset(KINDS) - {COMPATIBLE},
}
"""Keys that mean something to some kinds only."""
KEYS: Final = frozenset({"name", "kind", "base_url", "keys", "headers", "dialects", *_OF_KINDS})

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION: Final = re.compile(r"v\d+[a-z0-9]*")
AZURE_VERSION: Final = re.compile(r"v1|preview|latest|\d{4}-\d{2}-\d{2}(-preview)?")
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,199}")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]*")
_EDGES_OWN: Final = frozenset({"host", "connection", "content-length", "content-type", "transfer-encoding", "upgrade"})
"""Headers that are the gateway's to write."""

Wrong = Callable[[str, str], None]
"""(key, message): something is wrong with this entry."""


def read_provider(sources: Sources, entry: Mapping[str, Any], index: int) -> Provider | None:
    """What an entry says; None if something is wrong with it, which is said."""
    before = len(sources.problems)

    def wrong(key: str, message: str) -> None:
        sources.at("providers", key, message, index=index)

    preset = _preset(entry, wrong)
    kind = _kind(entry, wrong)
    name = _name(entry, kind, wrong)
    for key, kinds in _OF_KINDS.items():
        if key in entry and kind is not None and kind.name not in kinds:
            wrong(key, f"means nothing to {kind.name}; it is for {', '.join(sorted(kinds))}")
    texts = _texts(entry, kind, wrong)
    headers = _headers(sources, entry, wrong)
    quirks = _quirks(entry, preset, wrong)
    base_url = _base_url(entry, kind, preset, wrong)
    if kind is not None:
        kind = _as_said(kind, preset, texts, _dialects(entry, kind, wrong))
    stored = isinstance(entry.get("keys"), list) and DATABASE in entry["keys"]
    projects: dict[str, str] = {}
    secrets = _secrets(sources, entry, kind, preset, wrong, projects, stored=stored)
    if kind is not None and kind.name == VERTEX:
        _judge_documents(secrets, texts, wrong)
    if kind is None or len(sources.problems) > before:
        return None
    if not secrets and not stored:
        secrets = [NO_KEY]
    provider = made(name, kind, base_url, tuple(secrets), texts, stored=stored, headers=headers)
    return msgspec.structs.replace(provider, quirks=quirks, projects=projects)


def made(
    name: str,
    kind: ProviderKind,
    base_url: str | None,
    secrets: tuple[Secret, ...],
    texts: Mapping[str, str] | None = None,
    *,
    stored: bool,
    headers: tuple[tuple[str, Secret], ...] = (),
) -> Provider:
    """A provider at the address that its kind makes of what is said."""
    texts = texts or {}
    location, project = texts.get("location", ""), texts.get("project", "")
    if kind.name == AZURE and base_url:
        base_url = azure_address(base_url, texts.get("api_version", ""))
    elif kind.name == COMPATIBLE and base_url:
        base_url = compatible_address(base_url)
    elif kind.name == VERTEX and base_url is None:
        base_url = google.host_of(location or google.GLOBAL)
    elif kind.name == "openai":
        said = (("OpenAI-Organization", texts.get("organization")), ("OpenAI-Project", project))
        headers = (*[(header, Secret(value, "portico.toml")) for header, value in said if value], *headers)
    provider = Provider.at(name, kind, base_url, secrets, takes_stored=stored)
    return msgspec.structs.replace(provider, headers=headers, project=project, location=location)


def is_url(value: Any) -> bool:
    """Whether calls can go to an address."""
    if not isinstance(value, str) or re.fullmatch(r"https?://[^\s?#]+", value) is None:
        return False
    try:
        parse_address(value)
    except ValueError:
        return False
    return True


# -- its keys, one by one ---------------------------------------------------------------------------------------------


def _preset(entry: Mapping[str, Any], wrong: Wrong) -> Preset | None:
    said = entry.get("preset")
    if said is None:
        return None
    if not isinstance(said, str) or said not in PRESETS:
        wrong("preset", f"{said!r} is no preset{nearest(str(said), PRESETS)}")
        return None
    return PRESETS[said]


def _kind(entry: Mapping[str, Any], wrong: Wrong) -> ProviderKind | None:
    said = kind_said(entry)
    kind = KINDS.get(said) if isinstance(said, str) else None
    if kind is None:
        hint = f'; for {said} write preset = "{said}"' if isinstance(said, str) and said in PRESETS else ""
        wrong("kind", f"{said!r} is no kind of provider; known: {', '.join(KINDS)}{hint}")
    return kind


def kind_said(entry: Mapping[str, Any]) -> Any:
    """The kind of an entry, by name; Gemini's where nothing is said."""
    return entry.get("kind", COMPATIBLE if "preset" in entry else "gemini")


def name_said(entry: Mapping[str, Any]) -> Any:
    """The name of an entry: its own, its preset's or its kind's."""
    preset = entry.get("preset")
    return entry.get("name", preset if isinstance(preset, str) else kind_said(entry))


def _name(entry: Mapping[str, Any], kind: ProviderKind | None, wrong: Wrong) -> str:
    name = name_said(entry)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        wrong("name", f"{name!r} is no name: letters (a to z), digits, '.', '_' and '-' are")
    elif kind is not None and kind.name == COMPATIBLE and not entry.keys() & {"name", "preset"}:
        wrong("name", "a server of this kind needs a name; its models are asked for as name/model")
    return str(name)


def _texts(entry: Mapping[str, Any], kind: ProviderKind | None, wrong: Wrong) -> dict[str, str]:
    """Keys that are plain words."""
    azure = kind is not None and kind.name == AZURE
    rules: dict[str, tuple[re.Pattern[str], str]] = {
        "project": (google.PROJECT, "the id or number of a project"),
        "location": (google.LOCATION, 'a location such as "global" or "europe-west4"'),
        "organization": (_WORD, 'an id such as "org-…"'),
        "api_version": (AZURE_VERSION, '"v1" or a date such as "2024-10-21"')
        if azure
        else (_VERSION, 'a version such as "v1beta"'),
    }
    texts: dict[str, str] = {}
    for key, (pattern, wanted) in rules.items():
        said = entry.get(key)
        if said is None:
            continue
        if isinstance(said, str) and pattern.fullmatch(said):
            texts[key] = said
        else:
            wrong(key, f"expected {wanted}, found {said!r}")
    return texts


def _headers(sources: Sources, entry: Mapping[str, Any], wrong: Wrong) -> tuple[tuple[str, Secret], ...]:
    """Headers of every call. A value may name a secret (`env:NAME`, `file:PATH`); any other is what is sent."""
    said = entry.get("headers", {})
    if not isinstance(said, dict):
        wrong("headers", 'expected a table such as { X-Title = "our house" }')
        return ()
    headers: list[tuple[str, Secret]] = []
    for name, value in said.items():
        if not _HEADER.fullmatch(name) or name.lower() in _EDGES_OWN:
            wrong("headers", f"{name!r} is no header that can be set here")
            continue
        secret = sources.secret(value)
        if secret == NAMED and isinstance(value, str):
            secret = Secret(value, "portico.toml")
        if isinstance(secret, str):
            wrong("headers", f"{name}: {secret}")
        elif not _HEADER_VALUE.fullmatch(secret.reveal()):
            wrong("headers", f"{name}: a value is one line of ASCII text")
        else:
            headers.append((name, secret))
    return tuple(headers)


def _base_url(entry: Mapping[str, Any], kind: ProviderKind | None, preset: Preset | None, wrong: Wrong) -> str | None:
    said = entry.get("base_url")
    if said is not None:
        if is_url(said):
            return str(said)
        wrong("base_url", f"{repr(masked_url(said)) if isinstance(said, str) else shown(said)} is {NO_URL}")
        return None
    if preset is not None:
        return preset.base_url
    if kind is not None and not kind.default_base_url and "preset" not in entry:
        example = "https://RESOURCE.openai.azure.com" if kind.name == AZURE else "http://127.0.0.1:8000/v1"
        wrong("base_url", f'{kind.name} needs an address, such as base_url = "{example}"')
    return None


def _quirks(entry: Mapping[str, Any], preset: Preset | None, wrong: Wrong) -> tuple[Quirk, ...]:
    """How a server deviates: as the entry says, else as its preset does."""
    said = entry.get("quirks", list(preset.quirks) if preset is not None else [])
    if not isinstance(said, list):
        wrong("quirks", f"expected a list of names; known: {', '.join(QUIRKS)}")
        return ()
    for name in said:
        if not isinstance(name, str) or name not in QUIRKS:
            wrong("quirks", f"{name!r} is no quirk{nearest(str(name), QUIRKS)}")
    return tuple([QUIRKS[name] for name in said if isinstance(name, str) and name in QUIRKS])


def _dialects(entry: Mapping[str, Any], kind: ProviderKind, wrong: Wrong) -> tuple[str, ...]:
    """Those of its kind's dialects that a provider speaks, the best first; empty: all of them."""
    said = entry.get("dialects")
    if said is None:
        return ()
    known = [one.dialect.name for one in (*kind.spoken, *kind.may_speak)]
    if not isinstance(said, list) or not said or any(one not in known for one in said):
        wrong("dialects", f"expected a list of what {kind.name} speaks ({', '.join(known)}), found {said!r}")
        return ()
    return tuple(said)


def _as_said(
    kind: ProviderKind, preset: Preset | None, texts: Mapping[str, str], dialects: tuple[str, ...]
) -> ProviderKind:
    """The kind as this provider is of it."""
    if preset is not None and preset.models_path != kind.models_path:
        kind = msgspec.structs.replace(kind, models_path=preset.models_path)
    if (version := texts.get("api_version")) is not None:
        kind = at_api_version(kind, version)
    return kind.as_declared(dialects) if dialects else kind


def _secrets(
    sources: Sources,
    entry: Mapping[str, Any],
    kind: ProviderKind | None,
    preset: Preset | None,
    wrong: Wrong,
    projects: dict[str, str],
    *,
    stored: bool,
) -> list[Secret]:
    """`stored`: there may be none, since the database has others. `projects` is told whose quota a key uses, by its
    mark."""
    keys = entry.get("keys")
    may_lack = stored or (kind is not None and kind.name == COMPATIBLE)
    if keys is None:
        variable = preset.key_env if preset is not None else "" if kind is None else kind.key_env
        if kind is None or not variable:
            return []
        keys = [f"env:{variable}"]
    if not isinstance(keys, list) or not (keys or may_lack):
        wrong("keys", f'expected a list such as ["env:{(kind.key_env if kind else "") or "SOME_API_KEY"}"]')
        return []
    secrets: list[Secret] = []
    for item in keys:
        if item == DATABASE:
            continue
        item, project = _with_project(item)
        if project is None:
            wrong("keys", 'a key with a project is { key = "env:NAME", project = "name" }')
            continue
        secret = sources.secret(item)
        if isinstance(secret, str):
            wrong("keys", secret)
            continue
        secrets.append(secret)
        if project:
            projects[secret.mark] = project
    return secrets


def _with_project(item: Any) -> tuple[Any, str | None]:
    """A key, and the project whose quota it uses; "": its own. None: that cannot be read."""
    if not isinstance(item, dict):
        return item, ""
    project = item.get("project")
    fits = item.keys() == {"key", "project"} and isinstance(project, str) and project
    return item.get("key"), project if fits else None


def _judge_documents(secrets: list[Secret], texts: Mapping[str, str], wrong: Wrong) -> None:
    for secret in secrets:
        if not google.is_document(secret.reveal()):
            continue
        if (fault := google.document_fault(secret.reveal())) is not None:
            wrong("keys", f"{secret.source} {fault}")
        elif not texts.get("project") and not google.project_in(secret.reveal()):
            wrong("keys", f'{secret.source} names no project; say which with project = "…"')
