"""Stored credentials are judged on both databases."""

from store.conftest import postgres_url, server, sqlite_url, template, url

__all__ = ["postgres_url", "server", "sqlite_url", "template", "url"]
