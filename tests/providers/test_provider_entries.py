"""[[providers]]: what an entry means for each kind, and what is said of one that is wrong."""

from pathlib import Path

import pytest

from portico.config import ConfigError, load_config
from portico.providers import KINDS, NO_KEY, Secret
from portico.providers.presets import PRESETS
from portico.providers.stored import with_credentials
from providers.entries import ENVIRONMENT, configured, service_account

MEANS: list[tuple[str, str, str, str]] = [
    ('kind = "gemini"', "gemini", "gemini", "https://generativelanguage.googleapis.com/v1beta"),
    ('kind = "gemini"\napi_version = "v1"', "gemini", "gemini", "https://generativelanguage.googleapis.com/v1"),
    ('kind = "vertex"', "vertex", "vertex", "https://aiplatform.googleapis.com/v1beta1"),
    ('kind = "vertex"\nlocation = "global"', "vertex", "vertex", "https://aiplatform.googleapis.com/v1beta1"),
    (
        'kind = "vertex"\nproject = "p-1"\nlocation = "europe-west4"\napi_version = "v1"',
        "vertex",
        "vertex",
        "https://europe-west4-aiplatform.googleapis.com/v1",
    ),
    ('kind = "vertex"\nlocation = "eu"', "vertex", "vertex", "https://aiplatform.eu.rep.googleapis.com/v1beta1"),
    ('kind = "openai"', "openai", "openai", "https://api.openai.com/v1"),
    ('kind = "openai"\nbase_url = "http://127.0.0.1:9/proxy"', "openai", "openai", "http://127.0.0.1:9/proxy/v1"),
    ('kind = "anthropic"', "anthropic", "anthropic", "https://api.anthropic.com/v1"),
    ('kind = "anthropic"\nbase_url = "http://127.0.0.1:9"', "anthropic", "anthropic", "http://127.0.0.1:9/v1"),
    ('preset = "groq"', "groq", "openai-compatible", "https://api.groq.com/openai/v1"),
    ('name = "fast"\npreset = "groq"', "fast", "openai-compatible", "https://api.groq.com/openai/v1"),
    (
        'preset = "ollama"\nbase_url = "http://10.0.0.7:11434"',
        "ollama",
        "openai-compatible",
        "http://10.0.0.7:11434/v1",
    ),
    (
        'kind = "openai-compatible"\nname = "house"\nbase_url = "http://127.0.0.1:8000"',
        "house",
        "openai-compatible",
        "http://127.0.0.1:8000/v1",
    ),
    (
        'kind = "openai-compatible"\nname = "g"\nbase_url = "https://a.example/v1beta/openai/"',
        "g",
        "openai-compatible",
        "https://a.example/v1beta/openai",
    ),
    *[
        (
            f'kind = "azure-openai"\nbase_url = "https://r.openai.azure.com{end}"{version}',
            "azure-openai",
            "azure-openai",
            f"https://r.openai.azure.com/openai{place}",
        )
        for end in ("", "/", "/openai", "/openai/v1/")
        for version, place in (
            ("", "/v1"),
            ('\napi_version = "v1"', "/v1"),
            ('\napi_version = "preview"', "/v1"),
            ('\napi_version = "2024-10-21"', ""),
            ('\napi_version = "2025-04-01-preview"', ""),
        )
    ],
]


@pytest.mark.parametrize(("entry", "name", "kind", "address"), MEANS, ids=[entry for entry, *_ in MEANS])
def test_an_entry_means(tmp_path: Path, entry: str, name: str, kind: str, address: str) -> None:
    (provider,) = configured(tmp_path, f"[[providers]]\n{entry}\n").providers
    assert (provider.name, provider.kind.name, provider.base_url) == (name, kind, address)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_complete_entry_with_its_key(tmp_path: Path, preset: str) -> None:
    variable = PRESETS[preset].key_env
    environment = {variable: "sample"} if variable else {}
    (provider,) = configured(tmp_path, f'[[providers]]\npreset = "{preset}"\n', environment).providers
    assert (provider.name, provider.base_url) == (preset, PRESETS[preset].base_url)
    assert [key.reveal() for key in provider.keys] == ["sample" if variable else ""]


def test_a_server_that_wants_no_key_is_asked_without_one(tmp_path: Path) -> None:
    entry = '[[providers]]\nkind = "openai-compatible"\nname = "h"\nbase_url = "http://127.0.0.1:9"\nkeys = []\n'
    (provider,) = configured(tmp_path, entry).providers
    assert provider.keys == (NO_KEY,)
    headers = provider.fixed_headers(provider.kind.spoken[0], NO_KEY)
    assert headers == (("content-type", "application/json"),)
    assert NO_KEY.hidden_in(b"an error") == b"an error"


def test_a_server_whose_key_is_stored_waits_for_it(tmp_path: Path) -> None:
    entry = (
        '[[providers]]\nkind = "openai-compatible"\nname = "h"\nbase_url = "http://127.0.0.1:9"\nkeys = ["database"]\n'
    )
    config = configured(tmp_path, entry)
    assert config.providers[0].keys == ()
    stored = Secret("stored", "database:cred_1")
    assert [one.keys for one in with_credentials(config.providers, (), [("h", stored)])] == [(stored,)]


ALONE: list[tuple[dict[str, str], list[tuple[str, str]]]] = [
    ({"OPENAI_API_KEY": "a"}, [("openai", "https://api.openai.com/v1")]),
    ({"OPENAI_API_KEY": "a", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, [("openai", "http://127.0.0.1:9/v1")]),
    ({"ANTHROPIC_API_KEY": "a"}, [("anthropic", "https://api.anthropic.com/v1")]),
    (
        {"ANTHROPIC_API_KEY": "a", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"},
        [("anthropic", "http://127.0.0.1:9/v1")],
    ),
    ({"VERTEX_API_KEY": "a"}, [("vertex", "https://aiplatform.googleapis.com/v1beta1")]),
    (
        {"GEMINI_API_KEY": "a", "OPENAI_API_KEY": "b"},
        [("gemini", "https://generativelanguage.googleapis.com/v1beta"), ("openai", "https://api.openai.com/v1")],
    ),
    (
        {"AZURE_OPENAI_API_KEY": "a", "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/"},
        [("azure-openai", "https://r.openai.azure.com/openai/v1")],
    ),
    (
        {
            "AZURE_OPENAI_API_KEY": "a",
            "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com",
            "OPENAI_API_VERSION": "2024-10-21",
        },
        [("azure-openai", "https://r.openai.azure.com/openai")],
    ),
    ({"AZURE_OPENAI_API_KEY": "a"}, []),  # nobody knows where
    ({"GROQ_API_KEY": "a"}, []),  # a server that nobody named is asked nothing
]


@pytest.mark.parametrize(("environment", "expected"), ALONE, ids=["+".join(env) for env, _ in ALONE])
def test_keys_of_the_environment_alone(
    tmp_path: Path, environment: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    config = load_config(environment, folder=tmp_path)
    assert [(one.name, one.base_url) for one in config.providers] == expected


def test_a_stored_key_brings_every_kind_with_a_known_address_to_life(tmp_path: Path) -> None:
    config = load_config({}, folder=tmp_path)
    names = {one.name for one in config.dormant}
    assert names >= {"gemini", "vertex", "openai", "groq", "openrouter"}
    assert not names & {"azure-openai", "openai-compatible", "ollama"}
    key = Secret("stored", "database:cred_1")
    for name in names:
        (alive,) = with_credentials((), config.dormant, [(name, key)])
        assert (alive.name, alive.keys) == (name, (key,))


def test_headers_of_an_entry_go_with_every_call_and_show_no_secret(tmp_path: Path) -> None:
    (tmp_path / "h.txt").write_text("from-a-file\n")
    entry = (
        '[[providers]]\nkind = "openai"\norganization = "org-1"\nproject = "proj_1"\n'
        'headers = { X-Plain = "our house", X-Secret = "env:GROQ_API_KEY", X-File = "file:h.txt",'
        ' Authorization = "Basic x" }\n'
    )
    (provider,) = configured(tmp_path, entry).providers
    headers = dict(provider.fixed_headers(provider.kind.spoken[0], provider.keys[0]) or ())
    assert headers == {
        "content-type": "application/json",
        "OpenAI-Organization": "org-1",
        "OpenAI-Project": "proj_1",
        "X-Plain": "our house",
        "X-Secret": ENVIRONMENT["GROQ_API_KEY"],
        "X-File": "from-a-file",
        "Authorization": "Basic x",  # in place of the key
    }
    assert ENVIRONMENT["GROQ_API_KEY"] not in repr(provider)
    assert "from-a-file" not in repr(provider)


WRONG: list[tuple[str, str, int, str]] = [
    ('preset = "grok"', "preset", 2, "did you mean 'groq'"),
    ("preset = 1", "preset", 2, "no preset"),
    ('kind = "openai"\npreset = "groq"', "preset", 3, "means nothing to openai"),
    ('kind = "groq"', "kind", 2, 'write preset = "groq"'),
    ('kind = "gemini"\nlocation = "eu"', "location", 3, "it is for vertex"),
    ('kind = "vertex"\nlocation = "eu.evil.example/"', "location", 3, "expected a location"),
    ('kind = "vertex"\nproject = "a/b"', "project", 3, "the id or number of a project"),
    ('kind = "vertex"\nproject = 7', "project", 3, "found 7"),
    ('kind = "openai"\norganisation = "x"', "organisation", 3, "did you mean 'organization'"),
    ('kind = "azure-openai"', "base_url", 1, "needs an address"),
    ('kind = "azure-openai"\nbase_url = "https://a.example"\napi_version = "newest"', "api_version", 4, "2024-10-21"),
    ('kind = "gemini"\napi_version = "2024-10-21"', "api_version", 3, "v1beta"),
    ('kind = "openai-compatible"\nname = "x"', "base_url", 1, "needs an address"),
    ('kind = "openai-compatible"\nbase_url = "http://127.0.0.1:9"', "name", 1, "needs a name"),
    ('kind = "openai"\nkeys = []', "keys", 3, "OPENAI_API_KEY"),
    ('preset = "groq"\nkeys = ["gsk-written-here"]', "keys", 3, "env:NAME or file:PATH"),
    ('kind = "openai"\nheaders = "x"', "headers", 3, "expected a table"),
    ('kind = "openai"\nheaders = { Host = "x" }', "headers", 3, "no header that can be set"),
    ('kind = "openai"\nheaders = { X-Key = "env:NOT_SET" }', "headers", 3, "X-Key: the environment variable NOT_SET"),
    ('kind = "openai"\nheaders = { X-Key = "a\\nb" }', "headers", 3, "one line of ASCII"),
    ('kind = "openai"\nheaders = { X-Key = 1 }', "headers", 3, "expected text"),
    ('kind = "openai"\n[providers.headers]\nHost = "x"', "headers", 3, "no header that can be set"),
    ('kind = "openai"\ndialects = ["gemini"]', "dialects", 3, "what openai speaks"),
    ('kind = "openai"\ndialects = []', "dialects", 3, "expected a list"),
]


@pytest.mark.parametrize(("entry", "key", "line", "message"), WRONG, ids=[entry for entry, *_ in WRONG])
def test_what_is_wrong_with_an_entry_is_said_with_its_line(
    tmp_path: Path, entry: str, key: str, line: int, message: str
) -> None:
    text = f'[[providers]]\n{entry}\n[[providers]]\nname = "other"\n[providers.headers]\nX-Fine = "1"\n'
    with pytest.raises(ConfigError) as raised:
        configured(tmp_path, text)
    (problem,) = raised.value.problems
    assert problem.key in (f"providers[0].{key}", f"providers.{key}")
    assert problem.line == line
    assert message in problem.message
    assert "gsk-written-here" not in str(problem)


DOCUMENTS: list[tuple[str, str]] = [
    ("{not json", "is no JSON document"),
    ('{"type": "authorized_user"}', "none of a service account"),
    ("[]", ""),
    (service_account(private_key=None), "lacks private_key"),
    (service_account(project_id=None), 'say which with project = "…"'),
]


@pytest.mark.parametrize(("document", "message"), DOCUMENTS, ids=[message for _, message in DOCUMENTS])
def test_a_document_that_is_no_service_account_is_told_and_not_shown(
    tmp_path: Path, document: str, message: str
) -> None:
    (tmp_path / "account.json").write_text(document)
    entry = '[[providers]]\nkind = "vertex"\nkeys = ["file:account.json"]\n'
    if not message:  # whatever is no document is taken for a key
        assert configured(tmp_path, entry).providers[0].keys[0].reveal() == document
        return
    with pytest.raises(ConfigError) as raised:
        configured(tmp_path, entry)
    (problem,) = raised.value.problems
    assert (problem.key, problem.line) == ("providers[0].keys", 3)
    assert message in problem.message
    assert "PRIVATE KEY" not in str(problem)


def test_every_kind_has_what_it_needs_to_be_asked() -> None:
    for name, kind in KINDS.items():
        assert kind.name == name
        assert kind.spoken
        assert kind.default_base_url or name in ("azure-openai", "openai-compatible")
