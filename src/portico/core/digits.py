"""Whole numbers that somebody wrote as text: in a query, a form, a place in a list, a provider's JSON."""


def whole(text: str, digits: int = 18) -> int | None:
    """The number that plain digits say, at most so many of them (18: whatever a database counts); None: it says none.

    `int` alone takes signs, spaces, underscores and the digits of every script, and takes its time with many of them.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None
