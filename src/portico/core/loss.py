"""Losses: what a render could not say, told to the caller instead of dropped in silence.

A loss carries the code of a row of mapping.md (`1.1:logit_bias`), the path of the value in the caller's own body, and
one sentence. `CODES` is the whole list; `erases` names what of the neutral model the loss excuses, so that the law
"parse(render(x)) is x, minus declared losses" can be tested. Text, calls, results, media and usage have no code.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec


class Loss(msgspec.Struct, frozen=True):
    """One thing that could not be said. `path` is in the caller's body, e.g. `$.tools[2].function.strict`."""

    code: str
    path: str
    message: str


class Where(msgspec.Struct, frozen=True):
    """Where the neutral fields stood in the caller's body, so that a renderer can name them in the caller's words."""

    fields: Mapping[str, str] = {}
    message: str = "$.messages[{at}]"
    tool: str = "$.tools[{at}]"

    def field(self, name: str) -> str:
        """The path of a request field; one that has no entry stands at the top under its own name."""
        return self.fields.get(name, f"$.{name}")

    def at_message(self, at: int) -> str:
        return self.message.format(at=at)

    def at_tool(self, at: int) -> str:
        return self.tool.format(at=at)


CODES: Final[Mapping[str, tuple[str, ...]]] = {
    # What one of Google's backends alone knows (mapping.md 0)
    "0:gemini_only": ("ext", "builtins"),
    # Sampling and limits (mapping.md 1.1, 1.6)
    "1.1:sampling": ("sampling.temperature", "sampling.top_p", "sampling.top_k"),
    "1.1:max_tokens": ("sampling.max_tokens",),
    "1.1:penalties": ("sampling.presence_penalty", "sampling.frequency_penalty"),
    "1.1:seed": ("sampling.seed",),
    "1.1:logprobs": ("sampling.logprobs", "sampling.top_logprobs"),
    "1.1:n": ("sampling.n",),
    "1.1:service_tier": ("service_tier",),
    "1.1:unsupported": ("ext",),
    "1.1:ignored": ("ext",),
    # Messages (1.2) and results (1.3)
    "1.2:name": ("message.name",),
    "1.2:order": ("message.order",),
    "1.2:system_inline": ("system",),
    "1.2:message_ext": ("message.ext",),
    "1.2:opaque": ("part.opaque",),
    "1.3:result_ext": ("result.ext",),
    # Media (1.4)
    "1.4:detail": ("media.detail",),
    "1.4:name": ("media.name",),
    "1.16:cached_content": ("system", "tools", "builtins", "tool_choice"),
    "1.16:vertex_only": ("ext", "builtins"),
    # Thinking (1.7, 9)
    "1.7:thinking": ("thinking.effort", "thinking.budget", "thinking.level"),
    "1.7:none": ("thinking",),
    "9:small_max_tokens": ("thinking.budget", "thinking.level"),
    # Output format (1.10, 1.11)
    "1.10:name": ("output.name", "output.strict", "output.description"),
    "1.10:format": ("output",),
    # Tools (1.12 to 1.14)
    "1.12:strict": ("tool.strict",),
    "1.12:grammar": ("tool.ext", "tool.description"),
    "1.12:validated": ("tool.strict", "tool_choice"),
    "1.12:tool_ext": ("tool.ext",),
    "1.13:parallel": ("parallel_tool_calls",),
    "1.13:choice": ("tool_choice",),
    "1.14:builtin": ("builtin.ext",),
    # Signatures (2.4)
    "2.4:skip_signature": ("signature",),
    "2.4:foreign_signature": ("signature",),
    "2.4:text_signatures": ("signature",),
    # Answers
    "2.1:answer_ext": ("ext",),
    "2.1:refusal": ("refusal",),
    "2.7:annotations": ("candidate.ext",),
    "2.10:logprobs": ("candidate.utf8",),
    "2.2:order": ("candidate.order",),
    "2.2:draft": ("candidate.draft",),
    "2.5:finish": ("candidate.finish",),
    # What was sent to another model than asked
    "6:successor": ("model",),
}
"""code -> the neutral fields it excuses (`core/normal.py` knows how to erase each)."""


def changes_header(losses: "list[Loss] | tuple[Loss, ...]", limit_bytes: int = 2048) -> str:
    """Losses as the `x-portico-changes` header: ASCII JSON, at most `limit_bytes`, then `{"more": n}` for the rest."""
    items: list[str] = []
    used = 2
    for number, loss in enumerate(losses):
        item = _ascii(msgspec.json.encode({"code": loss.code, "path": loss.path, "message": loss.message}).decode())
        if used + len(item) + 1 > limit_bytes - 16:
            items.append(f'{{"more":{len(losses) - number}}}')
            break
        items.append(item)
        used += len(item) + 1
    return "[" + ",".join(items) + "]"


def _ascii(text: str) -> str:
    """JSON text with everything beyond printable ASCII escaped, as a header must have it."""
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join([character if character < "\x7f" else _escape(character) for character in text])


def _escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join([f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)])


def as_json(losses: "list[Loss] | tuple[Loss, ...]") -> list[dict[str, Any]]:
    """Losses as plain values, for `portico translate` and receipts."""
    return [{"code": loss.code, "path": loss.path, "message": loss.message} for loss in losses]
