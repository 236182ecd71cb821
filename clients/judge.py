"""Whether a turn was what it should have been: each check, judged by the evidence and by what the client said.

The rule kept: a check passes only if the thing truly happened. The words of an answer are counted ones that stand nowhere
in the question; a file has content that was made up for the turn; the result of a tool is seen in the next question to the
model, with the signature that the model itself made; a picture is opened.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeVar

from clients.client import Client, Dialect, Said, Turn
from clients.evidence import Asked, Evidence, Logged

CHECKS: Final = ("text", "stream", "tool", "result", "image", "error")
OF_LIBRARIES: Final = ("parallel", "structured")
"""What is checked of libraries besides."""
DONE: Final = "[simulated] Done:"
"""How the simulator begins an answer to results of tools."""
AGAIN: Final = "[simulated] You said:"
"""How it begins an answer to anything else."""
COLOUR: Final = (200, 30, 90)
"""Of the picture that clients are given: all of it."""
PACE_S: Final = 0.03
"""Between the pieces of an answer of counted words, as the model gives them. The fewest are a dozen."""
_PIECES: Final = 3
"""So few pieces at least show that a stream came to whoever sees them."""
_OVER_S: Final = 0.2
"""What was held back and sent at once takes less, what was passed on as it came takes more."""
_COUNTED: Final = re.compile(r"\bword\d")
_NEAR: Final = 24
_One = TypeVar("_One", bound=Asked)
_WRONG: Final = 400


@dataclass(frozen=True)
class Outcome:
    """`not`: the client itself cannot do that, or is not there. The reason says so; of a failure it says what was seen."""

    state: Literal["passed", "failed", "not"]
    reason: str = ""


PASSED: Final = Outcome("passed")


class Wrong(Exception):
    """What was seen instead."""


@dataclass(frozen=True)
class Case:
    """A turn that is over. `words`: how many the answer has. `message`: what Portico says of a wrong model. `files`: what
    several calls at once are to write. `shaped`: the answer that is to come in its shape."""

    client: Client
    dialect: Dialect
    turn: Turn
    said: Said
    seen: Evidence
    words: int = 0
    message: str = ""
    files: Mapping[Path, str] = field(default_factory=dict)
    shaped: Mapping[str, object] = field(default_factory=dict)

    @property
    def calls(self) -> list[Logged]:
        """What was asked of the model in the dialect."""
        return [line for line in self.seen.logged if line.dialect == self.dialect and line.model == self.turn.model]


def judged(judge: Callable[[Case], None], case: Case) -> Outcome:
    try:
        judge(case)
    except Wrong as wrong:
        return Outcome("failed", " ".join(str(wrong).split())[:400])
    return PASSED


def text(case: Case) -> None:
    """The whole answer came, to a client that ended well."""
    _ended(case)
    _answered(case)
    _words(case)


def stream(case: Case) -> None:
    """The same, streamed: from the model, through Portico as it came, and where the client lets one see it, out of it."""
    text(case)
    if not any(line.stream for line in case.calls):
        raise Wrong("Portico was not asked for a stream")
    if not any(one.streams for one in _marked(case, case.seen.asked)):
        raise Wrong("the model was not asked for a stream")
    came = [one for one in _marked(case, case.seen.sent) if one.streams and one.status == 200]
    if not any(one.pieces >= _PIECES and one.over_s >= _OVER_S for one in came):
        how = ", ".join(f"in {one.pieces} piece(s) within {one.over_s} s" for one in came)
        raise Wrong(f"Portico's answer came {how or 'to no stream that was asked for'}")
    pieces = {"tells": case.said.pieces or 0, "prints": _printed(case.said), "ends": _PIECES}[case.client.pieces]
    if pieces < _PIECES:
        raise Wrong(f"the client gave its answer in {pieces} piece(s)")


def tool(case: Case) -> None:
    """A tool of the client's ran: the file is there, with the content that was asked for."""
    _answered(case)
    if not case.client.edits and not any(one.has_tools for one in case.seen.asked):
        raise Wrong(f"the model was offered no tools; {_tail(case.said)}")
    file = case.turn.file
    if file is None or not file.is_file():
        raise Wrong(f"no file was written; {_tail(case.said)}")
    if (content := file.read_text(encoding="utf-8", errors="replace").strip()) != case.turn.content:
        raise Wrong(f"the file says {content[:100]!r}, not {case.turn.content!r}")


def result(case: Case) -> None:
    """The model got the tool's result, beside its own signature, and its answer came to the client: in words, or as the
    value that its tool ran with."""
    _ended(case)
    _answered(case)
    if case.client.edits:
        _ran(case)
        return
    told = [one for one in case.seen.asked if one.results and one.status == 200]
    if not told:
        raise Wrong(f"the model got no result of a tool; {_tail(case.said)}")
    if case.turn.model.startswith("gemini-3"):
        if not any(one.is_gemini_3 for one in told):
            raise Wrong("no Gemini 3 model got the result")
        if unsigned := [name for one in told for name in one.unsigned]:
            raise Wrong(f"calls without the model's own signature: {', '.join(unsigned)}")
    if case.client.values:
        tool(case)
    elif DONE not in case.said.out:
        raise Wrong(f"no answer in words after the tool; {_tail(case.said)}")


def parallel(case: Case) -> None:
    """Several calls in one answer all ran, and the model got all their results at once, each beside its call."""
    result(case)
    for file, content in case.files.items():
        if not file.is_file() or file.read_text(encoding="utf-8", errors="replace").strip() != content:
            raise Wrong(f"{file.name} was not written as it should; {_tail(case.said)}")
    told = [one.results for one in case.seen.asked if one.results and one.status == 200]
    if min(told) < len(case.files):
        raise Wrong(f"the model got {min(told)} result(s) first, of {len(case.files)} calls")


def structured(case: Case) -> None:
    """The model was asked for an answer in a shape, and the client made a value of it that says what was asked."""
    _ended(case)
    _answered(case)
    if not any(f'"{name}"' in one.text for one in case.seen.asked for name in case.shaped):
        raise Wrong("no shape came to the model")
    try:
        value = json.loads(case.said.out)
    except ValueError:
        value = None
    if value != case.shaped:
        raise Wrong(f"the value is not {json.dumps(case.shaped)}; {_tail(case.said)}")


def _ran(case: Case) -> None:
    """The model got what a command printed that ran after the edit, and answered it."""
    printed = case.turn.content[::-1]
    if not any(printed in one.text and one.status == 200 for one in case.seen.asked):
        raise Wrong(f"the model did not get what the command printed; {_tail(case.said)}")
    if AGAIN not in case.said.out:
        raise Wrong(f"no answer in words after the command; {_tail(case.said)}")


def image(case: Case) -> None:
    """The picture came to the model, and looks as it did."""
    _ended(case)
    _answered(case)
    pictures = [picture for one in case.seen.asked if one.status == 200 for picture in one.pictures()]
    if not pictures:
        raise Wrong(f"the model got no picture; {_tail(case.said)}")
    for picture in pictures:
        width, height = picture.size
        pixel = picture.convert("RGB").getpixel((width // 2, height // 2))
        if isinstance(pixel, tuple) and all(abs(a - b) <= _NEAR for a, b in zip(pixel, COLOUR, strict=True)):
            break
    else:
        raise Wrong("the picture looks another")
    if "[simulated]" not in case.said.out:
        raise Wrong(f"no answer; {_tail(case.said)}")


def error(case: Case) -> None:
    """A model that is not there: Portico said so once for each try, and the client passes its words on. Nothing else was
    refused."""
    refused = [line for line in case.seen.logged if line.dialect == case.dialect and line.error]
    asked = [one for one in case.seen.sent if one.model == case.turn.model]
    if not refused or not asked:
        raise Wrong(f"Portico was not asked for {case.turn.model} in {case.dialect}; {_tail(case.said)}")
    if (answers := {line.status for line in refused} | {one.status for one in asked}) != {404}:
        raise Wrong(f"Portico answered {sorted(answers)}")
    if others := {one.model for one in case.seen.sent if one.status >= _WRONG} - {case.turn.model}:
        raise Wrong(f"Portico refused {', '.join(sorted(others))} as well")
    if not case.message:
        raise Wrong(f"{case.turn.model} is no wrong model")
    heard = _plain(case.said.out + case.said.err)
    if case.client.told_wrong:
        if not re.search(case.client.told_wrong.format(model=re.escape(case.turn.model)), heard):
            raise Wrong(f"it does not say so; {_tail(case.said)}")
    elif _plain(case.message) not in heard:
        raise Wrong(f"it does not pass on {case.message!r}; {_tail(case.said)}")


def _ended(case: Case) -> None:
    if case.said.code is None:
        raise Wrong(f"it did not end in time; {_tail(case.said)}")
    if case.said.code:
        raise Wrong(f"exit code {case.said.code}; {_tail(case.said)}")


def _answered(case: Case) -> None:
    if not case.calls:
        others = sorted({f"{line.method} {line.path} ({line.model} {line.status})" for line in case.seen.logged})
        raise Wrong(f"{case.dialect} was not asked for {case.turn.model} but {others}; {_tail(case.said)}")
    for line in case.seen.logged:
        if not 200 <= line.status < _WRONG:
            raise Wrong(
                f"Portico answered {line.status} to {line.method} {line.path}: {line.error}; {_tail(case.said)}"
            )
    if not any(one.status == 200 for one in case.seen.asked):
        raise Wrong("no model was asked")


def _marked(case: Case, requests: Iterable[_One]) -> list[_One]:
    return [one for one in requests if f"[[sim:words={case.words}]]" in one.text]


def _printed(said: Said) -> int:
    """In how many pieces the words of an answer were seen to appear."""
    return sum(bool(_COUNTED.search(part)) for part in said.grew)


def _words(case: Case) -> None:
    wanted = [f"word{number}" for number in range(case.words)]
    found = re.findall(r"\bword\d+\b", case.said.out)
    if not any(found[at : at + case.words] == wanted for at in range(len(found) - case.words + 1)):
        raise Wrong(f"{len(found)} of {case.words} words came; {_tail(case.said)}")


def _plain(text: str) -> str:
    """Words without what terminals and JSON put between them."""
    return " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\\[nt]|[\\\"'`│╭╮╰╯─]", " ", text).split())


def _tail(said: Said) -> str:
    return f"it said: {(said.out.strip()[-200:] + ' | ' + said.err.strip()[-200:]).strip()}"
