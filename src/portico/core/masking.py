"""Addresses as they may be shown: whoever reads a log or an error learns where something is, and no password."""

import re
from typing import Final

_USER_INFO: Final = re.compile(
    r"(?<=://)(?P<user>[^:@/?#]*):[^/?#]*(?=@)|(?<=://)(?P<blank>[^/?#]*):.*(?=@)", re.DOTALL
)
_PARAMETER: Final = re.compile(r"(?i)(?<=[?&#;\s])([\w.%-]*(?:pass|secret|token|key)[\w.%-]*)=[^&#;\s]*")


def masked_url(url: str) -> str:
    """An address with `***` for its password, and for parameters that sound like one. What is no address is not shown at
    all, since anything may be a secret there."""
    if "://" not in url:
        return "***"
    shown = _USER_INFO.sub(lambda found: f"{found['user'] or found['blank'] or ''}:***", url, count=1)
    return _PARAMETER.sub(r"\1=***", shown)
