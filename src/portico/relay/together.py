"""Several awaits at once, as one: all of them, or the first failure."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from portico.core.errors import PorticoError, UpstreamError


async def together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Returns when all are done. The first to fail cancels the others, which are waited for, and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as failures:
        odd = [error for error in failures.exceptions if not isinstance(error, PorticoError)]
        raise (odd or failures.exceptions)[0] from None


async def some(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Returns when all have ended, if one of them did well; else what a provider failed the first of them with is raised.
    What is the caller's fault, or nobody's, ends them all."""
    failures: list[UpstreamError] = []
    well = 0

    async def one(work: Coroutine[Any, Any, None]) -> None:
        nonlocal well
        try:
            await work
        except UpstreamError as error:
            failures.append(error)
        else:
            well += 1

    await together([one(work) for work in works])
    if failures and not well:
        raise failures[0]
