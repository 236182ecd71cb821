"""An answer in Chat Completions form: whole, or as the chunks of a stream.

Recorded: the first chunk of a choice has the role; a call is opened with its id and name and empty arguments; the last
chunk of a choice has an empty delta and the reason; usage comes with no choices, and `usage: null` on the others, only
where asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from portico.simulator import media
from portico.simulator.openai import telling
from portico.simulator.openai.models import Model, snapshot
from portico.simulator.plan import Draft
from portico.simulator.refusal import Json

_FINISH = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "RECITATION": "content_filter"}
_SAFE: Json = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}


@dataclass(frozen=True)
class Reply:
    """One answer and what its envelope needs. `custom`: the names of custom tools; `top`: None for no log probabilities."""

    body: Json
    model: Model
    drafts: Sequence[Draft]
    mark: str
    dice: Random
    created: int
    azure: bool = False
    refuses: bool = False
    custom: frozenset[str] = frozenset()
    broken: bool = False
    """The arguments of calls are no JSON."""
    _calls: dict[int, list[Json]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for index, made in enumerate(self.drafts):
            self._calls[index] = [self._call(call) for call in made.calls]

    @property
    def top(self) -> int | None:
        return (self.body.get("top_logprobs") or 0) if self.body.get("logprobs") else None

    @property
    def legacy(self) -> bool:
        """Asked in the old way, with `functions`."""
        return bool(self.body.get("functions"))

    @property
    def speaks(self) -> bool:
        return "audio" in (self.body.get("modalities") or ())

    def _call(self, call: Json) -> Json:
        name = call["name"]
        opened: Json = {"id": telling.call_id(self.dice)}
        if name in self.custom:
            return opened | {"type": "custom", "custom": {"name": name, "input": str(call["args"].get("input", ""))}}
        text = telling.arguments(call, broken=self.broken)
        return opened | {"type": "function", "function": {"name": name, "arguments": text}}

    # -- whole ------------------------------------------------------------------------------------------------------

    def whole(self) -> Json:
        """The chat.completion."""
        choices = [self._choice(index, made) for index, made in enumerate(self.drafts)]
        made = self._envelope("chat.completion", choices) | {"usage": self.usage()}
        if self.azure:
            made["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": _SAFE}]
        return made

    def _choice(self, index: int, made: Draft) -> Json:
        text = telling.filler(made.bulk) if made.bulk else made.text
        calls = self._calls[index]
        message: Json = {
            "role": "assistant",
            "content": text or (None if calls else ""),
            "refusal": None,
            "annotations": [],
        }
        if self.refuses:
            message |= {"content": None, "refusal": telling.REFUSED}
        elif self.legacy and calls:
            message["function_call"] = calls[0]["function"]
        elif calls:
            message["tool_calls"] = calls
        elif self.speaks:
            message |= {"content": None, "audio": self._audio(text)}
        message["annotations"] = [
            {"type": "url_citation", "url_citation": one} for one in telling.citations(made, text)
        ]
        told = None
        if self.top is not None and text and not self.refuses:
            told = {"content": telling.probabilities(text, self.top), "refusal": None}
        choice: Json = {
            "index": index,
            "message": message,
            "logprobs": told,
            "finish_reason": self._reason(index, made),
        }
        if self.azure:
            choice["content_filter_results"] = _SAFE
        return choice

    def _audio(self, words: str) -> Json:
        blob, _ = media.speech(words)
        return {
            "id": f"audio_{self.mark[:24]}",
            "data": blob["data"],
            "expires_at": self.created + 3600,
            "transcript": words,
        }

    def _reason(self, index: int, made: Draft) -> str:
        if self.refuses:
            return "stop"
        if self._calls[index]:
            forced = (
                isinstance(self.body.get("tool_choice"), dict) and self.body["tool_choice"]["type"] != "allowed_tools"
            )
            if self.legacy:
                return "function_call"
            return "stop" if forced else "tool_calls"  # recorded: a named tool finishes with stop
        return _FINISH.get(made.finish, "stop")

    def usage(self) -> Json:
        """What the answer cost. Thoughts are part of what was written."""
        prompt = telling.read(self.body, "messages", "tools", "functions", "response_format")
        thoughts = sum(made.thought_tokens for made in self.drafts)
        audio = 40 if self.speaks else 0
        words = len(telling.REFUSED) // 4 if self.refuses else sum(made.visible for made in self.drafts)
        written = words + thoughts + audio
        cached = prompt - prompt % 128 if prompt >= 1024 else 0
        return {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": thoughts,
                "audio_tokens": audio,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def _envelope(self, kind: str, choices: list[Json]) -> Json:
        tier = self.body.get("service_tier") or "auto"
        return {
            "id": f"chatcmpl-{self.mark[:29]}",
            "object": kind,
            "created": self.created,
            "model": snapshot(self.model.name),
            "choices": choices,
            "service_tier": "default" if tier == "auto" else tier,
            "system_fingerprint": None if self.model.reasons else f"fp_{self.mark[-10:]}",
        }

    # -- a stream ---------------------------------------------------------------------------------------------------

    def chunks(self) -> Iterator[Json]:
        """The chat.completion.chunks; choices take turns."""
        counted = bool((self.body.get("stream_options") or {}).get("include_usage"))
        more: Json = {"usage": None} if counted else {}
        if self.azure:
            filtered = [{"prompt_index": 0, "content_filter_results": _SAFE}]
            yield self._envelope("chat.completion.chunk", []) | {"prompt_filter_results": filtered} | more
        streams = {index: self._deltas(index, made) for index, made in enumerate(self.drafts)}
        while streams:
            for index in list(streams):
                choice = next(streams[index], None)
                if choice is None:
                    del streams[index]
                    continue
                yield self._envelope("chat.completion.chunk", [choice]) | more
        if counted:
            yield self._envelope("chat.completion.chunk", []) | {"usage": self.usage()}

    def _deltas(self, index: int, made: Draft) -> Iterator[Json]:
        calls = self._calls[index]
        opening: Json = {"role": "assistant", "content": None if calls and not made.text else "", "refusal": None}
        if self.legacy and calls and not self.refuses:
            call = calls[0]["function"]
            yield self._delta(index, opening | {"function_call": {"name": call["name"], "arguments": ""}})
            for piece in telling.pieces(call["arguments"]):
                yield self._delta(index, {"function_call": {"arguments": piece}})
        else:
            yield self._delta(index, opening)
            yield from self._text_deltas(index, made)
            if not self.refuses:
                for number, one in enumerate(calls):
                    yield from self._call_deltas(index, number, one)
        yield self._delta(index, {}, self._reason(index, made))

    def _text_deltas(self, index: int, made: Draft) -> Iterator[Json]:
        if self.refuses:
            for piece in telling.pieces(telling.REFUSED):
                yield self._delta(index, {"refusal": piece})
            return
        if self.speaks and not made.calls:
            audio = self._audio(made.text)
            yield self._delta(index, {"audio": {"id": audio["id"], "transcript": audio["transcript"]}})
            yield self._delta(index, {"audio": {"data": audio["data"], "expires_at": audio["expires_at"]}})
            return
        for piece in telling.bulk(made.bulk) if made.bulk else telling.pieces(made.text):
            yield self._delta(index, {"content": piece}, text=piece)
        if noted := telling.citations(made, made.text):
            yield self._delta(index, {"annotations": [{"type": "url_citation", "url_citation": one} for one in noted]})

    def _call_deltas(self, index: int, number: int, call: Json) -> Iterator[Json]:
        kind, text = ("custom", "input") if call["type"] == "custom" else ("function", "arguments")
        opened = {"index": number, "id": call["id"], "type": kind, kind: call[kind] | {text: ""}}
        yield self._delta(index, {"tool_calls": [opened]})
        for piece in telling.pieces(call[kind][text]):
            yield self._delta(index, {"tool_calls": [{"index": number, kind: {text: piece}}]})

    def _delta(self, index: int, delta: Json, reason: str | None = None, *, text: str = "") -> Json:
        told = None
        if self.top is not None and text:
            told = {"content": telling.probabilities(text, self.top), "refusal": None}
        choice: Json = {"index": index, "delta": delta, "logprobs": told, "finish_reason": reason}
        if self.azure:
            choice["content_filter_results"] = _SAFE if text else {}
        return choice
