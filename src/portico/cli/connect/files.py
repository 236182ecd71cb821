"""The files of clients: where each is on this machine, what it says, and how it is written so that nothing can be lost."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from portico.clients import Client, File
from portico.clients.merge import Unmergeable, merge, read

_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o644


class Unwritable(Exception):
    """A file that cannot be read, changed or written; it is as it was."""

    def __init__(self, path: Path, why: str, line: int | None = None) -> None:
        super().__init__(f"{path}{'' if line is None else f', line {line}'}: {why}")
        self.path = path


class Written(msgspec.Struct, frozen=True):
    """What became of a file."""

    path: Path
    changed: bool
    backup: Path | None = None
    """What was there before, beside it."""


def place(client: Client, file: File, *, home: Path, environment: Mapping[str, str], platform: str) -> Path:
    """Where a file is: below the home folder, unless one of the client's variables says otherwise. Of several names under
    which the client reads it, the one that is there."""
    for name in (file.path, *file.others):
        path = _place(client, name, home, environment, platform)
        if path.exists():
            return path
    return _place(client, file.path, home, environment, platform)


def _place(client: Client, path: str, home: Path, environment: Mapping[str, str], platform: str) -> Path:
    heard = (moved for moved in client.moved if platform not in moved.unheard_on)
    for moved in heard:
        if (there := environment.get(moved.variable)) and f"{path}/".startswith(moved.stands_for):
            rest = path.removeprefix(moved.stands_for).lstrip("/")
            return Path(there).expanduser() / rest if rest else Path(there).expanduser()
    before, here = client.homes.get(platform, ("", ""))
    if before and path.startswith(before):
        path = here + path.removeprefix(before)
    return home / path


def read_text(path: Path) -> str:
    """The text of a file, every byte of it; empty if there is none. Raises `Unwritable`."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise Unwritable(path, "is not UTF-8", error.object.count(b"\n", 0, error.start) + 1) from None
    except OSError as error:
        raise Unwritable(path, error.strerror or str(error)) from None


def value_of(path: Path, file: File) -> Any:
    """What a file says. Raises `Unwritable`."""
    with _named(path):
        return read(file.format, read_text(path))


def merged_text(path: Path, file: File) -> tuple[str, str]:
    """The text of a file as it is, and with the settings in it. Raises `Unwritable`."""
    before = read_text(path)
    with _named(path):
        return before, merge(file.format, before, file.settings)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """What is wrong in a file is told with the file."""
    try:
        yield
    except Unmergeable as error:
        raise Unwritable(path, error.why, error.line) from None


def write(path: Path, file: File, before: str, after: str, *, now: datetime) -> Written:
    """Exchanges the file as a whole, and keeps what was there. Raises `Unwritable`."""
    target = path.resolve()  # where a link leads, so that it stays one
    try:
        known = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        mode = _PRIVATE if file.secret else known or _PUBLIC
        if before == after:
            if known is not None and known != mode:
                target.chmod(mode)
            return Written(path, changed=known is not None and known != mode)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if file.secret else 0o777)
        backup = _kept(target, before, known, file, now) if known is not None else None
        _exchange(target, after.encode("utf-8"), mode)
    except OSError as error:
        raise Unwritable(path, error.strerror or str(error)) from None
    return Written(path, changed=True, backup=backup)


def _kept(target: Path, before: str, mode: int | None, file: File, now: datetime) -> Path:
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    backup = target.with_name(f"{target.name}.portico-backup-{stamp}")
    _exchange(backup, before.encode("utf-8"), _PRIVATE if file.secret else mode or _PRIVATE)
    return backup


def _exchange(target: Path, content: bytes, mode: int) -> None:
    """A file appears whole or not at all, and is never readable for more people than it shall be."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
