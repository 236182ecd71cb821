"""Files that every page uses, at addresses that hold the hash of their content, so that they are kept for ever."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "ico": "image/x-icon",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_A_DAY: Final = "public, max-age=86400"
_ROOT: Final = {"/favicon.svg": "favicon.svg", "/favicon.ico": "favicon.ico"}
"""Addresses that browsers ask for of their own accord."""


class File(msgspec.Struct, frozen=True):
    """A file as it is sent."""

    name: str
    body: bytes
    kept: str = _FOREVER

    @property
    def headers(self) -> dict[str, str]:
        return {"cache-control": self.kept, "content-type": _TYPES[self.name.rpartition(".")[2]]}


@cache
def contents() -> dict[str, bytes]:
    """Every file by its name."""
    folder = files("portico.web") / "static"
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name.rpartition(".")[2] in _TYPES}


@cache
def stamp() -> str:
    """The hash of all files: scripts import each other by relative names, so they share one."""
    digest = hashlib.sha256()
    for name, body in sorted(contents().items()):
        digest.update(name.encode() + b"\0" + body)
    return digest.hexdigest()[:12]


def address(name: str) -> str:
    """Where a file is. Raises KeyError if there is none."""
    if name not in contents():
        raise KeyError(name)
    return f"/s/{stamp()}/{name}"


def find(path: str) -> File | None:
    """The file at an address. One of an older hash is the newest all the same, but is not kept."""
    if path in _ROOT:
        return File(_ROOT[path], contents()[_ROOT[path]], _A_DAY)
    if not path.startswith("/s/"):
        return None
    _, _, given, name = (*path.split("/", 3), "")[:4]
    if name not in contents():
        return None
    return File(name, contents()[name], _FOREVER if given == stamp() else "no-cache")
