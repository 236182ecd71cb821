"""Which of its own tools Google used for an answer, and how often: what is billed beside tokens (mapping.md 6, tool fees).

Nothing in an answer counts them. Searches are the queries named in the grounding, or in calls that the provider answered
itself; empty ones are not billed. A search box (`searchEntryPoint`) is told with every search of the web and never with
one of maps, whose queries stand in the same list. Other tools have no fee, but bring in tokens that are billed, where a
search's are not: so it must be known whether one was used at all.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from portico.dialects.gemini.fields import camelise
from portico.dialects.gemini.grounding import GROUNDING

URL_CONTEXT: Final = "urlContextMetadata"
USED: Final = frozenset({"executableCode", "codeExecutionResult", "toolCall", "functionResponse"})
"""Parts of an answer that show a tool of the provider at work."""
_TOOL_TYPES: Final = {"GOOGLE_SEARCH": "web_search", "GOOGLE_MAPS": "google_maps"}
"""How toolCall.toolType begins; other types are called by their own name."""
_QUERIES: Final = ("webSearchQueries", "imageSearchQueries")
_CHUNKS: Final = {"web": "web_search", "image": "web_search", "maps": "google_maps", "retrievedContext": "file_search"}


class ToolUses:
    """Counts while an answer is read. Malformed entries are passed over."""

    __slots__ = ("_called", "_codes", "_groundings", "_results", "_urls")

    def __init__(self) -> None:
        self._codes = 0
        self._results = 0
        self._urls = 0
        self._called: dict[str, int] = {}
        self._groundings: dict[int, Any] = {}

    def parts(self, parts: Sequence[Any]) -> None:
        """More parts of any candidate."""
        for part in parts:
            if isinstance(part, Mapping) and not USED.isdisjoint(part):
                self._codes += "executableCode" in part
                self._results += "codeExecutionResult" in part
                if "functionResponse" in part:
                    self._call("mcp", 1)
                if isinstance(call := part.get("toolCall"), Mapping):
                    self._tool_call(camelise(call))

    def grounded(self, candidate: int, metadata: Any) -> None:
        """All that was said of one candidate's sources so far."""
        self._groundings[candidate] = metadata

    def fetched(self, metadata: Any) -> None:
        """A candidate's urlContextMetadata."""
        listed = camelise(metadata).get("urlMetadata") if isinstance(metadata, Mapping) else None
        self._urls = max(self._urls, len(listed) if isinstance(listed, list) else 1)

    def counts(self) -> dict[str, int]:
        """Tool -> how often it was used; {} for nearly every answer."""
        if not (self._codes or self._results or self._urls or self._called or self._groundings):
            return {}
        found: dict[str, int] = {}
        for metadata in self._groundings.values():
            for tool, count in _grounding_uses(metadata).items():
                found[tool] = found.get(tool, 0) + count
        for tool, count in self._called.items():  # the grounding names the queries of such calls again
            found[tool] = max(found.get(tool, 0), count)
        if self._codes or self._results:
            found["code_execution"] = self._codes or self._results
        if self._urls:
            found["url_context"] = self._urls
        return found

    def _tool_call(self, call: Mapping[str, Any]) -> None:
        word = str(call.get("toolType") or "")
        tool = next((tool for start, tool in _TOOL_TYPES.items() if word.startswith(start)), word.lower())
        args = call.get("args")
        queries = args.get("queries") if isinstance(args, Mapping) else None
        self._call(tool or "unknown", _told(queries) or 1)

    def _call(self, tool: str, count: int) -> None:
        self._called[tool] = self._called.get(tool, 0) + count


def uses_of(candidates: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """What the candidates of a whole answer show, their own fields in camelCase."""
    uses = ToolUses()
    for index, candidate in enumerate(candidates):
        content = candidate.get("content")
        parts = camelise(content).get("parts") if isinstance(content, Mapping) else None
        uses.parts([camelise(part) for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else ())
        if candidate.get(GROUNDING):
            uses.grounded(index, candidate[GROUNDING])
        if candidate.get(URL_CONTEXT):
            uses.fetched(candidate[URL_CONTEXT])
    return uses.counts()


def _grounding_uses(metadata: Any) -> dict[str, int]:
    if not isinstance(metadata, Mapping):
        return {}
    fields = camelise(metadata)
    chunks = fields.get("groundingChunks")
    kinds = {key for chunk in chunks if isinstance(chunk, Mapping) for key in chunk} if isinstance(chunks, list) else ()
    tools = {_CHUNKS[kind] for kind in kinds if kind in _CHUNKS}
    tools.discard("web_search")  # a fetched page is a web source too: that it was searched for, only a query says
    queries = sum(_told(fields.get(name)) for name in _QUERIES)
    maps = "google_maps" in tools or "googleMapsWidgetContextToken" in fields
    searched = queries > 0 and (not maps or "searchEntryPoint" in fields)
    found = dict.fromkeys(tools, 1)
    if searched:
        found["web_search"] = queries
    if maps:
        found["google_maps"] = 1 if searched else max(1, queries, _told(fields.get("retrievalQueries")))
    return found


def _told(queries: Any) -> int:
    """How many of the queries say anything."""
    return sum(isinstance(query, str) and bool(query) for query in queries) if isinstance(queries, list) else 0
