"""Whether a gateway's answer is the whole answer: every word of it, and the end of its stream.

A gateway that drops or shortens something would be fast for nothing; before a row is measured, one answer is read.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from bench.load import Ask, Line, body_of
from bench.upstream import EVENT_TEXT
from bench.workloads import LARGE_TEXT, TEXT

_TIME = re.compile(r"\d{10}\.\d{6}")


def prove_whole(ask: Ask, *, large: bool = False) -> None:
    """Raises `RuntimeError` unless the answer says all that the provider said."""
    answer = _answer(ask)
    said = "".join(_texts(msgspec.json.decode(body_of(answer))))
    wanted = LARGE_TEXT if large else TEXT
    if said != wanted:
        raise RuntimeError(f"its answer has {len(said)} characters of {len(wanted)}: {said[:100]!r}")


def prove_stream(ask: Ask, *, events: int) -> None:
    """Raises `RuntimeError` unless the stream tells the text of all events, and that they were all."""
    body = body_of(_answer(ask))
    told = [line.removeprefix(b"data:").strip() for line in body.splitlines() if line.startswith(b"data:")]
    frames = [msgspec.json.decode(data) for data in told if data != b"[DONE]"]
    said = _TIME.sub("", "".join(text for one in frames for text in _texts(one)))
    wanted = _TIME.sub("", EVENT_TEXT) * events
    if said != wanted:
        raise RuntimeError(f"its stream has {len(said)} characters of {len(wanted)}: {said[:100]!r}")
    if not any(_finishes(one) for one in frames):
        raise RuntimeError("its stream has no finish reason")


def _answer(ask: Ask) -> bytes:
    line = Line(ask)
    try:
        return line.answer()
    finally:
        line.close()


def _texts(body: Any) -> Iterator[str]:
    """What an answer or an event says, in either API."""
    for candidate in body.get("candidates") or ():
        yield from (part.get("text", "") for part in candidate.get("content", {}).get("parts") or ())
    for choice in body.get("choices") or ():
        yield (choice.get("message") or choice.get("delta") or {}).get("content") or ""


def _finishes(body: Any) -> bool:
    reasons = [one.get("finishReason") for one in body.get("candidates") or ()]
    return any([*reasons, *(one.get("finish_reason") for one in body.get("choices") or ())])
