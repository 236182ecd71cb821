"""[signup] and [oidc]: what may stand there, what is wrong with it, and that the documentation names all of it."""

import importlib.util
from pathlib import Path

import pytest

from portico.config import TABLES, Config, ConfigError, load_config
from portico.web.addresses import Locale
from portico.web.book import body_of, every_source

OIDC = '[oidc]\nissuer = "https://login.example.com/realms/staff"\nclient_id = "portico"\n'
SECRET = "a secret of the provider's"


def loaded(folder: Path, text: str, **env: str) -> Config:
    (folder / "portico.toml").write_text(text)
    return load_config({"SAID": SECRET, **env}, folder=folder)


def test_without_the_tables_it_is_closed_and_there_is_no_provider(tmp_path: Path) -> None:
    config = loaded(tmp_path, "", PORTICO_OIDC_ISSUER="https://login.example.com")
    assert (config.signup.mode, config.oidc) == ("closed", None)


@pytest.mark.parametrize("mode", ["closed", "invite", "open"])
def test_who_may_come_is_a_setting(tmp_path: Path, mode: str) -> None:
    assert loaded(tmp_path, f'[signup]\nmode = "{mode}"\n').signup.mode == mode
    assert loaded(tmp_path, "", PORTICO_SIGNUP_MODE=mode).signup.mode == mode


def test_everything_that_may_be_said_of_a_provider(tmp_path: Path) -> None:
    more = 'client_secret = "env:SAID"\nlabel = "Example"\nallow = ["@Example.com", "Bob@example.org"]\n'
    found = loaded(tmp_path, f'{OIDC}{more}operators = ["Ada@example.com"]\n').oidc
    assert found is not None
    assert (found.issuer, found.client_id, found.label) == (
        "https://login.example.com/realms/staff",
        "portico",
        "Example",
    )
    assert found.client_secret is not None
    assert found.client_secret.reveal() == SECRET
    assert SECRET not in repr(found)
    assert [found.may_come(one) for one in ("a@EXAMPLE.com", "bob@example.org", "a@example.org")] == [True, True, False]
    assert [found.is_operator(one) for one in ("ADA@example.com", "bob@example.org")] == [True, False]


def test_the_environment_wins_and_may_hold_the_secret_itself(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        OIDC,
        PORTICO_OIDC_CLIENT_ID="4242",
        PORTICO_OIDC_CLIENT_SECRET=SECRET,
        PORTICO_OIDC_ISSUER="http://127.0.0.1:9000",
    ).oidc
    assert found is not None
    assert (found.client_id, found.issuer) == ("4242", "http://127.0.0.1:9000")
    assert found.client_secret is not None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[signup]\nmode = "everybody"\n', "signup.mode: expected one of closed, invite, open"),
        ("[oidc]\n", "oidc.issuer: is missing"),
        ('[oidc]\nissuer = "https://login.example.com"\n', "oidc.client_id: is missing"),
        (OIDC.replace("https", "http"), "oidc.issuer: expected an https:// address"),
        (OIDC.replace("staff", "staff?x=1"), "oidc.issuer: expected an https:// address"),
        (f'{OIDC}client_secret = "written here"\n', "oidc.client_secret: keys are named, not written here"),
        (f'{OIDC}client_secret = "env:NOT_SET"\n', "oidc.client_secret: the environment variable NOT_SET is not set"),
        (f'{OIDC}allow = "example.com"\n', "oidc.allow: expected a list"),
        (f'{OIDC}allow = ["com"]\n', "oidc.allow: expected a list"),
        (f'{OIDC}operators = ["example.com"]\n', "oidc.operators: expected a list"),
        (f'{OIDC}label = ""\n', "oidc.label: expected a text"),
        (f"{OIDC}scope = 'openid'\n", "oidc.scope: is no key of this table"),
    ],
)
def test_what_is_wrong_is_told_and_no_secret_with_it(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, text)
    assert told in str(raised.value)
    assert "written here\n" not in str(raised.value)


def test_without_its_libraries_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "authlib" else find(name, *more)
    )
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, OIDC)
    assert "pip install 'authlib" in str(raised.value)
    assert loaded(tmp_path, "").oidc is None


@pytest.mark.parametrize("locale", list(Locale))
def test_the_documentation_names_every_key(locale: Locale) -> None:
    text = body_of(every_source(locale)["/docs/run/config"], "http://localhost:8080")
    assert [key for name in ("signup", "oidc") for key in TABLES[name] if f"`{key}`" not in text] == []
