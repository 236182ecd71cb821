"""What the text of an environment variable says."""

from typing import Any


def number(text: str) -> Any:
    """A number where it is one, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def plain_value(text: str) -> Any:
    """True, false, a number, else text."""
    return {"true": True, "false": False}.get(text.lower(), number(text))


def words(text: str) -> list[str]:
    """A list, written with commas or spaces."""
    return text.replace(",", " ").split()


def said(text: str, types: tuple[type, ...]) -> Any:
    """What a variable says, where one of these types is wanted."""
    if list in types:
        return words(text)
    return text if str in types else number(text)


def wanted(types: tuple[type, ...]) -> str:
    """These types in words."""
    named: dict[tuple[type, ...], str] = {
        (str,): "text",
        (int,): "a whole number",
        (list,): 'a list such as ["10.0.0.0/8"]',
    }
    return named.get(types, "a number")
