"""opencode, through each of the four packages of the AI SDK that are built into it."""

import json
from pathlib import Path

from clients.client import CLAUDE, GEMINI, GPT, Api, Client, Dialect, Npm, Said, Seat, Turn

_CONFIG = ".config/opencode/opencode.json"


def _program(seat: Seat) -> Path:
    """The program of this platform, which an install script would put under its own name."""
    found = sorted(seat.installed.glob("node_modules/opencode-linux-*/bin/opencode"), key=lambda path: len(str(path)))
    if not found:
        raise RuntimeError("the package has no program for this platform")
    return found[0]


def _knows(config: Path, model: str) -> None:
    """It asks only for models that stand in its settings: one more, as somebody would add it who believes in it."""
    settings = json.loads(config.read_text(encoding="utf-8"))
    models = settings["provider"]["portico"]["models"]
    if model not in models:
        models[model] = {}
        config.write_text(json.dumps(settings), encoding="utf-8")


def _ask(seat: Seat, turn: Turn) -> Said:
    seat.connect("opencode", api=seat.api.name, model=seat.api.model)
    _knows(seat.home / _CONFIG, turn.model)
    command = [str(_program(seat)), "run", "-m", f"portico/{turn.model}", turn.prompt]
    command += ["-f", str(turn.image)] if turn.image else []
    return seat.run(*command)


CLIENTS = (
    Client(
        name="opencode",
        title="opencode",
        install=Npm("opencode", "opencode-ai"),
        apis=(
            Api("openai-compatible", Dialect.CHAT, GEMINI, also=(GPT,)),
            Api("openai", Dialect.RESPONSES, GEMINI, also=(GPT,)),
            Api("anthropic", Dialect.MESSAGES, GEMINI, also=(CLAUDE,)),
            Api("google", Dialect.GEMINI, GEMINI),
        ),
        ask=_ask,
        tool="Call bash with command='echo {content} > {file}' and description='writes a file'.",
    ),
)
