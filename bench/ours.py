"""Portico as a gateway that is measured: its configuration, and a compiled copy of a checkout.

Everything is on: what can be switched on in the configuration stands here, with limits above any load.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

import portico
from bench.machine import Command

KEY: Final = "sk-bench-0123456789abcdef"

_PROVIDER: Final = """
[[providers]]
name = "gemini"
base_url = "http://127.0.0.1:{upstream}"
"""
SETTINGS: Final = (
    ("log", "access", "{folder}/access.log"),
    ("metrics", "listen", "127.0.0.1:0"),
)
"""(table, key, value): what is switched on beyond what is always on. A checkout that does not know a key yet, such as an
older one beside this, goes without it. The key's account and its limits are made in `books`."""

_TELL: Final = (
    "import json, portico.config as c; print(json.dumps({name: sorted(keys) for name, keys in c.TABLES.items()}))"
)


def config_for(known: dict[str, list[str]], folder: Path, upstream_port: int) -> str:
    """portico.toml with every one of SETTINGS that a checkout knows. `known`: its tables and their keys."""
    lines = [_PROVIDER.format(upstream=upstream_port)]
    for table in dict.fromkeys(table for table, _, _ in SETTINGS):
        settings = [(key, value) for name, key, value in SETTINGS if name == table and key in known.get(table, ())]
        if settings:
            lines.append(f"[{table}]")
            lines += [f"{key} = {json.dumps(value.format(folder=folder))}" for key, value in settings]
    return "\n".join(lines) + "\n"


@cache
def _known(checkout: Path) -> dict[str, list[str]]:
    env = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    done = subprocess.run([sys.executable, "-c", _TELL], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{checkout} does not say what can be configured: {done.stderr.strip()[-200:]}")
    tables: dict[str, list[str]] = json.loads(done.stdout)
    return tables


_BOOKS: Final = """
import random, sys
from pathlib import Path
try:
    from portico.accounts.keys import digest_of
    from portico.accounts.rows import create_account, create_key
    from portico.ledger.pay import top_up
    from portico.store.database import open_database
    from portico.store.version import bring_up_to_date
except ImportError:  # a checkout without books: the key is that of the configuration
    sys.exit(3)
url, key = sys.argv[1:]
database = open_database(url)
bring_up_to_date(url, database)

def fill(db):
    account = create_account(db, random.Random(1), name="bench")
    top_up(db, account.id, 10**17)
    limits = dict(rpm=10**9, tpm=10**13, concurrent=10**6, budget_day_nanos=10**16, budget_month_nanos=10**17)
    issued = create_key(db, random.Random(1), account=account.id, name="bench", policy=limits)
    db.run("UPDATE keys SET digest = ? WHERE id = ?", digest_of(key), issued.key.id)

database.change(fill)
database.close()
"""
"""What is said to a checkout's own code: a prepaid account with more money than the load can spend, and a key with every
limit there is, above the load."""


def books(checkout: Path, folder: Path) -> bool:
    """Makes the database that Portico will serve from. False: that checkout has no books."""
    env = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    database = folder / ".portico" / "portico.db"
    database.unlink(missing_ok=True)
    script = [sys.executable, "-c", _BOOKS, f"sqlite:///{database}", KEY]
    done = subprocess.run(script, env=env, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"the books of {checkout} cannot be made: {done.stderr.strip()[-300:]}")
    return done.returncode == 0


def command(checkout: Path, folder: Path, port: int, upstream_port: int) -> Command:
    """How Portico is started from a checkout."""
    own_key = "sk-bench-owner-0123456789" if books(checkout, folder) else KEY
    config = folder / "portico.toml"
    config.write_text(config_for(_known(checkout), folder, upstream_port), encoding="utf-8")
    env = {
        "PYTHONPATH": str(checkout / "src"),
        "PYTHONDONTWRITEBYTECODE": "",  # as what is installed, it compiles its modules once
        "GEMINI_API_KEY": "bench-upstream-key",
        "PORTICO_API_KEY": own_key,
    }
    return [sys.executable, "-m", "portico", "serve", "--config", str(config), "--port", str(port)], env


def version(checkout: Path) -> str:
    """The version, and the commit."""
    described = ["git", "-C", str(checkout), "describe", "--always", "--dirty"]
    done = subprocess.run(described, capture_output=True, text=True, check=False)
    return f"{portico.__version__} {done.stdout.strip()}".strip()


# -- compiled --------------------------------------------------------------------------------------------------------

_NEEDED: Final = ("src", "setup.py", "pyproject.toml", "README.md", "LICENSE")
_LEFT_OUT: Final = ("*.so", "__pycache__", "*.egg-info")
COPIES: Final = 3
"""Compiled copies that are kept, the newest: checkouts may share a cache."""


def digest_of(checkout: Path) -> str:
    """Of the source, of how it is compiled, and of the Python it is compiled for."""
    digest = hashlib.blake2b(sys.version.encode(), digest_size=6)
    data = [path for kind in ("*.py", "*.toml") for path in sorted((checkout / "src").rglob(kind))]
    for path in [checkout / "setup.py", *data]:
        digest.update(f"\0{path.relative_to(checkout)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def compiled(checkout: Path, cache_folder: Path) -> Path:
    """A copy of a checkout in which `make compile` was done, made anew when the source has changed.

    Raises `RuntimeError`.
    """
    copy = cache_folder / f"compiled-{digest_of(checkout)}"
    done_mark = copy / "done"
    if done_mark.exists():
        return copy
    print("compiling a copy of portico …", file=sys.stderr, flush=True)
    cache_folder.mkdir(parents=True, exist_ok=True)
    others = sorted(set(cache_folder.glob("compiled-*")) - {copy}, key=lambda path: path.stat().st_mtime)
    for old in others[: 1 - COPIES]:
        shutil.rmtree(old)
    shutil.rmtree(copy, ignore_errors=True)  # one that was not finished
    copy.mkdir()
    for name in _NEEDED:
        source = checkout / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        else:
            shutil.copy(source, copy / name)
    build = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    env = {**os.environ, "PORTICO_COMPILE": "1"}
    done = subprocess.run(build, cwd=copy, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"cannot be compiled: {(done.stderr or done.stdout).strip()[-300:]}")
    done_mark.touch()
    return copy
