"""The README's section on selling access: its commands are run, in its order, and print what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.commands import environment

README = Path(__file__).parent.parent.parent / "README.md"
SECTION = README.read_text(encoding="utf-8").partition("## Sell access\n")[2].partition("\n## ")[0]
MADE_ANEW = (
    (r"\b(acc|key)_\w{24}", r"\1_"),
    (r"sk-portico-\w+", "sk-portico-"),
    (r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2})?", "DAY"),
    (r"[ ]+$", ""),
)
"""What differs each time, and blanks at the ends of lines."""


def told(text: str) -> str:
    for pattern, plain in MADE_ANEW:
        text = re.sub(pattern, plain, text, flags=re.MULTILINE)
    return text.strip()


def commands() -> list[tuple[str, str]]:
    """Each command of the section, and what it prints. `curl` asks a server; `test_admin_serving` does."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", SECTION, re.DOTALL):
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = entry.partition("\n")
            if not command.startswith("curl"):
                found.append((command, output))
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="the README's commands are for a POSIX shell")
def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path) -> None:
    env = environment({"GEMINI_API_KEY": "any"})
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    assert len(commands()) >= 10
    for command, output in commands():
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert told(done.stdout) == told(output), command
