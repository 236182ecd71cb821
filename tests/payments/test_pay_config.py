"""[payments] and [stripe]: what may stand there, what is wrong with it, and that the documentation names all of it."""

import importlib.util
from pathlib import Path

import pytest

from portico.config import TABLES, Config, ConfigError, load_config
from portico.ledger.payments import CENT, Fee
from portico.web.addresses import Locale
from portico.web.book import body_of, every_source
from portico.web.payments import events

SECRETS = {"SK": "sk_test_sampleSample7", "WH": "whsec_sampleSample7"}
STRIPE = '[stripe]\nsecret_key = "env:SK"\nwebhook_secret = "env:WH"\n'


def loaded(folder: Path, text: str, **env: str) -> Config:
    (folder / "portico.toml").write_text(text)
    return load_config({**SECRETS, **env}, folder=folder)


def wrong(folder: Path, text: str, **env: str) -> str:
    with pytest.raises(ConfigError) as raised:
        loaded(folder, text, **env)
    return str(raised.value)


def test_without_the_tables_there_is_neither_a_note_nor_a_card(tmp_path: Path) -> None:
    config = loaded(tmp_path, "", STRIPE_SECRET_KEY="sk_test_x", STRIPE_WEBHOOK_SECRET="whsec_x")
    assert (config.payments.note, config.stripe) == ("", None)


def test_everything_that_may_be_said(tmp_path: Path) -> None:
    more = 'amounts = [50, 25, 25]\nmin_amount = 20\nmax_amount = 60\nfee_percent = 2.9\nfee_fixed = "0.30"\n'
    text = f'[payments]\nnote = "  Write to us. "\n{STRIPE}{more}api_base = "http://127.0.0.1:9"\n'
    config = loaded(tmp_path, text)
    assert config.payments.note == "Write to us."
    found = config.stripe
    assert found is not None
    assert found.secret_key.reveal() == SECRETS["SK"]
    assert found.webhook_secret.reveal() == SECRETS["WH"]
    assert (found.amounts, found.min_amount, found.max_amount) == ((25, 50), 20, 60)
    assert found.fee == Fee(2900, 30 * CENT)
    assert (found.live, found.api_base) == (False, "http://127.0.0.1:9")
    assert SECRETS["SK"] not in repr(config)


def test_the_variables_that_stripe_itself_names_are_taken(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        "[stripe]\n",
        STRIPE_SECRET_KEY="rk_live_x",
        STRIPE_WEBHOOK_SECRET="whsec_x",
        PORTICO_STRIPE_FEE_PERCENT="1.5",
        PORTICO_STRIPE_MAX_AMOUNT="30",
    )
    assert config.stripe is not None
    assert (config.stripe.live, config.stripe.fee) == (True, Fee(1500))
    assert config.stripe.amounts == (10, 20)  # of what is offered by itself only what may be paid


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[stripe]\n", "stripe.secret_key: is missing: name it, or set STRIPE_SECRET_KEY"),
        ('[stripe]\nsecret_key = "sk_test_written"\n', "stripe.secret_key: keys are named, not written here"),
        (STRIPE.replace("env:SK", "env:WH"), "stripe.secret_key: what it names is none of Stripe's"),
        (STRIPE.replace("env:WH", "env:SK"), "stripe.webhook_secret: what it names is none of Stripe's"),
        (f"{STRIPE}amounts = []\n", "expected a list of whole dollars"),
        (f"{STRIPE}amounts = [1.5]\n", "expected a list of whole dollars"),
        (f"{STRIPE}amounts = [2000]\n", "expected amounts from 5 to 1000"),
        (f"{STRIPE}min_amount = 0\n", "expected whole dollars above 0"),
        (f"{STRIPE}min_amount = 20\nmax_amount = 10\n", "is below min_amount"),
        (f"{STRIPE}fee_percent = -1\n", "expected a percentage"),
        (f"{STRIPE}fee_percent = 2.9999\n", "expected a percentage"),
        (f"{STRIPE}fee_percent = 101\n", "expected a percentage"),
        (f"{STRIPE}fee_percent = nan\n", "expected a percentage"),
        (f"{STRIPE}fee_percent = true\n", "expected a percentage"),
        (f'{STRIPE}fee_fixed = "a dollar"\n', "expected dollars"),
        (f"{STRIPE}fee_fixed = 0.305\n", "expected dollars"),
        (f'{STRIPE}api_base = "stripe"\n', "expected an http(s) address"),
        (f"{STRIPE}currency = 'eur'\n", "stripe.currency: is no key of this table"),
        ("[payments]\nnote = 5\n", "payments.note: expected a text"),
    ],
)
def test_what_is_wrong_is_told_and_no_secret_with_it(tmp_path: Path, text: str, told: str) -> None:
    said = wrong(tmp_path, text)
    assert told in said
    assert not [secret for secret in (*SECRETS.values(), "sk_test_written") if secret in said]


def test_without_stripes_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "stripe" else find(name, *more)
    )
    assert "pip install 'stripe>=16,<17'" in wrong(tmp_path, STRIPE)
    assert loaded(tmp_path, "").stripe is None


@pytest.mark.parametrize("locale", list(Locale))
def test_the_documentation_names_every_key_and_every_event(locale: Locale) -> None:
    text = body_of(every_source(locale)["/docs/run/config"], "http://localhost:8080")
    assert [key for key in TABLES["stripe"] if f"`{key}`" not in text] == []
    assert [key for key in TABLES["payments"] if f"[payments] {key}" not in text] == []
    assert [one for one in events.KNOWN if one not in text] == []
