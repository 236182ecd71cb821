"""Where clients are tried: a real `portico serve` and, behind it, a real strict `portico simulate`, as processes.

The simulator plays Google, OpenAI and Anthropic; the caller's key is a virtual one, of a prepaid account. What came by on
the wire to Portico, what Portico logged and what the simulator was asked is read from files, from any moment on. Nothing
listens beyond this machine.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clients.evidence import Evidence, read_asked, read_logged, read_sent, tail
from clients.processes import kept
from clients.wire import recording

_START_S: Final = 60.0
_QUIET_S: Final = 0.5
"""Lines of the access log gather for a moment: what has not changed for this long is all there is."""
_SETTLE_S: Final = 10.0
_RECORDS: Final = ("access.log", "asked.jsonl", "sent.jsonl")
KEPT: Final = ("PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")
_CONFIG: Final = """
[log]
access = "{folder}/access.log"

[[providers]]
name = "google"
kind = "gemini"
base_url = "{url}"
keys = ["env:UPSTREAM"]

[[providers]]
name = "openai"
kind = "openai"
base_url = "{url}"
keys = ["env:UPSTREAM"]

[[providers]]
name = "anthropic"
kind = "anthropic"
base_url = "{url}"
keys = ["env:UPSTREAM"]
"""


class NotStarted(Exception):
    """Portico or the simulator behind it does not start. Its words follow."""


@dataclass(frozen=True)
class Moment:
    """How far the three records had come."""

    log_bytes: int
    asked_bytes: int
    sent_bytes: int


class Place:
    """A running Portico. `base_url` is that of the wire before it, without a slash at the end and without /v1."""

    def __init__(self, folder: Path, base_url: str, key: str) -> None:
        self.folder, self.base_url, self.key = folder, base_url, key
        self._log, self._asked, self._sent = (folder / name for name in _RECORDS)

    def now(self) -> Moment:
        """The moment from which on `since` tells, once everything before it is written."""
        self._settle()
        return Moment(*self._sizes())

    def since(self, moment: Moment) -> Evidence:
        """What happened since."""
        self._settle()
        return Evidence(
            read_logged(tail(self._log, moment.log_bytes)),
            read_asked(tail(self._asked, moment.asked_bytes)),
            read_sent(self.sent_since(moment)),
        )

    def sent_since(self, moment: Moment) -> bytes:
        """What came by on the wire since, a line of JSON for each request."""
        return tail(self._sent, moment.sent_bytes)

    def _sizes(self) -> tuple[int, ...]:
        return tuple(path.stat().st_size if path.exists() else 0 for path in (self._log, self._asked, self._sent))

    def _settle(self) -> None:
        until, last, since = time.monotonic() + _SETTLE_S, self._sizes(), time.monotonic()
        while time.monotonic() - since < _QUIET_S and time.monotonic() < until:
            time.sleep(0.05)
            if (sizes := self._sizes()) != last:
                last, since = sizes, time.monotonic()


@contextlib.contextmanager
def running() -> Iterator[Place]:
    """A Portico with the simulator behind it, gone afterwards with its folder."""
    with tempfile.TemporaryDirectory(prefix="portico-clients-") as made, contextlib.ExitStack() as ends:
        folder = Path(made)
        simulated = ends.enter_context(
            _served(folder, "simulate", "--port", "0", "--record", str(folder / _RECORDS[1]))
        )
        (folder / "portico.toml").write_text(_CONFIG.format(folder=folder, url=simulated), encoding="utf-8")
        _command(folder, "accounts", "create", "clients")
        _command(folder, "accounts", "top-up", "clients", "100000")
        key = str(_command(folder, "keys", "create", "--account", "clients", "--name", "clients")["key"])
        served = ends.enter_context(_served(folder, "serve", "--port", "0"))
        base_url = ends.enter_context(recording(served, folder / _RECORDS[2]))
        yield Place(folder, base_url, key)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    return {**kept, "PYTHONUNBUFFERED": "1", "PORTICO_API_KEY": "sk-clients-owner", "UPSTREAM": "simulated"}


def _command(folder: Path, *arguments: str) -> dict[str, object]:
    command = [sys.executable, "-m", "portico", *arguments, "--json"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_START_S,
    )
    if done.returncode:
        raise NotStarted(f"portico {' '.join(arguments)}: {done.stdout}{done.stderr}")
    told: dict[str, object] = json.loads(done.stdout)
    return told


@contextlib.contextmanager
def _served(folder: Path, *arguments: str) -> Iterator[str]:
    """A `portico` that serves, by its address."""
    said = folder / f"{arguments[0]}.out"
    with kept([sys.executable, "-m", "portico", *arguments], env=_environment(), cwd=folder, said=said) as process:
        yield _address(process, said)


def _address(process: "subprocess.Popen[bytes]", said: Path) -> str:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        text = said.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"http://127\.0\.0\.1:\d+", text)
        if found and "Ctrl-C" in text:
            return found.group()
        time.sleep(0.05)
    raise NotStarted(f"portico does not start: {said.read_text(encoding='utf-8', errors='replace')[-500:]}")
