"""Virtual environments for tests whose packages are nobody else's, made once outside the tree.

The requirement files pin with hashes and name no address: packages come from wherever pip is told to look on this machine.
An environment is kept in `$PORTICO_VENV_CACHE`, or in `portico/venvs` of the user's cache folder, under the hash of its
requirements and of the Python that made it.
"""

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from portico.store.filelock import FileLock

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
_ENVIRONMENT = dict(os.environ)
"""As it was before the tests took the proxies out of it: pip may need one to reach its index."""
_MAKING_S, _INSTALLING_S = 120, 900

_WITHOUT = re.compile(r"^ERROR: No matching distribution found for ([\w.-]+)", re.MULTILINE)
_UNREACHED = re.compile(
    r"^.*Retry\(total=0,.* after connection broken by '(?:NewConnection|NameResolution|ConnectTimeout|Proxy)Error\("
    r".*: \S*?/([\w.-]+)/?$",
    re.MULTILINE,
)


class InstallFailed(Exception):
    """pip could not install a requirement file. Its words follow."""


class NoIndex(InstallFailed):
    """pip says that it cannot reach a package index. Its words follow."""


def python_with(requirements: Path) -> Path:
    """The Python of an environment with these packages alone. Raises `InstallFailed`.

    It is there whole or not at all: it is made under another name. Nothing in it may name its folder, therefore: use
    `python -m`, not the commands in `bin`. Of two runs that want one at once, the second waits for the first.
    """
    cache = _cache()
    folder = cache / f"{requirements.stem}-{_key(requirements)}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        lock = FileLock(cache / "lock")
        lock.take()
        try:
            if not folder.is_dir():
                _make(requirements, folder)
        finally:
            lock.close()
    return _python(folder)


def _make(requirements: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-") as made:
        _install(requirements, Path(made))
        # Where there are no locks somebody else may have been faster: theirs is as good.
        with contextlib.suppress(OSError):
            Path(made).rename(folder)
            Path(made).mkdir()


def _cache() -> Path:
    home = Path(_ENVIRONMENT.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(_ENVIRONMENT.get("PORTICO_VENV_CACHE") or home / "portico" / "venvs")


def _key(requirements: Path) -> str:
    maker = f"{sys.version} {sys.base_prefix}\n".encode()
    return hashlib.sha256(maker + requirements.read_bytes()).hexdigest()[:16]


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _install(requirements: Path, folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=_MAKING_S)
    # As many retries as make pip say why, whatever the machine's default is.
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--retries", "3"]
    pip = [sys.executable, "-m", "pip", "--python", str(_python(folder))]
    command = [*pip, "install", *options, "--require-hashes", "-r", str(requirements)]
    done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, check=False, timeout=_INSTALLING_S)
    if done.returncode != 0:
        said = done.stdout + done.stderr
        reason = unreached(said)
        raise NoIndex(reason) if reason else InstallFailed(f"{requirements.name}\n{said}")


def unreached(said: str) -> str:
    """The line in which pip says that it cannot reach an index; empty if it failed for another reason.

    It found no version at all of a package whose page it gave up connecting for.
    """
    missing = {re.sub(r"[-_.]+", "-", name).lower() for name in _WITHOUT.findall(said)}
    return next((found[0] for found in _UNREACHED.finditer(said) if found[1] in missing), "")
