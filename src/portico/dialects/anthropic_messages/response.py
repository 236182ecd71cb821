"""Messages answers <-> neutral answers (mapping.md 7.2, 7.4).

Sources with an address are citations of the candidate; other citations, which only Anthropic has words for, are kept beside
it with the number of their block. An answer has one candidate.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.core.arguments import call_object
from portico.core.dialect import Reading, Rendered, Reply
from portico.core.envelope import wrapped
from portico.core.errors import InvalidRequest, UpstreamBadGateway
from portico.core.foreign import foreign_extras
from portico.core.loss import Loss
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall, ToolResult, text_of
from portico.core.response import Candidate, Citation, Finish, FinishReason, Response
from portico.dialects.anthropic_messages.blocks import Blocks
from portico.dialects.anthropic_messages.searching import NO_INDEX, search_blocks
from portico.dialects.anthropic_messages.usage import TIER_WORDS, parse_usage, render_usage, tier_of, uses_of
from portico.dialects.anthropic_messages.words import FINISH, ORIGIN, STOP_REASON, VENDOR, ext_of, own
from portico.wire import jsontext

FINISH_MESSAGE: Final = "finish_message"
"""What another vendor says of how an answer ended. An extension, named as in the other dialects: `stop_details` are of
refusals alone, and typed clients fail on others."""
HEAD: Final = frozenset(
    {
        *("id", "type", "role", "model", "content", "usage"),
        *("stop_reason", "stop_sequence", "stop_details", FINISH_MESSAGE),
    }
)
"""Members of a message that the neutral model has words for."""
_FOREIGN_PLAIN: Final = frozenset(
    {
        *("stop", "length", "max_tokens", "tool_calls", "function_call", "content_filter", "safety"),
        *("completed", "incomplete:max_output_tokens", "incomplete:content_filter"),
    }
)
"""Other vendors' words that say no more than ours (mapping.md 2.5)."""


# -- reading ---------------------------------------------------------------------------------------------------------


def parse_response(body: Any, reading: Reading) -> Response:
    """Raises `UpstreamBadGateway` for what is no answer."""
    if not isinstance(body, Mapping) or not isinstance(body.get("content"), list):
        raise UpstreamBadGateway("The provider sent something that is not a message.")
    parts: list[Part] = []
    citations: dict[Citation, None] = {}
    others: list[dict[str, Any]] = []
    blocks = Blocks(reading.signer)
    length = 0
    try:
        for number, block in enumerate(body["content"]):
            cited = block.get("citations") if isinstance(block, Mapping) else None
            plain = {name: value for name, value in block.items() if name != "citations"} if cited else block
            read = blocks.block(plain, f"$.content.{number}")
            said = len(text_of(read))
            cite(cited, length, length + said, number, citations, others)
            length += said
            parts += [renamed(part, reading) for part in read]
        parts += blocks.rest()
    except (InvalidRequest, AttributeError) as error:
        raise UpstreamBadGateway(f"The provider's answer cannot be read: {error}") from None
    usage = body.get("usage")
    return Response(
        id=_text(body, "id"),
        model=_text(body, "model"),
        candidates=(
            Candidate(
                0, tuple(parts), finish_of(body), ends(body, others), tuple(citations), searches=tuple(blocks.searches)
            ),
        ),
        usage=parse_usage(usage),
        service_tier=tier_of(usage),
        ext=ext_of({name: value for name, value in body.items() if name not in HEAD}),
        uses=uses_of(usage),
        raw_usage=usage,
    )


def renamed(part: Part, reading: Reading) -> Part:
    """A call under the name that its caller knows it by; the text of a custom tool out of its wrapping."""
    if not isinstance(part, ToolCall):
        return part
    name = reading.tool_names.get(part.name, part.name)
    if name in reading.custom:
        return msgspec.structs.replace(part, name=name, kind="custom", arguments=free_text(part.arguments))
    return msgspec.structs.replace(part, name=name) if name != part.name else part


def free_text(arguments: str) -> str:
    """What a custom tool is given: the one text argument, `input`."""
    try:
        value = jsontext.decode(arguments or "{}")
    except jsontext.NotJson:
        return arguments
    found = value.get("input") if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else arguments


def cite(
    cited: Any, start: int, end: int, number: int, citations: dict[Citation, None], others: list[dict[str, Any]]
) -> None:
    """Takes in the citations of one text block, which is the block of that number."""
    kept = []
    for one in cited if isinstance(cited, list) else ():
        url = one.get("url") if isinstance(one, Mapping) else None
        if isinstance(url, str) and url:
            title = one.get("title")
            found = Citation(start, end, url, title if isinstance(title, str) else None)
            citations[found] = None
        else:
            kept.append(one)
    if kept:
        others.append({"block": number, "citations": kept})


def finish_of(said: Mapping[str, Any]) -> Finish | None:
    """How an answer ended, of a body or of a `message_delta`; None where it does not say."""
    raw = said.get("stop_reason")
    if not isinstance(raw, str):
        return None
    details = said.get("stop_details")
    message = details.get("explanation") if isinstance(details, Mapping) else said.get(FINISH_MESSAGE)
    return Finish(FINISH.get(raw, FinishReason.OTHER), raw, message if isinstance(message, str) else None)


def ends(said: Mapping[str, Any], others: Sequence[Any]) -> Any:
    """What a candidate says beside its parts, as an ext."""
    details = said.get("stop_details")
    rest: dict[str, Any] = dict(details) if isinstance(details, Mapping) else {}
    rest.pop("explanation", None)
    if "type" in rest and rest["type"] == said.get("stop_reason"):
        del rest["type"]
    return ext_of(
        {"stop_sequence": said.get("stop_sequence"), "stop_details": rest or None, "citations": list(others) or None}
    )


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None


# -- writing ---------------------------------------------------------------------------------------------------------


def render_response(response: Response, reply: Reply) -> Rendered:
    losses: list[Loss] = []
    candidate = response.candidates[0] if response.candidates else Candidate(0, (), None)
    body: dict[str, Any] = {
        "id": response.id or message_id(reply),
        "type": "message",
        "role": "assistant",
        "model": reply.model or response.model or "",
        "content": _content(candidate, reply, losses),
        **stop_of(candidate.finish, own(candidate.ext)),
        "usage": render_usage(response.usage, response.uses, response.service_tier),
    }
    tell_foreign(response.ext, losses, "$")
    tell_foreign(candidate.ext, losses, "$.content")
    if candidate.searches and not reply.search_blocks:
        losses.append(SEARCHES)
    if candidate.logprobs:
        losses.append(Loss("7.5:logprobs", "$.content", "Anthropic tells no logprobs"))
    tell_finish(candidate.finish, losses)
    if response.usage is not None:
        tell_foreign(response.usage.ext, losses, "$.usage")
    tell_tier(response.service_tier, losses)
    return Rendered({**body, **own(response.ext)}, losses)


def message_id(reply: Reply) -> str:
    return reply.id if reply.id.startswith("msg_") else f"msg_{reply.id}"


def stop_of(finish: Finish | None, said: Mapping[str, Any]) -> dict[str, Any]:
    """`stop_reason` and what stands beside it."""
    if finish is None:
        return {"stop_reason": None, "stop_sequence": None}
    raw = finish.raw or ""
    word = raw if FINISH.get(raw) is finish.reason else STOP_REASON[finish.reason]
    wire: dict[str, Any] = {"stop_reason": word, "stop_sequence": said.get("stop_sequence")}
    details = dict(said.get("stop_details") or {})
    if finish.message is not None and (details or word == STOP_REASON[FinishReason.CONTENT_FILTER]):
        details["explanation"] = finish.message
    elif finish.message is not None:
        wire[FINISH_MESSAGE] = finish.message
    if details:
        wire["stop_details"] = {"type": word, **details}
    return wire


def tell_finish(finish: Finish | None, losses: list[Loss]) -> None:
    """Says of an ending that Anthropic has no word for that it is lost."""
    if finish is None:
        return
    raw = (finish.raw or "").lower()
    word = FINISH.get(finish.raw or "") is finish.reason
    vague = finish.reason in (FinishReason.ERROR, FinishReason.OTHER) or (raw and raw not in _FOREIGN_PLAIN)
    if not word and (vague or finish.prompt_blocked):
        losses.append(Loss("2.5:finish", "$.stop_reason", "Anthropic has no word for how the answer ended"))


def tell_tier(tier: str | None, losses: list[Loss]) -> None:
    if tier is not None and tier != "auto" and tier not in TIER_WORDS:
        losses.append(Loss("1.1:service_tier", "$.usage.service_tier", f"Anthropic has no tier {tier}"))


def tell_foreign(ext: Any, losses: list[Loss], path: str) -> None:
    for origin, fields in (ext or {}).items():
        if origin != ORIGIN:
            losses += [Loss("2.1:answer_ext", f"{path}.{name}", f"Anthropic has nothing for {name}") for name in fields]


def _content(candidate: Candidate, reply: Reply, losses: list[Loss]) -> list[dict[str, Any]]:
    """The blocks. A text of which only a piece has a source is cut, so that the piece is a block of its own (7.2)."""
    blocks: list[dict[str, Any]] = []
    others = {one["block"]: one["citations"] for one in own(candidate.ext).get("citations", ())}
    cited = sorted(candidate.citations, key=lambda one: (one.start, one.end))
    start, told, seals = 0, 0, 0
    for part in candidate.parts:
        made = render_part(part, reply, losses)
        if made:
            seals = seals + len(made) if isinstance(part, Text) and not part.text else 0
        if isinstance(part, Text):
            end = start + len(part.text)
            here = [one for one in cited if start <= one.start and one.end <= end]
            if here and made:
                pieces = _pieces(made.pop(), start, here)
                told += sum(len(piece.get("citations", ())) for piece in pieces)
                made += pieces
            start = end
        blocks += made
    if seals and ends_with_text(blocks[:-seals]):
        del blocks[-seals:]
        losses.append(LAST_SIGNATURE)
    if reply.search_blocks and not any(ran_by_anthropic(part) for part in candidate.parts):
        text = next((at for at, block in enumerate(blocks) if block["type"] == "text"), len(blocks))
        blocks[text:text] = search_blocks(reply.id, candidate.searches, candidate.citations)
    if told < len(cited):
        losses.append(Loss("7.2:citations", "$.content", "sources of pieces that overlap, or of more than one block"))
    for at, more in others.items():
        if at < len(blocks) and blocks[at]["type"] == "text":
            blocks[at]["citations"] = [*blocks[at].get("citations", ()), *more]
    return blocks


SEARCHES: Final = Loss(
    "7.2:searches", "$.content", "Anthropic tells searches by the blocks of its own tool, which was not declared"
)
LAST_SIGNATURE: Final = Loss(
    "7.4:last_signature", "$.content", "the signature of the last text is kept by the gateway, which puts it back"
)
"""Clients take the last block for the answer (claude-code prints it): a sealed blob behind the last text is not told.
Google takes a text without it, and the vault brings it back to whoever brings the text back (docs/decisions/0004)."""


def ran_by_anthropic(part: Part) -> bool:
    """Whether a part is of a tool of Anthropic's own: then its blocks tell what was searched for."""
    return isinstance(part, Opaque) and part.origin == ORIGIN


def ends_with_text(blocks: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last of these blocks is a text."""
    return bool(blocks) and blocks[-1]["type"] == "text"


def _pieces(block: dict[str, Any], start: int, cited: list[Citation]) -> list[dict[str, Any]]:
    """A text block, cut at the ends of what has a source. Of pieces that overlap the first is told."""
    text: str = block["text"]
    pieces: list[dict[str, Any]] = []
    at = 0
    for begin, end in dict.fromkeys([(one.start - start, one.end - start) for one in cited]):
        if begin < at or (end <= begin and text):
            continue
        if begin > at:
            pieces.append({**block, "text": text[at:begin]})
        sources = [
            location(one, text[begin:end]) for one in cited if (one.start - start, one.end - start) == (begin, end)
        ]
        pieces.append({**block, "text": text[begin:end], "citations": sources})
        at = end
    if at < len(text) or not pieces:
        pieces.append({**block, "text": text[at:]})
    return pieces


def location(citation: Citation, text: str) -> dict[str, Any]:
    """A source with an address, as Anthropic's own search tells it."""
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title,
        "encrypted_index": NO_INDEX,
        "cited_text": text[:150],
    }


def render_part(part: Part, reply: Reply, losses: list[Loss]) -> list[dict[str, Any]]:
    """A part as blocks: mostly one; a sealed blob of another vendor comes before what it belongs to."""
    if not isinstance(part, Opaque) and part.ext:
        losses += foreign_extras(part.ext, "$.content", own=(ORIGIN,))
    match part:
        case Text(text, signature, ext):
            if ext and "openai_chat" in ext:
                losses.append(Loss("2.1:refusal", "$.content", "Anthropic tells a refusal as text"))
            block = [{"type": "text", "text": text, **own(ext)}] if text else []
            return [*sealed(signature, "", reply), *block]
        case Reasoning():
            return _thought(part, reply)
        case ToolCall(id_, name, _, _, _, _, signature, ext):
            call = {"type": "tool_use", "id": id_, "name": name, "input": call_object(part), **own(ext)}
            return [*sealed(signature, id_, reply), call]
        case Media():
            picture = (part.mime or "image/").startswith("image/")
            return [{"type": "image" if picture else "document", "source": media_source(part)}]
        case Opaque(origin, value):
            if origin == ORIGIN:
                return [dict(value)]
            losses.append(Loss("1.2:opaque", "$.content", "a part that only another provider understands"))
        case ToolResult():
            losses.append(Loss("1.2:opaque", "$.content", "a result among the parts of an answer"))
    return []


def media_source(part: Media) -> dict[str, Any]:
    if part.data is None:
        return {"type": "url", "url": part.uri or ""}
    return {"type": "base64", "media_type": part.mime or "image/png", "data": part.data}


def sealed(signature: Signature | None, call: str, reply: Reply) -> list[dict[str, Any]]:
    """A signature of another vendor's, for a caller who asked for thoughts and so brings such blocks back (7.4)."""
    if signature is None or not reply.seals:
        return []
    return [{"type": "redacted_thinking", "data": wrapped(signature, call)}]


def seal_of(signature: Signature | None) -> str:
    """What stands as the signature of a thinking block."""
    if signature is None:
        return ""
    return signature.data if signature.origin == VENDOR else wrapped(signature)


def _thought(part: Reasoning, reply: Reply) -> list[dict[str, Any]]:
    if not (reply.thoughts or reply.seals):
        return []
    if part.redacted:
        return [{"type": "redacted_thinking", "data": seal_of(part.signature)}]
    text = part.text if reply.thoughts else ""
    if not text and part.signature is None:
        return []
    return [{"type": "thinking", "thinking": text, "signature": seal_of(part.signature), **own(part.ext)}]
