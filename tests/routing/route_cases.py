"""Deployments, credentials and errors for tests of routing."""

from portico.core.errors import UpstreamError
from portico.core.target import Capabilities
from portico.dialects.gemini import DIALECT
from portico.providers import KINDS, Provider, Secret
from portico.routing import Candidate, Deployment
from portico.wire import jsontext


def provider(name: str, *keys: str) -> Provider:
    secrets = tuple([Secret(key, f"env:{key}") for key in keys or ("k",)])
    return Provider.at(name, KINDS["gemini"], "http://127.0.0.1:1", secrets)


def deployment(name: str = "a", *keys: str, model: str = "m", weight: int = 1, priority: int = 0) -> Deployment:
    return Deployment(provider(name, *keys), model, Capabilities(), weight, priority)


def candidate(name: str = "a", key: str = "k", model: str = "m") -> Candidate:
    made = deployment(name, key, model=model)
    return Candidate(made, made.provider.keys[0])


def google(
    status: int, message: str = "", *details: dict[str, object], word: str = "RESOURCE_EXHAUSTED"
) -> UpstreamError:
    """An error as Google tells it."""
    named = [{**one, "@type": f"type.googleapis.com/google.rpc.{one['@type']}"} for one in details]
    body = {"error": {"code": status, "message": message, "status": word, "details": named}}
    return DIALECT.parse_error(status, jsontext.encode(body))


def quota(quota_id: str, value: str | None = None, **more: object) -> dict[str, object]:
    violation: dict[str, object] = {"quotaId": quota_id, **more}
    if value is not None:
        violation["quotaValue"] = value
    return {"@type": "QuotaFailure", "violations": [violation]}


def retry_in(delay: str) -> dict[str, object]:
    return {"@type": "RetryInfo", "retryDelay": delay}


def info(reason: str, **metadata: str) -> dict[str, object]:
    return {"@type": "ErrorInfo", "reason": reason, "metadata": metadata}
