"""Names to addresses, remembered for a short while.

A look-up costs a thread and up to seconds, so one is shared by all who ask for the same name at the same time, and its
answer serves for TTL_S (the system's resolver does not tell how long an answer is good for). An answer that could not be
renewed in time goes on being used for a while: a provider is rarely gone because a name server is (RFC 8767). Failures
are not remembered.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Final

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""(host, port) -> addresses, the best first. Raises `OSError` if there is none."""

TTL_S: Final = 30.0
"""How long an answer is used without asking again."""
STALE_TTL_S: Final = 3600.0
"""How long an answer is used when asking again fails."""
RENEWAL_PATIENCE_S: Final = 1.8
"""What a renewal may take while there is an older answer (RFC 8767 5: client response timer)."""
RETRY_S: Final = 5.0
"""After a renewal failed or took too long, the older answer is used this long before the next try."""
REMEMBERED: Final = 1024


class _Answer:
    __slots__ = ("addresses", "fresh_until", "stale_until")

    def __init__(self, addresses: list[str], now: float) -> None:
        self.addresses = addresses
        self.fresh_until = now + TTL_S
        self.stale_until = now + STALE_TTL_S


async def look_up(host: str, port: int) -> list[str]:
    """The system's addresses of a host, in its order (RFC 6724), each once. Raises `OSError` or `UnicodeError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys([str(item[4][0]) for item in found]))


def is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class Names:
    """Remembers what `look_up` says. Belongs to one loop."""

    def __init__(self, clock: Callable[[], float], look_up: Resolve = look_up) -> None:
        self._clock = clock
        self._look_up = look_up
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        """The one used last is the last."""
        self._running: dict[str, asyncio.Task[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        """Raises `OSError` or `UnicodeError` for a name that has no address."""
        answer = self._answers.get(host)
        if answer is None:
            if is_address(host):
                return [host]
            return list(await self._shared(host, port))
        self._answers.move_to_end(host)
        now = self._clock()
        if now >= answer.fresh_until:
            return list(await self._renewed(host, port, answer, now))
        return list(answer.addresses)

    def connected(self, host: str, address: str) -> None:
        """Puts an address first that was reached: those before it did not answer in time, and would not the next time."""
        answer = self._answers.get(host)
        if answer is not None and address in answer.addresses and answer.addresses[0] != address:
            answer.addresses.remove(address)
            answer.addresses.insert(0, address)

    def unreachable(self, host: str) -> None:
        """None of the addresses of a host could be reached: it is asked for again at the next occasion."""
        answer = self._answers.get(host)
        if answer is not None:
            answer.fresh_until = min(answer.fresh_until, self._clock())

    def close(self) -> None:
        for task in self._running.values():
            task.cancel()
        self._running.clear()

    async def _renewed(self, host: str, port: int, old: _Answer, now: float) -> list[str]:
        if now >= old.stale_until:
            self._answers.pop(host, None)
            return await self._shared(host, port)
        try:
            async with asyncio.timeout(RENEWAL_PATIENCE_S):
                return await self._shared(host, port)
        except (OSError, UnicodeError):  # TimeoutError is an OSError.
            old.fresh_until = self._clock() + RETRY_S
            return old.addresses

    async def _shared(self, host: str, port: int) -> list[str]:
        """The look-up that is going on. It belongs to nobody who waits for it: one who leaves does not end it."""
        task = self._running.get(host)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(host, port))
            self._running[host] = task
            task.add_done_callback(_noted)
        await asyncio.wait([task])
        if task.cancelled():
            raise OSError("no name is looked up any more")
        return task.result()

    async def _ask(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._look_up(host, port)
        finally:
            self._running.pop(host, None)
        if not addresses:
            raise OSError("the name has no address")
        self._answers[host] = _Answer(addresses, self._clock())
        self._answers.move_to_end(host)
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        return addresses


def _noted(task: asyncio.Task[list[str]]) -> None:
    """Takes note of a failure that everyone who waited for it has left."""
    if not task.cancelled():
        task.exception()
