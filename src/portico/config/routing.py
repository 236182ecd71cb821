"""[routing]: who is asked for an answer, how often, and what becomes of who fails."""

from collections.abc import Mapping
from typing import Any, Final

from portico.config.rules import AMOUNT, COUNT, POSITIVE, SWITCH, Rule, one_of, read_rules
from portico.config.sources import Sources
from portico.relay.router import RoutingRules
from portico.routing import BreakerRules, Policy

RULES: Final[Mapping[str, Rule]] = {
    "policy": one_of(*[policy.value for policy in Policy]),
    "sticky": one_of("user", "account", "none"),
    "retries": COUNT,
    "attempts": POSITIVE,
    "deadline_s": AMOUNT,
    "first_pause_s": AMOUNT,
    "longest_pause_s": AMOUNT,
    "hedge_after_s": AMOUNT,
    "allow_dearer": SWITCH,
    "breaker_failures": COUNT,
    "breaker_pause_s": AMOUNT,
}
"""The keys of [routing]; each is also PORTICO_ROUTING_<KEY>."""

KEYS: Final = frozenset(RULES)
RETRIES: Final = 2
"""How often a gateway that serves tries again what may pass, if nobody says otherwise."""


def read_routing(sources: Sources, table: Mapping[str, Any]) -> RoutingRules:
    values = {"retries": RETRIES, **read_rules(sources, "routing", table, RULES, prefix="PORTICO_ROUTING_")}
    breaker = BreakerRules()
    breaker = BreakerRules(
        failures=values.pop("breaker_failures", breaker.failures),
        pause_s=values.pop("breaker_pause_s", breaker.pause_s),
    )
    policy = Policy(values.pop("policy", Policy.WEIGHTED))
    return RoutingRules(policy=policy, breaker=breaker, **values)
