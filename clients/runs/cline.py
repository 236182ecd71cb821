"""Cline's command line, on all four dialects: each is one of its own providers, at Portico's address.

A picture is a path behind an @ in the prompt. Pointed at Gemini's API it offers Google's search beside its own tools to
models that are named like Gemini 3, and to all others no tools at all.
"""

from clients.client import CLAUDE, GPT, Api, Client, Dialect, Npm, Said, Seat, Turn


def _ask(seat: Seat, turn: Turn) -> Said:
    seat.connect("cline", api=seat.api.name, model=seat.api.model)
    return seat.run("cline", "-m", turn.model, turn.prompt)


CLIENTS = (
    Client(
        name="cline",
        title="Cline",
        install=Npm("cline", "cline"),
        apis=(
            Api("openai-compatible", Dialect.CHAT, also=(GPT, CLAUDE)),
            Api("openai-native", Dialect.RESPONSES),
            Api("anthropic", Dialect.MESSAGES),
            Api("gemini", Dialect.GEMINI),
        ),
        ask=_ask,
        tool="Use run_commands with the command `printf {content} > {file}`",
        pieces="prints",
        picture="What is in this picture? @{image}",
    ),
)
