"""The kinds of provider: what all providers of one kind have in common, as data."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from portico.dialects import (
    anthropic_messages,
    gemini,
    openai_chat,
    openai_embeddings,
    openai_images,
    openai_responses,
    openai_speech,
    openai_transcriptions,
)
from portico.providers import google
from portico.providers.filing import ANTHROPIC_FILES, GOOGLES_FILES, OPENAI_FILES
from portico.providers.intake import ANTHROPIC, GOOGLE, OPENAI, VERTEX
from portico.providers.kind import ProviderKind, Spoken, Verb

_DATED: Final = re.compile(r"\d{4}-")
_AZURE_END: Final = re.compile(r"/openai(/v1)?$")

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
        Verb.PREDICT: "/publishers/google/models/{model}:predict",
    },
)
CHAT: Final = Spoken(openai_chat.DIALECT, {Verb.GENERATE: "/chat/completions", Verb.STREAM: "/chat/completions"})
RESPONSES: Final = Spoken(
    openai_responses.DIALECT,
    {Verb.GENERATE: "/responses", Verb.STREAM: "/responses", Verb.COUNT_TOKENS: "/responses/input_tokens"},
)
EMBEDDINGS: Final = Spoken(openai_embeddings.DIALECT, {Verb.EMBED: "/embeddings"})
_FORM: Final = ("content-type",)
"""Of a form its boundary stands there."""
IMAGES: Final = Spoken(
    openai_images.GENERATIONS, {Verb.GENERATE: "/images/generations", Verb.STREAM: "/images/generations"}
)
IMAGE_EDITS: Final = Spoken(
    openai_images.EDITS,
    {Verb.GENERATE: "/images/edits", Verb.STREAM: "/images/edits"},
    forwarded=_FORM,
)
SPEECH: Final = Spoken(openai_speech.DIALECT, {Verb.GENERATE: "/audio/speech", Verb.STREAM: "/audio/speech"})
TRANSCRIPTIONS: Final = Spoken(
    openai_transcriptions.DIALECT,
    {Verb.GENERATE: "/audio/transcriptions", Verb.STREAM: "/audio/transcriptions"},
    forwarded=_FORM,
)
TRANSLATIONS: Final = Spoken(
    openai_transcriptions.TRANSLATIONS,
    {Verb.GENERATE: "/audio/translations", Verb.STREAM: "/audio/translations"},
    forwarded=_FORM,
)
OPERATIONS: Final = (EMBEDDINGS, IMAGES, IMAGE_EDITS, SPEECH, TRANSCRIPTIONS, TRANSLATIONS)
"""OpenAI's, beside chat. Whoever has them has them at OpenAI's addresses."""
MESSAGES: Final = Spoken(
    anthropic_messages.DIALECT,
    {Verb.GENERATE: "/messages", Verb.STREAM: "/messages", Verb.COUNT_TOKENS: "/messages/count_tokens"},
    headers=(("anthropic-version", "2023-06-01"),),
    forwarded=("anthropic-version", "anthropic-beta"),
)


def _bearer(key: str) -> tuple[str, str]:
    return "authorization", f"Bearer {key}"


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
        files=GOOGLES_FILES,
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
        spoken=(RESPONSES, CHAT, *OPERATIONS),
        default_base_url="https://api.openai.com",
        default_version="v1",
        vendors=frozenset({"openai"}),
        key_env="OPENAI_API_KEY",
        auth_header=_bearer,
        models_path="/models",
        intake=OPENAI,
        files=OPENAI_FILES,
    ),
    "anthropic": ProviderKind(
        name="anthropic",
        spoken=(MESSAGES,),
        default_base_url="https://api.anthropic.com",
        default_version="v1",
        vendors=frozenset({"anthropic"}),
        key_env="ANTHROPIC_API_KEY",
        auth_header=lambda key: ("x-api-key", key),
        models_path="/models?limit=1",
        intake=ANTHROPIC,
        files=ANTHROPIC_FILES,
    ),
    "azure-openai": ProviderKind(
        name="azure-openai",
        spoken=(RESPONSES, CHAT, *OPERATIONS),
        default_base_url="",
        default_version="",
        vendors=frozenset(),
        key_env="AZURE_OPENAI_API_KEY",
        auth_header=lambda key: ("api-key", key),
        models_path="/models",
        intake=OPENAI,
        files=OPENAI_FILES,
    ),
    "openai-compatible": ProviderKind(
        name="openai-compatible",
        spoken=(CHAT, *OPERATIONS),
        default_base_url="",
        default_version="",
        vendors=frozenset(),
        key_env="",
        auth_header=_bearer,
        models_path="/models",
        files=OPENAI_FILES,
        may_speak=(RESPONSES, MESSAGES),
        takes_any_model=True,
    ),
}


# -- what an entry of the configuration makes of a kind ----------------------------------------------------------------


def at_api_version(kind: ProviderKind, version: str) -> ProviderKind:
    """The kind at a version of its API: a part of its addresses, and at Azure of their query.

    Azure's dated versions have the deployment in the path of a call and serve Chat Completions; `v1` has it in the body, as
    OpenAI has the model (Azure's reference of the inference API).
    """
    if kind.name != "azure-openai":
        return msgspec.structs.replace(kind, default_version=version)
    if version == "v1":
        return kind
    query = f"?api-version={version}"
    kind = msgspec.structs.replace(kind, files=msgspec.structs.replace(OPENAI_FILES, query=query))
    models_path = kind.models_path + query
    if not _DATED.match(version):
        spoken = tuple([_with_query(one, query) for one in kind.spoken])
        return msgspec.structs.replace(kind, spoken=spoken, models_path=models_path)
    spoken = tuple([_with_query(_at_deployment(one), query) for one in (CHAT, *OPERATIONS)])
    return msgspec.structs.replace(kind, spoken=spoken, models_path=models_path)


def _at_deployment(spoken: Spoken) -> Spoken:
    paths = {verb: f"/deployments/{{model}}{path}" for verb, path in spoken.paths.items()}
    return msgspec.structs.replace(spoken, paths=paths)


def _with_query(spoken: Spoken, query: str) -> Spoken:
    return msgspec.structs.replace(spoken, paths={verb: path + query for verb, path in spoken.paths.items()})


def azure_address(address: str, version: str) -> str:
    """Where a resource's paths begin, given its address with or without `/openai` or `/openai/v1`."""
    root = _AZURE_END.sub("", address.rstrip("/"))
    return f"{root}/openai" if _DATED.match(version) else f"{root}/openai/v1"


def compatible_address(address: str) -> str:
    """A server of OpenAI's dialect as its clients are told of it: `/v1` where the address names nothing but a host."""
    address = address.rstrip("/")
    return address if urlsplit(address).path else f"{address}/v1"
