"""Stripe, through its own library. It is 24 MB and loaded when it is first needed; its calls block.

Two things are asked of it: that it makes a checkout, and whether an event is signed.
"""

import hashlib
import importlib
import logging
from threading import Lock
from typing import Any, Final

import msgspec

from portico.ledger.payments import CENT, CURRENCY
from portico.providers import Secret
from portico.web.payments.counter import BadSignature, Checkout, TillClosed, Wanted

log = logging.getLogger("portico.payments")

TIMEOUT_S: Final = 15.0
TRIES_AGAIN: Final = 1
TOLERANCE_S: Final = 300
"""How old a signature may be."""
_LOCALES: Final = {"en": "en", "zh-CN": "zh", "zh-HK": "zh-HK"}


class StripeTill:
    """A `counter.Till`."""

    def __init__(self, secret_key: Secret, webhook_secret: Secret, *, live: bool, api_base: str | None = None) -> None:
        self.live = live
        self._secret_key = secret_key
        self._webhook_secret = webhook_secret
        self._api_base = api_base
        self._client: Any = None
        self._loading = Lock()

    def begin(self, wanted: Wanted) -> Checkout:
        """See `Till.begin`. The same wish makes one checkout, however often it is asked for: its key is made of it."""
        stripe, client = self._loaded()
        params = _params(wanted)
        digest = hashlib.sha256(msgspec.json.encode([wanted.once, params])).hexdigest()
        options = {"idempotency_key": f"portico-{digest[:48]}"}
        try:
            made = client.v1.checkout.sessions.create(params=params, options=options)
        except stripe.StripeError as error:
            # Its message may name the key's first and last letters; nobody else sees it.
            log.error("Stripe made no checkout for %s: %r", wanted.account_id, error)
            raise TillClosed from None
        if not made.id or not made.url:
            log.error("Stripe made a checkout for %s without an address", wanted.account_id)
            raise TillClosed
        return Checkout(str(made.id), str(made.url))

    def verified(self, body: bytes, signature: str) -> dict[str, Any]:
        """See `Till.verified`."""
        stripe, _ = self._loaded()
        if not signature.isascii():  # its library compares none of those, and says so otherwise
            raise BadSignature
        try:
            stripe.Webhook.construct_event(body, signature, self._webhook_secret.reveal(), TOLERANCE_S)
        except (stripe.SignatureVerificationError, ValueError) as error:
            log.warning("a webhook was refused: %s", type(error).__name__)
            raise BadSignature from None
        found = msgspec.json.decode(body)
        if not isinstance(found, dict):
            raise BadSignature
        return found

    def close(self) -> None:
        if self._client is not None:
            self._http.close()

    def _loaded(self) -> tuple[Any, Any]:
        """The library, and a client of it."""
        with self._loading:
            stripe: Any = importlib.import_module("stripe")
            if self._client is None:
                stripe.enable_telemetry = False
                self._http = stripe.RequestsClient(timeout=TIMEOUT_S)
                self._client = stripe.StripeClient(
                    self._secret_key.reveal(),
                    base_addresses={"api": self._api_base} if self._api_base else {},
                    max_network_retries=TRIES_AGAIN,
                    http_client=self._http,
                )
            return stripe, self._client


def _params(wanted: Wanted) -> dict[str, Any]:
    """A checkout of one payment. The fee is a line of its own."""
    named = {"account": wanted.account_id, "user": wanted.user_id}
    lines = [(wanted.credit_name, wanted.amount_nanos), (wanted.fee_name, wanted.fee_nanos)]
    return {
        "mode": "payment",
        "client_reference_id": wanted.account_id,
        "metadata": named,
        "payment_intent_data": {"metadata": named},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {"currency": CURRENCY, "unit_amount": nanos // CENT, "product_data": {"name": name}},
            }
            for name, nanos in lines
            if nanos
        ],
        "locale": _LOCALES.get(wanted.locale, "auto"),
        "success_url": wanted.paid_url,
        "cancel_url": wanted.left_url,
    }
