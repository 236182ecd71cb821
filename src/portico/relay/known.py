"""Decodes bodies of which one large member is the same in every turn: an agent's tools are a third of what it sends.

Known bytes are looked for where they stood the last time, else behind the member's name. They are cut out before decoding,
and the list that was made of them is put in, with what dialects kept with it (`core/known.py`). The outcome is that of
decoding the body: a stand-in is decoded in the place of the bytes, and unless it turns out to be the member asked for, the
body is decoded as it is.

Bounded in entries and in bytes; the list that was not met for the longest is forgotten first. Bytes are compared with
bytes, so nobody is served what another has sent, except where both sent the same.
"""

import re
from collections import OrderedDict
from itertools import islice
from typing import Any, Final

import msgspec

from portico.core.known import Known
from portico.wire import jsontext

MAX_LISTS: Final = 64
MAX_BYTES: Final = 2 * 1024 * 1024
"""Of all lists together, as JSON; decoded they take several times as much."""
MAX_LIST_BYTES: Final = 128 * 1024
MAX_BODY_BYTES: Final = 1024 * 1024
"""In a larger body the tools are not what costs, and cutting them out would copy the rest."""
MAX_SEARCHED: Final = 256 * 1024
"""How much of the end of a body is searched: clients send messages first, which are the larger part."""
MAX_GUESSED: Final = 8
"""How many lists, the last met first, are looked for where they stood then, before the member's name is searched."""
MAX_PLACES: Final = 4
"""How many members of that name are looked at, the last first."""
_OPENS: Final = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*(?=\[)")


class KnownLists:
    """The lists that came as one member of bodies. `token` is a text that no caller can guess."""

    def __init__(self, member: str, token: str, *, max_lists: int = MAX_LISTS, max_bytes: int = MAX_BYTES) -> None:
        self._member = member
        self._name = f'"{member}"'.encode()
        self._token = token
        self._stand_in = f'"{token}"'.encode()
        self._lists: OrderedDict[bytes, Known] = OrderedDict()
        self._behind: dict[bytes, int] = {}
        """How many bytes stood behind a list when it was last met: a client mostly sends as many again."""
        self._max_lists = max_lists
        self._max_bytes = max_bytes
        self._top = msgspec.json.Decoder(msgspec.defstruct("Top", [(member, msgspec.Raw)]))
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._lists)

    def decode(self, body: bytes) -> Any:
        """The value of a body. Raises `NotJson`. However it is made, it is decoded twice at most."""
        if len(body) > MAX_BODY_BYTES:
            return jsontext.decode(body)
        spelt, at = self._where_last_time(body)
        if spelt is None:
            at = self._place(body)
            if at < 0:
                return jsontext.decode(body)
            spelt = next((one for one in reversed(self._lists) if body.startswith(one, at)), None)
        if spelt is None:
            value = jsontext.decode(body)
            self._remember(value, body, at)
            return value
        value = self._with(spelt, body, at)
        return jsontext.decode(body) if value is None else value

    def _where_last_time(self, body: bytes) -> tuple[bytes | None, int]:
        """A list that stands as far from the end as when it was last met, and where that is."""
        for spelt in islice(reversed(self._lists), MAX_GUESSED):
            at = len(body) - self._behind[spelt] - len(spelt)
            if at > 0 and body.startswith(spelt, at):
                return spelt, at
        return None, -1

    def _place(self, body: bytes) -> int:
        """Where the list may begin: behind the last of the member's names that a list follows; -1: nowhere."""
        end, least = len(body), max(0, len(body) - MAX_SEARCHED)
        for _ in range(MAX_PLACES):
            end = body.rfind(self._name, least, end)
            if end < 0:
                return -1
            if (opens := _OPENS.match(body, end + len(self._name))) is not None:
                return opens.end()
        return -1

    def _with(self, spelt: bytes, body: bytes, start: int) -> Any:
        """The body's value with a known list where its bytes stand; None if that is another member's, or no JSON."""
        view, end = memoryview(body), start + len(spelt)
        try:
            value = jsontext.decode(b"".join((view[:start], self._stand_in, view[end:])))
        except jsontext.NotJson:
            return None  # what is wrong, and where, only the body itself says
        if type(value) is not dict or value.get(self._member) != self._token:
            return None
        value[self._member] = self._lists[spelt]
        self._lists.move_to_end(spelt)
        self._behind[spelt] = len(body) - end
        return value

    def _remember(self, value: Any, body: bytes, at: int) -> None:
        """Puts a list that will be met again in the place of the member."""
        if type(value) is not dict or type(value.get(self._member)) is not list:
            return
        spelt = bytes(getattr(self._top.decode(body.removeprefix(jsontext.BOM)), self._member))
        if len(spelt) > min(MAX_LIST_BYTES, self._max_bytes) or not body.startswith(spelt, at) or spelt in self._lists:
            return
        value[self._member] = self._lists[spelt] = Known(value[self._member])
        self._behind[spelt] = len(body) - at - len(spelt)
        self.size_bytes += len(spelt)
        while len(self._lists) > self._max_lists or self.size_bytes > self._max_bytes:
            forgotten, _ = self._lists.popitem(last=False)
            self.size_bytes -= len(forgotten)
            del self._behind[forgotten]
