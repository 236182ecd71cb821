"""Addresses: which call a path is, and in which dialect it is answered. One table, matched in its order.

    POST {v}/chat/completions                           Chat, under /v1, /v1beta/openai, /openai or nothing
    POST {v}/responses, {v}/responses/input_tokens      Responses, under the same
    GET, DELETE {v}/responses/{id}                      an answer that is kept (http/kept.py), also …/input_items
    POST {v}/embeddings                                 Embeddings, under the same
    POST {v}/images/generations, {v}/images/edits       Images, under the same
    POST {v}/audio/speech, {v}/audio/transcriptions, {v}/audio/translations   under the same
    POST, GET {v}/files, {v}/files/{id} …               files at providers (http/filepages.py): OpenAI's; Anthropic's and
                                                        Google's as models below; POST /upload/{v}/files
    POST {v}/messages, {v}/messages/count_tokens        Anthropic's Messages, under /v1 or nothing
    POST {v}/models/{m}:generateContent …               Gemini, under any version of Google's or none (mapping.md 7.6),
                                                        also {v}/publishers/google/models/{m}:… and
                                                        {v}/projects/P/locations/L/publishers/google/models/{m}:…
    GET  {v}/models, {v}/models/{m}                     Gemini under /v1beta and its like; under /v1 or nothing for who
                                                        brings Google's key header or `?key=`; Anthropic's for who says
                                                        which version of Anthropic's API it speaks; else Chat
    GET  {v}/balance, {v}/key, {v}/usage, {v}/receipts/{id}   what a caller sees of its account (http/account.py), /v1 or
                                                        nothing; /receipts/sample and its twins are for readers
    POST {v}/estimate                                   what would be held for a request

A model's name may hold slashes, colons and escapes: the verb stands after the last colon.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

import msgspec

from portico.core.dialect import Dialect
from portico.core.errors import RouteNotFound
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
from portico.http.query import Query
from portico.http.refused import not_offered
from portico.providers import Verb

CHAT: Final = openai_chat.DIALECT
RESPONSES: Final = openai_responses.DIALECT
EMBEDDINGS: Final = openai_embeddings.DIALECT
IMAGES: Final = openai_images.GENERATIONS
IMAGE_EDITS: Final = openai_images.EDITS
SPEECH: Final = openai_speech.DIALECT
TRANSCRIPTIONS: Final = openai_transcriptions.DIALECT
TRANSLATIONS: Final = openai_transcriptions.TRANSLATIONS
MESSAGES: Final = anthropic_messages.DIALECT
GEMINI: Final = gemini.DIALECT

GEMINI_VERBS: Final[Mapping[str, Verb]] = {
    "generateContent": Verb.GENERATE,
    "streamGenerateContent": Verb.STREAM,
    "countTokens": Verb.COUNT_TOKENS,
    "embedContent": Verb.EMBED,
    "batchEmbedContents": Verb.BATCH_EMBED,
}


class Action(StrEnum):
    """What is done at an address."""

    CALL = "call"
    LIST_MODELS = "list_models"
    SHOW_MODEL = "show_model"
    BALANCE = "balance"
    KEY = "key"
    USAGE = "usage"
    RECEIPT = "receipt"
    ESTIMATE = "estimate"
    RESPONSE = "response"
    RESPONSE_ITEMS = "response_items"
    FILES = "files"
    FILE = "file"
    FILE_CONTENT = "file_content"
    UPLOAD = "upload"


METHODS: Final[Mapping[Action, tuple[str, ...]]] = {
    Action.CALL: ("POST",),
    Action.LIST_MODELS: ("GET", "HEAD"),
    Action.SHOW_MODEL: ("GET", "HEAD"),
    Action.BALANCE: ("GET", "HEAD"),
    Action.KEY: ("GET", "HEAD"),
    Action.USAGE: ("GET", "HEAD"),
    Action.RECEIPT: ("GET", "HEAD"),
    Action.ESTIMATE: ("POST",),
    Action.RESPONSE: ("GET", "HEAD", "DELETE"),
    Action.RESPONSE_ITEMS: ("GET", "HEAD"),
    Action.FILES: ("GET", "HEAD", "POST"),
    Action.FILE: ("GET", "HEAD", "DELETE"),
    Action.FILE_CONTENT: ("GET", "HEAD"),
    Action.UPLOAD: ("POST",),
}


class Route(msgspec.Struct, frozen=True):
    """What an address asks for. `model` and `verb` are given where they stand in it."""

    action: Action
    dialect: Dialect
    model: str | None = None
    verb: Verb | None = None
    item: str | None = None
    """Which of several an address names, if that is no model."""


_CALLS: Final[Mapping[tuple[str, Verb | None], str]] = {
    (CHAT.name, None): "chat_completions",
    (RESPONSES.name, None): "responses",
    (RESPONSES.name, Verb.COUNT_TOKENS): "responses_input_tokens",
    (EMBEDDINGS.name, Verb.EMBED): "embeddings",
    (IMAGES.name, None): "images_generations",
    (IMAGE_EDITS.name, None): "images_edits",
    (SPEECH.name, None): "audio_speech",
    (TRANSCRIPTIONS.name, None): "audio_transcriptions",
    (TRANSLATIONS.name, None): "audio_translations",
    (MESSAGES.name, None): "messages",
    (MESSAGES.name, Verb.COUNT_TOKENS): "messages_count_tokens",
    (GEMINI.name, Verb.GENERATE): "generate_content",
    (GEMINI.name, Verb.STREAM): "stream_generate_content",
    (GEMINI.name, Verb.COUNT_TOKENS): "count_tokens",
    (GEMINI.name, Verb.EMBED): "embed_content",
    (GEMINI.name, Verb.BATCH_EMBED): "batch_embed_contents",
}
ROUTE_NAMES: Final = (*_CALLS.values(), *[action.value for action in Action if action is not Action.CALL])
"""What `route_name` can say."""


def route_name(route: Route) -> str:
    """The route in one word, whatever the model: for logs and metrics."""
    return _CALLS[route.dialect.name, route.verb] if route.action is Action.CALL else route.action.value


class _Row(msgspec.Struct, frozen=True):
    path: re.Pattern[str]
    action: Action
    dialect: Dialect | None
    """None: the caller's headers tell."""
    verb: Verb | None


_GOOGLES: Final = r"v1(?:(?:alpha|beta)\d*)?"
_PREVIEW: Final = r"/v1(?:alpha|beta)\d*"
_PUBLISHER: Final = r"(?:(?:/projects/[^/]+/locations/[^/]+)?/publishers/google)?"


_OPENAI: Final = rf"(?:/v1|(?:/{_GOOGLES})?/openai)?"
_FILE: Final = r"(?P<item>(?:files/)?[^/]+)"
"""A file's id; one of Google's has a slash."""


def _row(path: str, action: Action, dialect: Dialect | None, verb: Verb | None = None) -> _Row:
    return _Row(re.compile(path, re.DOTALL), action, dialect, verb)


_ROWS: Final = (
    _row(rf"{_OPENAI}/chat/completions", Action.CALL, CHAT),
    _row(rf"{_OPENAI}/responses", Action.CALL, RESPONSES),
    _row(rf"{_OPENAI}/responses/input_tokens", Action.CALL, RESPONSES, Verb.COUNT_TOKENS),
    _row(rf"{_OPENAI}/responses/(?!(?:input_tokens|compact)$)(?P<item>[^/]+)", Action.RESPONSE, RESPONSES),
    _row(rf"{_OPENAI}/responses/(?P<item>[^/]+)/input_items", Action.RESPONSE_ITEMS, RESPONSES),
    _row(rf"{_OPENAI}/embeddings", Action.CALL, EMBEDDINGS, Verb.EMBED),
    _row(rf"{_OPENAI}/images/generations", Action.CALL, IMAGES),
    _row(rf"{_OPENAI}/images/edits", Action.CALL, IMAGE_EDITS),
    _row(rf"{_OPENAI}/audio/speech", Action.CALL, SPEECH),
    _row(rf"{_OPENAI}/audio/transcriptions", Action.CALL, TRANSCRIPTIONS),
    _row(rf"{_OPENAI}/audio/translations", Action.CALL, TRANSLATIONS),
    _row(r"(?:/v1)?/messages", Action.CALL, MESSAGES),
    _row(r"(?:/v1)?/messages/count_tokens", Action.CALL, MESSAGES, Verb.COUNT_TOKENS),
    _row(rf"(?:/{_GOOGLES})?/openai/models", Action.LIST_MODELS, CHAT),
    _row(rf"(?:/{_GOOGLES})?/openai/models/(?P<model>.+)", Action.SHOW_MODEL, CHAT),
    _row(rf"(?:/{_GOOGLES})?{_PUBLISHER}/models/(?P<model>.+):(?P<verb>[^:/]*)", Action.CALL, GEMINI),
    _row(rf"{_PREVIEW}/models", Action.LIST_MODELS, GEMINI),
    _row(rf"{_PREVIEW}/models/(?P<model>.+)", Action.SHOW_MODEL, GEMINI),
    _row(rf"(?:/{_GOOGLES})?/openai/files", Action.FILES, CHAT),
    _row(rf"(?:/{_GOOGLES})?/openai/files/{_FILE}", Action.FILE, CHAT),
    _row(rf"(?:/{_GOOGLES})?/openai/files/{_FILE}/content", Action.FILE_CONTENT, CHAT),
    _row(rf"{_PREVIEW}/files", Action.FILES, GEMINI),
    _row(rf"{_PREVIEW}/files/(?P<item>[^/:]+)", Action.FILE, GEMINI),
    _row(rf"(?:/{_GOOGLES})?/files/(?P<item>[^/:]+):download", Action.FILE_CONTENT, GEMINI),
    _row(rf"/upload(?:/{_GOOGLES})?/files", Action.UPLOAD, GEMINI),
    _row(r"(?:/v1)?/files", Action.FILES, None),
    _row(rf"(?:/v1)?/files/{_FILE}", Action.FILE, None),
    _row(rf"(?:/v1)?/files/{_FILE}/content", Action.FILE_CONTENT, None),
    _row(r"(?:/v1)?/models", Action.LIST_MODELS, None),
    _row(r"(?:/v1)?/models/(?P<model>.+)", Action.SHOW_MODEL, None),
    _row(r"(?:/v1)?/balance", Action.BALANCE, CHAT),
    _row(r"(?:/v1)?/key", Action.KEY, CHAT),
    _row(r"(?:/v1)?/usage", Action.USAGE, CHAT),
    _row(r"(?:/v1/receipts|/receipts(?!/sample(?:\.(?:md|json))?$))/(?P<item>[^/]+)", Action.RECEIPT, CHAT),
    _row(r"(?:/v1)?/estimate", Action.ESTIMATE, CHAT),
)
_CALLS_KEPT: Final = 1024
_LONGEST_KEPT: Final = 255
_calls: Final[dict[str, Route]] = {}
"""Raw paths of calls that were found already. What a path of a call is hangs on nothing else."""
_ALWAYS: Final = (
    (re.compile(rf"{_OPENAI}/responses(?:/.*)?", re.DOTALL), RESPONSES),
    (re.compile(r"(?:/v1)?/messages(?:/.*)?", re.DOTALL), MESSAGES),
    (re.compile(rf"(?:/{_GOOGLES})?/openai(?:/.*)?", re.DOTALL), CHAT),
    (re.compile(rf"(?:/upload(?:/{_GOOGLES})?|{_PREVIEW})(?:/.*)?", re.DOTALL), GEMINI),
    (re.compile(r"(?>.*?/models/).+:[^:/]*", re.DOTALL), GEMINI),  # atomic: a long path is not searched over and over
)
"""Paths that are one dialect's, whether or not there is anything at them."""
_MODELS: Final = re.compile(r"(?:/v1)?/(?:models|files)(?:/.*)?", re.DOTALL)
"""Paths of all, at which the headers tell."""
_OWN: Final = re.compile(rf"/{_GOOGLES}(?:/.*)?", re.DOTALL)
"""Versioned paths are calls, or errors told as calls are: who mistypes one is a program, not a reader of pages."""
_BASE: Final = re.compile(rf"(?:/{_GOOGLES}|/openai)+")
"""How a client's base URL may end."""
_MOSTLY: Final = ("/v1/", "/v1beta/")


def find_route(method: str, path: str, query: Query, headers: Mapping[str, str]) -> Route:
    """The route of a raw path, which may end in a slash. Raises `RouteNotFound`."""
    if (known := _calls.get(path)) is not None:
        return known
    plain = unquote(path).rstrip("/")
    for row in _ROWS:
        match = row.path.fullmatch(plain)
        if match is None:
            continue
        found = match.groupdict()
        verb = GEMINI_VERBS.get(found.get("verb") or "")
        if "verb" in found and verb is None:
            if method == "POST":
                break
            continue  # the name of a model may hold a colon
        dialect = row.dialect or _dialect_by_key(query, headers)
        route = Route(row.action, dialect, found.get("model"), verb or row.verb, found.get("item"))
        if row.action is Action.CALL and len(path) <= _LONGEST_KEPT:
            if len(_calls) >= _CALLS_KEPT:  # models are named in them, and callers may name any
                del _calls[next(iter(_calls))]
            _calls[path] = route
        return route
    if (told := not_offered(plain)) is not None:
        raise told
    raise RouteNotFound(f"Unknown request URL: {method} {_shown(path)}.{_base_url_hint(plain)}")


def _base_url_hint(plain: str) -> str:
    """What a client's base URL has too much of: a version that the client adds itself, or the path of a whole call."""
    if len(plain) > _LONGEST_KEPT:
        return ""
    for slash in re.finditer("/", plain[1:]):
        front, rest = plain[: slash.start() + 1], plain[slash.start() + 1 :]
        if (_BASE.fullmatch(front) or _is_found(front)) and _is_found(rest):
            return f" Take {front} off the end of the client's base URL."
    return ""


def _is_found(plain: str) -> bool:
    return any(row.path.fullmatch(plain) for row in _ROWS)


def is_call_path(path: str) -> bool:
    """Whether a raw path is the gateway's, whatever the method; every other may be a web app's."""
    if path.startswith(_MOSTLY):
        return True
    plain = unquote(path).rstrip("/")
    return _OWN.fullmatch(plain) is not None or _is_found(plain)


def methods_at(path: str) -> tuple[str, ...]:
    """The methods of the calls at a raw path, each once; those of any call if there is none."""
    plain = unquote(path).rstrip("/")
    rows = [row for row in _ROWS if row.path.fullmatch(plain)] or _ROWS
    return tuple(dict.fromkeys(method for row in rows for method in METHODS[row.action]))


def dialect_at(path: str, query: Query, headers: Mapping[str, str]) -> Dialect:
    """In which dialect an error at a raw path is told, if no route says it."""
    plain = unquote(path).rstrip("/")
    for paths, dialect in _ALWAYS:
        if paths.fullmatch(plain):
            return dialect
    if _MODELS.fullmatch(plain) or not_offered(plain) is not None:
        return _dialect_by_key(query, headers)
    return MESSAGES if ANTHROPIC_VERSION in headers else CHAT


ANTHROPIC_VERSION: Final = "anthropic-version"
"""Every client of Anthropic's says it, and nobody else."""


def _dialect_by_key(query: Query, headers: Mapping[str, str]) -> Dialect:
    """Only Google's clients have a key header of this name, or a key in the query."""
    if "x-goog-api-key" in headers or query.key is not None:
        return GEMINI
    return MESSAGES if ANTHROPIC_VERSION in headers else CHAT


def _shown(path: str) -> str:
    return path if len(path) <= 200 else path[:200] + "…"
