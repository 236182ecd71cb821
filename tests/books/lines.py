"""Connections that stay open, one to each worker of a gateway: what is asked on one is answered by its worker."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from books.shop import wire_to
from gateway.commands import Command
from gateway.house import Answer, Json, Wire, as_bytes, chat


class Line:
    """A connection to one worker, on which any number of requests are made."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def ask(
        self,
        key: str,
        body: Json | None = None,
        *,
        path: str = "/v1/chat/completions",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        fields = {"host": "x", "authorization": f"Bearer {key}", **(headers or {})}
        self.wire.status = 0
        self.wire.request(method, path, fields, b"" if method == "GET" else as_bytes(body or chat(max_tokens=100)))
        return await self.wire.rest()


@asynccontextmanager
async def lines_to(server: Command, port: int, workers: int) -> AsyncIterator[list[Line]]:
    """One to each of so many workers. Linux only."""
    await server.has_workers(workers)
    async with contextlib.AsyncExitStack() as ends:
        found: dict[int, Line] = {}
        while len(found) < workers:
            wire = await wire_to(port)
            ends.callback(wire.drop)
            line = Line(wire)
            assert (await line.ask("nobody", path="/v1/models", method="GET")).status == 401
            local = wire.writer.get_extra_info("sockname")[1]
            (holder,) = [pid for pid in server.children if holds(pid, port, local)]
            found.setdefault(holder, line)
        yield list(found.values())


def holds(pid: int, port: int, remote: int | None = None) -> bool:
    """Whether a process holds an accepted connection to a port: from any, or from one remote port.

    In /proc/net/tcp (proc(5)) a state of 01 is "established", and ports are hexadecimal.
    """
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    ends = "" if remote is None else f":{remote:04X}"
    accepted = [row for row in rows if row[3] == "01" and row[1].endswith(f":{port:04X}") and row[2].endswith(ends)]
    return bool({f"socket:[{row[9]}]" for row in accepted} & _open_files(pid))


def _open_files(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(entry.readlink()))
    return found
