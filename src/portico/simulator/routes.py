"""Paths of the API: version, model and method out of a URL, whichever of the two products it names."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from portico.wire.http import HttpRequest

_CALL = re.compile(
    r"/(v1|v1beta|v1beta1|v1alpha)/(?P<place>projects/[^/]+/locations/[^/]+/)?(?P<pub>publishers/google/)?models/(?P<model>[^/:]+):(?P<verb>\w+)$"
)
_LIST = re.compile(r"/(v1|v1beta|v1beta1|v1alpha)/(?:publishers/google/)?models(?:/(?P<model>[^/:]+))?$")

_CACHES = re.compile(
    r"/(v1|v1beta|v1beta1|v1alpha)/(?P<place>projects/[^/]+/locations/[^/]+/)?cachedContents(?:/(?P<id>[^/:]+))?$"
)
_CACHE_VERBS = {
    ("POST", False): "createCachedContent",
    ("GET", False): "listCachedContents",
    ("GET", True): "getCachedContent",
    ("PATCH", True): "updateCachedContent",
    ("DELETE", True): "deleteCachedContent",
}

VERBS = {"generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents", "predict"}


@dataclass(frozen=True)
class Route:
    """Where a request goes.

    `verb` is "list" or "get" for the model list; `model` has no prefix. For cached contents `model` is the id, and `parent`
    what stands before `cachedContents/` in names.
    """

    version: str
    model: str
    verb: str
    vertex: bool
    alt: str
    query: dict[str, str]
    parent: str = ""

    @property
    def caches(self) -> bool:
        return "CachedContent" in self.verb

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
        if match["verb"] == "predict" and not vertex:
            return None
        return Route(match[1], match["model"], match["verb"], vertex, alt, query)
    if match := _CACHES.match(path):
        verb = _CACHE_VERBS.get((request.method, bool(match["id"])))
        parent = match["place"] or ""
        return Route(match[1], match["id"] or "", verb, bool(parent), alt, query, parent) if verb else None
    if request.method == "GET" and (match := _LIST.match(path)):
        return Route(match[1], match["model"] or "", "get" if match["model"] else "list", False, alt, query)
    return None
