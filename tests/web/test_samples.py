"""Every sample of every page runs, as a reader would run it, against a running Portico with its simulator.

What is run: the files of `samples/`, and each block of a written page by its language. Samples are the same in all
locales; a block is run once.
"""

import ast
import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import pytest

from databases import started_books
from gateway import preloaded
from gateway.commands import environment, portico
from portico.config import load_config
from portico.web.addresses import Locale
from portico.web.book import CLIENTS, SAMPLE_URL, Source, body_of, pages
from sdk import nodejs

SAMPLES: Final = Path(__file__).parent.parent.parent / "src/portico/web/samples"
FENCE: Final = re.compile(r"^```(?P<info>[^\n]*)\n(?P<code>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
SHOWN: Final = {"text", "http", "console", "diff"}
"""Languages of what is shown and not run: answers, and commands of the system a reader has."""
RUN: Final = {"bash", "python", "javascript", "json", "toml"}
TIME_S: Final = 180.0
DRIVERS: Final = Path(__file__).parent / "drivers"
KEY: Final = "sk-sample-0123456789abcdef"
SECRETS: Final = {
    "GEMINI_API_KEY": "sample-key",
    "PORTICO_OIDC_CLIENT_SECRET": "sample-secret",
    "STRIPE_SECRET_KEY": "sk_test_sample",
    "STRIPE_WEBHOOK_SECRET": "whsec_sample",
}
"""What configurations of the pages name."""


class Sample(msgspec.Struct, frozen=True):
    """Something to run. `where`: what a failure names."""

    where: str
    language: str
    code: str


def of_files() -> Iterator[Sample]:
    for client in CLIENTS:
        for path in sorted(SAMPLES.rglob(client.file)):
            yield Sample(str(path.relative_to(SAMPLES)), client.language, path.read_text("utf-8"))


def of_page(source: Source, locale: Locale) -> Iterator[Sample]:
    """The blocks that stand in the page itself."""
    for number, match in enumerate(FENCE.finditer(body_of(source, SAMPLE_URL))):
        words = match["info"].split()
        language = words[0] if words and "=" not in words[0] else "text"
        yield Sample(f"{locale.value}{source.path} block {number + 1}", language, match["code"])


def of_pages() -> list[Sample]:
    every = [one for locale in Locale for source in pages(locale).values() for one in of_page(source, locale)]
    kept = {path.read_text("utf-8").rstrip() for path in SAMPLES.rglob("*.*")}
    told = {one.code.rstrip(): one for one in reversed(every) if one.code.rstrip() not in kept}
    return sorted(told.values(), key=lambda one: one.where)


FILES: Final = list(of_files())
BLOCKS: Final = of_pages()


def test_every_block_is_in_a_language_that_is_judged() -> None:
    assert {one.language for one in BLOCKS} <= RUN | SHOWN
    assert len(FILES) > 50
    assert {one.language for one in FILES} <= RUN


@pytest.mark.parametrize(
    "sample", [one for one in (*FILES, *BLOCKS) if one.language == "json"], ids=lambda one: one.where
)
def test_json_is_json(sample: Sample) -> None:
    json.loads(sample.code)


@pytest.mark.parametrize(
    "sample", [one for one in (*FILES, *BLOCKS) if one.language == "toml"], ids=lambda one: one.where
)
def test_a_configuration_is_one_that_portico_takes(sample: Sample, tmp_path: Path) -> None:
    file = tmp_path / "portico.toml"
    file.write_text(sample.code, encoding="utf-8")
    for name in re.findall(r"file:([^\"'\s]+)|_file = \"([^\"]+)\"", sample.code):
        for path in filter(None, name):
            (tmp_path / path).touch()
    load_config({**SECRETS, "PORTICO_DATA": str(tmp_path)}, file=file, folder=tmp_path)


FRAMEWORKS: Final = "clients/"
"""Samples of frameworks that only `make clients` installs: here they are read, and not run."""
PROGRAMS: Final = {
    language: [one for one in (*FILES, *BLOCKS) if one.language == language and not one.where.startswith(FRAMEWORKS)]
    for language in ("bash", "python", "javascript")
}
ENDINGS: Final = {"bash": "sh", "python": "py", "javascript": "mjs"}
Results: TypeAlias = dict[str, tuple[str, str | None]]
"""By sample: what it printed, and what is wrong."""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the commands are for a POSIX shell")


def test_samples_of_frameworks_are_programs_that_name_their_address_and_key_once() -> None:
    samples = [one for one in FILES if one.where.startswith(FRAMEWORKS)]
    assert len(samples) >= 5
    for sample in samples:
        if sample.language == "python":
            ast.parse(sample.code)
        assert sample.code.count(f"{SAMPLE_URL}/v1") == sample.code.count("PORTICO_API_KEY") == 1, sample.where


@pytest.mark.parametrize("language", list(PROGRAMS))
async def test_every_program_runs(language: str, tmp_path: Path) -> None:
    if language == "javascript" and nodejs.NPM is None:
        pytest.skip("there is no Node.js here (make sdk-tools)")
    assert PROGRAMS[language]
    house = tmp_path / "house"
    house.mkdir()
    async with portico("serve", "--simulate", "--port", "0", folder=house, env={"PORTICO_API_KEY": KEY}) as gateway:
        base_url = f"http://127.0.0.1:{await gateway.port()}"
        files = {one.where: written(one, number, base_url, tmp_path) for number, one in enumerate(PROGRAMS[language])}
        results = await (each(files, tmp_path) if language == "bash" else together(language, files))
    assert set(results) == set(files)
    failed = [
        f"{name}: {wrong}" for name, said in results.items() if (wrong := judged(name, language, *said)) is not None
    ]
    assert not failed, "\n\n".join(failed)


def written(sample: Sample, number: int, base_url: str, folder: Path) -> tuple[str, str]:
    """A folder of its own with the program in it, as it is read by somebody at that base URL."""
    here = folder / f"{number:03d}"
    here.mkdir()
    file = here / f"sample.{ENDINGS[sample.language]}"
    file.write_text(sample.code.replace(SAMPLE_URL, base_url), encoding="utf-8")
    return str(here), str(file)


def judged(name: str, language: str, printed: str, wrong: str | None) -> str | None:
    """What is wrong with what a sample did, or None. A sample that shows an error is named so."""
    if wrong is not None:
        return f"{wrong[-1500:]}\n{printed[-600:]}"
    if language != "bash" and not printed.strip():
        return "it printed nothing"
    if not re.search("error|strict", name) and re.search(r'"error":\s*\{', printed):
        return f"it was answered with an error: {printed[:600]}"
    return None


def surroundings(*first: Path) -> dict[str, str]:
    path = [*map(str, first), str(Path(sys.executable).parent), str(DRIVERS), os.environ.get("PATH", "")]
    return environment({"PORTICO_API_KEY": KEY, "PATH": os.pathsep.join(path)})


async def each(files: dict[str, tuple[str, str]], here: Path) -> Results:
    """Every program in a process of its own. Their `portico` is one that is loaded already, and has been started before."""
    (programs := here / "programs").mkdir()
    env, line = preloaded.on_path(programs)
    results: Results = {}
    for name, (folder, file) in files.items():
        started_books(Path(folder))
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", file),
            cwd=folder,
            env=surroundings(programs) | env | {"HOME": folder},
            pass_fds=[line],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await ended(process, b"", TIME_S)
        wrong = None if process.returncode == 0 else f"exit code {process.returncode}\n{err}"
        results[name] = (out, wrong)
    return results


async def together(language: str, files: dict[str, tuple[str, str]]) -> Results:
    """All programs in one process, one after the other."""
    if language == "python":
        command, asked = [sys.executable, str(DRIVERS / "python_samples.py")], files
    else:
        assert nodejs.NODE is not None
        command, asked = [nodejs.NODE, str(DRIVERS / "node_samples.mjs")], within_reach_of_packages(files)
    process = await asyncio.create_subprocess_exec(
        *command,
        env=surroundings(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await ended(process, json.dumps(asked).encode(), TIME_S * 3)
    assert process.returncode == 0, err
    return {name: (printed, wrong) for name, (printed, wrong) in json.loads(out).items()}


def within_reach_of_packages(files: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """A module finds its packages in the folders above it."""
    told = {}
    for name, (folder, file) in files.items():
        (Path(folder) / "node_modules").symlink_to(nodejs.installed() / "node_modules")
        told[name] = (folder, file)
    return told


async def ended(process: asyncio.subprocess.Process, given: bytes, time_s: float) -> tuple[str, str]:
    """Both outputs of a process that ends by itself; one that does not is ended."""
    try:
        out, err = await asyncio.wait_for(process.communicate(given or None), time_s)
    except TimeoutError:
        process.kill()
        await process.wait()
        return "", f"it was not over within {time_s} s"
    return out.decode(errors="replace"), err.decode(errors="replace")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_every_sample_is_kept_for_curl_or_is_a_setting_of_a_client() -> None:
    for folder in {path.parent for path in SAMPLES.rglob("*.*")}:
        names = {path.name for path in folder.iterdir()}
        of_framework = folder.parent.name == FRAMEWORKS.rstrip("/")
        assert of_framework or names & {"curl.sh", "python.py", "openclaw.json", "claude-code.sh"}, folder
