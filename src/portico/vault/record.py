"""What is kept of one answer, and the port a vault implements.

A record holds the layout of the answer's parts and everything hidden in it, but no visible text and no picture: of a text
only its length and of a picture a digest, so that a record is small however long the answer was. What is hidden may be
large all the same: image models sign with megabytes, and signed thoughts go back word for word.
"""

import hashlib
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from portico.core.ids import normalised_call_id
from portico.core.parts import Ext, Media, Part, Signature, ToolCall, text_of
from portico.wire import jsontext


class TextKept(msgspec.Struct, frozen=True):
    """A text part: how many characters of the answer's text it holds."""

    length: int
    signature: Signature | None = None


class CallKept(msgspec.Struct, frozen=True):
    """A call: the id the caller was told, and the one the provider knows (None if it gave none)."""

    id: str
    upstream_id: str | None = None
    signature: Signature | None = None
    said: str = ""
    """A digest of the call's name and arguments: a signature holds for these only. "" where they were not seen whole."""
    spelt: int = 0
    """The same as they were spelt, which most clients send back to the letter (`call_spelling`; 0: not known)."""


class OpaqueKept(msgspec.Struct, frozen=True):
    """A part that the caller never saw."""

    origin: str
    value: Mapping[str, Any]


class MediaKept(msgspec.Struct, frozen=True):
    """A picture, or another file that the model made: `digest` is that of its data (`media_digest`)."""

    digest: str
    signature: Signature | None = None


class ReasoningKept(msgspec.Struct, frozen=True):
    """Thoughts that are signed: the vendor wants them back whole, in their place (mapping.md 7.4), and many callers are
    not shown them. `ext` is what only one dialect says of them (an item's id, how its summary is laid out). Of thoughts
    that were told in pieces, the last has the signature."""

    text: str
    signature: Signature | None
    redacted: bool = False
    ext: Ext = None


Kept: TypeAlias = TextKept | CallKept | OpaqueKept | MediaKept | ReasoningKept


class TurnRecord(msgspec.Struct, frozen=True):
    """One answer's layout. `signer` is who can read its signatures (`Target.signer`).

    `before` and `after` are the white space at the ends of the answer's text, which many clients trim.
    """

    signer: str
    parts: tuple[Kept, ...]
    before: str = ""
    after: str = ""
    text: str = ""
    """The key of the answer's text. "" where it has none."""

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""
        size = 200
        for part in self.parts:
            if isinstance(part, OpaqueKept):
                size += 200 + len(str(part.value))
            else:
                size += 200 + (len(part.signature.data) if part.signature else 0)
                size += len(part.text) if isinstance(part, ReasoningKept) else 0
        return size


class Vault(Protocol):
    """Keeps records by tenant and key."""

    async def find(self, tenant: str, keys: Iterable[str]) -> Mapping[str, TurnRecord]:
        """The records there are for these keys."""

    def keep_all(self, tenant: str, kept: Iterable[tuple[Sequence[str], TurnRecord]]) -> Awaitable[None] | None:
        """Keeps the records of one answer, each under its keys. What it returns is awaited before the answer's last byte
        leaves, for by then every worker is to find them; that takes a bounded time and raises nothing. None: they can be
        found already."""


def call_key(call_id: str) -> str:
    """The key of a call id, as sent or as clients shorten it."""
    return _usual_call_key(call_id) if len(call_id) <= USUAL_ID else f"call:{normalised_call_id(call_id)}"


USUAL_ID: Final = 64
"""Ids up to this long are remembered with their keys: an agent sends those of all its calls with every turn."""


@lru_cache(maxsize=8192)
def _usual_call_key(call_id: str) -> str:
    return f"call:{normalised_call_id(call_id)}"


def call_digest(call: ToolCall) -> str:
    """What a call says, whatever way its arguments are spelt."""
    try:
        arguments = msgspec.json.encode(jsontext.decode(call.arguments or "{}"), order="deterministic")
    except (jsontext.NotJson, RecursionError):
        arguments = call.arguments.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(call.name.encode() + b"\0" + arguments, digest_size=16).hexdigest()


def call_spelling(call: ToolCall) -> int:
    """A number for what a call says as it is spelt: Python's own hash, keyed anew in each process, for a fraction of what a
    digest costs. Another process has another number for the same call, and then the digest decides."""
    return hash((call.name, call.arguments))


def media_digest(data: str) -> str:
    """What some base64 holds, whichever alphabet it is in and whether it is padded or not."""
    plain = data.rstrip("=")
    if "-" in plain or "_" in plain:
        plain = plain.translate(_STANDARD)
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


_STANDARD: Final = str.maketrans("-_", "+/")
HELD_CHARACTERS: Final = 512
"""Of the end of a text: what it waits for is company, and every open stream holds so many."""
MAX_EDGE: Final = 64
"""White space at one end of a text that is worth keeping."""


def media_key(digest: str) -> str:
    """The key of a file that a model made."""
    return f"media:{digest}"


class TextMark:
    """A growing text, as far as it must be known again: a digest of it without the white space at its ends."""

    __slots__ = ("_after", "_before", "_begun", "_digest", "_held", "_held_length")

    def __init__(self, text: str = "") -> None:
        self._digest = hashlib.blake2b(digest_size=16)
        self._begun = False
        self._before = ""
        self._after = ""
        self._held: list[str] = []
        """The last pieces: a digest takes many at once for little more than the price of one."""
        self._held_length = 0
        self.add(text)

    def add(self, text: str) -> None:
        """More text at the end."""
        self._held.append(text)
        self._held_length += len(text)
        if self._held_length > HELD_CHARACTERS:
            self._take()

    def _take(self) -> None:
        """Takes what is held into the digest."""
        text = "".join(self._held)
        self._held.clear()
        self._held_length = 0
        plain = text.strip()
        if not plain:
            if self._begun:
                self._after += text
            else:
                self._before += text
            return
        start = text.index(plain)
        if self._begun:
            plain = self._after + text[:start] + plain
        else:
            self._before += text[:start]
        self._digest.update(plain.encode("utf-8", "surrogatepass"))
        self._begun = True
        self._after = text[len(text.rstrip()) :]

    def key(self) -> str:
        """The key of an answer with this text; "" for one that says nothing."""
        self._take()
        return f"text:{self._digest.hexdigest()}" if self._begun else ""

    def edges(self) -> tuple[str, str]:
        """The white space before and behind, if there is not too much of it."""
        self._take()
        return ("", "") if max(len(self._before), len(self._after)) > MAX_EDGE else (self._before, self._after)


def keys_of_message(parts: Iterable[Part]) -> list[str]:
    """The keys under which an assistant message's record may be kept: its calls, else its files and its text."""
    parts = tuple(parts)
    if len(parts) == 1 and type(parts[0]) is ToolCall and not parts[0].minted:  # nearly all messages of an agent
        return [call_key(parts[0].id)]
    calls = [call_key(part.id) for part in parts if type(part) is ToolCall and not part.minted]
    if calls:
        return calls
    files = [part.data for part in parts if isinstance(part, Media) and part.data is not None]
    text = TextMark(text_of(parts)).key()
    return [*[media_key(media_digest(data)) for data in files], *([text] if text else [])]
