"""A stand-in for Stripe on the loopback: it makes checkouts as Stripe does, and signs what it tells as Stripe does."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl

import stripe

from portico.providers import Secret
from portico.web.payments.stripe_till import StripeTill

SECRET_KEY: Final = "sk_test_sampleSample7"
WEBHOOK_SECRET: Final = "whsec_sampleSample7"
CHECKOUTS: Final = "/v1/checkout/sessions"


class Stripe:
    """What was asked of it, and what it does next."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        """The forms of all requests, retries among them."""
        self.sessions: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
        """By idempotency key: the form, and what was answered."""
        self.fails: list[int] = []
        """Statuses of the next answers."""
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, headers: Any, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked.append(form)
        if headers["authorization"] != f"Bearer {SECRET_KEY}":
            return 401, _error("invalid_request_error", "Invalid API Key provided: sk_test_****le7")
        if self.fails:
            return self.fails.pop(0), _error("api_error", "Something went wrong.")
        if path != CHECKOUTS or (wrong := _wrong(form)):
            return 400, _error("invalid_request_error", f"Unrecognized request: {path} {form}")
        key = headers["idempotency-key"]
        if key in self.sessions:
            before, made = self.sessions[key]
            if before == form:
                return 200, made
            return 400, _error("idempotency_error", f"Keys can only be used with the same parameters: {wrong}")
        made = {
            "id": f"cs_test_{len(self.sessions) + 1}",
            "object": "checkout.session",
            "url": f"https://checkout.stripe.com/c/pay/cs_test_{len(self.sessions) + 1}",
            "livemode": False,
        }
        self.sessions[key] = (form, made)
        return 200, made

    def till(self, **more: Any) -> StripeTill:
        return StripeTill(
            Secret(SECRET_KEY, "test"), Secret(WEBHOOK_SECRET, "test"), live=False, api_base=self.url, **more
        )


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message}}


def _wrong(form: dict[str, str]) -> str:
    """What Stripe would refuse a checkout for."""
    amounts = [value for name, value in form.items() if name.endswith("[unit_amount]")]
    fine = (
        form.get("mode") == "payment"
        and amounts
        and all(amount.isdigit() and int(amount) > 0 for amount in amounts)
        and all(value == "usd" for name, value in form.items() if name.endswith("[currency]"))
        and all(form[name].startswith("http") for name in ("success_url", "cancel_url"))
    )
    return "" if fine else "parameters"


@contextmanager
def running() -> Iterator[Stripe]:
    played = Stripe()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            status, told = played.answer(self.path, self.headers, dict(parse_qsl(body)))
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        played.port = server.server_port
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield played
        finally:
            server.shutdown()
            thread.join()


# -- what it tells -----------------------------------------------------------------------------------------------------


def event(number: int | str, kind: str, **told: Any) -> dict[str, Any]:
    """An event. `told` is its object."""
    return {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_790_000_000,
        "livemode": told.pop("livemode", False),
        "type": kind,
        "data": {"object": told},
    }


def completed(number: int | str, session: str, cents: int, reference: str = "pi_1", **more: Any) -> dict[str, Any]:
    kind = more.pop("type", "checkout.session.completed")
    told = {
        "id": session,
        "object": "checkout.session",
        "mode": "payment",
        "payment_status": "paid",
        "amount_total": cents,
        "currency": "usd",
        "payment_intent": reference,
    }
    return event(number, kind, **told | more)


def refunded(number: int | str, cents: int, reference: str = "pi_1", **more: Any) -> dict[str, Any]:
    told = {"id": "ch_1", "object": "charge", "amount_refunded": cents, "currency": "usd", "payment_intent": reference}
    return event(number, "charge.refunded", **told | more)


def refund(number: int | str, what: str, cents: int, status: str | None, refund: str = "re_1") -> dict[str, Any]:
    """One of them. `what`: refund.created, refund.updated, refund.failed, charge.refund.updated."""
    told = {"object": "refund", "amount": cents, "currency": "usd", "payment_intent": "pi_1", "status": status}
    return event(number, what, id=refund, **told)


def dispute(number: int | str, what: str, cents: int, status: str, reference: str = "pi_1") -> dict[str, Any]:
    """`what`: created, funds_withdrawn, funds_reinstated, closed."""
    told = {
        "id": "dp_1",
        "object": "dispute",
        "amount": cents,
        "currency": "usd",
        "status": status,
        "payment_intent": reference,
    }
    return event(number, f"charge.dispute.{what}", **told)


def signed(told: dict[str, Any], *, secret: str = WEBHOOK_SECRET, age_s: int = 0) -> tuple[bytes, dict[str, str]]:
    """The body of a webhook, and its headers."""
    body = json.dumps(told)
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()) - age_s)
    return body.encode(), {"stripe-signature": header, "content-type": "application/json; charset=utf-8"}
