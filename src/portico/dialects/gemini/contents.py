"""Messages -> systemInstruction and contents (mapping.md 1.2, 1.3, 2.4).

What Google insists on, in one place: user first; one content per run of a role, parts appended and never joined; all
results of a turn in one content, in the order of their calls, and never followed by other parts; a signature on the first
call of each step for models that demand it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from portico.core.errors import InvalidRequest
from portico.core.foreign import foreign_extras
from portico.core.loss import Loss
from portico.core.parts import Media, Opaque, Part, Signature, Text, ToolCall, ToolResult
from portico.core.request import Message, Request, Role
from portico.core.target import Target
from portico.dialects.gemini.parts import (
    ORIGIN,
    SKIP_SIGNATURE,
    VENDOR,
    drop_display_name,
    render_call,
    render_part,
)
from portico.dialects.gemini.results import keeps_detail, render_plain_result, render_result

FILLER: Final[Mapping[str, Any]] = {"text": " "}

_SAYING: Final = frozenset({"text", "thought"})
"""Members of a part that says nothing where its text is empty: thoughts that another vendor sealed often are."""

_SYSTEM: Final = Role.SYSTEM
_DEVELOPER: Final = Role.DEVELOPER
_ASSISTANT: Final = Role.ASSISTANT


class ContentsRenderer:
    """Renders the messages of one request."""

    def __init__(self, request: Request, target: Target, wire_names: Mapping[str, str]) -> None:
        self._request = request
        self._where = request.where
        self._target = target
        self._capabilities = target.capabilities
        self._with_ids = target.capabilities.call_ids
        self._demands_signatures = target.capabilities.signatures_required
        self._signer = target.signer
        self._wire_names = wire_names
        self._wire_ids: dict[str, str | None] = {}
        self._open: list[ToolCall] = []
        self._taking: dict[str, Any] | None = None
        """A turn of the user's that is known to hold no results."""
        self._system: list[Message] = []
        self._runs: list[list[Message]] = []
        """Consecutive messages of one role, system messages left out (they are hoisted)."""
        self.losses: list[Loss] = []
        role: Role | None = None
        for message in request.messages:
            if message.role is role:
                self._runs[-1].append(message)
            elif message.role is _SYSTEM or message.role is _DEVELOPER:
                self._system.append(message)
            else:
                role = message.role
                self._runs.append([message])

    def system(self) -> list[dict[str, Any]]:
        """The parts of systemInstruction: every system text in order, hoisted (1.2)."""
        parts = []
        for message in self._system:
            if message.name is not None or message.ext is not None:
                self._tell_extras(message)
            for part in message.parts:
                if type(part) is Text and part.signature is None and part.ext is None:
                    if part.text:
                        parts.append({"text": part.text})
                    continue
                if not isinstance(part, (Text, Opaque)):
                    path = self._where.at_message(message.at)
                    raise InvalidRequest("A system message can only hold text.", param=path)
                rendered = self._content_part(part, message)
                if rendered is not None:
                    parts.append(rendered)
        return parts

    def contents(self) -> list[dict[str, Any]]:
        contents: list[dict[str, Any]] = []
        for run in self._runs:
            if run[0].role is _ASSISTANT:
                self._model_content(run, contents)
            else:
                self._user_contents(run, contents)
        if self._open:
            self._refuse_unanswered(self._open)
        if not contents or contents[0]["role"] != "user":
            contents.insert(0, {"role": "user", "parts": [dict(FILLER)]})
        return contents

    # -- the model's turns

    def _model_content(self, run: list[Message], contents: list[dict[str, Any]]) -> None:
        if self._open:
            self._refuse_unanswered(self._open)
        parts: list[dict[str, Any]] = []
        calls: list[ToolCall] = []
        for message in run:
            if message.name is not None or message.ext is not None:
                self._tell_extras(message)
            for part in message.parts:
                if type(part) is ToolCall:
                    parts.append(self._call(part, message, not calls))
                    calls.append(part)
                elif type(part) is Text and part.signature is None and part.ext is None:
                    if part.text:
                        parts.append({"text": part.text})
                elif (rendered := self._content_part(part, message)) is not None:
                    parts.append(rendered)
        if parts:
            contents.append({"role": "model", "parts": parts})
        self._open = calls

    def _call(self, call: ToolCall, message: Message, first: bool) -> dict[str, Any]:
        wire_id = (call.upstream_id or (None if call.minted else call.id)) if self._with_ids else None
        self._wire_ids[call.id] = wire_id
        name, signature = call.name, call.signature
        rendered = render_call(call, self._wire_names.get(name, name), wire_id)
        if call.ext is not None:
            path = self._where.at_message(message.at)
            self.losses += foreign_extras(call.ext, path, own=(ORIGIN,))
        if signature is not None:
            if signature.origin == VENDOR and (signature.signer is None or signature.signer == self._signer):
                return rendered  # as `_reads` has it
            rendered.pop("thoughtSignature", None)
            self._tell_foreign(message, "the signature of this call is not one that the model reads")
        if first and self._demands_signatures:
            rendered["thoughtSignature"] = SKIP_SIGNATURE
            text = f"no thought signature was kept for the call of {name}; Google's skip value stands in for it"
            self.losses.append(Loss("2.4:skip_signature", self._where.at_message(message.at), text))
        return rendered

    def _reads(self, signature: Signature) -> bool:
        """Whether the target can read a signature: Google's, and of its own model line where that is known."""
        return signature.origin == VENDOR and (signature.signer is None or signature.signer == self._signer)

    # -- the user's turns

    def _user_contents(self, run: list[Message], contents: list[dict[str, Any]]) -> None:
        results: list[tuple[ToolResult, Message]] = []
        parts: list[dict[str, Any]] = []
        for message in run:
            if message.name is not None or message.ext is not None:
                self._tell_extras(message)
            for part in message.parts:
                if type(part) is Text and part.signature is None and part.ext is None:
                    if part.text:
                        parts.append({"text": part.text})
                elif type(part) is ToolResult:
                    results.append((part, message))
                elif (rendered := self._content_part(part, message)) is not None:
                    parts.append(rendered)
        if results:
            result, open_ = results[0][0], self._open
            answer: dict[str, Any] | None = None
            if len(results) == 1 and len(open_) == 1 and result.call_id == open_[0].id:
                name = self._wire_names.get(result.name, result.name)
                answer = render_plain_result(result, name, self._wire_ids[result.call_id])
            if answer is not None:  # the one call of the turn is answered with a text
                contents.append({"role": "user", "parts": [answer]})
            elif following := self._results(results, contents):
                parts = following + parts
        else:
            if not parts:
                parts.append(dict(FILLER))
            if self._open:
                self._refuse_unanswered(self._open)
        self._open = []
        if not parts:
            return
        if not results and contents and contents[-1]["role"] == "user" and self._takes_more(contents[-1]):
            contents[-1]["parts"] += parts  # nothing was said between the two
            if _hold_results(parts):
                self._taking = None
        else:
            contents.append({"role": "user", "parts": parts})

    def _takes_more(self, content: dict[str, Any]) -> bool:
        """Whether a turn of the user's holds no results. It is looked through once, however much it takes."""
        if content is not self._taking:
            self._taking = None if _hold_results(content["parts"]) else content
        return self._taking is not None

    def _results(
        self, results: list[tuple[ToolResult, Message]], contents: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Puts the results into one content; what must follow it (media that cannot ride inside) is returned."""
        for result, message in results:
            for inner in result.parts:
                if inner.ext:
                    self.losses += foreign_extras(inner.ext, self._where.at_message(message.at), own=(ORIGIN,))
        results = self._in_order(results)
        parts: list[dict[str, Any]] = []
        following: list[dict[str, Any]] = []
        for number, (result, message) in enumerate(results):
            wire_id = self._wire_ids.get(result.call_id, result.call_id) or None
            name = self._wire_names.get(result.name, result.name)
            if (plain := render_plain_result(result, name, wire_id)) is not None:
                parts.append(plain)
                continue
            part, moved = render_result(result, name, wire_id, self._target, label=f"result-{number + 1}")
            parts.append(part)
            following += moved
            self._tell_media_of(result, message)
            if result.ext and any(fields for origin, fields in result.ext.items() if origin != ORIGIN):
                path = self._where.at_message(message.at)
                self.losses.append(Loss("1.3:result_ext", path, "extra fields of a tool result"))
        contents.append({"role": "user", "parts": parts})
        return following

    def _tell_media_of(self, result: ToolResult, message: Message) -> None:
        """What a functionResponse has no place for of the pictures and files in a result."""
        media = [part for part in result.parts if isinstance(part, Media)]
        path = self._where.at_message(message.at)
        if any(part.name for part in media) and self._target.provider_kind != "vertex" and self._capabilities.judged:
            self.losses.append(Loss("1.4:name", path, "the Gemini API has no place for a file's name"))
        if any(part.detail not in (None, "auto") and not keeps_detail(part, self._target) for part in media):
            self.losses.append(Loss("1.4:detail", path, "no detail for a picture in a tool's result"))

    def _in_order(self, results: list[tuple[ToolResult, Message]]) -> list[tuple[ToolResult, Message]]:
        """The results in the order of their calls, each of which must have one."""
        order = {call.id: number for number, call in enumerate(self._open)}
        if [result.call_id for result, _ in results] == list(order):
            return results  # as they are mostly sent
        results = sorted(results, key=lambda item: order.get(item[0].call_id, len(order)))
        answered = {result.call_id for result, _ in results}
        self._refuse_unanswered([call for call in self._open if call.id not in answered])
        self._refuse_strangers(results, order)
        return results

    def _refuse_strangers(self, results: list[tuple[ToolResult, Message]], order: Mapping[str, int]) -> None:
        """Google counts: a result must answer a call of the turn before it, and each call has one (1.3)."""
        if not self._capabilities.judged:
            return
        seen: set[str] = set()
        for result, message in results:
            if result.call_id not in order or result.call_id in seen:
                again = (
                    "has a result already" if result.call_id in seen else "is not of the assistant message before it"
                )
                text = f"The tool call that this result answers ({result.call_id!r}) {again}."
                raise InvalidRequest(text, param=self._where.at_message(message.at) + ".tool_call_id")
            seen.add(result.call_id)

    def _refuse_unanswered(self, calls: Iterable[ToolCall]) -> None:
        """Models that number their calls refuse a turn that leaves one open (1.2, last row); others take it (1.3)."""
        unanswered = [call.id for call in calls]
        if unanswered and self._capabilities.signatures_required:
            raise InvalidRequest(
                "An assistant message with tool calls must be followed by a result for each of them. "
                f"These tool_call_ids have none: {', '.join(unanswered)}",
                param=self._where.field("messages"),
            )

    # -- parts of either

    def _content_part(self, part: Part, message: Message) -> dict[str, Any] | None:
        if type(part) is Text and part.signature is None and (not part.text or part.ext is None):
            return {"text": part.text} if part.text else None
        if not isinstance(part, Opaque) and part.ext:
            path = self._where.at_message(message.at)
            self.losses += foreign_extras(part.ext, path, own=(ORIGIN,))
        rendered = render_part(part)
        if rendered is None:
            if isinstance(part, Opaque) and part.said:
                return None
            text = "a part that only another provider understands"
            self.losses.append(Loss("1.2:opaque", self._where.at_message(message.at), text))
            return None
        signature: Signature | None = getattr(part, "signature", None)
        if signature is not None and not self._reads(signature):
            rendered.pop("thoughtSignature", None)
            self._tell_foreign(message, "the thought signature is not one that the model reads")
        if rendered.get("text") == "" and rendered.keys() <= _SAYING:
            return None
        if isinstance(part, Media) and self._capabilities.judged:
            self._settle_media(part, message, rendered)
            self._sign_image(message, rendered)
        return rendered

    def _sign_image(self, message: Message, rendered: dict[str, Any]) -> None:
        """Models that draw want every picture of theirs signed (2.4, rule d), also those that were another's."""
        able = self._capabilities
        wants = message.role is Role.ASSISTANT and able.signatures_required and "image" in able.output_modalities
        if wants and "thoughtSignature" not in rendered:
            rendered["thoughtSignature"] = SKIP_SIGNATURE
            text = "no thought signature was kept for a picture; Google's skip value stands in for it"
            self.losses.append(Loss("2.4:skip_signature", self._where.at_message(message.at), text))

    def _settle_media(self, part: Media, message: Message, rendered: dict[str, Any]) -> None:
        """What of a media part this provider or model has no place for."""
        if part.name and self._target.provider_kind != "vertex":
            drop_display_name(rendered)
            path = self._where.at_message(message.at)
            self.losses.append(Loss("1.4:name", path, "the Gemini API has no place for a file's name"))
        if part.detail not in (None, "auto"):
            self._settle_detail(part, message, rendered)

    def _settle_detail(self, part: Media, message: Message, rendered: dict[str, Any]) -> None:
        if self._capabilities.part_resolution and "mediaResolution" in rendered:
            return
        rendered.pop("mediaResolution", None)
        if part.detail in ("low", "high") and not self._capabilities.part_resolution:
            return  # told for the whole request instead, see `media_resolution`
        path = self._where.at_message(message.at)
        self.losses.append(Loss("1.4:detail", path, f"no detail {part.detail!r} for one part on this model"))

    def _tell_extras(self, message: Message) -> None:
        path = self._where.at_message
        if message.name is not None:
            self.losses.append(Loss("1.2:name", path(message.at), "a message has no author's name at Google"))
        foreign = {origin: fields for origin, fields in (message.ext or {}).items() if origin != ORIGIN and fields}
        if foreign:
            names = ", ".join(sorted(name for fields in foreign.values() for name in fields))
            self.losses.append(Loss("1.2:message_ext", path(message.at), f"fields without a place at Google: {names}"))

    def _tell_foreign(self, message: Message, text: str) -> None:
        self.losses.append(Loss("2.4:foreign_signature", self._where.at_message(message.at), text))


def media_resolution(request: Request) -> str | None:
    """The one resolution for models without one per part: HIGH if any image asks for it, LOW only if all do (1.4)."""
    details = [part.detail for message in request.messages for part in message.parts if isinstance(part, Media)]
    if "high" in details:
        return "MEDIA_RESOLUTION_HIGH"
    if details and all(detail == "low" for detail in details):
        return "MEDIA_RESOLUTION_LOW"
    return None


def _hold_results(parts: list[dict[str, Any]]) -> bool:
    return any("functionResponse" in part for part in parts)
