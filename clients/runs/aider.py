"""aider, through LiteLLM, on Chat Completions and on Gemini's API.

It offers no tools: it changes files by what an answer says in blocks of its own form, which the simulator is asked to say.
Then it runs the tests that one names and tells the model what they printed: ours print the file backwards, and fail.
"""

from clients.client import CLAUDE, GPT, Api, Client, Dialect, Pip, Said, Seat, Turn

_QUIET = (
    "--no-git",
    "--yes-always",
    "--no-pretty",
    "--no-check-update",
    "--no-show-release-notes",
    "--analytics-disable",
)
_BLOCK = """Write the file. [[sim:say]]
{file}
```
<<<<<<< SEARCH
=======
{content}
>>>>>>> REPLACE
```
[[sim:said]]"""


def _ask(seat: Seat, turn: Turn) -> Said:
    seat.connect("aider", api=seat.api.name, model=seat.api.model)
    command = [str(seat.python), "-m", "aider", *_QUIET, "--model", f"{seat.api.name}/{turn.model}"]
    command += [] if turn.stream else ["--no-stream"]
    command += ["--auto-test", "--test-cmd", f"rev {turn.file} && false"] if turn.file else []
    command += ["--message", turn.prompt, *([str(turn.image)] if turn.image else [])]
    said = seat.run(*command, within_s=240)
    if "Unknown context window size" in said.out and turn.check != "error":
        return Said(1, said.out, "it does not know the model")
    return said


CLIENTS = (
    Client(
        name="aider",
        title="aider",
        install=Pip("aider", "aider-chat"),
        apis=(Api("openai", Dialect.CHAT, also=(GPT, CLAUDE)), Api("gemini", Dialect.GEMINI)),
        ask=_ask,
        tool=_BLOCK,
        edits=True,
        streams="asked",
        pieces="prints",
    ),
)
