"""Cookies, and whether a form is one of ours.

session    `portico`, or `__Host-portico` by TLS: HttpOnly, SameSite=Lax; a browser sends the latter to nobody else and
           takes it from nobody else, so that no neighbour under the same domain can plant one
token      of a session: an HMAC of its secret; of who has not signed in: of a cookie of its own, made when a form is
           first shown. Another site can read neither, and so cannot make a form that carries it
origin     a browser that says where a form comes from (Origin, Sec-Fetch-Site) must say: from here
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

from portico.accounts.sessions import LIFE_US

SESSION: Final = "portico"
VISITOR: Final = "portico-visitor"
TOKEN_FIELD: Final = "token"  # noqa: S105 - the name of a field
TOKEN_HEADER: Final = "x-portico-token"  # noqa: S105 - of a header


def cookie_name(name: str, *, secure: bool) -> str:
    return f"__Host-{name}" if secure else name


def set_cookie(name: str, value: str, *, secure: bool, max_age_s: int | None = LIFE_US // 1_000_000) -> str:
    """A Set-Cookie that only we read. An empty value takes it away."""
    kept = "; Max-Age=0" if not value else "" if max_age_s is None else f"; Max-Age={max_age_s}"
    return f"{cookie_name(name, secure=secure)}={value}; Path=/{kept}; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"


def token_of(secret: str) -> str:
    """What a form carries that is shown to whoever has this secret in a cookie."""
    return hmac.new(secret.encode(), b"portico form", hashlib.sha256).hexdigest()[:40]


def is_token(said: str, secret: str) -> bool:
    return bool(secret) and hmac.compare_digest(said.encode("utf-8", "replace"), token_of(secret).encode())


def comes_from_here(headers: Mapping[str, str], hosts: Collection[str]) -> bool:
    """Whether a browser says that a page of one of these hosts sent this; one that says nothing is believed (the token
    decides)."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc in hosts


def is_here(path: str) -> bool:
    """Whether an address that was given to us leads to a page of ours, and to no other site's."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
