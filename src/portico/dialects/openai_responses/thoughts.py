"""Reasoning items <-> thoughts and signatures (mapping.md 7.4).

One summary entry is one `Reasoning` part; those of one item share its id in `ext`. Clients print summaries under each
other, so an entry that follows another begins with an empty line where it stands among other text; an item of ours that is
told again loses that line. What an item seals belongs to its last thought: OpenAI's own blob as it is, anybody else's in an
envelope. An envelope in an item without a summary belongs to the call it names, or to the text behind it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from portico.core.envelope import unwrapped, wrapped
from portico.core.parts import Ext, Reasoning, Signature
from portico.dialects.openai.checks import array_at, object_at, optional_string, string_at
from portico.dialects.openai_responses.content import ORIGIN

VENDOR: Final = "openai"
BETWEEN: Final = "\n\n"
FULL: Final = "content"
"""Marks thoughts that are told in full (`reasoning_text`), not summed up."""
_TEXTS: Final[Mapping[str, str]] = {"summary": "summary_text", FULL: "reasoning_text"}
"""The types of entries that are texts."""
REDACTED: Final = "redacted_thinking"
"""What an envelope calls a seal of which nothing may be shown: Anthropic has a block of its own for it."""


class Sealed:
    """A reasoning item, read: its thoughts, and a signature that belongs to something behind it."""

    __slots__ = ("call", "parts", "signature")

    def __init__(self, parts: list[Reasoning], signature: Signature | None = None, call: str = "") -> None:
        self.parts = parts
        self.signature = signature
        self.call = call
        """The id of the call (or picture) that `signature` belongs to; "" for the text that follows."""


def parse_reasoning(item: Mapping[str, Any]) -> Sealed:
    """A reasoning item. Raises `InvalidRequest` with the path below the item."""
    id_ = optional_string(item.get("id"), ".id")
    parts = [
        Reasoning((BETWEEN if place else "") + text, ext=thought_ext(id_, full=member == FULL))
        for member, place, text in entries_of(item)
    ]
    blob = optional_string(item.get("encrypted_content"), ".encrypted_content")
    if not blob:
        return Sealed(parts or [Reasoning("", ext=thought_ext(id_))])
    enclosed = unwrapped(blob)
    if enclosed is None:
        return Sealed(sealed_by(parts, Signature(VENDOR, blob), thought_ext(id_)))
    if parts or enclosed.signature.origin != "google":
        redacted = enclosed.call == REDACTED
        return Sealed(sealed_by(parts, enclosed.signature, thought_ext(id_), redacted=redacted))
    return Sealed([], enclosed.signature, enclosed.call)


def sealed_by(parts: list[Reasoning], signature: Signature, ext: Ext, *, redacted: bool = False) -> list[Reasoning]:
    """The thoughts with a signature on the last of them."""
    if not parts:
        return [Reasoning("", signature, ext, redacted)]
    last = parts[-1]
    return [*parts[:-1], Reasoning(last.text, signature, last.ext, redacted)]


def thought_ext(id_: str | None, *, full: bool = False) -> Ext:
    """What a thought keeps of its item."""
    fields: dict[str, Any] = {"id": id_} if id_ else {}
    if full:
        fields[FULL] = True
    return {ORIGIN: fields} if fields else None


def entries_of(item: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """The texts of a reasoning item, each with its member and its place there; an entry of a type that nobody here knows is
    none."""
    for member in ("summary", FULL):
        for place, entry in enumerate(array_at(item.get(member) or [], f".{member}")):
            path = f".{member}[{place}]"
            fields = object_at(entry, path)
            if "text" in fields or fields.get("type", _TEXTS[member]) == _TEXTS[member]:
                yield member, place, string_at(fields.get("text"), f"{path}.text")


def own_fields(ext: Ext) -> Mapping[str, Any]:
    """What a part keeps of its item."""
    return (ext or {}).get(ORIGIN, {})


def seal(signature: Signature, *, call: str = "", redacted: bool = False) -> str:
    """A signature as `encrypted_content`: OpenAI's as it is, any other in an envelope."""
    if signature.origin == VENDOR:
        return signature.data
    return wrapped(signature, REDACTED if redacted else call)
