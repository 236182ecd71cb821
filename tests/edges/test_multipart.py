"""Form bodies are found field by field, whatever is in them, and patched in place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.wire.multipart import NotMultipart, fields, is_multipart, patched

BOUNDARY = b"sample-boundary"


def form(*given: tuple[str, bytes, str | None]) -> bytes:
    """A body as clients write it."""
    pieces = []
    for name, value, filename in given:
        said = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
        pieces.append(b"--%s\r\nContent-Disposition: %s\r\n\r\n%s\r\n" % (BOUNDARY, said.encode(), value))
    return b"".join([*pieces, b"--%s--\r\n" % BOUNDARY])


VALUES = st.binary(max_size=200).filter(lambda value: BOUNDARY not in value)
FIELDS = st.lists(st.tuples(st.sampled_from(["model", "file", "image[]", "prompt"]), VALUES), min_size=1, max_size=6)


@given(FIELDS)
def test_every_field_is_found_with_its_value(given: list[tuple[str, bytes]]) -> None:
    body = form(*[(name, value, None) for name, value in given])
    assert [(one.name, one.value(body)) for one in fields(body)] == given
    assert is_multipart(body)


@given(FIELDS, VALUES)
def test_a_patch_changes_the_fields_of_that_name_and_nothing_else(given: list[tuple[str, bytes]], new: bytes) -> None:
    body = form(*[(name, value, None) for name, value in given])
    expected = form(*[(name, new if name == "model" else value, None) for name, value in given])
    assert patched(body, {"model": new}, fields(body)) == expected


def test_a_file_has_its_name_and_type() -> None:
    body = (
        b'--%s\r\nContent-Disposition: form-data; name="file"; filename="my voice.wav"\r\nContent-Type: audio/wav\r\n\r\n'
        b"RIFF\r\n--%s--\r\n" % (BOUNDARY, BOUNDARY)
    )
    (one,) = fields(body)
    assert (one.name, one.filename, one.content_type, one.value(body)) == ("file", "my voice.wav", "audio/wav", b"RIFF")


WHOLE = form(("model", b"whisper-1", None), ("file", b"\x00\r\n--\x01", "a.wav"))


@pytest.mark.parametrize("length", range(0, len(WHOLE) - 4, 3))
def test_a_body_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(NotMultipart):
        fields(WHOLE[:length])


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"--\r\n",
        b"--b\r\n\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        form(*[("a", b"", None)] * 300),
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(NotMultipart):
        fields(body)
