"""Which media a kind of provider takes as they come (mapping.md 1.4, 1.5); `relay/convert.py` makes the others fit."""

import re
from typing import Final

import msgspec

MIB: Final = 1024 * 1024
_NEVER: Final = re.compile(r"(?!)")
"""Files that were uploaded to a provider have an owner there, and none is known of these (`relay/owned.py`)."""


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
    fetches: tuple[str, ...] = ()
    """Beginnings of types that it fetches itself from any address of its `schemes`."""
    schemes: tuple[str, ...] = ("https:", "http:")
    max_picture_bytes: int | None = None
    """Of one inline picture, as base64."""

    def takes(self, mime: str) -> bool:
        return mime in self.types or (bool(self.families) and mime.startswith(self.families))

    def knows(self, address: str, mime: str | None = None) -> bool:
        """Whether it finds what is at an address, if that is of such a type."""
        if self.own_addresses.match(address) is not None:
            return True
        return (
            mime is not None
            and bool(self.fetches)
            and mime.startswith(self.fetches)
            and address[:6].lower().startswith(self.schemes)
        )


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

VERTEX: Final = Intake(
    types=_GOOGLE_TYPES,
    families=("audio/", "video/"),
    own_addresses=re.compile(
        r"gs://"
        r"|https?://((www|m)\.)?youtube\.com/(watch\?|embed/|shorts/|live/)"
        r"|https?://youtu\.be/",
        re.IGNORECASE,
    ),
    max_inline_bytes=100 * MIB,
)
"""Vertex AI reads Cloud Storage by itself, and has no files of the other API."""

OPENAI: Final = Intake(
    types=frozenset(
        {
            *(f"image/{name}" for name in ("png", "jpeg", "webp", "gif")),
            "application/pdf",
            *(f"audio/{name}" for name in ("wav", "mpeg", "mp3")),
        }
    ),
    families=(),
    own_addresses=_NEVER,
    max_inline_bytes=50 * MIB,
    fetches=("image/",),
)
"""OpenAI's own API and Azure's (OpenAI's guides on images, files and audio). Text goes as text."""

ANTHROPIC: Final = Intake(
    types=frozenset(
        {
            *(f"image/{name}" for name in ("png", "jpeg", "webp", "gif")),
            "application/pdf",
            "text/plain",
        }
    ),
    families=(),
    own_addresses=_NEVER,
    max_inline_bytes=31 * MIB,
    fetches=("image/", "application/pdf"),
    schemes=("https:",),
    max_picture_bytes=5 * MIB,
)
"""Anthropic's own API takes requests of 32 MB (Anthropic's guides on vision and PDF): the rest of one has to fit, too."""
