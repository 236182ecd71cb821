"""A request, as every dialect can be read into and written from.

"Set or unset" is kept for every field: None means the caller said nothing. The order of messages is the caller's;
system messages keep their place (renderers hoist them where a dialect has one slot only). Tool results are parts of user
messages, which is where all dialects but one put them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from portico.core.loss import Where
from portico.core.parts import Ext, Part


class Role(StrEnum):
    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"


class Message(msgspec.Struct, frozen=True):
    """One turn. `at` is its index in the caller's body, for error and loss paths; it means nothing else."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    at: int = -1
    ext: Ext = None
    effort: str | None = None
    """How hard to think from here on, where the turn itself says so; the last that does is in the request's `thinking`."""


class PlainMessages(tuple[Message, ...]):
    """Messages of which whoever read them knows that they are made of texts, calls, and results that are texts, without
    extras: nothing in them holds media or names a file, so that nobody need look for it. Whoever changes them makes an
    ordinary tuple, unless it is still so."""

    __slots__ = ()


class Tool(msgspec.Struct, frozen=True):
    """A tool the caller runs. `schema` is JSON Schema; None means it takes no arguments.

    `kind` is `function`, or `custom` for a tool that takes free text.
    """

    name: str
    description: str | None = None
    schema: Mapping[str, Any] | None = None
    strict: bool | None = None
    kind: str = "function"
    at: int = -1
    ext: Ext = None
    schema_at: str = ""
    """Where the schema stands below the tool in the caller's body (`.function.parameters`), for error and loss paths."""
    unsaid: bool = False
    """The caller said nothing of strictness: `strict` is what its dialect makes of that."""
    brought: bool = False
    """It stands in an item of the conversation, which its own dialect says whole (an `Opaque`)."""


FREE_TEXT: Final = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
"""What a custom tool takes, where all tools are functions."""


FILLER: Final = "."
"""What stands where a provider wants a turn of the user's and the caller had none."""


MADE_LABEL: Final = "The assistant made this:"
"""What stands before a file of the assistant's where only the user may show files."""


ONE_CALL_HINT: Final = "Call at most one function at a time."
"""What a model is told that has no switch for parallel calls (mapping.md 1.13)."""

LOCATION_HINT: Final = "The user is here: "
"""How a model is told where the user is that has no slot for a place (mapping.md 1.14)."""

FORMAT_HINT: Final = "Unless you call a function, answer only with "
"""How a model is asked for a format that cannot be held to one while it has tools (mapping.md 1.10)."""
ONE_OF_THESE: Final = "one of the values that this JSON Schema allows, as bare text"
"""What it is asked for then, where the format is one of several values."""

HINTS: Final = (ONE_CALL_HINT, LOCATION_HINT, FORMAT_HINT)
"""How system texts begin that are the gateway's own words."""


def is_hint(text: str) -> bool:
    """Whether a system text is the gateway's own."""
    return text.startswith(HINTS)


GOOGLE_BUILTINS: Final[Mapping[str, str]] = {
    "googleSearch": "web_search",
    "codeExecution": "code_execution",
    "urlContext": "url_context",
}
"""Google's word for a tool of its own -> the neutral one; its other tools keep Google's. Chat callers may use Google's
words too (mapping.md 1.9, 1.14)."""


class Builtin(msgspec.Struct, frozen=True):
    """A tool the provider runs: `web_search`, `code_execution`, `url_context`, or a word only its dialect knows."""

    kind: str
    at: int = -1
    ext: Ext = None
    spare: bool = False
    """An agent declares it as a matter of course: where the target cannot have it, it is left out and told, not refused."""
    brought: bool = False
    """As `Tool.brought`."""


class ToolChoice(msgspec.Struct, frozen=True):
    """`mode` is auto, none, required, or validated (calls obey the schemas, text stays possible); `names` narrows it."""

    mode: str
    names: tuple[str, ...] = ()


class Sampling(msgspec.Struct, frozen=True):
    """How tokens are drawn, and how many."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class Thinking(msgspec.Struct, frozen=True):
    """How hard to think, and whether to show it. Of effort, budget (tokens, -1 dynamic) and level only one counts, in the
    order budget, level, effort."""

    effort: str | None = None
    budget: int | None = None
    level: str | None = None
    show: bool | None = None

    @property
    def steered(self) -> bool:
        """Whether the caller asked for a certain amount of thinking."""
        return self.effort is not None or self.budget is not None or self.level is not None


class OutputFormat(msgspec.Struct, frozen=True):
    """`kind` is json (any JSON), json_schema, or enum (one of the schema's values as bare text)."""

    kind: str
    schema: Mapping[str, Any] | None = None
    name: str | None = None
    strict: bool | None = None
    description: str | None = None
    schema_at: str = ""
    """The path of the schema in the caller's body, for error and loss paths; "": that of the format."""
    enforced: bool = False
    """It was asked for in a dialect that holds each answer to its schema, and so has no word for that."""


class Speech(msgspec.Struct, frozen=True):
    """How the answer shall sound, if it is spoken: a voice by its name, and the format that the caller wants it in."""

    voice: str | None = None
    format: str | None = None


class Picture(msgspec.Struct, frozen=True):
    """How a picture that is asked for shall be, as far as the caller says (mapping.md 5.2)."""

    size: tuple[int, int] | None = None
    """Width and height in pixels."""
    quality: str | None = None
    """`low`, `medium`, `high`, or a word beyond that only some models know."""
    format: str | None = None
    """`png`, `jpeg` or `webp`."""
    compression: int | None = None
    """0 to 100: how much of it a format keeps that loses something."""
    transparent: bool = False


WHOLE_MODALITIES: Final = (("text",), ("image", "text"), ("audio",), ("audio", "text"))
"""What models make when nothing else is asked of them, sorted: naming all of it says nothing (mapping.md 1.15)."""


class Request(msgspec.Struct, frozen=True):
    """One call, in no dialect."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    builtins: tuple[Builtin, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    sampling: Sampling = Sampling()
    thinking: Thinking = Thinking()
    opening: Thinking | None = None
    """What the request itself says of thinking, where a turn has another effort since (`Message.effort`)."""
    output: OutputFormat | None = None
    modalities: tuple[str, ...] = ()
    speech: Speech | None = None
    picture: Picture | None = None
    service_tier: str | None = None
    stream: bool = False
    include_usage: bool = False
    include_cost: bool = False
    """The caller asks what the answer costs it."""
    legacy_functions: bool = False
    """The caller declared `functions` and expects `function_call` back."""
    reasoning_details: bool = False
    """The caller asks for thoughts as OpenRouter's clients do, and reads them so (mapping.md 2.4, channel B)."""
    thought_tag: str | None = None
    """Thoughts are wanted inside the text, between tags of this name (mapping.md 1.9)."""
    echo: Mapping[str, Any] = {}
    """Settings of the caller's body that an answer in its dialect repeats, as they stood there (clients.md 10)."""
    ours: frozenset[str] = frozenset()
    """Fields that the caller said nothing of and an operation needs (`temperature`, `thinking`): where they cannot be said,
    nobody has lost anything."""
    ext: Ext = None
    where: Where = Where()
