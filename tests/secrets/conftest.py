"""Stored credentials are judged on both databases."""

from store.conftest import postgres_url, sqlite_url, url

__all__ = ["postgres_url", "sqlite_url", "url"]
