"""A conversation as Google reads it: adjacent contents of one role are one turn.

The current turn is everything after the last content in which a user really speaks; tool results are not speech.

Agents add words of their own to what a user says: which sessions are active, what lies in the folder. What they fence off
(`<<<BEGIN X>>> … <<<END X>>>`, or an element whose name says context, environment or reminder) is speech to Google's rules,
but it asks nothing: what was asked stands outside of it, be it before the results of tools.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from portico.simulator.refusal import Json

MODEL_ROLES = {"MODEL", "ASSISTANT"}
_FENCED = re.compile(
    r"<<<BEGIN[^<>]*>>>.*?<<<END[^<>]*>>>|<([\w-]*(?:context|environment|reminder)[\w-]*)>.*?</\1>", re.DOTALL
)


@dataclass
class Turn:
    """Adjacent contents of one side. `positions` are the 1-based numbers of the contents, one per part."""

    model: bool
    parts: list[Json] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    def having(self, member: str) -> list[Json]:
        """The parts that carry this data member."""
        return [part for part in self.parts if member in part]

    @property
    def speaks(self) -> bool:
        """Whether a user says something here: any part but a tool result or an empty text."""
        return not self.model and any("functionResponse" not in part and part.get("text") != "" for part in self.parts)

    @property
    def words(self) -> str:
        """The text of it that no agent fenced off as its own."""
        texts = (_FENCED.sub("", part["text"]).strip() for part in self.parts if part.get("text"))
        return "\n".join(text for text in texts if text)

    @property
    def asks(self) -> bool:
        """Whether a user asks something here: words of the user's own, or a picture, a sound, a file."""
        shown = any("functionResponse" not in part and "text" not in part for part in self.parts)
        return not self.model and (shown or bool(self.words))


def turns(contents: Sequence[Json]) -> list[Turn]:
    """The contents (as `grammar.read` returns them), joined into turns."""
    result: list[Turn] = []
    for number, content in enumerate(contents, start=1):
        model = content.get("role", "").upper() in MODEL_ROLES
        if not result or result[-1].model is not model:
            result.append(Turn(model))
        for part in content.get("parts", []):
            result[-1].parts.append(part)
            result[-1].positions.append(number)
    return result


def current(conversation: Sequence[Turn]) -> Sequence[Turn]:
    """The turns after the last one in which the user speaks: the steps of the tool loop in hand."""
    for index in range(len(conversation) - 1, -1, -1):
        if conversation[index].speaks:
            return conversation[index + 1 :]
    return conversation


def last_words(conversation: Sequence[Turn]) -> str:
    """The text of the last turn in which the user asks something."""
    return next((turn.words for turn in reversed(conversation) if turn.asks), "")


def steps(conversation: Sequence[Turn]) -> Iterator[Turn]:
    """The model turns with calls of the current turn."""
    return (turn for turn in current(conversation) if turn.model and turn.having("functionCall"))


def calls_since_asked(conversation: Sequence[Turn]) -> int:
    """How many turns the model has spent on calls for what was asked last."""
    done = 0
    for turn in reversed(conversation):
        if turn.asks:
            break
        done += turn.model and bool(turn.having("functionCall"))
    return done


def results(conversation: Sequence[Turn]) -> list[Json]:
    """What tools have answered since the model last did, be it that the user has spoken since: agents add words of their
    own behind results (OpenClaw: which of its sessions are active), and mean no new question by them."""
    found: list[Json] = []
    for turn in reversed(conversation):
        if turn.model and not turn.having("functionCall"):
            break
        found[:0] = [part["functionResponse"] for part in turn.having("functionResponse")]
    return found
