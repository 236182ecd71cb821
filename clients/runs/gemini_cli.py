"""Gemini CLI, Google's coding agent, on Gemini's own API.

It asks newer models than it is told to for some names (`gemini-3.5-flash`: `gemini-3.8-flash`), so it is tried with names
that it leaves as they are.
"""

from typing import Any

from clients import jsonlines
from clients.client import Api, Client, Dialect, Npm, Said, Seat, Turn

_MODEL = "gemini-3.8-flash"
_OLDER = "gemini-2.5-flash"


def _piece(line: dict[str, Any]) -> str | None:
    text = line.get("content") if line.get("type") == "message" and line.get("role") == "assistant" else None
    return text if isinstance(text, str) else None


def _ask(seat: Seat, turn: Turn) -> Said:
    seat.connect("gemini-cli", model=seat.api.model)
    command = ["gemini", "--skip-trust", "-m", turn.model, "-p", turn.prompt]
    command += ["--yolo"] if turn.tools else []
    if turn.check in ("text", "stream"):
        return jsonlines.told(seat.run(*command, "-o", "stream-json"), _piece)
    return seat.run(*command)


CLIENTS = (
    Client(
        name="gemini-cli",
        title="Gemini CLI",
        install=Npm("gemini-cli", "@google/gemini-cli"),
        apis=(Api("gemini", Dialect.GEMINI, _MODEL, also=(_OLDER,)),),
        ask=_ask,
        tool="Call run_shell_command with command='echo {content} > {file}'.",
        pieces="tells",
        picture="What is in this picture? @{image}",
    ),
)
