"""Paths of the API: version, model and method out of a URL, whichever of the two products it names."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from portico.wire.http import HttpRequest

_CALL = re.compile(
    r"/(v1|v1beta|v1beta1|v1alpha)/(?P<place>projects/[^/]+/locations/[^/]+/)?(?P<pub>publishers/google/)?models/(?P<model>[^/:]+):(?P<verb>\w+)$"
)
_LIST = re.compile(r"/(v1|v1beta|v1beta1|v1alpha)/(?:publishers/google/)?models(?:/(?P<model>[^/:]+))?$")

VERBS = {"generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"}


@dataclass(frozen=True)
class Route:
    """Where a request goes. `verb` is "list" or "get" for the model list; `model` has no prefix."""

    version: str
    model: str
    verb: str
    vertex: bool
    alt: str
    query: dict[str, str]

    @property
    def stream(self) -> bool:
        return self.verb == "streamGenerateContent"

    @property
    def sse(self) -> bool:
        return self.stream and self.alt == "sse"


def route(request: HttpRequest) -> Route | None:
    """The route of a request, or None if the path is none of the API's."""
    path = unquote(request.path)
    query = {key: values[-1] for key, values in parse_qs(request.query, keep_blank_values=True).items()}
    alt = (query.get("alt") or query.get("$alt") or "json").partition(";")[0]
    if request.method == "POST" and (match := _CALL.match(path)):
        if match["verb"] not in VERBS:
            return None
        vertex = bool(match["place"] or match["pub"])
        return Route(match[1], match["model"], match["verb"], vertex, alt, query)
    if request.method == "GET" and (match := _LIST.match(path)):
        return Route(match[1], match["model"] or "", "get" if match["model"] else "list", False, alt, query)
    return None
