"""Reads the data files: TOML in, a `Catalog` out, or a `CatalogError` that names file, model and key.

The shape of a file is in `schema.py`. Templates (`[thinking.*]`, `[capabilities.*]`) keep it short: `like` takes one over,
keys beside it override.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib import resources
from typing import Final, TypeVar

import msgspec

from portico.catalog.catalog import Catalog
from portico.catalog.checks import check_names, check_successors, check_thinking, looked_up
from portico.catalog.errors import CatalogError
from portico.catalog.infer import Inference, InferenceRule
from portico.catalog.model import Model
from portico.catalog.price import (
    ANY,
    PriceKind,
    PriceList,
    PriceRow,
    Tier,
    TierRule,
    nanos_of_usd,
    permille_of,
)
from portico.catalog.schema import FeeEntry, FileEntry, ModelEntry, PriceEntry, RuleEntry, Table, TierEntry, ToolEntry
from portico.core.target import Capabilities, ThinkingSpec

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
_VIA_BACKEND = "vertex"
"""Capability tables describe Google's own API; a sub-table of this name says where Vertex AI differs."""


FILES: Final = ("google.toml", "openai.toml", "anthropic.toml")
"""In the order of a list of models. Their rules for new names are asked in the opposite order: Google's are the loosest."""


@cache
def load_catalog() -> Catalog:
    """The catalog shipped with Portico, parsed once per process. Raises CatalogError."""
    folder = resources.files("portico.catalog").joinpath("data")
    files = [(name, _parsed(folder.joinpath(name).read_text("utf-8"), name)) for name in FILES]
    models = [model for _, file in files for model in file.models]
    check_names("data", models)
    rules = tuple(rule for _, file in reversed(files) for rule in file.rules)
    return Catalog(models, Inference(rules), {tool: billed for _, file in files for tool, billed in file.tools.items()})


def parse_catalog(text: str, file: str) -> Catalog:
    """A catalog from the text of one file; `file` is its name in errors. Raises CatalogError."""
    parsed = _parsed(text, file)
    return Catalog(parsed.models, Inference(parsed.rules), parsed.tools)


class _Parsed(msgspec.Struct, frozen=True):
    """What one file says."""

    models: tuple[Model, ...]
    rules: tuple[InferenceRule, ...]
    tools: dict[str, bool]
    """By built-in tool, whether the tokens it brings in are billed as input."""


def _parsed(text: str, file: str) -> _Parsed:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(file, str(error)) from error
    entry = _converted(raw, FileEntry, file, "")
    reader = _Reader(file, entry)
    models = tuple(reader.model(name, raw_model) for name, raw_model in entry.models.items())
    check_names(file, models)
    check_successors(file, {model.name: model for model in models})
    return _Parsed(
        models,
        tuple(reader.rule(index, rule) for index, rule in enumerate(entry.inference)),
        {
            name: _converted(raw_tool, ToolEntry, file, f"tools.{name}").input_billed
            for name, raw_tool in entry.tools.items()
        },
    )


class _Reader:
    """Turns the entries of one file into values, its templates and its name at hand."""

    def __init__(self, file: str, entry: FileEntry) -> None:
        self._file = file
        self._entry = entry
        self._thinking = {name: self._thinking_spec(name) for name in entry.thinking}
        self._fees = {name: self._fee_rows(name, fees) for name, fees in entry.fees.items()}
        self._tiers = {tier: self._tier_rule(tier, factors) for tier, factors in entry.tiers.items()}

    def model(self, name: str, raw: Table) -> Model:
        key = f"models.{name}"
        entry = _converted(raw, ModelEntry, self._file, key)
        for text, at in ((entry.title, "title"), (entry.source, "source")):
            if not text.strip():
                raise CatalogError(self._where(f"{key}.{at}"), "is empty")
        for locale in ("en", "zh-CN", "zh-HK"):
            if not entry.description.in_locale(locale).strip():
                raise CatalogError(self._where(f"{key}.description.{locale}"), "is empty")
        capabilities, elsewhere = self._capabilities(entry.capabilities, f"{key}.capabilities")
        return Model(
            name=name,
            title=entry.title,
            kind=entry.kind,
            vendor=self._entry.vendor,
            owned_by=self._entry.owned_by,
            description=entry.description,
            capabilities=capabilities,
            backend_capabilities=elsewhere,
            backends=tuple(self._entry.backends),
            prices=self._prices(entry, key),
            source=entry.source,
            as_of=entry.as_of,
            created=entry.created,
            preview=entry.preview,
            retired=entry.retired,
            shutdown=self._shutdown(entry, key),
            successor=entry.successor,
            aliases=tuple(entry.aliases),
            embedding_dimensions=entry.embedding_dimensions,
        )

    def _shutdown(self, entry: ModelEntry, key: str) -> dict[str, date]:
        backends = dict.fromkeys(self._entry.backends)
        for kind in entry.shutdown:
            looked_up(backends, kind, self._where(f"{key}.shutdown"), "a kind of provider that serves it")
        return entry.shutdown

    def rule(self, index: int, entry: RuleEntry) -> InferenceRule:
        template, elsewhere = self._capabilities(entry.capabilities, f"inference[{index}].capabilities")
        return InferenceRule(entry.pattern, template, elsewhere, entry.keeps_version)

    def _where(self, key: str) -> str:
        return f"{self._file}: {key}"

    def _prices(self, entry: ModelEntry, key: str) -> PriceList:
        if entry.prices == "free":
            return PriceList(free=True)
        rows = [
            row
            for index, price in enumerate(entry.prices)
            for row in self._price_rows(price, f"{key}.prices[{index}]", entry.source)
        ]
        if entry.fees is not None:
            rows += looked_up(self._fees, entry.fees, self._where(f"{key}.fees"), "a table of [fees]")
        rules = tuple(
            looked_up(self._tiers, tier, self._where(f"{key}.tiers"), "a table of [tiers]") for tier in entry.tiers
        )
        for row in rows:
            for rule in rules:
                with _located(self._where(f"{key}.prices")):
                    rule.applied(row)
        return PriceList(tuple(rows), rules)

    def _price_rows(self, price: PriceEntry, key: str, source: str) -> Iterable[PriceRow]:
        if price.above_tokens < 0:
            raise CatalogError(self._where(f"{key}.above_tokens"), "is negative")
        columns = (
            ("input", price.input, PriceKind.INPUT, False),
            ("cached", price.cached, PriceKind.INPUT, True),
            ("write", price.write, PriceKind.CACHE_WRITE, False),
            ("write_1h", price.write_1h, PriceKind.CACHE_WRITE_1H, False),
            ("output", price.output, PriceKind.OUTPUT, False),
        )
        if all(usd is None for _, usd, _, _ in columns):
            raise CatalogError(self._where(key), "says no price")
        for column, usd, kind, cached in columns:
            if usd is None:
                continue
            with _located(self._where(f"{key}.{column}")):
                rate_nanos = nanos_of_usd(usd)
            yield PriceRow(
                kind=kind,
                rate_nanos=rate_nanos,
                modality=ANY if price.modality == "any" else price.modality,
                cached=cached,
                above_tokens=price.above_tokens,
                tier=price.tier,
                backend=price.backend,
                effective_from=price.effective_from or self._entry.prices_effective_from,
                source=price.source or source,
            )

    def _fee_rows(self, name: str, fees: Mapping[str, Table]) -> tuple[PriceRow, ...]:
        rows: list[PriceRow] = []
        for item, raw in fees.items():
            key = f"fees.{name}.{item}"
            fee = _converted(raw, FeeEntry, self._file, key)
            with _located(self._where(f"{key}.usd")):
                rate_nanos = nanos_of_usd(fee.usd)
            rows.append(
                PriceRow(
                    kind=PriceKind.USE,
                    rate_nanos=rate_nanos,
                    unit=fee.unit,
                    item=item,
                    effective_from=self._entry.prices_effective_from,
                    source=fee.source,
                )
            )
        return tuple(rows)

    def _tier_rule(self, tier: Tier, raw: Table) -> TierRule:
        factors = _converted(raw, TierEntry, self._file, f"tiers.{tier}")
        with _located(self._where(f"tiers.{tier}")):
            return TierRule(
                tier,
                input_permille=permille_of(factors.input),
                cached_permille=permille_of(factors.cached),
                output_permille=permille_of(factors.output),
            )

    def _thinking_spec(self, name: str) -> ThinkingSpec:
        key = f"thinking.{name}"
        raw = self._inherited(self._entry.thinking, {"like": name}, key)
        spec = self._struct(raw, ThinkingSpec, key)
        check_thinking(spec, self._where(key))
        return spec

    def _capabilities(self, raw: Table, key: str) -> tuple[Capabilities, dict[str, Capabilities]]:
        """A table of capabilities, and the same where another backend differs."""
        merged = self._inherited(self._entry.capabilities, raw, key)
        elsewhere = merged.pop(_VIA_BACKEND, None)
        own = self._finished(merged, key)
        if elsewhere is None:
            return own, {}
        return own, {_VIA_BACKEND: self._finished({**merged, **elsewhere}, f"{key}.{_VIA_BACKEND}")}

    def _finished(self, raw: Table, key: str) -> Capabilities:
        thinking = raw.get("thinking")
        spec = ThinkingSpec()
        if thinking is not None:
            spec = looked_up(self._thinking, thinking, self._where(f"{key}.thinking"), "a table of [thinking]")
        rest = {field: value for field, value in raw.items() if field != "thinking"}
        return msgspec.structs.replace(self._struct(rest, Capabilities, key), thinking=spec)

    def _inherited(self, templates: Mapping[str, Table], raw: Table, key: str) -> Table:
        """`raw` on top of what it is `like`, all the way down. Backend sub-tables are joined key by key."""
        layers = [raw]
        seen: list[str] = []
        while (parent := layers[-1].get("like")) is not None:
            template = looked_up(templates, parent, self._where(f"{key}.like"), "a template")
            if parent in seen:
                raise CatalogError(self._where(f"{key}.like"), f"goes in a circle: {' -> '.join([*seen, parent])}")
            seen.append(parent)
            layers.append(template)
        merged: Table = {}
        for layer in reversed(layers):
            backend = {**merged.get(_VIA_BACKEND, {}), **layer.get(_VIA_BACKEND, {})}
            merged |= layer
            if backend:
                merged[_VIA_BACKEND] = backend
        merged.pop("like", None)
        return merged

    def _struct(self, raw: Table, kind: type[S], key: str) -> S:
        """A struct of `core`, which itself would pass over a key it does not know."""
        unknown = raw.keys() - set(kind.__struct_fields__)
        if unknown:
            raise CatalogError(self._where(f"{key}.{min(unknown)}"), f"{kind.__name__} has no such field")
        return _converted(raw, kind, self._file, key)


def _converted(raw: object, kind: type[T], file: str, key: str) -> T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        inner = path.rstrip("`")
        raise CatalogError(f"{file}: {(key + inner).removeprefix('.') or 'file'}", message) from error


@contextmanager
def _located(where: str) -> Iterator[None]:
    """Tells a ValueError with its place in the file."""
    try:
        yield
    except ValueError as error:
        raise CatalogError(where, str(error)) from error
