"""A client at a terminal gets its keys when what they wait for is on the screen, and is gone afterwards."""

import os
import sys
from pathlib import Path
from typing import Final

import pytest

from clients.terminal import typed

ENV: Final = {"PATH": os.environ["PATH"]}
ASKING: Final = """
import sys
assert sys.stdin.isatty() and sys.stdout.isatty()
print("\\x1b[31mna\\x1b[0mme?", flush=True)
name = input()
print(f"hello {name}", flush=True)
input()
"""


def test_keys_are_pressed_when_what_they_wait_for_appears(tmp_path: Path) -> None:
    keys = [("name\\?", "Ada\n"), ("hello Ada", "\n")]
    ended = typed([sys.executable, "-c", ASKING], keys, env=ENV, cwd=tmp_path, within_s=60)
    assert ended.code == 0
    assert "hello Ada" in ended.out


@pytest.mark.parametrize(
    ("program", "within_s", "code"),
    [("import time; print('no'); time.sleep(60)", 6, None), ("import sys; print('no'); sys.exit(3)", 60, 3)],
    ids=["what hangs", "what ends"],
)
def test_what_never_appears_is_told(program: str, within_s: float, code: int | None, tmp_path: Path) -> None:
    ended = typed([sys.executable, "-c", program], [("name", "x")], env=ENV, cwd=tmp_path, within_s=within_s)
    assert ended.code == code
    assert "no" in ended.out


def test_nothing_of_it_stays(tmp_path: Path) -> None:
    left = tmp_path / "pid"
    program = (
        f"import os, time; open({str(left)!r}, 'w').write(str(os.getpid())); print('there', flush=True); time.sleep(60)"
    )
    typed([sys.executable, "-c", program], [("there", "x")], env=ENV, cwd=tmp_path, within_s=60)
    assert not Path(f"/proc/{left.read_text()}").exists()
