"""Which media a kind of provider takes as they come (mapping.md 1.4, 1.5); `relay/convert.py` makes the others fit."""

import re
from typing import Final

import msgspec

MIB: Final = 1024 * 1024


class Intake(msgspec.Struct, frozen=True):
    """What a provider takes inline, by address, and how much of it."""

    types: frozenset[str]
    """Accepted types, in the one spelling that `core/mime.py` gives them."""
    families: tuple[str, ...]
    """Beginnings of types that are left to the provider to judge, since models differ in them."""
    own_addresses: re.Pattern[str]
    """Addresses that the provider resolves itself, and that nobody else could."""
    max_inline_bytes: int
    """Of all inline media of a request together, as base64."""

    def takes(self, mime: str) -> bool:
        return mime in self.types or mime.startswith(self.families)

    def knows(self, address: str) -> bool:
        return self.own_addresses.match(address) is not None


_GOOGLE_TYPES: Final = frozenset(
    {
        *(f"image/{name}" for name in ("png", "jpeg", "webp", "heic", "heif", "avif")),
        *(
            f"text/{name}"
            for name in ("plain", "html", "css", "markdown", "csv", "xml", "rtf", "javascript", "x-python")
        ),
        "application/pdf",
    }
)

GOOGLE: Final = Intake(
    types=_GOOGLE_TYPES,
    families=("audio/", "video/"),
    own_addresses=re.compile(
        r"gs://|files/[A-Za-z0-9_-]+\Z"
        r"|https?://generativelanguage\.googleapis\.com/"
        r"|https?://((www|m)\.)?youtube\.com/(watch\?|embed/|shorts/|live/)"
        r"|https?://youtu\.be/",
        re.IGNORECASE,
    ),
    max_inline_bytes=100 * MIB,
)
"""Google's own API. Cloud Storage has to be registered there first; Google says so itself."""
