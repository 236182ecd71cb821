"""What a client sent, reduced to its shape: keys, kinds, names, ids and schemas stay, words become filler of ours.

    python -m clients --only codex --record FOLDER      leaves FOLDER/codex-responses.jsonl and the like
    python -m clients.shape FOLDER/*.jsonl              writes tests/clients/requests/codex-responses.json and the like

What a client says to a model, its instructions and its descriptions of tools, is the client's own: none of it is kept.
What the simulator said and called stays, and so do its signatures, which hold for nothing else, and our own prompts. Of
requests of one shape the first is kept; texts are cut to a few hundred letters, and pictures become a small one.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from clients.evidence import Json, objects

CASES: Final = Path(__file__).parent.parent / "tests" / "clients" / "requests"
LONGEST: Final = 160
MOST_BYTES: Final = 60_000
_SAID: Final = (
    "a door stands open and the rain keeps off the stones while somebody counts the columns twice then goes in to ask "
    "what the house is called who built it and which of its rooms are let today"
)
_PICTURE: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR4nGM8IRfFgA0wYRUdtBIA/vYBUA+HjJUAAAAASUVORK5CYII="
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}\Z")
_PLAIN: Final = re.compile(r"[\w.:/+=@*$,;()\[\]{}^|?\\-]{0,200}\Z")
"""No words: a name, an id, a kind, a pattern, a signature."""
_OURS: Final = re.compile(r"\[\[sim:|portico-[0-9a-f]{12}|What is in this picture\?")
"""In prompts of ours."""
_SIMULATED: Final = re.compile(r"\[simulated\]|\*\*Considering the request\*\*")
_FOLDERS: Final = re.compile(r"(?<![\w.])/(?:tmp|root|home|work)/[\w./-]*|file:///?[\w./%-]+")
_CALLED: Final = {"tool_use": "input", "custom_tool_call": "input", "redacted_thinking": "data"}
"""Where the arguments of a call stand, which the simulator made of a prompt of ours, beside `arguments`; and where sealed
thoughts do, which are whole or worth nothing."""
_SCHEMAS: Final = frozenset({"properties", "$defs", "definitions"})
"""Whose members are named by the client: one called `arguments` is no call's."""
_TALK: Final = frozenset({"description", "instructions", "title", "comment"})
_DROPPED: Final = frozenset({"host", "content-length", "connection", "transfer-encoding", "traceparent"})


def shape_of(request: Json) -> Json:
    """One recorded request."""
    headers = {name: _own(value) for name, value in request["headers"].items() if name not in _DROPPED}
    asked = {name: request[name] for name in ("method", "path", "query")}
    return {**asked, "headers": headers, "body": _shaped(request["body"], "")}


def _shaped(value: Any, key: str) -> Any:
    if key in ("functionCall", "function_call"):
        return value
    match value:
        case dict():
            kept = "" if key in _SCHEMAS else _CALLED.get(str(value.get("type"))) or "arguments"
            return {name: inner if name == kept else _shaped(inner, name) for name, inner in value.items()}
        case list():
            return [_shaped(inner, key) for inner in value]
        case str():
            return _text(value, key)
        case _:
            return value


def _text(text: str, key: str) -> str:
    if (key == "data" and _BASE64.match(text)) or text.startswith("data:"):
        return f"data:image/png;base64,{_PICTURE}" if text.startswith("data:") else _PICTURE
    if text[:1] == "{" and text[-1:] == "}":
        try:
            return json.dumps(_shaped(json.loads(text), ""), ensure_ascii=False)
        except ValueError:
            return filler(len(text))
    if _is_blob(text, key) or (_SIMULATED.match(text) and len(text) < LONGEST):
        return text
    if _OURS.search(text):
        return "\n".join(line if _OURS.search(line) else filler(len(line)) for line in text.split("\n"))[-4 * LONGEST :]
    if key not in _TALK and _PLAIN.match(text) and not _FOLDERS.search(text):
        return text
    return filler(len(text))


def _is_blob(text: str, key: str) -> bool:
    """A signature: it means something to whoever made it, and nothing to a reader."""
    return key.lower().replace("_", "") in ("thoughtsignature", "signature", "encryptedcontent") and " " not in text


def filler(length: int) -> str:
    """Words of ours, as long as was wanted, up to a limit."""
    wanted = min(length, LONGEST)
    made = ""
    for word in cycle(_SAID.split()):
        if len(made) >= wanted:
            return made[:wanted]
        made += f"{word} "
    return made


def _own(value: str) -> str:
    return _FOLDERS.sub("/somewhere", value)


def outline(request: Json) -> str:
    """What makes two requests the same: everything but the words, and the model, in whose place each case puts others."""
    path = re.sub(r"/models/[^/:]+:", "/models/any:", request["path"])
    return json.dumps([request["method"], path, [*_kinds({**request["body"], "model": None}, "")]])


def _kinds(value: Any, at: str) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _kinds(inner, f"{at}.{name}")
        case list():
            for inner in value:
                yield from _kinds(inner, f"{at}[]")
        case str() if at.endswith((".type", ".role", ".model", ".name")):
            yield f"{at}={value}"
        case _:
            yield at


def case_of(lines: list[Json]) -> list[Json]:
    """The requests of one file that are worth keeping: those with a body, each shape once. One for a wrong model is none,
    and one that names what was kept elsewhere holds only there."""
    kept: dict[str, Json] = {}
    for line in lines:
        if isinstance(line["body"], dict) and not _is_of_its_place(line):
            shaped = shape_of(line)
            kept.setdefault(outline(shaped), shaped)
    return _fitting([*kept.values()])


def _is_of_its_place(line: Json) -> bool:
    if any(len(told) > 2 * LONGEST for told in _arguments(line["body"])):
        return True  # a call into which the simulator took words of the client's
    if "no-such-model" in json.dumps([line["path"], line["body"].get("model")]):
        return True
    return bool(line["body"].get("previous_response_id")) or '"item_reference"' in json.dumps(line["body"])


def _arguments(body: Json) -> Iterator[str]:
    for one in objects(body):
        for told in (one.get("arguments"), (one.get("functionCall") or one.get("function_call") or {}).get("args")):
            yield json.dumps(told)
        if str(one.get("type")) in _CALLED:
            yield json.dumps(one.get(_CALLED[one["type"]]))


def _fitting(requests: list[Json]) -> list[Json]:
    """As many as fit; those with results of tools and pictures come before those of words alone."""
    order = sorted(requests, key=lambda one: -len({*_kinds(one["body"], "")}))
    chosen: list[Json] = []
    for request in order:
        if len(json.dumps([*chosen, request], ensure_ascii=False).encode()) < MOST_BYTES - 1000:
            chosen.append(request)
    return [request for request in requests if request in chosen]


def _written(case: list[Json]) -> str:
    """A request on a line."""
    lines = [json.dumps(request, ensure_ascii=False, separators=(",", ":")) for request in case]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--into", type=Path, default=CASES)
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    for file in options.files:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        case = case_of(lines)
        target = options.into / f"{file.stem}.json"
        target.write_text(_written(case), encoding="utf-8")
        print(f"{target}: {len(case)} of {len(lines)} requests, {target.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
