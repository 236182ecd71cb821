"""Parts: the units of content that every dialect can be read into and written from.

A part is a small frozen value. What only one vendor has a word for rides in `ext`, tagged with that vendor's dialect
(`{"gemini": {"videoMetadata": …}}`); `ext` never repeats what the neutral fields say. What nobody understands is `Opaque`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

Ext: TypeAlias = Mapping[str, Mapping[str, Any]] | None
"""Origin-tagged extras: dialect name -> that dialect's own fields, spelt as that dialect spells them."""


class Signature(msgspec.Struct, frozen=True):
    """A sealed blob that lets a model go on from its own hidden thoughts (mapping.md 2.4).

    It belongs to exactly the part it came with. `origin` is the vendor that can read it (`google`, `anthropic`, `openai`);
    `data` is the blob as it stood on the wire; `signer` says who made it (`Target.signer`), where that is known.
    """

    origin: str
    data: str
    signer: str | None = None


class Text(msgspec.Struct, frozen=True):
    """Visible text. An empty one is only worth keeping for its signature."""

    text: str
    signature: Signature | None = None
    ext: Ext = None


class Reasoning(msgspec.Struct, frozen=True):
    """Thought text, or the summary of it that a provider is willing to show.

    `redacted`: the provider shows none of it, and the signature is all there is (Anthropic's `redacted_thinking`).
    """

    text: str
    signature: Signature | None = None
    ext: Ext = None
    redacted: bool = False


class Media(msgspec.Struct, frozen=True):
    """An image, a document, audio or video: inline (`data`, base64 exactly as it came) or by address (`uri`).

    `mime` may be None when only an address is known. `thought` marks a draft that the model made while thinking.
    """

    mime: str | None
    data: str | None = None
    uri: str | None = None
    name: str | None = None
    detail: str | None = None
    thought: bool = False
    signature: Signature | None = None
    ext: Ext = None


class ToolCall(msgspec.Struct, frozen=True):
    """The model asks for a tool to be run.

    `arguments` is JSON text, kept as it was written so that sending it again is byte-identical (provider caches depend on
    it). `id` pairs call and result within a conversation; `minted` says that the wire had none and we made it up.
    `upstream_id` is the id the provider knows this call by when that differs. `kind` is `function`, or `custom` for a
    tool that takes free text (then `arguments` is that text).
    """

    id: str
    name: str
    arguments: str
    kind: str = "function"
    minted: bool = False
    upstream_id: str | None = None
    signature: Signature | None = None
    ext: Ext = None


class ToolResult(msgspec.Struct, frozen=True):
    """What a tool answered. Text parts are its text; media parts come beside it.

    `structured` says that the text is the JSON of an object which the sender sent as an object and not as text.
    """

    call_id: str
    name: str
    parts: tuple["Text | Media", ...]
    structured: bool = False
    is_error: bool = False
    ext: Ext = None


class Opaque(msgspec.Struct, frozen=True):
    """A part only its own dialect understands, kept whole: `value` is the wire form, qualifiers and signature included."""

    origin: str
    value: Mapping[str, Any]
    said: bool = False
    """Other fields of the request say the same: whoever leaves the part out loses nothing."""


Part: TypeAlias = Text | Reasoning | Media | ToolCall | ToolResult | Opaque


def text_of(parts: Iterable[Part]) -> str:
    """The visible text of some parts, joined without separators (mapping.md 2.2)."""
    return "".join([part.text for part in parts if isinstance(part, Text)])
