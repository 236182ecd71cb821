"""Packages of npm and of pip, pinned by files, each set installed once in a folder of its own.

`package-lock.json` and the requirement files pin with hashes and name no address: packages come from wherever npm and pip
are told to look on this machine. A set is kept under the hash of what pins it, so that whoever wants it again installs
nothing. It is there whole or not at all: it is made under another name. Of two that want one at once, the second waits.

Nothing in a virtual environment may name its folder, therefore: use `python -m`, not the commands in `bin`.
"""

import contextlib
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from portico.store.filelock import FileLock

_MAKING_S: Final = 120
_INSTALLING_S: Final = 1200

_WITHOUT = re.compile(r"^ERROR: No matching distribution found for ([\w.-]+)", re.MULTILINE)
_UNREACHED = re.compile(
    r"^.*Retry\(total=0,.* after connection broken by '(?:NewConnection|NameResolution|ConnectTimeout|Proxy)Error\("
    r".*: \S*?/([\w.-]+)/?$",
    re.MULTILINE,
)


class InstallFailed(Exception):
    """What was asked for could not be installed. The installer's words follow."""


class NoIndex(InstallFailed):
    """pip says that it cannot reach a package index. Its words follow."""


def node_modules(wanted: Path, cache: Path, environment: Mapping[str, str], *, name: str = "") -> Path:
    """The folder that holds the `node_modules` which the package.json and package-lock.json of a folder ask for.

    Their install scripts are not run. Raises `InstallFailed`.
    """
    digest = hashlib.sha256((wanted / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = cache / (f"{name}-{digest}" if name else digest)
    return _there(folder, lambda made: _npm(wanted, made, environment))


def python_with(requirements: Path, cache: Path, environment: Mapping[str, str]) -> Path:
    """The Python of an environment with these packages alone. Raises `InstallFailed`."""
    maker = f"{sys.version} {sys.base_prefix}\n".encode()
    digest = hashlib.sha256(maker + requirements.read_bytes()).hexdigest()[:16]
    folder = cache / f"{requirements.stem}-{digest}"
    return python_of(_there(folder, lambda made: _pip(requirements, made, environment)))


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _there(folder: Path, install: Callable[[Path], None]) -> Path:
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.with_name(f"{folder.name}.lock")):
            if not folder.is_dir():
                _make(folder, install)
    except (OSError, subprocess.SubprocessError) as error:  # a full disk, say
        raise InstallFailed(f"{folder.name}: {error}") from error
    return folder


def _make(folder: Path, install: Callable[[Path], None]) -> None:
    prefix = f"making-{folder.name}-"
    for left in folder.parent.glob(f"{prefix}*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=prefix, ignore_cleanup_errors=True) as made:
        install(Path(made))
        # Where there are no locks somebody else may have been faster: theirs is as good.
        with contextlib.suppress(OSError):
            Path(made).rename(folder)
            Path(made).mkdir()


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = FileLock(path)
    lock.take()
    try:
        yield
    finally:
        lock.close()


def _npm(wanted: Path, folder: Path, environment: Mapping[str, str]) -> None:
    npm = shutil.which("npm", path=environment.get("PATH"))
    if npm is None:
        raise InstallFailed("npm is not on this machine")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(wanted / name, folder)
    how = "ci" if _is_whole(json.loads((wanted / "package-lock.json").read_bytes())) else "install"
    command = [npm, how, "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel", "error"]
    _run(command, wanted.name, environment, folder)


def _is_whole(lock: Mapping[str, Any]) -> bool:
    """Whether a lock has every optional package in it. Those of other platforms that were not to be had are left out of it:
    `npm ci` refuses such a lock, while `npm install` takes what is pinned in it and passes over what cannot be had."""
    packages = lock["packages"]
    there = {path.rpartition("node_modules/")[2] for path in packages}
    return all(name in there for one in packages.values() for name in one.get("optionalDependencies", ()))


def _pip(requirements: Path, folder: Path, environment: Mapping[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=_MAKING_S)
    # As many retries as make pip say why, whatever the machine's default is.
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--retries", "3"]
    pip = [sys.executable, "-m", "pip", "--python", str(python_of(folder))]
    command = [*pip, "install", *options, "--require-hashes", "-r", str(requirements)]
    _run(command, requirements.name, environment, folder)


def _run(command: list[str], what: str, environment: Mapping[str, str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_INSTALLING_S,
        )
    except subprocess.TimeoutExpired:
        raise InstallFailed(f"{what}: not installed after {_INSTALLING_S} s") from None
    if done.returncode != 0:
        said = done.stdout + done.stderr
        reason = unreached(said)
        raise NoIndex(reason) if reason else InstallFailed(f"{what}\n{said}")


def unreached(said: str) -> str:
    """The line in which pip says that it cannot reach an index; empty if it failed for another reason.

    It found no version at all of a package whose page it gave up connecting for.
    """
    missing = {re.sub(r"[-_.]+", "-", name).lower() for name in _WITHOUT.findall(said)}
    return next((found[0] for found in _UNREACHED.finditer(said) if found[1] in missing), "")
