"""npm packages, installed once outside the tree: those of `node/` and the scripts that use them, and other tests' own.

`package-lock.json` names no address: packages come from wherever npm is told to look on this machine. They are kept in
`$PORTICO_NODE_CACHE`, or in `portico/node` of the user's cache folder, under the hash of the lock.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from portico.store.filelock import FileLock

SCRIPTS = Path(__file__).parent / "node"
NODE, NPM = shutil.which("node"), shutil.which("npm")
_ENVIRONMENT = dict(os.environ)
"""As it was before the tests took the proxies out of it: npm may need one to reach its registry."""
_INSTALLING_S, _RUNNING_S = 300, 120


def installed(wanted: Path = SCRIPTS) -> Path:
    """The folder that holds the `node_modules` which the package.json and package-lock.json of a folder ask for.

    Raises `CalledProcessError` if npm cannot install them. Of two processes that want them at once, the second waits
    for the first.
    """
    assert NPM is not None
    lock = (wanted / "package-lock.json").read_bytes()
    home = Path(_ENVIRONMENT.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = Path(_ENVIRONMENT.get("PORTICO_NODE_CACHE") or home / "portico" / "node")
    folder = cache / hashlib.sha256(lock).hexdigest()[:16]
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    taken = FileLock(cache / "lock")
    taken.take()
    try:
        if not folder.is_dir():
            _install(NPM, wanted, folder)
    finally:
        taken.close()
    return folder


def _install(npm: str, wanted: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(wanted / name, made)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"]
        subprocess.run(command, cwd=made, env=_ENVIRONMENT, check=True, timeout=_INSTALLING_S)
        # Where there are no locks somebody else may have been faster: theirs is as good.
        with contextlib.suppress(OSError):
            Path(made).rename(folder)
            Path(made).mkdir()


def run(script: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """What a script reports of its steps."""
    assert NODE is not None
    with tempfile.TemporaryDirectory(dir=installed()) as here:
        for path in SCRIPTS.glob("*.mjs"):
            shutil.copy(path, here)
        given = {"PATH": os.environ.get("PATH", ""), "HOME": here, **environment}
        done = subprocess.run(
            [NODE, f"{here}/{script}.mjs"], env=given, capture_output=True, check=False, timeout=_RUNNING_S, text=True
        )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told
