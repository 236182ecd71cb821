"""Cuts of the cache: up to which content part OpenAI keeps a prompt (`prompt_cache_breakpoint`, GPT since 5.6).

A body that says `prompt_cache_options: {mode: explicit}` is cached nowhere else, so that a cut that is lost costs the whole
prompt. Other vendors find by themselves what they keep: there it says nothing (mapping.md 1.1).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from portico.core.parts import Ext, Media, Part, Text, text_of
from portico.core.target import Target

CUT: Final = "prompt_cache_breakpoint"
ORIGIN: Final = "openai_chat"
"""What both of OpenAI's dialects have is told in the words of the older one."""
_KINDS: Final = frozenset({"openai", "azure-openai"})
P = TypeVar("P", bound=Part)


def with_cut(part: P, wire: Mapping[str, Any]) -> P:
    """A content part up to which the prompt is kept, if its wire form says so. What is no cut says nothing."""
    cut = wire.get(CUT)
    if not isinstance(part, (Text, Media)) or not isinstance(cut, Mapping):
        return part
    ext: Ext = {**(part.ext or {}), ORIGIN: {**(part.ext or {}).get(ORIGIN, {}), CUT: cut}}
    return replace(part, ext=ext)


def joined(parts: Sequence[Part]) -> Text:
    """The texts of a tool's result as one, kept as far as one of them is."""
    cuts = [
        part.ext[ORIGIN][CUT]
        for part in parts
        if isinstance(part, Text) and part.ext and CUT in part.ext.get(ORIGIN, {})
    ]
    return Text(text_of(parts), ext={ORIGIN: {CUT: cuts[-1]}} if cuts else None)


def cut_of(part: Text | Media, target: Target) -> dict[str, Any]:
    """The member that says it of a rendered part, where the target is OpenAI's, or judged by its own callers' words."""
    if not part.ext or not (target.own or target.provider_kind in _KINDS):
        return {}
    cut = part.ext.get(ORIGIN, {}).get(CUT)
    return {} if cut is None else {CUT: cut}
