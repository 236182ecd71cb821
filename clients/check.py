"""The checks of one client on one API: the turns it is asked for, and what each proves.

A wrong model is asked for first, so that all that follows shows that nobody was shut out for it.
"""

import http.client
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image

from clients import judge
from clients.client import Api, Client, Dialect, Said, Turn
from clients.judge import CHECKS, COLOUR, OF_LIBRARIES, PACE_S, Case, Outcome, judged
from clients.place import Place
from clients.seat import Seat, fresh_work, seat_at

_SIZE: Final = (160, 120)
_CITIES: Final = ("Oslo", "Rome", "Lima", "Cairo", "Perth")
Progress = Callable[[str], None]


@dataclass
class Row:
    """What came of one client on one API."""

    client: str
    title: str
    version: str
    api: str
    dialect: str
    models: list[str]
    checks: dict[str, Outcome] = field(default_factory=dict)

    @property
    def failed(self) -> list[str]:
        return [name for name, outcome in self.checks.items() if outcome.state == "failed"]


def not_there(client: Client, api: Api, reason: str) -> Row:
    """The row of a client that cannot be installed."""
    outcome = Outcome("not", reason)
    return Row(client.name, client.title, "", api.name, api.dialect, [], dict.fromkeys(checks_of(client), outcome))


def checks_of(client: Client) -> tuple[str, ...]:
    """What is checked of a client, in order."""
    return CHECKS + OF_LIBRARIES * client.library


@dataclass
class Trial:
    """One client on one API."""

    client: Client
    api: Api
    place: Place
    installed: Path
    version: str
    folder: Path
    say: Progress

    def run(self, wanted: Sequence[str] = CHECKS + OF_LIBRARIES) -> Row:
        client, api = self.client, self.api
        wanted = [name for name in checks_of(client) if name in wanted]
        row = Row(client.name, client.title, self.version, api.name, api.dialect, [api.model, *api.also])
        row.checks = {name: Outcome("not", client.lacks[name]) for name in checks_of(client) if name in client.lacks}
        self._seat = seat_at(api, self.place.base_url, self.place.key, self.installed, self.folder)
        with self._seat.ends:
            self._check(row, wanted)
        row.checks = {name: row.checks[name] for name in checks_of(client) if name in row.checks}
        return row

    def _check(self, row: Row, wanted: Sequence[str]) -> None:
        api = self.api
        if "error" in wanted:
            self._error(row)
        if {"text", "stream"} & {*wanted}:
            self._words(row)
        if {"tool", "result"} & {*wanted}:
            for model in (api.model, *api.also):
                self._tool(row, model)
        for model in (api.model, *api.also):
            if "parallel" in wanted:
                self._parallel(row, model)
            if "structured" in wanted:
                self._structured(row, model)
        if "image" in wanted:
            self._image(row)

    def _error(self, row: Row) -> None:
        model = self.api.wrong_model
        turn = Turn("error", "Say a word.", model)
        message = told_of(self.place, self.api.dialect, model)
        self._judge(row, turn, [("error", judge.error)], message=message)

    def _words(self, row: Row) -> None:
        words = 40 + Random().randrange(40)
        prompt = f"Answer in a few words. [[sim:words={words}]] [[sim:slow={PACE_S}]]"
        both = [("text", judge.text), ("stream", judge.stream)]
        match self.client.streams:
            case "always":
                self._judge(row, Turn("text", prompt, self.api.model, stream=True), both, words=words)
            case "never":
                self._judge(row, Turn("text", prompt, self.api.model), both[:1], words=words)
            case "asked":
                self._judge(row, Turn("text", prompt, self.api.model), both[:1], words=words)
                streamed = Turn("stream", prompt, self.api.model, stream=True)
                self._judge(row, streamed, both[1:], words=words)

    def _tool(self, row: Row, model: str) -> None:
        name = f"tool-{len(list(self.folder.glob('work-tool-*')))}"
        content = f"portico-{secrets.token_hex(6)}"
        work = fresh_work(self._seat, name)
        file = work / "told.txt"
        prompt = self.client.tool.format(file=file, content=content)
        turn = Turn("tool", prompt, model, stream=True, tools=True, file=file, content=content)
        self._judge(row, turn, [("tool", judge.tool), ("result", judge.result)], at=work)

    def _parallel(self, row: Row, model: str) -> None:
        work = fresh_work(self._seat, f"parallel-{model}")
        files = {work / f"{name}.txt": f"portico-{secrets.token_hex(6)}" for name in ("one", "two")}
        calls = [f'write_file("{path}", "{content}")' for path, content in files.items()]
        turn = Turn("parallel", f"Call {' and '.join(calls)}.", model, tools=True)
        self._judge(row, turn, [("parallel", judge.parallel)], at=work, files=files)

    def _structured(self, row: Row, model: str) -> None:
        shaped = {"city": secrets.choice(_CITIES), "days": 11 + secrets.randbelow(80)}
        turn = Turn("structured", f"A trip to {shaped['city']} for {shaped['days']} days.", model)
        work = fresh_work(self._seat, f"structured-{model}")
        self._judge(row, turn, [("structured", judge.structured)], at=work, shaped=shaped)

    def _image(self, row: Row) -> None:
        work = fresh_work(self._seat, "image")
        picture = work / "picture.png"
        Image.new("RGB", _SIZE, COLOUR).save(picture)
        turn = Turn("image", self.client.picture.format(image=picture), self.api.model, image=picture, tools=True)
        self._judge(row, turn, [("image", judge.image)], at=work)

    def _judge(
        self,
        row: Row,
        turn: Turn,
        judges: Iterable[tuple[str, Callable[[Case], None]]],
        *,
        words: int = 0,
        message: str = "",
        at: Path | None = None,
        files: Mapping[Path, str] | None = None,
        shaped: Mapping[str, object] | None = None,
    ) -> None:
        """Runs a turn and judges it; what failed before, on another model, stays failed."""
        judges = [(name, judge) for name, judge in judges if name not in self.client.lacks]
        if not judges:
            return
        self.say(f"{turn.check}, {turn.model}")
        if at is None:
            fresh_work(self._seat, turn.check)
        moment = self.place.now()
        said = asked(self.client, self._seat, turn)
        seen = self.place.since(moment)
        case = Case(self.client, self.api.dialect, turn, said, seen, words, message, files or {}, shaped or {})
        for name, one in judges:
            outcome = judged(one, case)
            if outcome.state == "failed":
                outcome = Outcome("failed", f"{turn.model}: {outcome.reason}")
                self.say(f"{name} failed: {outcome.reason}")
            if row.checks.get(name) is None or row.checks[name].state == "passed":
                row.checks[name] = outcome


def asked(client: Client, seat: Seat, turn: Turn) -> Said:
    """What a client says; its own trouble is an answer as well."""
    try:
        return client.ask(seat, turn)
    except Exception as error:  # noqa: BLE001 - somebody else's program, and a run of half an hour
        return Said(1, "", f"{type(error).__name__}: {error}")


def told_of(place: Place, dialect: Dialect, model: str) -> str:
    """What Portico itself says of a model that is not there, asked in a dialect; empty if it is."""
    body: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 9}
    path = "/v1/chat/completions"
    match dialect:
        case Dialect.RESPONSES:
            path, body = "/v1/responses", {"model": model, "input": "Hello"}
        case Dialect.MESSAGES:
            path = "/v1/messages"
        case Dialect.GEMINI:
            path = f"/v1beta/models/{model}:generateContent"
            body = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    connection = http.client.HTTPConnection(place.base_url.removeprefix("http://"), timeout=30)
    headers = {"authorization": f"Bearer {place.key}", "content-type": "application/json"}
    try:
        connection.request("POST", path, json.dumps(body), headers)
        answer = json.loads(connection.getresponse().read())
        return str(answer["error"]["message"]) if "error" in answer else ""
    finally:
        connection.close()
