"""Paths of Anthropic's API, of its unversioned twins, and of Claude on Vertex AI."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from portico.wire.http import HttpRequest

_PATH = re.compile(r"(?:/v1)?/(?P<call>messages/count_tokens|messages|models)(?:/(?P<id>[^/]+))?$")
_VERTEX = re.compile(
    r"/v1(?:beta1)?/projects/[^/]+/locations/[^/]+/publishers/anthropic/models/(?P<model>[^/:]+)"
    r":(?P<verb>rawPredict|streamRawPredict)$"
)
_CALLS = {"messages": "messages", "messages/count_tokens": "count_tokens"}


@dataclass(frozen=True)
class Route:
    """Where a request goes. `call`: "messages", "count_tokens", "models", "model"; `id`: the model in the path."""

    call: str
    id: str = ""
    vertex: bool = False
    allowed: bool = True
    """The method is one that this path takes."""


def route(request: HttpRequest) -> Route | None:
    """The route of a request, or None if it is for another vendor."""
    path = unquote(request.path)
    if match := _VERTEX.fullmatch(path):
        counts = match["model"] == "count-tokens"
        return Route("count_tokens" if counts else "messages", match["model"], True, request.method == "POST")
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    call, given = match["call"], match["id"] or ""
    if call == "models":
        if "anthropic-version" not in request.headers and "x-api-key" not in request.headers:
            return None
        return Route("model" if given else "models", given, False, request.method == "GET")
    return None if given else Route(_CALLS[call], "", False, request.method == "POST")
