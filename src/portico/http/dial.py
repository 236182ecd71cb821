"""A TCP connection to the first of several addresses that takes one (RFC 8305, "Happy Eyeballs").

The families take turns; each address gets a short head start before the next is tried beside it, a failed one none. The
first to connect wins and the others are closed. Only the addresses given are connected to: no name is looked up here.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final

HEAD_START_S: Final = 0.25
"""Between the beginnings of two attempts (RFC 8305 5: Connection Attempt Delay)."""

_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK})


def interleaved(addresses: Sequence[str]) -> list[str]:
    """The same addresses, families taking turns, the family of the first one first (RFC 8305 4)."""
    six = [address for address in addresses if ":" in address]
    four = [address for address in addresses if ":" not in address]
    first, second = (six, four) if addresses and ":" in addresses[0] else (four, six)
    return [address for address in chain.from_iterable(zip_longest(first, second)) if address is not None]


async def dial(addresses: Sequence[str], port: int, *, head_start_s: float = HEAD_START_S) -> tuple[socket.socket, str]:
    """The connected socket, and the address it leads to. Raises `OSError`, the first failure, if there is none."""
    if len(addresses) == 1:
        return await _connect(addresses[0], port), addresses[0]
    if not addresses:
        raise OSError("the host has no address")
    return await _race(interleaved(addresses), port, head_start_s)


async def _race(addresses: list[str], port: int, head_start_s: float) -> tuple[socket.socket, str]:
    loop = asyncio.get_running_loop()
    attempts: dict[asyncio.Task[socket.socket], str] = {}
    running: set[asyncio.Task[socket.socket]] = set()
    waiting = iter(addresses)
    failure: OSError | None = None
    winner: asyncio.Task[socket.socket] | None = None
    try:
        while winner is None:
            address = next(waiting, None)
            if address is not None:
                task = loop.create_task(_connect(address, port))
                attempts[task] = address
                running.add(task)
            elif not running:
                raise failure or OSError("no address takes a connection")
            done, running = await asyncio.wait(
                running,
                timeout=None if address is None else head_start_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in attempts:
                if task not in done:
                    continue
                error = task.exception()
                if error is None:
                    winner = winner or task
                elif isinstance(error, OSError):
                    failure = failure or error
                else:
                    raise error
        return winner.result(), attempts[winner]
    finally:
        for task in attempts:
            if task.done():
                if task is not winner:
                    _close(task)
            else:
                task.cancel()
                task.add_done_callback(_close)  # It may have connected before it heard.


def _close(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _connect(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setblocking(False)
        error = sock.connect_ex((address, port))
        if error in _UNDER_WAY:  # The loop's own `sock_connect` would look even an address up, in a thread.
            await _writable(sock)
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
    except BaseException:
        sock.close()
        raise
    return sock


async def _writable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    descriptor = sock.fileno()
    loop.add_writer(descriptor, future.set_result, None)
    try:
        await future
    finally:
        loop.remove_writer(descriptor)
