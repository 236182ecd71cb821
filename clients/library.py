"""Libraries: each is driven by a program of ours in `scripts/`, on several vendors' models."""

from collections.abc import Mapping
from typing import Final

from clients.client import CLAUDE, GPT, WRITE_FILE, Api, Client, Dialect, Npm, Pip, Said, Seat, Turn

_TURN_S: Final = 180


def library(
    name: str,
    title: str,
    install: Npm | Pip,
    script: str,
    apis: Mapping[str, Dialect],
    *,
    also: tuple[str, ...] = (GPT, CLAUDE),
    tool: str = WRITE_FILE,
    values: bool = False,
    lacks: Mapping[str, str] | None = None,
    **environment: str,
) -> Client:
    """A library by name, with the program that drives it and its ways to ask (name of the API -> dialect)."""

    def ask(seat: Seat, turn: Turn) -> Said:
        return seat.script(script, turn, within_s=_TURN_S, **environment)

    return Client(
        name=name,
        title=title,
        install=install,
        apis=tuple(Api(api, dialect, also=also) for api, dialect in apis.items()),
        ask=ask,
        tool=tool,
        values=values,
        streams="asked",
        pieces="tells",
        lacks=lacks or {},
        library=True,
    )
