"""What a kind of provider is: the dialects it speaks and where, and how a credential is shown to it."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from portico.core.dialect import Dialect
from portico.core.target import Capabilities
from portico.providers.filing import Filing
from portico.providers.intake import Intake


class Verb(StrEnum):
    """What a model is asked to do."""

    GENERATE = "generate"
    STREAM = "stream"
    COUNT_TOKENS = "count_tokens"
    EMBED = "embed"
    BATCH_EMBED = "batch_embed"
    PREDICT = "predict"


EMBEDDING: Final = frozenset({Verb.EMBED, Verb.BATCH_EMBED})
"""What can be asked of whoever embeds, in any dialect that asks for embeddings."""
GENERATING: Final = frozenset({Verb.GENERATE, Verb.STREAM})
"""What can be asked in any dialect of a provider that speaks any other."""


class Spoken(msgspec.Struct, frozen=True):
    """A dialect that a kind of provider speaks, and where it is spoken."""

    dialect: Dialect
    paths: Mapping[Verb, str]
    """What it can be asked -> path below the version, `{model}` being the upstream model."""
    headers: tuple[tuple[str, str], ...] = ()
    """What every call in it carries."""
    forwarded: tuple[str, ...] = ()
    """Headers of a caller who speaks it too that go on to the provider; they stand for those of `headers`."""


def never(credential: str) -> bool:
    """No credential of most kinds is exchanged."""
    del credential
    return False


def nowhere(project: str, location: str, credential: str) -> str:
    """Calls of most kinds go to one place whoever makes them."""
    del project, location, credential
    return ""


class ProviderKind(msgspec.Struct, frozen=True):
    """A kind of endpoint. `vendors` are those whose catalog models every provider of this kind serves.

    A provider may have a kind of its own, derived from one of `KINDS`: it has the same name.
    """

    name: str
    spoken: tuple[Spoken, ...]
    """The first is what callers of other dialects are translated into."""
    default_base_url: str
    """Empty: there is no address that all providers of the kind share."""
    default_version: str
    vendors: frozenset[str]
    key_env: str
    """The environment variable that alone is a complete configuration."""
    auth_header: Callable[[str], tuple[str, str]]
    models_path: str
    """What to GET to see whether a key works."""
    intake: Intake | None = None
    """Which media it takes; None: nothing is known, and all go as they come."""
    files: Filing | None = None
    """How it keeps files; None: it keeps none."""
    may_speak: tuple[Spoken, ...] = ()
    """Dialects that some of its providers speak too, if their entry says so."""
    takes_any_model: bool = False
    """Models that nobody declared are asked for as `provider/model`, too."""
    exchanges: Callable[[str], bool] = never
    """Whether a credential is none to be shown, but is exchanged for a token that is (`providers/google.py`)."""
    place_of: Callable[[str, str, str], str] = nowhere
    """(project, location, credential) -> what stands between the version and the paths of calls."""

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
        return self.to(dialect).dialect.name == dialect.name

    def as_declared(self, dialects: tuple[str, ...]) -> "ProviderKind":
        """The kind of a provider whose entry names its dialects; operations beside chat are asked for all the same, unless
        it names some."""
        spoken = (*self.spoken, *self.may_speak)
        operations = [one.dialect.name for one in spoken if not one.dialect.receives]
        if not set(operations) & {*dialects}:
            dialects = (*dialects, *operations)
        return msgspec.structs.replace(self, spoken=spoken).limited_to(dialects)

    def limited_to(self, dialects: tuple[str, ...]) -> "ProviderKind":
        """The kind for a model that can be asked in some dialects only, the best first (`Capabilities.dialects`)."""
        by_name = {one.dialect.name: one for one in self.spoken}
        spoken = tuple([by_name[name] for name in dialects if name in by_name])
        return self if not spoken or spoken == self.spoken else msgspec.structs.replace(self, spoken=spoken)

    def for_model(self, able: Capabilities) -> "ProviderKind":
        """The kind for a model: in the dialects that it can be asked in, and what it can be asked there.

        Vertex embeds with models before the second line by `predict` alone (mapping.md 5.1).
        """
        kind = self.limited_to(able.dialects)
        if able.generation >= _EMBEDS_ITSELF or all(Verb.PREDICT not in one.paths for one in kind.spoken):
            return kind
        return msgspec.structs.replace(kind, spoken=tuple([_predicting(one) for one in kind.spoken]))


_EMBEDS_ITSELF: Final = (2, 0)


def _predicting(spoken: Spoken) -> Spoken:
    if Verb.PREDICT not in spoken.paths:
        return spoken
    paths = {verb: path for verb, path in spoken.paths.items() if verb not in EMBEDDING}
    return msgspec.structs.replace(spoken, paths=paths)
