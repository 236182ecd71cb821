"""Walking a caller's schema: its references, several schemas at once, what could not be said, and how much work is left.

What both forms of Google's schemas need (mapping.md 1.11); each form is a walk of its own (`lower.py`, `json_form.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from portico.core.errors import InvalidRequest
from portico.core.loss import Loss
from portico.dialects.gemini.schema_views import (
    DEFINES,
    JOINED,
    LISTS,
    MAPS,
    ONE,
    Both,
    View,
    both,
    for_joining,
    is_same,
    spelt_now,
)
from portico.wire.names import json_type

CODE: Final = "1.11:schema"
MAX_NODES: Final = 5_000
"""Subschemas that one schema may become: references are written out, so a small one can say much."""
MAX_REQUEST_NODES: Final = 50_000
"""The same for all schemas of a request together."""
MAX_DEPTH: Final = 100
"""Objects and arrays inside each other; Google's own reader goes no deeper."""
MAX_LEVELS: Final = MAX_DEPTH // 2
"""Subschemas inside each other: each is an object in an object or an array."""
MAX_ALTERNATIVES: Final = 64
"""Branches that two unions of one schema may make together."""
MAX_MEMBERS: Final = 256
"""Schemas that may hold at once at one place."""
MAX_TOLD: Final = 100
MAX_DIGITS: Final = 19
VALUES_PER_NODE: Final = 16
"""Listed values that are as much work as a subschema."""

_NULL_SAYS_SOMETHING: Final = frozenset({"const", "default", "example"})
_GREATEST: Final = frozenset({"minimum", "exclusiveMinimum", "minItems", "minLength", "minProperties"})
_SMALLEST: Final = frozenset({"maximum", "exclusiveMaximum", "maxItems", "maxLength", "maxProperties"})
_UNIONS: Final = ("anyOf", "oneOf")


class SchemaTooLarge(InvalidRequest):
    """The schema is larger or more deeply nested than any model could follow."""


class Budget(msgspec.Struct):
    """How many subschemas the schemas of one request may still become."""

    left: int = MAX_REQUEST_NODES


class Found(msgspec.Struct, frozen=True):
    """What a reference points to: the steps from the root, the schema there, its path in the caller's body."""

    steps: tuple[str, ...]
    schema: Any
    path: str


Stack = tuple[tuple[str, ...], ...]
"""The references that were written out on the way to a subschema."""


class Walk:
    """One schema of a request: its references, what could not be said, and how much work is left."""

    def __init__(self, root: Mapping[str, Any], path: str, budget: Budget) -> None:
        self.root = root
        self.path = path
        self.levels = 3
        """How often a reference may be written out inside itself."""
        self._losses: dict[tuple[str, str], Loss] = {}
        self._budget = budget
        self._left = MAX_NODES
        self._found: dict[str, Found] = {}
        self._anchors: dict[str, Found] | None = None
        self.recursive = False
        """Whether a reference was met inside what it points to."""

    @property
    def losses(self) -> list[Loss]:
        """What could not be said, each place once however often it was written out; of very many only the first."""
        told = list(self._losses.values())
        if len(told) > MAX_TOLD:
            more = Loss(CODE, self.path, f"{len(told) - MAX_TOLD} more places are not enforced as they are written")
            return [*told[:MAX_TOLD], more]
        return told

    def note(self, path: str, message: str) -> None:
        self._losses.setdefault((path, message), Loss(CODE, path, message))

    def start_over(self, levels: int) -> None:
        """Forgets what was noted, to try again with this many levels of recursion."""
        self.levels = levels
        self._losses.clear()
        self._left = MAX_NODES

    def step(self, path: str, depth: int) -> None:
        """Counts one subschema. Raises `SchemaTooLarge`."""
        self._spend(1, path)
        if depth > MAX_LEVELS:
            raise SchemaTooLarge(f"The schema is nested more than {MAX_LEVELS} levels deep.", param=path)

    def _spend(self, nodes: int, path: str) -> None:
        self._left -= nodes
        self._budget.left -= nodes
        if self._left < 0 or self._budget.left < 0:
            raise SchemaTooLarge("The schema is too large with its references written out.", param=path)

    # -- views

    def views(self, value: Any, path: str) -> tuple[View, ...]:
        """The schemas that hold at a place; `true` holds nothing. Raises `InvalidRequest` for what is no schema."""
        if isinstance(value, Both):
            return value.views
        if isinstance(value, Mapping):
            return (View(value, path),)
        if value is True:
            return (View({}, path),)
        raise InvalidRequest(f"A schema is an object or a boolean, got {json_type(value)}.", param=path)

    def members(self, view: View, key: str) -> Iterator[tuple[str, Any, str]]:
        """(name, subschema, path) of a keyword that holds subschemas by name; null holds none."""
        value = view.get(key)
        if value is None:
            return
        if not isinstance(value, Mapping):
            raise InvalidRequest(f"Expected an object, got {json_type(value)}.", param=view.at(key))
        path = view.at(key)
        for name, inner in value.items():
            yield name, inner, _place(inner, view, key) or f"{path}.{name}"

    def items(self, view: View, key: str) -> Iterator[tuple[int, Any, str]]:
        """(number, subschema or value, path) of a keyword that holds a list; null holds none."""
        value = view.get(key)
        if value is None:
            return
        if not isinstance(value, (list, tuple)):
            raise InvalidRequest(f"Expected an array, got {json_type(value)}.", param=view.at(key))
        path = view.at(key)
        for number, inner in enumerate(value):
            yield number, inner, _place(inner, view, key) or f"{path}[{number}]"

    def strings(self, view: View, key: str) -> list[str]:
        """A keyword that lists names; null lists none."""
        for _, name, path in self.items(view, key):
            if not isinstance(name, str):
                raise InvalidRequest(f"Expected a string, got {json_type(name)}.", param=path)
        return list(view.get(key) or ())

    # -- references

    def resolve(self, view: View) -> Found:
        """What the `$ref` of a view points to. Raises `InvalidRequest` with its path if that is nothing."""
        reference = view.get("$ref")
        if not isinstance(reference, str):
            raise InvalidRequest(f"Expected a string, got {json_type(reference)}.", param=view.at("$ref"))
        if reference not in self._found:
            self._found[reference] = self._find(reference, view.at("$ref"))
        return self._found[reference]

    def _find(self, reference: str, path: str) -> Found:
        base, _, fragment = reference.partition("#")
        own = str(self.root.get("$id") or self.root.get("id") or "").partition("#")[0]
        found: Found | None = None
        if not base or base == own:
            if not fragment or fragment.startswith("/"):
                found = self._at_pointer(unquote(fragment))
            else:
                found = self._at_anchor(fragment)
        else:
            message = f"The reference {reference!r} leaves the schema; only references into itself are followed."
            raise InvalidRequest(message, param=path)
        if found is None or not isinstance(found.schema, (Mapping, bool)):
            raise InvalidRequest(f"The reference {reference!r} points to no schema.", param=path)
        return found

    def _at_pointer(self, pointer: str) -> Found | None:
        return self._at_steps(tuple([step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]))

    def _at_steps(self, steps: tuple[str, ...]) -> Found | None:
        node: Any = self.root
        path = self.path
        for step in steps:
            if isinstance(node, Mapping) and step in node:
                node, path = node[step], f"{path}.{step}"
            elif isinstance(node, list) and _is_number(step) and int(step) < len(node):
                node, path = node[int(step)], f"{path}[{step}]"
            else:
                return None
        return Found(steps, node, path)

    def _at_anchor(self, name: str) -> Found | None:
        """The subschema that calls itself by a name. All objects are looked at, once for all names."""
        if self._anchors is None:
            self._anchors = {}
            queue: list[tuple[Any, tuple[str, ...]]] = [(self.root, ())]
            for node, steps in queue:
                if isinstance(node, Mapping):
                    for key in ("$anchor", "$dynamicAnchor"):
                        if isinstance(node.get(key), str):
                            self._anchors.setdefault(node[key], Found(steps, node, self._path_of(steps)))
                    queue += [(inner, (*steps, key)) for key, inner in node.items()]
                elif isinstance(node, list):
                    queue += [(inner, (*steps, str(i))) for i, inner in enumerate(node)]
        return self._anchors.get(name)

    def _path_of(self, steps: tuple[str, ...]) -> str:
        found = self._at_steps(steps)
        return found.path if found else self.path

    def flatten(self, views: Sequence[View], stack: Stack) -> tuple[list[View], Stack, Found | None]:
        """The views with `$ref` and `allOf` written out, the stack for what is inside them, and the reference that was
        not followed any more, if there is one: the recursion is cut there."""
        flat: list[View] = []
        seen: set[tuple[str, ...]] = set()
        cut: Found | None = None
        todo = list(reversed(views))
        while todo:
            view = spelt_now(todo.pop())
            members = [(view_, path) for _, view_, path in self.items(view, "allOf")]
            reference = view.get("$ref")
            rest = view.without("allOf", "$ref", *DEFINES) if members or reference is not None else view
            inner: list[View] = []
            if reference is not None:
                target = self.resolve(view)
                self.recursive |= target.steps in stack
                if stack.count(target.steps) >= self.levels:
                    cut = target
                elif target.steps not in seen:  # a schema that is itself and more is what it says more
                    seen.add(target.steps)
                    inner += self._parts(target.schema, target.path)
            for member, path in members:
                self.step(path, 0)
                inner += self._parts(member, path)
            if rest.schema:
                flat.append(rest)
            if len(flat) + len(members) > MAX_MEMBERS:
                raise SchemaTooLarge(f"More than {MAX_MEMBERS} schemas hold at once here.", param=view.path)
            todo += reversed(inner)
        return flat or [View({}, views[0].path)], (*stack, *sorted(seen)), cut

    def _parts(self, value: Any, path: str) -> tuple[View, ...]:
        if value is False:
            return (View({"not": {}}, path, {"not": path}),)
        return self.views(value, path)

    # -- several at once

    def conjoin(self, views: Sequence[View]) -> View:
        """One view that says what all of them say."""
        if len(views) == 1:
            return views[0]
        result: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for number, view in enumerate([for_joining(view) for view in views]):
            for key, value in view.schema.items():
                if value is None and key not in _NULL_SAYS_SOMETHING:
                    continue
                if number and key.startswith("$"):  # a name is that of one place
                    continue
                mine = self._placed(view, key, value)
                if isinstance(mine, list):
                    self._spend(len(mine) // VALUES_PER_NODE, view.at(key))
                if key not in result:
                    result[key], origins[key] = mine, view.at(key)
                elif key in JOINED:
                    result[key] = JOINED[key](result[key], mine)
                elif key in _UNIONS:
                    result[key] = self._product(result[key], mine, view.at(key))
                elif not is_same(result[key], mine):
                    result[key] = self._combined(key, result[key], mine, view)
        if isinstance(result.get("type"), list) and len(result["type"]) == 1:
            result["type"] = result["type"][0]
        self._note_closed(views, result)
        return View(result, views[0].path, origins)

    def _note_closed(self, views: Sequence[View], result: Mapping[str, Any]) -> None:
        """What one member says of properties it does not name reaches those that another names; here it does not."""
        names = set(result.get("properties") or ())
        for view in views:
            further = view.get("additionalProperties")
            if further not in (None, True) and not names <= set(view.get("properties") or ()):
                message = "it does not reach the properties that other members of the same schema name"
                self.note(view.at("additionalProperties"), message)

    def _placed(self, view: View, key: str, value: Any) -> Any:
        """A keyword's value in which every subschema knows its path."""
        if key in MAPS:
            return {name: self._located(inner, path) for name, inner, path in self.members(view, key)}
        if key in LISTS:
            return [self._located(inner, path) for _, inner, path in self.items(view, key)]
        if key in ("required", "propertyOrdering"):
            return self.strings(view, key)
        return self._located(value, view.at(key)) if key in ONE else value

    def _located(self, value: Any, path: str) -> Any:
        return value if isinstance(value, bool) else Both(self.views(value, path))

    def _product(self, first: list[Any], second: list[Any], path: str) -> list[Any]:
        if len(first) * len(second) > MAX_ALTERNATIVES:
            self.note(path, "too many alternatives at once; these are not enforced")
            return first
        pairs = [both(one, other) for one in first for other in second]
        return [pair for pair in pairs if pair is not False] or [False]

    def _combined(self, key: str, first: Any, second: Any, view: View) -> Any:
        if key in _GREATEST or key in _SMALLEST:
            numbers = [self.number(View({key: value}, view.path, view.origins), key) for value in (first, second)]
            known = [number for number in numbers if number is not None]
            return max(known) if key in _GREATEST else min(known)
        if key in ("pattern", "format", "multipleOf", "not", "if", "contains", "propertyNames"):
            self.note(view.at(key), f"a schema has one `{key}`; this one is not enforced")
        return first

    def number(self, view: View, key: str) -> int | float | None:
        """A keyword that is a number; null is none. Raises `InvalidRequest` for anything else."""
        value = view.get(key)
        if value is None:
            return None
        if isinstance(value, str) and _is_number(value):  # 64-bit integers as proto3 JSON has them
            return int(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InvalidRequest(f"Expected a number, got {json_type(value)}.", param=view.at(key))
        return value


def _place(inner: Any, view: View, key: str) -> str | None:
    """Where a subschema stands that is not below its keyword in the caller's body; None where it is."""
    if isinstance(inner, Both):
        return inner.views[0].path
    return view.origins.get(key) if isinstance(inner, bool) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS


def check_size(value: Any, path: str) -> None:
    """Raises `SchemaTooLarge` if objects and arrays of a schema stand deeper inside each other than `MAX_DEPTH`, and
    `InvalidRequest` if it is no object."""
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"Expected an object, got {json_type(value)}.", param=path)
    todo: list[tuple[Any, int, Any]] = [(value, 0, None)]
    while todo:
        node, depth, way = todo.pop()
        if depth > MAX_DEPTH:
            steps: list[str] = []
            while way is not None:
                way, step = way
                steps.append(f".{step}" if isinstance(step, str) else f"[{step}]")
            at = path + "".join(reversed(steps[-8:]))
            raise SchemaTooLarge(f"The schema is nested more than {MAX_DEPTH} levels deep.", param=at)
        if isinstance(node, dict):
            todo += [(v, depth + 1, (way, k)) for k, v in node.items() if isinstance(v, (dict, list))]
        elif isinstance(node, list):
            todo += [(v, depth + 1, (way, i)) for i, v in enumerate(node) if isinstance(v, (dict, list))]
