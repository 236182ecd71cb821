"""A house to look at without a server: its app, asked as an ASGI server asks, with the shipped catalog and its prices."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import unquote

import msgspec
import yaml

from portico.catalog import Catalog, Markup, Model, PriceBooks, Published, Rates, Tier, load_catalog
from portico.relay.prepare import successor
from portico.web.house import House
from portico.web.machine import every_address
from portico.web.showroom import Day, Offer, Showroom, Traffic

KINDS: Final = {"google": "gemini", "openai": "openai", "anthropic": "anthropic"}
NOW: Final = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
CATALOG: Final = load_catalog()


def showroom(
    *,
    catalog: Catalog = CATALOG,
    published: Sequence[Published] = (),
    markups: Sequence[Markup] = (),
    traffic: Mapping[str, tuple[Traffic, ...]] | None = None,
    providers: Mapping[str, Mapping[str, tuple[Traffic, ...]]] | None = None,
    vendors: Sequence[str] = tuple(KINDS),
    public_url: str | None = None,
) -> Showroom:
    """What a Portico with a provider of each of these vendors shows."""
    books = PriceBooks(CATALOG, published, markups)

    def offers(model: Model) -> tuple[Offer, ...]:
        kind = KINDS.get(model.vendor, "openai-compatible")
        if model.vendor not in vendors or (model.is_gone(NOW.date()) and model.successor is None):
            return ()
        return (Offer(kind, kind, model.targets[0].upstream_model if model.targets else model.name),)

    def rates(model: Model, offer: Offer, on: date, tier: Tier) -> Rates:
        answers = successor(CATALOG, model, on, offer.kind) or model
        return books.rates(
            model=answers,
            provider=offer.provider,
            provider_kind=offer.kind,
            upstream_model=offer.upstream_model if answers is model else answers.name,
            account="",
            on=on,
            tier=tier,
        )

    day = Day(NOW, traffic or {}, providers or {})

    async def measured() -> Day:
        return day

    return Showroom(
        catalog=lambda: catalog, offers=offers, rates=rates, traffic=measured, now=lambda: NOW, public_url=public_url
    )


class Answer(msgspec.Struct):
    """What the house answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def front(self) -> dict[str, Any]:
        """The front matter of a Markdown twin, as YAML reads it."""
        assert self.text.startswith("---\n")
        told = yaml.safe_load(self.text.split("---\n", 2)[1])
        assert isinstance(told, dict)
        return told

    @property
    def page(self) -> "PageParser":
        return PageParser.of(self.text)


READER: Final = {"accept": "text/html,application/xhtml+xml", "host": "portico.example:8080"}


async def ask(house: House, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET") -> Answer:
    """One request. Headers are added to a reader's; None: just those."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)
        await asyncio.sleep(0)

    scope = scope_of(method, path, READER | dict(headers or {}))
    await house(scope, receive, send)
    fields = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], fields, b"".join(one.get("body", b"") for one in sent[1:]))


def scope_of(method: str, path: str, headers: Mapping[str, str], *, scheme: str = "http") -> dict[str, Any]:
    """A request as an ASGI server hands it on."""
    url, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": unquote(url),
        "raw_path": url.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
    }


ROOM: Final = showroom()
HOUSE: Final = House(ROOM)
ADDRESSES: Final = every_address(ROOM)
"""English addresses of every page."""


class PageParser(HTMLParser):
    """What tests want to know of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.pieces: list[tuple[str, str]] = []
        """(innermost tag, text)"""
        self._open: list[str] = []

    @classmethod
    def of(cls, text: str) -> "PageParser":
        parser = cls()
        parser.feed(text)
        parser.close()
        return parser

    _VOID: Final = frozenset({"meta", "link", "input", "br", "hr", "img", "use", "rect", "path"})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self._VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.pieces.append((self._open[-1] if self._open else "", data))

    def all(self, tag: str, **wanted: str) -> Iterator[dict[str, str]]:
        for name, attrs in self.tags:
            if name == tag and all(attrs.get(key) == value for key, value in wanted.items()):
                yield attrs

    @property
    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.tags if "id" in attrs]

    @property
    def links(self) -> list[str]:
        return [attrs["href"] for attrs in self.all("a") if "href" in attrs]

    @property
    def prose(self) -> str:
        """The text of the page, without code."""
        return "\n".join(text for tag, text in self.pieces if tag not in ("code", "pre", "style", "script", "span"))
