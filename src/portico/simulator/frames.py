"""A draft as parts of the wire: all at once, or cut into the frames of a stream with what had been spent by then.

Facts kept from recorded traffic. Generation 3 signs the first call of a turn, or the text: whole answers on the last text
part, streams on a final frame with the text "". Generation 2.5 signs only where it thought and functions were declared, its
streamed text on the first piece. Where a tool ran on Google's side, generation 3 signs what it asked the tool and what a
search brought back, starts counting anew after it, and gives sums at the end; 2.5 counts on.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from portico.simulator import logprobs, partial, tokens
from portico.simulator.plan import Draft
from portico.simulator.refusal import Json
from portico.simulator.tokens import Tally
from portico.simulator.validate import Where

_BULK_PIECE = 64 * 1024
_FILLER = "simulated text, "


@dataclass(frozen=True)
class Frame:
    """Parts that come together, and the tally after them. `placed`: the candidate says its index."""

    parts: list[Json]
    spent: Tally
    last: bool = False
    placed: bool = True

    @property
    def text(self) -> str:
        """The visible text."""
        return "".join(part.get("text", "") for part in self.parts if not part.get("thought"))


@dataclass(frozen=True)
class Scribe:
    """Writes one draft. `parity` (of the request's hash) decides what Google does now this way, now that."""

    where: Where
    made: Draft
    parity: int
    partial: bool = False
    """Calls are streamed argument by argument."""

    # -- whole ------------------------------------------------------------------------------------------------------

    def whole(self) -> list[Json]:
        """Every part of the answer."""
        made = self.made
        parts: list[Json] = [{"text": made.thoughts, "thought": True}] if made.thoughts else []
        rounds = [part for asked, results in self._rounds() for part in (asked, *results)]
        calls = self._calls()
        if made.work.after_calls:
            return parts + calls + rounds
        parts += rounds
        text = (_FILLER * (made.bulk // len(_FILLER) + 1))[: made.bulk] if made.bulk else made.text
        if text:
            parts.append({"text": text} if made.calls else self._signed({"text": text}))
        parts += calls
        if made.media:
            parts.append(self._signed({"inlineData": made.media}))
        if not parts and made.finish == "STOP":
            parts = [{"text": ""}]
        return parts

    def _signed(self, part: Json, beside: int = 0) -> Json:
        model, made = self.where.model, self.made
        thoughtful = made.thought_tokens and model.generation >= (2, 5) and made.tooled
        if not (model.modern or thoughtful) or model.gemma or model.makes == "audio":
            return part
        return part | {"thoughtSignature": self.where.signer.sign(model.family, part, beside)}

    def _calls(self) -> list[Json]:
        parts: list[Json] = [{"functionCall": call} for call in self.made.calls]
        return [self._signed(parts[0], self.made.work.circulated), *parts[1:]] if parts else []

    def _rounds(self) -> Iterator[tuple[Json, list[Json]]]:
        """(what was asked, what came back) for each tool that shows."""
        for one in self.made.work.rounds:
            if not self.where.model.modern:
                yield one.asked, list(one.results)
            else:
                results = [self._signed(part) if "toolResponse" in part else part for part in one.results]
                yield self._signed(one.asked), results

    # -- stream -----------------------------------------------------------------------------------------------------

    def frames(self) -> Iterator[Frame]:
        """The frames of a stream; the last has the final tally."""
        made = self.made
        before = Tally() if made.work.searched and self.where.model.modern else Tally(thoughts=made.thought_tokens)
        if made.thoughts:
            half = len(made.thoughts) // 2
            for thought in (made.thoughts[:half], made.thoughts[half:]):
                if thought:
                    yield Frame([{"text": thought, "thought": True}], before)
        if made.work.after_calls:
            called = Tally(sum(tokens.of(call) for call in made.calls), made.first_thoughts)
            yield Frame(self._calls(), called)
            yield from self._working(Tally())
            yield Frame([{"text": ""}], made.spent(self.where.model), last=True)
            return
        yield from self._working(before)
        base = self._after_work()
        for parts, size, last in self._pieces():
            if last:
                yield Frame(parts, made.spent(self.where.model), last=True)
            else:
                yield Frame(parts, base + Tally(min(size, made.visible - made.coded)))

    def _working(self, before: Tally) -> Iterator[Frame]:
        """The frames of the tools that ran before, or beside, the answer."""
        made, modern = self.made, self.where.model.modern
        if modern and made.work.searched and not made.work.rounds:
            queries = made.work.evidence.queries if made.work.evidence else ()
            yield Frame([{"text": ""}], Tally(tokens.count("".join(queries)), made.first_thoughts))
        spent, thoughts = before, made.first_thoughts
        for asked, results in self._rounds():
            cost = tokens.of({key: value for key, value in asked.items() if key != "thoughtSignature"})
            spent = Tally(cost, thoughts) if modern else spent + Tally(cost)
            trailing = [{"text": ""}] if "toolCall" in asked and self.parity else []
            yield Frame([asked, *trailing], spent)
            thoughts = made.thought_tokens - made.first_thoughts
            if results:
                yield Frame(results, Tally() if modern else spent, placed=not modern)

    def _after_work(self) -> Tally:
        """What is counted before the first piece of the answer."""
        made = self.made
        if not made.work.searched:
            return Tally(thoughts=made.thought_tokens)
        if self.where.model.modern:
            return Tally(thoughts=made.thought_tokens - made.first_thoughts)
        return Tally(made.coded, made.thought_tokens, made.work.tool_tokens)

    def _pieces(self) -> Iterator[tuple[list[Json], int, bool]]:
        """(parts, visible tokens so far, whether it is the last) for each frame of the answer itself."""
        made, modern = self.made, self.where.model.modern
        body = list(self._tail()) if made.calls or made.media else []
        size, first = 0, True
        held: list[Json] | None = None
        for piece in _text_pieces(made):
            part: Json = {"text": piece}
            if first and not modern and not made.calls:
                part = self._signed(part)
            if held is not None:
                yield held, size, False
            size += tokens.count(piece)
            held, first = [part], False
        if held is not None and (modern or body):
            yield held, size, False
            held = None
        for number, parts in enumerate(body):
            size += sum(tokens.of(part["functionCall"]) if "functionCall" in part else 0 for part in parts)
            if number == len(body) - 1 and made.calls and (self.partial or not modern):
                held = parts
            else:
                yield parts, size, False
        if held is None and modern and made.finish in ("STOP", "MAX_TOKENS", "SAFETY") and made.visible:
            closing: Json = {"text": ""}
            held = [closing if made.calls or made.media else self._signed(closing)]
        if held is None and made.finish == "STOP" and not made.media:
            held = [{"text": ""}]
        yield held or [], size, True

    def _tail(self) -> Iterator[list[Json]]:
        calls = self._calls()
        if self.partial:
            for part in calls:
                others = {key: value for key, value in part.items() if key != "functionCall"}
                first, *rest = partial.pieces(part["functionCall"])
                yield [{"functionCall": first} | others]
                for piece in rest:
                    yield [{"functionCall": piece}]
        elif calls and self.parity:
            yield calls
        else:
            for part in calls:
                yield [part]
        if self.made.media:
            yield [self._signed({"inlineData": self.made.media})]


def _text_pieces(made: Draft) -> Iterator[str]:
    if made.bulk:
        piece = (_FILLER * (_BULK_PIECE // len(_FILLER)))[:_BULK_PIECE]
        left = made.bulk
        while left > 0:
            yield piece[:left]
            left -= _BULK_PIECE
        return
    size, piece = max(24, len(made.text) // 200), ""
    for token in logprobs.split(made.text):
        if piece and len(piece) + len(token) > size:
            yield piece
            piece = ""
        piece += token
    if piece:
        yield piece
