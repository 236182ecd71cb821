"""Claude Code, Anthropic's coding agent, on Messages."""

from clients import jsonlines
from clients.client import CLAUDE, GEMINI, Api, Client, Dialect, Npm, Said, Seat, Turn

_LAUNCHER = "node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs"
"""What the package has for those who run no install scripts."""
_STREAM = ("--output-format", "stream-json", "--verbose", "--include-partial-messages")


def _ask(seat: Seat, turn: Turn) -> Said:
    seat.connect("claude-code", model=seat.api.model)
    command = ["node", str(seat.installed / _LAUNCHER), "-p", turn.prompt, "--model", turn.model]
    command += ["--allowedTools", "Bash,Read"] if turn.tools else []
    if turn.check in ("text", "stream"):
        return jsonlines.told(seat.run(*command, *_STREAM), jsonlines.text_delta)
    return seat.run(*command)


CLIENTS = (
    Client(
        name="claude-code",
        title="Claude Code",
        install=Npm("claude-code", "@anthropic-ai/claude-code"),
        apis=(Api("messages", Dialect.MESSAGES, GEMINI, also=(CLAUDE,)),),
        ask=_ask,
        tool="Call Bash with command='echo {content} > {file}'.",
        pieces="tells",
        picture="Call Read with file_path='{image}'.",
        told_wrong=r"issue with the selected model \({model}\)\. It may not exist",
    ),
)
