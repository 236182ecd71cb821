"""What a client is to the harness: how it is installed, which APIs it is pointed at, and how one turn of it is run.

The rule kept: a client module says how the client is driven and what it said. Whether that was right is judged elsewhere
(`check`), the same for all, by what Portico logged and what the models behind it were asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, Protocol

GEMINI: Final = "gemini-3.5-flash"
GPT: Final = "gpt-5.5"
CLAUDE: Final = "claude-sonnet-5-5"
WRITE_FILE: Final = "Call write_file with path='{file}' and content='{content}'."
"""A prompt for tools of ours."""


class Dialect(StrEnum):
    """Which wire format Portico is asked in; the words are those of its access log."""

    CHAT = "openai_chat"
    RESPONSES = "openai_responses"
    MESSAGES = "anthropic_messages"
    GEMINI = "gemini"


@dataclass(frozen=True)
class Npm:
    """Packages of `clients/npm/NAME/`; `package` is the one whose version is told."""

    name: str
    package: str


@dataclass(frozen=True)
class Pip:
    """Packages of `clients/pip/NAME.txt`; `package` is the one whose version is told."""

    name: str
    package: str


@dataclass(frozen=True)
class Api:
    """One way a client is pointed at Portico. `also`: models on which its tools run as well, beside `model`.
    `wrong_model`: a name that Portico has not, and that the client would ask for in this way."""

    name: str
    dialect: Dialect
    model: str = GEMINI
    also: tuple[str, ...] = ()
    wrong_model: str = "no-such-model-of-ours"


@dataclass(frozen=True)
class Turn:
    """What is wanted of a client once: a prompt to a model.

    `stream`: the answer is to be streamed, where the client lets one choose. `tools`: it may use its tools, without asking.
    `file`: where a tool is to write `content` (both empty where no tool is wanted). `image`: a picture to be looked at.
    """

    check: str
    prompt: str
    model: str
    stream: bool = False
    tools: bool = False
    file: Path | None = None
    content: str = ""
    image: Path | None = None


@dataclass(frozen=True)
class Said:
    """What came of a turn. `code`: the exit code, None when the time was over. `pieces`: in how many pieces a stream came,
    where the client tells. `grew`: what was printed, in the pieces in which it was seen to appear."""

    code: int | None
    out: str
    err: str = ""
    pieces: int | None = None
    grew: tuple[str, ...] = ()


class Seat(Protocol):
    """Where a turn runs: one for each client and API, with a home folder that nothing else uses.

    The first turn of a seat asks for a wrong model; the others follow in the same home, so that they show that nobody was
    shut out for it.
    """

    api: Api
    home: Path
    """$HOME, empty at first."""
    work: Path
    """The working folder, empty for each turn."""
    base_url: str
    """Of Portico, without a slash at the end and without /v1."""
    key: str
    installed: Path
    """The folder with `node_modules`, or that of the virtual environment."""

    @property
    def python(self) -> Path:
        """The Python of the client's environment, where it is one of pip's."""

    def environment(self, **more: str) -> dict[str, str]:
        """A clean environment: HOME, PATH with the client's commands first, no telemetry, no way to other machines."""

    def run(self, *command: str, within_s: float = 120, **more: str) -> Said:
        """Runs a command in `work`; `more` goes into its environment."""

    def keep(self, *command: str, **more: str) -> Path:
        """Starts a command in the home folder that runs until the seat is left, such as a daemon of the client's; returns
        the file that what it says goes to."""

    def script(self, name: str, turn: Turn, *, within_s: float = 120, **more: str) -> Said:
        """Runs `clients/scripts/NAME` (.py in the client's Python, .mjs in Node.js). It gets the turn as JSON in its only
        argument: check, prompt, model, stream, file, content, image, base_url, key, api. It prints JSON in its last line:
        {"text": …, "pieces": …}, or fails with words on standard error."""

    def connect(self, name: str, *, api: str = "", model: str = "") -> None:
        """`portico connect NAME --write` in this home, before the first turn and not again. Raises `RuntimeError` with its
        words if that fails."""


@dataclass(frozen=True)
class Client:
    """A client that is tried.

    `streams`: it always streams, never, or when asked to (`Turn.stream`): what streams always proves both with one turn.
    `tool`: the prompt that makes it write a file, with {file} and {content}; the simulator calls the tool that is named in
    it and takes arguments from what is quoted. `lacks`: checks that the client itself cannot do, and why. `edits`: it has
    no tools but changes files as an answer in words says, and then runs a command that prints what is in the file,
    backwards.
    """

    name: str
    title: str
    install: Npm | Pip
    apis: tuple[Api, ...]
    ask: Callable[[Seat, Turn], Said]
    tool: str
    streams: Literal["always", "asked", "never"] = "always"
    pieces: Literal["tells", "prints", "ends"] = "ends"
    """How a stream shows at its other end: it tells the pieces that came (`Said.pieces`), it prints each as it comes, or it
    prints its answer when it is whole, so that the stream is seen as far as its door."""
    picture: str = "What is in this picture?"
    lacks: Mapping[str, str] = field(default_factory=dict)
    library: bool = False
    """It is driven by a program of ours, whose tool is `write_file(path, content)`: several calls at once and an answer in
    a shape are checked too."""
    edits: bool = False
    values: bool = False
    """It ends with a value, also after a tool's result: what came of the result shows in the tool that runs with it."""
    told_wrong: str = ""
    """What it says of a wrong model, as a regular expression, where it does not pass Portico's own words on."""
