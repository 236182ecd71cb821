"""llm-gemini, llm's plugin for Gemini. It asks Google's own host, which no setting of it changes: Python's hook at start
sends what it asks of that host to Portico. Whatever else it does is its own. It knows its models by heart, so that a wrong
one is added by a plugin, of its own class.
"""

from pathlib import Path

from clients.client import WRITE_FILE, Api, Client, Dialect, Pip, Said, Seat, Turn
from clients.runs.llm import prompted

_HOOK = Path(__file__).parent.parent / "scripts" / "rehosted"


def _ask(seat: Seat, turn: Turn) -> Said:
    return prompted(
        seat,
        turn,
        f"gemini/{turn.model}",
        PYTHONPATH=str(_HOOK),
        REHOSTED_FROM="generativelanguage.googleapis.com",
        REHOSTED_TO=seat.base_url,
        LLM_GEMINI_KEY=seat.key,
        ADDED_MODEL=turn.model if turn.check == "error" else "",
    )


CLIENTS = (
    Client(
        name="llm-gemini",
        title="llm-gemini",
        install=Pip("llm", "llm-gemini"),
        apis=(Api("gemini", Dialect.GEMINI, also=("gemini-4-argon",)),),
        ask=_ask,
        tool=WRITE_FILE,
        pieces="prints",
    ),
)
