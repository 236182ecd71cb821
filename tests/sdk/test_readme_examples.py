"""The README's section on using it: every example in Python runs as it stands, and so does every line of curl."""

import asyncio
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from gateway.commands import environment, portico
from gateway.house import soon

README = Path(__file__).parent.parent.parent / "README.md"
SECTION = README.read_text(encoding="utf-8").partition("## Use it\n")[2].partition("\n## ")[0]
PROGRAMS = re.findall(r"```python\n(.*?)```(?:\n\n```console\n([^$].*?)```)?", SECTION, re.DOTALL)
"""(program, what it is said to print, if that is said)"""
CURLS = re.findall(r"^\$ (curl (?:.*\\\n)*.*)$", SECTION, re.MULTILINE)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the commands are for a POSIX shell")


async def run(folder: Path, port: int, key: str, *program: str) -> str:
    env = environment({"PORTICO_API_KEY": key})
    there = [word.replace("127.0.0.1:8080", f"127.0.0.1:{port}") for word in program]
    process = await asyncio.create_subprocess_exec(
        *there, cwd=folder, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await soon(process.communicate())
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_the_programs_of_the_readme_run_and_print_what_it_says(tmp_path: Path) -> None:
    assert len(PROGRAMS) >= 3
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path) as gateway:
        port = await gateway.port()
        for program, output in PROGRAMS:
            told = await run(tmp_path, port, gateway.key, sys.executable, "-c", program)
            assert told.startswith("[simulated] You said: "), program
            if output:
                assert told.strip() == output.strip()


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
async def test_the_lines_of_curl_are_answered(tmp_path: Path) -> None:
    assert len(CURLS) >= 2
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path) as gateway:
        port = await gateway.port()
        for line in CURLS:
            told = await run(tmp_path, port, gateway.key, "sh", "-c", line.replace("curl ", "curl -sS -f ", 1))
            assert "[simulated] You said" in json.dumps(json.loads(told)), line


async def test_a_client_is_connected_as_it_says(tmp_path: Path) -> None:
    lines = re.findall(r"^\$ portico (connect [^#\n]*)", SECTION, re.MULTILINE)
    assert len(lines) == 4
    async with portico("serve", "--simulate", "--port", "0", folder=tmp_path) as gateway:
        port = await gateway.port()
        home = {"HOME": str(tmp_path), "PORTICO_URL": f"http://127.0.0.1:{port}", "PORTICO_API_KEY": gateway.key}
        for line in lines:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "portico", *line.split()),
                cwd=tmp_path,
                env=environment(home),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            _, err = await soon(process.communicate())
            assert process.returncode == 0, (line, err.decode())
    settings = json.loads((tmp_path / ".openclaw" / "openclaw.json").read_text("utf-8"))
    assert settings["models"]["providers"]["portico"]["baseUrl"] == f"http://127.0.0.1:{port}/v1"
