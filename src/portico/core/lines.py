"""A line of text that somebody wrote: a name, a note."""

from typing import Final

_JOINERS: Final = {ord("\u200c"): None, ord("\u200d"): None}
"""Persian and the scripts of India are not written right without them, nor is a family as one picture. They show nothing
themselves, and `str.isprintable` takes them for what turns a line around."""


def is_line(text: str) -> bool:
    """Whether it can be shown as it is, on one line: no control characters, and nothing that only pretends to be there."""
    shown = text.translate(_JOINERS)
    return shown.isprintable() and (shown != "" or text == "")
