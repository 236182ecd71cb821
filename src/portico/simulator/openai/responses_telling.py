"""An answer in Responses form: the output items and the response around them.

Recorded: reasoning comes first, with an empty summary unless one was asked; then what ran on OpenAI's side; then the
message or the calls. Every setting is echoed, with its default where none was given.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from portico.simulator.openai import telling
from portico.simulator.openai.blobs import Blobs
from portico.simulator.openai.models import Model, snapshot
from portico.simulator.plan import Draft
from portico.simulator.refusal import Json
from portico.simulator.signatures import canonical

_SUMMARY = "**Considering the request**\n\n[simulated] I weigh what was asked and what I can do about it."
_LOGPROBS = "message.output_text.logprobs"


@dataclass(frozen=True)
class Reply:
    """One answer and what its envelope needs.

    `kinds`: of each tool that may be called, (is custom, its namespace). `read`: tokens of earlier responses.
    """

    body: Json
    model: Model
    made: Draft
    mark: str
    dice: Random
    created: int
    blobs: Blobs
    kinds: Mapping[str, tuple[bool, str]]
    read: int = 0
    refuses: bool = False
    fails: bool = False
    broken: bool = False
    """The arguments of calls are no JSON."""

    @property
    def id(self) -> str:
        return f"resp_{self.mark[:50]}"

    def item_id(self, prefix: str, number: int) -> str:
        """The id of one output item."""
        return f"{prefix}_{hashlib.sha256(f'{self.mark}{prefix}{number}'.encode()).hexdigest()[:50]}"

    def includes(self, what: str) -> bool:
        return what in (self.body.get("include") or ())

    # -- output -------------------------------------------------------------------------------------------------------

    def output(self) -> list[Json]:
        """Every output item, complete."""
        made, items = self.made, list[Json]()
        if made.thought_tokens:
            items.append(self._reasoning())
        if self.fails or (made.finish == "MAX_TOKENS" and not made.text and not made.calls):
            return items
        items += self._worked()
        text = telling.filler(made.bulk) if made.bulk else made.text
        if text or self.refuses or not made.calls:
            items.append(self._message(text))
        if not self.refuses:
            items += [self._call(call, number) for number, call in enumerate(made.calls)]
        return items

    def _reasoning(self) -> Json:
        name = self.item_id("rs", 0)
        asked = self.body.get("reasoning") or {}
        summary = [{"type": "summary_text", "text": _SUMMARY}]
        shows = asked.get("summary") or asked.get("generate_summary")
        item: Json = {"id": name, "type": "reasoning", "summary": summary if shows else []}
        if self.includes("reasoning.encrypted_content"):
            item["encrypted_content"] = self.blobs.seal(name)
        return item

    def _worked(self) -> list[Json]:
        items: list[Json] = []
        found = self.made.work.evidence
        if found is not None and found.sources:
            queries = [query for query in found.queries if query] or ["simulated"]
            action: Json = {"type": "search", "query": queries[0], "queries": queries}
            if self.includes("web_search_call.action.sources"):
                urls = dict.fromkeys(one["url"] for one in telling.citations(self.made, self.made.text))
                action["sources"] = [{"type": "url", "url": url} for url in urls]
            name = self.item_id("ws", 0)
            items.append({"id": name, "type": "web_search_call", "status": "completed", "action": action})
        for number, one in enumerate(self.made.work.rounds):
            if "executableCode" in one.asked:
                logs = "".join(part.get("codeExecutionResult", {}).get("output", "") for part in one.results)
                told = [{"type": "logs", "logs": logs}] if self.includes("code_interpreter_call.outputs") else None
                items.append(
                    {
                        "id": self.item_id("ci", number),
                        "type": "code_interpreter_call",
                        "status": "completed",
                        "code": one.asked["executableCode"]["code"],
                        "container_id": f"cntr_{self.mark[:50]}",
                        "outputs": told,
                    }
                )
        return items

    def _message(self, text: str) -> Json:
        if self.refuses:
            part: Json = {"type": "refusal", "refusal": telling.REFUSED}
        else:
            noted = [{"type": "url_citation"} | one for one in telling.citations(self.made, text)]
            part = {"type": "output_text", "text": text, "annotations": noted, "logprobs": []}
            if self.includes(_LOGPROBS):
                part["logprobs"] = telling.probabilities(text, self.body.get("top_logprobs") or 0)
        status = "incomplete" if self._incomplete() else "completed"
        return {
            "id": self.item_id("msg", 0),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [part],
        }

    def _call(self, call: Json, number: int) -> Json:
        custom, namespace = self.kinds[call["name"]]
        item: Json = {"call_id": telling.call_id(self.dice), "name": call["name"]}
        if namespace:
            item["namespace"] = namespace
        if custom:
            item |= {"id": self.item_id("ctc", number), "type": "custom_tool_call"}
            return item | {"status": "completed", "input": str(call["args"].get("input", ""))}
        item |= {"id": self.item_id("fc", number), "type": "function_call", "status": "completed"}
        return item | {"arguments": telling.arguments(call, broken=self.broken)}

    def _incomplete(self) -> str:
        """Why the answer is not complete, "" if it is."""
        if self.refuses:
            return ""
        reasons = {"MAX_TOKENS": "max_output_tokens", "SAFETY": "content_filter", "RECITATION": "content_filter"}
        return reasons.get(self.made.finish, "")

    # -- the response -------------------------------------------------------------------------------------------------

    def response(self, output: list[Json] | None) -> Json:
        """The response: finished with this output, or still in progress if it is None."""
        body, reason = self.body, self._incomplete()
        status = "failed" if self.fails else "incomplete" if reason else "completed"
        failed = {
            "code": "server_error",
            "message": "The model failed to generate a response. Please retry your request.",
        }
        done = output is not None
        return self._settings() | {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "completed_at": self.created if done and status == "completed" else None,
            "status": status if done else "in_progress",
            "background": bool(body.get("background")),
            "error": failed if done and self.fails else None,
            "incomplete_details": {"reason": reason} if done and status == "incomplete" else None,
            "model": snapshot(self.model.name),
            "output": output or [],
            "usage": self.usage() if done and not self.fails else None,
        }

    def _settings(self) -> Json:
        body, model = self.body, self.model
        form, asked = body.get("text") or {}, body.get("reasoning") or {}
        tier = body.get("service_tier") or "auto"
        choice = body.get("tool_choice")
        calls = body.get("parallel_tool_calls")
        return {
            "frequency_penalty": 0.0,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "max_tool_calls": body.get("max_tool_calls"),
            "metadata": body.get("metadata") or {},
            "parallel_tool_calls": True if calls is None else calls,
            "presence_penalty": 0.0,
            "previous_response_id": body.get("previous_response_id"),
            "prompt_cache_key": body.get("prompt_cache_key"),
            "prompt_cache_retention": body.get("prompt_cache_retention"),
            "reasoning": {
                "effort": (asked.get("effort") or model.default) if model.reasons else None,
                "summary": asked.get("summary"),
            },
            "safety_identifier": body.get("safety_identifier"),
            "service_tier": "default" if tier == "auto" else tier,
            "store": body.get("store") is not False,
            "temperature": 1.0 if body.get("temperature") is None else body["temperature"],
            "text": {"format": _format(form.get("format")), "verbosity": form.get("verbosity") or "medium"},
            "tool_choice": "auto" if choice is None else choice,
            "tools": [_echoed(tool) for tool in body.get("tools") or ()],
            "top_logprobs": body.get("top_logprobs") or 0,
            "top_p": model.top_p if body.get("top_p") is None else body["top_p"],
            "truncation": body.get("truncation") or "disabled",
            "user": body.get("user"),
        }

    def usage(self) -> Json:
        """What the answer cost. Thoughts are part of what was written."""
        prompt = (
            self.read + telling.read(self.body, "instructions", "input", "tools", "text") + self.made.work.tool_tokens
        )
        cached = prompt - prompt % 128 if prompt >= 1024 else 0
        words = len(telling.REFUSED) // 4 if self.refuses else self.made.visible
        written = words + self.made.thought_tokens
        return {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": self.made.thought_tokens},
            "total_tokens": prompt + written,
        }


def _format(form: Json | None) -> Json:
    if form is None:
        return {"type": "text"}
    if form["type"] == "json_schema":
        return {"description": None, "strict": bool(form.get("strict"))} | form
    return form


def _echoed(tool: Json) -> Json:
    """A tool as the response tells it: with the defaults of what was not said."""
    match tool["type"]:
        case "function":
            return {"description": None, "parameters": None, "strict": True} | tool
        case "custom":
            return {"format": {"type": "text"}} | tool
        case kind if kind.startswith("web_search"):
            return {"search_context_size": "medium", "user_location": None} | tool
    return tool


def told(body: Json) -> str:
    """What an answer depends on: a stream says what a whole answer says."""
    return canonical({key: value for key, value in body.items() if key not in ("stream", "stream_options")})
