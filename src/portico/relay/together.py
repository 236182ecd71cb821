"""Several awaits at once, as one: all of them, or the first failure."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from portico.core.errors import PorticoError


async def together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Returns when all are done. The first to fail cancels the others, which are waited for, and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as failures:
        odd = [error for error in failures.exceptions if not isinstance(error, PorticoError)]
        raise (odd or failures.exceptions)[0] from None
