"""Settings of the books, of what is kept, of the database and of its secrets."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.config import BooksConfig, ConfigError, RetentionConfig, load_config
from portico.core.masking import masked_url
from portico.providers.stored import with_credentials

KEY = {"GEMINI_API_KEY": "sample-key"}


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    config = load_config(KEY, folder=tmp_path)
    assert config.books == BooksConfig(8192, 120, 64, 2, "cancel")
    assert config.retention == RetentionConfig(400, 800, 24, 24, 256 * 1024 * 1024)
    assert config.secrets.key_file == tmp_path / ".portico" / "secret.key"
    assert (config.secrets.key, config.secrets.old_keys) == (None, ())
    assert not (tmp_path / ".portico").exists()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text(
        '[books]\ncancel_policy = "drain"\nfunds_wait_s = 0.5\nmax_draining = 0\n[retention]\nreceipts_days = 7\n'
    )
    env = {**KEY, "PORTICO_BOOKS_FUNDS_WAIT_S": "0", "PORTICO_RETENTION_VAULT_MAX_BYTES": "1024"}
    config = load_config(env, folder=tmp_path)
    assert config.books == BooksConfig(cancel_policy="drain", funds_wait_s=0, max_draining=0)
    assert config.retention == RetentionConfig(receipts_days=7, vault_max_bytes=1024)


def test_secret_keys_are_named(tmp_path: Path) -> None:
    (tmp_path / "old.key").write_text("an old phrase of the house\n")
    (tmp_path / "portico.toml").write_text('[secrets]\nkey = "env:MINE"\nold_keys = ["file:old.key"]\n')
    env = {**KEY, "MINE": "a phrase of the house"}
    secrets = load_config(env, folder=tmp_path).secrets
    assert secrets.key is not None
    assert secrets.key.source == "env:MINE"
    assert [one.reveal() for one in secrets.old_keys] == ["an old phrase of the house"]
    named = load_config({**env, "PORTICO_SECRET_KEY": "another phrase of it"}, folder=tmp_path).secrets.key
    assert named is not None
    assert named.source == "env:PORTICO_SECRET_KEY"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("sqlite:///books.db", "sqlite:///{home}/books.db"),
        ("sqlite:///data/my books.db", "sqlite:///{home}/data/my books.db"),
        ("sqlite:////var/lib/portico/books.db", "sqlite:////var/lib/portico/books.db"),
        ("postgresql://me@db.internal:5433/books", "postgresql://me@db.internal:5433/books"),
        ("postgres://me@db.internal/books", "postgresql://me@db.internal/books"),
        ("postgresql:///books?host=/run/postgresql", "postgresql:///books?host=/run/postgresql"),
    ],
)
def test_a_database_is_a_file_beside_the_configuration_or_a_server(tmp_path: Path, url: str, kept: str) -> None:
    (tmp_path / "portico.toml").write_text(f'[storage]\nurl = "{url}"\n')
    wanted = kept.format(home=tmp_path)
    assert load_config(KEY, folder=tmp_path).storage.url == wanted
    assert load_config({**KEY, "PORTICO_STORAGE_URL": url}, folder=tmp_path / "portico.toml" / "..").storage.url


def test_other_data_is_kept_beside_a_database_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text('[storage]\nurl = "sqlite:///data/books.db"\n')
    assert load_config(KEY, folder=tmp_path).data_folder == tmp_path / "data"
    (tmp_path / "portico.toml").write_text('[storage]\nurl = "postgresql:///books"\n')
    assert load_config(KEY, folder=tmp_path).data_folder == tmp_path / ".portico"


WRONG: list[tuple[str, dict[str, str], str]] = [
    (
        "[books]\ndefault_hold_tokens = 0\n",
        {},
        "portico.toml:2: books.default_hold_tokens: expected a whole number above",
    ),
    ("[books]\ndrain_seconds = -1\n", {}, "books.drain_seconds: expected a number from 0, found -1"),
    ("[books]\nfunds_wait_s = inf\n", {}, "books.funds_wait_s: expected a number from 0"),
    ("[books]\nmax_draining = 1.5\n", {}, "books.max_draining: expected a whole number from 0"),
    ('[books]\ncancel_policy = "stop"\n', {}, "books.cancel_policy: expected one of cancel, drain, found 'stop'"),
    ("[books]\nhold = 1\n", {}, "books.hold: is no key of this table"),
    ("[retention]\nreceipts_days = 0\n", {}, "retention.receipts_days: expected a whole number of days"),
    ("[retention]\nvault_hours = true\n", {}, "retention.vault_hours: expected a whole number of hours"),
    ("[retention]\nvault_max_bytes = 0\n", {}, "retention.vault_max_bytes: expected a whole number above 0"),
    (
        "",
        {"PORTICO_BOOKS_MAX_DRAINING": "few"},
        "PORTICO_BOOKS_MAX_DRAINING: expected a whole number from 0, found 'few'",
    ),
    ("", {"PORTICO_RETENTION_USAGE_DAYS": "1e9"}, "PORTICO_RETENTION_USAGE_DAYS: expected a whole number of days"),
    ('[secrets]\nkey = "phrase"\n', {}, "portico.toml:2: secrets.key: keys are named, not written here"),
    ('[secrets]\nkey = "env:NOPE"\n', {}, "secrets.key: the environment variable NOPE is not set"),
    ('[secrets]\nkey = "env:SHORT"\n', {}, "secrets.key: env:SHORT is too short to keep a secret"),
    ('[secrets]\nold_keys = "env:SHORT"\n', {}, "secrets.old_keys: expected a list"),
    ("", {"PORTICO_SECRET_KEY": "short"}, "PORTICO_SECRET_KEY: is too short to keep a secret"),
    (
        '[storage]\nurl = "mysql://me@db/books"\n',
        {},
        "portico.toml:2: storage.url: expected sqlite:///PATH or postgresql://",
    ),
    ('[storage]\nurl = "sqlite:///"\n', {}, "storage.url: expected sqlite:///PATH"),
    ('[storage]\nurl = "sqlite:///:memory:"\n', {}, "storage.url: expected sqlite:///PATH"),
    ('[storage]\nurl = "sqlite:///a.db?mode=ro"\n', {}, "storage.url: expected sqlite:///PATH"),
    ('[storage]\nurl = ""\n', {}, "storage.url: expected sqlite:///PATH"),
    ("[storage]\nurl = 1\n", {}, "storage.url: expected sqlite:///PATH or postgresql://USER@HOST/NAME, found 1"),
    ("", {"PORTICO_STORAGE_URL": "redis://db"}, "PORTICO_STORAGE_URL: expected sqlite:///PATH"),
]


@pytest.mark.parametrize(("text", "environment", "said"), WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, environment: dict[str, str], said: str) -> None:
    (tmp_path / "portico.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_config({**KEY, "SHORT": "short", **environment}, folder=tmp_path)
    assert said in str(raised.value)
    assert len(raised.value.problems) == 1


def names(config: Any) -> tuple[list[str], list[str]]:
    return [one.name for one in config.providers], [one.name for one in config.dormant]


def test_a_provider_takes_stored_keys_where_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text(
        '[[providers]]\nname = "lab"\nkeys = ["env:GEMINI_API_KEY", "database"]\n'
        '[[providers]]\nname = "own"\nkeys = ["env:GEMINI_API_KEY"]\n[[providers]]\nname = "kept"\nkeys = ["database"]\n'
    )
    config = load_config(KEY, folder=tmp_path)
    assert [(one.name, len(one.keys), one.takes_stored) for one in config.providers] == [
        ("lab", 1, True),
        ("own", 1, False),
        ("kept", 0, True),
    ]
    assert [one.name for one in with_credentials(config.providers, config.dormant, [])] == ["lab", "own"]


def test_a_kind_that_nobody_configured_waits_for_a_stored_key(tmp_path: Path) -> None:
    found, waiting = names(load_config({}, folder=tmp_path))
    assert (found, waiting[0]) == ([], "gemini")
    found, waiting = names(load_config(KEY, folder=tmp_path))
    assert found == ["gemini"]
    assert "gemini" not in waiting
    address = {"GEMINI_BASE_URL": "http://127.0.0.1:9"}
    assert load_config(address, folder=tmp_path).dormant[0].base_url == "http://127.0.0.1:9/v1beta"
    (tmp_path / "portico.toml").write_text('[[providers]]\nname = "lab"\nkeys = ["env:GEMINI_API_KEY"]\n')
    found, waiting = names(load_config(KEY, folder=tmp_path))
    assert (found, waiting[0]) == (["lab"], "gemini")


passwords = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6).map(lambda text: f"Pw{text}")


@given(password=passwords)
def test_a_password_is_never_part_of_what_is_shown(password: str) -> None:
    shown = masked_url(f"postgresql://me:{password}@host/books")
    assert password not in shown
    assert shown == "postgresql://me:***@host/books"


@given(value=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="&?"), min_size=6))
def test_nor_is_a_parameter_that_may_be_one(value: str) -> None:
    assert masked_url(f"postgresql://host/books?sslpassword=Pw{value}&port=1") == (
        "postgresql://host/books?sslpassword=***&port=1"
    )


def test_an_address_does_not_show_its_password_in_its_repr(tmp_path: Path) -> None:
    config = load_config({**KEY, "PORTICO_STORAGE_URL": "postgresql://me:hunter2@host/books"}, folder=tmp_path)
    assert config.storage.url == "postgresql://me:hunter2@host/books"
    assert "hunter2" not in f"{config!r} {config.storage} {config.storage.shown}"
