"""Routing: which deployments can serve a model, and in which order to try them."""

from portico.routing.plan import Candidate, Deployment, deployments_of, plan

__all__ = ["Candidate", "Deployment", "deployments_of", "plan"]
