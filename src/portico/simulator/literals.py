"""What a prompt offers to fill values with: its numbers, quoted strings and names, and what it says of a property.

A model that fills a schema draws on what it was told. This is the part of that which needs no understanding: a value said
of a property by name comes first, then the literals of the right kind in the order they were written. What the prompt does
not offer is left to the dice.
"""

import json
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from portico.simulator.refusal import Json

NOTHING: Final = object()
"""The prompt has no such value."""

_MOST_READ = 8_000
_MOST_DIGITS = 15
_MOST = 10**_MOST_DIGITS
_QUOTES = (("“", "”"), ("„", "“"), ("«", "»"), ("「", "」"), ("`", "`"), ('"', '"'))
_FENCED = r"```[\w-]*\n(?s:(.+?))\n?```"
_QUOTED = "|".join(
    [_FENCED, *(rf"{left}([^{left}{right}\n]+){right}" for left, right in _QUOTES), r"['‘]([^'‘’\n]+)['’]"]
)
"""What stands in quotation marks that belong together, or in a block of code."""
_NUMBER = r"(?<![\w.)])-?\d+(?:\.\d+)?|(?<=[-)])\d+(?:\.\d+)?"
_WORD = re.compile(r"[^\W\d_](?:[\w’'.&-]*\w)?")
_FORMATS = {
    "date-time": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)",
    "date": r"\d{4}-\d\d-\d\d",
    "time": r"\d\d:\d\d(?::\d\d)?",
    "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "uri": r"https?://[^\s<>\"')\]]*[\w/]",
    "url": r"https?://[^\s<>\"')\]]*[\w/]",
    "uuid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "ipv4": r"\d{1,3}(?:\.\d{1,3}){3}",
}
_ARITHMETIC = re.compile(r"[\d(][\d().\s]*(?:[-+*/^×÷%]+\s*[\d(][\d().\s]*)+")
_WHOLE = {
    "query",
    "question",
    "prompt",
    "text",
    "message",
    "input",
    "content",
    "task",
    "request",
    "instruction",
    "search",
}
_DIGITS = re.compile(r"(?:^|_)(?:id|number|code|zip|phone|year|version|amount|quantity|count)$")
_OPENING_WORDS = """
    a add an and answer any are as ask be book calculate call can check choose compare compute convert could
    create delete describe do does draft draw each evaluate explain extract find for from generate get give good
    hello help here hey hi how i i'm if in it json api url is let list look make my name no note now of on one
    open order output play please plot print provide read remember reply respond return run say search send set
    show solve some sort start state suggest summarize summarise tell thank thanks that the their then there
    these they this to today tool tools translate try turn update use user using was we what what's when where
    which who whom whose why will with would write yes you your
"""
_OPENERS = frozenset(_OPENING_WORDS.split())
_PREPOSITION = re.compile(
    r"\b(?:in|for|at|of|about|named|called|near|from|to)\s+(?:the\s+|an?\s+)?([^\W\d_][\w'-]{2,})(?!\w*[_(])"
)
_JOINED = re.compile(r"\s*(?:,|&|,?\s*\b(?:and|or|und|et|y)\b)\s*(?:[a-z]+\s+){0,5}$")


@dataclass(frozen=True)
class Literals:
    """The literals of a text, each kind in the order written. `spread`: of a list such as "Oslo and Rome", its members."""

    text: str
    quoted: tuple[str, ...]
    numbers: tuple[int | float, ...]
    names: tuple[str, ...]
    weak: tuple[str, ...]
    """Words after a preposition, and capitals that only open a sentence: taken when there is nothing better."""
    spread_names: tuple[str, ...]
    spread_numbers: tuple[int | float, ...]

    def written(self, function: str, parameters: Sequence[str]) -> list[dict[str, Any]]:
        """The arguments of every `function(…)` in the text, bound to parameters by name or place."""
        found = re.findall(rf"(?<![\w.]){re.escape(function)}\s*\(([^()]*)\)", self.text)
        return [_bound(inside, parameters) for inside in found]


def read(text: str, known: Collection[str] = ()) -> Literals:
    """The literals of `text`; `known` are names of tools, which are no values."""
    if len(text) > _MOST_READ:
        text = text[: _MOST_READ // 2] + "\n" + text[-_MOST_READ // 2 :]
    quoted = [(at, inner) for at, inner in _quotations(text) if inner not in known]
    inside = [range(at, at + len(inner)) for at, inner in quoted]
    numbers = [
        (match.start(), match.end(), _number(match[0]))
        for match in re.finditer(_NUMBER, text)
        if len(match[0]) <= _MOST_DIGITS and not re.match(r"\w", text[match.end() : match.end() + 1])
    ]
    phrases, weak = _phrases(text, {name.lower() for name in known})
    phrases = [one for one in phrases if not any(one[0] in span for span in inside)]
    weak += [match[1] for match in _PREPOSITION.finditer(text) if match[1].lower() not in _OPENERS]
    return Literals(
        text,
        tuple(inner for _, inner in quoted),
        tuple(value for _, _, value in numbers),
        tuple(value for _, _, value in phrases),
        tuple(weak),
        tuple(_spread(text, phrases)),
        tuple(_spread(text, numbers)),
    )


def _quotations(text: str) -> list[tuple[int, str]]:
    found = [
        (match.start(1), match[1])
        for opening, closing in _QUOTES
        for match in re.finditer(rf"{opening}([^{opening}{closing}\n]+){closing}", text)
    ]
    found += [(match.start(1), match[1]) for match in re.finditer(r"(?<!\w)['‘]([^'‘’\n]+)['’](?!\w)", text)]
    return sorted(found)


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _phrases(text: str, known: Collection[str]) -> tuple[list[tuple[int, int, str]], list[str]]:
    """(start, end, phrase) of runs of capitalised words, and the words whose capital may be that of the sentence."""
    words = list(_WORD.finditer(text))
    runs: list[tuple[int, int]] = []
    weak: list[str] = []
    for number, match in enumerate(words):
        word, start, end = match[0], match.start(), match.end()
        if word[0].islower() or word.lower() in known or "_" in word or text[end : end + 1] == "(":
            continue
        if text[start - 1 : start] == "_":
            continue
        follows = bool(runs) and runs[-1][1] == start - 1 and text[start - 1] == " "
        if word.lower() in _OPENERS:
            continue
        before = text[:start].rstrip(" \t*-#")
        opens = not before or before[-1] in ".!?:\n"
        after = words[number + 1][0] if number + 1 < len(words) else ""
        if opens and not (after[:1].isupper() or after in ("is", "was", "has", "lives", "and", "or", "")):
            weak.append(word)
        elif follows:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return [(start, end, text[start:end]) for start, end in _with_regions(text, runs)], weak


def _with_regions(text: str, runs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """«San Francisco, CA» and «Paris, France» are one place; «Paris, Oslo and Rome» are three."""
    merged: list[tuple[int, int]] = []
    for number, (start, end) in enumerate(runs):
        if merged and text[merged[-1][1] : start] == ", ":
            rest = runs[number + 1 : number + 2]
            listed = bool(rest) and bool(_JOINED.match(text[end : rest[0][0]]))
            short = bool(re.fullmatch(r"[A-Z]{2,3}", text[start:end]))
            if short or (not listed and len(merged) == 1):
                merged[-1] = (merged[-1][0], end)
                continue
        merged.append((start, end))
    return merged


def _spread(text: str, found: Sequence[tuple[int, int, Any]]) -> list[Any]:
    """The values of the first run that the text joins by commas or «and»; none if nothing is joined."""
    run: list[Any] = []
    for before, after in pairwise(found):
        if _JOINED.match(text[before[1] : after[0]]):
            run = run or [before[2]]
            run.append(after[2])
        elif run:
            break
    return list(dict.fromkeys(run))


def _bound(inside: str, parameters: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    pieces = re.findall(r"(?:\"[^\"]*\"|'[^']*'|[^,])+", inside)
    for place, piece in enumerate(pieces):
        name, told, value = piece.partition("=")
        if told and name.strip() in parameters:
            values[name.strip()] = _literal(value)
        elif place < len(parameters) and piece.strip():
            values[parameters[place]] = _literal(piece)
    return values


def _literal(text: str) -> Any:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        return text[1:-1]
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float | str) else text


class Hints:
    """The literals being handed out to the properties of one value; each goes once, while there are others."""

    def __init__(self, offered: Literals, bound: Mapping[str, Any] | None = None) -> None:
        self.offered = offered
        self.bound = bound or {}
        self._left: dict[str, list[Any]] = {
            "number": list(offered.numbers),
            "string": [*offered.quoted, *offered.names] or list(offered.weak),
        }

    def one(self, name: str, node: Json, kind: str) -> Any:
        """A value for the property `name`, or `NOTHING`."""
        if name in self.bound:
            return fitted(self.bound[name], node, kind)
        told = self.told(name, node, kind)
        if told is not NOTHING or kind in ("boolean", "null", "object", "array"):
            return told
        if kind in ("integer", "number"):
            return self._next("number", node, kind)
        return self._text(name, node)

    def told(self, name: str, node: Json, kind: str) -> Any:
        """What the prompt says of this property by its name, or `NOTHING`."""
        if name in self.bound:
            return fitted(self.bound[name], node, kind)
        for value in _said_of(name, self.offered.text, kind):
            fit = fitted(value, node, kind)
            if fit is not NOTHING:
                for left in self._left.values():
                    if value in left:
                        left.remove(value)
                return fit
        return NOTHING

    def mentioned(self, values: Sequence[Any]) -> Any:
        """The member of an enum that the prompt mentions first, or `NOTHING`."""
        text = self.offered.text.lower()
        found: list[tuple[int, int, int, Any]] = []
        for value in values:
            word = str(value).lower()
            match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) if word and len(word) < 200 else None
            if match and not isinstance(value, bool):
                found.append((match.start(), -len(word), len(found), value))
        return min(found)[3] if found else NOTHING

    def many(self, node: Json, kind: str) -> list[Any]:
        """Every literal left that fits the items of an array, at most 20."""
        left = self._left["number" if kind in ("integer", "number") else "string"]
        fits = [(value, fitted(value, node, kind)) for value in left if kind in ("integer", "number", "string")]
        taken = [(value, fit) for value, fit in fits if fit is not NOTHING][:20]
        for value, _ in taken:
            left.remove(value)
        return [fit for _, fit in taken]

    def _text(self, name: str, node: Json) -> Any:
        form = _FORMATS.get(str(node.get("format")))
        if form:
            match = re.search(rf"(?<![\w-]){form}(?![\w-])", self.offered.text)
            return fitted(match[0], node, "string") if match else NOTHING
        spoken = name.lower()
        if spoken == "expression" and (found := _ARITHMETIC.search(self.offered.text)):
            return fitted(found[0].strip(), node, "string")
        if spoken in _WHOLE and not self.offered.quoted and self.offered.text:
            return fitted(self.offered.text[:500], node, "string")
        if _DIGITS.search(spoken) and self._left["number"]:
            return self._next("number", node, "string")
        return self._next("string", node, "string")

    def _next(self, pool: str, node: Json, kind: str) -> Any:
        for value in self._left[pool]:
            fit = fitted(value, node, kind)
            if fit is not NOTHING:
                self._left[pool].remove(value)
                return fit
        return NOTHING


def _said_of(name: str, text: str, kind: str) -> list[Any]:
    """The literals that stand where a property is named: `name=…`, `name: …`, «name is …», «3 days» of `days`."""
    if not re.fullmatch(r"[^\W\d]\w{0,60}", name):
        return []
    spoken = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().strip("_").split("_")
    words = "[ _-]?".join(re.escape(word) for word in spoken)
    label = rf"(?<!\w){words}(?!\w)[\"'`]?"
    value = rf"{_QUOTED}|({_NUMBER})|\b(true|false|yes|no)\b"
    link = r"\s*(?:=|:)\s*"
    found = re.findall(rf"{label}{link}(?:{value}|([^\s,;)\]}}]+))", text, re.IGNORECASE)
    if len(name) > 1:
        loose = r"\s+(?:(?:is|of|to|named|called|be|as|set to)\s+)?"
        found += [(*groups, "") for groups in re.findall(rf"{label}{loose}(?:{value})", text, re.IGNORECASE)]
        found += [
            ("", match) for match in re.findall(rf"(?i:{label}\s+(?:is|named|called|of))\s+([A-ZÀ-Þ][\w’'-]*)", text)
        ]
    values = [_literal(next(group for group in groups if group)) for groups in found if any(groups)]
    if kind in ("integer", "number") and len(name) > 2:
        last = re.escape(spoken[-1].removesuffix("s"))
        values += [_number(match) for match in re.findall(rf"({_NUMBER})[\s-]*{last}s?(?!\w)", text, re.IGNORECASE)]
    return values


_YES = {"true": True, "yes": True, "false": False, "no": False}


def fitted(value: Any, node: Json, kind: str) -> Any:
    """`value` as one of `kind` that satisfies the schema node, or `NOTHING`."""
    match kind:
        case "boolean":
            return value if isinstance(value, bool) else _YES.get(str(value).lower(), NOTHING)
        case "integer" | "number":
            return _fitted_number(value, node, kind)
        case "string":
            return _fitted_text(value, node)
        case _:
            return NOTHING


def _fitted_number(value: Any, node: Json, kind: str) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}(?:\.\d{1,15})?", value):
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_MOST < value < _MOST:
        return NOTHING
    if kind == "integer" and value != int(value):
        return NOTHING
    low, high = node.get("minimum"), node.get("maximum")
    above, below, step = node.get("exclusiveMinimum"), node.get("exclusiveMaximum"), node.get("multipleOf")
    outside = (low is not None and value < low) or (high is not None and value > high)
    outside = outside or (above is not None and value <= above) or (below is not None and value >= below)
    if outside or (step and value % step):
        return NOTHING
    return int(value) if kind == "integer" else value


def _fitted_text(value: Any, node: Json) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return NOTHING
    text = str(value)
    if len(text) < float(node.get("minLength") or 0):
        return NOTHING
    if node.get("maxLength") is not None and len(text) > float(node["maxLength"]):
        return NOTHING
    form, pattern = _FORMATS.get(str(node.get("format"))), node.get("pattern")
    if form and not re.fullmatch(form, text):
        return NOTHING
    if pattern:
        compiled = compile_pattern(str(pattern))
        if compiled is None or len(text) > 200 or not compiled.search(text):
            return NOTHING
    return text


def compile_pattern(pattern: str) -> re.Pattern[str] | None:
    """A caller's pattern, or None if it is none of ours."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None
