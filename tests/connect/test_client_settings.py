"""What each client is told: the same for the same Portico, whole for every API, and safe whatever names there are."""

import json
import tomllib
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import yaml

from connect.samples import CARDS, CLAUDE, FLASH, GPT, KEY, NAMES, WAYS, named, told
from portico.cli.connect.call import call_of
from portico.clients import Api, Card, Client, Format, Owned, Told, Whole
from portico.clients.held import differences, found_at
from portico.clients.listed import cards_of, default_of, small_of
from portico.clients.merge import merge, merged, read
from portico.clients.merge.envfile import read_env
from portico.clients.settings import Begins, bare, same
from portico.clients.told import LONGEST_ANSWER

HOSTILE = ['a"b', "a'b", "a#b: c", "${HOME}", "a\\b", "模型", "мир", "- x", "{{ x }}", "true", "a\u2028b"]
READERS = {
    Format.JSON: json.loads,
    Format.TOML: tomllib.loads,
    Format.YAML: yaml.safe_load,
    Format.ENV: read_env,
}


def settings_of(client: Client, api: Api, **changed: Any) -> str:
    """All of it as one text."""
    files = client.files(told(api, **changed))
    return "\n".join(json.dumps(bare(file.settings), ensure_ascii=False) for file in files)


@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
def test_a_fresh_file_says_what_is_meant_to_whoever_reads_it(client: Client, api: Api) -> None:
    for file in client.files(told(api)):
        text = merge(file.format, "", file.settings)
        assert same(READERS[file.format](text), bare(file.settings))
        assert merge(file.format, text, file.settings) == text
        assert not list(differences(file.settings, read(file.format, text)))


@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
def test_address_key_and_models_are_told(client: Client, api: Api) -> None:
    everything = settings_of(client, api)
    assert told(api).address in everything
    assert KEY in everything
    assert FLASH.id in everything
    if client.name not in ("codex", "claude-code", "gemini-cli", "cline"):  # which have no place for a list
        assert all(card.id in everything for card in CARDS)


@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
def test_only_files_that_are_kept_private_hold_the_key(client: Client, api: Api) -> None:
    for file in client.files(told(api)):
        assert file.secret or KEY not in json.dumps(bare(file.settings))
    assert KEY not in settings_of(client, api, key=None)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
def test_names_of_all_kinds_stay_what_they_are(client: Client, api: Api, name: str) -> None:
    card = msgspec.structs.replace(FLASH, id=name, title=name)
    for file in client.files(told(api, model=card, base_url="http://h/a%22b")):
        text = merge(file.format, "", file.settings)
        assert same(READERS[file.format](text), bare(file.settings))


@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
def test_what_stands_in_a_file_is_found_again(client: Client, api: Api) -> None:
    sought = client.files(told(api, key="sk-here", base_url="http://here"))
    written = client.files(told(api, key="sk-other", base_url="https://other.example/x"))
    pairs = [(file.settings, bare(there.settings)) for file, there in zip(sought, written, strict=True)]
    assert "sk-other" in [found_at(settings, held, "sk-here") for settings, held in pairs]
    assert "https://other.example/x" in [found_at(settings, held, "http://here") for settings, held in pairs]


OTHERS = {
    "llm": {"model_id": "mixtral", "model_name": "mixtral", "api_base": "https://other.example/v1"},
    "qwen-code": {"id": "qwen3", "name": "qwen3", "envKey": "OTHER_KEY", "baseUrl": "https://other.example/v1"},
    "continue": {"name": "Mine", "provider": "openai", "model": "gpt-4o", "apiBase": "https://other.example/v1/"},
}
"""An entry of somebody's own in the list that Portico's stand in, by client."""


@pytest.mark.parametrize("name", OTHERS)
def test_entries_that_are_not_ours_are_never_taken_for_portico(name: str) -> None:
    client = named(name)
    for api in client.apis:
        held = {
            file.path: merged(_others_first(bare(file.settings), name), file.settings)
            for file in client.files(told(api, base_url="http://ours.example"))
        }
        for file in client.files(told(api, base_url="http://here", key="sk-here")):
            assert found_at(file.settings, held[file.path], "http://here") in ("http://ours.example", None)


def _others_first(value: Any, name: str) -> Any:
    """The same file without our entries, and with another's where they stood."""
    if isinstance(value, list):
        return [OTHERS[name]] if value and isinstance(value[0], dict) else value
    return {key: _others_first(inner, name) for key, inner in value.items()} if isinstance(value, dict) else value


def test_openclaw_is_told_as_its_page_tells() -> None:
    openclaw = named("openclaw")
    config = bare(openclaw.files(told(openclaw.apis[-1], model=GPT))[0].settings)
    provider = config["models"]["providers"]["portico"]
    models = {entry["id"]: entry for entry in provider["models"]}
    assert provider["apiKey"] == "${PORTICO_API_KEY}"
    assert config["agents"]["defaults"]["model"] == {"primary": "portico/gpt-5.5"}
    assert (models[FLASH.id]["api"], models[FLASH.id]["baseUrl"]) == (
        "google-generative-ai",
        "http://127.0.0.1:8080/v1beta",
    )
    assert (models[CLAUDE.id]["api"], models[CLAUDE.id]["baseUrl"]) == ("anthropic-messages", "http://127.0.0.1:8080")
    assert models[GPT.id]["api"] == "openai-responses"
    assert "api" not in models["local/llama"]
    assert models[FLASH.id]["cost"] == {"input": 0.75, "output": 3.75, "cacheRead": 0.075, "cacheWrite": 0.75}
    assert "cost" not in models[CLAUDE.id]


def test_openclaw_by_chat_is_told_which_efforts_there_are() -> None:
    openclaw = named("openclaw")
    config = bare(openclaw.files(told(openclaw.apis[0]))[0].settings)
    models = {entry["id"]: entry for entry in config["models"]["providers"]["portico"]["models"]}
    assert models[FLASH.id]["compat"] == {"supportsReasoningEffort": True}
    assert models[CLAUDE.id]["compat"]["supportedReasoningEfforts"] == ["low", "medium", "high", "xhigh", "max"]
    assert "compat" not in models["local/llama"]


def test_claude_code_asks_for_another_vendors_model_under_claudes_names() -> None:
    client = named("claude-code")
    (file,) = client.files(told(client.apis[0]))
    variables = bare(file.settings)["env"]
    assert variables["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8080"
    assert variables["ANTHROPIC_DEFAULT_SONNET_MODEL"] == FLASH.id
    assert variables["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "1048576"
    (own,) = client.files(told(client.apis[0], model=CLAUDE))
    assert "ANTHROPIC_DEFAULT_SONNET_MODEL" not in bare(own.settings)["env"]


def test_a_models_list_is_replaced_and_other_items_stay_behind_the_default() -> None:
    own = "  # of mine\n  - name: A  # why\n    model: a\n"
    held = f"# mine\nname: Mine\nmodels:\n{own}  - name: 'Portico: Old'\n    model: old\n"
    client = named("continue")
    file = client.files(told(client.apis[0]))[0]
    text = merge(file.format, held, file.settings)
    names = [entry["name"] for entry in yaml.safe_load(text)["models"]]
    assert names == ["Portico: default", *(f"Portico: {card.title}" for card in CARDS), "A"]
    assert text.startswith("# mine\nname: Mine\nmodels:\n  - name: 'Portico: default'\n".replace("'", '"'))
    assert own in text


def test_whoever_puts_a_model_of_ones_own_above_portico_in_continue_keeps_it_there() -> None:
    client = named("continue")
    (file, *_) = client.files(told(client.apis[0]))
    text = merge(file.format, "", file.settings).replace("models:\n", "models:\n  - name: A\n    model: a\n")
    again = client.files(told(client.apis[0], model=CLAUDE))[0]
    names = [entry["name"] for entry in yaml.safe_load(merge(file.format, text, again.settings))["models"]]
    assert names[:2] == ["A", "Portico: default"]


def test_continue_asks_the_first_model_of_its_file_which_another_default_becomes() -> None:
    client, text = named("continue"), ""
    for model in (FLASH, CLAUDE):
        file = client.files(told(client.apis[0], model=model))[0]
        text = merge(file.format, text, file.settings)
        assert yaml.safe_load(text)["models"][0]["model"] == model.id
    assert len(yaml.safe_load(text)["models"]) == 1 + len(CARDS)


@pytest.mark.parametrize("api", named("continue").apis, ids=lambda api: api.name)
def test_continue_resolves_paths_against_its_addresses_and_finds_geminis_in_the_environment(api: Api) -> None:
    client = named("continue")
    settings = bare(client.files(told(api))[0].settings)
    assert settings["models"][0]["apiBase"] == f"http://127.0.0.1:8080{api.path}/"
    assert settings["models"][0]["provider"] == api.name
    gemini = {"GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:8080"}
    assert client.environment(told(api)) == (gemini if api.name == "gemini" else {})


@pytest.mark.parametrize("api", named("cline").apis, ids=lambda api: api.name)
def test_cline_is_told_an_address_and_a_size_for_the_provider_it_begins_with(api: Api) -> None:
    (file,) = named("cline").files(told(api))
    config = bare(file.settings)
    assert config["lastUsedProvider"] == api.name
    settings = config["providers"][api.name]["settings"]
    assert settings["baseUrl"] == f"http://127.0.0.1:8080{api.path}"
    assert (settings["contextWindow"], settings["maxTokens"]) == (FLASH.context_tokens, LONGEST_ANSWER)


def test_qwen_code_keeps_models_of_other_servers_in_the_same_list() -> None:
    client = named("qwen-code")
    file = client.files(told(client.apis[0]))[0]
    there = [{"id": "mine", "envKey": "MY_KEY"}, {"id": "old", "envKey": "PORTICO_API_KEY"}]
    held = json.dumps({"modelProviders": {"openai": there}})
    models = json.loads(merge(file.format, held, file.settings))["modelProviders"]["openai"]
    assert [entry["id"] for entry in models] == ["mine", *(card.id for card in CARDS)]


def test_rows_become_cards() -> None:
    rows: list[dict[str, Any]] = [
        {"id": "m", "name": "M", "owned_by": "google", "kind": "chat", "context_length": 5, "max_output": 3},
        {"id": "m-thinking", "base": "m", "kind": "chat"},
        {"id": "pictures", "kind": "image", "output_modalities": ["image"]},
        {
            "id": "old",
            "pricing": {"prompt": "what", "completion": "0.000002"},
            "reasoning": {"supported_efforts": ["b", "a"]},
        },
        {"id": 7, "kind": "chat"},
        {},
    ]
    first, old = cards_of(rows)
    assert (first.id, first.title, first.context_tokens, first.output_tokens) == ("m", "M", 5, 3)
    assert (old.title, old.input_usd, old.output_usd, old.efforts) == ("old", None, Decimal(2), ("a", "b"))


def test_an_operators_own_name_for_a_model_is_told_apart_by_its_title() -> None:
    rows = [
        {"id": "gemini-2.5-flash", "name": "Flash"},
        {"id": "ours", "name": "Flash"},
        {"id": "ours", "name": "Flash"},
    ]
    cards = cards_of(rows)
    assert [card.title for card in cards] == ["Flash (gemini-2.5-flash)", "Flash (ours)"]
    client = named("continue")
    told_of = Told(base_url="http://h", key=None, model=cards[0], small=cards[0], models=cards, api=client.apis[0])
    (file,) = client.files(told_of)
    names = [entry["name"] for entry in yaml.safe_load(merge(file.format, "", file.settings))["models"]]
    assert names == ["Portico: default", *(f"Portico: {card.title}" for card in cards)]


def card(name: str, owner: str) -> Card:
    return Card(id=name, title=name, owner=owner, context_tokens=1, output_tokens=1)


SERVED = [
    card("gemini-2.5-flash", "google"),
    card("gemini-3.10-flash", "google"),
    card("gemini-3.8-flash", "google"),
    card("gemini-3.5-flash-lite", "google"),
    card("claude-opus-5-5", "anthropic"),
    card("claude-haiku-5-5", "anthropic"),
    card("gpt-5.5", "openai"),
    card("gpt-6.2-sol", "openai"),
    card("gpt-5.4-mini", "openai"),
]


@pytest.mark.parametrize(
    ("likes", "model", "small"),
    [
        (("google",), "gemini-3.10-flash", "gemini-3.5-flash-lite"),
        (("anthropic", "google"), "claude-opus-5-5", "claude-haiku-5-5"),
        (("openai",), "gpt-6.2-sol", "gpt-5.4-mini"),
        (("nobody",), "gemini-3.10-flash", "gemini-3.5-flash-lite"),
    ],
)
def test_the_newest_model_for_everyday_work_is_the_default(likes: tuple[str, ...], model: str, small: str) -> None:
    chosen = default_of(SERVED, likes)
    assert (chosen.id, small_of(SERVED, chosen).id) == (model, small)


def test_whatever_is_there_is_the_default_where_nothing_fits() -> None:
    llama = card("llama", "elsewhere")
    assert default_of([llama], ("google",)) == llama
    assert small_of([llama], llama) == llama


def test_a_list_that_is_all_ours_is_told_apart() -> None:
    held = [{"id": "portico/a", "x": 1}, {"id": "portico/gone"}, {"id": "other"}, "text"]
    owned = Owned(key="id", ours=Begins("id", "portico/"), items=({"id": "portico/a", "x": 2},))
    assert [one.path for one in differences({"list": owned}, {"list": held})] == [
        "list[portico/a]",
        "list[portico/gone]",
    ]
    assert not list(differences({"whole": Whole({"a": 1})}, {"whole": {"a": 1}}))


@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
def test_a_check_asks_at_the_address_of_the_dialect(client: Client, api: Api) -> None:
    call = call_of(told(api), KEY)
    dialect = api.dialect or "gemini"
    assert (
        call.url
        == {
            "openai_chat": "http://127.0.0.1:8080/v1/chat/completions",
            "openai_responses": "http://127.0.0.1:8080/v1/responses",
            "anthropic_messages": "http://127.0.0.1:8080/v1/messages",
            "gemini": "http://127.0.0.1:8080/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
        }[dialect]
    )
    header = {"anthropic_messages": "x-api-key", "gemini": "x-goog-api-key"}.get(dialect, "authorization")
    assert call.headers[header].endswith(KEY)
