"""[storage]: the database, and where other data is kept."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from portico.config.sources import Sources
from portico.config.values import shown
from portico.core.masking import masked_url

DATA_FOLDER: Final = ".portico"
KEYS: Final = frozenset({"url"})
SQLITE: Final = "sqlite:///"
WANTED: Final = "expected sqlite:///PATH or postgresql://USER@HOST/NAME"


class StorageConfig(msgspec.Struct, frozen=True):
    """[storage]. `url` may hold a password: `shown` is for people."""

    url: str

    @property
    def shown(self) -> str:
        return masked_url(self.url)

    def __repr__(self) -> str:
        return f"StorageConfig(url={self.shown!r})"


def read_storage(sources: Sources, table: Mapping[str, Any]) -> StorageConfig:
    """A file that is not named from the root is beside the configuration."""
    stated = sources.environment.get("PORTICO_STORAGE_URL")
    url = stated or table.get("url")
    kept = StorageConfig(f"{SQLITE}{sources.home / DATA_FOLDER / 'portico.db'}")
    if url is None:
        return kept
    if isinstance(url, str):
        if url.startswith(SQLITE) and re.fullmatch(r"[^?#\s:][^?#\n]*", path := url.removeprefix(SQLITE)):
            return StorageConfig(f"{SQLITE}{sources.home / path}")
        if re.fullmatch(r"postgres(ql)?://\S+", url) and _is_readable(url):
            return StorageConfig("postgresql" + url[url.index("://") :])
    found = masked_url(url) if isinstance(url, str) else shown(url)
    if stated:
        sources.problem("PORTICO_STORAGE_URL", f"{WANTED}, found {found}", in_file=False)
    else:
        sources.at("storage", "url", f"{WANTED}, found {found}")
    return kept


def _is_readable(url: str) -> bool:
    """To who will connect to it."""
    from portico.store.database import engine_for  # noqa: PLC0415 - it loads a driver, for PostgreSQL alone

    try:
        engine_for(url)
    except ValueError:
        return False
    return True


def data_folder(sources: Sources, storage: StorageConfig) -> Path:
    """Where data is kept: beside a database that is a file, else beside the configuration."""
    if storage.url.startswith(SQLITE):
        return Path(storage.url.removeprefix(SQLITE)).parent
    return sources.home / DATA_FOLDER
