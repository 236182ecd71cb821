"""What a part brings along that another dialect has no place for: extras of its origin, and seals of another vendor."""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.errors import UnsupportedParameter
from portico.core.loss import Loss, Where
from portico.core.parts import Ext, Part, Signature

ITEMS_ORIGIN: Final = "openai_responses"
"""The dialect whose parts are items with ids of their own; an item's id says nothing elsewhere (7.5, row 3)."""
SOURCES_ORIGIN: Final = "anthropic_sources"
"""What a document of blocks, or a source that was found, says beside them. Its blocks are parts of their own, and have no
place for it in any dialect."""
MARKS_ORIGIN: Final = "anthropic_messages"
"""Whose word it is that the prompt may be cached up to a part (`cache_control`), whichever dialect's caller says it."""
OF_PARTS: Final = (ITEMS_ORIGIN, MARKS_ORIGIN, SOURCES_ORIGIN)
"""Dialects whose parts say more than others have places for."""
_ADVICE: Final = frozenset({"id", "cache_control"})


def foreign_losses(part: Part, path: str, *, own: tuple[str, ...], vendor: str) -> list[Loss]:
    """The losses of a part that is rendered by a dialect of these origins, which tells this vendor's signatures alone."""
    losses = foreign_extras(getattr(part, "ext", None), path, own=own)
    if (signature := getattr(part, "signature", None)) is not None and signature.origin != vendor:
        losses.append(foreign_signature(path))
    return losses


def foreign_extras(ext: Ext, path: str, *, own: tuple[str, ...]) -> list[Loss]:
    """The loss of what an item says beside its content."""
    names = [
        name
        for origin, fields in (ext or {}).items()
        if origin in OF_PARTS and origin not in own
        for name in fields
        if name not in _ADVICE
    ]
    return [Loss("7.1:item_ext", path, f"no place for {', '.join(names)}")] if names else []


BOOKKEEPING: Final = frozenset(
    {
        *("user", "safety_identifier", "metadata", "client_metadata", "labels", "store", "moderation"),
        *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "cache_control"),
    }
)
"""Settings whose absence no answer shows (mapping.md 1.1)."""
CACHE_MARKS: Final = "cache_marks"
"""A setting that no body says: where the first of the blocks stands that the prompt may be cached up to."""


def says_nothing(name: str, value: Any) -> bool:
    """Whether a field asks for what everybody does without it: nothing is kept but where that can be asked for."""
    return name == "store" and value is False


def unplaced(name: str, value: Any, where: Where, code: str, message: str) -> list[Loss]:
    """The loss of a setting of another dialect, by its code: none where it says nothing, and another code where no answer
    shows it.

    Raises `UnsupportedParameter` for a prompt that OpenAI keeps: without it, something else would be answered.
    """
    if says_nothing(name, value):
        return []
    if name == "prompt" and isinstance(value, Mapping) and "id" in value:
        message = "A prompt that is kept at OpenAI can be looked up by its own models alone: send what it says."
        raise UnsupportedParameter(message, param=where.field(name))
    if name == CACHE_MARKS:
        return [Loss("1.1:ignored", str(value), "what may be cached is found by the provider itself")]
    return [Loss("1.1:ignored" if name in BOOKKEEPING else code, where.field(name), message)]


def is_foreign(signature: Signature | None, vendor: str) -> bool:
    return signature is not None and signature.origin != vendor


def foreign_signature(path: str) -> Loss:
    return Loss("2.4:foreign_signature", path, "a thought signature of another vendor is not told")
