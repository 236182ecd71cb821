"""OpenClaw through each of its four kinds of API: its gateway runs all the while, and is asked over its own HTTP door.

A turn asked so costs seconds of CPU; as a command of its own it costs half a minute. Everything about models is what
`portico connect openclaw` writes; the door, which is closed unless one opens it, is added to the same file.
"""

import base64
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.ports import free_port, listens
from clients.client import CLAUDE, GPT, Api, Client, Dialect, Npm, Said, Seat, Turn

_DOOR_KEY: Final = "of-this-run"
_STATE: Final = "door.json"
_START_S: Final = 240.0
_TURN_S: Final = 300.0
"""The first turn loads what the others find loaded: on a busy machine that takes minutes."""


def _ask(seat: Seat, turn: Turn) -> Said:
    port = _door(seat)
    content: list[dict[str, Any]] = [{"type": "text", "text": turn.prompt}]
    if turn.image:
        data = base64.b64encode(turn.image.read_bytes()).decode()
        content.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}})
    body = {
        "model": "openclaw",
        "user": f"{turn.check}-{turn.model}",
        "stream": turn.stream,
        "messages": [{"role": "user", "content": content}],
    }
    headers = {
        "authorization": f"Bearer {_DOOR_KEY}",
        "content-type": "application/json",
        "x-openclaw-model": f"portico/{turn.model}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TURN_S)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read().decode()
        if answer.status != 200:
            return Said(1, "", said)
        if not turn.stream:
            return Said(0, str(json.loads(said)["choices"][0]["message"]["content"]))
        pieces = [*_pieces(said)]
        return Said(0, "".join(pieces), said if not pieces else "", len(pieces))
    except TimeoutError:
        return Said(None, "", "no answer in time")
    finally:
        connection.close()


def _pieces(stream: str) -> Iterator[str]:
    for line in stream.splitlines():
        data = line.removeprefix("data:").strip()
        if data == line or data in ("", "[DONE]"):
            continue
        for choice in json.loads(data).get("choices", []):
            if piece := choice.get("delta", {}).get("content"):
                yield piece


def _door(seat: Seat) -> int:
    """The port of this seat's gateway, which is started for its first turn."""
    state = seat.home / _STATE
    if state.exists():
        return int(json.loads(state.read_text())["port"])
    seat.connect("openclaw", api=seat.api.name, model=seat.api.model)
    port = free_port()
    settings = seat.home / ".openclaw" / "openclaw.json"
    told: dict[str, Any] = json.loads(settings.read_text(encoding="utf-8"))
    told["gateway"] = {
        "mode": "local",
        "port": port,
        "bind": "loopback",
        "auth": {"mode": "token", "token": _DOOR_KEY},
        "http": {"endpoints": {"chatCompletions": {"enabled": True}}},
    }
    settings.write_text(json.dumps(told, indent=2), encoding="utf-8")
    said = seat.keep("openclaw", "gateway", "run")
    _wait(port, said)
    state.write_text(json.dumps({"port": port}))
    return port


def _wait(port: int, said: Path) -> None:
    until = time.monotonic() + _START_S
    while not listens(port):
        if time.monotonic() > until:
            raise RuntimeError(f"its gateway does not start: {said.read_text(errors='replace')[-300:]}")
        time.sleep(0.5)


CLIENTS: Final = (
    Client(
        name="openclaw",
        title="OpenClaw",
        install=Npm("openclaw", "openclaw"),
        apis=(
            Api("openai-completions", Dialect.CHAT),
            Api("openai-responses", Dialect.RESPONSES, also=(GPT,)),
            Api("anthropic-messages", Dialect.MESSAGES, also=(CLAUDE,)),
            Api("google-generative-ai", Dialect.GEMINI),
        ),
        ask=_ask,
        tool="Use the write tool with path '{file}' and content '{content}'.",
        pieces="tells",
    ),
)
