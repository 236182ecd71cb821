"""Paths of OpenAI's API, of its unversioned twins, and of Azure's."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from portico.wire.http import HttpRequest

_AZURE = re.compile(
    r"/openai/deployments/(?P<deployment>[^/]+)/(?P<call>chat/completions|embeddings|(?:audio|images)/[a-z]+)$"
)
_PATH = re.compile(
    r"(?P<azure>/openai)?(?P<version>/v1)?/(?P<call>chat/completions|responses/input_tokens|responses|embeddings|models"
    r"|audio/(?:speech|transcriptions|translations)|images/(?:generations|edits))"
    r"(?:/(?P<id>[^/]+?)(?P<items>/input_items)?)?$"
)
_METHODS = {
    "chat": ("POST",),
    "embeddings": ("POST",),
    "images/generations": ("POST",),
    "images/edits": ("POST",),
    "speech": ("POST",),
    "transcriptions": ("POST",),
    "translations": ("POST",),
    "tokens": ("POST",),
    "responses": ("POST",),
    "models": ("GET",),
    "model": ("GET",),
    "response": ("GET", "DELETE"),
    "items": ("GET",),
}


@dataclass(frozen=True)
class Route:
    """Where a request goes.

    `call`: a key of `_METHODS`; `id`: a model's or a response's; `deployment`: Azure's, in the path.
    """

    call: str
    id: str = ""
    azure: bool = False
    deployment: str = ""
    versioned: bool = True
    """Azure: the api-version is given, or not wanted."""
    allowed: bool = True
    """The method is one that this path takes."""


def route(request: HttpRequest) -> Route | None:
    """The route of a request, or None if it is for another vendor."""
    path = unquote(request.path)
    query = parse_qs(request.query)
    if match := _AZURE.fullmatch(path):
        call = "chat" if match["call"].startswith("chat") else match["call"].removeprefix("audio/")
        if call not in _METHODS:
            return None
        dated = bool(query.get("api-version"))
        return Route(call, "", True, match["deployment"], dated, request.method == "POST")
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    call, given, azure = match["call"], match["id"] or "", bool(match["azure"])
    if call == "models" and not azure and not _is_openai(request):
        return None
    names = {
        ("chat/completions", False): "chat",
        ("embeddings", False): "embeddings",
        ("images/generations", False): "images/generations",
        ("images/edits", False): "images/edits",
        ("audio/speech", False): "speech",
        ("audio/transcriptions", False): "transcriptions",
        ("audio/translations", False): "translations",
        ("responses/input_tokens", False): "tokens",
        ("responses", False): "responses",
        ("responses", True): "items" if match["items"] else "response",
        ("models", False): "models",
        ("models", True): "model",
    }
    name = names.get((call, bool(given)))
    if name is None or (match["items"] and name != "items"):
        return None
    versioned = not azure or bool(match["version"]) or bool(query.get("api-version"))
    return Route(name, given, azure, "", versioned, request.method in _METHODS[name])


def _is_openai(request: HttpRequest) -> bool:
    """Three vendors list their models at /v1/models: the way the key comes tells them apart."""
    others = ("x-goog-api-key", "x-api-key", "anthropic-version")
    return "authorization" in request.headers and not any(name in request.headers for name in others)
