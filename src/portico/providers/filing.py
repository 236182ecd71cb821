"""How kinds of provider keep files: where they are asked for, and what they say of one (mapping.md 0 and 5.7).

OpenAI's and Anthropic's come as forms to `/files` and are known by bare ids; Google's come in pieces to `/upload` and are
called `files/…`. A file of Google's can be told as one of OpenAI's; the other way nothing is translated.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from portico.wire.http import Headers

MICROSECONDS: Final = 1_000_000
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
GOOGLES: Final = re.compile(r"files/[A-Za-z0-9_-]{1,128}")
_VERSION: Final = re.compile(r"/v\d+[a-z0-9]*$")
_LATEST_S: Final = 253_402_300_799
"""The end of the year 9999, of which Google tells none later. What is said to end after it has no end."""
_FRACTION: Final = re.compile(r"\.\d+")


class StoredFile(msgspec.Struct, frozen=True):
    """What is known of a file at a provider. Times are microseconds since 1970."""

    name: str
    """The provider's own: `file-abc`, `files/abc`."""
    expires_us: int | None = None
    created_us: int = 0
    size_bytes: int = 0
    filename: str = ""
    state: str = ""
    """Google's: `PROCESSING`, `ACTIVE`, `FAILED`."""


class Filing(msgspec.Struct, frozen=True):
    """How one API keeps files. `dialect`: that of the callers who ask for them in the same words."""

    dialect: str
    read: Callable[[Any], StoredFile | None]
    """An object of the API; None for what is none."""
    query: str = ""
    """What every address ends with."""
    headers: Headers = ()
    forwarded: tuple[str, ...] = ()
    """Headers of a caller that go on to the provider; they stand for those of `headers`."""
    names: re.Pattern[str] = ID
    """What a file's name may be."""
    in_pieces: bool = False

    def url(self, base_url: str, name: str = "", end: str = "") -> str:
        """Where a file, or all of them, are at a provider. `base_url` is its address with the version."""
        plain = name.removeprefix("files/")
        return f"{base_url}/files{'/' if plain else ''}{plain}{end}{self.query}"

    def upload_url(self, base_url: str) -> str:
        """Where files are brought to."""
        version = _VERSION.search(base_url)
        if not self.in_pieces or version is None:
            return self.url(base_url)
        return f"{base_url[: version.start()]}/upload{version.group()}/files{self.query}"


# -- what they say of a file -------------------------------------------------------------------------------------------


def _openai(body: Any) -> StoredFile | None:
    if not isinstance(body, Mapping) or not isinstance(name := body.get("id"), str) or not ID.fullmatch(name):
        return None
    ends = body.get("expires_at")
    if not isinstance(ends, int) or isinstance(ends, bool) or abs(ends) > _LATEST_S:
        return StoredFile(name)
    return StoredFile(name, ends * MICROSECONDS)


def _googles(body: Any) -> StoredFile | None:
    file = body.get("file", body) if isinstance(body, Mapping) else None
    if not isinstance(file, Mapping) or not isinstance(name := file.get("name"), str) or not GOOGLES.fullmatch(name):
        return None
    size = str(file.get("sizeBytes", ""))
    shown = file.get("displayName")
    return StoredFile(
        name,
        microseconds(file.get("expirationTime")),
        microseconds(file.get("createTime")) or 0,
        int(size) if size.isdecimal() and len(size) < 20 else 0,
        shown if isinstance(shown, str) else "",
        str(file.get("state", "")),
    )


def microseconds(told: Any) -> int | None:
    """Of a time as Google tells it: `2026-11-28T12:00:00.123456789Z`. None for what is none."""
    if not isinstance(told, str):
        return None
    try:
        return int(datetime.fromisoformat(_FRACTION.sub("", told, count=1)).timestamp()) * MICROSECONDS
    except ValueError:
        return None


OPENAI_FILES: Final = Filing("openai_chat", _openai)
GOOGLES_FILES: Final = Filing("gemini", _googles, names=GOOGLES, in_pieces=True)
ANTHROPIC_FILES: Final = Filing(
    "anthropic_messages",
    _openai,
    headers=(("anthropic-version", "2023-06-01"), ("anthropic-beta", "files-api-2025-04-14")),
    forwarded=("anthropic-version", "anthropic-beta"),
)

_STATUS: Final = {"PROCESSING": "uploaded", "FAILED": "error"}


def as_openai(file: StoredFile, purpose: str = "user_data") -> dict[str, Any]:
    """A file of Google's as OpenAI tells of one."""
    told: dict[str, Any] = {
        "id": file.name,
        "object": "file",
        "bytes": file.size_bytes,
        "created_at": file.created_us // MICROSECONDS,
        "filename": file.filename or file.name.removeprefix("files/"),
        "purpose": purpose,
        "status": _STATUS.get(file.state, "processed"),
        "status_details": None,
    }
    if file.expires_us is not None:
        told["expires_at"] = file.expires_us // MICROSECONDS
    return told
