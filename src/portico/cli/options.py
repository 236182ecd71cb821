"""Options that many commands have."""

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="The configuration file (default: portico.toml here, or $PORTICO_CONFIG)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
