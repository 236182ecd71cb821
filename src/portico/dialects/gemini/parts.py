"""Parts of a content <-> neutral parts: the half that requests and answers share.

A part of Google's has one data member (text, inlineData, functionCall …) and qualifiers beside it (thought,
thoughtSignature, videoMetadata, mediaResolution). mapping.md 0 (Part fields), 2.2, 2.4.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from portico.core.arguments import arguments_object
from portico.core.mime import settled_mime
from portico.core.parts import Ext, Media, Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.dialects.gemini.checks import object_at, optional_string, string_at
from portico.dialects.gemini.fields import camelise, camelise_deep
from portico.wire import jsontext

ORIGIN: Final = "gemini"
VENDOR: Final = "google"
"""Who can read a thought signature."""

SKIP_SIGNATURE: Final = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""base64 of `skip_thought_signature_validator`, Google's documented stand-in for a signature that is lost."""

_SERVER_MEMBERS: Final = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_FROM_URLSAFE: Final = str.maketrans("-_", "+/")
DATA_MEMBERS: Final = ("text", "inlineData", "fileData", "functionCall", "functionResponse", *_SERVER_MEMBERS)
"""What a part may be; it is one of them."""
_PLAIN_KEYS: Final = frozenset({"text", "thought", "thoughtSignature"})
_NEUTRAL_KEYS: Final = _PLAIN_KEYS | {
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "mediaResolution",
}

DETAIL_OF_LEVEL: Final[Mapping[str, str]] = {
    "MEDIA_RESOLUTION_LOW": "low",
    "MEDIA_RESOLUTION_MEDIUM": "medium",
    "MEDIA_RESOLUTION_HIGH": "high",
    "MEDIA_RESOLUTION_ULTRA_HIGH": "ultra_high",
}
LEVEL_OF_DETAIL: Final[Mapping[str, str]] = {detail: level for level, detail in DETAIL_OF_LEVEL.items()}

MakeCall = Callable[[Mapping[str, Any], Signature | None, Ext], ToolCall]
"""functionCall (camelCase), its signature and extras -> call; the caller decides about ids."""


def parse_part(wire: Mapping[str, Any], make_call: MakeCall, signer: str | None = None) -> Part | None:
    """One part of a content; None for a part that holds nothing (`{}` is recorded).

    functionResponse is not handled here: what it means depends on whose turn it stands in.
    """
    text = wire.get("text")
    if text is not None and wire.keys() <= _PLAIN_KEYS:  # the common case, and every streamed text event
        signature = _signature(wire, signer)
        if wire.get("thought"):
            return Reasoning(string_at(text, ".text"), signature)
        return Text(string_at(text, ".text"), signature)
    fields = camelise(wire)
    signature = _signature(fields, signer)
    ext = _extras(fields)
    if (call := fields.get("functionCall")) is not None:
        return make_call(camelise(object_at(call, ".functionCall")), signature, ext)
    if (blob := fields.get("inlineData")) is not None:
        return _media(fields, camelise(object_at(blob, ".inlineData")), signature, ext)
    if (file := fields.get("fileData")) is not None:
        return _media(fields, camelise(object_at(file, ".fileData")), signature, ext)
    if any(member in fields for member in _SERVER_MEMBERS):
        return Opaque(
            ORIGIN, {key: camelise_deep(item) if key in _SERVER_MEMBERS else item for key, item in fields.items()}
        )
    if (text := fields.get("text")) is not None:
        kind = Reasoning if fields.get("thought") else Text
        return kind(string_at(text, ".text"), signature, ext)
    if signature is not None:
        return Text("", signature, ext)
    if fields.keys() - {"thought", "thoughtSignature"}:
        return Opaque(ORIGIN, camelise_deep(fields))
    return None


def _extras(fields: Mapping[str, Any]) -> Ext:
    own = {key: item for key, item in fields.items() if key not in _NEUTRAL_KEYS and key not in _SERVER_MEMBERS}
    extras: dict[str, Any] = camelise_deep(own)
    resolution = fields.get("mediaResolution")
    if resolution is not None and _detail(resolution) is None:
        extras["mediaResolution"] = camelise_deep(resolution)
    return {ORIGIN: extras} if extras else None


def _detail(resolution: Any) -> str | None:
    """The neutral word for a mediaResolution that says nothing but a level we know."""
    if isinstance(resolution, Mapping) and resolution.keys() == {"level"} and isinstance(resolution["level"], str):
        return DETAIL_OF_LEVEL.get(resolution["level"].upper())
    return None


def _media(fields: Mapping[str, Any], blob: Mapping[str, Any], signature: Signature | None, ext: Ext) -> Media:
    resolution = fields.get("mediaResolution")
    return Media(
        mime=optional_string(blob.get("mimeType"), ".mimeType"),
        data=_plain_base64(optional_string(blob.get("data"), ".data")),
        uri=optional_string(blob.get("fileUri"), ".fileUri"),
        name=optional_string(blob.get("displayName"), ".displayName"),
        detail=None if resolution is None else _detail(resolution),
        thought=bool(fields.get("thought")),
        signature=signature,
        ext=ext,
    )


def _plain_base64(data: str | None) -> str | None:
    """Google takes both alphabets of base64, padded or not, and its own SDK writes the one for URLs; others take one."""
    if data is None or ("-" not in data and "_" not in data):
        return data
    return data.translate(_FROM_URLSAFE) + "=" * (-len(data) % 4)


def _signature(fields: Mapping[str, Any], signer: str | None) -> Signature | None:
    data = fields.get("thoughtSignature") or fields.get("thought_signature")
    if not data:
        return None
    return Signature(VENDOR, string_at(data, ".thoughtSignature"), signer)


def arguments_text(args: Any) -> str:
    """functionCall.args as JSON text; missing args are `{}` (mapping.md 2.3)."""
    return "{}" if not args else jsontext.dumps(args)


# -- the other way ---------------------------------------------------------------------------------------------------


def wire_call_id(call: ToolCall) -> str | None:
    """The id a call had on the wire, or shall have: none if we made it up for our own pairing."""
    if call.upstream_id:
        return call.upstream_id
    return None if call.minted else call.id


def render_part(part: Part) -> dict[str, Any] | None:
    """A part as Google has it; None for what has no place here (results are rendered by the request)."""
    match part:
        case Text(text, signature, ext):
            return _qualified({"text": text}, signature, ext)
        case Reasoning(text, signature, ext):
            return _qualified({"text": text, "thought": True}, signature, ext)
        case ToolCall():
            return render_call(part, part.name, wire_call_id(part))
        case Media():
            return _qualified(_media_fields(part), part.signature, part.ext)
        case Opaque(origin, value):
            return dict(value) if origin == ORIGIN else None
        case _:
            return None


def render_call(call: ToolCall, name: str, wire_id: str | None) -> dict[str, Any]:
    """A call as a part. `name` is the tool's name on the wire, which may have had to be changed, `wire_id` its id there.

    A custom tool's free text is the one argument `input` (mapping.md 1.12).
    """
    text = call.arguments
    args: Any = None
    if call.kind == "custom":
        args = {"input": text}
    elif text[:1] == "{":  # an object, as nearly always
        try:
            args = jsontext.read(text)
        except jsontext.NOT_DECODED:
            args = None
    if type(args) is not dict:
        args = arguments_object(text)
    fields: dict[str, Any] = {"id": wire_id, "name": name, "args": args} if wire_id else {"name": name, "args": args}
    if call.ext is None:
        signature = call.signature
        if signature is not None and signature.origin == VENDOR:
            return {"functionCall": fields, "thoughtSignature": signature.data}
        return {"functionCall": fields}
    extras = dict(call.ext.get(ORIGIN, {}))
    fields.update(extras.pop("functionCall", {}))
    return _qualified({"functionCall": fields}, call.signature, {ORIGIN: extras})


def _media_fields(part: Media) -> dict[str, Any]:
    fields: dict[str, Any]
    mime = settled_mime(part.mime, name=part.name or part.uri, data=part.data)
    if part.data is not None:
        fields = {"inlineData": {"mimeType": mime, "data": part.data}}
        if part.name:
            fields["inlineData"]["displayName"] = part.name
    else:
        fields = {"fileData": {"fileUri": part.uri}}
        if mime:
            fields["fileData"]["mimeType"] = mime
        if part.name:
            fields["fileData"]["displayName"] = part.name
    if part.thought:
        fields["thought"] = True
    if part.detail is not None and part.detail in LEVEL_OF_DETAIL:
        fields["mediaResolution"] = {"level": LEVEL_OF_DETAIL[part.detail]}
    return fields


def drop_display_name(rendered: dict[str, Any]) -> None:
    """displayName is Vertex' own; the Gemini API refuses it (mapping.md 0)."""
    for member in ("inlineData", "fileData"):
        if member in rendered:
            rendered[member].pop("displayName", None)


def _qualified(fields: dict[str, Any], signature: Signature | None, ext: Ext) -> dict[str, Any]:
    if signature is not None and signature.origin == VENDOR:
        fields["thoughtSignature"] = signature.data
    if ext:
        fields.update(ext.get(ORIGIN, {}))
    return fields
