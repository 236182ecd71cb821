"""multipart/form-data as OpenAI reads it: by the boundary that the header names, and no other."""

import re
from collections.abc import Sequence
from email.message import Message
from typing import NamedTuple

from portico.simulator.openai.refusal import Refused

_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
KIND = "multipart/form-data"


class Part(NamedTuple):
    """One field. `filename` is None for one that is no file."""

    name: str
    filename: str | None
    content_type: str
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def is_form(content_type: str) -> bool:
    """Whether a body says that it is a form."""
    return content_type.partition(";")[0].strip().lower() == KIND


def read(body: bytes, content_type: str) -> Sequence[Part]:
    """The fields of a form, in order. Raises `Refused`."""
    said = Message()
    said["content-type"] = content_type
    boundary = said.get_param("boundary")
    if not is_form(content_type) or not isinstance(boundary, str) or not boundary:
        raise Refused("Could not parse multipart form: no boundary was given in the Content-Type header.")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"))
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Refused("Could not parse multipart form: the body ended before its last boundary.")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, blank, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = Message()
    for line in head.split(b"\r\n"):
        match = _HEADER.fullmatch(line)
        if match is None or not blank:
            raise Refused("Could not parse multipart form: a part has no readable headers.")
        headers[match[1].decode()] = match[2].decode("utf-8", "replace")
    name = headers.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        raise Refused("Could not parse multipart form: a part has no name.")
    return Part(name, headers.get_filename(), headers.get("content-type", ""), data)
