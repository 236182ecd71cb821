"""What truly happened in a turn: what came to Portico and how it answered, what it logged, and what the models behind it
were asked.

Of a model's request only that is read which says whether a turn is what it seems: is it streamed, are there tools, results
of tools, pictures, thought signatures.
"""

import base64
import binascii
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

from portico.simulator.models import find
from portico.simulator.signatures import Signer, skips

_SIGNER: Final = Signer(0)
"""The simulator's own: signers of one seed agree."""
_RESULTS: Final = ("function_call_output", "custom_tool_call_output", "tool_result")
_SPELLINGS: Final = {
    "function_call": "functionCall",
    "function_response": "functionResponse",
    "inline_data": "inlineData",
    "thought_signature": "thoughtSignature",
}
Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request to the simulator, and the status it answered."""

    path: str
    body: Json
    status: int

    @property
    def model(self) -> str:
        """As it is named: in Gemini's path, in the others' body."""
        _, named, rest = self.path.partition("/models/")
        return rest.rpartition(":")[0] if named else str(self.body.get("model", ""))

    @property
    def text(self) -> str:
        return json.dumps(self.body, ensure_ascii=False)

    @property
    def streams(self) -> bool:
        return "streamGenerateContent" in self.path or self.body.get("stream") is True

    @property
    def has_tools(self) -> bool:
        return any(one.get("tools") for one in (self.body, *_items(self.body)))

    @property
    def is_gemini_3(self) -> bool:
        return "/models/gemini-3" in self.path

    @property
    def results(self) -> int:
        """Results of tools in it, in whichever dialect."""
        return sum(
            "functionResponse" in one or one.get("type") in _RESULTS or _is_tool(one) for one in objects(self.body)
        )

    @property
    def unsigned(self) -> list[str]:
        """Calls of Gemini whose step has no signature that the model itself made for it. The first call of a step carries
        it. Here that is looked at in every turn; the simulator, like Google, looks at the current one only."""
        wrong = []
        model = find(self.model)
        for content in self.body.get("contents", []):
            calls = [part for part in content.get("parts", []) if "functionCall" in part]
            if calls and not (model and _signed(model.family, calls[0])):
                wrong.append(str(calls[0]["functionCall"].get("name")))
        return wrong

    def pictures(self) -> Iterator["Image.Image"]:
        """The pictures in it, in whichever dialect."""
        for one in objects(self.body):
            if (blob := one.get("inlineData")) is not None:
                yield from _opened(blob.get("data"))
            elif one.get("type") == "base64":
                yield from _opened(one.get("data"))
            elif one.get("type") == "input_image":
                yield from _opened(_data_of(one.get("image_url")))
            elif one.get("type") == "image_url":
                yield from _opened(_data_of((one.get("image_url") or {}).get("url")))


@dataclass(frozen=True)
class Sent(Asked):
    """One request of the client's, as it came by on its way to Portico. `pieces`: in how many reads the body of the answer
    came, `over_s` apart from the first to the last."""

    pieces: int
    over_s: float


@dataclass(frozen=True)
class Logged:
    """One line of Portico's access log."""

    method: str
    path: str
    status: int
    dialect: str
    model: str
    stream: bool
    user_agent: str
    error: str


@dataclass(frozen=True)
class Evidence:
    """Everything that happened since a moment."""

    logged: tuple[Logged, ...]
    asked: tuple[Asked, ...]
    sent: tuple[Sent, ...]


def read_logged(lines: bytes) -> tuple[Logged, ...]:
    made = []
    for line in map(json.loads, lines.splitlines()):
        words = (str(line.get(key, "")) for key in ("user_agent", "error"))
        made.append(
            Logged(
                line["method"],
                line["path"],
                line["status"],
                line.get("dialect", ""),
                line.get("model", ""),
                bool(line.get("stream")),
                *words,
            )
        )
    return tuple(made)


def read_asked(lines: bytes) -> tuple[Asked, ...]:
    return tuple(Asked(one["path"], _spelled(one["body"]), one["status"]) for one in _with_body(lines))


def read_sent(lines: bytes) -> tuple[Sent, ...]:
    return tuple(
        Sent(one["path"], _spelled(one["body"]), one["status"], one["pieces"], one["over_s"])
        for one in _with_body(lines)
    )


def _with_body(lines: bytes) -> list[Json]:
    told = [json.loads(line) for line in lines.splitlines()]
    return [one for one in told if isinstance(one["body"], dict)]


def _spelled(body: Json) -> Json:
    """Gemini's parts in one spelling: its API takes `function_call` for `functionCall`, and some clients say it so."""
    contents = body.get("contents")
    if not isinstance(contents, list):
        return body
    told = [
        {**content, "parts": [{_SPELLINGS.get(name, name): value for name, value in part.items()} for part in parts]}
        if isinstance(content, dict) and isinstance(parts := content.get("parts"), list)
        else content
        for content in contents
    ]
    return {**body, "contents": told}


def tail(path: Path, offset: int) -> bytes:
    """The whole lines of a file from an offset on."""
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read()
    return data[: data.rfind(b"\n") + 1]


def objects(value: Any) -> Iterator[Json]:
    """Every JSON object in a value."""
    match value:
        case dict():
            yield value
            for inner in value.values():
                yield from objects(inner)
        case list():
            for inner in value:
                yield from objects(inner)


def _items(body: Json) -> list[Json]:
    """The items of a Responses body, which may bring tools of their own."""
    items = body.get("input")
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _is_tool(one: Json) -> bool:
    return one.get("role") == "tool" and "tool_call_id" in one


def _signed(family: str, part: Json) -> bool:
    signature = part.get("thoughtSignature") or ""
    if not signature or skips(signature):
        return False
    return _SIGNER.verifies(family, part)


def _data_of(url: object) -> str:
    return url.partition(";base64,")[2] if isinstance(url, str) else ""


def _opened(data: object) -> Iterator["Image.Image"]:
    if not isinstance(data, str) or not data:
        return
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(data.replace("-", "+").replace("_", "/"))))
        picture.load()
    except (binascii.Error, ValueError, UnidentifiedImageError, OSError):
        return
    yield picture
