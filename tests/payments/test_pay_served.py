"""What Stripe tells, through the gateway's own edge, to two workers at once: booked once."""

import asyncio
import json
from pathlib import Path

from gateway.commands import portico
from gateway.house import Wire, soon
from gateway.preloaded import run
from payments.stand_in import SECRET_KEY, WEBHOOK_SECRET, completed, signed
from portico.ledger import payments
from portico.ledger.payments import CENT
from portico.store.database import open_database

ENV = {
    "GEMINI_API_KEY": "any",
    "PORTICO_API_KEY": "sk-portico-sample-key",
    "STRIPE_SECRET_KEY": SECRET_KEY,
    "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
}


async def tell(port: int, body: bytes, headers: dict[str, str]) -> int:
    wire = Wire(*await soon(asyncio.open_connection("127.0.0.1", port)))
    wire.request("POST", "/stripe/webhook", {"host": "x", **headers}, body)
    try:
        return (await wire.rest()).status
    finally:
        wire.drop()


async def test_an_event_that_two_workers_are_told_is_booked_once(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text(
        '[stripe]\n\n[[providers]]\nkind = "gemini"\nkeys = ["env:GEMINI_API_KEY"]\n'
    )
    _, out, _ = await run("accounts", "create", "acme", "--json", folder=tmp_path, env=ENV)
    account = json.loads(out)["id"]
    database = open_database(f"sqlite:///{tmp_path / '.portico' / 'portico.db'}")
    database.change(
        lambda db: payments.begin(
            db, payment_id="cs_1", account_id=account, user_id=None, amount_nanos=1000 * CENT, fee_nanos=0
        )
    )
    database.close()
    async with portico("serve", "--simulate", "--port", "0", "--workers", "2", folder=tmp_path, env=ENV) as server:
        port = await server.port()
        body, headers = signed(completed(1, "cs_1", 1000))
        assert await asyncio.gather(*[tell(port, body, headers) for _ in range(6)]) == [200] * 6
        assert await tell(port, body, {}) == 400
        assert await tell(port, body + b" ", headers) == 400
        code, out, err = await run("payments", "list", "--json", folder=tmp_path, env=ENV)
        assert code == 0, err
        (payment,) = json.loads(out)["data"]
        assert (payment["state"], payment["amount_usd"]) == ("paid", "10.00")
        code, out, _ = await run("payments", "strays", folder=tmp_path, env=ENV)
        assert (code, out) == (0, "Everything that was told is booked.\n")
        _, out, _ = await run("accounts", "show", "acme", "--json", folder=tmp_path, env=ENV)
        assert json.loads(out)["posted_usd"] == "10.00"
        code, out, _ = await run("payments", "list", "--account", "acme", folder=tmp_path, env=ENV)
        assert "cs_1" in out
    code, _, err = await run("ledger", "verify", folder=tmp_path, env=ENV)
    assert code == 0, err
