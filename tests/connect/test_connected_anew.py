"""A client that was somebody's before, or connected otherwise: what is theirs stays, what is ours and old goes."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from connect.samples import CARDS, CLAUDE, FLASH, GPT, KEY, LLAMA, named, told
from portico.cli.connect.files import place
from portico.clients import Client, File, Told
from portico.clients.held import Difference, differences
from portico.clients.merge import Unmergeable, merge, read

AIDER, CLAUDE_CODE, LLM = named("aider"), named("claude-code"), named("llm")
BY_GEMINI = told(AIDER.apis[1])


def file_of(client: Client, told_of: Told, path: str) -> File:
    return next(file for file in client.files(told_of) if file.path == path)


def config(text: str) -> Any:
    """What aider reads of a configuration once it is connected by Gemini's API."""
    file = file_of(AIDER, BY_GEMINI, ".aider.conf.yml")
    after = merge(file.format, text, file.settings)
    assert merge(file.format, after, file.settings) == after
    assert not list(differences(file.settings, read(file.format, after)))
    return yaml.safe_load(after)


@pytest.mark.parametrize(
    ("there", "kept"),
    [
        ("openrouter=sk-mine", ["openrouter=sk-mine"]),
        ("gemini=old", []),
        ("[openrouter=sk-mine, gemini=old]", ["openrouter=sk-mine"]),
        ("", []),
    ],
)
def test_aiders_key_that_stands_alone_is_one_of_a_list(there: str, kept: list[str]) -> None:
    assert config(f"api-key: {there}\ndark-mode: true\n")["api-key"] == [*kept, f"gemini={KEY}"]


def test_another_key_takes_the_place_of_the_one_before() -> None:
    before = yaml.safe_dump(config(""), default_flow_style=False)
    assert config(before.replace(KEY, "sk-portico-old"))["api-key"] == [f"gemini={KEY}"]
    file = file_of(AIDER, told(AIDER.apis[1], key="sk-portico-old"), ".aider.conf.yml")
    assert config(merge(file.format, "", file.settings))["api-key"] == [f"gemini={KEY}"]


def test_aiders_variable_that_stands_alone_is_one_of_a_list() -> None:
    assert config("set-env: OLLAMA_API_BASE=http://here\n")["set-env"][0] == "OLLAMA_API_BASE=http://here"


def test_what_aider_itself_does_not_read_there_is_left_alone() -> None:
    with pytest.raises(Unmergeable, match="set-env is not a list"):
        config("set-env: {A: b}\n")
    file = file_of(AIDER, BY_GEMINI, ".aider.conf.yml")
    assert [one.path for one in differences(file.settings, {"set-env": {"A": "b"}}) if one.found] == ["set-env"]


OWN_SETTINGS = f"""- name: openai/{GPT.id}  # as I like it
  edit_format: udiff
- name: openai/o9
  edit_format: diff
  accepts_settings: [reasoning_effort]
"""


def test_aiders_settings_of_ones_own_stand_for_a_model() -> None:
    path = ".aider.model.settings.yml"
    file = file_of(AIDER, told(AIDER.apis[0]), path)
    text = merge(file.format, OWN_SETTINGS, file.settings)
    assert text.startswith(OWN_SETTINGS)
    names = [entry["name"] for entry in yaml.safe_load(text)]
    assert names == [f"openai/{name}" for name in (GPT.id, "o9", FLASH.id, CLAUDE.id, LLAMA.id)]
    assert not list(differences(file.settings, yaml.safe_load(text)))


def test_aiders_models_that_are_gone_go() -> None:
    api = AIDER.apis[0]
    fewer = Told(base_url="http://h", key=None, model=FLASH, small=FLASH, models=(FLASH,), api=api)
    own = {"openai/mine": {"mode": "chat", "max_input_tokens": 5}}
    for path, there in ((".aider.model.settings.yml", OWN_SETTINGS), (".aider.model.metadata.json", json.dumps(own))):
        before, after = file_of(AIDER, told(api), path), file_of(AIDER, fewer, path)
        full = merge(before.format, there, before.settings)
        assert f"openai/{CLAUDE.id}" in full
        left = merge(after.format, full, after.settings)
        assert f"openai/{CLAUDE.id}" not in left
        assert left == merge(after.format, there, after.settings)


def test_aiders_metadata_of_ones_own_stands_for_a_model() -> None:
    file = file_of(AIDER, told(AIDER.apis[0]), ".aider.model.metadata.json")
    own = {"max_input_tokens": 5}
    held = json.loads(merge(file.format, json.dumps({f"openai/{GPT.id}": own}), file.settings))
    assert held[f"openai/{GPT.id}"] == own
    assert held.keys() == {f"openai/{card.id}" for card in CARDS}


def claude_code(text: str, told_of: Told) -> dict[str, Any]:
    (file,) = CLAUDE_CODE.files(told_of)
    held: dict[str, Any] = json.loads(merge(file.format, text, file.settings))
    return held


STAND_INS = ("ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL", "CLAUDE_CODE_MAX_CONTEXT_TOKENS")


def test_a_claude_answers_for_itself_again_where_a_gemini_stood_in_for_it() -> None:
    api, own = CLAUDE_CODE.apis[0], {"env": {"MINE": "1"}, "theme": "dark"}
    gemini = claude_code(json.dumps(own), told(api))
    assert gemini["env"].keys() >= set(STAND_INS)
    (file,) = CLAUDE_CODE.files(told(api, model=CLAUDE, key=None))
    assert {one for one in differences(file.settings, gemini) if one.wanted is None} == {
        Difference(f"env.{name}", gemini["env"][name], None) for name in STAND_INS
    }
    claude = claude_code(json.dumps(gemini), told(api, model=CLAUDE, key=None))
    assert not claude["env"].keys() & set(STAND_INS)
    assert (claude["env"]["MINE"], claude["env"]["ANTHROPIC_AUTH_TOKEN"], claude["theme"]) == ("1", KEY, "dark")
    assert claude_code(json.dumps(claude), told(api))["env"] == gemini["env"]


@pytest.mark.parametrize(
    "own",
    [
        {"ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-opus-4-1"},
        {"ANTHROPIC_DEFAULT_OPUS_MODEL": "a", "ANTHROPIC_DEFAULT_SONNET_MODEL": "a"},
        {"ANTHROPIC_DEFAULT_OPUS_MODEL": "a", "ANTHROPIC_DEFAULT_SONNET_MODEL": "b", STAND_INS[2]: "5"},
        {STAND_INS[2]: "5"},
    ],
)
def test_names_for_claudes_that_somebody_chose_stay(own: dict[str, str]) -> None:
    env = claude_code(json.dumps({"env": own}), told(CLAUDE_CODE.apis[0], model=CLAUDE))["env"]
    assert {name: env[name] for name in STAND_INS if name in env} == own


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {}, ".config/io.datasette.llm"),
        ("linux", {"XDG_CONFIG_HOME": "/xdg"}, "/xdg/io.datasette.llm"),
        ("darwin", {}, "Library/Application Support/io.datasette.llm"),
        ("darwin", {"XDG_CONFIG_HOME": "/xdg"}, "Library/Application Support/io.datasette.llm"),
        ("darwin", {"XDG_CONFIG_HOME": "/xdg", "LLM_USER_PATH": "/own"}, "/own"),
    ],
)
def test_llm_has_its_folder_where_its_platform_keeps_such(
    platform: str, environment: dict[str, str], folder: str, tmp_path: Path
) -> None:
    for file in LLM.files(told(LLM.apis[0])):
        found = place(LLM, file, home=tmp_path, environment=environment, platform=platform)
        assert found == tmp_path / folder / Path(file.path).name
