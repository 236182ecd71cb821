"""What a name that the catalog does not hold suggests: the day a model is released, its name is all there is.

The rules are data (`[[inference]]` in the file, first match wins); only the version is read here.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Final

import msgspec

from portico.core.target import COMPATIBLE, UNJUDGED, Capabilities

UNKNOWN: Final = Capabilities(signatures_required=False)
"""A name that says nothing, at Google."""
OPEN_KINDS: Final[Mapping[str, Capabilities]] = {
    "openai-compatible": COMPATIBLE,
    "openai": UNJUDGED,
    "azure-openai": UNJUDGED,
    "anthropic": UNJUDGED,
}
"""Kinds at which a name that says nothing (a deployment's, somebody else's model) is held to nothing."""

_VERSION = re.compile(r"\b(gemini|gemma)(?:-[a-z]+)*?-([1-9][0-9]?)(?:\.([0-9]{1,2}))?(?![0-9.])")


class InferenceRule(msgspec.Struct, frozen=True):
    """Names that `pattern` is found in can do what the template can."""

    pattern: str
    template: Capabilities
    backend_templates: dict[str, Capabilities] = {}
    keeps_version: bool = False
    """The number in such names is not the generation of the model line."""


class Inference:
    """Capabilities by name. Patterns are compiled when the first unknown name comes, not at start."""

    def __init__(self, rules: tuple[InferenceRule, ...]) -> None:
        self._rules = rules

    @cached_property
    def _compiled(self) -> list[tuple[re.Pattern[str], InferenceRule]]:
        return [(re.compile(rule.pattern), rule) for rule in self._rules]

    def capabilities(self, name: str, provider_kind: str = "gemini") -> Capabilities:
        """The template of the first rule that fits, in the family and generation that the name states. Never raises.

        At somebody else's server nothing is inferred: `gpt-oss` there is not what GPT is at OpenAI.
        """
        unknown = OPEN_KINDS.get(provider_kind, UNKNOWN)
        if provider_kind == "openai-compatible":
            return unknown
        folded = name.casefold()[:200]
        for pattern, rule in self._compiled:
            if pattern.search(folded):
                template = rule.backend_templates.get(provider_kind, rule.template)
                return template if rule.keeps_version else _with_version(template, folded)
        return unknown


def _with_version(template: Capabilities, name: str) -> Capabilities:
    match = _VERSION.search(name)
    if match is None:
        return template
    line, major, minor = match.group(1), int(match.group(2)), int(match.group(3) or 0)
    return msgspec.structs.replace(template, family=f"{line}-{major}", generation=(major, minor))
