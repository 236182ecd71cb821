"""A command of a client's ends in time, and nothing that it started is left, not even what left its session."""

import os
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
    ended = run(script(0), env={}, cwd=tmp_path, within_s=30)
    assert ended.code == 0
    pid, mark = ended.out.split()
    assert not Path(f"/proc/{pid}/fd").exists() or not marked(mark)


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = run(script(60), env={}, cwd=tmp_path, within_s=2)
    assert ended.code is None
    assert time.monotonic() - began < 20
    assert not marked(ended.out.split()[1])


def test_nobody_talks_to_it_and_it_sees_no_more_than_it_is_given(tmp_path: Path) -> None:
    program = "import os, sys; print(repr(sys.stdin.read()), sorted(os.environ), os.getcwd()); sys.exit(3)"
    ended = run([sys.executable, "-c", program], env={"A": "b", "LC_ALL": "C.UTF-8"}, cwd=tmp_path, within_s=30)
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
