"""[payments] and [stripe]: how people pay into their accounts."""

import importlib.util
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from portico.config.provider import is_url
from portico.config.rules import Rule, read_rules
from portico.config.sources import Sources
from portico.ledger.payments import CENT, Fee
from portico.providers import Secret

MAX_DOLLARS: Final = 1_000_000
AMOUNTS: Final = (10, 20, 50, 100)
LOWEST: Final = 5
HIGHEST: Final = 1000
_SECRET_KEY: Final = re.compile(r"(?:sk|rk)_(?:org_)?(?P<mode>live|test)_\S+")
_WEBHOOK_SECRET: Final = re.compile(r"whsec_\S+")


class PaymentsConfig(msgspec.Struct, frozen=True):
    """[payments]."""

    note: str = ""
    """How to pay by hand: a text for people, shown as it is."""


class StripeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """[stripe]."""

    secret_key: Secret
    webhook_secret: Secret
    live: bool
    """Whether the key moves real money."""
    amounts: tuple[int, ...] = AMOUNTS
    """Whole dollars that are offered."""
    min_amount: int = LOWEST
    max_amount: int = HIGHEST
    fee: Fee = Fee()
    api_base: str | None = None
    """Another address than Stripe's, for a stand-in."""


PAYMENTS_RULES: Final[Mapping[str, Rule]] = {
    "note": Rule("a text", lambda value: isinstance(value, str) and len(value) <= 4000),
}
"""The keys of [payments]; each is also PORTICO_PAYMENTS_<KEY>."""
KEYS: Final = frozenset(PAYMENTS_RULES)


def _is_dollars(value: Any) -> bool:
    return type(value) is int and 0 < value <= MAX_DOLLARS


def _scaled(value: Any, places: int) -> int | None:
    """A number with so many decimals at most, as a whole number of the last of them; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        scaled = Decimal(str(value)).scaleb(places)
    except InvalidOperation:
        return None
    return int(scaled) if scaled.is_finite() and scaled >= 0 and scaled == scaled.to_integral_value() else None


def _is_percent(value: Any) -> bool:
    found = _scaled(value, 3)
    return found is not None and found <= 100_000


def _is_cents(value: Any) -> bool:
    found = _scaled(value, 2)
    return found is not None and found <= 100_000


_RULES: Final[Mapping[str, Rule]] = {
    "amounts": Rule(
        "a list of whole dollars such as [10, 20, 50]",
        lambda value: isinstance(value, list) and 0 < len(value) <= 12 and all(map(_is_dollars, value)),
        in_environment=False,
    ),
    "min_amount": Rule("whole dollars above 0", _is_dollars),
    "max_amount": Rule("whole dollars above 0", _is_dollars),
    "fee_percent": Rule("a percentage such as 2.9, with at most three decimals", _is_percent),
    "fee_fixed": Rule("dollars such as 0.30", _is_cents),
    "api_base": Rule("an http(s) address", is_url),
}
"""Keys of [stripe] that are no secrets; each but `amounts` is also PORTICO_STRIPE_<KEY>."""
_SECRETS: Final = ("secret_key", "webhook_secret")
STRIPE_KEYS: Final = frozenset({*_SECRETS, *_RULES})
_VARIABLES: Final[Mapping[str, str]] = {"secret_key": "STRIPE_SECRET_KEY", "webhook_secret": "STRIPE_WEBHOOK_SECRET"}


def read_payments(sources: Sources, table: Mapping[str, Any]) -> PaymentsConfig:
    values = read_rules(sources, "payments", table, PAYMENTS_RULES, prefix="PORTICO_PAYMENTS_")
    return PaymentsConfig(note=values.get("note", "").strip())


def read_stripe(sources: Sources, table: Any) -> StripeConfig | None:
    """What the table says; None without one. Its variables alone make none."""
    if not isinstance(table, dict):
        return None
    before = len(sources.problems)
    key = _secret(sources, table, "secret_key", _SECRET_KEY, "sk_test_…, sk_live_…, rk_test_… or rk_live_…")
    webhook = _secret(sources, table, "webhook_secret", _WEBHOOK_SECRET, "whsec_…")
    values = read_rules(sources, "stripe", table, _RULES, prefix="PORTICO_STRIPE_")
    if importlib.util.find_spec("stripe") is None:
        message = "needs Stripe's library, which is not installed: pip install 'stripe>=16,<17'"
        sources.problem("stripe", message, line=sources.line("stripe", None))
    percent, fixed = values.pop("fee_percent", 0), values.pop("fee_fixed", 0)
    values["fee"] = Fee(_scaled(percent, 3) or 0, (_scaled(fixed, 2) or 0) * CENT)
    low = values.setdefault("min_amount", LOWEST)
    high = values.setdefault("max_amount", HIGHEST)
    if low > high:
        sources.at("stripe", "max_amount", f"is below min_amount, which is {low}")
    if "amounts" in values:
        values["amounts"] = tuple(sorted(set(values["amounts"])))
        if not all(low <= amount <= high for amount in values["amounts"]):
            sources.at("stripe", "amounts", f"expected amounts from {low} to {high} (min_amount, max_amount)")
    else:
        values["amounts"] = tuple(one for one in AMOUNTS if low <= one <= high)
    if key is None or webhook is None or len(sources.problems) > before:
        return None
    found = _SECRET_KEY.fullmatch(key.reveal())
    live = found is not None and found["mode"] == "live"
    return StripeConfig(secret_key=key, webhook_secret=webhook, live=live, **values)


def _secret(
    sources: Sources, table: Mapping[str, Any], key: str, pattern: re.Pattern[str], wanted: str
) -> Secret | None:
    """The secret a key names, else its variable's; what is wrong is told, and never the secret itself."""
    named = table.get(key)
    found: Secret | str
    if named is None:
        variable = _VARIABLES[key]
        found = sources.secret_of_environment(variable) or f"is missing: name it, or set {variable}"
    else:
        found = sources.secret(named)
    if isinstance(found, Secret) and pattern.fullmatch(found.reveal()) is None:
        found = f"what it names is none of Stripe's: expected {wanted}"
    if isinstance(found, Secret):
        return found
    sources.at("stripe", key, found)
    return None
