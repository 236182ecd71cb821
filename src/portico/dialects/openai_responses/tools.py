"""tools and tool_choice -> neutral tools (mapping.md 1.12 to 1.14, 7.1, 7.5 row 12).

Functions are flat here and, where their schema can be, strict unless it is said otherwise. A namespace is no tool: its
functions are, each under a name that holds both, and its own words ride along so that the way back is known. What a
provider runs is a `Builtin`; a type that nobody here knows is one too, so that no tool of tomorrow is a 400.

Some callers (codex, for OpenAI's newest models) declare nothing and bring their tools in an input item. Those are tools as
all others are; the item stays where it is in the conversation, for whoever reads items.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from portico.core.errors import InvalidRequest
from portico.core.known import Known, KnownTools
from portico.core.request import Builtin, Tool, ToolChoice
from portico.dialects.openai.checks import (
    array_at,
    object_at,
    optional_bool,
    optional_string,
    string_at,
)
from portico.dialects.openai.strictness import fits_strict
from portico.dialects.openai_responses.content import ORIGIN, SHARED
from portico.dialects.openai_responses.items import Namespaces

BUILTIN_KINDS: Final[Mapping[str, str]] = {"web_search": "web_search", "code_interpreter": "code_execution"}
"""OpenAI's word for a tool it runs -> the neutral one; its other tools keep its word."""
_WEB_SEARCH: Final = re.compile(r"web_search(_preview)?(_\d{4}_\d\d_\d\d)?")
AUTO_CONTAINER: Final = {"type": "auto"}
JOINT: Final = "__"
BRINGING: Final = "additional_tools"
"""The type of an input item that brings tools."""
CALLERS: Final = frozenset({"function", "custom", "namespace"})
"""Types of tools that the caller runs."""
_FUNCTION: Final = frozenset({"type", "name", "description", "parameters", "strict", "function"})
_MODES: Final = ("auto", "none", "required")


class Declared:
    """What a body declares."""

    def __init__(self) -> None:
        self.tools: list[Tool] = []
        self.builtins: list[Builtin] = []
        self.namespaces: dict[tuple[str, str], str] = {}
        self.brought: dict[int, bool] = {}
        """Items that bring tools, by their place: whether all that they say of tools is said above."""
        self.elsewhere: dict[int, str] = {}
        """The paths of brought tools, by their `at`, which goes on where that of the others ends."""
        self.known: KnownTools | None = None
        """The tools of a list that came before."""

    def all_tools(self) -> tuple[Tool, ...]:
        """What the caller runs."""
        return tuple(self.tools) if self.known is None or self.brought else self.known


def parse_tools(wire: Any) -> Declared:
    """The `tools` of a body; of a list that is known this is known too. Raises `InvalidRequest`."""
    if type(wire) is not Known:
        return _parsed(wire)
    known = wire.made(ORIGIN)
    if known is None:
        found = _parsed(wire)
        known = KnownTools.of(found.tools, wire, ORIGIN), tuple(found.builtins), dict(found.namespaces)
        wire.keep(ORIGIN, known)
    declared = Declared()
    declared.known = known[0]
    declared.tools, declared.builtins, declared.namespaces = list(known[0]), list(known[1]), dict(known[2])
    return declared


def _parsed(wire: Any) -> Declared:
    declared = Declared()
    for at, item in enumerate(array_at(wire, "$.tools") if wire is not None else ()):
        _declare(item, f"$.tools[{at}]", at, declared)
    return declared


def parse_brought(items: Any, declared: Declared) -> None:
    """Adds the tools that input items bring. A name that is declared already keeps its first meaning.

    Raises `InvalidRequest`.
    """
    bringing = [
        (number, item)
        for number, item in enumerate(items if isinstance(items, list) else ())
        if isinstance(item, dict) and item.get("type") == BRINGING
    ]
    if not bringing:
        return
    known = {tool.name: _meant(tool) for tool in declared.tools}
    places = [*[tool.at for tool in declared.tools], *[builtin.at for builtin in declared.builtins]]
    beyond = max(places, default=-1) + 1
    for number, item in bringing:
        found, path = Declared(), f"$.input[{number}].tools"
        for place, tool in enumerate(array_at(item.get("tools"), path)):
            at = beyond + len(declared.elsewhere)
            declared.elsewhere[at] = f"{path}[{place}]"
            _declare(tool, declared.elsewhere[at], at, found)
        declared.brought[number] = True
        for tool in found.tools:
            if tool.name not in known:
                known[tool.name] = _meant(tool)
                declared.tools.append(replace(tool, brought=True))
            elif known[tool.name] != _meant(tool):
                declared.brought[number] = False
        declared.builtins += [replace(one, brought=True) for one in found.builtins]
        declared.namespaces |= found.namespaces


def _meant(tool: Tool) -> Tool:
    """What calls of a tool depend on, wherever it stands and whenever it is loaded."""
    shared = (tool.ext or {}).get(SHARED)  # where a custom tool's grammar is
    return replace(tool, at=-1, brought=False, unsaid=False, ext=shared and {SHARED: shared})


def _declare(item: Any, path: str, at: int, declared: Declared) -> None:
    fields = object_at(item, path)
    kind = string_at(fields.get("type"), f"{path}.type")
    if kind == "namespace":
        _parse_namespace(fields, path, at, declared)
    elif kind in CALLERS:
        declared.tools.append(_parse_tool(fields, kind, path, at))
    else:
        declared.builtins.append(_parse_builtin(fields, kind, at))


def _parse_tool(fields: Mapping[str, Any], kind: str, path: str, at: int, schema_at: str = ".parameters") -> Tool:
    if isinstance(nested := fields.get(kind), dict):  # as Chat has it
        fields, path, schema_at = {**nested, "type": kind}, f"{path}.{kind}", f".{kind}.parameters"
    name = string_at(fields.get("name"), f"{path}.name")
    if not name:
        raise InvalidRequest("A tool needs a name.", param=f"{path}.name")
    description = optional_string(fields.get("description"), f"{path}.description")
    if kind == "custom":
        return Tool(name, description, kind=kind, at=at, ext=_custom_ext(fields, path))
    schema = fields.get("parameters")
    if schema is not None:
        object_at(schema, f"{path}.parameters")
    said = optional_bool(fields.get("strict"), f"{path}.strict")
    strict = fits_strict(schema) if said is None else said
    own = {key: value for key, value in fields.items() if key not in _FUNCTION and value is not None}
    ext = {ORIGIN: own} if own else None
    return Tool(name, description, schema, strict, at=at, ext=ext, schema_at=schema_at, unsaid=said is None)


def _custom_ext(fields: Mapping[str, Any], path: str) -> dict[str, dict[str, Any]] | None:
    """The format of a custom tool in Chat's words (`{type: grammar, grammar: {syntax, definition}}`), and what is left."""
    own = {k: v for k, v in fields.items() if k not in ("type", "name", "description", "format") and v is not None}
    ext = {ORIGIN: own} if own else {}
    format_ = fields.get("format")
    if format_ is not None:
        given = object_at(format_, f"{path}.format")
        if given.get("type") == "grammar" and "grammar" not in given:
            grammar = {key: value for key, value in given.items() if key != "type"}
            given = {"type": "grammar", "grammar": grammar}
        ext[SHARED] = {"format": given}
    return ext or None


def _parse_namespace(fields: Mapping[str, Any], path: str, at: int, declared: Declared) -> None:
    namespace = string_at(fields.get("name"), f"{path}.name")
    about = optional_string(fields.get("description"), f"{path}.description")
    for number, item in enumerate(array_at(fields.get("tools"), f"{path}.tools")):
        inner = f"{path}.tools[{number}]"
        given = object_at(item, inner)
        kind = string_at(given.get("type"), f"{inner}.type")
        if kind not in ("function", "custom"):
            declared.builtins.append(_parse_builtin(given, kind, at))
            continue
        tool = _parse_tool(given, kind, inner, at, f".tools[{number}].parameters")
        name = f"{namespace}{JOINT}{tool.name}"
        declared.namespaces[namespace, tool.name] = name
        own = {"namespace": {"name": namespace, "tool": tool.name, **({} if about is None else {"description": about})}}
        ext = {**(tool.ext or {}), ORIGIN: {**(tool.ext or {}).get(ORIGIN, {}), **own}}
        declared.tools.append(replace(tool, name=name, ext=ext))


def _parse_builtin(fields: Mapping[str, Any], word: str, at: int) -> Builtin:
    kind = "web_search" if _WEB_SEARCH.fullmatch(word) else BUILTIN_KINDS.get(word, word)
    options = {name: value for name, value in fields.items() if name != "type" and value is not None}
    if kind == "code_execution" and options.get("container") == AUTO_CONTAINER:
        del options["container"]  # as it is where nothing is said
    ext: dict[str, dict[str, Any]] = {}
    if kind == "web_search":
        if word != "web_search":
            options["type"] = word
        if shared := _search_options(options):
            ext[SHARED] = shared
    if options:
        ext[ORIGIN] = options
    return Builtin(kind, at=at, ext=ext or None, spare=True)


def _search_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a search that Chat has too, in its words; takes them out."""
    shared: dict[str, Any] = {}
    if (size := options.pop("search_context_size", None)) is not None:
        shared["search_context_size"] = size
    if isinstance(place := options.get("user_location"), Mapping):
        del options["user_location"]
        near = {name: value for name, value in place.items() if name != "type" and value is not None}
        shared["user_location"] = {"type": "approximate", "approximate": near}
    return shared


def parse_choice(value: Any, namespaces: Namespaces) -> tuple[ToolChoice | None, Any]:
    """`tool_choice`, and what of it only the Responses API can say (None: nothing). Raises `InvalidRequest`."""
    path = "$.tool_choice"
    if value is None:
        return None, None
    if isinstance(value, str):
        if value in _MODES:
            return ToolChoice(value), None
        raise InvalidRequest(
            f"Unknown tool_choice {value[:100]!r}; known are {', '.join(_MODES)} or a tool.", param=path
        )
    given = object_at(value, path)
    kind = string_at(given.get("type"), f"{path}.type")
    if kind in ("function", "custom"):
        return ToolChoice("required", (_chosen(given, kind, path, namespaces),)), None
    if kind == "allowed_tools":
        return _parse_allowed(given, path, namespaces)
    if kind in _MODES:
        return ToolChoice(kind), None
    return None, given


def _chosen(given: Mapping[str, Any], kind: str, path: str, namespaces: Namespaces) -> str:
    nested = given.get(kind)
    named = nested if isinstance(nested, dict) else given
    name = string_at(named.get("name"), f"{path}.name")
    return namespaces.get((str(named.get("namespace")), name), name)


def _parse_allowed(given: Mapping[str, Any], path: str, namespaces: Namespaces) -> tuple[ToolChoice | None, Any]:
    nested = given.get("allowed_tools")
    allowed = nested if isinstance(nested, dict) else given
    names: list[str] = []
    hosted = False
    for i, item in enumerate(array_at(allowed.get("tools"), f"{path}.tools")):
        tool = object_at(item, f"{path}.tools[{i}]")
        kind = tool.get("type", "function")
        if kind in ("function", "custom"):
            names.append(_chosen(tool, kind, f"{path}.tools[{i}]", namespaces))
        else:
            hosted = True
    choice = ToolChoice("required" if allowed.get("mode") == "required" else "validated", tuple(names))
    return (choice if names else None), (given if hosted else None)
