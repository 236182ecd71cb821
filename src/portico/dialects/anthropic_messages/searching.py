"""What another vendor's search found, in the blocks of Anthropic's own tool, and those blocks when they come back.

Claude's clients read sources in the results of the tool that they declared (claude-code reads them nowhere else). Others
search without telling when, and which search found what: so one call stands for all of them (one that had found nothing
would be told as a failure). Anthropic has not seen these blocks and would refuse them: they never go there, and what they
say is in the text already.
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
    """A call of the tool and its result; none where nothing was searched for or found."""
    found: dict[str, dict[str, Any]] = {}
    for one in citations:
        sealed = {"encrypted_content": "", "page_age": None}
        source = {"type": "web_search_result", "url": one.url, "title": one.title or one.url, **sealed}
        found.setdefault(one.url, source)
    if not (searches or found):
        return []
    id_ = f"{OURS}{_ODD.sub('', answer_id)}"
    given: dict[str, Any] = {"query": "; ".join(searches)}
    if len(searches) > 1:
        given["queries"] = list(searches)
    call = {"type": "server_tool_use", "id": id_, "name": _TOOL, "input": given}
    return [call, {"type": "web_search_tool_result", "tool_use_id": id_, "content": list(found.values())}]


def is_ours(block: Mapping[str, Any]) -> bool:
    """Whether a block is one of these."""
    id_ = block.get("id") if block.get("type") == "server_tool_use" else block.get("tool_use_id")
    return isinstance(id_, str) and id_.startswith(OURS)


def queries_of(block: Mapping[str, Any]) -> list[str]:
    """What one of these searched for; nothing where that is not told, and of a result."""
    given = block.get("input")
    if not isinstance(given, Mapping):
        return []
    queries = given.get("queries", [given.get("query")])
    return [query for query in queries if query and isinstance(query, str)] if isinstance(queries, list) else []


def without_our_sources(cited: Any) -> Any:
    """The citations of a text that comes back, but for those that Anthropic does not know."""
    if not isinstance(cited, list):
        return cited
    return [one for one in cited if not (isinstance(one, Mapping) and one.get("encrypted_index") == NO_INDEX)]
