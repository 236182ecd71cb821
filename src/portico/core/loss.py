"""Losses: what a render could not say, told to the caller instead of dropped in silence.

A loss carries the code of a row of mapping.md (`1.1:logit_bias`), the path of the value in the caller's own body, and
one sentence. `CODES` is the whole list; `erases` names what of the neutral model a loss excuses, so that the law
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
    elsewhere: Mapping[int, str] = {}
    """The paths of tools that do not stand among the others, by their `at`."""

    def field(self, name: str) -> str:
        """The path of a request field; one that has no entry stands at the top under its own name."""
        return self.fields.get(name, f"$.{name}")

    def with_fields(self, paths: Mapping[str, str]) -> "Where":
        """The same, where these fields (a built-in tool by its kind) stand at paths of their own."""
        return Where({**self.fields, **paths}, self.message, self.tool, self.elsewhere) if paths else self

    def at_message(self, at: int) -> str:
        return self.message.replace("{at}", str(at))

    def at_tool(self, at: int) -> str:
        """The path of a tool; below 0: of all of them."""
        if (path := self.elsewhere.get(at)) is not None:
            return path
        return self.tool.replace("{at}", str(at)) if at >= 0 else self.field("tools")


class Excuse(msgspec.Struct, frozen=True):
    """What a code excuses: neutral fields that need not survive (`core/normal.py` knows how to erase each), in words."""

    erases: tuple[str, ...]
    says: str


CODES: Final[Mapping[str, Excuse]] = {
    # What one of Google's backends alone knows (mapping.md 0)
    "0:gemini_only": Excuse(("ext", "builtins"), "fields and tools that only the Gemini API knows"),
    # Sampling and limits (mapping.md 1.1, 1.6)
    "1.1:sampling": Excuse(
        ("sampling.temperature", "sampling.top_p", "sampling.top_k"),
        "temperature, top_p and top_k are not sent to models that ignore them and will refuse them",
    ),
    "1.1:max_tokens": Excuse(
        ("sampling.max_tokens",),
        "max_tokens is held to what the model can write, or set where the provider wants one; "
        "image models get room for a whole picture",
    ),
    "1.1:penalties": Excuse(
        ("sampling.presence_penalty", "sampling.frequency_penalty"),
        "presence and frequency penalties are left out where the model takes none, and end at 1.99",
    ),
    "1.1:seed": Excuse(("sampling.seed",), "a seed is folded into 32 bits, or left out where the model takes none"),
    "1.1:logprobs": Excuse(
        ("sampling.logprobs", "sampling.top_logprobs"),
        "top_logprobs mean nothing without logprobs; logprobs are left out where the provider refuses them",
    ),
    "1.1:n": Excuse(
        ("sampling.n",),
        "fewer answers than were asked for",
    ),
    "1.1:service_tier": Excuse(("service_tier",), "the tier cannot be said to this kind of provider in the body"),
    "1.1:unsupported": Excuse(
        ("ext",),
        "a field that the other side has nothing for (logit_bias, prediction, verbosity, unknown fields …)",
    ),
    "1.1:ignored": Excuse(("ext",), "bookkeeping that no answer shows (user, metadata, store, prompt_cache_key …)"),
    # Messages (1.2) and results (1.3)
    "1.2:name": Excuse(("message.name",), "the name of a message's author"),
    "1.2:order": Excuse(("message.order",), "Chat keeps the parts of a message apart, not in their order"),
    "1.2:system_inline": Excuse(("system",), "the model has no system instruction: its text opens the first turn"),
    "1.2:message_ext": Excuse(("message.ext",), "fields of a message that the other side has no place for"),
    "1.2:opaque": Excuse(("part.opaque",), "a part that only another provider understands"),
    "1.3:result_ext": Excuse(("result.ext",), "extra fields of a tool's result"),
    # Media (1.4)
    "1.4:detail": Excuse(("media.detail",), "the detail of one picture, on models that have one resolution for all"),
    "1.4:name": Excuse(("media.name",), "a file's name, where the other side has no place for it"),
    "1.5:frames": Excuse((), "an animated picture is sent as its first frame"),
    # What the answer shall be, and what is cached (1.15, 1.16)
    "1.15:speech": Excuse(("voice",), "audio settings for a model that does not speak"),
    "1.16:cached_content": Excuse(
        ("system", "tools", "builtins", "tool_choice"),
        "system text, tools and tool choice beside a cached content, which holds its own",
    ),
    "1.16:vertex_only": Excuse(("ext", "builtins"), "fields that only Vertex AI knows"),
    # Thinking (1.7, 9)
    "1.7:thinking": Excuse(
        ("thinking.effort", "thinking.budget", "thinking.level"),
        "the amount of thinking is not quite what was asked for: held to what the model offers",
    ),
    "1.7:none": Excuse(("thinking",), "the model does not think"),
    "9:small_max_tokens": Excuse(
        ("thinking.effort", "thinking.budget", "thinking.level"),
        "thoughts count inside max_tokens, so a small limit asks for the least thinking",
    ),
    # Output format (1.10, 1.11)
    "1.10:name": Excuse(
        ("output.name", "output.strict", "output.description"),
        "a schema's name and strict flag, where schemas have none and are always enforced",
    ),
    "1.10:format": Excuse(
        ("output",),
        "the model cannot keep to a format here: it is asked for in words, or not at all",
    ),
    "1.11:schema": Excuse(
        ("tool.schema", "output.schema"),
        "a keyword of a schema that is not enforced there; what can be told in words is",
    ),
    # Tools (1.12 to 1.14)
    "1.12:strict": Excuse(("tool.strict",), "one tool cannot be made strict there"),
    "1.12:grammar": Excuse(
        ("tool.ext", "tool.description"),
        "a grammar for a custom tool is told in the description and not enforced",
    ),
    "1.12:validated": Excuse(
        ("tool.strict", "tool_choice"),
        "strict tools are enforced all together, by the mode VALIDATED",
    ),
    "1.12:tool_ext": Excuse(("tool.ext",), "extra fields of a tool"),
    "1.13:parallel": Excuse(("parallel_tool_calls",), "Gemini has no switch for parallel calls; it is told in words"),
    "1.13:choice": Excuse(("tool_choice",), "a tool choice without functions to choose among"),
    "1.14:builtin": Excuse(
        ("builtin.ext",),
        "an option of a built-in tool that the other side has no place for; where the user is, is told in words",
    ),
    # Signatures (2.4)
    "2.4:skip_signature": Excuse(
        ("signature",),
        "no thought signature was kept for a call; Google's skip value stands in for it",
    ),
    "2.4:foreign_signature": Excuse(("signature",), "a thought signature of another vendor or model line is not sent"),
    "2.4:text_signatures": Excuse(
        ("signature",),
        "of several signatures of a text Chat shows the last; the gateway keeps them all",
    ),
    "7.4:last_signature": Excuse(
        ("signature",),
        "the signature of the text that ends an answer, which must come last for Claude's clients; the gateway keeps it",
    ),
    # Embeddings (mapping.md 5.1)
    # What Claude cannot be told, or tell (7.1, 7.2, 7.4, 7.5)
    "7.2:citations": Excuse(("candidate.citations",), "sources told after the block they are of, or of all of it"),
    "7.2:searches": Excuse(("candidate.searches",), "what was searched for, where only the blocks of a tool tell it"),
    "7.5:logprobs": Excuse(("candidate.logprobs",), "logprobs, which Claude's dialect has no place for"),
    "7.5:closed": Excuse(("tool.schema", "output.schema"), "properties that an enforced schema does not name"),
    "7.5:prefill": Excuse((), "the model does not go on from the beginning of an answer: it is told to continue"),
    "7.5:stop": Excuse(("sampling.stop",), "a stop sequence that the provider refuses"),
    # Answers
    "2.1:answer_ext": Excuse(("ext",), "fields of an answer that the caller's dialect has nothing for"),
    "2.1:refusal": Excuse(("refusal",), "a refusal, which is told as text"),
    "2.7:annotations": Excuse(("candidate.ext",), "annotations that are no citations of an address"),
    "2.10:logprobs": Excuse(
        ("candidate.utf8",),
        "Gemini tells tokens as text; the bytes of pieces of characters have no place",
    ),
    "2.2:order": Excuse(
        ("candidate.order",),
        "Chat keeps thoughts, content and calls apart, not their order; the gateway keeps it",
    ),
    "2.2:draft": Excuse(("candidate.draft",), "a draft picture that the model made while thinking"),
    "2.5:finish": Excuse(
        ("candidate.finish",),
        "Chat has no word for how the answer ended; native_finish_reason says it",
    ),
    # Chat Completions of a provider (7.1, 7.4)
    "7.1:chat_stop": Excuse(("sampling.stop",), "stop sequences beyond those that the model takes"),
    "7.1:chat_tier": Excuse(("service_tier",), "a service tier that OpenAI has no word for"),
    "7.1:chat_modalities": Excuse(("modalities", "voice"), "a kind of answer that the model does not make"),
    "7.1:show": Excuse(("thinking.show",), "Chat Completions have no switch that shows thoughts"),
    "7.1:builtin": Excuse(("builtins",), "a tool of a provider that the target has not, or not beside functions"),
    "7.1:media_type": Excuse(("media.mime",), "the type of media by address, which has no field of its own"),
    # What the Responses API has and others have not, and the other way round (mapping.md 7.1 to 7.5)
    "7.1:item_ext": Excuse(("item.ext",), "fields of a part that only one dialect has (phase, namespace, citations …)"),
    "7.1:media_ext": Excuse(("media.ext",), "which piece of a video is looked at, and how often a second"),
    "7.1:stop": Excuse(("sampling.stop",), "the Responses API has no stop sequences"),
    "7.1:modalities": Excuse(("modalities", "voice"), "the Responses API and Claude answer in text"),
    "7.1:setting": Excuse(("ext",), "a setting that one dialect has and the other has nothing for"),
    "7.4:thoughts": Excuse(("part.reasoning",), "earlier thoughts that the target cannot be given"),
    # Embeddings (5.1)
    "5.1:task": Excuse(("ext",), "what a text is embedded for, or its title, for a model that is not told so"),
    # Pictures (5.2)
    "5.2:size": Excuse(("picture",), "a size in pixels is the nearest shape and size that the model paints"),
    "5.2:quality": Excuse(("picture",), "a quality that the model has no setting for"),
    "5.2:compression": Excuse(("picture",), "a format that loses nothing is not compressed further"),
    "5.2:text": Excuse((), "text that came beside a picture; the Images API has no place for it"),
    # Speech and transcripts (5.3, 5.4)
    "5.3:speed": Excuse(("ext",), "how fast a text is read, of voices that have no speed"),
    "5.4:timestamps": Excuse(("ext",), "when something was said, which a model that listens only guesses"),
    "5.4:include": Excuse(("ext",), "logprobs of a transcript"),
    "5.4:chunking": Excuse(("ext",), "how a recording is cut into pieces before it is heard"),
    # What was sent to another model than asked
    "6:successor": Excuse(
        ("model",), "the model is no longer served, or did not answer; another does, at its own price"
    ),
}
"""Every loss there is, by its code: a row of mapping.md."""


UNSEEN: Final = frozenset(
    {"1.1:ignored", "1.10:name", "1.12:validated", "5.4:chunking", "7.4:last_signature", "7.5:closed"}
)
"""What no answer shows: fields of bookkeeping (1.1), a schema's name, strict tools that are enforced in another way, what
the gateway keeps itself. A strict call may have these losses."""


def changes_header(losses: "list[Loss] | tuple[Loss, ...]", limit_bytes: int = 2048) -> str:
    """Losses as the `x-portico-changes` header: ASCII JSON, at most `limit_bytes`, then `{"more": n}` for the rest."""
    items: list[str] = []
    used = 2
    for number, loss in enumerate(losses):
        item = msgspec.json.encode(loss).decode()
        if not item.isascii() or "\x7f" in item:
            item = _ascii(item)
        if used + len(item) + 1 > limit_bytes - 16:
            items.append(f'{{"more":{len(losses) - number}}}')
            break
        items.append(item)
        used += len(item) + 1
    return "[" + ",".join(items) + "]"


def _ascii(text: str) -> str:
    """JSON text with everything beyond printable ASCII escaped, as a header must have it."""
    return "".join([character if character < "\x7f" else _escape(character) for character in text])


def _escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join([f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)])


def as_json(losses: "list[Loss] | tuple[Loss, ...]") -> list[dict[str, Any]]:
    """Losses as plain values, for `portico translate` and receipts."""
    return [{"code": loss.code, "path": loss.path, "message": loss.message} for loss in losses]
