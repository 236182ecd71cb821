"""`portico serve` with plain options, read without the command-line toolkit.

The toolkit costs as much CPU as all modules of the gateway together, and a gateway should start fast. Only what is beyond
doubt is read here: options of this table, each at most once, with a value that fits. Everything else is the toolkit's:
help, other commands, and whatever may be a mistake.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

VALUES: Final[Mapping[str, Callable[[str], Any]]] = {
    "config": Path,
    "host": str,
    "port": int,
    "workers": int,
    "access-log": str,
}
"""Options of `cli/app.py`'s `serve` that take a value, and its type."""
FLAGS: Final = frozenset({"simulate"})


def read_serve(arguments: Sequence[str]) -> dict[str, Any] | None:
    """The options of `serve`, those not given as None or False; or None where the toolkit has to look."""
    options: dict[str, Any] = {**dict.fromkeys(map(_key, VALUES)), **dict.fromkeys(FLAGS, False)}
    unread = {*VALUES, *FLAGS}
    rest = list(arguments)
    while rest:
        word, joined, text = rest.pop(0).partition("=")
        name = word.removeprefix("--")
        if name == word or name not in unread:
            return None
        unread.discard(name)
        if name in FLAGS:
            if joined:
                return None
            options[name] = True
            continue
        if not joined:
            text = rest.pop(0) if rest else ""
        number = VALUES[name] is int
        if not text or text.startswith("-") or (number and not (text.isascii() and text.isdigit())):
            return None
        options[_key(name)] = VALUES[name](text)
    return options


def _key(name: str) -> str:
    return name.replace("-", "_")
