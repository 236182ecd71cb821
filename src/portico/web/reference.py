"""The reference of the API that callers use: every operation as data, in three languages (`data/api/*.toml`).

    shared.toml    what many operations have: tags, headers, errors, texts
    <tag>.toml     the operations of a tag, in their order

`openapi.py` makes a document of it, `manual.py` the pages. Which routes there are is said by `http/routes.py`, which this
room may not import: `tests/web/test_reference.py` holds the two together, and every bound here to the parser that keeps it.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, TypeAlias

import msgspec

from portico.web.addresses import Locale

Shape: TypeAlias = Literal["openai", "anthropic", "google", "any"]
"""In whose words an error is told; `any`: in those of who asks."""
JSON: Final = "application/json"
FORM: Final = "multipart/form-data"
EVENTS: Final = "text/event-stream"
BYTES: Final = "application/octet-stream"
PREFIX: Final = "/docs/api"
"""Where the pages are."""


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text in every locale."""

    en: str
    zh_cn: str = msgspec.field(name="zh-CN")
    zh_hk: str = msgspec.field(name="zh-HK")

    def told(self, locale: Locale) -> str:
        return {Locale.EN: self.en, Locale.ZH_CN: self.zh_cn, Locale.ZH_HK: self.zh_hk}[locale]


class Field(Words, frozen=True):
    """A parameter, a header, or a member of a body or an answer. `name` is its path: `messages[].role`."""

    name: str
    type: str | tuple[str, ...] = "string"
    """JSON Schema's words, and `file`."""
    items: str | None = None
    """Of an array: the type of what it holds."""
    required: bool = False
    least: float | None = None
    most: float | None = None
    length: tuple[int, int] | None = None
    """Of a string, in characters."""
    count: tuple[int, int] | None = None
    """Of an array: how many it may hold."""
    words: tuple[str, ...] = ()
    """A string's only values."""
    default: str | float | bool | None = None
    format: str | None = None

    @property
    def types(self) -> tuple[str, ...]:
        return (self.type,) if isinstance(self.type, str) else self.type


class Tag(Words, frozen=True):
    """A room of the reference."""

    id: str


class Error(Words, frozen=True):
    """What may go wrong. `/docs/errors` has a heading for each code."""

    code: str
    status: int


class Operation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One method at one address."""

    id: str
    """In kebab-case: the `operationId`, and the end of the page's address."""
    route: str
    """As `http/routes.py` names it."""
    method: Literal["GET", "POST", "DELETE"]
    path: str
    also: tuple[str, ...] = ()
    """Other addresses that do the same."""
    shape: Shape
    title: Words
    summary: Words
    about: Words | None = None
    pages: tuple[str, ...]
    """Where there is more to read."""
    sample: str | None = None
    address: tuple[Field, ...] = ()
    query: tuple[Field, ...] = ()
    headers: tuple[str, ...] = ()
    """Names, and names of groups."""
    body: tuple[Field, ...] = ()
    body_like: tuple[str, ...] = ()
    """Operations of which one has the same body."""
    media: tuple[str, ...] = (JSON,)
    """What the body may come as."""
    says: Words
    answer: tuple[Field, ...] = ()
    answer_like: str | None = None
    answer_media: tuple[str, ...] = (JSON,)
    answer_headers: tuple[str, ...] = ()
    array: bool = False
    """Whether the JSON of an answer is a list of what is described."""
    stream: Words | None = None
    errors: tuple[str, ...]
    """Codes, and names of groups."""
    keyless: bool = False
    """Whether it may be called without a key."""
    tag: str = ""

    @property
    def page(self) -> str:
        return f"{PREFIX}/{self.id}"

    @property
    def has_body(self) -> bool:
        return bool(self.body or self.body_like)


class Shared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """shared.toml."""

    tag: tuple[Tag, ...]
    request_header: tuple[Field, ...]
    answer_header: tuple[Field, ...]
    header_groups: Mapping[str, tuple[str, ...]]
    answer_header_groups: Mapping[str, tuple[str, ...]]
    error: tuple[Error, ...]
    error_groups: Mapping[str, tuple[str, ...]]
    text: Mapping[str, Words]


def _loaded(name: str) -> dict[str, Any]:
    return tomllib.loads((files("portico.web") / "data" / "api" / f"{name}.toml").read_text("utf-8"))


@cache
def shared() -> Shared:
    return msgspec.convert(_loaded("shared"), Shared)


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation, in the order of their tags."""
    return tuple(
        msgspec.convert({**_with_texts(one), "tag": tag.id}, Operation)
        for tag in shared().tag
        for one in _loaded(tag.id)["operation"]
    )


@cache
def by_id() -> Mapping[str, Operation]:
    return {one.id: one for one in operations()}


def of_tag(tag: Tag) -> tuple[Operation, ...]:
    return tuple(one for one in operations() if one.tag == tag.id)


def _with_texts(told: Any) -> Any:
    """The same, with texts in place of their names. Raises KeyError for a name that there is none of."""
    if isinstance(told, list):
        return [_with_texts(one) for one in told]
    if not isinstance(told, dict):
        return told
    given = {name: _with_texts(value) for name, value in told.items() if name != "text"}
    return given | (msgspec.to_builtins(shared().text[told["text"]]) if "text" in told else {})


def request_headers(operation: Operation) -> list[Field]:
    named = {one.name: one for one in shared().request_header}
    return [named[name] for name in _spread(operation.headers, shared().header_groups)]


def answer_headers(operation: Operation) -> list[Field]:
    named = {one.name: one for one in shared().answer_header}
    return [named[name] for name in _spread(operation.answer_headers, shared().answer_header_groups)]


def errors(operation: Operation) -> list[Error]:
    """In the order of their status."""
    named = {one.code: one for one in shared().error}
    return sorted(
        (named[code] for code in _spread(operation.errors, shared().error_groups)), key=lambda one: one.status
    )


def _spread(names: Iterable[str], groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Names, with those of a group in place of it, each once."""
    told: dict[str, None] = {}
    for name in names:
        told |= dict.fromkeys(_spread(groups[name], groups) if name in groups else [name])
    return list(told)
