"""Environments of tests: made once, however many want one; and what is said when pip fails."""

import hashlib
import subprocess
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sdk import venvs

UNREACHED = "http://127.0.0.1:9/simple"
"""Nobody listens on the port of discarded data."""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "cache"
    monkeypatch.setattr(venvs, "_ENVIRONMENT", {"PORTICO_VENV_CACHE": str(cache), "PIP_INDEX_URL": UNREACHED})
    return cache


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A package from a file, with its hash."""
    wheel = tmp_path / "of_ours-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("of_ours.py", "")
        file.writestr("of_ours-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: of-ours\nVersion: 1.0\n")
        file.writestr("of_ours-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("of_ours-1.0.dist-info/RECORD", "")
    path = tmp_path / "ours.txt"
    path.write_text(f"{wheel.as_uri()} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return path


def test_two_at_once_get_one_and_the_next_gets_the_same(cache: Path, requirements: Path) -> None:
    barrier = threading.Barrier(2)

    def one(_: int) -> Path:
        barrier.wait()
        return venvs.python_with(requirements)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(one, range(2))
    assert first == second
    made = first.parents[1]
    assert {*cache.iterdir()} == {made, cache / f"{made.name}.lock"}
    inode = made.stat().st_ino
    assert venvs.python_with(requirements) == first
    assert made.stat().st_ino == inode
    listed = "import of_ours, importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    done = subprocess.run([first, "-c", listed], env={}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["of-ours"]


def test_other_requirements_are_another_environment(cache: Path, requirements: Path) -> None:
    first = venvs.python_with(requirements)
    requirements.write_text(f"# Changed.\n{requirements.read_text()}")
    assert venvs.python_with(requirements) != first


def test_what_pip_says_is_told_and_nothing_is_left(cache: Path, requirements: Path) -> None:
    requirements.write_text(requirements.read_text().split("sha256:")[0] + f"sha256:{'0' * 64}\n")
    with pytest.raises(venvs.InstallFailed, match="DO NOT MATCH THE HASHES") as caught:
        venvs.python_with(requirements)
    assert not isinstance(caught.value, venvs.NoIndex)
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_an_index_that_nobody_reaches_is_told_from_one_that_lacks_a_package(cache: Path, requirements: Path) -> None:
    requirements.write_text(f"of.ours==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(venvs.NoIndex, match=r"Connection refused.*/simple/of-ours/"):
        venvs.python_with(requirements)


def _broken(error: str, name: str = "of-ours", left: int = 0) -> str:
    retry = f"Retry(total={left}, connect=None, read=None, redirect=None, status=None)"
    return f"WARNING: Retrying ({retry}) after connection broken by '{error}': /simple/{name}/\n"


NOWHERE = "NewConnectionError('<a connection>: Failed to establish a new connection: [Errno 111] Connection refused')"
NO_PROXY = f"ProxyError('Cannot connect to proxy.', {NOWHERE})"
CUT = "ProtocolError('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))"
NONE = "ERROR: No matching distribution found for of-ours==1.0\n"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (_broken(NOWHERE) + NONE, True),
        (_broken(NO_PROXY) + NONE, True),
        (NONE, False),
        (_broken(NOWHERE), False),
        (_broken(NOWHERE, left=2) + NONE, False),
        (_broken(NOWHERE, name="another") + NONE, False),
        (_broken(CUT) + NONE, False),
    ],
    ids=["refused", "no proxy", "not there", "but found", "then reached", "another package", "cut"],
)
def test_what_means_that_there_is_no_index(said: str, expected: bool) -> None:
    assert venvs.unreached(said) == (said.splitlines()[0] if expected else "")
