"""Commands on what is upstream and what runs: rests, providers, open calls; and drafts of prices. On both databases."""

import json
from typing import Any

import pytest

from admin.local import NOW_US, Bench, LocalReading
from portico.admin.desk import Probed, Upstream
from portico.admin.price_drafts import form_of
from portico.core.storage import Db
from portico.ledger import open_calls
from portico.routing import rows as rests

MINUTE_US = 60_000_000
KEY_A, KEY_B = "key:aaaa", "key:bbbb"


def upstreams(**more: Upstream) -> dict[str, Upstream]:
    return {"gemini": Upstream(kind="gemini", host="generativelanguage.googleapis.com", groups=(KEY_A, KEY_B)), **more}


@pytest.fixture
def wide(bench_anywhere: Bench) -> Bench:
    return Bench(bench_anywhere.reading, upstreams=upstreams())


# -- rests


def test_a_provider_rests_for_minutes_or_until_it_is_cleared(wide: Bench) -> None:
    rested = wide.do("pool rest", provider="gemini", minutes=30, note="an outage")
    assert rested["why"] == "operator: an outage"
    assert rested["group"] == rested["model"] == ""
    assert wide.do("pool list")["data"] == [rested]
    for_ever = wide.do("pool rest", provider="gemini", model="gemini-3.5-flash")
    assert "until" not in for_ever or for_ever["until"] is None
    assert for_ever["why"] == "operator: test"
    assert wide.do("pool clear", provider="gemini") == {"cleared": 2}
    assert wide.do("pool list")["data"] == []
    assert [row[0] for row in wide.rows("SELECT command FROM audit ORDER BY id")] == ["pool rest"] * 2 + ["pool clear"]


def test_a_shorter_rest_does_not_cut_a_longer_one(wide: Bench) -> None:
    wide.do("pool rest", provider="gemini")
    assert wide.refusal("pool rest", provider="gemini", minutes=1).status == 409
    assert wide.refusal("pool rest", provider="nobody").param == "provider"


def test_a_rest_raises_the_revision_that_workers_watch(wide: Bench) -> None:
    wide.do("pool rest", provider="gemini", minutes=1)
    assert wide.rows("SELECT number FROM revisions WHERE name = ?", rests.REVISION) == [(1,)]


def test_a_provider_that_nobody_has_configured_is_none_that_can_rest(bench_anywhere: Bench) -> None:
    """A name that Portico knows for others: what was meant would still be asked."""
    known = upstreams(openai=Upstream(kind="openai", host="api.openai.com", takes_stored=True, dormant=True))
    wide = Bench(bench_anywhere.reading, {"gemini": "gemini", "openai": "openai"}, upstreams=known)
    refused = wide.refusal("pool rest", provider="openai")
    assert refused.message == "There is no provider 'openai' (configured: gemini)."
    sql = "INSERT INTO credentials (id, provider, ciphertext, secret_key_id, created_us) VALUES (?, ?, ?, '', 1)"
    wide.reading.at_once(lambda db: db.run(sql, "cred_1", "openai", b""))
    assert wide.do("pool rest", provider="openai")["provider"] == "openai"


# -- providers


def let_rest(db: Db, group: str, model: str = "") -> None:
    sql = "INSERT INTO rests (provider, quota_group, model, until_us, why, misses, at_us) VALUES (?, ?, ?, ?, ?, 1, ?)"
    db.run(sql, "gemini", group, model, NOW_US + MINUTE_US, "rate_limit_exceeded: minute", NOW_US)


@pytest.mark.parametrize(
    ("groups", "state"),
    [
        ([], "asked"),
        ([(KEY_A, "")], "partly rests"),
        ([(KEY_A, ""), (KEY_B, "")], "rests"),
        ([("", "gemini-3.5-flash")], "partly rests"),
        ([("", "")], "rests"),
    ],
)
def test_a_provider_is_asked_rests_or_rests_in_part(wide: Bench, groups: list[tuple[str, str]], state: str) -> None:
    for group, model in groups:
        wide.reading.at_once(lambda db, group=group, model=model: let_rest(db, group, model))  # type: ignore[misc]
    (one,) = wide.do("providers list")["data"]
    assert one["state"] == state
    assert one["configured"] == 2
    assert len(one["rests"]) == len(groups)


def test_what_is_in_trouble_comes_first_and_what_nobody_uses_is_left_out(bench: Bench) -> None:
    more = {
        "empty": Upstream(kind="openai", host="api.openai.com"),
        "asleep": Upstream(kind="openai-compatible", host="api.example.com", takes_stored=True, dormant=True),
    }
    wide = Bench(bench.reading, upstreams=upstreams(**more))
    assert [(one["name"], one["state"]) for one in wide.do("providers list")["data"]] == [
        ("empty", "no key"),
        ("gemini", "asked"),
    ]


def test_a_probe_tells_of_every_key_and_changes_nothing(bench: Bench) -> None:
    def probe(name: str) -> list[Probed]:
        return [Probed(key="env:A", ok=True), Probed(key=f"env:{name}", ok=False, error="API key not valid")]

    wide = Bench(bench.reading, upstreams=upstreams(), probe=probe)
    found = wide.do("providers probe", provider="gemini")["data"]
    assert [one["ok"] for one in found] == [True, False]
    assert wide.refusal("providers probe", provider="nobody").param == "provider"
    assert bench.refusal("providers probe", provider="gemini").param == "provider"
    assert wide.rows("SELECT COUNT(*) FROM audit") == [(0,)]


# -- open calls

CHECKPOINT = {
    "request_id": "req_2",
    "account": "acc",
    "model": "gemini-3.5-flash",
    "provider": "gemini",
    "usage": {"output_visible": {"text": 40}},
    "charge_nanos": 1200,
}


def hold(reading: LocalReading, request_id: str, account: str, age_s: int, checkpoint: Any = None) -> None:
    sql = (
        "INSERT INTO holds (request_id, account_id, key_id, worker_id, amount_nanos, at_us, checkpoint)"
        " VALUES (?, ?, 'key_gone', 'wrk_1', 5000, ?, ?)"
    )
    text = "" if checkpoint is None else json.dumps(checkpoint)
    reading.at_once(lambda db: db.run(sql, request_id, account, reading.now_us - age_s * 1_000_000, text))


def test_open_calls_are_listed_oldest_first_with_what_is_known_of_them(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    account = bench.do("accounts create", name="acme")["id"]
    hold(bench.reading, "req_2", account, 3, CHECKPOINT)
    hold(bench.reading, "req_1", account, 90)
    hold(bench.reading, "req_3", account, 1, {"not": "a receipt"})
    first, second, third = bench.do("calls list")["data"]
    assert (first["request_id"], first["age_s"], first.get("model")) == ("req_1", 90, None)
    assert (first["account_name"], first["key_name"], first["held_nanos"]) == ("acme", "", 5000)
    assert (second["model"], second["output_tokens"], second["charge_nanos"]) == ("gemini-3.5-flash", 40, 1200)
    assert third.get("model") is None
    assert [one["request_id"] for one in bench.do("calls list", limit=1)["data"]] == ["req_1"]
    assert (first["machine"], first["process"]) == ("", ""), "its worker is forgotten"
    lease = "INSERT INTO leases (worker_id, label, expires_us) VALUES ('wrk_1', ?, 1)"
    bench.reading.at_once(lambda db: db.run(lease, "東-2.example:0f3b:4026531836:812:99"))
    (first, *_) = bench.do("calls list")["data"]
    assert (first["machine"], first["process"]) == ("東-2.example", "812")
    bench.do("accounts create", name="other")
    assert len(bench.do("calls list", account="acme")["data"]) == 3
    assert bench.do("calls list", account="other")["data"] == []
    assert bench.refusal("calls list", account="nobody").status == 404


def test_ending_a_call_leaves_a_word_that_workers_take_or_that_is_forgotten(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    account = bench.do("accounts create", name="acme")["id"]
    hold(bench.reading, "req_1", account, 5)
    assert bench.do("calls end", request="req_1")["ending"]
    assert bench.do("calls end", request="req_1")["ending"]  # again, before a worker came to it
    assert [one["ending"] for one in bench.do("calls list")["data"]] == [True]
    assert bench.refusal("calls end", request="req_none").status == 404
    at_once = bench.reading.at_once
    assert at_once(open_calls.to_be_ended) == ["req_1"]
    assert bench.rows("SELECT number FROM revisions WHERE name = 'endings'") == [(2,)]
    at_once(lambda db: open_calls.was_ended(db, ["req_1"]))
    assert at_once(open_calls.to_be_ended) == []
    bench.do("calls end", request="req_1")
    assert at_once(open_calls.sweep) == 0
    bench.reading.now_us += 2 * MINUTE_US
    assert at_once(open_calls.sweep) == 1
    assert bench.rows("SELECT actor, subject FROM audit WHERE command = 'calls end'") == [("test", "req_1")] * 3


# -- drafts of prices

TOML = '[[prices]]\nmodel = "gemini-3.5-flash"\ninput = "1.80"\n'
CSV = "model,input,cached\ngemini-3.5-flash,1.80,0.18\n"
JSON = '[{"model": "gemini-3.5-flash", "input": 1.80}]'


@pytest.mark.parametrize(("text", "form"), [(TOML, "toml"), (CSV, "csv"), (JSON, "json"), ('{"prices": []}', "json")])
def test_the_format_of_a_draft_is_seen_by_how_it_begins(text: str, form: str) -> None:
    assert form_of("\n " + text) == form


def test_a_draft_is_saved_listed_shown_written_over_and_dropped(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    made = bench.do("prices draft save", text=TOML, title="January")
    assert (made["lines"], made["problem"], made["format"], made["made_by"]) == (1, "", "toml", "test")
    assert made["prices"] == [{"model": "gemini-3.5-flash", "input": "1.80"}]
    again = bench.do("prices draft save", text=CSV, draft=made["id"])
    assert (again["title"], again["format"], again["text"]) == ("January", "csv", CSV)
    assert [one["id"] for one in bench.do("prices draft list")["data"]] == [made["id"]]
    shown = bench.do("prices draft show", draft=made["id"])
    assert bench.do("prices diff", prices=shown["prices"])["changes"]
    bench.do("prices draft drop", draft=made["id"])
    assert bench.do("prices draft list")["data"] == []
    assert bench.refusal("prices draft show", draft=made["id"]).status == 404
    assert bench.rows("SELECT COUNT(*) FROM prices") == [(0,)]
    told = bench.rows("SELECT command, subject FROM audit ORDER BY id")
    assert told == [(f"prices draft {word}", made["id"]) for word in ("save", "save", "drop")]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (TOML + '\n[[prices]]\nmodel = "gemini-3.5-flash"\noutput = "cheap"\n', 7, "cheap"),
        (TOML + '\n[[prices]]\nmodel = "nobody"\ninput = "1"\n', 6, "nobody"),
        ('[[prices]]\nmodel = "x\n', 2, "TOML"),
        (CSV + "gemini-3.5-flash,1.80\n", 3, "columns"),
        (CSV + "nobody,1,1\n", 3, "nobody"),
        (CSV + "\n\nnobody,1,1\n", 5, "nobody"),
        ('[\n{"model": }]', 2, "JSON"),
        ('[{"model": "nobody", "input": 1}]', None, "nobody"),
        ("", None, "no prices"),
    ],
)
def test_what_is_wrong_with_a_draft_is_told_with_its_line(bench: Bench, text: str, line: int | None, word: str) -> None:
    made = bench.do("prices draft save", text=text)
    assert word in made["problem"]
    assert made.get("problem_line") == line
    assert made["prices"] == []
    assert made["text"] == text


# -- the audit


def test_the_audit_is_filtered_by_subject_actor_and_command(bench_anywhere: Bench) -> None:
    bench = bench_anywhere
    account = bench.do("accounts create", name="acme")["id"]
    bench.do("accounts top-up", account="acme", amount_usd="1")
    bench.do("accounts create", name="other")
    assert len(bench.do("audit", command="accounts create")["data"]) == 2
    assert len(bench.do("audit", command="accounts create", subject=account)["data"]) == 1
    assert len(bench.do("audit", actor="test")["data"]) == 3
    assert bench.do("audit", actor="cli:nobody")["data"] == []
