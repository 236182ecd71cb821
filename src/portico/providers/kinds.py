"""The kinds of provider: what all providers of one kind have in common, as data."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from portico.core.dialect import Dialect
from portico.dialects import gemini


class ProviderKind(msgspec.Struct, frozen=True):
    """A kind of endpoint. `vendors` are those whose catalog models every provider of this kind serves."""

    name: str
    dialect: Dialect
    default_base_url: str
    default_version: str
    vendors: frozenset[str]
    key_env: str
    """The environment variable that alone is a complete configuration."""
    auth_header: Callable[[str], tuple[str, str]]
    path: Callable[[str, bool], str]
    """(upstream model, streaming) -> path below the version."""
    models_path: str
    """What to GET to see whether a key works."""


def _gemini_path(model: str, stream: bool) -> str:
    return f"/models/{model}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")


KINDS: Final[Mapping[str, ProviderKind]] = {
    "gemini": ProviderKind(
        name="gemini",
        dialect=gemini.DIALECT,
        default_base_url="https://generativelanguage.googleapis.com",
        default_version="v1beta",
        vendors=frozenset({"google"}),
        key_env="GEMINI_API_KEY",
        auth_header=lambda key: ("x-goog-api-key", key),
        path=_gemini_path,
        models_path="/models?pageSize=1",
    ),
}
