"""The kinds of provider: what all providers of one kind have in common, as data."""

from collections.abc import Mapping
from typing import Final

from portico.dialects import gemini, openai_chat
from portico.providers import google
from portico.providers.intake import GOOGLE, OPENAI, VERTEX
from portico.providers.kind import ProviderKind, Spoken, Verb


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
_VERTEX: Final = Spoken(
    gemini.DIALECT,
    {
        Verb.GENERATE: "/publishers/google/models/{model}:generateContent",
        Verb.STREAM: "/publishers/google/models/{model}:streamGenerateContent?alt=sse",
        Verb.COUNT_TOKENS: "/publishers/google/models/{model}:countTokens",
        Verb.EMBED: "/publishers/google/models/{model}:embedContent",
    },
)
CHAT: Final = Spoken(openai_chat.DIALECT, {Verb.GENERATE: "/chat/completions", Verb.STREAM: "/chat/completions"})


def _bearer(key: str) -> tuple[str, str]:
    return "authorization", f"Bearer {key}"


def azure_chat(api_version: str) -> Spoken:
    """Chat Completions at Azure's older addresses, where the deployment stands in the path and the version in the query."""
    path = f"/deployments/{{model}}/chat/completions?api-version={api_version}"
    return Spoken(openai_chat.DIALECT, {Verb.GENERATE: path, Verb.STREAM: path})


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
    "vertex": ProviderKind(
        name="vertex",
        spoken=(_VERTEX,),
        default_base_url=google.host_of(google.GLOBAL),
        default_version="v1beta1",
        vendors=frozenset({"google"}),
        key_env="VERTEX_API_KEY",
        auth_header=lambda key: ("x-goog-api-key", key),
        models_path="/publishers/google/models?pageSize=1",
        intake=VERTEX,
        exchanges=google.is_document,
        place_of=google.place_of,
    ),
    "openai": ProviderKind(
        name="openai",
        spoken=(CHAT,),
        default_base_url="https://api.openai.com",
        default_version="v1",
        vendors=frozenset({"openai"}),
        key_env="OPENAI_API_KEY",
        auth_header=_bearer,
        models_path="/models",
        intake=OPENAI,
    ),
    "azure-openai": ProviderKind(
        name="azure-openai",
        spoken=(CHAT,),
        default_base_url="",
        default_version="",
        vendors=frozenset(),
        key_env="AZURE_OPENAI_API_KEY",
        auth_header=lambda key: ("api-key", key),
        models_path="/models",
        intake=OPENAI,
    ),
    "openai-compatible": ProviderKind(
        name="openai-compatible",
        spoken=(CHAT,),
        default_base_url="",
        default_version="",
        vendors=frozenset(),
        key_env="",
        auth_header=_bearer,
        models_path="/models",
        takes_any_model=True,
    ),
}
