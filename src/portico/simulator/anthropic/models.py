"""The models that the Anthropic side plays, and what each of them takes.

What a family takes is a row of a table, from recorded traffic where there is any, else from Anthropic's pages.
"""

from dataclasses import dataclass, replace

from portico.simulator.refusal import Json


@dataclass(frozen=True)
class Model:
    """What one model takes.

    `thinking`: the types that it takes; `thinks`: without being told to; `shows`: thinking, unless told otherwise.
    `forced`: when a tool may be forced ("always", "idle": while it does not think, "never"). `cached`: the shortest prefix
    that is cached, in tokens.
    """

    name: str = ""
    title: str = ""
    created: str = "2026-01-01T00:00:00Z"
    output: int = 128_000
    context: int = 1_000_000
    thinking: tuple[str, ...] = ("adaptive", "disabled")
    thinks: bool = True
    shows: bool = False
    efforts: tuple[str, ...] = ("low", "medium", "high", "xhigh", "max")
    effort: str = "high"
    sampling: bool = False
    both: bool = False
    """`temperature` and `top_p` together."""
    prefill: bool = False
    system: bool = True
    """Messages of the role system."""
    by_turn: bool = False
    """Those may say how hard to think from there on."""
    forced: str = "idle"
    structured: bool = True
    documents: bool = True
    cached: int = 1024
    caller: bool = True
    """Its calls say who made them."""
    retired: bool = False

    @property
    def line(self) -> str:
        return next(word for word in self.name.split("-")[1:] if word.isalpha())


_BUDGET = ("enabled", "disabled")
_5 = Model()
_5_5 = replace(_5, cached=512, forced="never", by_turn=True)
_ALWAYS = replace(_5_5, thinking=("adaptive",))
_4_7 = replace(_5, thinks=False, system=False)
_4_6 = replace(
    _4_7,
    thinking=("adaptive", *_BUDGET),
    shows=True,
    efforts=("low", "medium", "high", "max"),
    sampling=True,
    both=True,
)
_4_5 = replace(
    _4_6, output=64_000, context=200_000, thinking=_BUDGET, efforts=(), prefill=True, caller=False, both=False
)
_4_1 = replace(_4_5, output=32_000, structured=False, both=True)
_4 = replace(_4_1, retired=True)
_3_7 = replace(_4, output=64_000)
_3 = replace(_4, output=4096, thinking=(), cached=2048, documents=False)
_3_5 = replace(_3, output=8192, documents=True)

_FAMILIES: dict[str, Model] = {
    "claude-fable-5-2": replace(_ALWAYS, title="Claude Fable 5.2"),
    "claude-fable-5-1": replace(_ALWAYS, title="Claude Fable 5.1"),
    "claude-fable-5": replace(_5, title="Claude Fable 5", thinking=("adaptive",), cached=512),
    "claude-mythos-5-1": replace(_ALWAYS, title="Claude Mythos 5.1"),
    "claude-mythos-5": replace(_5, title="Claude Mythos 5", thinking=("adaptive",), cached=512),
    "claude-opus-5-5": replace(_ALWAYS, title="Claude Opus 5.5", effort="medium"),
    "claude-opus-5": replace(_5, title="Claude Opus 5", cached=512, by_turn=True),
    "claude-opus-4-8": replace(_4_7, title="Claude Opus 4.8", system=True),
    "claude-opus-4-7": replace(_4_7, title="Claude Opus 4.7", cached=2048),
    "claude-opus-4-6": replace(_4_6, title="Claude Opus 4.6", cached=4096),
    "claude-opus-4-5-20251101": replace(_4_5, title="Claude Opus 4.5", efforts=("low", "medium", "high"), cached=4096),
    "claude-opus-4-1-20250805": replace(_4_1, title="Claude Opus 4.1"),
    "claude-opus-4-20250514": replace(_4, title="Claude Opus 4"),
    "claude-sonnet-5-5": replace(_5_5, title="Claude Sonnet 5.5", thinking=("adaptive", "between_tools")),
    "claude-sonnet-5": replace(_5, title="Claude Sonnet 5"),
    "claude-sonnet-4-6": replace(_4_6, title="Claude Sonnet 4.6"),
    "claude-sonnet-4-5-20250929": replace(_4_5, title="Claude Sonnet 4.5"),
    "claude-sonnet-4-20250514": replace(_4, title="Claude Sonnet 4", output=64_000),
    "claude-haiku-5-5": replace(_5_5, title="Claude Haiku 5.5", effort="medium"),
    "claude-haiku-4-5-20251001": replace(_4_5, title="Claude Haiku 4.5", cached=4096),
    "claude-3-7-sonnet-20250219": replace(_3_7, title="Claude Sonnet 3.7"),
    "claude-3-5-sonnet-20241022": replace(_3_5, title="Claude Sonnet 3.5"),
    "claude-3-5-sonnet-20240620": replace(_3_5, title="Claude Sonnet 3.5"),
    "claude-3-5-haiku-20241022": replace(_3_5, title="Claude Haiku 3.5", structured=True),
    "claude-3-opus-20240229": replace(_3, title="Claude Opus 3"),
    "claude-3-haiku-20240307": replace(_3, title="Claude Haiku 3"),
}
_ALIASES = {
    "claude-opus-4-5": "claude-opus-4-5-20251101",
    "claude-opus-4-1": "claude-opus-4-1-20250805",
    "claude-opus-4-0": "claude-opus-4-20250514",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "claude-sonnet-4-0": "claude-sonnet-4-20250514",
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
    "claude-opus-4-7-20260416": "claude-opus-4-7",
    "claude-opus-4-6-20260205": "claude-opus-4-6",
    "claude-3-7-sonnet-latest": "claude-3-7-sonnet-20250219",
    "claude-3-5-sonnet-latest": "claude-3-5-sonnet-20241022",
    "claude-3-5-haiku-latest": "claude-3-5-haiku-20241022",
    "claude-3-opus-latest": "claude-3-opus-20240229",
}
MODELS = {name: replace(model, name=name) for name, model in _FAMILIES.items()}


def find(name: str, *, lenient: bool) -> Model | None:
    """The model of this name (Vertex writes the date after an `@`), None if it is not served."""
    name = name.replace("@", "-")
    model = MODELS.get(_ALIASES.get(name, name))
    return None if model is None or (model.retired and not lenient) else model


def _is(supported: bool) -> Json:
    return {"supported": supported}


def entry(model: Model) -> Json:
    """A model as `GET /v1/models` tells it."""
    yes, no = _is(True), _is(False)
    efforts = {name: _is(name in model.efforts) for name in ("low", "medium", "high", "xhigh", "max")}
    modes = ("adaptive", "between_tools", "disabled", "enabled")
    types = {name: _is(name in model.thinking or (name == "disabled" and not model.thinking)) for name in modes}
    return {
        "type": "model",
        "id": model.name,
        "display_name": model.title,
        "created_at": model.created,
        "max_input_tokens": model.context,
        "max_tokens": model.output,
        "lifecycle": "retired" if model.retired else "active",
        "line": model.line,
        "deprecated_at": None,
        "retires_at": None,
        "capabilities": {
            "batch": yes,
            "citations": _is(model.documents),
            "code_execution": _is(model.caller),
            "context_management": {
                "supported": True,
                "clear_thinking_20251015": yes,
                "clear_tool_uses_20250919": yes,
                "compact_20260112": _is(model.caller),
            },
            "effort": {"supported": bool(model.efforts), **efforts},
            "image_input": yes,
            "pdf_input": _is(model.documents),
            "server_tools": {"supported": True, "code_execution": yes, "web_search": yes},
            "structured_outputs": yes if model.structured else no,
            "thinking": {"supported": bool(model.thinking), "types": types},
        },
    }
