"""What the pages behind the door are made of: ports, handed in by `cli/`."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

import msgspec

from portico.admin.command import Office
from portico.admin.commands import BY_NAME
from portico.core.storage import Db, Reading
from portico.web.showroom import Showroom


class Backstage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a room may ask for."""

    showroom: Showroom
    """Models, prices, traffic: what any visitor may see too."""
    reading: Reading
    """The books."""
    office: Office
    """Carries out commands."""
    rng: Random
    """The system's own."""
    signup: str = "closed"
    """Who may make an account: `closed`, `invite` or `open`."""
    extras: Mapping[str, Any] = {}
    """Ports that only some installations have, by name: `oidc`, `stripe`. Each room says what it expects of its own."""

    async def do(
        self, name: str, fields: Mapping[str, Any], *, actor: str, first: Callable[[Db], object] = lambda _: None
    ) -> Any:
        """Carries out a command of `portico.admin` with plain values. Raises the core's errors; then nothing was done.
        `first`: done in front of a change, in its transaction."""
        command = BY_NAME[name]
        return await self.office.do(command, command.read(fields), actor=actor, first=first)


NOTHING: Final[Mapping[str, Any]] = {}
