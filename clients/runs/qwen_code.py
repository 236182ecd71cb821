"""Qwen Code, on Chat Completions."""

import json
from pathlib import Path

from clients import jsonlines
from clients.client import GEMINI, GPT, Api, Client, Dialect, Npm, Said, Seat, Turn

_CONFIG = ".qwen/settings.json"


def _knows(config: Path, model: str) -> None:
    """It asks its usual model where one is not in its settings: one more, as somebody would add it who believes in it."""
    settings = json.loads(config.read_text(encoding="utf-8"))
    models = settings["modelProviders"]["openai"]
    if model not in [one["id"] for one in models]:
        models.append({**models[0], "id": model, "name": model})
        config.write_text(json.dumps(settings), encoding="utf-8")


def _ask(seat: Seat, turn: Turn) -> Said:
    seat.connect("qwen-code", model=seat.api.model)
    _knows(seat.home / _CONFIG, turn.model)
    command = ["qwen", "-m", turn.model, "-p", turn.prompt]
    command += ["--yolo"] if turn.tools else []
    if turn.check in ("text", "stream"):
        streamed = ("-o", "stream-json", "--include-partial-messages")
        return jsonlines.told(seat.run(*command, *streamed), jsonlines.text_delta)
    return seat.run(*command)


CLIENTS = (
    Client(
        name="qwen-code",
        title="Qwen Code",
        install=Npm("qwen-code", "@qwen-code/qwen-code"),
        apis=(Api("chat", Dialect.CHAT, GEMINI, also=(GPT,)),),
        ask=_ask,
        tool="Call run_shell_command with command='echo {content} > {file}'.",
        pieces="tells",
        picture="What is in this picture? @{image}",
    ),
)
