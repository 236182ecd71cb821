"""The normal form: when two requests, or two answers, say the same.

`normal(x)` is a plain value (dicts, lists, strings) that two readings share exactly if they mean the same. It never
touches text, calls, argument values, media or usage. Its rules, each named after a row of mapping.md:

- 1.2 roles: system and developer are both system; all system text is hoisted, in order.
- 1.2 merge: consecutive messages of one role are one message; a message with nothing in it is none.
- 1.2 filler: a turn of one space, or of one full stop, says nothing: it is written where Google, or Anthropic, wants a turn
  and the caller had none.
- 1.4 text: an empty text part without a signature says nothing.
- 1.1 defaults: n = 1, penalties of 0 and no logprobs are the default; so are tool_choice auto,
  text output and service tier default.
- 1.15 modalities: naming all that a model makes is the default.
- 1.15 speech: a voice is Google's name for it; the format is the caller's, and made for them on the way back.
- 1.10 name: a format without a name is called `response` where a name is demanded.
- 1.3 results: come in the order of their calls; `{"output": text}` is its text, `{}` is none; JSON text is the object
  it spells.
- 7.1 cache: marks of where a prompt may be cached are advice: no answer shows them.
- 7.5 errors: a result that is marked as an error is `{"error": text}`, where there is no mark.
- 1.3 media: media of a result that cannot ride inside it follows it, labelled; a result with nothing but media points
  to it.
- 1.13 hint: system sentences that stand in for a missing switch or slot are ours.
- 1.12 brought: a part that only repeats what the request says of its tools says nothing.
- 1.14 order: the provider's own tools have none, and one asked for twice is one.
- 1.13 parallel: without tools there are no calls to make one at a time.
- 1.11 items: a list that does not say what is in it is a list of anything.
- 1.12 custom: a tool that takes free text is a function with one text argument, `input`.
- 1.5 aliases: a type has one spelling, and is found out where it was not declared.
- 1.3 arguments: are the value they spell; "" is {}.
- 2.1 id: `chatcmpl-`, `resp_` or `msg_` before an answer's id means nothing; an answer without an id may be given one.
- 2.3 ids: are renumbered in the order of calls; a minted id means no more than another.
- 2.5 raw: a provider's word that says no more than the neutral one is that word.
- 7.5 items: an item's own id and status say nothing beside its content; a thought that is empty and unsigned is none.
- 3.1 deltas: adjacent text (thought text) of an answer is one text, since a stream cannot tell it apart; the signatures
  keep their order. Pieces of raw speech are one likewise.

`erase` takes out of a normal form what a declared loss excuses.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from portico.core.audio import is_raw
from portico.core.foreign import ITEMS_ORIGIN, OF_PARTS, says_nothing
from portico.core.loss import CODES, Loss
from portico.core.mime import settled_mime
from portico.core.parts import Ext, Media, Opaque, Part, Reasoning, Signature, Text, ToolCall, ToolResult, text_of
from portico.core.request import FILLER, FREE_TEXT, WHOLE_MODALITIES, Message, Request, Role, Speech, Tool, is_hint
from portico.core.response import Candidate, Response, TopLogprob
from portico.core.usage import Usage
from portico.core.voices import google_voice
from portico.wire import jsontext

Normal = dict[str, Any]

_PLAIN_FINISHES: Final = frozenset(
    {
        *("stop", "length", "max_tokens", "tool_calls", "function_call", "content_filter", "safety"),
        *("completed", "incomplete:max_output_tokens", "incomplete:content_filter"),
        *("end_turn", "tool_use", "stop_sequence", "refusal"),
    }
)
_DEFAULTS: Final = {"n": 1, "presence_penalty": 0, "frequency_penalty": 0, "logprobs": False, "top_logprobs": 0}

UNNAMED: Final = "response"
"""What a format is called where a dialect demands a name and the caller gave none."""

RESULT_LABEL: Final = re.compile(r"This is file result-\d+-\d+:")
RESULT_POINTER: Final = re.compile(r"See files? result-\d+-\d+(, result-\d+-\d+)*\.")


def normal(x: Request | Response) -> Normal:
    """The normal form of a request or an answer."""
    return normal_request(x) if isinstance(x, Request) else normal_response(x)


# -- requests --------------------------------------------------------------------------------------------------------


def normal_request(request: Request) -> Normal:
    """The normal form of a request."""
    ids = _Ids()
    system: list[Normal] = []
    turns: list[Normal] = []
    for message in request.messages:
        if message.role in (Role.SYSTEM, Role.DEVELOPER):
            system += [part for part in _parts(message.parts, ids) if not is_hint(part.get("text", ""))]
            continue
        parts = _without_filler(_parts(message.parts, ids))
        if parts:
            _append_turn(turns, message, parts)
    for turn in turns:
        if turn["role"] == "user":
            _settle_user_turn(turn)
    sampling = {name: _plain(getattr(request.sampling, name)) for name in request.sampling.__struct_fields__}
    for name, default in _DEFAULTS.items():
        if sampling[name] == default:
            sampling[name] = None
    choice = request.tool_choice
    return _without_nothing(
        {
            "model": request.model,
            "system": system,
            "turns": turns,
            "tools": [_tool(tool) for tool in request.tools],
            "builtins": _distinct(
                [_without_nothing({"kind": tool.kind, "ext": _ext(tool.ext)}) for tool in request.builtins]
            ),
            "tool_choice": None if choice is None or choice.mode == "auto" else [choice.mode, sorted(choice.names)],
            "parallel_tool_calls": False if request.parallel_tool_calls is False and request.tools else None,
            "sampling": _without_nothing(sampling),
            "thinking": _without_nothing(
                {name: getattr(request.thinking, name) for name in request.thinking.__struct_fields__}
            ),
            "output": None
            if request.output is None
            else _without_nothing(
                {
                    "kind": request.output.kind,
                    "schema": _with_open_lists(_plain(request.output.schema)),
                    "name": None if request.output.name == UNNAMED else request.output.name,
                    "strict": request.output.strict,
                    "description": request.output.description,
                }
            ),
            "modalities": [] if tuple(sorted(request.modalities)) in WHOLE_MODALITIES else sorted(request.modalities),
            "voice": _voice(request.speech),
            "service_tier": None if request.service_tier in ("auto", "default") else request.service_tier,
            "ext": _ext(request.ext),
        }
    )


def _voice(speech: Speech | None) -> str | None:
    """Rule 1.15 speech."""
    voice = None if speech is None else speech.voice
    return None if voice is None else google_voice(voice) or voice


def _distinct(builtins: list[Normal]) -> list[Normal]:
    kept: list[Normal] = []
    for tool in sorted(builtins, key=lambda tool: str(tool["kind"])):
        if tool not in kept:
            kept.append(tool)
    return kept


def _tool(tool: Tool) -> Normal:
    return _without_nothing(
        {
            "name": tool.name,
            "description": tool.description or None,
            "schema": FREE_TEXT if tool.kind == "custom" else _plain_schema(tool.schema),
            "strict": tool.strict or None,
            "ext": _ext(tool.ext),
        }
    )


def _append_turn(turns: list[Normal], message: Message, parts: list[Normal]) -> None:
    entry: Normal = {"role": str(message.role), "parts": parts}
    extras = _without_nothing({"name": message.name, "ext": _ext(message.ext)})
    if turns and turns[-1]["role"] == entry["role"]:
        turns[-1]["parts"] += parts
    else:
        turns.append(entry)
    if extras:
        turns[-1].setdefault("extras", []).append(extras)


def _settle_user_turn(turn: Normal) -> None:
    """Rule 1.3: results first, in the order of their calls, then their media, then what the user says."""
    results = [part for part in turn["parts"] if part["part"] == "result"]
    if not results:
        return
    results.sort(key=lambda part: (part["call"] < 0, abs(part["call"])))
    media = [item for part in results for item in part.pop("media", [])]
    rest = [part for part in turn["parts"] if part["part"] != "result" and not _is_label(part)]
    turn["parts"] = results + media + rest


def _is_label(part: Normal) -> bool:
    return part["part"] == "text" and RESULT_LABEL.fullmatch(part["text"]) is not None


def _without_filler(parts: list[Normal]) -> list[Normal]:
    """Rule 1.2 filler."""
    return [] if len(parts) == 1 and parts[0] in _FILLERS else parts


_FILLERS: Final = ({"part": "text", "text": " "}, {"part": "text", "text": FILLER})


# -- parts -----------------------------------------------------------------------------------------------------------


class _Ids:
    """Call ids as numbers in the order the calls came (rule 2.3)."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def call(self, call_id: str) -> int:
        number = len(self.numbers)
        self.numbers[call_id] = number
        return number

    def result(self, call_id: str) -> int:
        """The number of the call it answers; -1, -2 … for results of calls that nobody made."""
        if call_id not in self.numbers:
            self.numbers[call_id] = -1 - sum(number < 0 for number in self.numbers.values())
        return self.numbers[call_id]


def _parts(parts: Iterable[Part], ids: _Ids) -> list[Normal]:
    return [
        _part(part, ids)
        for part in parts
        if not (isinstance(part, (Text, Reasoning)) and not part.text and part.signature is None)
        and not (isinstance(part, Opaque) and part.said)
    ]


def _part(part: Part, ids: _Ids) -> Normal:
    match part:
        case Text(text, signature, ext):
            plain: Normal = {"part": "text", "text": text, "signature": _signature(signature), "ext": _ext(ext)}
        case Reasoning(text, signature, ext):
            plain = {"part": "reasoning", "text": text, "signature": _signature(signature), "ext": _ext(ext)}
        case Media():
            plain = {
                "part": "media",
                "mime": settled_mime(part.mime, name=part.name or part.uri, data=part.data),
                "data": part.data,
                "uri": part.uri,
                "name": part.name,
                "detail": part.detail if part.detail != "auto" else None,
                "thought": part.thought or None,
                "signature": _signature(part.signature),
                "ext": _ext(part.ext),
            }
        case ToolCall():
            plain = {
                "part": "call",
                "call": ids.call(part.id),
                "name": part.name,
                "arguments": {"input": part.arguments} if part.kind == "custom" else _spelt(part.arguments or "{}"),
                "signature": _signature(part.signature),
                "ext": _ext(part.ext),
            }
        case ToolResult():
            plain = {
                "part": "result",
                "call": ids.result(part.call_id),
                "name": part.name,
                "text": _result_value(text_of(part.parts), is_error=part.is_error),
                "media": [_part(p, ids) for p in part.parts if isinstance(p, Media)],
                "ext": _ext(part.ext),
            }
        case Opaque(origin, value):
            plain = {"part": "opaque", "origin": origin, "value": _plain(value)}
    return {key: value for key, value in plain.items() if value is not None}


def _signature(signature: Signature | None) -> str | None:
    return None if signature is None else f"{signature.origin}:{signature.data}"


def _spelt(text: str) -> Any:
    """The value that JSON text spells; text that spells none is itself."""
    try:
        return jsontext.decode(text)
    except jsontext.NotJson:
        return {"_raw": text}


def _result_value(text: str, *, is_error: bool = False) -> Any:
    """Rule 1.3: a result is the object its text spells, and `{"output": text}` is that text, however often wrapped."""
    if is_error:  # rule 7.5 errors
        said = _result_value(text)
        return said if isinstance(said, dict) and "error" in said else {"error": said}
    value: Any = text
    while True:
        if isinstance(value, str):
            if RESULT_POINTER.fullmatch(value):
                return ""
            spelt = _spelt(value)
            if not isinstance(spelt, dict) or spelt.keys() == {"_raw"}:
                return {"error": value[7:]} if value.startswith("Error: ") else value
            value = spelt
        if not value:
            return ""
        if value.keys() == {"output"} and isinstance(value["output"], str):
            value = value["output"]
        else:
            return value


def _ext(ext: Ext) -> Normal | None:
    plain = {origin: _without_advice(origin, _plain(fields)) for origin, fields in (ext or {}).items()}
    return {origin: fields for origin, fields in plain.items() if fields} or None


def _without_advice(origin: str, fields: Normal) -> Normal:
    """Rules 7.5 items and 7.1 cache."""
    means_nothing = _MEANS_NOTHING.get(origin, ())
    return {key: value for key, value in fields.items() if key not in means_nothing and not says_nothing(key, value)}


_MEANS_NOTHING: Final[Mapping[str, tuple[str, ...]]] = {
    ITEMS_ORIGIN: ("id",),
    "anthropic_messages": ("cache_control", "cache_marks"),
    "openai_chat": ("prompt_cache_breakpoint",),
}


def _plain_schema(schema: Any) -> Any:
    """Rule 1.12: an object without properties takes no arguments, however that is said."""
    plain = _with_open_lists(_plain(schema))
    if isinstance(plain, dict) and not plain.get("properties") and set(plain) <= _EMPTY_SCHEMA_KEYS:
        return None
    return plain


_EMPTY_SCHEMA_KEYS = {"type", "properties", "required", "additionalProperties"}


def _with_open_lists(schema: Any) -> Any:
    """Rule 1.11 items."""
    if isinstance(schema, list):
        return [_with_open_lists(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    open_list = schema.get("items") == {} and (kind == "array" or (isinstance(kind, list) and "array" in kind))
    return {key: _with_open_lists(item) for key, item in schema.items() if not (open_list and key == "items")}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _without_nothing(fields: Normal) -> Normal:
    return {key: value for key, value in fields.items() if value not in (None, [], {}, "")}


# -- answers ---------------------------------------------------------------------------------------------------------


def normal_response(response: Response) -> Normal:
    """The normal form of an answer."""
    ids = _Ids()
    return _without_nothing(
        {
            "id": (response.id or "").removeprefix("chatcmpl-").removeprefix("resp_").removeprefix("msg_"),
            "model": response.model,
            "candidates": [_candidate(candidate, ids) for candidate in response.candidates],
            "usage": None if response.usage is None else _usage(response.usage),
            "service_tier": response.service_tier if response.service_tier != "auto" else None,
            "ext": _ext(response.ext),
        }
    )


def _candidate(candidate: Candidate, ids: _Ids) -> Normal:
    parts: list[Normal] = []
    for part in _parts(candidate.parts, ids):
        signature = part.pop("signature", None) if part["part"] in ("text", "reasoning") else None
        last = parts[-1] if parts else None
        if last is not None and last["part"] == part["part"] and part["part"] in ("text", "reasoning"):
            last["text"] += part["text"]
            part = last
        elif last is not None and _goes_on(last, part):
            last["data"] = _joined(last["data"], part["data"])
        else:
            parts.append(part)
        if signature is not None:
            part.setdefault("signatures", []).append(signature)
    finish = candidate.finish
    return _without_nothing(
        {
            "index": str(candidate.index),
            "parts": parts,
            "finish": None
            if finish is None
            else _without_nothing(
                {
                    "reason": str(finish.reason),
                    "raw": None if (finish.raw or "").lower() in _PLAIN_FINISHES else finish.raw,
                    "message": finish.message,
                    "prompt_blocked": finish.prompt_blocked or None,
                }
            ),
            "citations": [_without_nothing(msgspec.structs.asdict(cited)) for cited in candidate.citations],
            "searches": list(candidate.searches),
            "logprobs": [[_logprob(one) for one in (said.chosen, *said.top)] for said in candidate.logprobs],
            "ext": _ext(candidate.ext),
        }
    )


def _goes_on(last: Normal, part: Normal) -> bool:
    """Whether raw speech goes on where the part before it ended."""
    if part["part"] != "media" or not is_raw(part.get("mime")) or not part.get("data") or "signature" in part:
        return False
    said = [{key: value for key, value in one.items() if key not in ("data", "signature")} for one in (last, part)]
    return said[0] == said[1]


def _joined(data: str, more: str) -> str:
    return base64.b64encode(base64.b64decode(data) + base64.b64decode(more)).decode()


def _logprob(said: TopLogprob) -> Normal:
    return {**msgspec.structs.asdict(said), "utf8": None if said.utf8 is None else list(said.utf8)}


def _usage(usage: Usage) -> Normal:
    buckets = {name: _plain(getattr(usage, name)) for name in usage.__struct_fields__ if name != "ext"}
    # A report of nothing but zeros is a report: it must not vanish.
    return {"buckets": {name: counts for name, counts in buckets.items() if counts}, "ext": _ext(usage.ext)}


# -- what a declared loss excuses ------------------------------------------------------------------------------------


def erase(form: Normal, losses: Iterable[Loss]) -> Normal:
    """The normal form without what these losses excuse. Apply it to both sides of a law."""
    erased = _plain(form)
    excused = {(field, _key_of(loss) if field == "ext" else "") for loss in losses for field in CODES[loss.code].erases}
    for field, key in sorted(excused):
        if field == "ext":
            _erase_extra(erased, key)
        else:
            _erase_field(erased, field)
    if "turns" in erased:
        erased["turns"] = _without_gaps(erased["turns"])
    return _without_nothing(erased)


def _without_gaps(turns: list[Normal]) -> list[Normal]:
    """Turns of which nothing is left are none, and those beside them may be one (rule 1.2 merge)."""
    kept: list[Normal] = []
    for turn in turns:
        if not turn["parts"]:
            continue
        if kept and kept[-1]["role"] == turn["role"]:
            kept[-1]["parts"] += turn["parts"]
            if "extras" in turn:
                kept[-1].setdefault("extras", []).extend(turn["extras"])
        else:
            kept.append(turn)
    return kept


def _key_of(loss: Loss) -> str:
    """The field that a loss names: the last step of its path."""
    return loss.path.rpartition(".")[2]


def _erase_extra(form: Normal, key: str) -> None:
    """One field of one origin: a lost `user` excuses no lost safety setting."""
    for holder in (form, *form.get("candidates", ()), form.get("usage") or {}):
        ext = holder.get("ext") or {}
        for fields in ext.values():
            fields.pop(key, None)
        holder["ext"] = {origin: fields for origin, fields in ext.items() if fields}


def _erase_field(form: Normal, field: str) -> None:
    head, _, tail = field.partition(".")
    match head:
        case "message" | "candidate" | "media" | "result" | "refusal" | "signature" | "part" | "item":
            holders = form.get("turns", []) + form.get("candidates", [])
            for holder in holders:
                _erase_in_parts(holder, head, tail)
        case "tool":
            for tool in form.get("tools", []):
                tool.pop(tail, None)
        case "system":
            users = [turn for turn in form.get("turns", []) if turn["role"] == "user"]
            if users:
                users[0]["parts"] = form.pop("system", []) + users[0]["parts"]
        case "builtin":
            for builtin in form.get("builtins", []):
                builtin.pop(tail, None)
        case _ if tail:
            form.get(head, {}).pop(tail, None)
        case _:
            form.pop(head, None)


_NOTHING_SAID: Final = ({"part": "text", "text": ""}, {"part": "reasoning", "text": ""})
_KIND_ORDER = {"reasoning": 0, "text": 1, "media": 1, "call": 2, "result": 3, "opaque": 4}


def _erase_in_parts(holder: Normal, head: str, tail: str) -> None:
    parts: list[Normal] = holder.get("parts", [])
    match head, tail:
        case (("message" | "candidate"), "order"):
            holder["parts"] = _merged(sorted(parts, key=lambda part: _KIND_ORDER[part["part"]]))
        case "candidate", "utf8":
            for said in holder.get("logprobs", []):
                for one in said:
                    one["utf8"] = None
        case "candidate", "draft":
            holder["parts"] = [part for part in parts if not part.get("thought")]
        case "refusal", _:
            for part in parts:
                if part["part"] == "text":
                    part.pop("ext", None)
        case "item", _:
            for part in parts:
                for origin in list(part.get("ext", ())):
                    if origin in OF_PARTS:
                        del part["ext"][origin]
                if not part.get("ext", True):
                    del part["ext"]
        case "part", kind:
            kept = [part for part in parts if part["part"] != kind]
            holder["parts"] = kept if "role" in holder else _merged(kept)
        case "message", _:
            for extras in holder.get("extras", []):
                extras.pop(tail, None)
            holder["extras"] = [extras for extras in holder.get("extras", []) if extras]
            if not holder["extras"]:
                del holder["extras"]
        case "candidate", _:
            holder.pop(tail, None)
        case "signature", _:
            for part in parts:
                part.pop("signature", None)
                part.pop("signatures", None)
            holder["parts"] = [part for part in parts if part not in _NOTHING_SAID]
        case _:
            for part in parts:
                for found in [part, *part.get("media", [])]:
                    if found["part"] == head:
                        found.pop(tail, None)


def _merged(parts: list[Normal]) -> list[Normal]:
    """Adjacent text of an answer is one text again after parts were moved or taken out (rule 3.1)."""
    merged: list[Normal] = []
    for part in parts:
        last = merged[-1] if merged else None
        if last is not None and part["part"] == last["part"] and part["part"] in ("text", "reasoning"):
            joined = {**last, "text": last["text"] + part["text"]}
            signatures = last.get("signatures", []) + part.get("signatures", [])
            if signatures:
                joined["signatures"] = signatures
            merged[-1] = joined
        else:
            merged.append(part)
    return merged
