"""What a browser brings that somebody has signed in with: a cookie, a token, and whence it comes.

session    `portico`, or `__Host-portico` by TLS: HttpOnly, SameSite=Lax; a browser sends the latter to nobody else and
           takes it from nobody else, so that no neighbour under the same domain can plant one
token      an HMAC of the secret in that cookie, told to our pages alone. Another site can read neither, and so makes
           neither a form nor a call that carries it
origin     a browser that says where something comes from (Origin, Sec-Fetch-Site) must say: from here
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

SESSION: Final = "portico"
TOKEN_HEADER: Final = "x-portico-token"  # noqa: S105 - the name of a header


def cookie_name(name: str, *, secure: bool) -> str:
    return f"__Host-{name}" if secure else name


def cookies_of(header: str) -> dict[str, str]:
    """A Cookie header (RFC 6265 4.2.1); of a name that comes twice, the last."""
    pairs = (pair.partition("=") for pair in header.split(";"))
    return {name.strip(): value.strip().strip('"') for name, is_one, value in pairs if is_one}


def token_of(secret: str) -> str:
    """What a page carries that is shown to whoever has this secret in a cookie."""
    return hmac.new(secret.encode("utf-8", "replace"), b"portico form", hashlib.sha256).hexdigest()[:40]


def is_token(said: str, secret: str) -> bool:
    return bool(secret) and hmac.compare_digest(said.encode("utf-8", "replace"), token_of(secret).encode())


def comes_from_here(headers: Mapping[str, str], hosts: Collection[str]) -> bool:
    """Whether a browser says that a page of one of these hosts sent this; one that says nothing is believed (the token
    decides)."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or ((host := _host_of(origin)) != "" and host in hosts)


def _host_of(origin: str) -> str:
    """Host and port of an Origin; "" for `null`, and for what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
