"""The form of a key's settings: what it says becomes the arguments of a command, and what a key has becomes the form.

Whether there is a limit is a choice of its own (`rpm-is`: `none` or `some`), so that an empty field is never one.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from portico.accounts.policy import IMAGE_FORMS, ON_DISCONNECT
from portico.admin.keys import KeySettings, KeyView
from portico.catalog.thinking import EFFORTS
from portico.core.digits import whole
from portico.web.inside.asked import Asked

COUNTS: Final = ("rpm", "tpm", "concurrent")
BUDGETS: Final = ("budget_day_usd", "budget_month_usd")
LISTS: Final = ("models", "allow_ips")
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "image_form": IMAGE_FORMS,
    "on_disconnect": ON_DISCONNECT,
    "default_effort": EFFORTS,
}
HOW_MUCH: Final = "Say how much, or choose that there is no limit."
WHICH: Final = "Say which, or choose that there is no limit."
WHOLE_NUMBER: Final = "A whole number above 0."
A_DAY: Final = "A day to come, as 2027-01-31."


class Form(msgspec.Struct, frozen=True):
    """What the form shows: `values` by field, `some` which limits there are."""

    values: Mapping[str, str]
    some: frozenset[str] = frozenset()
    strict: bool = False


def read(asked: Asked) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields of `keys create` and `keys set`, and what is wrong with them."""
    fields: dict[str, Any] = {"name": asked.said("name"), "strict": asked.said("strict") == "yes"}
    errors: dict[str, str] = {}
    for name in (*COUNTS, *BUDGETS):
        text = asked.said(name)
        if asked.said(f"{name}-is") != "some":
            fields[name] = None
        elif not text:
            errors[name] = HOW_MUCH
        elif name in BUDGETS:
            fields[name] = text
        elif count := whole(text, 19):
            fields[name] = count
        else:
            errors[name] = WHOLE_NUMBER
    for name in LISTS:
        entries = [
            entry for line in asked.said(name).splitlines() for word in line.split(",") if (entry := word.strip())
        ]
        if asked.said(f"{name}-is") != "some":
            fields[name] = []
        elif entries:
            fields[name] = entries
        else:
            errors[name] = WHICH
    for name in CHOICES:
        fields[name] = asked.said(name) or None
    fields["expires"] = None
    if asked.said("expires-is") == "some":
        try:
            day = date.fromisoformat(asked.said("expires"))
            fields["expires"] = datetime(day.year, day.month, day.day, tzinfo=UTC).isoformat()
        except ValueError:
            errors["expires"] = A_DAY
    return fields, errors


def empty() -> Form:
    """Of a key that is to be made."""
    return Form(values={})


def as_said(asked: Asked) -> Form:
    """The form as it came, to be mended."""
    names = ("name", "expires", *COUNTS, *BUDGETS, *LISTS, *CHOICES)
    some = [name for name in names if asked.said(f"{name}-is") == "some"]
    return Form({name: asked.said(name) for name in names}, frozenset(some), asked.said("strict") == "yes")


def of_key(key: KeyView) -> Form:
    """A key's settings."""
    made: KeySettings = key.settings
    values = {name: str(getattr(made, name) or "") for name in (*COUNTS, *BUDGETS, *CHOICES)}
    values |= {name: "\n".join(getattr(made, name)) for name in LISTS}
    values |= {"name": key.name, "expires": "" if key.expires is None else key.expires.date().isoformat()}
    some = [name for name, value in values.items() if value and name not in ("name", *CHOICES)]
    return Form(values, frozenset(some), made.strict)
