"""What an operator wants where a caller says nothing: the `[defaults]` of the configuration (mapping.md 9)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from portico.accounts import Policy
from portico.core.request import Request, Thinking
from portico.core.target import ThinkingControl, ThinkingSpec

GOOGLE: Final = "gemini"
"""The dialect under whose name Google's own fields travel."""

FREE: Final = ThinkingSpec(ThinkingControl.ANY, can_disable=True)
"""Of a model of which nothing is known."""


class Defaults(msgspec.Struct, frozen=True):
    """Each is what most callers want already; the caller's own word always wins."""

    image_form: str = "markdown"
    """How images of an answer are told (mapping.md 2.8)."""
    markdown_slice_bytes: int = 0
    """The longest piece of an image in a stream's text; 0: images come whole (mapping.md 3.2)."""
    show_thoughts: bool = False
    """Who asks for an effort is shown the thoughts, unasked."""
    reasoning_details: bool = False
    """Thoughts are told to everyone in the shape of OpenRouter's clients as well (mapping.md 2.4, channel B)."""
    small_max_tokens: int = 2048
    """Up to this `max_tokens` a request that does not steer thinking thinks as little as the model can; 0: never."""
    effort: str | None = None
    """How much a model thinks whose caller does not say."""
    safety: Mapping[str, str] = {}
    """Harm category -> threshold, in Google's words; categories that are not named keep the provider's own."""


def of_key(defaults: Defaults, policy: Policy) -> Defaults:
    """The same, as a key's own settings change them."""
    form, effort = policy.image_form, policy.default_effort
    if form is None and effort is None:
        return defaults
    return msgspec.structs.replace(defaults, image_form=form or defaults.image_form, effort=effort or defaults.effort)


def with_defaults(request: Request, defaults: Defaults, spec: ThinkingSpec = FREE) -> Request:
    """The request as the caller would have written it, had they said what the operator wants. Of a model that thinks as
    `spec` has it no more is asked than it can do: what nobody said is nobody's loss, and no strict call's fault."""
    changed: dict[str, object] = {}
    thinking = request.thinking
    if defaults.show_thoughts and thinking.show is None and thinking.effort not in (None, "none", "minimal"):
        changed["thinking"] = Thinking(thinking.effort, thinking.budget, thinking.level, show=True)
    if defaults.reasoning_details:
        changed["reasoning_details"] = True
    if defaults.effort is not None and spec.control is not ThinkingControl.NONE and not thinking.steered:
        least = defaults.effort == "none" and not spec.can_disable
        changed["thinking"] = Thinking("minimal" if least else defaults.effort, show=thinking.show)
    google = (request.ext or {}).get(GOOGLE, {})
    if defaults.safety:
        own = google.get("safetySettings") or []
        said = {item.get("category") for item in own if isinstance(item, dict)}
        more = [{"category": name, "threshold": value} for name, value in defaults.safety.items() if name not in said]
        changed["ext"] = {**(request.ext or {}), GOOGLE: {**google, "safetySettings": [*own, *more]}}
    return msgspec.structs.replace(request, **changed) if changed else request
