"""npm packages, installed once outside the tree: those of `node/` and the scripts that use them, and other tests' own.

They are kept in `$PORTICO_NODE_CACHE`, or in `portico/node` of the user's cache folder, under the hash of the lock
(`clients.installs`).
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clients import installs

SCRIPTS = Path(__file__).parent / "node"
NODE, NPM = shutil.which("node"), shutil.which("npm")
_ENVIRONMENT = dict(os.environ)
"""As it was before the tests took the proxies out of it: npm may need one to reach its registry."""
_RUNNING_S = 120


def installed(wanted: Path = SCRIPTS) -> Path:
    """The folder that holds the `node_modules` which the package.json and package-lock.json of a folder ask for.

    Raises `InstallFailed` if npm cannot install them.
    """
    home = Path(_ENVIRONMENT.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = Path(_ENVIRONMENT.get("PORTICO_NODE_CACHE") or home / "portico" / "node")
    return installs.node_modules(wanted, cache, _ENVIRONMENT)


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
