"""multipart/form-data as clients write it, byte by byte."""

from collections.abc import Sequence
from typing import NamedTuple

BOUNDARY = "----portico-sample-boundary"


class Upload(NamedTuple):
    """A file of a form."""

    data: bytes
    name: str = "picture.png"
    mime: str = "image/png"


def form(fields: Sequence[tuple[str, str | bytes | Upload]], boundary: str = BOUNDARY) -> bytes:
    """A form with these fields, in this order."""
    pieces: list[bytes] = []
    for name, value in fields:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, Upload):
            head += f'; filename="{value.name}"\r\nContent-Type: {value.mime}'
        data = value.data if isinstance(value, Upload) else value.encode() if isinstance(value, str) else value
        pieces.append(head.encode() + b"\r\n\r\n" + data + b"\r\n")
    return b"".join(pieces) + f"--{boundary}--\r\n".encode()


def form_header(boundary: str = BOUNDARY) -> dict[str, str]:
    return {"content-type": f"multipart/form-data; boundary={boundary}"}
