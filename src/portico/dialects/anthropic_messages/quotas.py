"""What a 429 of Anthropic's says of the quota that is used up, and when it is back.

`retry-after` says how long to wait. For each quota (requests, tokens, input and output tokens a minute, by model)
`anthropic-ratelimit-<quota>-remaining` says what is left and `-reset` when it is whole again, as RFC 3339: that is believed
where nothing else is said. All keys of an organization share its quotas, and every answer names it.
https://docs.claude.com/en/api/rate-limits
"""

import re
from collections.abc import Mapping
from typing import Final

from portico.core.quota import Quota, Window
from portico.wire.retryafter import moment, number

_COUNTED: Final = ("requests", "tokens", "input-tokens", "output-tokens")
_PER_MINUTE: Final = re.compile(r"\bper minute\b", re.IGNORECASE)
_WORKSPACE: Final = re.compile(r"\bworkspace", re.IGNORECASE)


def quotas_of(message: str, headers: Mapping[str, str]) -> tuple[Quota, ...]:
    """The quotas that were exceeded."""
    window = Window.MINUTE if _PER_MINUTE.search(message) else Window.UNSAID
    found = [
        Quota(window, name=what, resets_at=moment(headers.get(f"anthropic-ratelimit-{what}-reset", "")))
        for what in _COUNTED
        if number(headers.get(f"anthropic-ratelimit-{what}-remaining", "")) == 0
    ]
    return tuple(found) or (Quota(window),)


def consumer_of(message: str, headers: Mapping[str, str]) -> str | None:
    """Whose quota it is; None: a workspace's, of which the name is not told."""
    return None if _WORKSPACE.search(message) else headers.get("anthropic-organization-id") or None
