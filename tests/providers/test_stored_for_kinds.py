"""Stored keys of any kind: kept in the form they are used in, and served without a restart."""

import json
from pathlib import Path
from random import Random

import msgspec

from admin.local import Bench, on_sqlite
from gateway.house import Script, answers, chat, open_house, says
from portico.admin.command import Office
from portico.admin.desk import Upstream
from portico.config import load_config
from portico.providers import Secret
from portico.providers.secret_keys import SecretKeys
from portico.providers.stored import load_credentials, with_credentials
from providers.entries import configure, configured, service_account
from providers.test_provider_calls import COMPLETION


def test_no_credential_is_kept_for_a_provider_that_would_not_use_it(tmp_path: Path) -> None:
    reading = on_sqlite(tmp_path / "books.db")
    upstreams = {"gemini": Upstream(kind="gemini", host="generativelanguage.googleapis.com", groups=("key:aaaa",))}
    bench = Bench(reading, upstreams=upstreams, secret_keys=SecretKeys(tmp_path / "secret.key"))
    refused = bench.refusal("credentials add", provider="gemini", value="AIza-sample")
    assert (refused.status, refused.param) == (409, "provider")
    assert 'add "database" to its keys' in refused.message
    assert bench.do("credentials list")["data"] == []
    reading.connection.close()


def test_a_document_is_kept_on_one_line_and_judged_before(tmp_path: Path) -> None:
    keys = SecretKeys(tmp_path / "secret.key")
    reading = on_sqlite(tmp_path / "books.db")
    bench = Bench(reading, secret_keys=keys)
    dormant = {one.name: one.kind.name for one in load_config({}, folder=tmp_path).dormant}
    bench.office = Office(reading, msgspec.structs.replace(bench.house, providers=dormant), Random(7))
    document = service_account()
    assert "\n" in document
    bench.do("credentials add", provider="vertex", value=document)
    bench.do("credentials add", provider="groq", value="gsk-sample")
    loaded = reading.at_once(lambda db: load_credentials(db, keys.ring))
    (vertex, kept), groq = loaded.secrets
    assert (vertex, json.loads(kept.reveal())) == ("vertex", json.loads(document))
    assert (groq[0], groq[1].reveal()) == ("groq", "gsk-sample")
    refused = bench.refusal("credentials add", provider="vertex", value=service_account(private_key=None))
    assert (refused.status, refused.param) == (400, "value")
    assert "lacks private_key" in refused.message
    refused = bench.refusal("credentials add", provider="vertex", value='{"type": "other", "secret": "hunter2"}')
    assert "none of a service account" in refused.message
    assert "hunter2" not in refused.message
    reading.connection.close()


async def test_stored_keys_change_who_is_asked_while_it_serves(tmp_path: Path) -> None:
    provider = Script(answers(says("Hello")), answers(COMPLETION))
    entry = '[[providers]]\nkind = "gemini"\nbase_url = "ADDRESS"\n'
    async with open_house(provider, configure=configure(tmp_path, entry)) as house:
        assert (await house.ask(chat())).status == 200
        assert (await house.ask(chat(model="lab/qwen3"))).status == 404
        address = provider.requests[0].headers["host"]
        lab = '[[providers]]\nkind = "openai-compatible"\nname = "lab"\nkeys = ["database"]\n'
        config = configured(tmp_path, f'{lab}base_url = "http://{address}"\n')
        house.relay.serve_from(with_credentials(config.providers, (), [("lab", Secret("first", "database:1"))]))
        assert (await house.ask(chat(model="lab/qwen3"))).status == 200
        house.relay.serve_from(with_credentials(config.providers, (), [("lab", Secret("second", "database:2"))]))
        assert (await house.ask(chat(model="lab/qwen3"))).status == 200
        house.relay.serve_from(with_credentials(config.providers, (), []))
        assert (await house.ask(chat(model="lab/qwen3"))).status == 404
    assert [request.headers.get("authorization") for request in provider.requests] == [
        None,
        "Bearer first",
        "Bearer second",
    ]
