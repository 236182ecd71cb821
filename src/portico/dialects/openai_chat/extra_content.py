"""`extra_content`: how Google's own OpenAI-compatible surface carries what Chat has no field for (mapping.md 1.9, 2.4).

`{"extra_content": {"google": {"thought_signature": …}}}` may sit on a message, a content part, a tool call or a delta.
We emit it so (channel A) and accept it, Vertex' spelling of the vendor included. Everything in `ext["gemini"]` travels
beside it, its top-level keys in snake_case.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.parts import Ext, Signature
from portico.dialects.openai.checks import wrong_type
from portico.wire.names import camel, snake

ORIGIN: Final = "openai_chat"
GOOGLE_EXT: Final = "gemini"
"""The tag under which Google's extras travel in the neutral model."""
VENDOR: Final = "google"
GOOGLE_KINDS: Final = frozenset({"gemini", "vertex"})
"""Kinds of provider that understand all this."""

MAX_INLINE_SIGNATURE: Final = 64 * 1024
"""Image models sign with megabytes; such a signature is kept on the server only (mapping.md 2.4)."""


def read_google(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """`extra_content.google` (or `.vertex`) of a message, part or call; {} where there is none."""
    extra = holder.get("extra_content")
    if extra is None or not isinstance(extra, Mapping):
        return {}
    google = extra.get("google") or extra.get("vertex")
    return google if isinstance(google, Mapping) else {}


def read_signature(holder: Mapping[str, Any]) -> Signature | None:
    """The signature on a holder: channel A, else the places that other gateways put it (E, then C)."""
    return own_signature(holder) or litellm_signature(holder)


def own_signature(holder: Mapping[str, Any]) -> Signature | None:
    """The signature that a holder names itself: channels A and E."""
    return _signature(read_google(holder).get("thought_signature") or holder.get("thought_signature"))


def litellm_signature(holder: Mapping[str, Any]) -> Signature | None:
    """The signature among LiteLLM's `provider_specific_fields`: channel C."""
    fields = holder.get("provider_specific_fields")
    return _signature(fields.get("thought_signature")) if isinstance(fields, Mapping) else None


def _signature(found: Any) -> Signature | None:
    return Signature(VENDOR, found) if isinstance(found, str) and found else None


def extra_content(
    signature: Signature | None = None, ext: Ext = None, more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`{"extra_content": {"google": …}}` holding a signature and Google's extras; {} when there is nothing to hold."""
    google: dict[str, Any] = {}
    if signature is not None and is_bearable(signature):
        google["thought_signature"] = signature.data
    if ext:
        google.update({snake(name): value for name, value in ext.get(GOOGLE_EXT, {}).items()})
    if more:
        google.update(more)
    return {"extra_content": {"google": google}} if google else {}


def is_bearable(signature: Signature | None) -> bool:
    """Whether a signature is Google's and small enough to be told to a client."""
    return signature is not None and signature.origin == VENDOR and len(signature.data) <= MAX_INLINE_SIGNATURE


def ext_of(google: Mapping[str, Any], *without: str) -> Ext:
    """Google's extras as the neutral model holds them."""
    fields = {camel(name): value for name, value in google.items() if name not in without and value is not None}
    return {GOOGLE_EXT: fields} if fields else None


def ext_around(holder: Mapping[str, Any], member: str, *without: str) -> Ext:
    """The extras of a call or a result. Raises `InvalidRequest` where those of Google's `member` are no object."""
    ext = ext_of(read_google(holder), *without)
    inside = (ext or {}).get(GOOGLE_EXT, {}).get(camel(member))
    if inside is not None and not isinstance(inside, Mapping):
        raise wrong_type(f".extra_content.google.{member}", "an object", inside)
    return ext
