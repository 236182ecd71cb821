"""An address behind the door: who may look and act there, and the functions that do."""

import re
from collections.abc import Awaitable, Callable

import msgspec

from portico.web.inside.asked import Asked, Needs, Reply

Serve = Callable[[Asked], Awaitable[Reply]]


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """`pattern` matches whole paths; its groups are handed on as `Asked.names`."""

    pattern: re.Pattern[str]
    look: Serve | None = None
    """GET. Raises `NotFound`."""
    act: Serve | None = None
    """POST, with a form that carries our token. Raises the core's errors; what can be mended is shown in the form."""
    needs: Needs = Needs.PERSON
    act_needs: Needs | None = None
    """None: as to look."""
    open_to_programs: bool = False
    """POST comes from a program with its own proof (a webhook), and not from a form: no token is asked for."""


def room(
    path: str,
    look: Serve | None = None,
    act: Serve | None = None,
    *,
    needs: Needs = Needs.PERSON,
    act_needs: Needs | None = None,
    open_to_programs: bool = False,
) -> Room:
    """The room at a path such as `/console/keys/{key}`: a name in braces stands for one step, `{id:path}` for several."""
    pattern = "".join(
        f"(?P<{name.removesuffix(':path')}>{'.+' if name.endswith(':path') else '[^/]+'})" if name else re.escape(text)
        for text, name in re.findall(r"([^{]+)|\{([^}]+)\}", path)
    )
    return Room(
        pattern=re.compile(pattern),
        look=look,
        act=act,
        needs=needs,
        act_needs=act_needs,
        open_to_programs=open_to_programs,
    )
