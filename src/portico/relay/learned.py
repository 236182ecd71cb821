"""What providers were seen to refuse, remembered for an hour (mapping.md 1.6, last paragraph).

The catalog says what a model can do, and a provider may know better: it names an optional field in a 400. The request is
then sent once more without it, and if that is accepted, later requests leave it out at once, unless the refusal was of the
value sent: no caller decides for others. Only for fields that an answer does without; never for what the caller would see
(schema, tools).
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.target import Target, ThinkingSpec

TTL_S: Final = 3600.0
MAX_MODELS: Final = 1024

NARROWER: Final[Mapping[str, Mapping[str, Any]]] = {
    "penalties": {"penalties": False},
    "sampling": {"sampling": False},
    "seed": {"seed": False},
    "n": {"max_candidates": 1},
    "thinking": {"thinking": ThinkingSpec()},
    "part_resolution": {"part_resolution": False},
}
"""Field -> what its refusal says of the model's capabilities. One that is not here is left out by its name alone."""
LOSSLESS: Final = frozenset({"n"})
"""Fields that are honoured in another way: several answers are asked for one by one."""
NOTHING: Final[frozenset[str]] = frozenset()


class Learned:
    """Which fields a provider refuses for a model. Bounded; what was learned longest ago is forgotten first."""

    def __init__(self, *, ttl_s: float = TTL_S, max_models: int = MAX_MODELS) -> None:
        self._ttl_s = ttl_s
        self._max_models = max_models
        self._fields: OrderedDict[tuple[str, str], dict[str, float]] = OrderedDict()
        """(provider, upstream model) -> field -> when it is forgotten."""

    def __len__(self) -> int:
        return len(self._fields)

    def remember(self, provider: str, model: str, fields: frozenset[str], now: float) -> None:
        """`now` is in seconds."""
        if not fields:
            return
        known = self._fields.setdefault((provider, model), {})
        known.update(dict.fromkeys(fields, now + self._ttl_s))
        self._fields.move_to_end((provider, model))
        while len(self._fields) > self._max_models:
            self._fields.popitem(last=False)

    def fields(self, provider: str, model: str, now: float) -> frozenset[str]:
        if not self._fields:  # as nearly always
            return NOTHING
        known = self._fields.get((provider, model))
        if known is None:
            return NOTHING
        alive = frozenset([field for field, until in known.items() if until > now])
        if not alive:
            del self._fields[provider, model]
        return alive


def narrowed(target: Target, fields: frozenset[str]) -> Target:
    """The target without these fields. One whose caller speaks the provider's own dialect stays as it is."""
    if not fields or target.own:
        return target
    able, refused = target.capabilities, target.refused
    for field in sorted(fields):
        refused |= {field}
        if (change := NARROWER.get(field)) is not None:
            able = msgspec.structs.replace(able, **change)
    return msgspec.structs.replace(target, capabilities=able, refused=refused)
