"""`portico connect` against a running Portico: it prints, it writes without losing anything, and it checks for real."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connect.samples import KEY as OTHER
from connect.samples import NAMES, WAYS
from gateway.house import KEY, House, open_house
from portico.cli.app import app
from portico.cli.connect.here import address_here
from portico.clients import CLIENTS, Api, Client

FEW = "gemini-3.8-flash,gemini-3.5-flash-lite"


class Said:
    def __init__(self, code: int, output: str, errors: str) -> None:
        self.code, self.output, self.errors = code, output, errors

    @property
    def json(self) -> Any:
        return json.loads(self.output)


async def connect(*words: str, env: dict[str, str] | None = None) -> Said:
    """The command, in a thread: it waits for the Portico that this process runs."""

    def run() -> Said:
        result = CliRunner().invoke(app, ["connect", *words], env=env, catch_exceptions=False)
        return Said(result.exit_code, result.stdout, result.stderr)

    return await asyncio.to_thread(run)


@asynccontextmanager
async def portico() -> AsyncIterator[tuple[House, Sequence[str]]]:
    async with open_house() as house:
        yield house, ("--url", f"http://127.0.0.1:{house.port}", "--key", KEY)


def files_in(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


async def test_the_clients_are_listed() -> None:
    said = await connect("--list", "--json")
    assert [row["name"] for row in said.json["clients"]] == [client.name for client in CLIENTS]
    assert "openclaw" in (await connect()).output


@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
async def test_written_twice_is_written_once_and_then_checked(client: Client, api: Api, home: Path) -> None:
    async with portico() as (_, where):
        name = (client.name, "--api", api.name)
        first = await connect(*name, *where, "--models", FEW, "--write", "--json")
        assert (first.code, first.json["changed"]) == (0, True), first.errors
        written = files_in(home)
        assert KEY in "".join(written.values())
        again = await connect(*name, *where, "--models", FEW, "--write", "--json")
        assert (again.code, again.json["changed"]) == (0, False)
        assert files_in(home) == written


@pytest.mark.parametrize(("client", "api"), WAYS, ids=NAMES)
async def test_what_is_written_is_checked_by_a_real_call(client: Client, api: Api, home: Path) -> None:
    async with portico() as (_, where):
        name = (client.name, "--api", api.name)
        written = await connect(*name, *where, "--write", "--json")
        checked = await connect(*name, *where[:2], "--check", "--json", env=written.json["environment"])
        assert (checked.code, checked.json["problems"], checked.json["notes"]) == (0, [], []), checked.output
        assert checked.json["tokens"] > 0


async def test_models_that_are_served_by_now_are_worth_a_word_and_nothing_wrong(home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect("openclaw", *where, "--models", FEW, "--write")).code == 0
        checked = await connect("openclaw", *where[:2], "--check", "--json")
        assert (checked.code, checked.json["problems"]) == (0, [])
        assert "models.providers.portico.models" in checked.json["notes"][0]


async def test_printing_writes_nothing_and_hides_a_key_of_the_environment(home: Path) -> None:
    async with portico() as (_, where):
        said = await connect("openclaw", *where[:2], env={"PORTICO_API_KEY": KEY})
        assert said.code == 0
        assert KEY not in said.output
        assert "${PORTICO_API_KEY}" in said.output
        assert KEY in (await connect("openclaw", *where)).output
        assert not files_in(home)


async def test_settings_of_somebodys_own_stay_and_are_kept_beside(home: Path) -> None:
    config = home / ".codex" / "config.toml"
    config.parent.mkdir()
    config.write_text('# mine\nmodel = "o3"  # for now\n\n[tui]\ntheme = "dark" # nice\n')
    config.chmod(0o640)
    async with portico() as (_, where):
        said = await connect("codex", *where, "--write", "--json")
    text = config.read_text()
    assert text.startswith('# mine\nmodel = "')
    assert "  # for now\n" in text
    assert text.index('theme = "dark" # nice') > 0
    backup = Path(said.json["files"][0]["backup"]).relative_to(home)
    assert files_in(home)[str(backup)] == '# mine\nmodel = "o3"  # for now\n\n[tui]\ntheme = "dark" # nice\n'
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert stat.S_IMODE((home / ".codex" / ".env").stat().st_mode) == 0o600


async def test_a_file_that_cannot_be_read_stops_everything(home: Path) -> None:
    folder = home / ".gemini"
    folder.mkdir()
    (folder / "settings.json").write_text('{\n  "model": {"name": "x"}\n  "oops": 1\n}')
    before = files_in(home)
    async with portico() as (_, where):
        said = await connect("gemini-cli", *where, "--write")
    assert said.code == 1
    assert "settings.json, line 3: expected a comma" in said.errors
    assert files_in(home) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
async def test_a_folder_that_cannot_be_written_is_told(home: Path) -> None:
    folder = home / ".codex"
    folder.mkdir()
    folder.chmod(0o500)
    async with portico() as (_, where):
        said = await connect("codex", *where, "--write")
    folder.chmod(0o700)
    assert said.code == 1
    assert "Permission denied" in said.errors


async def test_something_else_in_the_place_of_a_file_is_told(home: Path) -> None:
    (home / ".codex" / "config.toml").mkdir(parents=True)
    async with portico() as (_, where):
        said = await connect("codex", *where, "--write")
    assert said.code == 1
    assert "config.toml: Is a directory" in said.errors


@pytest.mark.parametrize("there", ["# mine\n", f"PORTICO_API_KEY={KEY}\n"])
async def test_what_was_written_before_a_file_that_cannot_be_is_told(there: str, home: Path) -> None:
    folder = home / ".codex"
    folder.mkdir()
    (folder / ".env").write_text(there)
    (folder / ".env").chmod(0o600)
    (folder / "config.toml").symlink_to("x" * 250)  # nothing is there, and no name beside it would be short enough
    async with portico() as (_, where):
        said = await connect("codex", *where, "--write", "--json")
        assert (said.code, said.json["ok"]) == (1, False)
        assert "config.toml" in said.json["problems"][0]
        if KEY in there:
            assert "files" not in said.json
            return
        (file,) = said.json["files"]
        assert (file["path"], file["changed"]) == (str(folder / ".env"), True)
        assert files_in(home)[str(Path(file["backup"]).relative_to(home))] == there
        (folder / ".env").write_text(there)
        spoken = await connect("codex", *where, "--write")
    assert spoken.code == 1
    assert "config.toml" in spoken.errors
    assert "  written    ~/.codex/.env  (as it was: .env.portico-backup-" in spoken.errors


async def test_a_link_stays_one_and_variables_move_files(home: Path, tmp_path: Path) -> None:
    (home / ".codex").mkdir()
    real = tmp_path / "dotfiles.toml"
    real.write_text("# here\n")
    (home / ".codex" / "config.toml").symlink_to(real)
    async with portico() as (_, where):
        assert (await connect("codex", *where, "--write")).code == 0
        assert (home / ".codex" / "config.toml").is_symlink()
        assert real.read_text().startswith("# here\nmodel = ")
        moved = {"OPENCLAW_STATE_DIR": str(tmp_path / "claw"), "LLM_USER_PATH": str(tmp_path / "llm")}
        for name in ("openclaw", "llm"):
            assert (await connect(name, *where, "--write", env=moved)).code == 0
    assert (tmp_path / "claw" / "openclaw.json").exists()
    assert (tmp_path / "llm" / "keys.json").exists()
    assert not (home / ".openclaw").exists()


async def test_the_file_under_the_other_name_is_taken_if_it_is_there(home: Path) -> None:
    path = home / ".config" / "opencode" / "opencode.jsonc"
    path.parent.mkdir(parents=True)
    path.write_text('{"theme": "x"} // mine\n')
    async with portico() as (_, where):
        assert (await connect("opencode", *where, "--write")).code == 0
    assert path.read_text().endswith("// mine\n")
    assert not path.with_suffix(".json").exists()


@pytest.mark.parametrize("name", ["openclaw", "claude-code", "codex"])
async def test_a_model_of_ones_own_choice_is_the_default(name: str, home: Path) -> None:
    async with portico() as (_, where):
        said = await connect(name, *where, "--model", "gemini-2.5-flash", "--json")
        assert said.json["model"] == "gemini-2.5-flash"
        wrong = await connect(name, *where, "--model", "gemini-2.5-flas")
        assert wrong.code == 1
        assert "Did you mean gemini-2.5-flash" in wrong.errors


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nobody"], "is no client that is known here; portico connect --list shows which are"),
        (["opencla"], "Did you mean openclaw?"),
        (["Claude-Code"], "Did you mean claude-code?"),
        (["codex", "--api", "chat"], "Codex speaks responses"),
        (["codex", "--url", "ftp://x"], "is not the address of a Portico"),
        (["codex", "--url", "http://127.0.0.1:1"], "nothing listens there"),
        (["codex", "--url", "http://no-such-name.invalid"], "is not reached"),
        (["codex", "--key", "a\nb"], "no key has"),
        (["codex", "--key", "ключ"], "no key has"),
    ],
)
async def test_what_cannot_be_done_is_told_in_words(words: list[str], why: str, home: Path) -> None:
    said = await connect(*words, env={"NO_PROXY": "*"})
    assert (said.code, files_in(home)) == (1, {})
    assert why in said.errors


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:8081"),
        ("::", "http://[::1]:8081"),
        ("::1", "http://[::1]:8081"),
        ("2001:db8::7", "http://[2001:db8::7]:8081"),
        ("localhost", "http://localhost:8081"),
    ],
)
def test_a_server_of_this_machine_is_asked_where_it_listens(host: str, address: str, home: Path) -> None:
    (home / "portico.toml").write_text(f'[server]\nhost = "{host}"\nport = 8081\n')
    assert address_here() == address


@pytest.mark.parametrize("words", [["--write"], ["--check", "--json"], ["--url", "http://127.0.0.1:1"]])
async def test_options_without_a_client_do_not_end_well(words: list[str], home: Path) -> None:
    said = await connect(*words)
    assert said.code == 2
    assert "Say which client" in said.errors


async def test_a_wrong_key_is_told(home: Path) -> None:
    async with portico() as (_, where):
        said = await connect("codex", *where[:2], "--key", OTHER)
        assert said.code == 1
        assert "Portico answered 401" in said.errors
        assert OTHER not in said.errors


async def test_a_check_says_what_is_missing_and_what_is_old(home: Path) -> None:
    async with portico() as (_, where):
        missing = await connect("codex", *where, "--check", "--json")
        assert missing.code == 1
        assert any("config.toml is not there" in problem for problem in missing.json["problems"])
        assert (await connect("codex", *where, "--write")).code == 0
        config = home / ".codex" / "config.toml"
        config.write_text(config.read_text().replace("/v1", "/v1beta"))
        wrong = await connect("codex", *where[:2], "--check", "--json")
        assert wrong.code == 1
        assert any("base_url" in problem and "/v1beta" in problem for problem in wrong.json["problems"])


async def test_a_check_says_where_a_key_is_missing(home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect("codex", *where, "--write")).code == 0
        (home / ".codex" / ".env").unlink()
        said = await connect("codex", *where[:2], "--check")
        assert said.code == 1
        assert "Codex reads the key from $PORTICO_API_KEY" in said.errors
        assert "Portico answered 401" in said.errors


async def test_a_check_asks_for_the_model_that_the_client_has(home: Path) -> None:
    async with portico() as (_, where):
        assert (await connect("claude-code", *where, "--model", "gemini-3.5-flash", "--write")).code == 0
        said = await connect("claude-code", *where[:2], "--check", "--json")
        assert said.json["model"] == "gemini-3.5-flash"


async def test_a_configuration_on_this_machine_stands_in_for_what_is_printed(home: Path) -> None:
    config = """[web]
public_url = "http://127.0.0.1:1"

[[providers]]
name = "google"
kind = "gemini"
keys = ["env:SAMPLE_KEY"]
"""
    (home / "portico.toml").write_text(config)
    env = {"NO_PROXY": "*", "SAMPLE_KEY": "x"}
    said = await connect("openclaw", "--json", env=env)
    assert said.code == 0, said.output
    assert said.json["base_url"] == "http://127.0.0.1:1/v1"
    assert {name.partition("-")[0] for name in said.json["models"]} == {"gemini", "gemma"}
    assert "configuration on this machine" in said.json["notes"][0]
    written = await connect("openclaw", "--write", env=env)
    assert written.code == 1
    assert "nothing listens there" in written.errors


@pytest.mark.parametrize(
    ("name", "api", "variable"),
    [
        ("aider", "openai", "OPENAI_API_KEY"),
        ("aider", "gemini", "GEMINI_API_KEY"),
        ("cline", "openai-native", "OPENAI_API_KEY"),
        ("cline", "anthropic", "ANTHROPIC_API_KEY"),
        ("cline", "gemini", "GEMINI_API_KEY"),
    ],
)
async def test_the_variable_of_the_key_is_the_chosen_apis(name: str, api: str, variable: str, home: Path) -> None:
    async with portico() as (_, where):
        told = await connect(name, "--api", api, *where[:2], "--json", env={"PORTICO_API_KEY": KEY})
        assert told.json["key_variable"] == variable
