"""The query of a request: the caller's key taken out of it before anything else sees it, and what may stand beside.

Google's clients may send the key as `?key=` (mapping.md 7.6). Nothing of a query is ever passed on to a provider: the key
is not the provider's, `fields` could cut away the counts that a call is charged by, and `prettyPrint` only makes an
answer longer. So those two are taken and mean nothing.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_plus

import msgspec

from portico.core.errors import InvalidRequest
from portico.providers import Secret

_SECRETS: Final = frozenset({"key", "access_token", "oauth_token"})
"""Parameters that hold a credential, in Google's APIs."""


class Query(msgspec.Struct, frozen=True):
    """What a query says. Of a parameter that comes twice the last counts."""

    key: Secret | None
    """The caller's key."""
    rest: str
    """The raw query without it, and without any other credential."""
    parameters: Mapping[str, str]
    """What `rest` says."""

    @property
    def alt(self) -> str | None:
        """How an answer is to be spelt: `json`, `sse` or what else was asked for, in small letters; None if nothing was.

        `alt=json;enum-encoding=int` is `json`: whoever asks for numbers understands names too.
        """
        said = self.parameters.get("alt") or self.parameters.get("$alt")
        return said.partition(";")[0].strip().lower() if said else None

    def wants_events(self) -> bool:
        """Whether a stream is wanted as server-sent events. Raises `InvalidRequest` for what no answer is spelt in."""
        if self.alt not in (None, "json", "sse"):
            raise InvalidRequest("The parameter 'alt' is either 'json' or 'sse'.", param="alt")
        return self.alt == "sse"


NOTHING: Final = Query(None, "", {})


def read_query(raw: str) -> Query:
    """A raw query, without its `?`."""
    if not raw:
        return NOTHING
    key: Secret | None = None
    kept: list[str] = []
    parameters: dict[str, str] = {}
    for piece in raw.split("&"):
        name, _, value = piece.partition("=")
        name = unquote_plus(name)
        if name == "key":
            key = Secret(unquote_plus(value), "the query") if value else key
        elif name not in _SECRETS:
            kept.append(piece)
            parameters[name] = unquote_plus(value)
    return Query(key, "&".join(kept), parameters)
