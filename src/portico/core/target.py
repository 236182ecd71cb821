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


UNJUDGED: Final = Capabilities(
    thinking=ThinkingSpec(ThinkingControl.ANY),
    max_output_tokens=2**31 - 1,
    penalties=True,
    logprobs=True,
    max_candidates=2**31 - 1,
    signatures_required=False,
    judged=False,
)
"""A caller who speaks the provider's own dialect is judged by the provider: nothing is refused, dropped or changed."""


class Target(msgspec.Struct, frozen=True):
    """An upstream model at a kind of provider: what a request is rendered for."""

    model: str
    """The provider's own name for the model."""
    provider_kind: str = "gemini"
    capabilities: Capabilities = Capabilities()
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
