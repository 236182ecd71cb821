"""llm, Simon Willison's command line tool. Tools are Python functions that are handed in on the command line."""

import json

from clients.client import CLAUDE, GPT, WRITE_FILE, Api, Client, Dialect, Pip, Said, Seat, Turn

_TOOL = """
def write_file(path: str, content: str) -> str:
    "Writes a file."
    with open(path, "w") as file:
        file.write(content)
    return f"{len(content)} characters written"
"""


def _entry(seat: Seat, model: str) -> str:
    """What somebody writes who wants a model that is not in the list. JSON is YAML."""
    entry = {
        "model_id": f"portico/{model}",
        "model_name": model,
        "api_base": f"{seat.base_url}/v1",
        "api_key_name": "portico",
        "responses": seat.api.dialect is Dialect.RESPONSES,
    }
    return json.dumps(entry)


def _ask(seat: Seat, turn: Turn) -> Said:
    listed = seat.home / ".config" / "io.datasette.llm" / "extra-openai-models.yaml"
    seat.connect("llm", api=seat.api.name, model=seat.api.model)
    models = listed.read_text(encoding="utf-8")
    if f"portico/{turn.model}\n" not in models:
        listed.write_text(f"{models}- {_entry(seat, turn.model)}\n", encoding="utf-8")
    return prompted(seat, turn, f"portico/{turn.model}")


def prompted(seat: Seat, turn: Turn, model: str, **environment: str) -> Said:
    """`llm prompt` of a model by the name that llm has for it."""
    command = [str(seat.python), "-m", "llm", "prompt", "--no-log", "-m", model]
    command += [] if turn.stream else ["--no-stream"]
    command += ["--functions", _TOOL] if turn.file else []
    command += ["-a", str(turn.image)] if turn.image else []
    return seat.run(*command, turn.prompt, within_s=60, **environment)


CLIENTS = (
    Client(
        name="llm",
        title="llm",
        install=Pip("llm", "llm"),
        apis=(Api("chat", Dialect.CHAT, also=(GPT, CLAUDE)), Api("responses", Dialect.RESPONSES)),
        ask=_ask,
        tool=WRITE_FILE,
        streams="asked",
        pieces="prints",
    ),
)
