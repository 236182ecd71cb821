"""[storage]: the database, and where other data is kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from portico.config.sources import Sources

DATA_FOLDER: Final = ".portico"
KEYS: Final = frozenset({"url"})


class StorageConfig(msgspec.Struct, frozen=True):
    """[storage]"""

    url: str


def read_storage(sources: Sources, table: Mapping[str, Any]) -> StorageConfig:
    url = sources.environment.get("PORTICO_STORAGE_URL") or table.get("url")
    if url is not None and not isinstance(url, str):
        sources.problem("storage.url", f"expected text, found {url!r}")
        url = None
    return StorageConfig(url or f"sqlite:///{sources.home / DATA_FOLDER / 'portico.db'}")


def data_folder(sources: Sources, storage: StorageConfig) -> Path:
    """Where data is kept: beside a database that is a file, else beside the configuration."""
    scheme, _, path = storage.url.partition(":///")
    return (sources.home / path).parent if scheme == "sqlite" and path else sources.home / DATA_FOLDER
