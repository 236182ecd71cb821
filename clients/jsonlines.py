"""Streams of JSON lines, in which Claude Code, Gemini CLI and Qwen Code tell what came."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from clients.client import Said

Piece = Callable[[dict[str, Any]], str | None]
"""The piece of an answer's text that a line tells of; None: it tells something else."""


def told(said: Said, piece: Piece) -> Said:
    """The pieces that came, as one text; what is no such stream, an error in words say, is left as it is."""
    pieces: list[str] = []
    for line in said.out.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and (text := piece(value)):
            pieces.append(text)
    return replace(said, out="".join(pieces), pieces=len(pieces)) if pieces else said


def text_delta(line: dict[str, Any]) -> str | None:
    """A `Piece`: the text of an event as Anthropic's streams have it, in a line of its own."""
    delta = (line.get("event") or {}).get("delta") or {}
    text = delta.get("text") if delta.get("type") == "text_delta" else None
    return text if isinstance(text, str) else None
