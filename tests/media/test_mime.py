"""What a file is: declared, else named, else seen (mapping.md 1.4, 1.5)."""

import base64

import pytest

from portico.core.mime import by_magic, settled_mime

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


@pytest.mark.parametrize(
    ("declared", "name", "data", "mime"),
    [
        ("image/jpg", None, None, "image/jpeg"),
        ("IMAGE/PNG", None, None, "image/png"),
        ("audio/x-wav", None, None, "audio/wav"),
        ("application/ogg", None, None, "audio/ogg"),
        ("application/octet-stream", "a.pdf", None, "application/pdf"),
        ("application/octet-stream", None, PNG, "image/png"),
        (None, "https://example.com/x/photo.JPEG?size=2", None, "image/jpeg"),
        (None, "https://example.com/x/photo.png#of.gif", None, "image/png"),
        (None, "https://example.mp4", None, None),
        (None, "gs://[bucket/a.png", None, "image/png"),
        (None, "http://[a.pdf", None, None),
        (None, "notes", PNG, "image/png"),
        (None, None, base64.urlsafe_b64encode(b"\xff\xd8\xff\xfb\xff\xff" + bytes(9)).decode(), "image/jpeg"),
        (None, None, "not base64!", None),
        (None, None, "", None),
        ("image/png", "a.pdf", None, "image/png"),
        ("audio/L16;codec=pcm;rate=24000", None, None, "audio/L16;codec=pcm;rate=24000"),
        ("text/plain; charset=utf-8", None, None, "text/plain; charset=utf-8"),
    ],
)
def test_a_type_is_declared_else_named_else_seen(
    declared: str | None, name: str | None, data: str | None, mime: str | None
) -> None:
    assert settled_mime(declared, name=name, data=data) == mime


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"GIF89a", "image/gif"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"ID3\x04", "audio/mp3"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"plain text", None),
    ],
)
def test_first_bytes_tell(head: bytes, mime: str | None) -> None:
    assert by_magic(head) == mime
