"""Continue's command line (`cn`). Where it is pointed is the file that its editors' extensions read as well.

Models that are named like GPT-5 it asks for in Responses: `openai-responses` is `openai` with such a model.
It takes pictures from the clipboard alone, and only at a terminal: the clipboard is played by an `xclip` that hands out
ours. Gemini's address it reads from the environment, whatever its file says.
"""

import os
import re
from pathlib import Path

from clients.client import CLAUDE, GPT, Api, Client, Dialect, Npm, Said, Seat, Turn
from clients.terminal import typed

_PASTE, _ENTER, _LEAVE = "\x16", "\r", "\x03"


def _configured(seat: Seat, model: str) -> Path:
    """Its settings, with a model asked for by whichever name."""
    file = seat.home / ".continue" / "config.yaml"
    seat.connect("continue", api=seat.api.name.removesuffix("-responses"), model=seat.api.model)
    text = file.read_text(encoding="utf-8")
    asked = seat.home / f"{model}.yaml"
    asked.write_text(re.sub(r"(?m)^(\s+model:).*$", rf"\1 {model}", text, count=1), encoding="utf-8")
    return asked


def _ask(seat: Seat, turn: Turn) -> Said:
    config = str(_configured(seat, turn.model))
    if turn.image:
        return _shown(seat, turn, config)
    tools = ["--auto"] if turn.tools else []
    return seat.run("cn", "-p", *tools, "--config", config, turn.prompt, GOOGLE_GEMINI_BASE_URL=seat.base_url)


def _shown(seat: Seat, turn: Turn, config: str) -> Said:
    clipboard = seat.home / "clipboard"
    clipboard.mkdir(exist_ok=True)
    (clipboard / "xclip").write_text(f"#!/bin/sh\nexec cat '{turn.image}'\n", encoding="utf-8")
    (clipboard / "xclip").chmod(0o755)
    env = seat.environment(GOOGLE_GEMINI_BASE_URL=seat.base_url)
    env["PATH"] = os.pathsep.join([str(clipboard), env["PATH"]])
    keys = [
        ("Ask anything", _PASTE),
        (r"Image #1", f" {turn.prompt}"),
        (re.escape(turn.prompt[-8:]), _ENTER),
        (r"\[simulated\]", _LEAVE),
    ]
    ended = typed(["cn", "--config", config], keys, env=env, cwd=seat.work, within_s=120)
    return Said(ended.code, ended.out)


CLIENTS = (
    Client(
        name="continue",
        title="Continue",
        install=Npm("continue", "@continuedev/cli"),
        apis=(
            Api("openai", Dialect.CHAT, also=(CLAUDE,)),
            Api("openai-responses", Dialect.RESPONSES, GPT, wrong_model="gpt-5-no-such-model-of-ours"),
            Api("anthropic", Dialect.MESSAGES, also=(GPT,)),
            Api("gemini", Dialect.GEMINI),
        ),
        ask=_ask,
        tool='Call Bash(command="printf {content} > {file}")',
    ),
)
