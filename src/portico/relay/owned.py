"""Names of things at a provider in a request: files, cached contents, stores. Only their owner may use them, and only the
credential that made them can.

A provider sees no difference between the gateway's tenants, so the gateway does: what another tenant owns, and what
nobody knows, is refused with the same 404 before anything is sent, and the call is held to the credentials that own what
it names. Addresses on the open Internet, YouTube and Cloud Storage are nobody's (mapping.md 1.4): a name is the provider's
own if it has no scheme, or if its address is at the provider's files.

Other providers' names are bare ids in fields of their dialects. What a model was told or has said (arguments, schemas,
results and citations of the provider's own tools) names nothing, whatever it looks like.

Bodies that pass untouched are looked through for a few words, and read only where one of them stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit

from portico.core.errors import BodyNotJson, NotFound
from portico.core.parts import Media, Opaque, Part, Text, ToolCall, ToolResult
from portico.core.request import PlainMessages, Request
from portico.providers import Provider
from portico.routing import Candidate
from portico.vault import Resources
from portico.vault.resources import CACHE, FILE, STORE, Thing
from portico.wire import jsontext, multipart
from portico.wire.names import camel

Owners: TypeAlias = frozenset[tuple[str, str]]
"""(provider, fingerprint of the credential) that a thing can be used with."""
Pins: TypeAlias = tuple[Owners, ...]
"""Those of each thing that a call names."""

_KINDS: Final[Mapping[str, str]] = {"fileUri": FILE, "cachedContent": CACHE, "fileSearchStoreNames": STORE}
"""Google's fields that hold names, in either of the spellings that it reads."""
_FIELD: Final = re.compile(
    rb'"(?:file_?[uU]ri|cached_?[cC]ontent|file_?[sS]earch_?[sS]tore_?[nN]ames)"'  # a quote first: so it is looked for fast
)
FILE_ID: Final = "file_id"
STORE_ID: Final = "vector_store"
CONTAINER: Final = "container"
CONVERSATION: Final = "conversation"
_OPENAI: Final = {"file_id": FILE_ID, "file_ids": FILE_ID}
_KINDS_OF: Final[Mapping[str, Mapping[str, str]]] = {
    "gemini": _KINDS,
    "openai_chat": _OPENAI | {"vector_store_ids": STORE_ID},
    "openai_responses": _OPENAI
    | {"vector_store_ids": STORE_ID, "conversation": CONVERSATION}
    | {"container": CONTAINER, "container_id": CONTAINER},
    "openai_image_edits": _OPENAI,
    "anthropic_messages": {"file_id": FILE_ID, "container": CONTAINER},
}
"""By dialect, its fields that hold names."""
_FIELDS_OF: Final = {
    name: re.compile(b'"(?:' + "|".join(kinds).encode() + b')"') for name, kinds in _KINDS_OF.items()
} | {"gemini": _FIELD}
_FORMS: Final = frozenset({"openai_image_edits"})
"""Dialects whose bodies may be forms; those bring what they need, and name nothing."""
_SAID: Final = frozenset(
    {"metadata", "input_schema", "parameters", "schema", "arguments", "annotations", "citations", "input_examples"}
)
"""Fields below which nothing is named, in dialects whose names are bare ids."""
_TOOL_USE: Final = "tool_use"
_DONE: Final = ("_call", "_tool_result")
"""How the types of objects end that tell what a provider's own tool did. (`function_call` too.)"""
_SPELT_OUT: Final = re.compile(rb"\\u00[4-7]")
"""A letter written as an escape: a name could be hidden by it."""
_NAMES: Final[Mapping[str, re.Pattern[str]]] = {
    FILE: re.compile(r"files/[A-Za-z0-9_-]{1,128}"),
    CACHE: re.compile(r"(?:projects/[^/\s]+/locations/[^/\s]+/)?cachedContents/[A-Za-z0-9_-]{1,128}"),
    STORE: re.compile(r"fileSearchStores/[A-Za-z0-9_-]{1,128}"),
}
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_BY_ID: Final[Mapping[str, str]] = {
    FILE_ID: FILE,
    STORE_ID: STORE,
    CONTAINER: CONTAINER,
    CONVERSATION: CONVERSATION,
}
"""What is named by a bare id, and the kind of thing that it is."""
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"\s*[a-z][a-z0-9+.-]*:[\\/]*([^/?#]*)", re.IGNORECASE)
_FILE_AT: Final = re.compile(r"/v\d[a-z0-9]*/(files/[A-Za-z0-9_-]{1,128})(?::download)?")
_GOOGLE: Final = "generativelanguage"
_NONE: Final[Pins] = ()


class OwnedThings:
    """Looks up what a call names."""

    def __init__(self, resources: Resources, providers: Iterable[Provider]) -> None:
        self._resources = resources
        self._hosts = frozenset([urlsplit(one.base_url).netloc.lower() for one in providers])

    async def pins(self, tenant: str, request: Request) -> Pins:
        """What a request is held to. Raises `NotFound` for what its tenant does not own, `StorageUnavailable`."""
        named = list(named_in(request))
        return await self._pins(tenant, named) if named else _NONE

    async def pins_of_body(self, tenant: str, body: bytes, dialect: str = "gemini") -> Pins:
        """The same for a body of a dialect that passes. Raises `BodyNotJson` too."""
        return await self._pins(tenant, named_in_body(body, dialect))

    async def _pins(self, tenant: str, named: Iterable[tuple[str, str]]) -> Pins:
        things = [thing for kind, name in named if (thing := self._thing(kind, name)) is not None]
        if not things:
            return _NONE
        owned = await self._resources.owned(tenant, things)
        for thing in things:
            if thing not in owned:
                raise _not_found(*thing)
        return tuple({frozenset([(one.provider, one.credential) for one in owned[thing]]) for thing in things})

    def _thing(self, kind: str, name: str) -> Thing | None:
        """What a name stands for; None for an address that is nobody's. Raises `NotFound` for what is no name."""
        if (by_id := _BY_ID.get(kind)) is not None:
            if not _ID.fullmatch(name):
                raise _not_found(by_id, name)
            return by_id, name
        if kind == FILE and _SCHEME.match(name.strip()):
            found = self._at_address(name)
            if found is None:
                return None
            name = found
        if kind == FILE and _ID.fullmatch(name):  # as other providers name theirs
            return kind, name
        if not _NAMES[kind].fullmatch(name):
            raise _not_found(kind, name)
        return kind, name

    def _at_address(self, address: str) -> str | None:
        """The name of the file at an address of the provider's; None for others. It may read an odd address in another
        way than we do: what looks like its own is its own, and has no name unless it is spelt as Google spells it."""
        plain = unquote(address).lower()
        authority = _AUTHORITY.match(plain)
        if authority is None:
            return None
        at = authority.group(1)
        google = _GOOGLE in at
        if not google and at not in self._hosts:
            return None
        parts = urlsplit(address)
        if (file := _FILE_AT.fullmatch(parts.path)) is not None and parts.netloc.lower() == at and "@" not in at:
            return file.group(1)
        return address if google else None


def held_to(pins: Pins, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that can use all that a call names. Raises `NotFound` if there are none left."""
    if not pins:
        return list(candidates)
    left = [one for one in candidates if all(_place(one) in owners for owners in pins)]
    if candidates and not left:
        raise NotFound(
            "No credential that serves this model can use everything this request names: files and cached contents belong"
            " to the credential they were made with."
        )
    return left


def _place(candidate: Candidate) -> tuple[str, str]:
    return candidate.deployment.provider.name, candidate.credential.mark


def _not_found(kind: str, name: str) -> NotFound:
    word = {CACHE: "cached content"}.get(kind, kind)
    return NotFound(f"There is no {word} {name[:200]!r}.")


# -- what is named -----------------------------------------------------------------------------------------------------


def named_in(request: Request) -> Iterator[tuple[str, str]]:
    """(kind, name) of what a request names, as its caller sent it."""
    if request.ext:
        yield from _named_in_ext(request.ext)
    for message in () if type(request.messages) is PlainMessages else request.messages:
        if message.ext:
            yield from _named_in_ext(message.ext)
        for part in message.parts:
            kind = type(part)
            if (kind is not Text and kind is not ToolCall) or part.ext:  # type: ignore[union-attr]
                yield from _named_by(part)
    for tools in (request.builtins, request.tools):
        for one in tools:
            if one.ext:
                yield from _named_in_ext(one.ext)


def _named_in_ext(ext: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for dialect, fields in ext.items():
        yield from _named_below(fields, dialect)


def _named_by(part: Part) -> Iterator[tuple[str, str]]:
    if isinstance(part, Opaque):
        yield from _named_below(part.value, part.origin)
        return
    if part.ext:
        yield from _named_in_ext(part.ext)
    if isinstance(part, Media) and part.uri is not None:
        yield FILE, part.uri
    elif isinstance(part, ToolResult):
        for inner in part.parts:
            if type(inner) is not Text or inner.ext:
                yield from _named_by(inner)


def named_in_body(body: bytes, dialect: str = "gemini") -> list[tuple[str, str]]:
    """The same for a body of whichever verb. Raises `BodyNotJson` where one would have to be looked at."""
    if dialect not in _FIELDS_OF or (_FIELDS_OF[dialect].search(body) is None and not _may_hide(body)):
        return []
    if dialect in _FORMS and multipart.is_multipart(body):
        return []
    try:
        return list(_named_below(jsontext.decode(body), dialect))
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None


def _may_hide(body: bytes) -> bool:
    """Whether words may be written in a way that a search for them misses."""
    return b"\0" in body or (b"\\u00" in body and _SPELT_OUT.search(body) is not None)


def _named_below(value: Any, dialect: str) -> Iterator[tuple[str, str]]:
    """Every name below a JSON value of a dialect, wherever it stands."""
    if dialect == "gemini":
        return _googles_below(value)
    kinds = _KINDS_OF.get(dialect)
    return iter(()) if kinds is None else _ids_below(value, kinds)


def _googles_below(value: Any) -> Iterator[tuple[str, str]]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            for key, item in value.items():
                kind = _KINDS.get(camel(key) if "_" in key else key)
                if kind is not None:
                    yield from _texts(kind, item)
                if isinstance(item, (Mapping, list, tuple)):
                    waiting.append(item)
        elif isinstance(value, (list, tuple)):
            waiting += value


def _ids_below(value: Any, kinds: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (list, tuple)):
            waiting += value
        elif isinstance(value, Mapping):
            type_ = value.get("type")
            told = type_ if isinstance(type_, str) else ""
            if told.endswith(_DONE):
                continue
            for key, item in value.items():
                if key in _SAID or (key == "input" and told.endswith(_TOOL_USE)):
                    continue
                if (kind := kinds.get(key)) is not None:
                    yield from _texts(kind, item.get("id") if isinstance(item, Mapping) else item)
                if isinstance(item, (Mapping, list, tuple)):
                    waiting.append(item)


def _texts(kind: str, value: Any) -> Iterator[tuple[str, str]]:
    for text in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(text, str) and text:
            yield kind, text
