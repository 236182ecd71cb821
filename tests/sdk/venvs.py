"""Virtual environments for tests whose packages are nobody else's, made once outside the tree (`clients.installs`).

An environment is kept in `$PORTICO_VENV_CACHE`, or in `portico/venvs` of the user's cache folder, under the hash of its
requirements and of the Python that made it.
"""

import os
from pathlib import Path

from clients import installs
from clients.installs import InstallFailed, NoIndex, unreached

__all__ = ["REQUIREMENTS", "InstallFailed", "NoIndex", "python_with", "unreached"]

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
_ENVIRONMENT = dict(os.environ)
"""As it was before the tests took the proxies out of it: pip may need one to reach its index."""


def python_with(requirements: Path) -> Path:
    """The Python of an environment with these packages alone. Raises `InstallFailed`."""
    home = Path(_ENVIRONMENT.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = Path(_ENVIRONMENT.get("PORTICO_VENV_CACHE") or home / "portico" / "venvs")
    return installs.python_with(requirements, cache, _ENVIRONMENT)
