"""`portico connect NAME --check`: what the client's files say now, and one real call as the client would make it."""

import json
import sys
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from portico.cli.admin.show import printable
from portico.cli.connect.ask import NoAnswer
from portico.cli.connect.asked import Asked, Failed, World, again, api_of, enough, is_known_here, where_is
from portico.cli.connect.call import call_of, cost_of, made
from portico.cli.connect.reading import Held, Reading, held_by, missing, reading_of, stale, unheard
from portico.cli.connect.told import cards_at, fitting, named, told_of, where_the_key_goes
from portico.clients import Card, Client, Told
from portico.clients.held import Difference
from portico.clients.judged import hinders
from portico.clients.listed import default_of

_SHOWN: Final = 5
"""So many lines of a kind are printed; with --json there are all of them."""
_CALLED: Final = ("model", "first_event_s", "seconds", "tokens", "cost_usd", "request_id")


class _Found:
    """What a check finds out."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.call: dict[str, Any] = {}
        self.reading: Reading | None = None
        self.mend: str | None = None
        """The command that writes what differs."""


def run_check_of(client: Client, asked: Asked, world: World) -> int:
    """Says what the client's own files say, then makes one call as it would. Raises `Failed` for what was asked wrongly."""
    apis = client.apis if asked.api is None else (api_of(client, asked.api),)
    root = None if asked.url is None else where_is(asked.url, world.environment)
    held = held_by(client, world)
    found = _Found()
    found.problems += held.problems
    found.notes += held.beaten
    readings = [reading_of(client, api, held, world.environment) for api in apis]
    there = [one for one in readings if one.root is not None]
    meant = [one for one in there if root in (None, one.root)]
    if not there:
        _say_unconnected(found, client, asked, held, readings[0])
    elif not meant:
        asks = _nearest(client, held, there, ()).root
        found.problems.append(
            f"{client.title} asks {asks}, not {root}; nothing was sent to either. "
            f"`{again(asked, '--write')}` points it there; without --url the one that it asks is checked."
        )
    else:
        _check(found, client, asked, world, held, meant)
    return _say(found, client, as_json=asked.as_json)


def _say_unconnected(found: _Found, client: Client, asked: Asked, held: Held, reading: Reading) -> None:
    told = _as_read(client, reading, ())
    found.problems += [f"{place} is not there." for place in missing(client, told, held)]
    found.problems.append(
        f"{client.title} has no address of a Portico in its files; `{again(asked, '--write')}` puts it there."
    )


def _check(found: _Found, client: Client, asked: Asked, world: World, held: Held, readings: Sequence[Reading]) -> None:
    """`readings`: those that have an address, which is where their key may go."""
    reading = found.reading = _nearest(client, held, readings, ())
    _judge_key(found, client, asked, reading)
    if reading.key is None and asked.key is not None and not _is_pointed_out(asked, reading, world):
        found.problems.append(
            f"{client.title} asks {reading.root}, and the key given here was not sent there: add --url {reading.root} if "
            f"it is for that, or let `{again(asked, '--write')}` point {client.title} to the Portico that it is for."
        )
        return
    try:
        cards = fitting(cards_at(str(reading.root), reading.key or asked.key), asked.models)
        alike = [one for one in readings if (one.root, one.key) == (reading.root, reading.key)]
        reading = found.reading = _nearest(client, held, alike, cards)
        if (name := asked.model or reading.model) is not None:
            reading = msgspec.structs.replace(reading, model=_listed(found, cards, name))
        told = _as_read(client, reading, cards)
        _compare(found, client, asked, told, held, world, {card.id for card in cards})
        _judge_shell(found, client, told, world)
        _call(found, told, reading.key or asked.key)
    except NoAnswer as error:
        whose = f" It is the address that {client.title} has." if error.status is None else ""
        found.problems.append(f"{error}{whose}")
    except Failed as error:
        found.problems.append(str(error))


def _is_pointed_out(asked: Asked, reading: Reading, world: World) -> bool:
    """Whether whoever gives a key knows where it goes; an address that only the client's file has may be anybody's."""
    return asked.url is not None or is_known_here(str(reading.root), world.environment)


def _listed(found: _Found, cards: Sequence[Card], name: str) -> str | None:
    """The name, if it is that of a model; else the default is asked."""
    try:
        return named(cards, name).id
    except Failed as error:
        found.problems.append(str(error))
        return None


def _nearest(client: Client, held: Held, readings: Sequence[Reading], cards: Sequence[Card]) -> Reading:
    """The one by whose API the files differ least: that is the one they were written for."""
    return min(readings, key=lambda one: len([*stale(client, _as_read(client, one, cards), held)]))


def _as_read(client: Client, reading: Reading, cards: Sequence[Card]) -> Told:
    """What the client would be told that is told what it has been."""
    unknown = Card(id=reading.model or "none", title="none", owner="", context_tokens=1, output_tokens=1)
    model = next((card for card in cards if card.id == reading.model), default_of(cards or (unknown,), client.likes))
    key = reading.key if reading.is_filed else None
    return told_of(model, cards or (unknown,), root=reading.root or "", key=key, api=reading.api)


def _judge_key(found: _Found, client: Client, asked: Asked, reading: Reading) -> None:
    """The call is made with the client's own key: one that is given beside it would hide what is wrong there."""
    if reading.key is None:
        found.problems.append(where_the_key_goes(client, reading.api))
    elif asked.key not in (None, reading.key):
        found.problems.append(f"{client.title} uses another key than the one given here: that of {reading.key_from}.")


def _compare(
    found: _Found, client: Client, asked: Asked, told: Told, held: Held, world: World, listed: AbstractSet[str]
) -> None:
    """What keeps the client from asking as it should is a problem; that Portico would tell more by now is worth a word."""
    absent = missing(client, told, held)
    found.problems += [f"{place} is not there." for place in absent]
    pieces = [(place, piece) for place, piece in stale(client, told, held) if place not in absent]
    for place, piece in pieces:
        if hinders(piece, told, listed):
            found.problems.append(f"{place}: {_said(piece)}")
        else:
            found.notes.append(f"{place}: {piece.path} is not as this Portico would tell it now.")
    for place, name in unheard(client, told, held):
        found.problems.append(
            f"{place}: {client.title} asks the first of its models, {name!r}, where nobody chooses: move ours up."
        )
    if absent or pieces:
        found.mend = again(enough(client, told, asked, world.environment), "--write")


def _said(piece: Difference) -> str:
    if piece.found is None and not isinstance(piece.wanted, str):
        return f"{piece.path} is not there."
    if piece.wanted is None:
        return f"{piece.path} is {_shown(piece.found)}, and nothing should be there."
    if piece.found is None:
        return f"{piece.path} is not there; it should be {_shown(piece.wanted)}."
    return f"{piece.path} is {_shown(piece.found)}, not {_shown(piece.wanted)}."


def _shown(value: Any) -> str:
    """A value for people; a key is none."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "a key" if "sk-" in text else text[:120]


def _judge_shell(found: _Found, client: Client, told: Told, world: World) -> None:
    """What no file tells the client."""
    for name, wanted in client.environment(told).items():
        there = world.environment.get(name)
        if there is None or there.rstrip("/") != wanted:
            now = "where it is not set" if there is None else f"where it is {there}"
            found.problems.append(f"{client.title} reads ${name} from the shell, {now}: export {name}={wanted}")


def _call(found: _Found, told: Told, key: str | None) -> None:
    """Raises `NoAnswer`."""
    answered = made(call_of(told, key))
    if answered.in_one_piece:
        found.problems.append(
            f"The answer came in one piece after {answered.first_s:.1f} s: something in between keeps streams back. "
            "Behind nginx set `proxy_buffering off`."
        )
    found.call = {
        "model": told.model.id,
        "first_event_s": round(answered.first_s, 3),
        "seconds": round(answered.last_s, 3),
        "tokens": answered.tokens,
        "cost_usd": cost_of(told.base_url, key, answered.request_id),
        "request_id": answered.request_id,
    }


def _say(found: _Found, client: Client, *, as_json: bool) -> int:
    code = 1 if found.problems else 0
    if as_json:
        where = found.reading
        told = {
            "ok": not found.problems,
            "client": client.name,
            "url": None if where is None else where.root,
            "api": None if where is None else where.api.name,
            **dict.fromkeys(_CALLED),
            **found.call,
            "problems": found.problems,
            "notes": found.notes,
            "mend": found.mend,
        }
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return code
    if found.call and found.reading is not None:
        call = found.call
        cost = f", ${call['cost_usd']}" if call["cost_usd"] else ""
        print(
            f"{call['model']} answered by {found.reading.api.name}: first event after {call['first_event_s']:.2f} s, all "
            f"after {call['seconds']:.2f} s, {call['tokens'] or 'unknown'} tokens{cost} ({call['request_id']})."
        )
    _lines(found.problems, sys.stderr)
    _lines(found.notes, sys.stdout)
    if found.mend is not None:
        print(f"{found.mend} brings its files up to date.")
    if not found.problems:
        print(f"{client.title} is connected.")
    return code


def _lines(lines: Sequence[str], out: Any) -> None:
    for line in lines[:_SHOWN]:
        print(printable(line), file=out)
    if len(lines) > _SHOWN:
        print(f"… and {len(lines) - _SHOWN} more of the kind, which --json has.", file=out)
