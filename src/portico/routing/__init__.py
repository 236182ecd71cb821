"""Routing: which deployments can serve a model, in which order to try them, and what rests meanwhile."""

from portico.routing.circuit import BreakerRules, Circuit
from portico.routing.deployment import Candidate, Deployment, deployments_of
from portico.routing.health import Group, Health, Pace
from portico.routing.plan import ANY, LeftOut, Order, Policy, Wish, plan
from portico.routing.rest import ALL_GROUPS, ALL_MODELS, BY_OPERATOR, FOREVER, Rest, rests_after

__all__ = [
    "ALL_GROUPS",
    "ALL_MODELS",
    "ANY",
    "BY_OPERATOR",
    "FOREVER",
    "BreakerRules",
    "Candidate",
    "Circuit",
    "Deployment",
    "Group",
    "Health",
    "LeftOut",
    "Order",
    "Pace",
    "Policy",
    "Rest",
    "Wish",
    "deployments_of",
    "plan",
    "rests_after",
]
