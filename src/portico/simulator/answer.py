"""A plan told on the wire: one whole response, or the events of a stream.

Facts kept from recorded traffic. Usage on every event of the Gemini API is cumulative; on Vertex only the last event has
counts. Generation 3 signs the first call of a turn, or the text: whole answers on the last text part, streams on a final
event with the text "". Generation 2.5 signs only when it thought, and its streamed text on the first piece. Calls finish
with STOP.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from portico.simulator import tokens
from portico.simulator.plan import Draft
from portico.simulator.refusal import Json
from portico.simulator.validate import Where

_BULK_PIECE = 64 * 1024
_FILLER = "simulated text, "


@dataclass(frozen=True)
class Reply:
    """One answer and what its envelope needs. `seal` is the hash of the request; `created` an RFC 3339 time or ""."""

    where: Where
    prompt: tokens.Prompt
    drafts: Sequence[Draft]
    seal: bytes
    tier: str = "standard"
    created: str = ""

    @property
    def response_id(self) -> str:
        return base64.urlsafe_b64encode(self.seal[:17]).decode().rstrip("=")

    def envelope(self, candidates: list[Json], usage: Json) -> Json:
        body: Json = {"candidates": candidates} if candidates else {}
        body |= {"usageMetadata": usage, "modelVersion": self.where.model.name}
        if self.created and self.where.vertex:
            body["createTime"] = self.created
        return body | {"responseId": self.response_id}

    def usage(self, visible: int, thoughts: int, drafts: Sequence[Draft] = ()) -> Json:
        made: list[tuple[str, int]] = []
        if visible and (self.where.vertex or self.where.model.generation < (2, 5) or any(one.media for one in drafts)):
            pictures = sum(one.media_tokens for one in drafts if one.media)
            kind = "AUDIO" if self.where.model.makes == "audio" else "IMAGE"
            made = [("TEXT", visible - pictures), (kind, pictures)]
        return tokens.usage(self.prompt, visible, thoughts, tier=self.tier, vertex=self.where.vertex, made=made)

    # -- whole ------------------------------------------------------------------------------------------------------

    def whole(self) -> Json:
        """The response of generateContent."""
        candidates = [self._whole_candidate(index, one) for index, one in enumerate(self.drafts)]
        visible = sum(one.visible for one in self.drafts)
        thoughts = sum(one.thought_tokens for one in self.drafts)
        return self.envelope(candidates, self.usage(visible, thoughts, self.drafts))

    def _whole_candidate(self, index: int, made: Draft) -> Json:
        parts: list[Json] = []
        if made.thoughts:
            parts.append({"text": made.thoughts, "thought": True})
        text = (_FILLER * (made.bulk // len(_FILLER) + 1))[: made.bulk] if made.bulk else made.text
        if text:
            parts.append(self._signed({"text": text}, made) if not made.calls else {"text": text})
        parts += self._calls(made)
        if made.media:
            parts.append(self._signed({"inlineData": made.media}, made))
        if not parts and made.finish == "STOP":
            parts = [{"text": ""}]
        return self._candidate(index, parts, made, last=True)

    def _candidate(self, index: int, parts: list[Json], made: Draft, *, last: bool) -> Json:
        candidate: Json = {}
        if parts:
            candidate["content"] = {"parts": parts, "role": "model"}
        elif last and made.finish == "MAX_TOKENS":
            candidate["content"] = {"role": "model"}
        elif last and made.finish == "SAFETY":
            candidate["content"] = {}
        if last:
            candidate["finishReason"] = made.finish
        where = self.where
        if (not where.vertex and (index or where.model.generation > (2, 0))) or (where.vertex and index):
            candidate["index"] = index
        if last:
            message = made.message
            if made.calls and not where.vertex and where.model.generation > (2, 0):
                message = message or "Model generated function call(s)."
            if message:
                candidate["finishMessage"] = message
            if made.ratings:
                candidate["safetyRatings"] = list(made.ratings)
        return candidate

    def _signed(self, part: Json, made: Draft) -> Json:
        model = self.where.model
        if not (model.modern or (made.thought_tokens and model.generation >= (2, 5))) or model.gemma:
            return part
        if model.makes == "audio":
            return part
        return part | {"thoughtSignature": self.where.signer.sign(model.family, part)}

    def _calls(self, made: Draft) -> list[Json]:
        parts: list[Json] = [{"functionCall": call} for call in made.calls]
        return [self._signed(parts[0], made), *parts[1:]] if parts else []

    # -- stream -----------------------------------------------------------------------------------------------------

    def events(self) -> Iterator[Json]:
        """The responses of streamGenerateContent, in order; the last of each candidate carries its finishReason."""
        visible = thoughts = 0
        final = len(self.drafts) - 1
        for index, made in enumerate(self.drafts):
            base = visible
            thoughts += made.thought_tokens
            for parts, so_far, last in self._pieces(made):
                visible = base + (made.visible if last else min(so_far, made.visible))
                candidate = self._candidate(index, parts, made, last=last)
                if not self.where.model.generation < (3, 0) and last and "finishMessage" in candidate and made.calls:
                    del candidate["finishMessage"]  # recorded: streams of generation 3 rarely say it
                done = last and index == final
                if self.where.vertex and not done:
                    usage: Json = {"trafficType": "ON_DEMAND"}
                else:
                    usage = self.usage(visible, thoughts, self.drafts if done else ())
                yield self.envelope([candidate], usage)

    def _pieces(self, made: Draft) -> Iterator[tuple[list[Json], int, bool]]:
        """(parts, visible tokens so far, whether it is the last) for each event of one candidate."""
        modern = self.where.model.modern
        if made.thoughts:
            half = len(made.thoughts) // 2
            for thought in (made.thoughts[:half], made.thoughts[half:]):
                if thought:
                    yield [{"text": thought, "thought": True}], 0, False
        body = list(self._tail(made)) if made.calls or made.media else []
        size, first = 0, True
        held: list[Json] | None = None
        for piece in _text_pieces(made):
            part: Json = {"text": piece}
            if first and not modern and not made.calls:
                part = self._signed(part, made)
            if held is not None:
                yield held, size, False
            size += tokens.count(piece)
            held, first = [part], False
        if held is not None and (modern or body):
            yield held, size, False
            held = None
        for number, parts in enumerate(body):
            size += sum(tokens.of(part["functionCall"]) if "functionCall" in part else 0 for part in parts)
            if number == len(body) - 1 and not modern and made.calls:
                held = parts
            else:
                yield parts, size, False
        if held is None and modern and made.finish in ("STOP", "MAX_TOKENS", "SAFETY") and made.visible:
            closing: Json = {"text": ""}
            held = [closing if made.calls or made.media else self._signed(closing, made)]
        if held is None and made.finish == "STOP" and not made.media:
            held = [{"text": ""}]
        yield held or [], size, True

    def _tail(self, made: Draft) -> Iterator[list[Json]]:
        calls = self._calls(made)
        if calls and self.seal[0] % 2:
            yield calls
        else:
            for part in calls:
                yield [part]
        if made.media:
            yield [self._signed({"inlineData": made.media}, made)]


def _text_pieces(made: Draft) -> Iterator[str]:
    if made.bulk:
        piece = (_FILLER * (_BULK_PIECE // len(_FILLER)))[:_BULK_PIECE]
        left = made.bulk
        while left > 0:
            yield piece[:left]
            left -= _BULK_PIECE
        return
    size = max(24, len(made.text) // 200)
    for at in range(0, len(made.text), size):
        yield made.text[at : at + size]


def blocked(reply: Reply, reason: str) -> Json:
    """The response to a prompt that is not answered at all."""
    body = reply.envelope([], reply.usage(0, 0))
    return {"promptFeedback": {"blockReason": reason or "PROHIBITED_CONTENT"}} | body


def seal(*facts: Any) -> bytes:
    """The hash everything deterministic about an answer comes from."""
    return hashlib.sha256("\0".join(str(fact) for fact in facts).encode("utf-8", "surrogatepass")).digest()
