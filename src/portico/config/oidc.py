"""[oidc]: a provider of identities that people may sign in with."""

import importlib.util
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.config.rules import Rule, read_rules
from portico.config.sources import Sources
from portico.providers import Secret

_ISSUER: Final = re.compile(
    r"https://[^\s?#/]+(?:/[^\s?#]*)?|http://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?:/[^\s?#]*)?"
)
_ALLOWED: Final = re.compile(r"[^@\s]+@[^@\s]+|@?[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")


class OidcConfig(msgspec.Struct, frozen=True, kw_only=True):
    """[oidc]."""

    issuer: str
    """As the provider writes it, to the letter."""
    client_id: str
    client_secret: Secret | None
    """None: the provider knows this Portico without one."""
    label: str = "single sign-on"
    """What the button says it goes on with."""
    allow: tuple[str, ...] = ()
    """Domains and addresses whose people need no invitation, in small letters."""
    operators: tuple[str, ...] = ()
    """Addresses of those who run this Portico."""

    def may_come(self, email: str) -> bool:
        """Whether somebody of this address needs no invitation."""
        address = email.strip().lower()
        return address in self.allow or address.rpartition("@")[2] in self.allow

    def is_operator(self, email: str) -> bool:
        return email.strip().lower() in self.operators


def _are(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and pattern.fullmatch(one.lower()) for one in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable() and len(value) <= 200


_RULES: Final[Mapping[str, Rule]] = {
    "issuer": Rule(
        "an https:// address without a query",
        lambda value: isinstance(value, str) and _ISSUER.fullmatch(value) is not None,
    ),
    "client_id": Rule("a text", _is_text),
    "label": Rule("a text of one line", _is_text),
    "allow": Rule(
        'a list of domains and addresses such as ["example.com", "ada@example.org"]',
        lambda value: _are(_ALLOWED, value),
        in_environment=False,
    ),
    "operators": Rule(
        'a list of addresses such as ["ada@example.com"]', lambda value: _are(_EMAIL, value), in_environment=False
    ),
}
KEYS: Final = frozenset({*_RULES, "client_secret"})
"""The keys of [oidc]; those that are one text are also PORTICO_OIDC_<KEY>."""
SECRET: Final = "PORTICO_OIDC_CLIENT_SECRET"  # noqa: S105 - the name of a variable


def read_oidc(sources: Sources, table: Any) -> OidcConfig | None:
    """What the table says; None without one."""
    if not isinstance(table, dict):
        return None
    before = len(sources.problems)
    values = read_rules(sources, "oidc", table, _RULES, prefix="PORTICO_OIDC_")
    for key in ("issuer", "client_id"):
        if key not in values and key not in table:
            sources.at("oidc", key, "is missing")
    secret: Secret | str | None = sources.secret_of_environment(SECRET)
    if secret is None and "client_secret" in table:
        secret = sources.secret(table["client_secret"])
    if isinstance(secret, str):
        sources.at("oidc", "client_secret", secret)
        secret = None
    if importlib.util.find_spec("authlib") is None or importlib.util.find_spec("httpx2") is None:
        message = "needs libraries that are not installed: pip install 'authlib>=1.9.9,<2' 'httpx2>=2.16,<3'"
        sources.problem("oidc", message, line=sources.line("oidc", None))
    if len(sources.problems) > before:
        return None
    for name in ("allow", "operators"):
        values[name] = tuple(sorted({one.lower().lstrip("@") for one in values.get(name, ())}))
    return OidcConfig(client_secret=secret, **values)
