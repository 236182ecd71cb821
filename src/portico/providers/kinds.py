"""The kinds of provider: what all providers of one kind have in common, as data."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from portico.core.dialect import Dialect
from portico.dialects import gemini
from portico.providers.intake import GOOGLE, Intake


class Verb(StrEnum):
    """What a model is asked to do."""

    GENERATE = "generate"
    STREAM = "stream"
    COUNT_TOKENS = "count_tokens"
    EMBED = "embed"
    BATCH_EMBED = "batch_embed"


GENERATING: Final = frozenset({Verb.GENERATE, Verb.STREAM})
"""What can be asked in any dialect of a provider that speaks any other."""


class Spoken(msgspec.Struct, frozen=True):
    """A dialect that a kind of provider speaks, and where it is spoken."""

    dialect: Dialect
    paths: Mapping[Verb, str]
    """What it can be asked -> path below the version, `{model}` being the upstream model."""


class ProviderKind(msgspec.Struct, frozen=True):
    """A kind of endpoint. `vendors` are those whose catalog models every provider of this kind serves."""

    name: str
    spoken: tuple[Spoken, ...]
    """The first is what callers of other dialects are translated into."""
    default_base_url: str
    default_version: str
    vendors: frozenset[str]
    key_env: str
    """The environment variable that alone is a complete configuration."""
    auth_header: Callable[[str], tuple[str, str]]
    models_path: str
    """What to GET to see whether a key works."""
    intake: Intake | None = None
    """Which media it takes; None: nothing is known, and all go as they come."""

    @property
    def dialect(self) -> Dialect:
        """What it speaks to callers of other dialects."""
        return self.spoken[0].dialect

    def to(self, caller: Dialect) -> Spoken:
        """What it is asked in: the caller's own dialect, if it speaks that."""
        for one in self.spoken:
            if one.dialect.name == caller.name:
                return one
        return self.spoken[0]

    def speaks(self, dialect: Dialect) -> bool:
        """Whether callers of a dialect are understood as they are."""
        return any(one.dialect.name == dialect.name for one in self.spoken)


def spoken_for_counts(kind: ProviderKind) -> Spoken | None:
    """In which of its dialects a kind of provider counts tokens for callers of others; None: it does not."""
    return next((one for one in kind.spoken if Verb.COUNT_TOKENS in one.paths and one.dialect.counting), None)


_GEMINI: Final = Spoken(
    gemini.DIALECT,
    {
        Verb.GENERATE: "/models/{model}:generateContent",
        Verb.STREAM: "/models/{model}:streamGenerateContent?alt=sse",
        Verb.COUNT_TOKENS: "/models/{model}:countTokens",
        Verb.EMBED: "/models/{model}:embedContent",
        Verb.BATCH_EMBED: "/models/{model}:batchEmbedContents",
    },
)

KINDS: Final[Mapping[str, ProviderKind]] = {
    "gemini": ProviderKind(
        name="gemini",
        spoken=(_GEMINI,),
        default_base_url="https://generativelanguage.googleapis.com",
        default_version="v1beta",
        vendors=frozenset({"google"}),
        key_env="GEMINI_API_KEY",
        auth_header=lambda key: ("x-goog-api-key", key),
        models_path="/models?pageSize=1",
        intake=GOOGLE,
    ),
}
