"""What a 429 of Google's says of the quotas that were exceeded (mapping.md 4: the rows of 429).

The quota's name tells all: `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. It stands in QuotaFailure on the Gemini
API, in ErrorInfo's metadata on Google Cloud, and some bodies say it in their sentence alone.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from portico.core.digits import whole
from portico.core.quota import Quota, Window

_WINDOWS: Final = (
    (Window.DAY, re.compile(r"per_?\s?day|daily", re.IGNORECASE)),
    (Window.MINUTE, re.compile(r"per_?\s?minute", re.IGNORECASE)),
)
_PER_MODEL: Final = re.compile(r"per_?\s?(?:base_?)?model", re.IGNORECASE)
_PREPAID: Final = re.compile(r"prepay|prepaid|credits? (?:are|is) depleted", re.IGNORECASE)
_PLAN: Final = re.compile(r"check your plan and billing", re.IGNORECASE)
_LIMIT_IN_TEXT: Final = re.compile(r"\blimit: (\d{1,18})\b")


def quotas_of(details: Iterable[Mapping[str, Any]], message: str) -> tuple[Quota, ...]:
    """The quotas that were exceeded; one of which nothing is known if nothing is said."""
    found: list[Quota] = []
    for item in details:
        kind = str(item.get("@type", "")).rpartition(".")[2]
        if kind == "QuotaFailure":
            violations = item.get("violations")
            for one in violations if isinstance(violations, list) else ():
                if isinstance(one, Mapping):
                    said = " ".join([str(one.get(name) or "") for name in ("quotaId", "subject", "description")])
                    found.append(_quota(said, one.get("quotaId"), one.get("quotaValue"), one.get("quotaDimensions")))
        elif kind == "ErrorInfo":
            metadata = item.get("metadata")
            if isinstance(metadata, Mapping) and (name := metadata.get("quota_limit")):
                found.append(_quota(str(name), name, metadata.get("quota_limit_value"), None))
    return tuple(found) or (_of_message(message),)


def consumer_of(details: Iterable[Mapping[str, Any]]) -> str | None:
    """Whose quota it is: `projects/1234`."""
    for item in details:
        metadata = item.get("metadata")
        if isinstance(metadata, Mapping) and isinstance(consumer := metadata.get("consumer"), str) and consumer:
            return consumer
    return None


def _quota(said: str, name: Any, limit: Any, dimensions: Any) -> Quota:
    by_model = bool(_PER_MODEL.search(said)) or (isinstance(dimensions, Mapping) and "model" in dimensions)
    return Quota(_window(said), by_model, _number(limit), str(name or ""))


def _of_message(message: str) -> Quota:
    if _PREPAID.search(message):
        return Quota(Window.BALANCE, by_model=False)
    limit = _LIMIT_IN_TEXT.search(message)
    window = _window(message)
    if window is Window.UNSAID and (_PLAN.search(message) or limit):
        window = Window.DAY  # what Google says when a day's quota is gone, and of models a plan does not have
    return Quota(window, limit=int(limit.group(1)) if limit else None)


def _window(said: str) -> Window:
    return next((window for window, pattern in _WINDOWS if pattern.search(said)), Window.UNSAID)


def _number(value: Any) -> int | None:
    """int64 values are texts in JSON."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return whole(value) if isinstance(value, str) else None
