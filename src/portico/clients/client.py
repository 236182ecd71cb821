"""A client: who it is, how it can be pointed at Portico, and what it then has to be told."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from portico.clients.settings import File
from portico.clients.told import Api, Told

Argv: TypeAlias = tuple[str, ...]


class Moved(msgspec.Struct, frozen=True):
    """A variable by which a client's users put its files elsewhere."""

    variable: str
    stands_for: str
    """The beginning of a file's path below the home folder that its value takes the place of; empty: the home folder."""
    unheard_on: tuple[str, ...] = ()
    """The platforms (`sys.platform`) on which the client does not look for it."""


def _nothing(told: Told) -> Mapping[str, str]:
    del told
    return {}


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """One client. Its functions are pure: the same `Told` gives the same settings."""

    name: str
    """As `portico connect` takes it."""
    title: str
    homepage: str
    install: str
    """The command that installs it."""
    tried: str
    """The version with which all of this was tried."""
    apis: tuple[Api, ...]
    """The ways to point it here; the first is taken where nobody chooses."""
    likes: tuple[str, ...] = ("google",)
    """Whose models fit it best, the best first: the default is taken from them, if they are served."""
    files: Callable[[Told], tuple[File, ...]]
    environment: Callable[[Told], Mapping[str, str]] = _nothing
    """Variables of the shell, where nothing else tells it."""
    shell_first: bool = False
    """What the shell has exported beats what stands in the client's own `.env`."""
    key_command: str = ""
    """What keeps the key, for a client whose variable is better left to another."""
    moved: tuple[Moved, ...] = ()
    """The first of them that is set, and that a file's path begins with, counts."""
    homes: Mapping[str, tuple[str, str]] = {}
    """By platform (`sys.platform`), a beginning of paths and what it is there."""
    start: Callable[[Told], Argv]
    """What a person types to begin."""
    once: Callable[[Told, str], Argv]
    """One turn without a person: the prompt in, the answer on standard output."""

    @property
    def dialects(self) -> tuple[str, ...]:
        return tuple(api.dialect for api in self.apis if api.dialect)

    def api(self, name: str) -> Api | None:
        """By the client's own word for it, or by ours for the dialect."""
        return next((api for api in self.apis if name in (api.name, api.dialect)), None)
