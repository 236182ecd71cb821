"""The pages that are written: `pages/<locale>/<address>.md`, their order in `pages/nav.toml`, their samples in `samples/`;
and those of the reference, which `manual.py` writes of data.

A page is a template first: `{{ base_url }}` is the visitor's own, `{{ sample("chat/basic") }}` a sample in every client it
is kept for, `{{ answer("chat/basic") }}` what a running Portico answered to it, `{{ operations("en") }}` the table of the
reference, `clients` all clients that can be connected, and `client` the one that a page names in its front matter
(`connecting.py`). Pages of clients begin with `clients/_head.md` and end with `clients/_tail.md`.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, TypeAlias

import msgspec
from jinja2 import Environment, StrictUndefined, Template

from portico.clients import Card
from portico.web import manual, reference
from portico.web.addresses import Locale
from portico.web.connecting import every_client, shown
from portico.web.reference import Operation
from portico.web.showroom import KEEPING, Keeping

SAMPLE_URL: Final = "http://localhost:8080"
"""Stands in samples for the address of whoever reads them."""
_FENCE: Final = "```"


class Source(msgspec.Struct, frozen=True):
    """One page in one locale, as it is written."""

    path: str
    title: str
    summary: str
    body: str
    model: str | None = None
    client: str = ""
    """The client it tells of; "*" for all of them."""
    cards: tuple[Card, ...] = ()
    """The models that a page of clients names: those of the Portico that is looked at."""
    locale: Locale = Locale.EN


class Section(msgspec.Struct, frozen=True):
    """A part of the navigation."""

    titles: Mapping[str, str]
    pages: tuple[str, ...]

    def title(self, locale: Locale) -> str:
        return self.titles[locale.value]


class Client(msgspec.Struct, frozen=True):
    """Something a sample is written for: its file, the title of its tab, the language of its code."""

    file: str
    title: str
    language: str


CLIENTS: Final = (
    Client("curl.sh", "curl", "bash"),
    Client("python.py", "Python", "python"),
    Client("node.mjs", "Node.js", "javascript"),
    Client("openclaw.json", "OpenClaw", "json"),
    Client("claude-code.sh", "Claude Code", "bash"),
)
"""The clients that a sample may be kept for, in the order of their tabs."""


def _folder(name: str) -> Traversable:
    return files("portico.web") / name


@cache
def sections() -> tuple[Section, ...]:
    """The navigation of the documentation, in its order."""
    told = tomllib.loads((_folder("pages") / "nav.toml").read_text("utf-8"))
    return tuple(Section(one["title"], tuple(one["pages"])) for one in told["section"])


@cache
def pages(locale: Locale) -> Mapping[str, Source]:
    """Every page that is written in a locale, by its English address."""
    folder = _folder("pages") / locale.value
    found = (_source(path, text, locale) for path, text in _read(folder, ""))
    return {source.path: _between(source, folder / "clients") for source in found}


def _read(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    """Addresses and texts; a file whose name begins with _ is a part of pages, and none itself."""
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _read(entry, f"{path}/{entry.name}")
        elif entry.name.endswith(".md") and not entry.name.startswith("_"):
            yield f"{path}/{entry.name.removesuffix('.md')}", entry.read_text("utf-8")


def _between(source: Source, parts: Traversable) -> Source:
    """A page of a client between what all of them begin and end with."""
    if source.path != f"/clients/{source.client}":
        return source
    head, tail = ((parts / name).read_text("utf-8") for name in ("_head.md", "_tail.md"))
    return msgspec.structs.replace(source, body=f"{head}{source.body}{tail}")


def _source(path: str, text: str, locale: Locale) -> Source:
    opening, front, body = text.split("---\n", 2)
    if opening.strip():
        raise ValueError(f"{path}: a page begins with its front matter")
    fields = dict(line.split(": ", 1) for line in front.splitlines() if line.strip())
    told = {name: value.strip().strip('"') for name, value in fields.items()}
    return Source(
        path,
        told["title"],
        told["summary"],
        body.lstrip("\n"),
        told.get("model"),
        told.get("client", ""),
        locale=locale,
    )


@cache
def sample_files(name: str) -> tuple[tuple[Client, str], ...]:
    """A sample in each client it is kept for. Raises KeyError if there is none of that name."""
    folder = _folder("samples").joinpath(*name.split("/"))
    found = [(client, folder / client.file) for client in CLIENTS]
    kept = tuple((client, file.read_text("utf-8")) for client, file in found if file.is_file())
    if not kept:
        raise KeyError(f"there is no sample {name!r}")
    return kept


def with_base_url(text: str, base_url: str) -> str:
    """A sample for whoever reads it at that address."""
    return text.replace(SAMPLE_URL, base_url)


def _sample(base_url: str) -> Callable[[str], str]:
    def told(name: str) -> str:
        blocks = [
            f'{_FENCE}{client.language} tab="{client.title}"\n{with_base_url(text, base_url).rstrip()}\n{_FENCE}'
            for client, text in sample_files(name)
        ]
        return "\n\n".join(blocks)

    return told


class Answer(msgspec.Struct, frozen=True):
    """What a running Portico answered to a sample."""

    language: str
    text: str


@cache
def stored_answer(name: str) -> Answer | None:
    """The answer of a sample, where one is kept."""
    folder = _folder("samples").joinpath(*name.split("/"))
    for file, language in (("answer.json", "json"), ("answer.txt", "text")):
        if (folder / file).is_file():
            return Answer(language, (folder / file).read_text("utf-8").rstrip())
    return None


def _answer(name: str) -> str:
    """The stored answer of a sample. Raises KeyError if there is none."""
    kept = stored_answer(name)
    if kept is None:
        raise KeyError(f"there is no answer to the sample {name!r}")
    return f"{_FENCE}{kept.language}\n{kept.text}\n{_FENCE}"


_TEMPLATES: Final = Environment(
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - Markdown, of which the parser lets no HTML through
    comment_start_string="{##",
    comment_end_string="##}",
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


@lru_cache(maxsize=1024)
def _compiled(body: str) -> Template:
    return _TEMPLATES.from_string(body)


def body_of(source: Source, base_url: str, keeping: Keeping = KEEPING) -> str:
    """The Markdown of a page for whoever reads it at `base_url`. `keeping`: for how long what is kept there."""
    told: dict[str, Any] = {
        "base_url": base_url,
        "sample": _sample(base_url),
        "answer": _answer,
        "operations": manual.index,
    }
    if source.client == "*":
        told["clients"] = every_client(source.cards, base_url, source.locale)
    elif source.client:
        told["client"] = shown(source.client, source.cards, base_url, source.locale)
    told["operation"] = lambda id_, locale: _compiled(_manual(id_, Locale(locale))).render(told)
    return _compiled(source.body).render(told | msgspec.structs.asdict(keeping))


Room: TypeAlias = tuple[str, list[Source]]
"""A part of the navigation: its title and its pages."""


def navigation(locale: Locale) -> list[Room]:
    """The documentation's rooms, in their order."""
    there = pages(locale)
    return [(part.title(locale), [there[path] for path in part.pages if path in there]) for part in sections()]


@cache
def chapters(locale: Locale) -> list[Room]:
    """The rooms of the reference: a page for each operation, which is written when somebody looks at it."""
    return [
        (tag.told(locale), [_operation(one, locale) for one in reference.of_tag(tag)]) for tag in reference.shared().tag
    ]


def _operation(one: Operation, locale: Locale) -> Source:
    body = f'{{{{ operation("{one.id}", "{locale.value}") }}}}'
    return Source(one.page, one.title.told(locale), one.summary.told(locale), body)


@cache
def _manual(id_: str, locale: Locale) -> str:
    one = reference.by_id()[id_]
    titles = {path: source.title for path, source in pages(locale).items()}
    return manual.body(one, locale, titles, answered=one.sample is not None and stored_answer(one.sample) is not None)


@cache
def every_source(locale: Locale) -> Mapping[str, Source]:
    """Every page of the documentation, by its English address."""
    return {**pages(locale), **{one.path: one for _, room in chapters(locale) for one in room}}
