"""The command line: what is printed, what is asked, exit codes. On the configured database, which is made at first use."""

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from databases import postgres_url, started_books, started_postgres_url
from metering.pricing import rates_of
from portico.cli.admin import show
from portico.cli.app import app
from portico.core.usage import Usage
from portico.metering.charge import charge
from portico.metering.receipt import Receipt, Tried, encode, explained

SETTINGS = ("--rpm", "--budget-day", "--expires", "--model", "--allow-ip", "--image-form", "--default-effort")
KEY_ENV = {"GEMINI_API_KEY": "AIzaSAMPLE", "PORTICO_CONFIG": "", "PORTICO_STORAGE_URL": "", "COLUMNS": "80"}


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """Runs commands in a folder of its own."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = env

    def run(self, *words: str, typed: str = "") -> Said:
        done = CliRunner().invoke(app, list(words), env=self.env, input=typed)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def json(self, *words: str, typed: str = "") -> Any:
        said = self.run(*words, "--json", typed=typed)
        assert said.code == 0, said.err
        return said.json


@pytest.fixture
def first_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Nothing is there yet."""
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path, dict(KEY_ENV))


@pytest.fixture
def cli(first_cli: Cli) -> Cli:
    started_books(first_cli.folder)
    return first_cli


@pytest.fixture(params=["sqlite", "postgres"])
def first_cli_anywhere(request: pytest.FixtureRequest, first_cli: Cli) -> Cli:
    if request.param == "postgres":
        first_cli.env["PORTICO_STORAGE_URL"] = postgres_url()
    return first_cli


@pytest.fixture(params=["sqlite", "postgres"])
def cli_anywhere(request: pytest.FixtureRequest, cli: Cli) -> Cli:
    if request.param == "postgres":
        cli.env["PORTICO_STORAGE_URL"] = started_postgres_url()
    return cli


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """One database for whatever changes nothing."""
    folder = tmp_path_factory.mktemp("acme")
    made = Cli(folder, KEY_ENV | {"PORTICO_STORAGE_URL": f"sqlite:///{folder / 'books.db'}"})
    made.json("accounts", "create", "acme")
    return made


def write(cli: Cli, name: str, text: str) -> str:
    (cli.folder / name).write_text(text, encoding="utf-8")
    return name


# -- accounts, keys, money


def test_an_account_is_opened_paid_into_and_given_a_key(cli_anywhere: Cli) -> None:
    cli = cli_anywhere
    account = cli.json("accounts", "create", "acme")
    assert cli.json("accounts", "top-up", "acme", "12.50")["available_usd"] == "12.50"
    issued = cli.json("keys", "create", "--account", "acme", "--rpm", "60", "--budget-month", "20", "--expires", "30d")
    assert re.fullmatch(r"sk-portico-\w{40}", issued["key"])
    assert issued["id"].startswith("key_")
    assert issued["account"] == account["id"]
    assert issued["settings"] == {"rpm": 60, "budget_month_usd": "20.00"}
    listed = cli.run("keys", "list", "--account", "acme").out
    assert issued["id"] in listed
    assert issued["key"] not in listed
    assert cli.json("ledger", "verify")["ok"] is True
    actors = {entry["actor"] for entry in cli.json("audit")["data"]}
    assert all(actor.startswith("cli:") for actor in actors)


def test_a_key_that_is_made_is_printed_with_its_id_and_nothing_else_is(cli: Cli) -> None:
    """`{"key": …, "id": …}` in one JSON object on one line, for programs; how it is begun is no longer enough to use it."""
    said = cli.run("keys", "create", "--json")
    assert said.err == ""
    assert said.out.count("\n") == 1
    assert re.fullmatch(r"sk-portico-\w{40}", said.json["key"])
    assert re.fullmatch(r"key_\w+", said.json["id"])
    shown = cli.json("keys", "show", said.json["id"])
    assert shown == {name: value for name, value in said.json.items() if name != "key"}


def test_the_first_command_makes_the_database_with_its_built_in_account(first_cli: Cli) -> None:
    assert first_cli.json("db", "status")["state"] == "empty"
    assert not (first_cli.folder / ".portico" / "portico.db").exists()
    assert first_cli.json("keys", "create")["account"] == "default"
    assert first_cli.json("db", "status")["state"] == "current"
    assert (first_cli.folder / ".portico" / "portico.db").stat().st_mode & 0o077 == 0


def test_the_schema_is_upgraded_on_its_own_and_twice_is_once(first_cli_anywhere: Cli) -> None:
    for _ in range(2):
        assert first_cli_anywhere.json("db", "upgrade")["state"] == "current"


def test_a_database_of_a_newer_version_is_refused(cli: Cli) -> None:
    cli.json("db", "upgrade")
    with sqlite3.connect(cli.folder / ".portico" / "portico.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    said = cli.run("accounts", "list")
    assert said.code == 1
    assert "newer Portico" in said.err
    assert cli.json("db", "status")["state"] == "newer"


def test_settings_of_a_key_are_taken_away_with_none(cli: Cli) -> None:
    key = cli.json("keys", "create", "--rpm", "5", "--model", "a*", "--model", "b", "--strict", "--allow-ip", "::1")[
        "id"
    ]
    assert cli.json("keys", "show", key)["settings"] == {
        "models": ["a*", "b"],
        "allow_ips": ["::1"],
        "rpm": 5,
        "strict": True,
    }
    changed = cli.json("keys", "set", key, "--rpm", "none", "--model", "*", "--no-strict", "--allow-ip", "none")
    assert changed["settings"] == {}
    assert cli.json("keys", "set", key, "--expires", "2099-01-01")["expires"].startswith("2099-01-01T00:00:00")
    assert cli.json("keys", "set", key, "--expires", "never")["expires"] is None
    assert cli.json("keys", "set", key, "--default-effort", "none")["settings"] == {"default_effort": "none"}
    assert cli.json("keys", "set", key, "--default-effort", "default")["settings"] == {}


def test_a_key_is_rotated_with_an_overlap_disabled_and_enabled(cli: Cli) -> None:
    issued = cli.json("keys", "create")
    rotated = cli.json("keys", "rotate", issued["id"], "--overlap", "24h")
    assert rotated["key"] != issued["key"]
    assert rotated["old_secret_until"]
    assert cli.json("keys", "disable", issued["id"])["state"] == "disabled"
    assert cli.json("keys", "enable", issued["id"])["state"] == "active"


def test_codes_are_printed_alone_and_redeemed_once(cli: Cli) -> None:
    cli.json("accounts", "create", "acme")
    said = cli.run("codes", "create", "5", "--count", "2")
    codes = said.out.split()
    assert len(codes) == 2
    assert "$5.00" in said.err
    assert cli.json("codes", "redeem", "acme", codes[0])["available_usd"] == "5.00"
    assert cli.json("codes", "redeem", "acme", "-", typed=codes[1])["available_usd"] == "10.00"
    assert cli.run("codes", "redeem", "acme", codes[0]).code == 2


def test_the_ledger_is_exported_whole_as_csv_and_json_lines(cli: Cli) -> None:
    cli.json("accounts", "create", "acme")
    cli.json("accounts", "top-up", "acme", "1", "--note", "=1+1")
    cli.json("accounts", "top-up", "acme", "2")
    rows = list(csv.DictReader(io.StringIO(cli.run("ledger", "export").out)))
    assert [(row["kind"], row["posted_usd"], row["note"]) for row in rows] == [
        ("top_up", "1.00", "'=1+1"),  # not a formula
        ("top_up", "2.00", ""),
    ]
    lines = [json.loads(line) for line in cli.run("ledger", "export", "--json").out.splitlines()]
    assert [line["posted_nanos"] for line in lines] == [1_000_000_000, 2_000_000_000]
    assert cli.run("ledger", "export", "-o", "entries.csv").out == ""
    exported = (cli.folder / "entries.csv").read_text()
    assert cli.run("ledger", "export", "--account", "nobody", "-o", "entries.csv").code == 1
    assert (cli.folder / "entries.csv").read_text() == exported
    assert cli.run("ledger", "export", "--account", "nobody").out == ""
    assert (cli.folder / "entries.csv").read_text(encoding="utf-8").count("\n") == 3


def test_books_that_do_not_add_up_are_exit_code_1(cli: Cli) -> None:
    cli.json("accounts", "create", "acme")
    cli.json("accounts", "top-up", "acme", "1")
    with sqlite3.connect(cli.folder / ".portico" / "portico.db") as connection:
        connection.execute("UPDATE accounts SET posted_nanos = 7 WHERE name = 'acme'")
    connection.close()
    said = cli.run("ledger", "verify")
    assert said.code == 1
    assert "posted, " in said.out
    assert "\nposted: A balance is not the sum of its entries" in said.out
    assert cli.run("ledger", "verify", "--json").json["ok"] is False


# -- prices


def test_prices_are_imported_compared_and_published(cli: Cli) -> None:
    write(cli, "prices.csv", "model,input,cached,output\ngemini-2.5-flash,0.36,0.036,3.00\n")
    assert "draft.toml" in cli.run("prices", "import", "prices.csv", "-o", "draft.toml").out
    told = cli.run("prices", "diff", "draft.toml").out
    assert "+20%" in told
    assert "0.36" in told
    assert cli.run("prices", "publish", "draft.toml").code == 2  # there is nobody to ask
    assert cli.json("prices", "list", "gemini-2.5-flash", "--all")["data"] == []
    assert len(cli.json("prices", "publish", "draft.toml", "--yes")["changes"]) == 3
    assert len(cli.json("prices", "list", "gemini-2.5-flash", "--all")["data"]) == 3
    assert cli.json("prices", "publish", "draft.toml", "--yes") == {"changes": [], "unchanged": 3}


def test_a_draft_that_cannot_be_read_says_where(cli: Cli) -> None:
    write(cli, "prices.csv", "model,input\ngemini-2.5-flash,0.1.2\n")
    said = cli.run("prices", "import", "prices.csv")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Error: line 2, input: '0.1.2'")
    write(cli, "prices.csv", "model,input\n\ngemini-2.5-flash,1\ngemini-2.5-flsh,1\n")
    said = cli.run("prices", "import", "prices.csv")
    assert said.err.startswith("Error: line 4, model: The model 'gemini-2.5-flsh' does not exist")
    assert "gemini-2.5-flash" in said.err
    assert said.err.endswith("Which there are: portico models.\n")
    assert cli.run("prices", "import", write(cli, "none.csv", "")).err == "Error: There are no prices in it.\n"
    write(cli, "draft.toml", '[[prices]]\nmodel = "gemini-2.5-flash"\ninput = "0.1.2"\n')
    assert cli.run("prices", "diff", "draft.toml").err.startswith("Error: prices[0].input: '0.1.2'")
    assert cli.run("prices", "diff", "missing.toml").code == 2
    assert cli.run("prices", "diff", write(cli, "prices.txt", "")).code == 2


# -- what is wrong


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["accounts", "top-up", "acme", "$5"], 2, "not an amount"),
        (["accounts", "top-up", "acme", "1.0000000001"], 2, "nine decimals"),
        (["accounts", "top-up", "nobody", "5"], 1, "no account"),
        (["accounts", "show", "nobody"], 1, "no account"),
        (["accounts", "create", "acme"], 1, "already"),
        (["accounts", "create", "x", "--kind", "free"], 2, "kind: one of prepaid, open, not 'free'."),
        (["prices", "list", "--book", "x"], 2, "book: one of sale, cost, not 'x'."),
        (["memberships", "add", "acme", "a@b", "--role", "king"], 2, "role: one of owner, admin, member, viewer, not"),
        (["keys", "create", "--rpm", "many"], 2, "rpm"),
        (["keys", "create", "--expires", "soon"], 2, "30d"),
        (["keys", "create", "--expires", "2001-01-01"], 2, "past"),
        (["keys", "create", "--expires", "999999w"], 2, "30d"),
        (["codes", "create", "1", "--expires", "9999-12-31T23:00:00-01:00"], 2, "expires: a time is of the year 9999"),
        *[(["keys", "create", option, ""], 2, "''" if option != "--rpm" else "rpm") for option in SETTINGS],
        (["keys", "create", "--rpm", "9" * 5000], 2, "rpm"),
        (["keys", "create", "--rpm", "9223372036854775808"], 2, "rpm: a whole number from 1 to 9223372036854775807"),
        (["keys", "create", "--rpm", "0"], 2, "rpm: a whole number from 1, or none"),
        (["keys", "create", "--tpm", "-1"], 2, "tpm: a whole number from 1, or none"),
        (["keys", "rotate", "key_1", "--overlap", "a while"], 2, "24h"),
        (["keys", "show", "key_1"], 1, "no key"),
        (["usage", "--by", "hour"], 2, "by:"),
        (["accounts", "show", "M\udcfcller"], 2, "account: holds a NUL, or something that is not UTF-8."),
        (["codes", "create", "1", "--note", "\x1b[2J"], 2, "note: one line"),
        (["usage", "--from", "yesterday"], 2, "from: a day is written as 2026-11-30."),
        (["markup", "set", "+20%", "--from", "today"], 2, "effective_from: a day is written as 2026-11-30."),
        (["markup", "set", "20%"], 2, "factor"),
        (["receipts", "show", "req_1"], 1, "no receipt"),
        (["accounts", "delete", "acme"], 2, "--yes"),
        (["keys", "revoke", "key_1"], 1, "no key"),
        (["users", "remove", "ada@example.com"], 2, "--yes"),
        (["memberships", "remove", "acme", "ada@example.com"], 2, "--yes"),
        (["secrets", "rotate"], 2, "--yes"),
        (["backup", "../x"], 2, "without folders"),
        (["backup", "備份.db"], 2, "letters (a to z), digits"),
        (["accounts", "top-up"], 2, "Missing argument"),
        (["keys", "--config", "nowhere.toml", "list"], 2, ""),
        (["keys", "list", "--config", "nowhere.toml"], 1, "nowhere.toml"),
    ],
)
def test_what_is_wrong_is_told_on_standard_error(acme: Cli, words: list[str], code: int, said: str) -> None:
    for more in ([], ["--json"]):
        found = acme.run(*words, *more)
        assert (found.code, found.out) == (code, ""), found
        assert said in found.err


def test_a_provider_with_much_that_rests_says_what_in_a_few_words(cli: Cli) -> None:
    for number in range(5):
        cli.json("pool", "rest", "gemini", "--model", f"model-{number}", "--note", "an outage")
    said = re.sub(r"\s+", " ", cli.run("providers", "list").out)
    assert "model-0: operator: an outage; model-1: operator: an outage; model-2" in said
    assert "2 more: portico pool list" in said
    assert "model-3" not in said
    cli.json("pool", "clear", "gemini")


def test_a_backup_is_a_whole_database_of_its_own(cli: Cli) -> None:
    cli.json("accounts", "create", "acme")
    made = cli.json("backup", "copy.db")
    assert Path(made["path"]) == cli.folder / ".portico" / "backups" / "copy.db"
    with sqlite3.connect(made["path"]) as connection:
        assert connection.execute("SELECT name FROM accounts ORDER BY name").fetchall() == [("acme",), ("default",)]
    connection.close()
    assert cli.run("backup", "copy.db").code == 1


@pytest.mark.parametrize("words", ["ledger verify", "ledger export", "backup"])
def test_a_database_that_is_not_there_has_no_books_that_add_up(first_cli_anywhere: Cli, words: str) -> None:
    """A copy whose name was mistyped, one that was not put back: an empty one was made in its place, and all was well."""
    cli = first_cli_anywhere
    said = cli.run(*words.split())
    assert (said.code, said.out) == (1, "")
    assert "There are no books in" in said.err
    assert cli.json("db", "status")["state"] == "empty"
    assert not (cli.folder / ".portico" / "portico.db").exists()


def test_a_backup_without_a_name_is_named_by_the_time(cli: Cli) -> None:
    cli.json("accounts", "create", "acme")
    made = Path(cli.json("backup")["path"])
    assert made.parent == cli.folder / ".portico" / "backups"
    assert re.fullmatch(r"portico-\d{8}-\d{6}\.db", made.name)


def test_a_credential_is_read_from_standard_input_and_never_shown(cli: Cli) -> None:
    made = cli.json("credentials", "add", "gemini", "--name", "second", typed="AIzaHIDDEN\n")
    assert cli.json("credentials", "list")["data"] == [made]
    rotated = cli.json("secrets", "rotate", "--yes")
    assert rotated["credentials"] == 1
    assert rotated["secret_key_id"] != made["secret_key_id"]
    assert cli.json("credentials", "disable", made["id"])["state"] == "disabled"
    assert cli.json("credentials", "enable", made["id"])["state"] == "active"
    assert cli.json("credentials", "remove", made["id"], "--yes")["id"] == made["id"]
    assert "AIzaHIDDEN" not in cli.run("audit", "--json").out
    assert cli.run("credentials", "add", "nobody", typed="x").code == 2


@pytest.mark.parametrize("typed", ["", " \n"])
def test_a_credential_that_is_not_there_is_told_as_such(cli: Cli, typed: str) -> None:
    told = cli.run("credentials", "add", "gemini", typed=typed)
    assert (told.code, told.err) == (2, "Error: No credential was given: type it, or hand it in on standard input.\n")


# -- how it looks


def test_what_moves_a_cursor_is_shown_and_not_done(capsys: pytest.CaptureFixture[str]) -> None:
    show.sheet([("agent", "\x1b]0;title\x07"), ("name", "日本 é")])
    assert capsys.readouterr().out == "agent  \\x1b]0;title\\x07\nname   日本 é\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_names_of_every_script_are_shown_whatever_the_terminal_is_in(cli: Cli, encoding: str) -> None:
    cli.json("accounts", "create", "日本")
    for more in ([], ["--json"]):
        words = [sys.executable, "-c", "from portico.cli import main; main()", "accounts", "list", *more]
        done = subprocess.run(words, env=os.environ | KEY_ENV | {"PYTHONIOENCODING": encoding}, capture_output=True)
        assert done.returncode == 0, done.stderr
        assert "日本" in done.stdout.decode()


@pytest.mark.parametrize(("words", "factor"), [(["-5%"], "0.95"), (["--from", "2099-01-01", "-0.5%"], "0.995")])
def test_a_markup_below_the_price_is_no_option(cli: Cli, words: list[str], factor: str) -> None:
    assert cli.json("markup", "set", *words)["factor"] == factor


@pytest.mark.parametrize("words", ["accounts top-up acme -5", "accounts refund acme --json -5", "codes create -5"])
def test_an_amount_below_0_is_no_option_and_is_refused_as_an_amount(cli: Cli, words: str) -> None:
    said = cli.run(*words.split())
    assert (said.code, said.out) == (2, "")
    assert "-5" in said.err
    assert "option" not in said.err


@pytest.mark.parametrize("words", ["accounts top-up acme 5 --nota x", "codes create 5 -z", "markup set 1.2 --modle x"])
def test_an_option_that_does_not_exist_is_named_beside_an_amount(cli: Cli, words: str) -> None:
    said = cli.run(*words.split())
    assert said.code == 2
    assert "No such option: -" in said.err


def test_a_receipt_is_told_line_by_line_with_what_came_after_it(cli: Cli) -> None:
    rates = rates_of("gemini-2.5-pro")
    before, after = (charge(Usage(output_visible={"text": tokens}), {}, rates) for tokens in (40, 60))
    first, later = (
        Receipt(
            request_id="req_1",
            account="acc_1",
            model="gemini-2.5-pro",
            provider="google",
            outcome="recovered",
            tries=(Tried("google-eu", "gemini-2.5-pro", "overloaded"), Tried("google", "gemini-2.5-pro", "ok")),
            losses=("1.1:seed",),
            lines=paid.lines,
            charge_nanos=paid.nanos,
            cost_nanos=paid.cost_nanos,
        )
        for paid in (before, after)
    )
    with sqlite3.connect(cli.folder / ".portico" / "portico.db") as connection:
        row = ("req_1", "acc_1", "key_1", 0, "gemini-2.5-pro", "recovered", 400_000, 400_000, encode(first).decode())
        connection.execute("INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        note = ("req_1", "adjust", encode(later).decode(), 60_000_000)
        connection.execute("INSERT INTO receipt_notes (request_id, kind, body, at_us) VALUES (?, ?, ?, ?)", note)
    connection.close()
    said = cli.run("receipts", "show", "req_1").out
    told = dict(re.findall(r"^(\S.*?)  +(.*)$", said, re.MULTILINE))
    assert (told["began"], told["provider"], told["changes"]) == ("1970-01-01 00:00 UTC", "google", "1.1:seed")
    assert told["asked"] == "google-eu (gemini-2.5-pro): overloaded, google (gemini-2.5-pro): ok"
    assert (told["charged"], told["cost"]) == ("$0.0004", "$0.0004")
    assert said.endswith("\n".join(["", *explained(first), "", "1970-01-01 00:01 UTC adjust:", *explained(later), ""]))
    assert cli.json("receipts", "show", "req_1")["receipt"]["charge_nanos"] == 400_000


@pytest.mark.parametrize(
    "words",
    [
        ["accounts", "create", "another"],
        ["keys", "create", "--account", "acme", "--expires", "90d"],
        ["codes", "create", "10", "--expires", "90d"],
        ["users", "invite", "a@example.com", "--account", "acme"],
        ["pool", "rest", "gemini", "--minutes", "60"],
        ["markup", "set", "+10%"],
        ["users", "add", "b@example.com"],
    ],
    ids=" ".join,
)
def test_a_time_that_is_printed_says_that_it_is_utc(cli: Cli, words: list[str]) -> None:
    cli.json("accounts", "create", "acme")
    said = cli.run(*words)
    assert said.code == 0, said.err
    times = re.findall(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d)?(.{0,4})", said.out + said.err)
    assert times
    assert set(times) == {" UTC"}


def test_a_column_of_times_says_in_its_title_that_they_are_utc(cli: Cli) -> None:
    cli.json("accounts", "create", "acme")
    cli.run("codes", "create", "10", "--expires", "90d")
    cli.run("users", "invite", "a@example.com", "--account", "acme")
    cli.run("pool", "rest", "gemini", "--minutes", "60")
    cli.run("markup", "set", "+10%")
    for words, titles in (
        ("codes list", ("made", "expires")),
        ("invitations list acme", ("expires",)),
        ("pool list", ("until",)),
        ("markup list", ("from",)),
        ("audit", ("when",)),
    ):
        head, *rows = cli.run(*words.split()).out.splitlines()
        assert re.search(r"\d{4}-\d\d-\d\d", rows[0]), words
        assert [title for title in titles if f"{title} (UTC)" not in head] == [], words
        assert head.count("(UTC)") == len(titles)


def test_tables_fit_a_terminal_of_eighty_columns(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "is_terminal", lambda: True)
    cli.json("accounts", "create", "An account with quite a long name, as they come")
    cli.json("accounts", "create", "acme")
    cli.json("accounts", "top-up", "acme", "123456.789")
    key = cli.json("keys", "create", "--account", "acme", "--name", "the laptop that travels a lot")["id"]
    cli.json("users", "add", "ada.lovelace@analytical-engines.example.com", "--name", "Ada")
    cli.json("memberships", "add", "acme", "ada.lovelace@analytical-engines.example.com", "--role", "owner")
    cli.json("codes", "create", "10", "--note", "for whoever comes first to the fair in June", "--expires", "90d")
    cli.json("markup", "set", "+20%", "--account", "acme", "--model", "gemini-2.5-flash")
    account = cli.json("accounts", "show", "acme")["id"]
    with sqlite3.connect(cli.folder / ".portico" / "portico.db") as connection:
        row = (
            account,
            "2026-11-28",
            "gemini-3.1-pro-preview-customtools",
            key,
            123456,
            9 * 10**9,
            10**8,
            10**7,
            5,
            3,
            2,
        )
        connection.execute("INSERT INTO usage_days VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", row)
    connection.close()
    for words in (
        ["usage"],
        ["usage", "--by", "account,model"],
        ["accounts", "list"],
        ["keys", "list"],
        ["users", "list"],
        ["memberships", "list", "acme"],
        ["codes", "list"],
        ["markup", "list"],
        ["prices", "list"],
        ["prices", "list", "gemini-2.5-pro"],
        ["audit"],
    ):
        out = re.sub(r"\x1b\[[0-9;]*m", "", cli.run(*words).out)
        assert max(map(len, out.splitlines())) <= 80, out
        assert "…" not in out or words[0] in ("audit", "codes"), out  # nothing is cut
        if words[0] == "keys":
            assert key in out  # what has to be copied is never broken


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        ("0.00", "$0.00"),
        ("14.814814692", "$14.81"),
        ("152414.8135", "$152,414.81"),
        ("1.005", "$1.0050"),
        ("0.0123456", "$0.0123"),
        ("0.00123456", "$0.001235"),
        ("0.000000003", "$0.000000003"),
        ("-20.005", "-$20.01"),
    ],
)
def test_amounts_are_rounded_for_a_terminal_only_and_never_to_nothing(
    monkeypatch: pytest.MonkeyPatch, exact: str, shown: str
) -> None:
    monkeypatch.setattr(show, "is_terminal", lambda: True)
    assert show.rounded(exact) == shown
    monkeypatch.setattr(show, "is_terminal", lambda: False)
    assert show.rounded(exact) == show.dollars(exact)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (9_999, "9,999"), (148_140, "148k"), (1_524_064_320, "1.52G"), (999_999, "1,000k"), (10**16, "10,000T")],
)
def test_counts_are_short_in_a_terminal(monkeypatch: pytest.MonkeyPatch, count: int, shown: str) -> None:
    monkeypatch.setattr(show, "is_terminal", lambda: True)
    assert show.short(count) == shown
