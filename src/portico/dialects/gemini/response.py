"""generateContent answer <-> neutral response (mapping.md 2.1 to 2.9).

All of these are recorded and must be survived: no candidates key, an empty list, a candidate without content, content
without parts, a part `{}`, a call without args, usage that reports nothing, no finishReason, numbers for enums.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.dialect import Reading, Rendered, Reply
from portico.core.errors import InvalidRequest, UpstreamBadGateway
from portico.core.foreign import foreign_losses
from portico.core.loss import Loss
from portico.core.parts import Ext, Opaque, Part, Reasoning, Signature, Text, ToolCall, text_of
from portico.core.response import Candidate, Finish, Response
from portico.core.spans import TextSpans
from portico.dialects.gemini.fields import camelise
from portico.dialects.gemini.finish import FINISH, parse_block, parse_finish, render_finish
from portico.dialects.gemini.grounding import CITATIONS, GROUNDING, Grounding, read_grounding, render_grounding
from portico.dialects.gemini.logprobs import LOGPROBS, read_logprobs, render_logprobs
from portico.dialects.gemini.parts import ORIGIN, SKIP_SIGNATURE, VENDOR, parse_part, render_part
from portico.dialects.gemini.request_parse import build_call, served_by_provider
from portico.dialects.gemini.usage import parse_usage, render_usage, service_tier
from portico.dialects.gemini.uses import uses_of

CANDIDATE_FIELDS: Final = frozenset({"content", "finishReason", "finishMessage", "index"})
RESPONSE_FIELDS: Final = frozenset(
    {"candidates", "usageMetadata", "modelVersion", "responseId", "promptFeedback", "usage", "error"}
)
_CALL_PREFIXES: Final = ("default_api:", "default_api.")


class CallReader:
    """Makes calls of functionCalls: a gateway id each, the caller's name for the tool, whole numbers where wanted."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def __call__(self, fields: Mapping[str, Any], signature: Signature | None, ext: Ext) -> ToolCall:
        if signature is not None and signature.data == SKIP_SIGNATURE:
            signature = None  # it stands in for one
        wire_id = fields.get("id") or None
        name = self._name(str(fields.get("name") or ""))
        schema = self._reading.tools.get(name)
        args = fields.get("args")
        if schema and args:
            args = with_integers(args, schema)
        fields = {**fields, "name": name, "args": args}
        call = build_call(fields, self._reading.mint(), signature, ext, minted=True, upstream_id=wire_id)
        return as_custom(call, args) if name in self._reading.custom else call

    def _name(self, name: str) -> str:
        for prefix in _CALL_PREFIXES:
            stripped = name.removeprefix(prefix)
            if stripped != name and (stripped in self._reading.tools or stripped in self._reading.tool_names):
                name = stripped
        return self._reading.tool_names.get(name, name)


def as_custom(call: ToolCall, args: Any) -> ToolCall:
    """The call of a tool that takes free text: its one argument is that text (1.12); a model may write others."""
    text = args["input"] if isinstance(args, Mapping) and args.keys() == {"input"} else None
    return msgspec.structs.replace(call, kind="custom", arguments=text if isinstance(text, str) else call.arguments)


def with_integers(value: Any, schema: Any) -> Any:
    """Whole doubles as integers where the tool's schema says integer (Google's Struct has doubles only)."""
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, float):
        types = schema.get("type")
        wanted = types == "integer" or (isinstance(types, list) and "integer" in types and "number" not in types)
        return int(value) if wanted and value.is_integer() else value
    if isinstance(value, dict):
        properties = schema.get("properties")
        if isinstance(properties, Mapping):
            return {key: with_integers(item, properties.get(key)) for key, item in value.items()}
    if isinstance(value, list) and "items" in schema:
        return [with_integers(item, schema["items"]) for item in value]
    return value


def parse_response(body: Any, reading: Reading) -> Response:
    """A whole answer. Raises `UpstreamBadGateway` for what is no generateContent answer at all."""
    if isinstance(body, list):  # a stream asked for without alt=sse: one array of partial answers
        raise UpstreamBadGateway("The provider sent a stream where one answer was asked for.")
    if not isinstance(body, dict):
        raise UpstreamBadGateway
    try:
        return _plain(body) or _parse(camelise(body), reading)
    except (InvalidRequest, AttributeError, TypeError, ValueError) as error:
        raise UpstreamBadGateway from error


_PLAIN_FIELDS: Final = frozenset({"candidates", "usageMetadata", "modelVersion", "responseId"})
_PLAIN_CANDIDATE: Final = frozenset({"content", "finishReason", "index"})
_PLAIN_CONTENT: Final = frozenset({"parts", "role"})


def _plain(body: Mapping[str, Any]) -> Response | None:
    """What most answers are: one candidate of unsigned text that says why it ended. None for anything else, which is then
    read with care; that this is the same is tested over the recordings."""
    candidates = body.get("candidates")
    if type(candidates) is not list or len(candidates) != 1 or not _PLAIN_FIELDS.issuperset(body):
        return None
    wire = candidates[0]
    if type(wire) is not dict or not _PLAIN_CANDIDATE.issuperset(wire):
        return None
    word, content, index = wire.get("finishReason"), wire.get("content"), wire.get("index", 0)
    if type(word) is not str or word not in FINISH or type(index) is not int:
        return None
    if type(content) is not dict or not _PLAIN_CONTENT.issuperset(content) or type(content.get("parts")) is not list:
        return None
    parts = []
    for part in content["parts"]:
        if type(part) is not dict or len(part) != 1 or type(text := part.get("text")) is not str:
            return None
        parts.append(Text(text))
    metadata, own_id, version = body.get("usageMetadata"), body.get("responseId"), body.get("modelVersion")
    if type(metadata) is not dict or (usage := parse_usage(metadata)) is None or usage.ext is not None:
        return None
    return Response(
        own_id if type(own_id) is str else None,
        version.removeprefix("models/") if type(version) is str else None,
        (Candidate(index, tuple(parts), Finish(FINISH[word], word)),),
        usage,
        None,
        service_tier(metadata),
        raw_usage=metadata,
    )


def _parse(fields: dict[str, Any], reading: Reading) -> Response:
    usage = camelise(fields.get("usageMetadata") or {})
    candidates = [
        _parse_candidate(camelise(wire), position, reading)
        for position, wire in enumerate(fields.get("candidates") or [])
    ]
    feedback = fields.get("promptFeedback") or {}
    block = parse_block(feedback)
    if block is not None and not candidates:
        candidates.append(Candidate(0, (), block))
    extras = {key: value for key, value in fields.items() if key not in RESPONSE_FIELDS}
    if rest := feedback_extras(feedback):
        extras["promptFeedback"] = rest
    parsed = parse_usage(usage)
    uses = uses_of([camelise(wire) for wire in fields.get("candidates") or []]) if parsed is not None else {}
    if parsed is None and usage:
        extras["usageMetadata"] = usage
    return Response(
        id=response_id(fields.get("responseId")),
        model=model_name(fields.get("modelVersion")),
        candidates=tuple(candidates),
        usage=parsed,
        service_tier=service_tier(usage) if parsed is not None else None,
        ext={ORIGIN: extras} if extras else None,
        uses=uses,
        raw_usage=fields.get("usageMetadata") if parsed is not None else None,
    )


def feedback_extras(feedback: Mapping[str, Any]) -> dict[str, Any]:
    """What promptFeedback holds beside the block (ratings)."""
    return {key: value for key, value in feedback.items() if key not in ("blockReason", "blockReasonMessage")}


def response_id(value: Any) -> str | None:
    """The provider's name for an answer, if it is one."""
    return value if isinstance(value, str) else None


def model_name(version: Any) -> str | None:
    """modelVersion without the `models/` that some previews carry."""
    return version.removeprefix("models/") if isinstance(version, str) else None


def _parse_candidate(wire: dict[str, Any], position: int, reading: Reading) -> Candidate:
    content = wire.get("content") or {}
    parts = parse_model_parts([camelise(part) for part in content.get("parts") or []], reading)
    calls = any(isinstance(part, ToolCall) for part in parts)
    raw = wire.get("finishReason")
    extras = candidate_extras(wire)
    logprobs = read_logprobs(extras)
    grounding = take_grounding(extras, TextSpans(text_of(parts)))
    index = wire.get("index")
    return Candidate(
        index=position if index is None else int(index),
        parts=tuple(parts),
        finish=None if raw is None else parse_finish(raw, wire.get("finishMessage"), with_calls=calls),
        ext={ORIGIN: extras} if extras else None,
        citations=grounding.citations,
        searches=grounding.searches,
        logprobs=logprobs,
    )


def take_grounding(extras: dict[str, Any], text: TextSpans) -> Grounding:
    """What the metadata say of the sources; they leave the extras if that is all they say."""
    grounding = read_grounding(extras, text)
    if grounding.said_all:
        extras.pop(GROUNDING, None)
    return grounding


def parse_model_parts(parts: list[dict[str, Any]], reading: Reading) -> list[Part]:
    """The parts of one content the model wrote, calls that the provider answered itself kept out of the client's sight."""
    make_call = CallReader(reading)
    served = served_by_provider(parts) if any("functionResponse" in part for part in parts) else ()
    parsed: list[Part] = []
    for i, fields in enumerate(parts):
        part = Opaque(ORIGIN, fields) if i in served else parse_part(fields, make_call, reading.signer)
        if part is not None:
            parsed.append(part)
    return parsed


def candidate_extras(wire: Mapping[str, Any]) -> dict[str, Any]:
    """Ratings, grounding, citations …: `{}` is what streams send while they have none yet."""
    return {key: value for key, value in wire.items() if key not in CANDIDATE_FIELDS and value not in ({}, [])}


# -- the other way ---------------------------------------------------------------------------------------------------


def render_response(response: Response, reply: Reply) -> Rendered:
    """A whole answer as Google gives it."""
    losses: list[Loss] = []
    own = dict((response.ext or {}).get(ORIGIN, {}))
    tell_foreign(response.ext, losses, "$")
    body: dict[str, Any] = {}
    blocked = [c.finish for c in response.candidates if c.finish is not None and c.finish.prompt_blocked]
    if blocked:
        body["promptFeedback"] = {"blockReason": blocked[0].raw or "OTHER"}
        if blocked[0].message is not None:
            body["promptFeedback"]["blockReasonMessage"] = blocked[0].message
        body["promptFeedback"].update(own.pop("promptFeedback", {}))
    elif response.candidates:
        body["candidates"] = [render_candidate(candidate, losses) for candidate in response.candidates]
    if response.usage is not None:
        body["usageMetadata"] = render_usage(response.usage, response.service_tier)
    body["modelVersion"] = reply.model or response.model or ""
    body["responseId"] = (response.id or reply.id).removeprefix("chatcmpl-")
    for name, value in own.items():
        body[name] = {**value, **body[name]} if isinstance(body.get(name), dict) else value
    return Rendered(body, losses)


ANSWER_CODES: Final[Mapping[str, str]] = {"annotations": "2.7:annotations"}


def tell_foreign(ext: Ext, losses: list[Loss], path: str) -> None:
    """What only the dialect an answer came from has a field for."""
    for origin, fields in (ext or {}).items():
        if origin != ORIGIN:
            for name in fields:
                code = ANSWER_CODES.get(name, "2.1:answer_ext")
                losses.append(Loss(code, f"{path}.{name}", f"Gemini has nothing for {name}"))


def render_candidate(
    candidate: Candidate, losses: list[Loss], spans: TextSpans | None = None, *, called: bool = False
) -> dict[str, Any]:
    """A candidate as Google tells it. `spans`: the places of its whole text, where it holds only its end; `called`: calls
    of it were told before."""
    tell_foreign(candidate.ext, losses, f"$.candidates[{candidate.index}]")
    wire: dict[str, Any] = {
        "content": {"parts": render_parts(candidate.parts, losses, candidate.index, called=called), "role": "model"}
    }
    if not wire["content"]["parts"]:
        del wire["content"]["parts"]
    if candidate.finish is not None:
        wire["finishReason"] = render_finish(candidate.finish)
        if candidate.finish.message is not None:
            wire["finishMessage"] = candidate.finish.message
    wire["index"] = candidate.index
    wire.update((candidate.ext or {}).get(ORIGIN, {}))
    if candidate.logprobs:
        wire[LOGPROBS] = {**render_logprobs(candidate.logprobs), **wire.get(LOGPROBS, {})}
        if any(one.utf8 is not None for said in candidate.logprobs for one in (said.chosen, *said.top)):
            text = "Gemini tells tokens as text; the bytes of pieces of characters have no place"
            losses.append(Loss("2.10:logprobs", f"$.candidates[{candidate.index}].logprobsResult", text))
    if (candidate.citations or candidate.searches) and not {GROUNDING, CITATIONS} & wire.keys():
        wire[GROUNDING] = render_grounding(candidate, spans or TextSpans(text_of(candidate.parts)))
    return wire


def says_nothing(part: Part) -> bool:
    """Whether a part is but the seal of another vendor, on a thought that it does not show."""
    return isinstance(part, Reasoning) and not part.text and (part.signature is None or part.signature.origin != VENDOR)


def render_parts(
    parts: tuple[Part, ...], losses: list[Loss], index: int, *, called: bool = False
) -> list[dict[str, Any]]:
    """The parts as Google has them. The first call has a signature, always: the client may take its next step with a model
    of Google's, and the call of a model that signs nothing would be refused there (2.4)."""
    path = f"$.candidates[{index}].content"
    rendered = []
    for part in parts:
        wire = render_part(part)
        if wire is None:
            losses.append(Loss("1.2:opaque", path, "a part that only another provider understands"))
        else:
            if isinstance(part, ToolCall):
                if not called:
                    wire.setdefault("thoughtSignature", SKIP_SIGNATURE)
                called = True
            if not says_nothing(part):
                rendered.append(wire)
            if not isinstance(part, Opaque) and (part.ext or getattr(part, "signature", None) is not None):
                losses += foreign_losses(part, path, own=(ORIGIN,), vendor=VENDOR)
            if isinstance(part, Text) and "openai_chat" in (part.ext or ()):
                losses.append(Loss("2.1:refusal", path, "Gemini tells a refusal as text"))
    return rendered
