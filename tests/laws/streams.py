"""Google's bodies cut into streams, and recorded streams joined, written apart from the code under test.

Cutting follows what was recorded (traffic.md 3): a signature rides with the first piece of its text on 2.5 and on an empty
last piece on 3.x; here it stays with the first piece. Joining is a fold over plain JSON: parts are appended, adjacent
text of one kind is concatenated, later fields replace earlier ones, the last usage with a total counts.
"""

import copy
from typing import Any

CONSTANT = ("responseId", "modelVersion", "promptFeedback")
"""Told by the first frame that tells them."""


def _frame(body: dict[str, Any], candidates: list[dict[str, Any]], *, last: bool) -> dict[str, Any]:
    frame: dict[str, Any] = {"candidates": candidates}
    for key, value in body.items():
        if key == "candidates" or (key == "promptFeedback" and not last):
            continue
        if key == "usageMetadata" and not last:
            value = {"trafficType": value["trafficType"]} if "trafficType" in value else {}
        frame[key] = value
    return frame


def _stream(body: dict[str, Any], pieces: list[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Pieces of candidates as frames, then one with the endings."""
    originals = body.get("candidates") or []
    frames = []
    for position, part in pieces:
        index = originals[position].get("index", position)
        frames.append(_frame(body, [{"content": {"role": "model", "parts": [part]}, "index": index}], last=False))
    endings = []
    for position, candidate in enumerate(originals):
        ending = {key: value for key, value in candidate.items() if key != "content"}
        ending.setdefault("index", position)
        endings.append(ending)
    frames.append(_frame(body, endings, last=True))
    if not originals:
        del frames[-1]["candidates"]
    return frames


def _parts(body: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    return [
        (position, part)
        for position, candidate in enumerate(body.get("candidates") or [])
        for part in _whole_groups((candidate.get("content") or {}).get("parts") or [])
    ]


def _whole_groups(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for part in parts if part]


def cut_by_part(body: dict[str, Any]) -> list[dict[str, Any]]:
    """A body as a stream of one part a frame; calls that the provider answered itself stay in one frame."""
    if any("functionResponse" in part for _, part in _parts(body)):
        return [body]
    return _stream(body, _parts(body))


def cut_by_text(body: dict[str, Any], size: int) -> list[dict[str, Any]]:
    """The same with text cut into pieces of `size` characters."""
    if any("functionResponse" in part for _, part in _parts(body)):
        return [body]
    pieces: list[tuple[int, dict[str, Any]]] = []
    for position, part in _parts(body):
        text = part.get("text")
        if not text:
            pieces.append((position, part))
            continue
        for at in range(0, len(text), size):
            piece = {**part, "text": text[at : at + size]}
            if at:
                piece.pop("thoughtSignature", None)
            pieces.append((position, piece))
    return _stream(body, pieces)


def joined(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """A recorded stream as the one body it told."""
    body: dict[str, Any] = {}
    candidates: dict[int, dict[str, Any]] = {}
    usage: dict[str, Any] | None = None
    for frame in copy.deepcopy(frames):
        for position, candidate in enumerate(frame.pop("candidates", None) or []):
            index = candidate.get("index", position)
            _join_candidate(candidates.setdefault(index, {"index": index}), candidate)
        reported = frame.pop("usageMetadata", None)
        if reported and (usage is None or "totalTokenCount" in reported or "totalTokenCount" not in usage):
            usage = reported
        body.update({key: value for key, value in frame.items() if value is not None and key not in body})
        body.update({key: value for key, value in frame.items() if key not in CONSTANT})
    if candidates:
        body["candidates"] = [candidates[index] for index in sorted(candidates)]
    if usage is not None:
        body["usageMetadata"] = usage
    return body


def _join_candidate(into: dict[str, Any], candidate: dict[str, Any]) -> None:
    content = candidate.pop("content", None) or {}
    candidate.pop("index", None)
    parts = into.setdefault("content", {"role": "model", "parts": []})["parts"]
    for part in content.get("parts") or []:
        call = part.get("functionCall")
        if call is not None and _joins_call(parts, part, call):
            continue
        if part.get("text") == "" and set(part) == {"text"}:
            continue
        parts.append(part)
    into.update({key: value for key, value in candidate.items() if value not in ({}, [])})


def _joins_call(parts: list[dict[str, Any]], part: dict[str, Any], call: dict[str, Any]) -> bool:
    """Streamed arguments (traffic.md 3.11): pieces of simple paths, appended to the call that is open."""
    begins = bool(call.get("name"))
    if begins and not (call.get("willContinue") or call.get("partialArgs")):
        return False
    if begins:
        known = {key: call[key] for key in ("name", "id") if key in call}
        parts.append({**part, "functionCall": {**known, "args": {}}})
    if not parts or "functionCall" not in parts[-1]:
        return False
    args = parts[-1]["functionCall"].setdefault("args", {})
    for piece in call.get("partialArgs") or []:
        value = next((piece[key] for key in ("stringValue", "numberValue", "boolValue") if key in piece), None)
        _put(args, piece["jsonPath"], value)
    return True


def _put(args: dict[str, Any], path: str, value: Any) -> None:
    """A value at `$.a.b[0].c`; a string continues the string that stands there."""
    words = path.removeprefix("$.").replace("[", ".[").split(".")
    holder: Any = args
    for word, following in zip(words, [*words[1:], None], strict=True):
        key: Any = int(word[1:-1]) if word.startswith("[") else word
        if isinstance(holder, list):
            holder += [None] * (key + 1 - len(holder))
        there = holder[key] if isinstance(holder, list) else holder.get(key)
        if following is None:
            joins = isinstance(there, str) and isinstance(value, str)
            holder[key] = there + value if joins else value
        else:
            holder[key] = there if there is not None else [] if following.startswith("[") else {}
            holder = holder[key]
