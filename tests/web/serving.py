"""A Portico with its simulator, as `portico serve --simulate` starts it, for whoever looks at it from outside."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from gateway.commands import environment

KEY: Final = "sk-sample-0123456789abcdef"
_PATIENCE_S: Final = 90.0


class House(msgspec.Struct, frozen=True):
    """Where it is, and the process that serves it."""

    base_url: str
    pid: int
    said: str = ""
    """How it greeted whoever started it."""

    @property
    def first_link(self) -> str:
        """The link that makes the first operator."""
        found = re.search(r"http://\S+/first-start/\S+", self.said)
        assert found is not None, self.said
        return found[0]


@contextlib.contextmanager
def served(*arguments: str, env: Mapping[str, str] | None = None) -> Iterator[House]:
    """A house of its own, ended by itself."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "portico", "serve", "--simulate", "--port", "0", *arguments],
            cwd=folder,
            env=environment({"PORTICO_API_KEY": KEY, **(env or {})}) | {"PATH": os.environ.get("PATH", "")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        said = ""
        giving_up = threading.Timer(_PATIENCE_S, process.kill)
        giving_up.start()
        while (found := re.search(r"http://127\.0\.0\.1:(\d+)/v1", said)) is None or "Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, f"it ended before it served: {said}"
            said += line
        giving_up.cancel()
        reading = threading.Thread(target=process.stdout.read, daemon=True)
        reading.start()  # the access log: nobody may be made to wait for it
        try:
            yield House(f"http://127.0.0.1:{found[1]}", process.pid, said)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE_S)
            reading.join(_PATIENCE_S)
            process.stdout.close()
