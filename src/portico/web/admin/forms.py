"""Forms of the admin's desk: several on a page, each with the act it asks for in the field `do`."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from portico.accounts.keys import DEFAULT_TENANT
from portico.core.digits import whole
from portico.core.errors import Conflict, InvalidRequest, PorticoError
from portico.core.ids import random_token
from portico.web.inside.asked import Asked, Led, Reply, Shown

Act = Callable[[Asked], Awaitable[Reply]]
Show = Callable[[Asked], Awaitable[Shown]]
PAGE: Final = 100
LONGEST: Final = 300
FORM_CHARACTERS: Final = 16


def page(asked: Asked, template: str, title: str, /, **data: Any) -> Shown:
    """A page of the desk. `failed`: which of its forms is shown again; `typed`: what stood in it."""

    def typed(act: str, field: str, default: str = "") -> str:
        return asked.said(field, default) if asked.said("do") == act else default

    return Shown(
        template=f"admin/{template}",
        title=title,
        data={"failed": "", "typed": typed, "told": told, "where": where, "age": age, **data},
    )


async def acted(asked: Asked, acts: Mapping[str, Act], show: Show) -> Reply:
    """Does what a form asks for. What can be mended is shown in the form again."""
    word = asked.said("do")
    act = acts.get(word)
    if act is None:
        raise InvalidRequest("This form asks for nothing that is done here.")
    try:
        return await act(asked)
    except (InvalidRequest, Conflict) as error:
        shown = await show(asked)
        return msgspec.structs.replace(shown, status=422, errors=problems(error), data={**shown.data, "failed": word})


def problems(error: PorticoError) -> dict[str, str]:
    """What is wrong, by the field of the form."""
    return {error.param or "": error.message}


def back(asked: Asked, done: str) -> Led:
    """The same page, which tells what was done."""
    return Led(to=asked.path, done=done)


def new_form(asked: Asked) -> str:
    """A word for a form that moves money, in its field `form`: what comes with it is booked once."""
    return f"form {random_token(asked.backstage.rng, FORM_CHARACTERS)}"


async def book(asked: Asked, command: str, *, reference: str = "", **fields: str) -> None:
    """Moves money: once under the reference that was typed, or else for the form. Raises as the command does."""
    try:
        await asked.do(command, reference=reference or asked.said("form") or None, **fields)
    except Conflict as error:
        if reference or error.param != "reference":
            raise
        raise Conflict("This form was sent already, and is booked once. To book it again, fill it in anew.") from None


def whole_number(text: str, param: str) -> int | None:
    """A count that was typed; None: nothing was. Raises `InvalidRequest`."""
    if not text:
        return None
    number = whole(text, 15)
    if number is None:
        raise InvalidRequest("Write a whole number, or nothing.", param=param)
    return number


def told(detail: dict[str, Any]) -> str:
    """What was asked for, on one line."""
    words = [
        f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in detail.items()
        if value not in ("", [], None)
    ]
    text = " ".join(words)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


_PAGES: Final = {"acc_": "accounts", "key_": "keys", "user_": "users", "drf_": "prices/drafts"}


def where(subject: str) -> str:
    """Where the thing of an id is looked at; "": nowhere."""
    if subject == DEFAULT_TENANT:
        return f"/admin/accounts/{subject}"
    if subject.startswith("req_"):
        return f"/admin/receipts/{subject}"
    return next((f"/admin/{page}/{subject}" for prefix, page in _PAGES.items() if subject.startswith(prefix)), "")


def age(seconds: int) -> str:
    """How long something is open already."""
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes} min {seconds} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
