"""An answer as a message: its blocks in order, why it stopped, and what it cost.

Recorded: thinking comes first; what ran on Anthropic's side shows as a use and its result, before the text that cites it;
calls come last. A text with citations is a block of its own for each passage.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from portico.simulator import tokens
from portico.simulator.anthropic import seals
from portico.simulator.anthropic.citing import cited
from portico.simulator.anthropic.counting import Input
from portico.simulator.anthropic.models import Model
from portico.simulator.anthropic.seals import Seals
from portico.simulator.faults import Wishes
from portico.simulator.grounding import Evidence
from portico.simulator.plan import Draft
from portico.simulator.refusal import Json

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789"
_FILLER = "simulated text, "
BULK_PIECE = 64 * 1024
_REFUSED = {
    "type": "refusal",
    "category": "general_harms",
    "explanation": "[simulated] This request was declined as one that could cause harm.",
}
_MAGIC_REDACTED = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_"
_MAGIC_REFUSAL = "ANTHROPIC_MAGIC_STRING_TRIGGER_REFUSAL_"
_CONTAINER_UNTIL = "2026-01-01T01:00:00Z"


@dataclass(frozen=True)
class Reply:
    """One answer and what its envelope needs. `mark` is the hash of the request in hex."""

    body: Json
    model: Model
    made: Draft
    asked: Wishes
    spent: Input
    mark: str
    dice: Random
    sealer: Seals
    vertex: bool = False

    # -- blocks -------------------------------------------------------------------------------------------------------

    def content(self) -> list[Json]:
        """Every block, complete. A text of `size` bytes is made here at once."""
        if self.refuses:
            return []
        made = self.made
        blocks = self._thoughts()
        if made.finish == "MAX_TOKENS" and not made.text and not made.calls:
            return blocks
        blocks += self._worked()
        if "pause" in self.asked and blocks:
            return blocks
        blocks += self._texts(_FILLER * (made.bulk // len(_FILLER) + 1) if made.bulk else made.text)
        blocks += self._calls()
        return blocks

    @property
    def refuses(self) -> bool:
        return bool({"refuse", "block", "safety"} & set(self.asked.asked)) or _MAGIC_REFUSAL in self.asked.words

    def _thoughts(self) -> list[Json]:
        if not self.made.thought_tokens:
            return []
        if "redacted" in self.asked or _MAGIC_REDACTED in self.asked.words:
            return [{"type": "redacted_thinking", "data": self.sealer.make(seals.REDACTED, "", self.mark)}]
        display = (self.body.get("thinking") or {}).get("display")
        shown = display == "summarized" or (display is None and self.model.shows)
        words = self.made.thoughts.strip() if shown else ""
        signature = self.sealer.make(seals.THINKING, words, self.mark)
        return [{"type": "thinking", "thinking": words, "signature": signature}]

    def _worked(self) -> list[Json]:
        """The tools that ran on Anthropic's side."""
        blocks = self._searched()
        for one in self.made.work.rounds:
            if "executableCode" in one.asked:
                blocks += self._ran(one.asked["executableCode"]["code"], one.results)
        deferred = {tool["name"] for tool in self.body.get("tools") or () if tool.get("defer_loading")}
        found = [call["name"] for call in self.made.calls if call["name"] in deferred]
        finder = self._tool("tool_search_tool")
        if found and finder:
            asked = {"pattern" if "regex" in finder else "query": found[0]}
            name = finder.removesuffix("_20251119")
            references = [{"type": "tool_reference", "tool_name": one} for one in dict.fromkeys(found)]
            result = {"type": "tool_search_tool_search_result", "tool_references": references}
            blocks += self._served(name, asked, "tool_search_tool_result", result)
        return blocks

    def _tool(self, begins: str) -> str:
        """The type of the tool whose type begins so."""
        kinds = (str(tool.get("type", "")) for tool in self.body.get("tools") or ())
        return next((kind for kind in kinds if kind.startswith(begins)), "")

    def _served(self, name: str, given: Json, kind: str, result: object) -> list[Json]:
        used = self._id("srvtoolu_01")
        answered: Json = {"type": kind, "tool_use_id": used, "content": result}
        if kind in ("web_search_tool_result", "web_fetch_tool_result") and self.model.caller:
            answered["caller"] = {"type": "direct"}
        return [{"type": "server_tool_use", "id": used, "name": name, "input": given}, answered]

    def _searched(self) -> list[Json]:
        found = self.made.work.evidence
        if found is None or not found.sources:
            return []
        query = next((query for query in found.queries if query), "simulated")
        results = [
            {
                "type": "web_search_result",
                "title": title,
                "url": url,
                "encrypted_content": self.sealer.make(seals.RESULT, url, self.mark),
                "page_age": None,
            }
            for title, url in _pages(found)
        ]
        return self._served("web_search", {"query": query}, "web_search_tool_result", results)

    def _ran(self, code: str, results: Sequence[Json]) -> list[Json]:
        told: Json = next((one["codeExecutionResult"] for one in results if "codeExecutionResult" in one), {})
        failed, output = told.get("outcome") == "OUTCOME_FAILED", told.get("output", "")
        older = self._tool("code_execution") == "code_execution_20250522"
        kind = "code_execution" if older else "bash_code_execution"
        given = {"code": code} if older else {"command": f"python3 -c {json.dumps(code.strip())}"}
        result: Json = {
            "type": f"{kind}_result",
            "stdout": "" if failed else output,
            "stderr": output if failed else "",
            "return_code": int(failed),
            "content": [],
        }
        return self._served(kind, given, f"{kind}_tool_result", result)

    def _texts(self, text: str) -> list[Json]:
        if self.made.bulk:
            text = text[: self.made.bulk]
        if not text:
            return []
        found = self.made.work.evidence
        if found is not None and found.sources and "\n" in text:
            return self._resting(text, _pages(found))
        return cited(self.body["messages"], text)

    def _resting(self, text: str, pages: list[tuple[str, str]]) -> list[Json]:
        """The lines of a text, each after the first resting on a page."""
        first, *lines = text.splitlines(keepends=True)
        blocks: list[Json] = [{"type": "text", "text": first}]
        for number, line in enumerate(lines):
            title, url = pages[number % len(pages)]
            location = {
                "type": "web_search_result_location",
                "cited_text": line.strip()[:150],
                "encrypted_index": self.sealer.make(seals.INDEX, url, f"{self.mark}{number}"),
                "title": title,
                "url": url,
            }
            blocks.append({"type": "text", "text": line, "citations": [location]})
        return blocks

    def _calls(self) -> list[Json]:
        made = []
        for call in self.made.calls:
            block: Json = {
                "type": "tool_use",
                "id": self._id("toolu_01"),
                "name": call["name"],
                "input": call["args"],
            }
            if self.model.caller:
                block["caller"] = {"type": "direct"}
            made.append(block)
        return made

    def _id(self, prefix: str) -> str:
        return prefix + "".join(self.dice.choice(_LETTERS) for _ in range(22))

    # -- around them --------------------------------------------------------------------------------------------------

    def stop(self) -> Json:
        """`stop_reason`, `stop_sequence`, `stop_details`."""
        told: Json = {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": None}
        if self.refuses:
            return told | {"stop_reason": "refusal", "stop_details": dict(_REFUSED)}
        if "pause" in self.asked:
            return told | {"stop_reason": "pause_turn"}
        if "context-end" in self.asked:
            return told | {"stop_reason": "model_context_window_exceeded"}
        if self.made.calls:
            return told | {"stop_reason": "tool_use"}
        if self.made.finish == "MAX_TOKENS":
            return told | {"stop_reason": "max_tokens"}
        if self.made.stopped:
            return told | {"stop_reason": "stop_sequence", "stop_sequence": self.made.stopped}
        return told

    def envelope(self) -> Json:
        """The message before anything was said."""
        prefix = "msg_vrtx_01" if self.vertex else "msg_01"
        return {
            "id": f"{prefix}{self.mark[:22]}",
            "type": "message",
            "role": "assistant",
            "model": self.model.name,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": self.usage(started=True),
        }

    def container(self) -> Json | None:
        """Where code ran, if any did."""
        if not any("executableCode" in one.asked for one in self.made.work.rounds):
            return None
        given = self.body.get("container")
        named = given if isinstance(given, str) else (given or {}).get("id")
        return {"id": named or f"container_01{self.mark[:22]}", "expires_at": _CONTAINER_UNTIL}

    def whole(self) -> Json:
        """The message, complete."""
        message = self.envelope() | {"content": self.content()} | self.stop() | {"usage": self.usage()}
        box = self.container()
        return message if box is None else message | {"container": box}

    # -- what it cost -------------------------------------------------------------------------------------------------

    @property
    def output_tokens(self) -> int:
        """What was written, thoughts among it."""
        if self.refuses:
            return 1
        return max(1, self.made.thought_tokens + self.made.visible)

    def usage(self, *, started: bool = False, delta: bool = False) -> Json:
        """The usage: at the start of a stream, in its last delta (cumulative), or of a whole answer."""
        spent = self.spent
        read = 0 if started else tokens.count(self._read_on_the_way())
        told: Json = {
            "input_tokens": spent.fresh + read,
            "cache_creation_input_tokens": spent.written,
            "cache_read_input_tokens": spent.read,
        }
        if not delta:
            told["cache_creation"] = {
                "ephemeral_5m_input_tokens": spent.written_5m,
                "ephemeral_1h_input_tokens": spent.written_1h,
            }
            told["service_tier"] = "standard"
            told["inference_geo"] = "global"
        told["output_tokens"] = 1 if started else self.output_tokens
        if started:
            return told
        if self.made.thought_tokens or self.model.thinks:
            told["output_tokens_details"] = {"thinking_tokens": 0 if self.refuses else self.made.thought_tokens}
        if self._tool("web_") or self._tool("code_execution"):
            searches = 1 if self._searches else 0
            told["server_tool_use"] = {"web_search_requests": searches, "web_fetch_requests": 0}
        return told

    @property
    def _searches(self) -> bool:
        found = self.made.work.evidence
        return found is not None and bool(found.sources) and not self.refuses

    def _read_on_the_way(self) -> str:
        """What the model read of search results: it counts as input, at the end only (recorded)."""
        found = self.made.work.evidence
        return "\n".join(found.lines) * 8 if found is not None and self._searches else ""


def _pages(found: Evidence) -> list[tuple[str, str]]:
    """(title, URL) of every page that was found."""
    titles = [source["web"].get("title", "search.example") for source in found.sources if "web" in source]
    return [(title, f"https://{title}/simulated/{number}") for number, title in enumerate(titles)]
