"""What a client is to be told: which Portico, which key, which models. Asked of the Portico itself, which alone knows."""

import difflib
import fnmatch
import re
from collections.abc import Sequence
from typing import Final

from portico.cli.connect.ask import NoAnswer, models_of
from portico.cli.connect.asked import URL_VARIABLE, Asked, Failed, World, api_of, where_is
from portico.cli.connect.here import cards_here
from portico.cli.connect.reading import filed_for
from portico.clients import Api, Card, Client, Told
from portico.clients.listed import cards_of, default_of, others_of, small_of
from portico.clients.told import KEY_VARIABLE

_KEY: Final = re.compile(r"[!-~]+")


def told_to(client: Client, asked: Asked, world: World, *, writes: bool) -> tuple[Told, list[str]]:
    """What the client is to be told, and what to say of how that was found. If nothing is written of it, a configuration on
    this machine may stand in for a Portico that does not run; if it is, the key may be the one that the client's files have
    for that address. Raises `Failed`, `NoAnswer`."""
    environment = world.environment
    api = api_of(client, asked.api)
    root = where_is(asked.url, environment)
    notes: list[str] = []
    key = (asked.key or environment.get(KEY_VARIABLE) or "").strip() or None
    if key is None and writes and (reading := filed_for(client, root, world)) is not None:
        key = reading.key
        notes.append(f"The key is the one that {client.title} has: that of {reading.key_from}.")
    if key is not None and not _KEY.fullmatch(key):
        raise Failed("The key has spaces, line breaks or letters in it that no key has.")
    try:
        cards = cards_at(root, key)
    except NoAnswer as error:
        cards = cards_here() if not writes and not (asked.url or environment.get(URL_VARIABLE)) else ()
        if not cards or error.status is not None:
            raise
        notes.append(
            f"{error} The models are those of the configuration on this machine, at the prices of the catalog."
        )
    cards = fitting(cards, asked.models)
    model = default_of(cards, client.likes) if asked.model is None else named(cards, asked.model)
    return told_of(model, cards, root=root, key=key, api=api), notes


def cards_at(root: str, key: str | None) -> tuple[Card, ...]:
    """The models of a Portico that chat, behind them their other names. Raises `Failed` where there is none, and
    `NoAnswer`."""
    rows = models_of(root, key)
    cards = cards_of(rows)
    if not cards:
        raise Failed(f"{root} lists no model that chats: has it a provider, and may the key ask for any?")
    return cards + others_of(rows, cards)


def fitting(cards: tuple[Card, ...], globs: str | None) -> tuple[Card, ...]:
    """Raises `Failed` where none is left."""
    if globs is None:
        return cards
    wanted = [glob.strip() for glob in globs.split(",")]
    found = tuple(card for card in cards if any(fnmatch.fnmatchcase(card.id, glob) for glob in wanted))
    if not found:
        raise Failed(f"No model that is served here fits {globs!r}.")
    return found


def named(cards: Sequence[Card], name: str) -> Card:
    """Raises `Failed`, with those that are nearly named so."""
    found = next((card for card in cards if card.id == name), None)
    if found is None:
        near = difflib.get_close_matches(name, [card.id for card in cards], n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise Failed(f"{name!r} is no model that is listed for this key and that chats.{hint}")
    return found


def told_of(model: Card, cards: Sequence[Card], *, root: str, key: str | None, api: Api) -> Told:
    """With the default in front of the models, which are told by their own names."""
    rest = tuple(card for card in cards if card.id != model.id and not card.base)
    return Told(base_url=root, key=key, model=model, small=small_of(cards, model), models=(model, *rest), api=api)


def where_the_key_goes(client: Client, api: Api) -> str:
    if client.key_command:
        return f"{client.title} has no key yet: {client.key_command}"
    variable = api.key_variable
    if variable == KEY_VARIABLE:
        return f"{client.title} reads the key from ${KEY_VARIABLE}: set it where {client.title} runs."
    return f'{client.title} reads the key from ${variable}: export {variable}="${KEY_VARIABLE}"'
