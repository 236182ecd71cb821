"""The fetcher of remote media, as the configuration wants it."""

import time

from portico.config import MediaConfig
from portico.core.address import AllowList
from portico.http.fetch import Fetcher
from portico.http.guard import GuardedResolver


def fetcher_of(media: MediaConfig) -> Fetcher:
    """A fetcher that goes to public addresses and to what `media` allows beside them."""
    resolver = GuardedResolver(AllowList.of(media.allow))
    return Fetcher(resolver, time.monotonic, max_bytes=media.max_bytes, timeout_s=media.timeout_s)
