"""What another vendor's search found, in the blocks of Anthropic's own tool, and those blocks when they come back.

Claude's clients read sources in the results of the tool that they declared (claude-code reads them nowhere else). Others
search without telling when, and which search found what: so there is a pair of blocks for each query, and all that was
found stands in the last. Anthropic has not seen these and would refuse them: they never go there, and what they say is in
the text already.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from portico.core.response import Citation

OURS: Final = "srvtoolu_portico_"
"""How the ids of these searches begin. Anthropic's have other characters behind `srvtoolu_`."""
NO_INDEX: Final = ""
"""The `encrypted_index` of a source that Anthropic did not find."""
_TOOL: Final = "web_search"
_ODD: Final = re.compile(r"[^A-Za-z0-9]+")


def search_blocks(answer_id: str, searches: Sequence[str], citations: Sequence[Citation]) -> list[dict[str, Any]]:
    """A call and its result for each query; for one that nobody tells where there are sources alone."""
    found: dict[str, dict[str, Any]] = {}
    for one in citations:
        sealed = {"encrypted_content": "", "page_age": None}
        source = {"type": "web_search_result", "url": one.url, "title": one.title or one.url, **sealed}
        found.setdefault(one.url, source)
    results = list(found.values())
    queries = list(searches) or ([""] if results else [])
    blocks: list[dict[str, Any]] = []
    for number, query in enumerate(queries):
        id_ = f"{OURS}{_ODD.sub('', answer_id)}_{number}"
        here = results if number == len(queries) - 1 else []
        blocks.append({"type": "server_tool_use", "id": id_, "name": _TOOL, "input": {"query": query}})
        blocks.append({"type": "web_search_tool_result", "tool_use_id": id_, "content": here})
    return blocks


def is_ours(block: Mapping[str, Any]) -> bool:
    """Whether a block is one of these."""
    id_ = block.get("id") if block.get("type") == "server_tool_use" else block.get("tool_use_id")
    return isinstance(id_, str) and id_.startswith(OURS)


def query_of(block: Mapping[str, Any]) -> str:
    """What one of these searched for; "" where that is not told, and for a result."""
    given = block.get("input")
    query = given.get("query") if isinstance(given, Mapping) else None
    return query if isinstance(query, str) else ""


def without_our_sources(cited: Any) -> Any:
    """The citations of a text that comes back, but for those that Anthropic does not know."""
    if not isinstance(cited, list):
        return cited
    return [one for one in cited if not (isinstance(one, Mapping) and one.get("encrypted_index") == NO_INDEX)]
