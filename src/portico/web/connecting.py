"""What pages tell of clients: the settings that `portico connect` writes (`portico.clients`), for the models of this
Portico and the reader's address, and what the clients themselves last proved (`make clients`).

A page's text says nothing of a client that one of the two could say: who changes a client's module changes its page.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec

from portico.clients import CLIENTS, Card, Client, File, Format, Told, client_named
from portico.clients.listed import default_of, small_of
from portico.clients.merge import merge
from portico.clients.told import KEY_VARIABLE
from portico.web.addresses import Locale
from portico.web.evidence import Tried, trials
from portico.web.labels import DIALECTS
from portico.web.markdown import in_markdown
from portico.web.words import Say

SHOWN: Final = 4
"""So many models stand in the settings of a page; the command writes all of them."""
_A_KEY: Final = "sk-portico-…"
_PROMPT: Final = "What is in this folder?"
_FENCE: Final = "```"
_LANGUAGES: Final[Mapping[Format, str]] = {
    Format.JSON: "json",
    Format.TOML: "toml",
    Format.YAML: "yaml",
    Format.ENV: "ini",
}

_OWN_PAGES: Final[Mapping[str, str]] = {"openclaw": "/openclaw"}


def page_of(name: str) -> str:
    """The English address of the page of a client."""
    return _OWN_PAGES.get(name, f"/clients/{name}")


LINKS: Final = tuple((client.title, page_of(client.name)) for client in CLIENTS)
"""Every client and its page."""


class Spoken(msgspec.Struct, frozen=True):
    """A dialect, and the page that says what it carries."""

    title: str
    page: str


class Block(msgspec.Struct, frozen=True):
    """A file of a client's as it is written where there was none."""

    path: str
    """As people write it: `~/.codex/config.toml`."""
    format: str
    language: str
    text: str


class Row(msgspec.Struct, frozen=True):
    """What a client proved on one API: how many checks it passed of how many, and that as cells of a table."""

    passed: int
    of: int
    cells: str
    """The API, the models asked, how many checks were passed."""


class Proven(msgspec.Struct, frozen=True):
    """What the last run of the clients says of one."""

    title: str
    day: str
    portico: str
    version: str
    rows: tuple[Row, ...]
    others: tuple[str, ...]
    """What was not passed, and why, in Markdown: once for all the APIs of which it is true."""

    @property
    def passed(self) -> int:
        return sum(row.passed for row in self.rows)

    @property
    def of(self) -> int:
        return sum(row.of for row in self.rows)


class Shown(msgspec.Struct, frozen=True):
    """A client as a page tells of it. `blocks`, `variables`, `start` and `once` are empty where there is no model."""

    name: str
    title: str
    homepage: str
    install: str
    tried: str
    page: str
    apis: tuple[Spoken, ...]
    files: tuple[str, ...]
    """What the command writes to."""
    blocks: tuple[Block, ...]
    elsewhere: tuple[str, ...]
    """Variables by which its files are in another place."""
    on_macos: str
    """Where its files are there; "": in the same place."""
    key: str
    """How the key is told where no file of its own holds it: a line for a shell."""
    variables: tuple[str, ...]
    """More such lines."""
    start: str
    once: str
    model: str
    listed: int
    """How many models stand in the blocks."""
    models: int
    """How many would, by the command."""
    lists: bool
    """Whether its files name more models than those that it asks by itself."""
    proven: Proven | None

    @property
    def settings(self) -> str:
        """All blocks as Markdown, each below its path."""
        told = [f"`{one.path}`\n\n{_fenced(one.language, one.text)}" for one in self.blocks]
        if self.variables:
            told.append(_fenced("bash", "\n".join(self.variables)))
        return "\n\n".join(told)


def _fenced(language: str, text: str) -> str:
    return f"{_FENCE}{language}\n{text.rstrip()}\n{_FENCE}"


def shown(name: str, cards: Sequence[Card], base_url: str, locale: Locale) -> Shown:
    """A client for whoever reads at an address. `cards`: the models of this Portico. Raises KeyError."""
    client = client_named(name)
    if client is None:
        raise KeyError(f"there is no client {name!r}")
    every = told_by_hand(client, cards, base_url)
    told = None if every is None else few(every)
    written = client.files(msgspec.structs.replace(told or _nobody(client), key=_A_KEY))
    return Shown(
        name=client.name,
        title=client.title,
        homepage=client.homepage,
        install=client.install,
        tried=client.tried,
        page=page_of(client.name),
        apis=tuple(Spoken(*DIALECTS[one]) for one in dict.fromkeys(client.dialects)),
        files=tuple(_path(one) for one in written),
        blocks=() if told is None else tuple(_block(one) for one in client.files(told)),
        elsewhere=tuple(one.variable for one in client.moved),
        on_macos=f"~/{client.homes['darwin'][1]}" if "darwin" in client.homes else "",
        key=client.key_command or f"export {client.apis[0].key_variable}={_key_value(client)}",
        variables=() if told is None else _exports(client.environment(told)),
        start="" if told is None else shlex.join(client.start(told)),
        once="" if told is None else shlex.join(client.once(told, _PROMPT)),
        model="" if told is None else told.model.id,
        listed=0 if told is None else len(told.models),
        models=0 if every is None else len(every.models),
        lists=every is not None and client.files(every) != client.files(_narrow(every)),
        proven=_proven(client.name, locale),
    )


class Run(msgspec.Struct, frozen=True):
    """What was tried on one day against one version, as lines of a table: what it is, and the cells of `Row`."""

    day: str
    portico: str
    lines: tuple[str, ...]


class Every(msgspec.Struct, frozen=True):
    """All clients that the command knows, in the order of its table, and whatever else the last run tried."""

    clients: tuple[Shown, ...]
    others: tuple[Proven, ...]
    runs: tuple[Run, ...]
    """Of the others, the newest first."""
    day: str
    """Of the newest row; "" without one."""
    portico: str
    """The version that answered it."""


def every_client(cards: Sequence[Card], base_url: str, locale: Locale) -> Every:
    rows = _tried()
    newest = _newest(rows)
    known = {client.name for client in CLIENTS}
    names = dict.fromkeys(row.client for row in rows if row.client not in known)
    return Every(
        clients=tuple(shown(client.name, cards, base_url, locale) for client in CLIENTS),
        others=tuple(found for name in names if (found := _proven(name, locale)) is not None),
        runs=_runs([row for row in rows if row.client not in known], Say(locale, markup=False)),
        day="" if newest is None else Say(locale, markup=False).day(newest.measured),
        portico="" if newest is None else newest.portico,
    )


def _runs(tried: Sequence[Tried], say: Say) -> tuple[Run, ...]:
    lines: dict[tuple[date, str], list[str]] = {}
    for one in tried:
        line = f"| {in_markdown(one.title)} {one.version} {_row(one, say).cells}"
        lines.setdefault((one.measured, one.portico), []).append(line)
    return tuple(Run(say.day(day), portico, tuple(lines[day, portico])) for day, portico in sorted(lines, reverse=True))


def told_by_hand(client: Client, cards: Sequence[Card], base_url: str) -> Told | None:
    """What the command tells it whom nobody gave a key; None where there is no model to ask."""
    if not cards:
        return None
    model = default_of(cards, client.likes)
    rest = (card for card in cards if card != model)
    return Told(
        base_url=base_url,
        key=None,
        model=model,
        small=small_of(cards, model),
        models=(model, *rest),
        api=client.apis[0],
    )


def _nobody(client: Client) -> Told:
    """What is told where there is no model: only that is read of it which does not depend on one."""
    card = Card(id="model", title="", owner="", context_tokens=1, output_tokens=1)
    return Told(base_url="", key=None, model=card, small=card, models=(card,), api=client.apis[0])


def few(told: Told) -> Told:
    """The same with those models alone that matter most: those asked by default, and each vendor's for everyday work."""
    owners = dict.fromkeys(card.owner for card in told.models)
    of_each = (default_of([card for card in told.models if card.owner == owner], [owner]) for owner in owners)
    names = list(dict.fromkeys(card.id for card in (told.model, *of_each, told.small)))[:SHOWN]
    return msgspec.structs.replace(told, models=tuple(card for card in told.models if card.id in names))


def _narrow(told: Told) -> Told:
    return msgspec.structs.replace(told, models=(told.model,))


def _block(file: File) -> Block:
    text = merge(file.format, "", file.settings)
    return Block(_path(file), file.format.value, _LANGUAGES[file.format], text)


def _key_value(client: Client) -> str:
    return _A_KEY if client.apis[0].key_variable == KEY_VARIABLE else f'"${KEY_VARIABLE}"'


def _path(file: File) -> str:
    return f"~/{file.path}"


def _exports(variables: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def _proven(name: str, locale: Locale) -> Proven | None:
    tried = [row for row in _tried() if row.client == name]
    newest = _newest(tried)
    if newest is None:
        return None
    say = Say(locale, markup=False)
    return Proven(
        title=tried[0].title,
        day=say.day(newest.measured),
        portico=newest.portico,
        version=tried[0].version,
        rows=tuple(_row(one, say) for one in tried),
        others=tuple(_others(tried, say)),
    )


def _tried() -> Sequence[Tried]:
    run = trials()
    return () if run is None else run.rows


def _newest(tried: Sequence[Tried]) -> Tried | None:
    return max(tried, key=lambda row: row.measured, default=None)


def _row(tried: Tried, say: Say) -> Row:
    passed = sum(state == "passed" for state in tried.checks.values())
    models = say(", ").join(f"`{name}`" for name in tried.models)
    return Row(passed, len(tried.checks), f"| `{tried.api}` | {models or '–'} | {passed}/{len(tried.checks)} |")


def _because(reason: str, say: Say) -> str:
    """A reason that `make clients` gives, which of a client that is not there ends in the words of its registry."""
    before, lacking, why = reason.partition("cannot be installed: ")
    return say("cannot be installed: %(reason)s", reason=why) if lacking and not before else say(reason)


def _others(tried: Sequence[Tried], say: Say) -> Iterator[str]:
    apis: dict[str, list[str]] = {}
    for row in tried:
        why: dict[tuple[bool, str], list[str]] = {}
        for name, state in row.checks.items():
            if state != "passed":
                why.setdefault((state == "failed", row.reasons.get(name, "")), []).append(name)
        for (failed, reason), names in why.items():
            told = {"name": say(", ").join(names), "reason": in_markdown(_because(reason, say)) or "–"}
            text = (
                f"**{say('%(name)s failed: %(reason)s', **told)}**" if failed else say("%(name)s: %(reason)s", **told)
            )
            apis.setdefault(text, []).append(f"`{row.api}`")
    for text, names in apis.items():
        yield say("%(name)s: %(reason)s", name=say(", ").join(names), reason=text)
