"""What a page is: an address, and a view that every form of it is made of."""

import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from portico.web.addresses import Address, Form, Locale
from portico.web.showroom import Showroom


class Visit(msgspec.Struct, frozen=True):
    """Who looks at which page, and what the address asks of it."""

    address: Address
    base_url: str
    """Scheme, host and port under which the visitor sees the house, without a slash."""
    query: Mapping[str, Sequence[str]] = {}

    @property
    def locale(self) -> Locale:
        return self.address.locale

    def first(self, name: str) -> str:
        """A parameter of the address; "" without one."""
        return next(iter(self.query.get(name, ())), "")

    def url(self, form: Form = Form.HTML, locale: Locale | None = None) -> str:
        """The whole address of this page, as it is kept by others: without the query."""
        address = self.address.as_form(form)
        return self.base_url + str(address if locale is None else address.in_locale(locale))


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A page's content before it has a form. `template` names `<template>.html` and `<template>.md`."""

    template: str
    title: str
    summary: str
    data: Mapping[str, Any] = {}
    """What the templates see, under these names."""
    model: str | None = None
    twin: Any = None
    """What the JSON twin says; None where there is none."""
    follows: bool = True
    """Whether search engines may list it: False for views that are one of many of a page."""


class NotHere(Exception):
    """There is no such page."""


class Moved(Exception):
    """The page is at another address, for good."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


Look = Callable[[Showroom, Visit, Mapping[str, str]], Coroutine[Any, Any, View]]

_T = TypeVar("_T")


def finished(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """What a coroutine returns that waits for nothing, as a page in a showroom of one moment does. No loop is needed."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    coroutine.close()
    raise RuntimeError("a page waited for something")


class Page(msgspec.Struct, frozen=True):
    """A page, or many of one kind. `pattern` matches English addresses; its groups are handed to `look`."""

    pattern: re.Pattern[str]
    look: Look
    """Raises `NotHere`, `Moved`."""
    addresses: Callable[[Showroom], Iterable[str]]
    """Every English address there is, for the sitemap and the tests."""


def at(path: str, look: Look) -> Page:
    """The page at one address."""
    return Page(re.compile(re.escape(path)), look, lambda _: (path,))
