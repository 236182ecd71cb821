"""A circuit breaker for one deployment, as a value: `closed`, `open` for a while, then `half open` for one probe.

What opens it is the deployment's own fault (it is unreachable, overloaded, breaks off, answers nonsense), several times in
a row; a caller's mistake, a used-up quota, or an answer that is larger than what is read of one says nothing of it. Each
time a probe fails the pause doubles.
"""

from typing import Final

import msgspec

from portico.core.errors import (
    UpstreamBadGateway,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInternal,
    UpstreamOverloaded,
    UpstreamTimeout,
    UpstreamUnreachable,
)

FAULTS: Final = (
    UpstreamUnreachable,
    UpstreamOverloaded,
    UpstreamInternal,
    UpstreamBadGateway,
    UpstreamTimeout,
    UpstreamIncomplete,
)


class BreakerRules(msgspec.Struct, frozen=True):
    """When a circuit opens, and for how long. `failures` 0: never."""

    failures: int = 5
    pause_s: float = 5.0
    longest_pause_s: float = 120.0


class Circuit(msgspec.Struct, frozen=True):
    """What is known of a deployment. Times are seconds."""

    failures: int = 0
    """In a row."""
    open_until: float = 0.0
    opened: int = 0
    """How often it opened since it last worked."""
    probing_until: float = 0.0
    """A probe is under way, and till then nobody else tries."""

    def is_open(self, now: float) -> bool:
        """Whether it is not to be tried."""
        return self.opened > 0 and (now < self.open_until or now < self.probing_until)

    def is_half_open(self, now: float) -> bool:
        """Whether the next who tries it is its probe."""
        return self.opened > 0 and not self.is_open(now)


NEW: Final = Circuit()
PROBE_S: Final = 30.0
"""So long a probe is waited for before another may be made."""


def tried(circuit: Circuit, now: float) -> Circuit:
    """Somebody tries it."""
    return msgspec.structs.replace(circuit, probing_until=now + PROBE_S) if circuit.is_half_open(now) else circuit


def worked(circuit: Circuit) -> Circuit:
    """It answered."""
    return NEW if circuit != NEW else circuit


def failed(circuit: Circuit, error: UpstreamError, now: float, rules: BreakerRules) -> Circuit:
    """It did not. What is not its fault, as what anybody else would fail with, shows that it answers at all."""
    if not isinstance(error, FAULTS) or not error.fails_over:
        return worked(circuit)
    failures = circuit.failures + 1
    if not rules.failures or (failures < rules.failures and not circuit.opened):
        return Circuit(failures)
    pause = min(rules.pause_s * 2.0 ** min(circuit.opened, 30), rules.longest_pause_s)
    return Circuit(failures, now + pause, circuit.opened + 1)
