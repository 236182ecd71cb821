"""Whether media is what it says it is: base64 that decodes, to bytes of the type that was named."""

import base64
import binascii

from portico.simulator.anthropic.refusal import Refused, at
from portico.simulator.refusal import Json

_MAGIC = {
    "image/png": (b"\x89PNG\r\n\x1a\n", 0),
    "image/jpeg": (b"\xff\xd8\xff", 0),
    "image/gif": (b"GIF8", 0),
    "image/webp": (b"WEBP", 8),
}
_MOST_IMAGE, _MOST_PDF = 5 * 1024 * 1024, 32 * 1024 * 1024


def _decoded(source: Json, path: str) -> bytes:
    try:
        return base64.b64decode(source["data"], validate=True)
    except (binascii.Error, ValueError):
        raise at(f"{path}.data", "invalid base64 data") from None


def check_image(source: Json, path: str, *, lenient: bool) -> None:
    """Raises `Refused` for a picture that is none, or another than it says. What lies behind a URL is not looked at.

    `lenient` takes one type for another, as Anthropic did of models that are retired now (recorded).
    """
    if source["type"] == "url":
        _check_url(source["url"], path)
    if source["type"] != "base64":
        return
    data, said = _decoded(source, f"{path}.base64"), source["media_type"]
    if len(source["data"]) > _MOST_IMAGE:
        raise at(f"{path}.base64", f"image exceeds 5 MB maximum: {len(source['data'])} bytes > {_MOST_IMAGE} bytes")
    found = next((kind for kind, (magic, place) in _MAGIC.items() if data[place:].startswith(magic)), "")
    if not found:
        raise Refused("Could not process image")
    if found != said and not lenient:
        text = f"The image was specified using the {said} media type, but the image appears to be a {found} image"
        raise at(f"{path}.base64.data", text)


def check_document(source: Json, path: str) -> None:
    """Raises `Refused` for a PDF that is none."""
    if source["type"] == "url":
        _check_url(source["url"], path)
    if source["type"] != "base64":
        return
    data = _decoded(source, f"{path}.base64")
    if not data.startswith(b"%PDF-") or len(data) > _MOST_PDF:
        raise at(f"{path}.base64.data", "The PDF specified was not valid.")


def _check_url(url: str, path: str) -> None:
    if not url.startswith("https://"):
        raise at(f"{path}.url", "Only HTTPS URLs are supported.")
    if ".invalid/" in url:
        raise Refused("Unable to download the file. Please verify the URL and try again.")
