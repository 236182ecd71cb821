"""Price drafts: what an operator writes down before it becomes a price. TOML, CSV or JSON, one shape.

One line is one model's prices, in dollars per million tokens, written in digits:

    [[prices]]                          model,input,cached,output,modality,effective_from
    model = "gemini-3.5-flash"          gemini-3.5-flash,1.80,0.18,10.80,,2027-01-01
    input = "1.80"                      gemini-3.5-flash,3.00,,,audio,2027-01-01
    cached = "0.18"
    output = "10.80"

Without `provider` it is a sale price of a model by its name here; with one it is what that provider asks for its model.
Beside `input`, `cached`, `output` may stand `write`, `write_1h` (input kept in a cache for minutes, for an hour or more),
`modality`, `above_tokens`, `tier`, `backend`, `effective_from`, `source`; in place of its amounts
`item`, `usd` and `unit` (a fee for web searches and the like), or `free = true`. In TOML and JSON, `effective_from` and
`source` may also stand once, at the top, for every line that has none.
"""

import csv
import io
import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from portico.admin import dollars
from portico.admin.desk import Args, says
from portico.catalog import PriceKind, PriceRow
from portico.catalog.price import ANY, PriceUnit, Tier
from portico.core.errors import InvalidRequest
from portico.core.storage import can_be_kept

MAX_LINES: Final = 10_000
FREE: Final = "free"
FeeUnit: TypeAlias = Literal["query", "prompt", "mtok_hour", "character", "second"]


class Line(Args, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a draft. Amounts are dollars, per million tokens or per `unit`."""

    model: Annotated[str, says("The model's name here; with a provider, its name there.", min_length=1, max_length=200)]
    provider: Annotated[str, says("Whose price it is to us. Empty: the price callers pay.", max_length=200)] = ""
    input: Annotated[str, says("A million tokens read, in dollars.")] | None = None
    cached: Annotated[str, says("A million tokens read from a cache, in dollars.")] | None = None
    write: Annotated[str, says("A million tokens kept in a cache for minutes, in dollars.")] | None = None
    write_1h: Annotated[str, says("A million tokens kept in a cache for an hour or more, in dollars.")] | None = None
    output: Annotated[str, says("A million tokens written, thoughts included, in dollars.")] | None = None
    item: Annotated[
        str, says("What a fee is for: `web_search`, `cache_storage`, `characters`, `seconds` …", max_length=60)
    ] = ""
    usd: Annotated[str, says("The fee, in dollars for one `unit`.")] | None = None
    unit: Annotated[FeeUnit, says("What one fee buys.")] | None = None
    free: Annotated[bool, says("It costs nothing. There is no other way to say so.")] = False
    modality: Literal["any", "text", "image", "audio", "video", "document"] = "any"
    above_tokens: Annotated[int, says("For prompts of more tokens than this.", ge=0, le=100_000_000)] = 0
    tier: Tier = Tier.STANDARD
    backend: Annotated[Literal["", "gemini", "vertex"], says("Where only one kind of provider asks this.")] = ""
    effective_from: Annotated[date, says("The first day (UTC) it holds. By default today.")] | None = None
    source: Annotated[str, says("Where it is written.", max_length=500)] = ""

    @property
    def amounts(self) -> bool:
        """Whether it gives a price of tokens."""
        return any((self.input, self.cached, self.write, self.write_1h, self.output))


class Cell(msgspec.Struct, frozen=True):
    """One price of a draft: a row, or that the model is free (`row` is None)."""

    book: str
    provider: str
    model: str
    effective_from: date
    row: PriceRow | None


def cells_of(lines: list[Line], today: date) -> list[Cell]:
    """The single prices of a draft. Raises `InvalidRequest` with the line's place (`prices[3].input`)."""
    if len(lines) > MAX_LINES:
        raise InvalidRequest(f"At most {MAX_LINES} lines at a time.", param="prices")
    cells: list[Cell] = []
    for index, line in enumerate(lines):
        try:
            cells += _cells(line, today)
        except InvalidRequest as error:
            raise error.under(f"prices[{index}].") from None
    return cells


def _cells(line: Line, today: date) -> Iterator[Cell]:
    book = "cost" if line.provider else "sale"
    begins = line.effective_from or today
    if begins < today:
        message = f"{begins} has passed. A price begins today ({today}) or later: what was charged stays."
        raise InvalidRequest(message, param="effective_from")
    if line.free:
        if line.amounts or line.usd or line.item:
            raise InvalidRequest("A model is free or has prices.", param="free")
        yield Cell(book, line.provider, line.model, begins, None)
        return
    for row in _rows(line, begins):
        yield Cell(book, line.provider, line.model, begins, row)


def _rows(line: Line, begins: date) -> Iterator[PriceRow]:
    if line.item or line.usd or line.unit:
        if not (line.item and line.usd and line.unit) or line.amounts:
            raise InvalidRequest("A fee has item, usd and unit, and no other price on its line.", param="item")
        rate_nanos = dollars.nanos(line.usd, "usd", zero=True)
        yield PriceRow(
            kind=PriceKind.USE,
            rate_nanos=rate_nanos,
            effective_from=begins,
            source=line.source,
            unit=PriceUnit(line.unit),
            item=line.item,
            backend=line.backend,
        )
        return
    columns = (
        ("input", line.input, PriceKind.INPUT, False),
        ("cached", line.cached, PriceKind.INPUT, True),
        ("write", line.write, PriceKind.CACHE_WRITE, False),
        ("write_1h", line.write_1h, PriceKind.CACHE_WRITE_1H, False),
        ("output", line.output, PriceKind.OUTPUT, False),
    )
    if all(usd is None for _, usd, _, _ in columns):
        raise InvalidRequest(
            "It says no price: give input, cached, write, write_1h, output, or item with usd and unit, or free.",
            param="model",
        )
    for name, usd, kind, cached in columns:
        if usd is not None:
            yield PriceRow(
                kind=kind,
                rate_nanos=dollars.nanos(usd, name, zero=True),
                effective_from=begins,
                source=line.source,
                modality=ANY if line.modality == "any" else line.modality,
                cached=cached,
                above_tokens=line.above_tokens,
                tier=line.tier,
                backend=line.backend,
            )


# -- files -------------------------------------------------------------------------------------------------------------

FORMATS: Final = ("toml", "csv", "json")
_AMOUNTS: Final = ("input", "cached", "write", "write_1h", "output", "usd")


def read_lines(text: str, form: str) -> list[Line]:
    """The lines of a file of that format. Amounts may be numbers in it: they are taken digit by digit, never as floats.

    Raises `InvalidRequest` that says where.
    """
    raw = _READERS[form](text.lstrip("\ufeff"))
    lines: list[Line] = []
    for index, fields in enumerate(raw):
        if not isinstance(fields, dict):
            raise InvalidRequest("A line is a table of names and values.", param=f"prices[{index}]")
        if any(isinstance(value, str) and not can_be_kept(value) for value in fields.values()):
            raise InvalidRequest("It holds a NUL, or half a surrogate pair.", param=f"prices[{index}]")
        told = {name: str(value) if name in _AMOUNTS and _is_number(value) else value for name, value in fields.items()}
        try:
            lines.append(msgspec.convert(told, Line, strict=form != "csv"))
        except msgspec.ValidationError as error:
            where = f"line {csv_line(text, index)}" if form == "csv" else f"prices[{index}]"
            raise InvalidRequest(f"{where}: {error}", param=f"prices[{index}]") from None
    if not lines:
        raise InvalidRequest("There are no prices in it.", param="prices")
    return lines


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, _Digits)) and not isinstance(value, bool)


class _Digits(str):
    """A number as it was written."""

    __slots__ = ()


def _toml(text: str) -> list[Any]:
    try:
        return _lines_of(tomllib.loads(text, parse_float=_Digits))
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest(f"It is not TOML: {error}") from None


def _json(text: str) -> list[Any]:
    try:
        return _lines_of(json.loads(text, parse_float=_Digits, object_pairs_hook=_each_once))
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"It is not JSON: {error}") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table as TOML would have it: of two prices of one name it is not known which is meant."""
    _check_once([name for name, _ in pairs])
    return dict(pairs)


def _check_once(names: Iterable[str]) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise InvalidRequest(f"{twice[0][:40]!r} stands there twice.", param="prices")


def _lines_of(document: Any) -> list[Any]:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict) or not isinstance(document.get("prices"), list):
        raise InvalidRequest("Prices stand in a list called prices: [[prices]] in TOML.", param="prices")
    common: Mapping[str, Any] = {name: value for name, value in document.items() if name != "prices"}
    unknown = set(common) - {"effective_from", "source"}
    if unknown:
        name = min(unknown)
        raise InvalidRequest(
            f"{name!r} is nothing that stands beside prices; effective_from and source are.", param=name
        )
    return [{**common, **line} if isinstance(line, dict) else line for line in document["prices"]]


def _csv(text: str) -> list[Any]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        lines = []
        _check_columns([name.strip() for name in reader.fieldnames or () if name.strip()])
        for row in reader:
            if None in row or any(value is None for value in row.values()):
                raise InvalidRequest(f"line {reader.line_num}: it has not as many columns as the first line.")
            lines.append({name.strip(): value.strip() for name, value in row.items() if value.strip()})
    except csv.Error as error:
        raise InvalidRequest(f"line {reader.line_num}: it is not CSV: {error}") from None
    return lines


def _check_columns(names: list[str]) -> None:
    known = [field.encode_name for field in msgspec.structs.fields(Line)]
    if unknown := [name for name in names if name not in known]:
        raise InvalidRequest(
            f"line 1: {unknown[0][:80]!r} is no column. Columns stand with commas between them, and are called"
            f" {', '.join(known)}."
        )
    _check_once(names)


def in_csv(error: InvalidRequest, text: str) -> InvalidRequest:
    """What is wrong with a price, with the line of the file in place of its place in the list."""
    index, _, name = (error.param or "").removeprefix("prices[").partition("]")
    if not index.isdigit():
        return error
    where = f"line {csv_line(text, int(index))}{name.replace('.', ', ')}"
    return InvalidRequest(f"{where}: {error.message}", param=error.param)


def csv_line(text: str, index: int) -> int:
    """In which line of a file a price ends: empty ones between are passed over."""
    reader = csv.DictReader(io.StringIO(text))
    next(islice(reader, index, None), None)
    return reader.line_num


_READERS: Final = {"toml": _toml, "csv": _csv, "json": _json}


def draft_text(lines: list[Line]) -> str:
    """Lines as a TOML file, which `read_lines` reads back as they were."""
    tables = []
    for line in lines:
        fields = msgspec.to_builtins(line)
        ordered = [f"{name} = {_toml_value(name, value)}" for name, value in fields.items()]
        tables.append("\n".join(["[[prices]]", *ordered]))
    return "\n\n".join(tables) + "\n"


def _toml_value(name: str, value: Any) -> str:
    if name == "effective_from":
        return str(value)
    return json.dumps(value, ensure_ascii=False)  # text, whole numbers, true and false: the same in TOML
