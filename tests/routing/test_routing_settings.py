"""What an operator writes about routing: [routing], weights and fallbacks of [[models]], projects of keys."""

from pathlib import Path

import pytest

from portico.catalog import OperatorModel
from portico.config import Config, ConfigError
from portico.config.load import load_config
from portico.relay.router import RoutingRules
from portico.routing import BreakerRules, Policy

ENVIRONMENT = {"A": "key-a", "B": "key-b", "GEMINI_API_KEY": "key-g"}
PROVIDER = '[[providers]]\nname = "gemini"\nkeys = ["env:A"]\n'


def configured(folder: Path, text: str, **environment: str) -> Config:
    (folder / "portico.toml").write_text(text, encoding="utf-8")
    return load_config({**ENVIRONMENT, **environment}, folder=folder)


def test_without_a_word_what_may_pass_is_tried_twice_more(tmp_path: Path) -> None:
    assert configured(tmp_path, PROVIDER).routing == RoutingRules(retries=2)


def test_every_key_of_routing_is_understood(tmp_path: Path) -> None:
    text = f"""{PROVIDER}
[routing]
policy = "latency"
sticky = "account"
retries = 0
attempts = 3
deadline_s = 20
first_pause_s = 0.1
longest_pause_s = 2
hedge_after_s = 1.5
allow_dearer = true
breaker_failures = 0
breaker_pause_s = 9
"""
    breaker = BreakerRules(failures=0, pause_s=9)
    rules = RoutingRules(Policy.LATENCY, "account", 0, 3, 20, 0.1, 2, 1.5, True, breaker)
    assert configured(tmp_path, text).routing == rules
    assert configured(tmp_path, text, PORTICO_ROUTING_ATTEMPTS="7").routing.attempts == 7


def test_models_have_weights_priorities_and_fallbacks(tmp_path: Path) -> None:
    text = f"""{PROVIDER}
[[models]]
name = "fast"
target = "gemini/gemini-3.5-flash"
weight = 3
fallbacks = ["gemini-2.5-flash"]

[[models]]
name = "fast"
target = "gemini/gemini-3.6-flash"
priority = 1

[[models]]
name = "gemini-2.5-pro"
fallbacks = ["fast"]
"""
    assert configured(tmp_path, text).models == (
        OperatorModel("fast", "gemini/gemini-3.5-flash", 3, 0, ("gemini-2.5-flash",)),
        OperatorModel("fast", "gemini/gemini-3.6-flash", 1, 1),
        OperatorModel("gemini-2.5-pro", None, 1, 0, ("fast",)),
    )


def test_keys_say_whose_quota_they_use(tmp_path: Path) -> None:
    keys = '[{ key = "env:A", project = "one" }, { key = "env:B", project = "one" }, "env:GEMINI_API_KEY"]'
    provider = configured(tmp_path, f'[[providers]]\nname = "gemini"\nkeys = {keys}\n').providers[0]
    assert [provider.projects.get(key.mark) for key in provider.keys] == ["one", "one", None]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[routing]\npolicy = "best"', "expected one of weighted, latency, speed, price"),
        ("[routing]\nattempts = 0", "expected a whole number above 0"),
        ("[routing]\nretrys = 1", "is no key of this table"),
        ('[[models]]\nname = "x"', "a model needs"),
        ('[[models]]\nname = "x"\ntarget = "gemini/m"\nweight = -1', "expected a whole number from 0"),
        ('[[models]]\nname = "x"\ntarget = "gemini/m"\nfallbacks = "y"', "expected names of models"),
        ('[[models]]\nname = "x"\ntarget = "gemini/m"\nfallbacks = ["nothing-like-it"]', "there is no model"),
        ('[[models]]\nname = "nothing-like-it"\nfallbacks = ["gemini-2.5-pro"]', "needs a target"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as failed:
        configured(tmp_path, PROVIDER + text + "\n")
    assert told in str(failed.value)
    assert failed.value.problems[0].line


def test_a_key_with_half_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a key with a project is"):
        configured(tmp_path, '[[providers]]\nname = "gemini"\nkeys = [{ key = "env:A" }]\n')
