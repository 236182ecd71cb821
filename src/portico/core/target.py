"""What a rendered request is aimed at: an upstream model and what it can do.

Renderers ask capabilities, never names: which thinking control a model has is data of the catalog (mapping.md 1.6, 1.7).
"""

from enum import StrEnum
from typing import Final

import msgspec


class ThinkingControl(StrEnum):
    """How a model's thinking is steered (mapping.md 1.7)."""

    NONE = "none"
    """It does not think, or must not be told how: the object is omitted."""
    BUDGET = "budget"
    LEVEL = "level"
    ANY = "any"
    """What is asked for is sent as it is: nobody here knows better."""


class ThinkingSpec(msgspec.Struct, frozen=True):
    """The thinking a model offers: a token budget (2.5) or a named level (3.x), and what "off" means for it.

    `levels` run from lowest to highest. `effort` says what each OpenAI effort becomes where the table of mapping.md 1.7
    differs between models of one control: a level, or a budget in tokens.
    """

    control: ThinkingControl = ThinkingControl.NONE
    min_budget: int = 0
    max_budget: int = 0
    can_disable: bool = False
    """Whether a budget of 0 is accepted."""
    levels: tuple[str, ...] = ()
    default: str | None = None
    """The level in force when none is sent; for budget models `dynamic` or `off`."""
    effort: dict[str, str | int] = {}
    dynamic_budget: bool = False
    """Whether a budget of -1 (the model decides) is accepted."""
    adaptive: bool = False
    """Anthropic's `thinking: {type: adaptive}` is accepted; how much is `output_config.effort`, one of `levels`. A model
    with a `max_budget` beside takes `enabled` with a budget too; one without refuses it with a 400."""
    off_type: str = "disabled"
    """What Anthropic's `thinking.type` is to switch it off, where `can_disable` says that it can be."""
    on_by_default: bool = True
    """Whether it thinks when nothing is said. Claude up to 4.8 and GPT 5.1 to 5.4 do not."""


class Capabilities(msgspec.Struct, frozen=True):
    """What a model accepts and produces. Defaults describe a current chat model."""

    family: str = "unknown"
    """Who can read whose thought signatures: `gemini-2`, `gemini-3` … (mapping.md 2.4)."""
    generation: tuple[int, int] = (3, 0)
    """Major and minor version of the model line, (2, 5) or (3, 1)."""
    max_input_tokens: int = 1_048_576
    max_output_tokens: int = 65_536
    input_modalities: frozenset[str] = frozenset({"text"})
    output_modalities: frozenset[str] = frozenset({"text"})
    thinking: ThinkingSpec = ThinkingSpec()
    sampling: bool = True
    """temperature, topP and topK have an effect and are accepted."""
    penalties: bool = False
    logprobs: bool = False
    max_candidates: int = 1
    tools: bool = True
    json_mode: bool = True
    json_schema_form: bool = True
    """`responseJsonSchema` and `parametersJsonSchema` are accepted beside the older OpenAPI subset."""
    json_with_tools: bool = True
    builtin_with_functions: bool = True
    system_instruction: bool = True
    call_ids: bool = True
    """functionCall and functionResponse may carry ids (mapping.md 1.3: only for >= 3)."""
    signatures_required: bool = True
    """A function call of the current turn without its signature is a 400 (mapping.md 2.4: >= 3)."""
    result_media: bool = True
    """functionResponse.parts may carry media (mapping.md 1.3: >= 3)."""
    part_resolution: bool = True
    """A part may carry its own mediaResolution (mapping.md 1.4: >= 3)."""
    judged: bool = True
    """Whether a request is held to what we know of the model at all."""
    seed: bool = True
    multi_turn: bool = True
    """False: one user turn only (mapping.md 1.6: speech)."""
    builtin_tools: bool = True
    """Search, code execution and other tools the provider runs are accepted; `tools` speaks of the caller's functions."""
    cache_min_tokens: int = 0
    """The shortest prompt that can be cached; 0: caching is not offered, or not known to be."""
    aspect_ratios: tuple[str, ...] = ()
    """Of pictures it makes, as `imageConfig.aspectRatio` spells them (mapping.md 1.15)."""
    image_sizes: tuple[str, ...] = ()
    """As `imageConfig.imageSize` spells them, smallest first; empty: the size cannot be chosen."""
    dialects: tuple[str, ...] = ()
    """Dialects that the model can be asked in, the best first, where its provider speaks others too (GPT's pro and codex
    models answer at `/v1/responses` alone); empty: all that the provider speaks."""
    streaming: bool = True
    max_tokens_field: str = "max_completion_tokens"
    """What Chat Completions call the limit of an answer: `max_tokens` at older and at most compatible servers."""
    system_role: str = "system"
    """The role of instructions in Chat Completions and Responses: `developer` for models that reason."""
    mid_system: bool = False
    """A message of role system may stand between others, not only before them (mapping.md 7.5, 17)."""
    turn_effort: bool = False
    """Such a message may say how hard to think from there on (Anthropic's page on effort per message)."""
    prefill: bool = True
    """The last message may be the assistant's, to be continued (mapping.md 7.5, 21)."""
    stop_max: int = 5
    """So many stop sequences are accepted at most; 0: the field itself is refused (mapping.md 7.5, 7)."""
    temperature_max: float = 2.0
    temperature_with_top_p: bool = True
    """False: one of the two may be sent, not both (Claude since 4.1)."""
    sampling_while_thinking: bool = True
    """False: `sampling` holds while the model does not think (GPT since 5.1 with effort none; Claude with budgets)."""
    verbosity: bool = False
    """`verbosity` (Chat) and `text.verbosity` (Responses) are accepted."""
    json_schema: bool = True
    """An answer can be held to a JSON Schema; `json_mode` speaks of JSON of any shape."""
    parallel_choice: bool = True
    """Whether calls may be parallel can be said: `parallel_tool_calls`, `disable_parallel_tool_use`."""
    forced_tools: bool = True
    """A call, or one of a certain tool, can be forced by the tool choice."""
    forced_tools_while_thinking: bool = True
    """False: forcing a call is a 400 while the model thinks (Claude)."""
    thinking_block_required: bool = False
    """With a thinking budget, an assistant turn that calls tools must open with its own thinking block, else it is a 400
    (mapping.md 7.4, end; older Claude)."""
    image_tokens: int = 0
    """The most input tokens that one picture is counted as; 0: as metering guesses."""
    tools_prompt_tokens: int = 0
    """Input tokens of the hidden prompt that comes with any tools of the caller."""
    developer_role: bool = True
    """Messages of role developer are understood in Chat Completions."""
    custom_tools: bool = True
    """Tools that take free text may be declared in Chat Completions; False: they are functions with one text argument."""
    allowed_tools: bool = True
    """A tool choice may name several tools in Chat Completions; False: the others are not declared."""
    search_in_chat: bool = True
    """`web_search_options` are accepted in Chat Completions."""
    thoughts_back: str = ""
    """The member of an assistant's message in Chat Completions that takes its thoughts back while it calls tools
    (`reasoning_content` at DeepSeek's and others); empty: thoughts are not given back."""
    effort_with_functions_in_chat: bool = True
    """False: Chat Completions refuse functions beside a reasoning effort other than none; Responses take both."""


UNJUDGED: Final = Capabilities(
    thinking=ThinkingSpec(ThinkingControl.ANY),
    max_output_tokens=2**31 - 1,
    penalties=True,
    logprobs=True,
    max_candidates=2**31 - 1,
    signatures_required=False,
    judged=False,
    mid_system=True,
    stop_max=2**31 - 1,
    temperature_max=float("inf"),
    verbosity=True,
)
"""A caller who speaks the provider's own dialect is judged by the provider: nothing is refused, dropped or changed."""


COMPATIBLE: Final = msgspec.structs.replace(
    UNJUDGED, max_tokens_field="max_tokens", developer_role=False, custom_tools=False, allowed_tools=False
)
"""A model that nobody here knows, behind a server of OpenAI's dialect: nothing is refused or dropped. All such servers know
`max_tokens`, not all the newer name, and what only OpenAI's newer models know is said in older words."""


class Target(msgspec.Struct, frozen=True):
    """An upstream model at a kind of provider: what a request is rendered for."""

    model: str
    """The provider's own name for the model."""
    provider_kind: str = "gemini"
    capabilities: Capabilities = Capabilities()
    own: bool = False
    """The caller speaks the provider's own dialect: its words are the provider's to judge."""
    small_max_tokens: int = 0
    """Up to this many tokens, a caller who did not steer thinking gets the least of it, lest thoughts eat the whole
    answer (mapping.md 9, first row); 0 leaves it to the model."""
    refused: frozenset[str] = frozenset()
    """Fields, by their neutral names, that a capability allows and this provider was seen to refuse: they are left out and
    told as a loss (mapping.md 1.6)."""

    @property
    def signer(self) -> str:
        """Who made and can read a thought signature: the model line, at a kind of provider (mapping.md 2.4, rule f)."""
        return f"{self.capabilities.family}@{self.provider_kind}"
