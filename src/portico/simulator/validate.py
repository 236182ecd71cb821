"""What a well-formed request may still not say: contents, their order, their parts and signatures.

The rule kept: the first broken rule refuses the request, in Google's words as far as they are known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from portico.simulator import limits, toolrules
from portico.simulator.models import Model
from portico.simulator.refusal import Json, Refused
from portico.simulator.signatures import Signer, beside, kind_of, skips
from portico.simulator.turns import Turn, current, steps, turns

ROLES = "SYSTEM SYSTEM_1 USER ASSISTANT DEVELOPER CONTEXT USER_CONTEXT MODEL USER"
# Recorded: contents of role `function` are accepted though the refusal's own list does not name it.
_ROLES = {*ROLES.split(), "FUNCTION"}


@dataclass(frozen=True)
class Where:
    """Which upstream is being played, how strictly, and for which model."""

    model: Model
    vertex: bool
    lenient: bool
    signer: Signer


def generate(request: Json, where: Where) -> None:
    """Raises `Refused` if Google would refuse this (grammatical) GenerateContentRequest."""
    contents = request.get("contents", [])
    if not contents:
        raise Refused("* GenerateContentRequest.contents: contents is not specified\n")
    for number, content in enumerate(contents):
        _content(content, f"contents[{number}]", where)
    system = request.get("systemInstruction")
    if system is not None and system.get("parts"):
        if not where.model.system:
            raise Refused(f"Developer instruction is not enabled for models/{where.model.name}")
        _parts(system, "system_instruction", where)
    limits.check(request, where.model, vertex=where.vertex, lenient=where.lenient)
    toolrules.check(request, where.model, vertex=where.vertex, lenient=where.lenient)
    _cached(request, where)
    conversation = turns(contents)
    _order(conversation, where)
    _signatures(conversation, where)
    if where.model.modern and not where.lenient:
        _circulated(conversation)


def _content(content: Json, path: str, where: Where) -> None:
    role = content.get("role", "")
    if role and role.upper() not in _ROLES:
        raise Refused(f"Role '{role}' is not supported. Please use a valid role: {ROLES.replace(' ', ', ')}.")
    if not role and where.vertex and not where.lenient:
        raise Refused("Please use a valid role: user, model.")
    if not content.get("parts"):
        raise Refused(f"* GenerateContentRequest.{path}.parts: contents.parts must not be empty.\n")
    _parts(content, path, where)


def _parts(content: Json, path: str, where: Where) -> None:
    for number, part in enumerate(content.get("parts", [])):
        at = f"* GenerateContentRequest.{path}.parts[{number}]"
        kind = kind_of(part)
        if not kind:
            raise Refused(f"{at}.data: required oneof field 'data' must have one initialized field\n")
        if kind in ("functionCall", "functionResponse") and not part[kind].get("name"):
            snake = "function_call" if kind == "functionCall" else "function_response"
            raise Refused(f"{at}.{snake}.name: Name cannot be empty.\n")
        _media(part, at, where)


def _media(part: Json, at: str, where: Where) -> None:
    blob = part.get("inlineData") or part.get("fileData")
    if blob is not None:
        _blob(blob, at, "inlineData" in part)
    result = part.get("functionResponse", {}).get("parts")
    if result:
        if not where.model.modern:
            raise Refused(f"Multimodal function responses are not supported for models/{where.model.name}")
        for inner in result:
            mime = (inner.get("inlineData") or inner.get("fileData") or {}).get("mimeType", "").lower()
            if mime not in _RESULT_TYPES:
                raise Refused(f"Unsupported MIME type for multimodal function response: {mime}")
    video = part.get("videoMetadata")
    if video is not None and not 0 < video.get("fps", 1) <= 24:
        raise Refused(f"{at}.video_metadata.fps: fps must be in the range (0.0, 24.0]\n")
    if "mediaResolution" in part and not where.model.modern:
        raise Refused(f"Per-part media resolution is not enabled for models/{where.model.name}")


_RESULT_TYPES = {"image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"}
_IMAGE_TYPES = {"png", "jpeg", "jpg", "webp", "heic", "heif", "avif", "bmp"}
_APPLICATION_TYPES = {
    "pdf",
    "json",
    "javascript",
    "x-javascript",
    "x-python",
    "x-python-code",
    "rtf",
    "xml",
    "ogg",
    "typescript",
}
_APPLICATION_TYPES |= {"x-typescript", "x-ipynb+json", "yaml", "x-yaml", "sql"}


def _blob(blob: Json, at: str, inline: bool) -> None:
    mime = blob.get("mimeType", "").partition(";")[0].strip().lower()
    if inline and not mime:
        raise Refused(f"{at}.inline_data.mime_type: mime_type must be specified\n")
    if inline and not blob.get("data"):
        raise Refused("Unable to process input: inline data is empty")
    if not inline and not blob.get("fileUri"):
        raise Refused(f"{at}.file_data.file_uri: file_uri must be specified\n")
    kind, _, name = mime.partition("/")
    known = {"image": name in _IMAGE_TYPES, "application": name in _APPLICATION_TYPES}
    if mime and not known.get(kind, kind in ("audio", "video", "text")):
        raise Refused(f"Unsupported MIME type: {mime}")


def _cached(request: Json, where: Where) -> None:
    name = request.get("cachedContent")
    if not name:
        return
    if any(request.get(key) for key in ("systemInstruction", "tools", "toolConfig")):
        if where.vertex:
            text = (
                "Tool config, tools and system instruction should not be set in the request when using cached content."
            )
            raise Refused(text)
        raise Refused(
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or "
            "tool_config.\n\nProposed fix: move those values to CachedContent from GenerateContent request."
        )
    if "missing" in name:
        raise Refused("CachedContent not found (or permission denied)", code=403)
    if not where.vertex and not name.startswith("cachedContents/"):
        raise Refused(f"* GenerateContentRequest.cached_content: invalid resource name: {name}\n")


_CALL_AFTER_USER = (
    "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
)
_RESULT_AFTER_CALL = "Please ensure that function response turn comes immediately after a function call turn."
_COUNT = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)


def _order(conversation: Sequence[Turn], where: Where) -> None:
    """Calls and results pair up; a call nobody answers at all is let be, as recorded."""
    if conversation[0].model and conversation[0].having("functionCall"):
        raise Refused(_CALL_AFTER_USER)
    for index, turn in enumerate(conversation):
        if turn.model:
            continue
        results = len(turn.having("functionResponse"))
        calls = len(conversation[index - 1].having("functionCall")) if index else 0
        if results and not calls:
            raise Refused(_RESULT_AFTER_CALL)
        if results and results != calls:
            raise Refused(_COUNT)
    last = conversation[-1]
    if where.model.modern and last.model and last.having("functionCall") and not last.having("functionResponse"):
        raise Refused(_COUNT)


def _signatures(conversation: Sequence[Turn], where: Where) -> None:
    for turn in conversation:
        for part in turn.parts:
            signature = part.get("thoughtSignature")
            if not signature or where.lenient or skips(signature):
                continue
            if not where.signer.verifies(where.model.family, part):
                raise Refused("Thought signature is not valid")
    if not where.model.modern or (where.lenient and where.model.name.endswith("-latest")):
        # An alias may have meant an older family when the request was made.
        return
    for turn in steps(conversation):
        first = turn.having("functionCall")[0]
        if not first.get("thoughtSignature"):
            position = turn.positions[turn.parts.index(first)]
            raise Refused(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
                "correctly, and missing thought_signature may lead to degraded model performance. Additional data, "
                f"function call `default_api:{first['functionCall'].get('name', '')}` , position {position}. Please refer "
                "to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
            )


def _circulated(conversation: Sequence[Turn]) -> None:
    """What tools on Google's side did in the current turn must come back whole: signed, in pairs, beside its calls.

    That it must is documented («return every part, with id and toolType»); the words of the refusals are ours.
    """
    for turn in current(conversation):
        if not turn.model:
            continue
        parts = [*turn.having("toolCall"), *turn.having("toolResponse")]
        for part in parts:
            if not part.get("thoughtSignature"):
                kind = kind_of(part)
                raise Refused(f"Tool context is missing a thought_signature in {kind} parts.")
        asked = sorted(part["toolCall"].get("id", "") for part in turn.having("toolCall"))
        answered = sorted(part["toolResponse"].get("id", "") for part in turn.having("toolResponse"))
        if asked != answered:
            raise Refused("Please ensure that every toolCall part is followed by a toolResponse part of the same id.")
        for part in turn.having("functionCall"):
            if beside(part.get("thoughtSignature", "")) > len(parts):
                name = part["functionCall"].get("name", "")
                raise Refused(
                    f"Function call `default_api:{name}` came with toolCall and toolResponse parts that are missing."
                )
