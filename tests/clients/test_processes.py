"""A command of a client's ends in time, and nothing that it started is left, whatever that did to be no part of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clients.processes import MARK, kept, marked, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")

_LEAVES_ONE: str = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(child.pid, os.environ["{mark}"], flush=True)
time.sleep({for_s})
"""


def script(for_s: float) -> list[str]:
    return [sys.executable, "-c", _LEAVES_ONE.format(mark=MARK, for_s=for_s)]


def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    ended = run(script(0), env={}, cwd=tmp_path, within_s=60)
    assert ended.code == 0
    assert gone(int(ended.out.split()[0]))


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = run(script(60), env={}, cwd=tmp_path, within_s=6)
    assert ended.code is None
    assert time.monotonic() - began < 50
    assert not marked(ended.out.split()[1])


_HIDES: str = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env={{}}, start_new_session={leaves})
print(child.pid, flush=True)
time.sleep({for_s})
"""


@pytest.mark.parametrize(
    ("leaves", "for_s"),
    [(False, 0), (True, 60)],
    ids=["an orphan without the mark", "a child without the mark in another session"],
)
def test_what_carries_no_mark_is_ended_too(leaves: bool, for_s: float, tmp_path: Path) -> None:
    ended = run([sys.executable, "-c", _HIDES.format(leaves=leaves, for_s=for_s)], env={}, cwd=tmp_path, within_s=8)
    assert gone(int(ended.out))


_HOLDS: str = """
import sys, time
from pathlib import Path
from clients.processes import kept, leave_on_signals

leave_on_signals(lambda words: print(words, flush=True))
stubborn = "import os, signal, time; signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(60)"
with kept([sys.executable, "-c", stubborn], env={{}}, cwd=Path.cwd(), said=Path("said")):
    while not Path("said").read_text().endswith("\\n"):
        time.sleep(0.02)
    print("up", flush=True)
    {then}
print("left", flush=True)
"""


@pytest.mark.parametrize("then", ["time.sleep(60)", "pass"], ids=["while it runs", "while it is ended anyway"])
def test_signals_do_not_interrupt_the_ending(then: str, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", _HOLDS.format(then=then)]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
        time.sleep(0.3)
        process.send_signal(number)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT
    assert "ending all that runs" in said
    assert "left" not in said
    assert gone(int((tmp_path / "said").read_text()))


def gone(pid: int) -> bool:
    """Whether a process is over; a dead one may wait for somebody to ask how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_nobody_talks_to_it_and_it_sees_no_more_than_it_is_given(tmp_path: Path) -> None:
    program = "import os, sys; print(repr(sys.stdin.read()), sorted(os.environ), os.getcwd()); sys.exit(3)"
    ended = run([sys.executable, "-c", program], env={"A": "b", "LC_ALL": "C.UTF-8"}, cwd=tmp_path, within_s=60)
    assert ended.code == 3
    assert ended.out.split()[0] == "''"
    assert "HOME" not in ended.out
    assert ended.out.rstrip().endswith(str(tmp_path))


def test_what_is_kept_runs_until_it_is_left(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with kept(script(60), env=dict(os.environ), cwd=tmp_path, said=said) as process:
        while not said.read_text().endswith("\n"):
            time.sleep(0.02)
        assert process.poll() is None
        mark = said.read_text().split()[1]
        assert len(marked(mark)) == 2
    assert process.poll() is not None
    assert not marked(mark)
