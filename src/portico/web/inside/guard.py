"""Cookies, and whether a form is one of ours. What calls of a page prove in the same way is in `accounts/browser.py`.

Whoever has not signed in has a cookie of their own for the token, made when a form is first shown.
"""

from typing import Final

from portico.accounts.browser import SESSION, TOKEN_HEADER, comes_from_here, cookie_name, is_token, token_of
from portico.accounts.sessions import LIFE_US

__all__ = [
    "SESSION",
    "TOKEN_FIELD",
    "TOKEN_HEADER",
    "VISITOR",
    "comes_from_here",
    "cookie_name",
    "is_here",
    "is_token",
    "set_cookie",
    "token_of",
]

VISITOR: Final = "portico-visitor"
TOKEN_FIELD: Final = "token"  # noqa: S105 - the name of a field


def set_cookie(name: str, value: str, *, secure: bool, max_age_s: int | None = LIFE_US // 1_000_000) -> str:
    """A Set-Cookie that only we read. An empty value takes it away."""
    kept = "; Max-Age=0" if not value else "" if max_age_s is None else f"; Max-Age={max_age_s}"
    return f"{cookie_name(name, secure=secure)}={value}; Path=/{kept}; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"


def is_here(path: str) -> bool:
    """Whether an address that was given to us leads to a page of ours, and to no other site's."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
