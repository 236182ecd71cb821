"""Neutral response -> chat.completion (mapping.md 2.1 to 2.9).

Chat flattens an answer into one content, one thought text and one list of calls: the order among them is lost, and said.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from portico.core.dialect import Rendered, Reply
from portico.core.foreign import foreign_losses, is_foreign
from portico.core.loss import Loss
from portico.core.parts import Ext, Media, Opaque, Part, Reasoning, Signature, Text, ToolCall, ToolResult
from portico.core.response import Candidate, Finish, FinishReason, Response
from portico.dialects.openai.logprobs import render_logprobs
from portico.dialects.openai_chat.annotations import Insertions, annotated
from portico.dialects.openai_chat.content import render_part
from portico.dialects.openai_chat.extra_content import (
    GOOGLE_EXT,
    ORIGIN,
    VENDOR,
    extra_content,
    is_bearable,
)
from portico.dialects.openai_chat.finish import FINISH_WORDS
from portico.dialects.openai_chat.media_out import audio_entry, continues, image_entry, is_audio, markdown
from portico.dialects.openai_chat.messages_render import render_call
from portico.dialects.openai_chat.usage import costing, render_usage, searched

ORDER: Final = {Reasoning: 0, Text: 1, Media: 1, ToolCall: 2, Opaque: 3, ToolResult: 3}
REFUSAL: Final[Ext] = {ORIGIN: {"refusal": True}}
CANDIDATE_PATH: Final = "$.choices[{}].message"
SEARCHES: Final = "web_search_queries"
"""Where the queries of an answer ride in `extra_content.google`."""
DETAILS_FORMAT: Final = "google-gemini-v1"


def answer_id(own: str | None, reply: Reply) -> str:
    """`chatcmpl-` and the provider's id, or ours where it gave none (2.1)."""
    found = own or reply.id
    return found if found.startswith("chatcmpl-") else f"chatcmpl-{found}"


def render_response(response: Response, reply: Reply) -> Rendered:
    """A whole answer as an OpenAI client reads it."""
    losses: list[Loss] = []
    choices: list[dict[str, Any]] = []
    searches = 0
    for candidate in response.candidates:
        choices.append(_plain_choice(candidate) or _choice(candidate, reply, losses))
        searches += len(candidate.searches)
    body: dict[str, Any] = {
        "id": answer_id(response.id, reply),
        "object": "chat.completion",
        "created": response.created if response.created is not None else reply.created,
        "model": reply.model or response.model or "",
        "choices": choices,
    }
    if response.usage is not None:
        body["usage"] = usage = render_usage(response.usage)
        usage.update(searched(searches or response.uses.get("web_search", 0)))
        if reply.cost is not None:
            usage.update(costing(reply))
    ext = response.ext
    own = dict(ext.get(ORIGIN, {})) if ext else {}
    body["system_fingerprint"] = own.pop("system_fingerprint", None)
    if response.service_tier is not None:
        body["service_tier"] = response.service_tier
    if ext:
        body.update({**own, **extra_content(None, ext)})
        tell_foreign(ext, losses, "$")
    return Rendered(body, losses)


_PLAIN_WORDS: Final[Mapping[FinishReason, str]] = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.CONTENT_FILTER: "content_filter",
}


def _plain_choice(candidate: Candidate) -> dict[str, Any] | None:
    """What most choices are: unsigned text that stopped, with nothing said of it. None for anything else."""
    finish = candidate.finish
    if finish is None or finish.message is not None or finish.prompt_blocked or candidate.ext is not None:
        return None
    word = _PLAIN_WORDS.get(finish.reason)
    if word is None or candidate.citations or candidate.searches or candidate.logprobs:
        return None
    text = ""
    for part in candidate.parts:
        if type(part) is not Text or part.signature is not None or part.ext is not None:
            return None
        text += part.text
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "index": candidate.index,
        "message": message,
        "logprobs": None,
        "finish_reason": word,
        "native_finish_reason": finish.raw,
    }


def _choice(candidate: Candidate, reply: Reply, losses: list[Loss]) -> dict[str, Any]:
    path = CANDIDATE_PATH.format(candidate.index)
    parts = _Parts(reply, losses, path)
    for index, part in enumerate(candidate.parts):
        parts.add(part, index)
    message = parts.message()
    google: dict[str, Any] = {}
    if parts.opaque:
        google["parts"] = parts.opaque
    finish = candidate.finish
    if finish is not None and finish.prompt_blocked:
        message["refusal"] = refusal_text(finish)
        google["prompt_feedback"] = blocked(finish)
    if candidate.searches:
        google[SEARCHES] = list(candidate.searches)
    message.update(extra_content(parts.signature(), candidate.ext, google))
    tell_foreign(candidate.ext, losses, path)
    own = dict((candidate.ext or {}).get(ORIGIN, {}))
    message.update(annotated(candidate.citations, parts.insertions, own.get("annotations", ())))
    logprobs = own.get("logprobs")
    if candidate.logprobs:
        logprobs = {**render_logprobs(candidate.logprobs), **(logprobs or {})}
    choice: dict[str, Any] = {"index": candidate.index, "message": message, "logprobs": logprobs}
    choice.update(finish_fields(finish, reply, losses, path))
    return choice


def tell_foreign(ext: Ext, losses: list[Loss], path: str) -> None:
    """What only a dialect has a field for that is neither ours nor has a place in `extra_content`."""
    for origin, fields in (ext or {}).items():
        if origin not in (ORIGIN, GOOGLE_EXT):
            losses += [Loss("2.1:answer_ext", f"{path}.{name}", f"Chat has nothing for {name}") for name in fields]


class _Tagged(Text, frozen=True):
    """Thoughts inside the content, which are no text of the answer."""


class _Parts:
    """Flattens the parts of one candidate."""

    def __init__(self, reply: Reply, losses: list[Loss], path: str) -> None:
        self._reply = reply
        self._losses = losses
        self._path = path
        self.content: list[Text | Media] = []
        self.reasoning: list[str] = []
        self.calls: list[ToolCall] = []
        self.opaque: list[dict[str, Any]] = []
        self.insertions = Insertions()
        self._signatures: list[Signature] = []
        self._audio: list[Media] = []
        self._refusal: list[str] = []
        self._thoughts: list[str] = []
        """Those of an open run that are told inside the content."""
        self._highest = 0
        self._out_of_order = False

    def add(self, part: Part, index: int) -> None:
        if isinstance(part, Opaque):
            self._highest = ORDER[Opaque]
            if part.origin == GOOGLE_EXT:
                self.opaque.append({"index": index, "part": part.value})
            else:
                self._losses.append(Loss("1.2:opaque", self._path, "a part that only another provider understands"))
            return
        if part.ext or getattr(part, "signature", None) is not None:
            self._losses += foreign_losses(part, self._path, own=(ORIGIN, GOOGLE_EXT), vendor=VENDOR)
        if isinstance(part, Reasoning):
            if not self._reply.thoughts:
                return
            if self._reply.thought_tag:
                self._thoughts.append(part.text)
                self._rank(ORDER[Text])
                return
        else:
            self._close_thoughts()
        if isinstance(part, Media) and part.thought:
            self._losses.append(Loss("2.2:draft", self._path, "a draft image the model made while thinking"))
            return
        self._rank(ORDER[type(part)])
        match part:
            case Reasoning(text):
                self.reasoning.append(text)
            case Text(text, _, ext) if is_refusal(ext):
                self._refusal.append(text)
            case Text(_, signature):
                self.content.append(part)
                if signature is not None and not is_foreign(signature, VENDOR):
                    self._signatures.append(signature)
            case Media():
                if is_audio(part) and continues(self._audio, part):
                    self._audio.append(part)
                else:
                    self.content.append(part)
            case ToolCall():
                self.calls.append(part)

    def _rank(self, rank: int) -> None:
        self._out_of_order = self._out_of_order or rank < self._highest
        self._highest = max(rank, self._highest)

    def _close_thoughts(self) -> None:
        """Thoughts inside the content, for callers who asked for a tag (1.9); a run of them stands between one pair."""
        if self._thoughts:
            tag = self._reply.thought_tag
            self.content.append(_Tagged(f"<{tag}>{''.join(self._thoughts)}</{tag}>"))
            self._thoughts = []

    def signature(self) -> Signature | None:
        """The signature of the text: one has a place on the message; of several the last is told."""
        return text_signature(self._signatures, self._losses, self._path)

    def message(self) -> dict[str, Any]:
        self._close_thoughts()
        if self._out_of_order:
            self._losses.append(
                Loss("2.2:order", self._path, "Chat keeps thoughts, content and calls apart, not their order")
            )
        message: dict[str, Any] = {"role": "assistant", "content": self._content(), "refusal": None}
        if self._refusal:
            message["refusal"] = "".join(self._refusal)
            message["content"] = message["content"] or None
        if self.reasoning:
            message["reasoning_content"] = "".join(self.reasoning)
        if self._reply.reasoning_details:
            self._mirror_reasoning(message)
        images = [part for part in self.content if isinstance(part, Media)]
        if images and self._reply.image_form == "images":
            message["images"] = [image_entry(part, index) for index, part in enumerate(images)]
            self._tell_image_order()
        if self._audio:
            message["audio"] = audio_entry(self._audio, self._reply.id, self._reply.created, self._reply.audio_format)
            message["content"] = message["content"] or None
        if self.calls:
            if self._reply.legacy_functions:
                call = self.calls[0]
                message["function_call"] = {"name": call.name, "arguments": call.arguments or "{}"}
            else:
                message["tool_calls"] = [render_call(call) for call in self.calls]
        return message

    def _mirror_reasoning(self, message: dict[str, Any]) -> None:
        """The same once more as OpenRouter's clients read it (2.4, channel B)."""
        details = [thought_detail("".join(self.reasoning), 0)] if self.reasoning else []
        if self.reasoning:
            message["reasoning"] = message["reasoning_content"]
        details += call_details(self.calls, 1)
        if details:
            message["reasoning_details"] = details

    def _content(self) -> Any:
        form = self._reply.image_form
        pieces = []
        for part in self.content:
            if isinstance(part, Text):
                pieces.append(part.text)
                (self.insertions.other if isinstance(part, _Tagged) else self.insertions.text)(part.text)
            elif form == "markdown":
                pieces.append(markdown(part))
                self.insertions.other(pieces[-1])
        if form == "parts" and any(isinstance(part, Media) for part in self.content):
            return [render_part(part) for part in self.content if isinstance(part, Media) or part.text]
        text = "".join(pieces)
        return text if text or not self.calls else None

    def _tell_image_order(self) -> None:
        kinds = [isinstance(part, Media) for part in self.content]
        if kinds != sorted(kinds) and not self._out_of_order:
            self._losses.append(Loss("2.2:order", self._path, "images are told beside the text, not where they stood"))


def thought_detail(text: str, index: int) -> dict[str, Any]:
    """A thought, or a piece of one, as an entry of `reasoning_details`."""
    return {"type": "reasoning.text", "text": text, "format": DETAILS_FORMAT, "index": index}


def call_details(calls: Iterable[ToolCall], first: int) -> list[dict[str, Any]]:
    """The signatures of calls as entries of `reasoning_details`, numbered from `first`."""
    signed = [(call.id, call.signature) for call in calls if is_bearable(call.signature)]
    return [
        {"type": "reasoning.encrypted", "data": signature.data, "id": id_, "format": DETAILS_FORMAT, "index": number}
        for number, (id_, signature) in enumerate(signed, first)
        if signature is not None
    ]


def text_signature(signatures: list[Signature], losses: list[Loss], path: str) -> Signature | None:
    """Chat has room for one signature of the text; the vault keeps them all (2.4)."""
    if not signatures:
        return None
    if len(signatures) > 1:
        losses.append(Loss("2.4:text_signatures", path, "of several signatures of the text only the last is shown"))
    return signatures[-1]


def refusal_text(finish: Finish) -> str:
    return finish.message or f"Prompt blocked: {finish.raw or 'no reason given'}"


def blocked(finish: Finish) -> dict[str, Any]:
    """promptFeedback as an extension, so that a block can be told from a refusal."""
    feedback = {"block_reason": finish.raw}
    if finish.message is not None:
        feedback["block_reason_message"] = finish.message
    return feedback


def finish_fields(finish: Finish | None, reply: Reply, losses: list[Loss], path: str) -> dict[str, Any]:
    """finish_reason and the provider's own word beside it (2.5)."""
    if finish is None:
        return {"finish_reason": "stop", "native_finish_reason": None}
    word = FINISH_WORDS[finish.reason]
    if word == "tool_calls" and reply.legacy_functions:
        word = "function_call"
    if finish.reason in (FinishReason.ERROR, FinishReason.OTHER):
        losses.append(Loss("2.5:finish", path, f"Chat has no word for {finish.raw}; native_finish_reason says it"))
    fields: dict[str, Any] = {"finish_reason": word, "native_finish_reason": finish.raw}
    if finish.message is not None and not finish.prompt_blocked:
        fields["finish_message"] = finish.message
    return fields


def is_refusal(ext: Ext) -> bool:
    """Whether a text is what OpenAI calls a refusal and keeps apart from the content."""
    return bool(ext) and bool((ext or {}).get(ORIGIN, {}).get("refusal"))
