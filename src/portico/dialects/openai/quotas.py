"""What a 429 of OpenAI's, or of a server that imitates it, says of the quota that is used up, and when it is back.

    Rate limit reached for gpt-5 in organization org-… on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.
    Please try again in 2s.

The sentence names the quota. How long to wait is said by `retry-after-ms`, `retry-after`, or the sentence itself; the
`x-ratelimit-reset-*` headers say when a quota is whole again, which is later, and are believed where nothing else is said.
A day is the last 24 hours here, so that without a delay nothing is known of its end.
https://platform.openai.com/docs/guides/rate-limits
"""

import re
from collections.abc import Mapping
from typing import Final

from portico.core.quota import Quota, Window
from portico.wire.retryafter import number, span_s

SPENT: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
"""Codes of money that is spent, or may not be."""
_ON: Final = re.compile(r"\bon ((?:input |output )?[a-z]+ per (?:min|day|hour)[a-z]*(?: \([A-Z]+\))?)")
_TOO_LARGE: Final = re.compile(r"\brequest too large\b", re.IGNORECASE)
_LIMIT: Final = re.compile(r"\blimit:? (\d{1,15})\b", re.IGNORECASE)
_WHOSE: Final = re.compile(r"\bin (organization|project) `?((?:org|proj)[-_][\w-]+)", re.IGNORECASE)
_COUNTED: Final = ("requests", "tokens")
"""What its headers count."""


def quotas_of(code: str, message: str, headers: Mapping[str, str]) -> tuple[Quota, ...]:
    """The quota that was exceeded."""
    if code in SPENT:
        return (Quota(Window.BALANCE, by_model=False, name=code),)
    found = _ON.search(message)
    name = found.group(1) if found is not None else ", ".join(_used_up(headers))
    if _TOO_LARGE.search(message):
        return (Quota(Window.REQUEST, name=name),)
    limit = _LIMIT.search(message)
    window = Window.MINUTE if "per min" in name else Window.UNSAID
    return (Quota(window, limit=int(limit.group(1)) if limit else None, name=name),)


def consumer_of(message: str) -> str | None:
    """Whose quota it is: an organization or a project."""
    found = _WHOSE.search(message)
    return found.group(2) if found is not None else None


def reset_s(headers: Mapping[str, str]) -> float | None:
    """In how many seconds all is whole again of which nothing is left; None: that is not said."""
    waits = [span_s(headers.get(f"x-ratelimit-reset-{what}", "")) for what in _used_up(headers)]
    return max([wait for wait in waits if wait is not None], default=None)


def _used_up(headers: Mapping[str, str]) -> list[str]:
    return [what for what in _COUNTED if number(headers.get(f"x-ratelimit-remaining-{what}", "")) == 0]
