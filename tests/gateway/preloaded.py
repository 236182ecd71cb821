"""`portico` commands by a process that has loaded everything already: else to load it would be most of their time.

Each is a fork of it with a session, a folder, an environment and outputs of its own, as `commands.run` starts them; only
nothing is imported anew. For tests of what commands do to books that others read: how one starts is tested elsewhere.
"""

import asyncio
import atexit
import contextlib
import gc
import json
import os
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NoReturn

from gateway.commands import environment
from gateway.commands import run_with as run_anew
from gateway.house import soon
from portico.cli import main

_TESTS: Final = Path(__file__).parent.parent
_PROGRAM: Final = "from gateway import preloaded; preloaded.wait_for_commands({})"
_MODULES: Final = (
    "portico.admin.commands",
    "portico.cli.app",
    "portico.cli.check",
    "portico.cli.translate",
    "portico.cli.books",
    "portico.cli.housekeeping",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "typer._adapters",
)
_LONGEST_BYTES: Final = 2**16
_ASKED_BY: Final = "PRELOADED_LINE"
_ON_PATH: Final = f"""#!{sys.executable} -SE
import json, os, socket, sys
told, its = os.pipe()
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(socket.socket(fileno=int(os.environ["{_ASKED_BY}"])), [asked], [0, its, 1, 2])
os.close(its)
sys.exit(int(os.read(told, 100)))
"""


async def run(*arguments: str, folder: Path, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """A command that ends by itself: exit code, output, error output."""
    code, out, err = await run_with(b"", *arguments, folder=folder, env=env)
    return code, out.decode(), err.decode()


async def run_with(
    data: bytes, *arguments: str, folder: Path, env: Mapping[str, str] | None = None
) -> tuple[int, bytes, bytes]:
    """A command that is told something on its standard input."""
    if not sys.platform.startswith("linux"):
        code, told, wrong = await run_anew(data, *arguments, folder=folder, env=env)
        return code, told.encode(), wrong.encode()
    asked = json.dumps([arguments, str(folder), environment(env)]).encode()
    pipes = [os.pipe() for _ in range(3)]
    given = os.memfd_create("given")
    try:
        os.write(given, data)
        os.lseek(given, 0, os.SEEK_SET)
        socket.send_fds(_line(), [asked], [given, *[end for _, end in pipes]])
    finally:
        for end in (given, *[end for _, end in pipes]):
            os.close(end)
    ended, out, err = await soon(asyncio.gather(*[_all_of(end) for end, _ in pipes]))
    return int(ended), out, err


def on_path(folder: Path) -> tuple[dict[str, str], int]:
    """Makes a `portico` for shells that have this folder on their PATH: what their environment has to say beside that, and
    the file that they have to inherit. On Linux."""
    program = folder / "portico"
    program.write_text(_ON_PATH, encoding="utf-8")
    program.chmod(0o755)
    return {_ASKED_BY: str(_line().fileno())}, _line().fileno()


async def _all_of(end: int) -> bytes:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(end, "rb"))
    with contextlib.closing(transport):
        return await reader.read()


@cache
def _line() -> socket.socket:
    """To the process that waits for commands. It ends when nobody can ask it any more."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.format(its.fileno())],
            env=environment({"PYTHONPATH": str(_TESTS)}),
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


# -- in that process ----------------------------------------------------------------------------------------------------


def wait_for_commands(line: int) -> None:
    """Each runs in a fork, while another waits for its end: the next need not wait for it."""
    for module in _MODULES:
        __import__(module)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=line) as asked:
        while (received := socket.recv_fds(asked, _LONGEST_BYTES, 4))[0]:
            data, ends, _, _ = received
            if not (starting := os.fork()):
                asked.close()
                _watched(data, *ends)
            for end in ends:
                os.close(end)
            os.waitpid(starting, 0)


def _watched(data: bytes, given: int, told: int, out: int, err: int) -> NoReturn:
    """Tells how the command ended. Nobody waits for this process itself."""
    if os.fork():
        os._exit(0)
    if not (running := os.fork()):
        os.close(told)
        os.dup2(given, 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        _run(*json.loads(data))
    os.write(told, b"%d" % os.waitstatus_to_exitcode(os.waitpid(running, 0)[1]))
    os._exit(0)


def _run(arguments: list[str], folder: str, env: dict[str, str]) -> NoReturn:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["portico", *arguments]
    # The one that was here belongs to what was there before, and can be asked for its place, which a pipe cannot.
    sys.stdout = os.fdopen(1, "w", closefd=False)
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does it
        traceback.print_exc()
        code = 1
    # To take down what was loaded would take longer than the command.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)
