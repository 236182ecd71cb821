"""Codex, OpenAI's coding agent, on Responses.

It knows the models of its vendor by name, and asks them otherwise than all others: of gpt-5.5 it wants patches in a grammar
beside commands, of newer ones programs that call its tools. The prompt names both ways, and a model has one of them.
"""

from clients.client import GEMINI, GPT, Api, Client, Dialect, Npm, Said, Seat, Turn

_PROGRAMS = "gpt-6.1-sol"


def _ask(seat: Seat, turn: Turn) -> Said:
    seat.connect("codex", model=seat.api.model)
    command = ["codex", "exec", "--skip-git-repo-check", "--ephemeral", "--dangerously-bypass-approvals-and-sandbox"]
    command += ["-m", turn.model]
    command += [f"-i={turn.image}"] if turn.image else []
    return seat.run(*command, turn.prompt)


CLIENTS = (
    Client(
        name="codex",
        title="Codex",
        install=Npm("codex", "@openai/codex"),
        apis=(Api("responses", Dialect.RESPONSES, GEMINI, also=(GPT, _PROGRAMS)),),
        ask=_ask,
        tool=(
            "Call exec_command with cmd `echo {content} > {file}`, "
            'or exec with input: `text(await tools.exec_command({{cmd: "echo {content} > {file}"}}))`.'
        ),
    ),
)
