"""`portico models`: what can be asked for, what it can do and what it costs."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from portico.catalog import Catalog, CatalogError, Model, ModelKind, PriceKind, PriceRow, load_catalog, rate_of
from portico.cli.stored_keys import start_with
from portico.config import Config, ConfigError, load_config
from portico.core.errors import ModelNotFound
from portico.core.target import ThinkingControl
from portico.routing import deployments_of
from portico.wire import jsontext

NANOS_PER_USD = 1_000_000_000


def run_models(*, name: str | None, config: Path | None, as_json: bool) -> int:
    """Prints what the configured providers serve, the whole catalog where there is none, or one model."""
    try:
        settings = start_with(load_config(os.environ, file=config))
        catalog = load_catalog().with_models(settings.models)
    except (ConfigError, CatalogError) as error:
        print(error, file=sys.stderr)
        return 1
    today = datetime.now(UTC).date()
    if name is not None:
        return _one(catalog, settings, name, today, as_json=as_json)
    models = [model for model in catalog.models.values() if not (model.is_gone(today) and model.successor is None)]
    rows = [_row(model, settings, today) for model in models]
    if settings.providers:
        rows = [row for row in rows if row["served_by"]]
    if as_json:
        print(jsontext.dumps({"models": rows}))
        return 0
    _table(rows)
    return 0


def _one(catalog: Catalog, settings: Config, name: str, today: date, *, as_json: bool) -> int:
    try:
        resolved = catalog.resolve(name)
    except ModelNotFound as error:
        print(error.message, file=sys.stderr)
        return 1
    row = _row(resolved.model, settings, today)
    row["asked"] = name
    thinking = resolved.thinking
    row["means"] = {
        key: value
        for key, value in (
            ("effort", thinking.effort),
            ("budget", thinking.budget),
            ("level", thinking.level),
            ("show_thoughts", thinking.show),
        )
        if value is not None
    }
    follower = catalog.successor_of(resolved.model, today)
    row["successor"] = follower.name if follower else None
    row["description"] = resolved.model.description.en
    if as_json:
        print(jsontext.dumps(row))
        return 0
    width = max(len(key) for key in row)
    for key, value in row.items():
        if value not in (None, [], {}):
            print(f"{key.replace('_', ' '):<{width}}  {_shown(value)}")
    return 0


def _shown(value: Any) -> str:
    """A value for people: lists and settings in words, numbers grouped."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_shown(item)}" for key, item in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _row(model: Model, settings: Config, today: date) -> dict[str, Any]:
    providers = {provider.name: provider for provider in settings.providers}
    rows = model.prices.in_force(today)
    spec = model.capabilities.thinking
    thinking = (
        f"{spec.min_budget} to {spec.max_budget} tokens"
        if spec.control is ThinkingControl.BUDGET
        else ", ".join(spec.levels)
        if spec.control is ThinkingControl.LEVEL
        else None
    )
    modality = "audio" if model.kind is ModelKind.SPEECH else "text"
    return {
        "id": model.name,
        "kind": str(model.kind),
        "aliases": list(model.aliases),
        "context_length": model.capabilities.max_input_tokens,
        "max_output": model.capabilities.max_output_tokens,
        "input_modalities": sorted(model.capabilities.input_modalities),
        "output_modalities": sorted(model.capabilities.output_modalities),
        "thinking": thinking,
        "free": model.prices.free,
        "input_usd_per_mtok": usd(rate_of(rows, PriceKind.INPUT, "text")),
        "cached_usd_per_mtok": usd(rate_of(rows, PriceKind.INPUT, "text", cached=True)),
        "output_usd_per_mtok": usd(rate_of(rows, PriceKind.OUTPUT, modality)),
        "served_by": [deployment.provider.name for deployment in deployments_of(model, providers)],
    }


def usd(row: PriceRow | None) -> str | None:
    """A rate in dollars, every digit that matters and at least two; None stays unknown."""
    if row is None:
        return None
    text = f"{Decimal(row.rate_nanos) / NANOS_PER_USD:f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def _table(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, justify in (
        ("model", "left"),
        ("context", "right"),
        ("output", "right"),
        ("in → out", "left"),
        ("thinking", "left"),
        ("$/M in", "right"),
        ("cached", "right"),
        ("out", "right"),
        ("served by", "left"),
    ):
        table.add_column(title, justify=justify, no_wrap=title in ("model", "$/M in", "cached", "out"))  # type: ignore[arg-type]
    for row in rows:
        without = "free" if row["free"] else "unknown"
        table.add_row(
            row["id"],
            f"{row['context_length']:,}",
            f"{row['max_output']:,}",
            f"{_short(row['input_modalities'])} → {_short(row['output_modalities'])}",
            row["thinking"] or "none",
            row["input_usd_per_mtok"] or without,
            row["cached_usd_per_mtok"] or without,
            row["output_usd_per_mtok"] or without,
            ", ".join(row["served_by"]) or "nobody",
        )
    console = Console()
    if not console.is_terminal:
        console.width = 200
    console.print(table)
    if not any(row["served_by"] for row in rows):
        console.print("\nNo provider is configured here, so these are all that are known; the simulator plays them.")
    console.print("\nVariants: add -thinking, -nothinking, -low, -medium or -high to a model that thinks.", style="dim")


def _short(modalities: list[str]) -> str:
    order = ("text", "image", "audio", "video", "document")
    return "+".join(sorted(modalities, key=lambda word: order.index(word) if word in order else len(order)))
