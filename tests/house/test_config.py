"""The configuration: file, environment and options become one Config, or every mistake is named with its line."""

from pathlib import Path
from typing import Any

import pytest

from portico.config import ConfigError, load_config
from portico.http.address import Origin
from portico.relay.defaults import Defaults

KEY = {"GEMINI_API_KEY": "sample-key"}


def test_a_gemini_key_alone_is_a_complete_configuration(tmp_path: Path) -> None:
    config = load_config(KEY, folder=tmp_path)
    assert [provider.name for provider in config.providers] == ["gemini"]
    assert config.providers[0].base_url == "https://generativelanguage.googleapis.com/v1beta"
    assert config.providers[0].keys[0].reveal() == "sample-key"
    assert (config.server.host, config.server.port, config.server.workers) == ("127.0.0.1", 8080, 1)
    assert config.storage.url == f"sqlite:///{tmp_path}/.portico/portico.db"


def test_without_any_key_there_is_no_provider(tmp_path: Path) -> None:
    assert load_config({}, folder=tmp_path).providers == ()
    assert load_config({"GEMINI_API_KEY": "  "}, folder=tmp_path).providers == ()


def test_providers_of_the_environment_exist_only_when_the_file_names_none(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text('[[providers]]\nname = "mine"\nkind = "gemini"\nkeys = ["env:OTHER"]\n')
    config = load_config({**KEY, "OTHER": "x"}, folder=tmp_path)
    assert [provider.name for provider in config.providers] == ["mine"]


def test_an_option_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text('[server]\nhost = "file"\nport = 1\nworkers = 2\n')
    config = load_config({"PORTICO_PORT": "2", "PORTICO_HOST": "env"}, folder=tmp_path, overrides={"host": "option"})
    assert (config.server.host, config.server.port, config.server.workers) == ("option", 2, 2)


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "p.toml"
    file.parent.mkdir()
    file.write_text("[server]\nport = 7\n")
    config = load_config({"PORTICO_CONFIG": str(file)}, folder=tmp_path)
    assert config.server.port == 7
    assert config.data_folder == file.parent / ".portico"


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("http://127.0.0.1:9", "http://127.0.0.1:9/v1beta"),
        ("http://127.0.0.1:9/", "http://127.0.0.1:9/v1beta"),
        ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"),
        ("http://127.0.0.1:9/google/v1alpha/", "http://127.0.0.1:9/google/v1alpha"),
        ("http://127.0.0.1:9/proxy", "http://127.0.0.1:9/proxy/v1beta"),
    ],
)
def test_an_address_without_a_version_gets_the_kinds_own(tmp_path: Path, base_url: str, address: str) -> None:
    (tmp_path / "portico.toml").write_text(f'[[providers]]\nname = "g"\nkind = "gemini"\nbase_url = "{base_url}"\n')
    assert load_config(KEY, folder=tmp_path).providers[0].base_url == address


def test_a_key_may_stand_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("from-file\n")
    (tmp_path / "portico.toml").write_text('[[providers]]\nname = "g"\nkind = "gemini"\nkeys = ["file:key.txt"]\n')
    secret = load_config({}, folder=tmp_path).providers[0].keys[0]
    assert secret.reveal() == "from-file"


def test_defaults_are_what_the_operator_wants_where_a_caller_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text(
        '[defaults]\nshow_thoughts = true\nreasoning_details = true\nsmall_max_tokens = 0\neffort = "low"\n'
        '[defaults.safety]\nHARM_CATEGORY_HARASSMENT = "BLOCK_NONE"\n'
    )
    defaults = load_config(KEY, folder=tmp_path).defaults
    harassment = {"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"}
    assert defaults == Defaults(
        show_thoughts=True, reasoning_details=True, small_max_tokens=0, effort="low", safety=harassment
    )
    assert load_config(KEY, folder=tmp_path / "elsewhere").defaults == Defaults()


def test_a_secret_never_shows_itself(tmp_path: Path) -> None:
    config = load_config({**KEY, "PORTICO_API_KEY": "caller-secret"}, folder=tmp_path)
    assert "sample-key" not in repr(config)
    assert "caller-secret" not in repr(config)
    assert "env:GEMINI_API_KEY" in repr(config)


WRONG: list[tuple[str, str, int, str]] = [
    ("[server]\nport = 99999\n", "server.port", 2, "is not a port"),
    ("[server]\n\nport = true\n", "server.port", 3, "expected a whole number"),
    ('[server]\nprot = 1\nport = "x"\n', "server.prot", 2, "did you mean 'port'"),
    ("[sever]\nport = 1\n", "sever", 1, "did you mean 'server'"),
    ("server = 3\n", "server", 1, "must be written as [server]"),
    ("port = 1\n", "port", 1, "stands in no table; it is a key of [server], and belongs below that line"),
    ('name = "x"\n', "name", 1, "it is a key of [[providers]] and of [[models]]"),
    ("[providers]\nname = 'x'\n", "providers", 1, "[[providers]]"),
    ('[[providers]]\nname = "g"\nkind = "gemni"\n', "providers[0].kind", 3, "'gemni' is no kind of provider"),
    ('[[providers]]\nkind = "gemini"\nkeys = ["AIzaSample"]\n', "providers[0].keys", 3, "env:NAME or file:PATH"),
    ('[[providers]]\nkind = "gemini"\nkeys = ["env:NOPE"]\n', "providers[0].keys", 3, "NOPE is not set"),
    ('[[providers]]\nkind = "gemini"\nkeys = []\n', "providers[0].keys", 3, "expected a list"),
    ('[[providers]]\nkind = "gemini"\nbase_url = "ftp://x"\n', "providers[0].base_url", 3, "http(s) address"),
    (
        '[[providers]]\nkind = "gemini"\n[[providers]]\nkind = "gemini"\nname = "gemini"\n',
        "providers.name",
        5,
        "used twice",
    ),
    ('[[models]]\nname = "a"\ntarget = "nobody/x"\n', "models[0].target", 3, "no provider 'nobody'; known: "),
    ('[[models]]\nname = "a"\ntarget = "gemni/x"\n', "models[0].target", 3, "'gemni'; did you mean 'gemini'?"),
    (
        '[[models]]\nname = "a"\ntarget = "gemini/x"\nfallbacks = ["gpt-55"]\n',
        "models[0].fallbacks",
        4,
        "there is no model 'gpt-55'; did you mean 'gpt-5.5'?",
    ),
    ('[[models]]\ntarget = "gemini/x"\n', "models[0].name", 1, "a model needs"),
    ('[[models]]\nname = "a"\ntarget = "gemini/"\n', "models[0].target", 3, "expected 'provider/upstream-model'"),
    ('[[models]]\nname = "a"\ntarget = "gemini/x"\nweight = -1\n', "models[0].weight", 4, "from 0 to 1000000"),
    ("[defaults]\nshow_thoughts = 1\n", "defaults.show_thoughts", 2, "true or false"),
    ('[defaults]\neffort = "huge"\n', "defaults.effort", 2, "one of none, minimal"),
    ("[defaults]\nsmall_max_tokens = true\n", "defaults.small_max_tokens", 2, "a whole number"),
    ('[defaults]\nsafety = { HARM_CATEGORY_HARASSMENT = "NO" }\n', "defaults.safety", 2, "BLOCK_NONE"),
    ("[defaults]\nshow = true\n", "defaults.show", 2, "show_thoughts"),
    ("[server]\nworkers = 0\n", "server.workers", 2, "not between"),
    ('[defaults]\nimage_form = "picture"\n', "defaults.image_form", 2, "markdown, images, parts"),
    ("[defaults]\nimage_form = 1\n", "defaults.image_form", 2, "one of markdown"),
    ("[defaults]\nmarkdown_slice_bytes = -1\n", "defaults.markdown_slice_bytes", 2, "a whole number from 0"),
    ("[server]\ndrain_delay_s = -1\n", "server.drain_delay_s", 2, "-1 is not from 0 on"),
    ("[server]\ngrace_s = 0\n", "server.grace_s", 2, "not above 0"),
    ('[server]\ntrusted_proxies = "10.0.0.1"\n', "server.trusted_proxies", 2, "expected a list such as"),
    ('[server]\ntrusted_proxies = ["::1", "proxy.example"]\n', "server.trusted_proxies", 2, "'proxy.example'"),
    ("[server]\ntrusted_proxies = [10]\n", "server.trusted_proxies", 2, "'10'"),
    ('[server]\nport = 1\ntls_key = "a.key"\n', "server.tls_key", 3, "needs tls_certificate"),
    ('[server]\ntls_certificate = "a.pem"\n', "server.tls_certificate", 2, "needs tls_key"),
    ('[server]\ntls_key = 1\ntls_certificate = "a.pem"\n', "server.tls_key", 2, "expected text"),
    ("[server]\nkeep_alive_s = -1\n", "server.keep_alive_s", 2, "not above 0"),
    ('[[providers]]\nkind = "gemini"\nbase_url = "http://["\n', "providers[0].base_url", 3, "http(s) address"),
    ('[[providers]]\nkind = "gemini"\nbase_url = "http://a:x"\n', "providers[0].base_url", 3, "http(s) address"),
    ('[media]\nallow = "localhost"\n', "media.allow", 2, "expected a list"),
    ("[media]\nallow = [1]\n", "media.allow", 2, "expected a list of hosts and networks"),
    ("[media]\nmax_bytes = 1.5\n", "media.max_bytes", 2, "a whole number above 0, found 1.5"),
    ("[media]\ntimeout_s = 0\n", "media.timeout_s", 2, "a number above 0, found 0"),
    ('[defaults.safety]\nHARM_CATEGORY_HARASSMENT = "NO"\n', "defaults.safety", 1, "BLOCK_NONE"),
]


@pytest.mark.parametrize(("text", "key", "line", "message"), WRONG, ids=[f"{key}-{line}" for _, key, line, _ in WRONG])
def test_what_is_wrong_is_said_with_line_and_key(tmp_path: Path, text: str, key: str, line: int, message: str) -> None:
    file = tmp_path / "portico.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_config(KEY, folder=tmp_path)
    problem = raised.value.problems[0]
    assert (problem.key, problem.line, problem.file) == (key, line, str(file))
    assert message in problem.message
    assert not problem.message.startswith("models.")


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text('[server]\nport = "x"\nworkers = "y"\n[[models]]\nname = 1\n')
    with pytest.raises(ConfigError) as raised:
        load_config(KEY, folder=tmp_path)
    assert len(raised.value.problems) == 3


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({"PORTICO_PORT": "high"}, "PORTICO_PORT"),
        ({"PORTICO_WORKERS": "1.5"}, "PORTICO_WORKERS"),
        ({"PORTICO_TRUSTED_PROXIES": "10.0.0.0/8, here"}, "PORTICO_TRUSTED_PROXIES"),
        ({"PORTICO_DRAIN_DELAY_S": "soon"}, "PORTICO_DRAIN_DELAY_S"),
        ({"PORTICO_SHOW_THOUGHTS": "sometimes"}, "PORTICO_SHOW_THOUGHTS"),
        ({"PORTICO_IMAGE_FORM": "true"}, "PORTICO_IMAGE_FORM"),
        ({"PORTICO_MEDIA_MAX_BYTES": "20MB"}, "PORTICO_MEDIA_MAX_BYTES"),
        ({"PORTICO_MEDIA_TIMEOUT_S": "-1"}, "PORTICO_MEDIA_TIMEOUT_S"),
        ({"PORTICO_MEDIA_ALLOW": "http://a"}, "PORTICO_MEDIA_ALLOW"),
        ({**KEY, "GEMINI_BASE_URL": "localhost:8090"}, "GEMINI_BASE_URL"),
        ({**KEY, "GEMINI_BASE_URL": "http://["}, "GEMINI_BASE_URL"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(tmp_path: Path, environment: dict[str, str], key: str) -> None:
    (tmp_path / "portico.toml").write_text("[media]\nmax_bytes = 1\ntimeout_s = 1\nallow = []\n")
    with pytest.raises(ConfigError) as raised:
        load_config(environment, folder=tmp_path)
    problem = raised.value.problems[0]
    assert (problem.key, problem.line, problem.file) == (key, None, None)


def test_a_key_of_the_environment_is_what_a_caller_can_send(tmp_path: Path) -> None:
    found = load_config({**KEY, "PORTICO_API_KEY": " sk-sample\n"}, folder=tmp_path).api_key
    assert found is not None
    assert found.reveal() == "sk-sample"
    assert load_config({**KEY, "PORTICO_API_KEY": " \n"}, folder=tmp_path).api_key is None


@pytest.mark.parametrize("content", [b"[server\n", b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "portico.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load_config({}, file=file)
    assert str(file) in str(raised.value)


def test_a_file_may_begin_with_the_mark_of_its_order_of_bytes(tmp_path: Path) -> None:
    file = tmp_path / "portico.toml"
    file.write_bytes(b"\xef\xbb\xbf[server]\r\nport = 8081\r\n")
    assert load_config(KEY, file=file).server.port == 8081


@pytest.mark.parametrize("value", ["1e999", "nan"])
def test_no_time_is_without_end(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError):
        load_config({"PORTICO_IDLE_TIMEOUT_S": value}, folder=tmp_path)


def test_how_the_server_is_reached_and_ends_is_a_setting(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text(
        '[server]\ntls_certificate = "tls/a.pem"\ntls_key = "/etc/a.key"\ntrusted_proxies = ["10.0.0.0/8", "::1"]\n'
        "drain_delay_s = 0\ngrace_s = 60\n"
    )
    server = load_config({**KEY, "PORTICO_DRAIN_DELAY_S": "2.5"}, folder=tmp_path).server
    assert (server.tls_certificate, server.tls_key) == (tmp_path / "tls" / "a.pem", Path("/etc/a.key"))
    assert server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert (server.drain_delay_s, server.grace_s) == (2.5, 60)
    server = load_config({**KEY, "PORTICO_TRUSTED_PROXIES": "::1, 10.0.0.1"}, folder=tmp_path).server
    assert server.trusted_proxies == ("::1", "10.0.0.1")
    server = load_config(KEY, folder=tmp_path / "elsewhere").server
    assert (server.tls_certificate, server.trusted_proxies) == (None, ())
    assert (server.drain_delay_s, server.grace_s) == (0, 30)


def overrides_nothing() -> dict[str, Any]:
    return {"host": None, "port": None, "workers": None}


def test_an_option_that_was_not_given_changes_nothing(tmp_path: Path) -> None:
    assert load_config(KEY, folder=tmp_path, overrides=overrides_nothing()).server.port == 8080


def test_how_images_are_told_is_a_setting(tmp_path: Path) -> None:
    assert load_config(KEY, folder=tmp_path).defaults.image_form == "markdown"
    environment = {**KEY, "PORTICO_IMAGE_FORM": "parts", "PORTICO_MARKDOWN_SLICE_BYTES": "16384"}
    defaults = load_config(environment, folder=tmp_path).defaults
    assert (defaults.image_form, defaults.markdown_slice_bytes) == ("parts", 16384)
    (tmp_path / "portico.toml").write_text("[defaults]\nmarkdown_slice_bytes = 0\n")
    assert load_config(KEY, folder=tmp_path).defaults.markdown_slice_bytes == 0


@pytest.mark.parametrize(
    ("value", "path"), [("auto", None), ("off", None), ("stderr", None), ("./a.log", "a.log"), ("logs/a", "logs/a")]
)
def test_the_access_log_goes_where_a_word_says_or_to_a_file_beside_the_configuration(
    tmp_path: Path, value: str, path: str | None
) -> None:
    (tmp_path / "portico.toml").write_text(f'[log]\naccess = "{value}"\n')
    assert load_config(KEY, folder=tmp_path).log.access == (tmp_path / path if path else value)
    elsewhere = load_config(KEY, folder=tmp_path, overrides={"access_log": "off"})
    assert elsewhere.log.access == "off"


def test_an_access_log_of_the_command_line_is_below_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    file = tmp_path / "there" / "portico.toml"
    file.write_text("")
    config = load_config(KEY, file=file, folder=tmp_path, overrides={"access_log": "a.log"})
    assert config.log.access == tmp_path / "a.log"


@pytest.mark.parametrize(
    ("value", "address"),
    [("127.0.0.1:9090", ("127.0.0.1", 9090)), ("[::1]:0", ("::1", 0)), ("metrics.internal:1", ("metrics.internal", 1))],
)
def test_metrics_are_listened_for_at_an_address(tmp_path: Path, value: str, address: tuple[str, int]) -> None:
    assert load_config({**KEY, "PORTICO_METRICS_LISTEN": value}, folder=tmp_path).metrics.listen == address


def test_the_admin_key_is_named_in_the_file_or_given_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "portico.toml").write_text('[server]\nadmin_key = "env:MINE"\n')
    mine, other = "admin-sample-key", "another-admin-key"
    key = load_config({**KEY, "MINE": mine}, folder=tmp_path).admin_key
    assert key is not None
    assert key.reveal() == mine
    key = load_config({**KEY, "MINE": mine, "PORTICO_ADMIN_KEY": other}, folder=tmp_path).admin_key
    assert key is not None
    assert key.reveal() == other
    assert load_config(KEY, folder=tmp_path / "elsewhere").admin_key is None


@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        (
            '[log]\naccess = "sdtout"',
            {},
            'portico.toml:2: log.access: expected "auto", "stdout", "stderr", "off" or a file',
        ),
        ("[log]\naccess = 1", {}, "portico.toml:2: log.access: expected"),
        ("", {"PORTICO_LOG_ACCESS": "on"}, "PORTICO_LOG_ACCESS: expected"),
        ('[metrics]\nlisten = "9090"', {}, "portico.toml:2: metrics.listen: expected an address such as"),
        ('[metrics]\nlisten = "localhost:70000"', {}, "portico.toml:2: metrics.listen: expected"),
        ('[metrics]\nlistens = "localhost:1"', {}, "metrics.listens: is no key of this table; did you mean 'listen'?"),
        ('[server]\nadmin_key = "hunter2"', {}, "portico.toml:2: server.admin_key: keys are named, not written here"),
        ("[server]\nadmin_key = 7", {}, "portico.toml:2: server.admin_key: expected text, found 7"),
        (
            "",
            {"PORTICO_ADMIN_KEY": "the-same-for-both", "PORTICO_API_KEY": "the-same-for-both"},
            "server.admin_key: is the key of the callers",
        ),
        (
            "",
            {"PORTICO_ADMIN_KEY": "guess me"},
            "server.admin_key: env:PORTICO_ADMIN_KEY is too short to keep a secret",
        ),
        (
            '[server]\nadmin_key = "env:MINE"',
            {"MINE": "guess me"},
            "server.admin_key: env:MINE is too short to keep a secret",
        ),
        ("[server]\nmax_open_calls = 0", {}, "portico.toml:2: server.max_open_calls: 0 is not above 0"),
        ("", {"PORTICO_MAX_OPEN_CALLS": "many"}, "PORTICO_MAX_OPEN_CALLS: expected a whole number, found 'many'"),
        (
            "[server]\nmax_body_bytes = 10\nmax_body_bytes_in_flight = 9",
            {},
            "portico.toml:3: server.max_body_bytes_in_flight: 9 is less than max_body_bytes, 10",
        ),
    ],
)
def test_what_is_wrong_with_what_an_operator_sees_is_said(
    tmp_path: Path, text: str, environment: dict[str, str], said: str
) -> None:
    (tmp_path / "portico.toml").write_text(text + "\n")
    with pytest.raises(ConfigError) as failure:
        load_config({**KEY, **environment}, folder=tmp_path)
    assert said in str(failure.value)
    assert len(failure.value.problems) == 1


def test_proxies_come_from_the_environment_and_their_credentials_do_not_show(tmp_path: Path) -> None:
    config = load_config({**KEY, "HTTPS_PROXY": "http://clerk:hunter2@proxy.test:3128"}, folder=tmp_path)
    proxy = config.proxies.leading_to(Origin("https", "provider.test", 443))
    assert proxy is not None
    assert proxy.origin == ("http", "proxy.test", 3128)
    assert "hunter2" not in repr(config)
    with pytest.raises(ConfigError, match="HTTPS_PROXY: ") as failure:
        load_config({**KEY, "HTTPS_PROXY": "http://clerk:hunter2@proxy.test:99999"}, folder=tmp_path)
    assert "hunter2" not in str(failure.value)
