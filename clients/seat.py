"""A seat: the home, the working folder and the environment in which one client is tried on one API."""

import dataclasses
import json
import os
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clients.client import Api, Said, Turn
from clients.installs import python_of
from clients.place import KEPT
from clients.processes import Ended, kept, run

SCRIPTS: Final = Path(__file__).parent / "scripts"
_NOWHERE: Final = "http://127.0.0.1:9"
"""Nobody listens there: what would leave this machine fails at once. Portico is asked over plain HTTP, past this."""
_CONNECT_S: Final = 60.0


@dataclass
class Seat:
    """See `client.Seat`."""

    api: Api
    home: Path
    work: Path
    base_url: str
    key: str
    installed: Path
    ends: ExitStack = field(default_factory=ExitStack)
    connected: bool = False

    @property
    def python(self) -> Path:
        return python_of(self.installed)

    def environment(self, **more: str) -> dict[str, str]:
        own = [*self.installed.glob("node_modules/node-linux-*/bin"), self.installed / "node_modules" / ".bin"]
        path = os.pathsep.join([*map(str, own), os.environ.get("PATH", os.defpath)])
        return {
            "PATH": path,
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_COLOR": "1",
            "DO_NOT_TRACK": "1",
            "PYTHONUNBUFFERED": "1",
            "NODE_COMPILE_CACHE": str(self.installed / "compile-cache"),
            "HTTPS_PROXY": _NOWHERE,
            "https_proxy": _NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            **more,
        }

    def run(self, *command: str, within_s: float = 120, **more: str) -> Said:
        env = self.environment(**more)
        found = shutil.which(command[0], path=env["PATH"]) or command[0]
        ended = run([found, *command[1:]], env=env, cwd=self.work, within_s=within_s)
        return Said(ended.code, ended.out, ended.err, grew=ended.grew)

    def keep(self, *command: str, **more: str) -> Path:
        """Starts a command that runs until the seat is left; returns the file that what it says goes to."""
        env = self.environment(**more)
        said = self.home.parent / f"kept-{len(list(self.home.parent.glob('kept-*')))}.out"
        found = shutil.which(command[0], path=env["PATH"]) or command[0]
        self.ends.enter_context(kept([found, *command[1:]], env=env, cwd=self.home, said=said))
        return said

    def script(self, name: str, turn: Turn, *, within_s: float = 120, **more: str) -> Said:
        told = {
            **dataclasses.asdict(turn),
            "file": str(turn.file or ""),
            "image": str(turn.image or ""),
            "base_url": self.base_url,
            "key": self.key,
            "api": self.api.name,
        }
        script = SCRIPTS / name
        if script.suffix == ".mjs":  # an import looks for packages beside the script
            script = Path(shutil.copy(script, self.installed / name))
        program = "node" if script.suffix == ".mjs" else str(self.python)
        said = self.run(program, str(script), json.dumps(told), within_s=within_s, **more)
        if said.code != 0:
            return said
        try:
            last = json.loads(said.out.strip().splitlines()[-1])
            return Said(0, str(last["text"]), said.err, last.get("pieces"))
        except (IndexError, KeyError, ValueError):
            return Said(1, said.out, f"{name} printed no JSON\n{said.err}")

    def connect(self, name: str, *, api: str = "", model: str = "") -> None:
        if self.connected:
            return
        command = [sys.executable, "-m", "portico", "connect", name, "--write"]
        command += ["--url", self.base_url, "--key", self.key]
        command += ["--api", api] if api else []
        command += ["--model", model] if model else []
        # Nothing else of the environment: by variables of theirs clients keep their files elsewhere than in this home.
        env = {name: value for name, value in os.environ.items() if name in KEPT}
        ended: Ended = run(command, env={**env, "HOME": str(self.home)}, cwd=self.work, within_s=_CONNECT_S)
        if ended.code != 0:
            raise RuntimeError(f"portico connect {name}: {ended.out}{ended.err}")
        self.connected = True


def seat_at(api: Api, base_url: str, key: str, installed: Path, folder: Path) -> Seat:
    """A seat with an empty home."""
    home = folder / "home"
    (home / "tmp").mkdir(parents=True)
    return Seat(api, home, folder, base_url, key, installed)


def fresh_work(seat: Seat, name: str) -> Path:
    """Gives a seat an empty working folder for its next turn."""
    seat.work = seat.home.parent / f"work-{name}"
    seat.work.mkdir()
    return seat.work
