"""A plan told on the wire: one whole response, or the events of a stream.

Facts kept from recorded traffic. Usage on every event of the Gemini API is cumulative; on Vertex only the last event has
counts. Candidates of one stream take turns. Calls finish with STOP. Grounding is whole on the last event, `{}` before it on
generation 2 and absent on 3; what pages were read is told on the first. An average of log probabilities comes with whole
answers of Vertex and of generation 2.0.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from portico.simulator import grounding, logprobs, tokens
from portico.simulator.frames import Frame, Scribe
from portico.simulator.plan import Draft
from portico.simulator.refusal import Json
from portico.simulator.tokens import Tally
from portico.simulator.validate import Where


@dataclass(frozen=True)
class Reply:
    """One answer and what its envelope needs.

    `seal` is the hash of the request; `created` an RFC 3339 time or ""; `top` the number of top log probabilities, None for
    no log probabilities at all; `partial` whether streamed calls come argument by argument.
    """

    where: Where
    prompt: tokens.Prompt
    drafts: Sequence[Draft]
    seal: bytes
    tier: str = "standard"
    created: str = ""
    top: int | None = None
    partial: bool = False

    @property
    def response_id(self) -> str:
        return base64.urlsafe_b64encode(self.seal[:17]).decode().rstrip("=")

    def envelope(self, candidates: list[Json], usage: Json) -> Json:
        body: Json = {"candidates": candidates} if candidates else {}
        body |= {"usageMetadata": usage, "modelVersion": self.where.model.name}
        if self.created and self.where.vertex:
            body["createTime"] = self.created
        return body | {"responseId": self.response_id}

    def usage(self, spent: Tally, drafts: Sequence[Draft] = ()) -> Json:
        made: list[tuple[str, int]] = []
        detailed = self.where.vertex or self.where.model.generation < (2, 5) or any(one.media for one in drafts)
        if spent.visible and detailed:
            pictures = sum(one.media_tokens for one in drafts if one.media)
            kind = "AUDIO" if self.where.model.makes == "audio" else "IMAGE"
            made = [("TEXT", spent.visible - pictures), (kind, pictures)]
        return tokens.usage(self.prompt, spent, tier=self.tier, vertex=self.where.vertex, made=made)

    @property
    def _spent(self) -> Tally:
        return sum((one.spent(self.where.model) for one in self.drafts), Tally())

    def whole(self) -> Json:
        """The response of generateContent."""
        candidates = []
        for index, made in enumerate(self.drafts):
            frame = Frame(Scribe(self.where, made, self.seal[0] % 2).whole(), Tally(), last=True)
            candidate = self._candidate(index, frame, made, first=True)
            where = self.where
            if made.text and not made.calls and (where.vertex or where.model.generation <= (2, 0)):
                candidate["avgLogprobs"] = logprobs.average(made.text)
            candidates.append(candidate)
        return self.envelope(candidates, self.usage(self._spent, self.drafts))

    def events(self) -> Iterator[Json]:
        """The responses of streamGenerateContent, in order; the last of each candidate carries its finishReason."""
        streams = {
            index: Scribe(self.where, made, self.seal[0] % 2, self.partial).frames()
            for index, made in enumerate(self.drafts)
        }
        spent: dict[int, Tally] = {}
        while streams:
            for index in list(streams):
                frame, made = next(streams[index]), self.drafts[index]
                first, spent[index] = index not in spent, frame.spent
                if frame.last:
                    del streams[index]
                candidate = self._candidate(index, frame, made, first=first)
                if frame.last and made.calls and not self.where.model.generation < (3, 0):
                    candidate.pop("finishMessage", None)  # recorded: streams of generation 3 rarely say it
                done = not streams
                if self.where.vertex and not done:
                    usage: Json = {"trafficType": "ON_DEMAND"}
                else:
                    usage = self.usage(sum(spent.values(), Tally()), self.drafts if done else ())
                yield self.envelope([candidate], usage)

    def _candidate(self, index: int, frame: Frame, made: Draft, *, first: bool) -> Json:
        candidate: Json = {}
        if frame.parts:
            candidate["content"] = {"parts": frame.parts, "role": "model"}
        elif frame.last and made.finish == "MAX_TOKENS":
            candidate["content"] = {"role": "model"}
        elif frame.last and made.finish == "SAFETY":
            candidate["content"] = {}
        if frame.last:
            candidate["finishReason"] = made.finish
        where = self.where
        numbered = index or not (where.vertex or where.model.generation <= (2, 0))
        if numbered and frame.placed and not (made.work.after_calls and frame.last):
            candidate["index"] = index
        if frame.last:
            self._finish(candidate, made)
        self._rest_on(candidate, frame, made, first=first)
        if self.top is not None and frame.text:
            candidate["logprobsResult"] = logprobs.result(frame.text, self.top)
        return candidate

    def _finish(self, candidate: Json, made: Draft) -> None:
        message = made.message
        if made.calls and not self.where.vertex and self.where.model.generation > (2, 0) and not made.work.after_calls:
            message = message or "Model generated function call(s)."
        if message:
            candidate["finishMessage"] = message
        if made.ratings:
            candidate["safetyRatings"] = list(made.ratings)

    def _rest_on(self, candidate: Json, frame: Frame, made: Draft, *, first: bool) -> None:
        """The metadata of what the answer rests on."""
        found, old = made.work.evidence, not self.where.model.modern
        if found is not None and not made.calls:
            if not frame.last and old:
                candidate["groundingMetadata"] = {}
            elif frame.last and (found.sources or old):
                scored = self.where.model.generation <= (2, 0)
                candidate["groundingMetadata"] = grounding.metadata(found, made.text, salt=self.seal, scored=scored)
        if first and made.work.urls:
            candidate["urlContextMetadata"] = made.work.urls


def blocked(reply: Reply, reason: str) -> Json:
    """The response to a prompt that is not answered at all."""
    body = reply.envelope([], reply.usage(Tally()))
    return {"promptFeedback": {"blockReason": reason or "PROHIBITED_CONTENT"}} | body


def seal(*facts: Any) -> bytes:
    """The hash everything deterministic about an answer comes from."""
    return hashlib.sha256("\0".join(str(fact) for fact in facts).encode("utf-8", "surrogatepass")).digest()
