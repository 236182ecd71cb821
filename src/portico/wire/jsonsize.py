"""How much there is in a JSON text, told before it is read.

Bytes say little: 64 MiB may be one picture, or thirty million lists, which take seconds to decode and minutes to translate,
and the event loop stands still for as long. So values are counted first, by searching bytes: a picture has no commas.
"""


def holds_at_most(text: bytes, values: int) -> bool:
    """Whether a JSON text holds at most so many values (a dict's keys are not counted). It may say no to half as many where
    lists and dicts are empty, and says anything of what is not JSON. Measured on 64 MiB: 60 ms where there are few commas
    and brackets, else a third of a second; decoding empty lists of that size takes seven."""
    if len(text) <= values or _marks(text) < values:
        return True
    # They may stand in strings, so strings are left out. Escapes go first: then every quote begins or ends one.
    bare = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 4 * values:  # a value has two quotes at most, and its key two
        return False
    return _marks(b"".join(bare.split(b'"')[::2])) < values


def _marks(text: bytes) -> int:
    """A value more than this there can be: each but the first follows one of them."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")
