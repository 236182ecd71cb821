"""llm, Simon Willison's command line tool, on Chat Completions.

Models of other servers stand in a file of its own; the key is asked for by its name. Tools are Python functions that are
handed in on the command line.
"""

import json

from clients.client import GEMINI, Api, Client, Dialect, Pip, Said, Seat, Turn

_TOOL = """
def write_file(path: str, content: str) -> str:
    "Writes a file."
    with open(path, "w") as file:
        file.write(content)
    return f"{len(content)} characters written"
"""


def _configured(seat: Seat, model: str) -> str:
    """The folder of its settings, with one model in it."""
    folder = seat.home / "llm"
    folder.mkdir(exist_ok=True)
    entry = {
        "model_id": f"portico-{model}",
        "model_name": model,
        "api_base": f"{seat.base_url}/v1",
        "api_key_name": "portico",
        "supports_tools": True,
        "vision": True,
    }
    (folder / "extra-openai-models.yaml").write_text(json.dumps([entry]), encoding="utf-8")  # JSON is YAML
    (folder / "keys.json").write_text(json.dumps({"portico": seat.key}), encoding="utf-8")
    return str(folder)


def _ask(seat: Seat, turn: Turn) -> Said:
    folder = _configured(seat, turn.model)
    command = [str(seat.python), "-m", "llm", "prompt", "--no-log", "-m", f"portico-{turn.model}"]
    command += [] if turn.stream else ["--no-stream"]
    command += ["--functions", _TOOL] if turn.file else []
    command += ["-a", str(turn.image)] if turn.image else []
    return seat.run(*command, turn.prompt, within_s=60, LLM_USER_PATH=folder)


CLIENTS = (
    Client(
        name="llm",
        title="llm",
        install=Pip("llm", "llm"),
        apis=(Api("chat", Dialect.CHAT, GEMINI),),
        ask=_ask,
        tool="Call write_file with path='{file}' and content='{content}'.",
        streams="asked",
    ),
)
