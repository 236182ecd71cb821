"""`portico connect NAME --check`: what the client's files say now, and one real call as the client would make it."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from portico.cli.connect_ask import NoAnswer
from portico.cli.connect_call import call_of, cost_of, made
from portico.cli.connect_files import Unwritable, read_text
from portico.cli.connect_told import (
    PLACEHOLDER,
    Asked,
    Failed,
    World,
    api_of,
    told_to,
    where_is,
    where_the_key_goes,
)
from portico.clients import Client, File, Told
from portico.clients.held import Difference, differences, found_at
from portico.clients.merge import Unmergeable, read
from portico.clients.told import Card

KEY: Final = "portico-key-here"
ROOT: Final = "http://portico.invalid"
MODEL: Final = "portico-model-here"


class Standing(msgspec.Struct, frozen=True):
    """What a client's own files say."""

    key: str | None
    root: str | None
    model: str | None
    problems: tuple[str, ...]


def standing(client: Client, told: Told, places: Mapping[str, Path]) -> Standing:
    """Reads the files of a client. `places`: where each is, by its path below the home folder."""
    sought = _sought(client, told)
    held: dict[str, Any] = {}
    problems: list[str] = []
    for file in sought:
        path = places[file.path]
        try:
            held[file.path] = read(file.format, read_text(path))
        except Unmergeable as error:
            problems.append(f"{path}{'' if error.line is None else f', line {error.line}'}: {error.why}")
        except Unwritable as error:
            problems.append(str(error))
    there = {file.path: (file, held.get(file.path)) for file in sought}

    def found(sentinel: str) -> str | None:
        return next((one for file, value in there.values() if (one := found_at(file.settings, value, sentinel))), None)

    return Standing(found(KEY), found(ROOT), found(MODEL), tuple(problems))


def _sought(client: Client, told: Told) -> tuple[File, ...]:
    """The files with marks where the key, the address and the model stand."""
    card = msgspec.structs.replace(told.model, id=MODEL, title="another")
    return client.files(msgspec.structs.replace(told, base_url=ROOT, key=KEY, model=card, models=(card,)))


def stale(client: Client, told: Told, places: Mapping[str, Path]) -> Iterator[tuple[Path, Difference | None]]:
    """What in the files is not as this Portico would tell it; None of a file that is not there."""
    for file in client.files(told):
        path = places[file.path]
        if not path.exists():
            yield path, None
            continue
        try:
            held = read(file.format, read_text(path))
        except (Unmergeable, Unwritable):
            continue  # `standing` has said it
        for difference in differences(file.settings, held):
            yield path, difference


def shown(value: Any) -> str:
    """A value for people; a key only by its beginning."""
    if value is None:
        return "not there"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "a key" if "sk-" in text else text[:120]


def run_check_of(client: Client, asked: Asked, world: World) -> int:
    """Says what the client's own files say, then makes one call as it would."""
    api = api_of(client, asked.api)
    nothing = Card(id="none", title="none", owner="", context_tokens=1, output_tokens=1)
    root = where_is(asked, world.environment)
    guess = Told(base_url=root, key=None, model=nothing, small=nothing, models=(nothing,), api=api)
    places = world.places(client, client.files(msgspec.structs.replace(guess, key=PLACEHOLDER)))
    now = standing(client, guess, places)
    found = _Found(client, list(now.problems))
    key = asked.key or now.key or world.environment.get(api.key_variable) or None
    if key is None:
        found.problems.append(where_the_key_goes(client, api))
    if asked.url is not None and now.root is not None and now.root != root:
        found.problems.append(f"{client.title} asks {now.root}, not {root}.")
    as_held = msgspec.structs.replace(asked, url=now.root or root, key=key, model=asked.model or now.model)
    try:
        try:
            told, _ = told_to(client, as_held, {})
        except Failed as error:
            found.problems.append(str(error))
            told, _ = told_to(client, msgspec.structs.replace(as_held, model=None), {})
        found.compare(msgspec.structs.replace(told, key=now.key), places)
        found.call(told, key)
    except NoAnswer as error:
        found.problems.append(str(error))
    return found.say(as_json=asked.as_json)


class _Found:
    """What a check finds out."""

    def __init__(self, client: Client, problems: list[str]) -> None:
        self._client = client
        self.problems = problems
        self._notes: list[str] = []
        self._result: dict[str, Any] = {}

    def compare(self, told: Told, places: Mapping[str, Path]) -> None:
        """What is wrong in a file is a problem; that other models are served by now is worth a word."""
        for path, difference in stale(self._client, told, places):
            if difference is None:
                self.problems.append(f"{path} is not there.")
            elif isinstance(difference.wanted, str | bool | int | float) and "[" not in difference.path:
                self.problems.append(
                    f"{path}: {difference.path} is {shown(difference.found)}, not {shown(difference.wanted)}."
                )
            else:
                self._notes.append(f"{path}: {difference.path} is not as this Portico would tell it now.")

    def call(self, told: Told, key: str | None) -> None:
        """Raises `NoAnswer`."""
        answered = made(call_of(told, key))
        if answered.in_one_piece:
            self.problems.append(
                f"The answer came in one piece after {answered.first_s:.1f} s: something in between keeps streams back. "
                "Behind nginx set `proxy_buffering off`."
            )
        self._result = {
            "url": told.base_url,
            "api": told.api.name,
            "model": told.model.id,
            "first_event_s": round(answered.first_s, 3),
            "seconds": round(answered.last_s, 3),
            "tokens": answered.tokens,
            "cost_usd": cost_of(told.base_url, key, answered.request_id),
            "request_id": answered.request_id,
        }

    def say(self, *, as_json: bool) -> int:
        title, name, result = self._client.title, self._client.name, self._result
        if as_json:
            told = {"ok": not self.problems, "client": name, **result, "problems": self.problems, "notes": self._notes}
            print(json.dumps(told, ensure_ascii=False, indent=2))
            return 1 if self.problems else 0
        if result:
            cost = f", ${result['cost_usd']}" if result["cost_usd"] else ""
            print(
                f"{result['model']} answered by {result['api']}: first event after {result['first_event_s']:.2f} s, all "
                f"after {result['seconds']:.2f} s, {result['tokens'] or 'unknown'} tokens{cost} ({result['request_id']})."
            )
        for line in self.problems:
            print(line, file=sys.stderr)
        for line in self._notes[:3]:
            print(line)
        if self.problems or self._notes:
            print(f"portico connect {name} --write brings its files up to date.")
        if not self.problems:
            print(f"{title} is connected.")
        return 1 if self.problems else 0
