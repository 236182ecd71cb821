"""The commands as people run them: processes, exit codes, what they print, and how they end."""

import asyncio
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest

from gateway.commands import Command, environment, portico, run
from gateway.house import PATIENCE_S, Answer, Json, Script, Wire, as_bytes, chat, soon, until
from portico.http.server import Server
from portico.simulator import Simulator
from portico.wire.http import App, Exchange

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")

GEMINI = {"GEMINI_API_KEY": "any"}
SIGNALS = [signal.SIGINT, signal.SIGTERM]


async def ask(port: int, body: Any = None, *, key: str = "", path: str = "/v1/chat/completions") -> Answer:
    reader, writer = await soon(asyncio.open_connection("127.0.0.1", port))
    wire = Wire(reader, writer)
    headers = {"host": "x", "authorization": f"Bearer {key}"}
    wire.request("POST" if body is not None else "GET", path, headers, as_bytes(body))
    try:
        return await wire.rest()
    finally:
        wire.drop()


@contextlib.asynccontextmanager
async def serving(app: App) -> AsyncIterator[str]:
    """An app on a free port."""
    server = await Server(app).start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop(grace_s=0)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def write(folder: Path, text: str, name: str = "portico.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# -- serve -----------------------------------------------------------------------------------------------------------


async def test_serve_without_a_provider_fails_and_says_what_to_set(tmp_path: Path) -> None:
    code, out, err = await run("serve", "--port", "0", folder=tmp_path)
    assert code != 0
    assert out == ""
    assert "GEMINI_API_KEY" in err
    assert "--simulate" in err
    assert "Traceback" not in err
    assert os.listdir(tmp_path) == []


async def test_serve_simulated_says_so_and_the_curl_line_it_prints_works(tmp_path: Path) -> None:
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path) as command:
        port = await command.port()
        assert "SIMULATED" in command.said
        assert f"http://127.0.0.1:{port}/v1" in command.said
        line = command.said[command.said.index("curl ") :].partition("\n\n")[0]
        words = shlex.split(line.replace("\\\n", " "))
        answer = await curl(words)
        assert answer["choices"][0]["message"]["content"] == '[simulated] You said: "Hello"'
        found = re.search(r"Models: (curl .*'),", command.said)
        assert found is not None
        assert (await curl(shlex.split(found.group(1))))["object"] == "list"


async def curl(words: list[str]) -> Json:
    """What curl would get; curl itself where there is one."""
    if shutil.which("curl"):
        process = await asyncio.create_subprocess_exec(*words, "-s", "-S", stdout=asyncio.subprocess.PIPE)
        out, _ = await soon(process.communicate())
        assert process.returncode == 0
    else:
        url, key = words[1], words[3].rpartition(" ")[2]
        port, path = re.findall(r":(\d+)(/.*)", url)[0]
        body = words[words.index("-d") + 1].encode() if "-d" in words else None
        out = (await ask(int(port), body, key=key, path=path)).body
    answer = json.loads(out)
    assert isinstance(answer, dict)
    return answer


async def test_simulated_errors_and_answers_carry_the_mark(tmp_path: Path) -> None:
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path) as command:
        port = await command.port()
        for body, status in ((chat(), 200), (chat(stream=True), 200), (chat("[[sim:503]]"), 503), ([], 400)):
            answer = await ask(port, body, key=command.key)
            assert (answer.status, answer.headers["x-portico-simulated"]) == (status, "1")
        assert (await ask(port, chat(), key="wrong")).status == 401


async def test_a_key_is_made_once_and_kept_where_only_its_owner_reads_it(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        async with portico("serve", "--simulate", "--port", "0", folder=tmp_path) as command:
            port = await command.port()
            assert (await ask(port, key=command.key, path="/v1/models")).status == 200
            keys.append(command.key)
    path = tmp_path / ".portico" / "api_key"
    assert keys[0] == keys[1] == path.read_text(encoding="ascii").strip()
    assert keys[0].startswith("sk-portico-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "(from .portico/api_key)" in command.said
    assert keys[0] not in command.said  # it was told once: what a service says is kept in logs


async def test_a_key_from_the_environment_is_taken_and_nothing_is_written(tmp_path: Path) -> None:
    env = {"PORTICO_API_KEY": "sk-mine"}
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path, env=env) as command:
        port = await command.port()
        assert "Key        …\n             (from env:PORTICO_API_KEY)" in command.said
        assert "sk-mine" not in command.said
        assert '-H "Authorization: Bearer $PORTICO_API_KEY"' in command.said
        assert (await ask(port, key="sk-mine", path="/v1/models")).status == 200
        assert (await ask(port, key="sk-other", path="/v1/models")).status == 401
    assert not (tmp_path / ".portico" / "api_key").exists()


async def test_a_terminal_is_told_the_key_at_every_start(tmp_path: Path) -> None:
    """Whoever sits before it may copy the command that it shows."""
    terminal, end = os.openpty()
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "portico", "serve", "--simulate", "--port", "0"),
        cwd=tmp_path,
        env=environment({"PORTICO_API_KEY": "sk-mine"}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=end,
    )
    os.close(end)
    said = ""
    try:
        while "Ctrl-C" not in said:
            said += (await soon(asyncio.to_thread(os.read, terminal, 4096))).decode()
    finally:
        server.send_signal(signal.SIGTERM)
        await soon(server.wait())
        os.close(terminal)
    assert "Key        sk-mine" in said
    assert "-H 'Authorization: Bearer sk-mine'" in said


async def test_a_key_alone_is_a_complete_configuration(tmp_path: Path) -> None:
    simulator = Simulator()
    async with serving(simulator) as base:
        env = {"GEMINI_API_KEY": "from-the-environment", "GEMINI_BASE_URL": base}
        async with portico("serve", "--port", "0", folder=tmp_path, env=env) as command:
            port = await command.port()
            assert "SIMULATED" not in command.said
            assert "from-the-environment" not in command.said
            assert (await ask(port, chat(), key=command.key)).status == 200
        assert simulator.stats.last.key == "from-the-environment"
        assert simulator.stats.last.path.startswith("/v1beta/")


async def test_a_port_in_use_is_told_by_the_simulator_in_the_words_of_serve(tmp_path: Path, taken_port: int) -> None:
    code, out, err = await run("simulate", "--port", str(taken_port), folder=tmp_path)
    assert (code, out) == (1, "")
    assert err == f"Cannot listen on 127.0.0.1:{taken_port}: Address already in use\n"


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_port_in_use_is_a_clear_error(tmp_path: Path, taken_port: int, workers: str) -> None:
    arguments = ("serve", "--simulate", "--port", str(taken_port), "--workers", workers)
    code, out, err = await run(*arguments, folder=tmp_path)
    assert code == 1
    assert out == ""
    assert f"127.0.0.1:{taken_port}" in err
    assert "in use" in err
    assert "Traceback" not in err


async def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / ".portico").write_text("in the way", encoding="utf-8")
    code, _, err = await run("serve", "--simulate", "--port", "0", folder=tmp_path)
    assert code == 1
    assert str(tmp_path / ".portico") in err
    assert "Traceback" not in err


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", SIGNALS)
async def test_a_signal_ends_it_cleanly_and_nothing_is_left(
    tmp_path: Path, number: signal.Signals, workers: int
) -> None:
    arguments = ("serve", "--simulate", "--port", "0", "--workers", str(workers))
    async with portico(*arguments, folder=tmp_path) as command:
        port = await command.port()
        for _ in range(4):
            assert (await ask(port, chat(), key=command.key)).status == 200
        await command.has_workers(workers)
        command.send(number)
        code, _, err = await command.end()
        assert code == 0
        assert err == ""
        assert command.left == []


@pytest.mark.parametrize("workers", [1, 2])
async def test_ctrl_c_in_a_terminal_reaches_every_process_and_still_ends_it_cleanly(
    tmp_path: Path, workers: int
) -> None:
    arguments = ("serve", "--simulate", "--port", "0", "--workers", str(workers))
    async with portico(*arguments, folder=tmp_path) as command:
        port = await command.port()
        assert (await ask(port, chat(), key=command.key)).status == 200
        command.send_to_all(signal.SIGINT)
        code, _, err = await command.end()
        assert (code, err) == (0, "")
        assert command.left == []


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", SIGNALS)
async def test_a_signal_at_the_very_start_ends_it_too(tmp_path: Path, number: signal.Signals, workers: int) -> None:
    arguments = ("serve", "--simulate", "--port", "0", "--workers", str(workers))
    async with portico(*arguments, folder=tmp_path) as command:
        await command.read_until("Portico")
        command.send(number)
        _, _, err = await command.end()
        assert "Traceback" not in err
        await until(lambda: command.left == [])


UNHEARD = """
import os, signal
from portico.cli import main, serve

class Leaving:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(100):
            pass

def run(work, run=serve.run):
    Leaving()
    return run(work)

serve.run = run
main()
"""


async def test_ctrl_c_ends_a_start_also_where_an_exception_would_be_raised_to_nobody(tmp_path: Path) -> None:
    """As in the callbacks of an import."""
    arguments = ("serve", "--simulate", "--port", "0")
    code, _, err = await run(*arguments, folder=tmp_path, program=("-c", UNHEARD))
    assert (code, err) == (130, "")


async def test_a_stream_that_is_running_is_finished_before_it_ends(tmp_path: Path) -> None:
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path) as command:
        port = await command.port()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        wire = Wire(reader, writer)
        body = as_bytes(chat("[[sim:words=40]][[sim:slow=0.02]]", stream=True))
        wire.request("POST", "/v1/chat/completions", {"host": "x", "x-api-key": command.key}, body)
        first = await wire.chunk()
        command.send(signal.SIGTERM)
        rest = await wire.rest()
        told = Answer(200, {}, first + rest.body).events
        wire.drop()
        assert told.done
        assert told.text.endswith("word39")
        assert (await command.end())[0] == 0


async def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    arguments = ("serve", "--simulate", "--port", "0", "--workers", "2")
    async with portico(*arguments, folder=tmp_path) as command:
        port = await command.port()
        await command.has_workers(2)
        killed: set[int] = set()
        for pid in command.children:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
            await until(lambda: len(set(command.children) - killed) == 2)
        await until_answered(port, command)
        command.send(signal.SIGTERM)
        code, _, err = await command.end()
        assert code == 0
        assert err.count("starting another") == 2
        assert command.left == []


async def until_answered(port: int, command: Command) -> None:
    """Both workers are up again, whichever takes the connection, and so is the simulator in the first of them."""
    good = 0
    async with asyncio.timeout(PATIENCE_S):
        while good < 8:
            try:
                answer = await ask(port, chat(), key=command.key)
            except (ConnectionError, asyncio.IncompleteReadError):
                continue
            good = good + 1 if answer.status == 200 else 0


async def test_a_signal_while_a_worker_is_being_replaced_leaves_nothing(tmp_path: Path) -> None:
    arguments = ("serve", "--simulate", "--port", "0", "--workers", "2")
    async with portico(*arguments, folder=tmp_path) as command:
        await command.port()
        await command.has_workers(2)
        os.kill(command.children[0], signal.SIGKILL)
        await until(lambda: len(command.children) == 1)
        command.send(signal.SIGTERM)
        assert (await command.end())[0] == 0
        assert command.left == []


# -- configuration ---------------------------------------------------------------------------------------------------


def free_port() -> int:
    """Not one of those that a system gives away by itself: connections of other tests might have it in a moment."""
    while True:
        port = SystemRandom().randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


async def test_an_option_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    in_file, in_environment, in_option = free_port(), free_port(), free_port()
    write(tmp_path, f"[server]\nport = {in_file}\n")
    env = {"PORTICO_PORT": str(in_environment)}
    for arguments, extra, expected in (
        ((), {}, in_file),
        ((), env, in_environment),
        (("--port", str(in_option)), env, in_option),
    ):
        async with portico("serve", "--simulate", *arguments, folder=tmp_path, env=extra) as command:
            assert await command.port() == expected


async def test_the_config_is_the_one_named_and_data_lies_beside_it(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    write(elsewhere, "[server]\nport = 1\n")
    config = write(home, f"[server]\nport = {free_port()}\n", "mine.toml")
    async with portico("serve", "--simulate", "--config", str(config), folder=elsewhere) as command:
        await command.port()
    async with portico("serve", "--simulate", folder=elsewhere, env={"PORTICO_CONFIG": str(config)}) as command:
        await command.port()
    assert (home / ".portico" / "api_key").exists()
    assert not (elsewhere / ".portico").exists()


async def test_models_of_the_operator_are_served_under_their_own_names(tmp_path: Path) -> None:
    simulator = Simulator()
    async with serving(simulator) as base:
        write(
            tmp_path,
            f'[[providers]]\nname = "lab"\nkind = "gemini"\nbase_url = "{base}"\nkeys = ["env:LAB_KEY"]\n\n'
            '[[models]]\nname = "house-model"\ntarget = "lab/gemini-3.5-flash"\n',
        )
        async with portico("serve", "--port", "0", folder=tmp_path, env={"LAB_KEY": "lab-key"}) as command:
            port = await command.port()
            answer = await ask(port, chat(model="house-model"), key=command.key)
            assert (answer.status, answer.json()["model"]) == (200, "house-model")
            assert (await ask(port, key=command.key, path="/v1/models/house-model")).json()["id"] == "house-model"
        assert (simulator.stats.last.model, simulator.stats.last.key) == ("gemini-3.5-flash", "lab-key")


BROKEN = """\
[server]
port = "eighty"
hots = "127.0.0.1"

[[providers]]
name = "gemini"
kind = "gemini"
keys = ["env:NOT_SET_ANYWHERE", "AIza-written-here"]

[[models]]
name = "x"
target = "nobody/gemini-3.5-flash"
"""


async def test_check_says_file_line_and_key_of_everything_that_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path, BROKEN)
    code, _, err = await run("check", folder=tmp_path)
    assert code == 1
    assert f"{path.name}:2: server.port" in err
    assert f"{path.name}:3: server.hots" in err
    assert "did you mean 'host'" in err
    assert f"{path.name}:8: providers[0].keys" in err
    assert "NOT_SET_ANYWHERE" in err
    assert "AIza-written-here" not in err
    assert f"{path.name}:12: models[0].target" in err
    assert "Traceback" not in err


async def test_check_tells_programs_the_same_in_json(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    code, out, _ = await run("check", "--json", folder=tmp_path)
    told = json.loads(out)
    assert (code, told["ok"]) == (1, False)
    places = {(problem["line"], problem["key"]) for problem in told["problems"]}
    assert {(2, "server.port"), (3, "server.hots"), (8, "providers[0].keys"), (12, "models[0].target")} <= places
    assert all(problem["file"].endswith("portico.toml") and problem["message"] for problem in told["problems"])


async def test_serve_refuses_a_broken_configuration_in_the_same_words(tmp_path: Path) -> None:
    write(tmp_path, BROKEN)
    code, out, err = await run("serve", "--simulate", folder=tmp_path)
    assert (code, out) == (1, "")
    assert "portico.toml:2: server.port" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "line"),
    [("[server\nport = 1\n", 1), ("[server]\nport = \n", 2), ("[server]\nport = 1\nport = 2\n", 3)],
)
async def test_what_is_not_toml_has_its_line(tmp_path: Path, text: str, line: int) -> None:
    write(tmp_path, text)
    code, _, err = await run("check", folder=tmp_path)
    assert code == 1
    assert f"portico.toml:{line}: " in err


async def test_a_config_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    for command in ("check", "serve", "models"):
        code, _, err = await run(command, "--config", "nowhere.toml", folder=tmp_path, env=GEMINI)
        assert code == 1
        assert "nowhere.toml" in err
        assert "Traceback" not in err


async def test_check_tries_every_key_of_every_provider(tmp_path: Path) -> None:
    simulator = Simulator()
    async with serving(simulator) as base:
        write(
            tmp_path, f'[[providers]]\nname = "lab"\nkind = "gemini"\nbase_url = "{base}"\nkeys = ["env:A", "env:B"]\n'
        )
        code, out, _ = await run("check", folder=tmp_path, env={"A": "good", "B": "also-good"})
        assert code == 0
        assert "All is well." in out
        code, out, _ = await run("check", folder=tmp_path, env={"A": "good", "B": "bad-key-7"})
        assert code == 1
        assert "bad-key-7" not in out
        assert re.search(r"failed lab at http\S+ with env:B: .*API_KEY_INVALID", out)
        code, out, _ = await run("check", "--json", folder=tmp_path, env={"A": "bad-key", "B": "good"})
        told = json.loads(out)
        assert (code, told["ok"], told["problems"]) == (1, False, [])
        assert [(tried["key"], tried["ok"]) for tried in told["providers"]] == [("env:A", False), ("env:B", True)]
        assert simulator.stats.requests == 6
        assert {seen.verb for seen in simulator.stats.seen} == {"list"}


async def test_check_says_that_a_provider_is_not_there(tmp_path: Path) -> None:
    env = {**GEMINI, "GEMINI_BASE_URL": f"http://127.0.0.1:{free_port()}"}
    code, out, err = await run("check", folder=tmp_path, env=env)
    assert code == 1
    assert "No connection" in out
    assert "Traceback" not in err


async def test_check_says_that_a_provider_is_no_provider(tmp_path: Path) -> None:
    async def act(exchange: Exchange) -> None:
        exchange.send(500, [("content-type", "text/html")], b"<h1>Hello</h1>")

    async with serving(Script(act)) as base:
        code, out, err = await run("check", folder=tmp_path, env={**GEMINI, "GEMINI_BASE_URL": base})
    assert code == 1
    assert "failed" in out
    assert "Traceback" not in err


async def test_check_without_any_provider_says_what_to_set(tmp_path: Path) -> None:
    code, _, err = await run("check", folder=tmp_path)
    assert code == 1
    assert "GEMINI_API_KEY" in err


# -- the others ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIGNALS)
async def test_simulate_plays_the_provider_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    async with portico("simulate", "--port", "0", folder=tmp_path) as command:
        port = await command.port()
        answer = await ask_provider(port)
        assert b"[simulated]" in answer.body
        command.send(number)
        assert (await command.end())[0] == 0
        assert command.left == []


async def ask_provider(port: int) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    wire = Wire(reader, writer)
    body = as_bytes({"contents": [{"parts": [{"text": "Hello"}]}]})
    wire.request("POST", "/v1beta/models/gemini-3.5-flash:generateContent", {"host": "x", "x-goog-api-key": "k"}, body)
    try:
        return await wire.rest()
    finally:
        wire.drop()


async def test_simulate_on_a_port_in_use_is_a_clear_error(tmp_path: Path, taken_port: int) -> None:
    code, _, err = await run("simulate", "--port", str(taken_port), folder=tmp_path)
    assert code == 1
    assert str(taken_port) in err
    assert "Traceback" not in err


async def test_the_two_processes_of_the_readme_work_together(tmp_path: Path) -> None:
    async with portico("simulate", "--port", "0", folder=tmp_path) as provider:
        env = {**GEMINI, "GEMINI_BASE_URL": f"http://127.0.0.1:{await provider.port()}"}
        async with portico("serve", "--port", "0", folder=tmp_path, env=env) as command:
            answer = await ask(await command.port(), chat(), key=command.key)
            assert answer.message["content"] == '[simulated] You said: "Hello"'
            assert answer.headers["x-portico-simulated"] == "1"


async def test_models_are_listed_as_served(tmp_path: Path) -> None:
    code, out, _ = await run("models", "--json", folder=tmp_path)
    assert code == 0
    assert "gemini-3.5-flash" in out
    json.loads(out)


async def test_a_free_model_is_shown_as_free(tmp_path: Path) -> None:
    _, out, _ = await run("models", folder=tmp_path)
    assert "No provider is configured here" in out
    rows = {line.split()[0]: line for line in out.splitlines() if line.split()}
    assert rows["gemma-4-31b-it"].split().count("free") == 3
    assert "free" not in rows["gemini-3.5-flash"].split()
    _, out, _ = await run("models", "--json", folder=tmp_path)
    assert {model["id"]: model["free"] for model in json.loads(out)["models"]}["gemma-4-31b-it"]


async def test_with_a_key_of_googles_alone_only_its_models_are_listed(tmp_path: Path) -> None:
    _, without, _ = await run("models", "--json", folder=tmp_path)
    code, out, _ = await run("models", "--json", folder=tmp_path, env=GEMINI)
    assert code == 0
    listed = {model["id"]: model["served_by"] for model in json.loads(out)["models"]}
    assert all(listed.values())
    assert "gemini-3.5-flash" in listed
    assert not {"gpt-5.5", "claude-opus-5-5"} & set(listed)
    assert {"gpt-5.5", "claude-opus-5-5"} <= {model["id"] for model in json.loads(without)["models"]}


@pytest.mark.parametrize("arguments", [("serve", "--port", "eighty"), ("nonsense",), ("serve", "--nonsense")])
async def test_wrong_usage_is_exit_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, _, err = await run(*arguments, folder=tmp_path)
    assert code == 2
    assert "Traceback" not in err
