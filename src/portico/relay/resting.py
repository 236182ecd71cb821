"""What a caller is told when nobody could be asked: all who serve the model are left out, each for a reason of its own."""

from collections.abc import Sequence
from typing import Final

from portico.core.errors import (
    UpstreamAuthFailed,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefusedAccount,
)
from portico.routing import BY_OPERATOR, LeftOut
from portico.routing.plan import CIRCUIT_OPEN

_QUOTA: Final = (UpstreamRateLimited, "Every provider of this model rests: its quota is used up.")
_REASONS: Final[dict[str, tuple[type[UpstreamError], str]]] = {
    CIRCUIT_OPEN: (UpstreamOverloaded, "Every provider of this model has failed several times in a row."),
    "": _QUOTA,
    BY_OPERATOR: (UpstreamOverloaded, "Whoever runs this gateway lets every provider of this model rest."),
    UpstreamRefusedAccount.code: (UpstreamRefusedAccount, ""),
    UpstreamAuthFailed.code: (UpstreamAuthFailed, ""),
}
"""By the code that a reason begins with; any other is a quota's. Of several the first is told: what passes by itself before
what the operator has to mend. "": the message of the error's class."""


def nobody_asked(left_out: Sequence[LeftOut], wait_s: float | None) -> UpstreamError | None:
    """The failure of a call for which these were left out and nobody was asked; None: nobody was left out either.
    `wait_s`: when the first of them is back; None: when a person has looked."""
    codes = {code if (code := one.why.partition(":")[0]) in _REASONS else "" for one in left_out}
    for code, (kind, message) in _REASONS.items():
        if code in codes:
            return kind(message, retry_after_s=wait_s)
    return None
