"""Content blocks of Anthropic's -> parts (mapping.md 7.1, 7.4).

Order is kept. A block that only Anthropic understands (a tool that it ran, and what came of it) is `Opaque`; one that
nobody here knows is too. A sealed blob of another vendor, which came here in an envelope, goes back to the part it
belongs to.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from portico.core.envelope import unwrapped
from portico.core.errors import InvalidRequest
from portico.core.foreign import SOURCES_ORIGIN
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall, ToolResult
from portico.dialects.anthropic_messages.checks import array_at, missing, object_at, string_at, wrong_type
from portico.dialects.anthropic_messages.searching import is_ours, queries_of, without_our_sources
from portico.dialects.anthropic_messages.words import ORIGIN, VENDOR, ext_of
from portico.wire import jsontext

Block: TypeAlias = Mapping[str, Any]
_PLAIN_TEXT: Final = "text/plain"
DEEPEST: Final = 8
_DIRECT: Final = {"type": "direct"}
"""The model itself calls, and no code of its: what a call without a `caller` says, too."""
"""Blocks inside blocks: Anthropic has a document of text inside a result, which is three."""


class Blocks:
    """Reads the blocks of one conversation: results are told the names of their calls, sealed blobs find their parts."""

    def __init__(self, signer: str | None = None, depth: int = 0) -> None:
        """`signer`: who made Anthropic's own blobs, where that is known (an answer's). `depth`: inside so many blocks."""
        self._signer = signer
        self._depth = depth
        self._names: dict[str, str] = {}
        self._sealed: dict[str, Signature] = {}
        """Call id -> a signature that came before it, in an envelope."""
        self._next: Signature | None = None
        """The same for a text."""
        self.marked: str | None = None
        """Where the first block stands that says that the prompt may be cached up to it."""
        self.searches: list[str] = []
        """What was searched for by blocks of ours."""

    def content(self, value: Any, path: str) -> list[Part]:
        """A message's content: text, or a list of blocks. Raises `InvalidRequest`."""
        if isinstance(value, str):
            return [Text(value)]
        if not isinstance(value, list):
            raise wrong_type(path, "a string or an array", value)
        parts: list[Part] = []
        for at, block in enumerate(value):
            if (plain := self._plain(block)) is not None:
                parts.append(plain)
            else:
                parts += self.block(block, f"{path}.{at}")
        return parts if self._next is None else [*parts, *self.rest()]

    def _plain(self, block: Any) -> Part | None:
        """The part that `block` makes of a text, a call or a result of text that says no more, as most blocks of an agent.
        None for anything else, and then nothing has changed."""
        if type(block) is not dict:
            return None
        kind, members = block.get("type"), len(block)
        if kind == "text":
            text = block.get("text")
            return Text(text) if members == 2 and type(text) is str and self._next is None else None
        if kind == "tool_use":
            id_, name, given = block.get("id"), block.get("name"), block.get("input")
            if members != 4 or type(id_) is not str or type(name) is not str or type(given) is not dict or self._sealed:
                return None
            self._names[id_] = name
            return ToolCall(id_, name, jsontext.dumps(given))
        if kind != "tool_result" or self._depth >= DEEPEST:
            return None
        id_, content = block.get("tool_use_id"), block.get("content")
        if type(id_) is not str or members != 3 + ("is_error" in block):
            return None
        if type(content) is not str and type(content) is not list:
            return None
        said: list[Text] = [Text(content)] if type(content) is str else []
        for item in () if said else content:
            if type(item) is not dict or len(item) != 2 or item.get("type") != "text":
                return None
            text = item.get("text")
            if type(text) is not str:
                return None
            said.append(Text(text))
        return ToolResult(id_, self._names.get(id_, ""), tuple(said), is_error=block.get("is_error") is True)

    def block(self, block: Any, path: str) -> list[Part]:
        """One of its blocks: mostly one part."""
        fields = object_at(block, path)
        kind = fields.get("type")
        if self.marked is None and fields.get("cache_control") is not None:
            self.marked = f"{path}.cache_control"
        if kind is None:
            raise missing(f"{path}.type")
        read = _READERS.get(kind) if isinstance(kind, str) else None
        return [Opaque(ORIGIN, dict(fields))] if read is None else read(self, fields, path)

    def rest(self) -> list[Part]:
        """What is left when there are no more blocks: a signature whose text did not come is one of nothing."""
        signature, self._next = self._next, None
        return [] if signature is None else [Text("", signature)]

    # -- one reader for each type

    def read_text(self, block: Block, path: str) -> list[Part]:
        text = string_at(_needed(block, "text", path), f"{path}.text")
        signature, self._next = self._next, None
        if len(block) == 2:
            return [Text(text, signature)]
        if (cited := block.get("citations")) is not None:
            block = {**block, "citations": without_our_sources(cited) or None}
        return [Text(text, signature, _rest(block, "type", "text"))]

    def read_thinking(self, block: Block, path: str) -> list[Part]:
        text = string_at(_needed(block, "thinking", path), f"{path}.thinking")
        blob = string_at(block.get("signature") or "", f"{path}.signature")
        ext = _rest(block, "type", "thinking", "signature")
        found = unwrapped(blob)
        if found is None:
            return [Reasoning(text, Signature(VENDOR, blob, self._signer) if blob else None, ext)]
        return self._enclosed(text, found.signature, found.call, ext)

    def read_redacted(self, block: Block, path: str) -> list[Part]:
        blob = string_at(_needed(block, "data", path), f"{path}.data")
        found = unwrapped(blob)
        if found is None:
            signature = Signature(VENDOR, blob, self._signer)
            return [Reasoning("", signature, _rest(block, "type", "data"), redacted=True)]
        return self._enclosed("", found.signature, found.call, None)

    def _enclosed(self, text: str, signature: Signature, call: str, ext: Any) -> list[Part]:
        """What came in an envelope: Google's signatures are of the part that follows, others of the thought itself."""
        if signature.origin != "google":
            return [Reasoning(text, signature, ext)]
        if call:
            self._sealed[call] = signature
        else:
            self._next = signature
        return [Reasoning(text, None, ext)] if text else []

    def read_tool_use(self, block: Block, path: str) -> list[Part]:
        id_ = string_at(_needed(block, "id", path), f"{path}.id")
        name = string_at(_needed(block, "name", path), f"{path}.name")
        given = block.get("input")
        arguments = jsontext.dumps(object_at({} if given is None else given, f"{path}.input"))
        self._names[id_] = name
        signature = self._sealed.pop(id_, None)
        if len(block) == 4:
            return [ToolCall(id_, name, arguments, signature=signature)]
        known = ("type", "id", "name", "input", *(("caller",) if block.get("caller") == _DIRECT else ()))
        ext = _rest(block, *known)
        return [ToolCall(id_, name, arguments, signature=signature, ext=ext)]

    def read_tool_result(self, block: Block, path: str) -> list[Part]:
        id_ = string_at(_needed(block, "tool_use_id", path), f"{path}.tool_use_id")
        content = block.get("content")
        said: list[Part] = [] if content is None else self._inside(content, f"{path}.content")
        inner = [part for part in said if isinstance(part, (Text, Media))]
        odd = [part.value for part in said if isinstance(part, Opaque)]
        extras = {"content": odd} if odd else {}
        rest = _rest(block, "type", "tool_use_id", "content", "is_error")
        ext = ext_of({**((rest or {}).get(ORIGIN) or {}), **extras})
        error = block.get("is_error") is True
        return [ToolResult(id_, self._names.get(id_, ""), tuple(inner), is_error=error, ext=ext)]

    def _inside(self, content: Any, path: str) -> list[Part]:
        """What stands inside a block."""
        if self._depth == DEEPEST:
            raise InvalidRequest(f"{path.removeprefix('$.')}: blocks stand too deep inside one another.", param=path)
        inner = Blocks(depth=self._depth + 1)
        parts = inner.content(content, path)
        self.marked = self.marked or inner.marked
        return parts

    def read_image(self, block: Block, path: str) -> list[Part]:
        source = object_at(_needed(block, "source", path), f"{path}.source")
        return [_media(source, f"{path}.source", _rest(block, "type", "source"))]

    def read_document(self, block: Block, path: str) -> list[Part]:
        """Text that comes as a document is a text file; one made of blocks is its blocks."""
        source = object_at(_needed(block, "source", path), f"{path}.source")
        title = block.get("title")
        name = None if title is None else string_at(title, f"{path}.title")
        ext = _rest(block, "type", "source", "title")
        match source.get("type"):
            case "text":
                text = string_at(_needed(source, "data", f"{path}.source"), f"{path}.source.data")
                data = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
                return [Media(_PLAIN_TEXT, data, name=name, ext=ext)]
            case "content":
                inner = self._inside(_needed(source, "content", f"{path}.source"), f"{path}.source.content")
                said: list[Text | Media] = [part for part in inner if isinstance(part, (Text, Media))]
                return _of_source(name, said, ext)
        media = _media(source, f"{path}.source", ext)
        return [msgspec.structs.replace(media, name=name, mime=media.mime or _PDF)]

    def read_search(self, block: Block, path: str) -> list[Part]:  # noqa: ARG002
        """A search that Anthropic made, or what came of it, is Anthropic's; one of another vendor is said in the text."""
        if not is_ours(block):
            return [Opaque(ORIGIN, dict(block))]
        self.searches += queries_of(block)
        return []

    def read_search_result(self, block: Block, path: str) -> list[Part]:
        """A source that the caller found: its title and address, then what it says."""
        content = array_at(_needed(block, "content", path), f"{path}.content")
        head = " ".join([str(block[name]) for name in ("title", "source") if isinstance(block.get(name), str)])
        inner = self._inside(content, f"{path}.content")
        said: list[Text | Media] = [part for part in inner if isinstance(part, Text)]
        return _of_source(head, said, _rest(block, "type", "content", "title", "source"))


def _of_source(title: str | None, said: list[Text | Media], ext: Any) -> list[Part]:
    """A source by its title, on a line of its own, and what it holds. What is said of it as a whole comes with the first of
    them; that the prompt may be cached up to it, with the last."""
    parts = [*([Text(f"{title}\n")] if title else []), *said]
    beside = dict((ext or {}).get(ORIGIN) or {})
    cached = beside.pop("cache_control", None)
    if parts and cached is not None:
        parts[-1] = _with_ext(parts[-1], ORIGIN, {"cache_control": cached})
    if parts and beside:
        parts[0] = _with_ext(parts[0], SOURCES_ORIGIN, beside)
    return list(parts)


def _with_ext(part: Text | Media, origin: str, fields: Mapping[str, Any]) -> Text | Media:
    ext = dict(part.ext or {})
    return msgspec.structs.replace(part, ext={**ext, origin: {**fields, **ext.get(origin, {})}})


_PDF: Final = "application/pdf"


def _needed(block: Block, name: str, path: str) -> Any:
    value = block.get(name)
    if value is None:
        raise missing(f"{path}.{name}")
    return value


def _rest(block: Block, *known: str) -> Any:
    """What else a block says, as an ext."""
    return ext_of({name: value for name, value in block.items() if name not in known})


def _media(source: Mapping[str, Any], path: str, ext: Any) -> Media:
    """A source by its bytes, its address, or the id of a file at Anthropic."""
    match source.get("type"):
        case "base64":
            mime = string_at(_needed(source, "media_type", path), f"{path}.media_type")
            return Media(mime, string_at(_needed(source, "data", path), f"{path}.data"), ext=ext)
        case "url":
            return Media(None, uri=string_at(_needed(source, "url", path), f"{path}.url"), ext=ext)
        case "file":
            return Media(None, uri=string_at(_needed(source, "file_id", path), f"{path}.file_id"), ext=ext)
    raise wrong_type(f"{path}.type", "base64, url, text, content or file", source.get("type"))


_READERS: Final[Mapping[str, Callable[[Blocks, Block, str], list[Part]]]] = {
    "text": Blocks.read_text,
    "thinking": Blocks.read_thinking,
    "redacted_thinking": Blocks.read_redacted,
    "tool_use": Blocks.read_tool_use,
    "tool_result": Blocks.read_tool_result,
    "image": Blocks.read_image,
    "document": Blocks.read_document,
    "search_result": Blocks.read_search_result,
    "server_tool_use": Blocks.read_search,
    "web_search_tool_result": Blocks.read_search,
}
