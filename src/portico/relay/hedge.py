"""Two candidates beside each other: where the first shows nothing for a while, another is asked too, and who first has
something to show answers. Off unless an operator sets `[routing] hedge_after_s`.

    the first is asked -> shows something in time: as ever
                       -> does not: another one is asked beside it
                          -> either shows something: it has won; the other is cancelled, which stops its provider
                          -> one fails: the other goes on alone
                          -> the first fails in a way that it would anywhere: so does the call

Of streams only: a whole answer shows nothing before its end, and to ask for every long one twice would cost twice. Until
one has won nothing of either was told, so that they have nothing in common but the call (`Call.commit`). The caller pays
for the winner alone; what a provider bills for the other is the operator's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from portico.core.errors import PorticoError
from portico.relay.report import ANSWERING, CANCELLED, Try


class Budget:
    """Keeps a provider that is slow for everybody from being asked everything twice: of `every` calls one may be hedged, of
    which a few are saved up."""

    def __init__(self, every: int = 10, saved: int = 10) -> None:
        self._each = 1 / every
        self._most = float(saved)
        self._left = self._most

    def earn(self) -> None:
        """A call is made."""
        self._left = min(self._most, self._left + self._each)

    def spend(self) -> bool:
        """Whether there is one left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Runner:
    """A candidate that is asked beside another, or may be."""

    def __init__(self, runners: "list[Runner]", ask: "Ask") -> None:
        self.beside = bool(runners)
        """Another one is asked already."""
        self.has_won = False
        self.has_lost = False
        self.tries: list[Try] = []
        """Of it alone."""
        self._runners = runners
        runners.append(self)
        self.task: Final = asyncio.ensure_future(ask(self))

    def wins(self) -> bool:
        """It has something to show: whether it is the first. The others are cancelled then, and tell nothing any more."""
        if not self.has_lost and not self.has_won:
            self.has_won = True
            for other in self._runners:
                if other is not self:
                    other.lose()
        return self.has_won

    def lose(self) -> None:
        """Another one was first."""
        self.has_lost = True
        for tried in self.tries:
            if tried.outcome == ANSWERING:
                tried.outcome = CANCELLED
        self.task.cancel()


Ask: TypeAlias = Callable[[Runner | None], Awaitable[bool]]
"""Asks one candidate. True: it has answered; False: another may be asked. Raises what is to be told at once."""


async def hedged(first: Ask, another: Callable[[], Ask | None], after_s: float) -> bool:
    """As `first` alone would end, or as who was asked beside it does. `another` says who that is; None: nobody."""
    runners: list[Runner] = []
    try:
        one = Runner(runners, first)
        await asyncio.wait([one.task], timeout=after_s)
        if not one.task.done() and not one.has_won and (ask := another()) is not None:
            Runner(runners, ask)
        return await _answered(runners)
    finally:
        for runner in runners:
            runner.task.cancel()
        await asyncio.gather(*[runner.task for runner in runners], return_exceptions=True)


async def _answered(runners: list[Runner]) -> bool:
    """Whether any of them answered. Raises what the first failed with, or who is left alone."""
    running = {runner.task: runner for runner in runners}
    while running:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            runner = running.pop(task)
            if runner.has_lost:
                continue
            if runner.beside and running and isinstance(task.exception(), PorticoError):
                continue  # it only helped: the first goes on as if nobody had been beside it
            if task.result():
                return True
    return False
