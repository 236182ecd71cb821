"""[log] and [metrics] of the configuration: what may stand there."""

import re
from pathlib import Path
from typing import Final

import msgspec

AUTO: Final = "auto"
STDOUT: Final = "stdout"
STDERR: Final = "stderr"
OFF: Final = "off"
WORDS: Final = (AUTO, STDOUT, STDERR, OFF)

_ADDRESS: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^\s:/\[\]]+)):(?P<port>[0-9]{1,5})")


class LogConfig(msgspec.Struct, frozen=True):
    """[log]. `access`: where the access log goes, one of WORDS or a file. `auto` is standard output, unless a person looks
    at it (it is a terminal): then there is none."""

    access: str | Path = AUTO


class MetricsConfig(msgspec.Struct, frozen=True):
    """[metrics]. `listen`: host and port of a listener that serves them to whoever asks."""

    listen: tuple[str, int] | None = None


def access_of(value: object, home: Path) -> str | Path:
    """Where the access log goes; a relative file is below `home`. Raises `ValueError` with what is expected."""
    if isinstance(value, str) and value in WORDS:
        return value
    # A mistyped word would make a file of that name.
    if not isinstance(value, str) or not ("/" in value or "." in value) or value.endswith("/"):
        raise ValueError('expected "auto", "stdout", "stderr", "off" or a file such as "./access.log"')
    return home / value


def listen_of(value: object) -> tuple[str, int]:
    """Host and port. Raises `ValueError` with what is expected."""
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match["port"]) > 65535:
        raise ValueError('expected an address such as "127.0.0.1:9090" or "[::1]:9090"')
    return match["six"] or match["host"], int(match["port"])
