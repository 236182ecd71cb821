"""How a name asked for becomes a known name, in the order of mapping.md 1.8.

    as written -> without prefixes -> without a thinking suffix
    -> the same three with dots for dashes -> and with dashes for dots

A prefix or suffix is only ever taken off if what remains is known, so real names that end in such words are safe.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

from portico.catalog.errors import CatalogError
from portico.catalog.thinking import UNSAID, split_suffix
from portico.core.request import Thinking

T = TypeVar("T")

PREFIXES = (
    "publishers/google/models/",
    "publishers/anthropic/models/",
    "models/",
    "google/",
    "gemini/",
    "vertex_ai/",
    "openai/",
    "azure/",
    "azure_ai/",
    "anthropic/",
    "openrouter/",
)
"""What LiteLLM, OpenRouter and SDKs put before a name; more than one may."""
LONGEST = 256
"""Nobody's model has a longer name, and taking one apart costs more than its length."""
_DASHED_VERSION = re.compile(r"-([0-9])-([0-9])")
_DOTTED_VERSION = re.compile(r"-([0-9])\.([0-9])")
_RESERVED = frozenset({"compare", "gemini", "gemma", "gpt", "claude"})
_RESERVED_ENDINGS = (".md", ".json", ".csv")


def find(name: str, known: Mapping[str, T]) -> tuple[T, Thinking] | None:
    """What `name` means among the `known` names, and what it says about thinking; None if it means nothing."""
    if not 0 < len(name) <= LONGEST:
        return None
    if (known_by := known.get(name)) is not None:
        return known_by, UNSAID
    for form in (name, _DASHED_VERSION.sub(r"-\1.\2", name), _DOTTED_VERSION.sub(r"-\1-\2", name)):
        if (found := _find(form, known)) is not None:
            return found
    return None


def without_prefixes(name: str) -> str:
    """What is left of a name when all prefixes are taken off."""
    *_, left = _without_prefixes(name)
    return left


def _find(name: str, known: Mapping[str, T]) -> tuple[T, Thinking] | None:
    forms = list(_without_prefixes(name))
    for form in forms:
        if form in known:
            return known[form], UNSAID
    for form in forms:
        split = split_suffix(form)
        if split is not None and split[0] in known:
            return known[split[0]], split[1]
    return None


def _without_prefixes(name: str) -> Iterator[str]:
    """The name, then with one prefix fewer each time: LiteLLM and SDKs each put their own before it."""
    yield name
    while prefix := next((prefix for prefix in PREFIXES if name.startswith(prefix)), None):
        name = name.removeprefix(prefix)
        yield name


def check_name(name: str, where: str) -> None:
    """Refuse a name that could not be asked for or whose page would have another page's address. Raises CatalogError."""
    if not 0 < len(name) <= LONGEST or not name.isprintable() or name != name.strip():
        raise CatalogError(where, f"{name!r} is not a usable name")
    if name in _RESERVED:
        raise CatalogError(where, f"{name!r} is the address of a page, not a name for a model")
    if name.endswith(_RESERVED_ENDINGS):
        raise CatalogError(where, f"{name!r} ends like a file; names ending in .md, .json and .csv are pages' twins")
