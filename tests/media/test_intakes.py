"""What each kind of provider takes: files that fit stay, others are made to fit, and what cannot be is refused in words."""

import base64

import pytest

from media.test_convert import BMP, GIF, PDF, PNG
from portico.core.errors import InvalidRequest, RequestTooLarge
from portico.core.parts import Media, Text
from portico.core.request import Message, Request, Role
from portico.providers.intake import ANTHROPIC, GOOGLE, MIB, OPENAI, VERTEX, Intake
from portico.relay.convert import converted
from portico.relay.media import remote_address

WEBP, JPEG, WAV, MP3 = b"RIFF\x04\x00\x00\x00WEBP", b"\xff\xd8\xff\xe0", b"RIFF\x04\x00\x00\x00WAVE", b"ID3\x04"


def fitted(part: Media, *intakes: Intake) -> Text | Media:
    asked = Request("m", (Message(Role.USER, (part,), at=0),))
    (message,) = converted(asked, intakes).request.messages
    (made,) = message.parts
    assert isinstance(made, Text | Media)
    return made


def inline(mime: str, raw: bytes, name: str | None = None) -> Media:
    return Media(mime, data=base64.b64encode(raw).decode(), name=name)


STAYS: list[tuple[Intake, str, bytes]] = [
    *[(intake, "image/png", PNG) for intake in (OPENAI, ANTHROPIC, VERTEX)],
    *[(intake, "image/gif", GIF) for intake in (OPENAI, ANTHROPIC)],
    *[(intake, "image/webp", WEBP) for intake in (OPENAI, ANTHROPIC, VERTEX)],
    *[(intake, "image/jpeg", JPEG) for intake in (OPENAI, ANTHROPIC, VERTEX)],
    *[(intake, "application/pdf", PDF) for intake in (OPENAI, ANTHROPIC, VERTEX)],
    (OPENAI, "audio/wav", WAV),
    (OPENAI, "audio/mpeg", MP3),
    (OPENAI, "audio/mp3", MP3),
    (ANTHROPIC, "text/plain", b"hi"),
    (VERTEX, "video/mp4", b"\x00\x00\x00\x18ftypmp42"),
]


@pytest.mark.parametrize(("intake", "mime", "raw"), STAYS)
def test_what_a_provider_takes_stays_as_it_is(intake: Intake, mime: str, raw: bytes) -> None:
    part = inline(mime, raw)
    assert fitted(part, intake) == part


@pytest.mark.parametrize("intake", [OPENAI, ANTHROPIC])
def test_what_it_does_not_take_is_made_to_fit(intake: Intake) -> None:
    picture = fitted(inline("image/bmp", BMP), intake)
    assert isinstance(picture, Media)
    assert picture.mime == "image/png"
    assert fitted(inline("application/json", b'{"a": 1}', "a.json"), intake) == Text('a.json\n{"a": 1}')
    assert fitted(inline("text/csv", b"a,b", "a.csv"), intake) == Text("a.csv\na,b")


def test_what_one_of_two_providers_does_not_take_is_made_to_fit_both() -> None:
    picture = fitted(inline("image/gif", GIF), OPENAI, GOOGLE)
    assert isinstance(picture, Media)
    assert picture.mime == "image/png"


REFUSED: list[tuple[Intake, Media, str]] = [
    (ANTHROPIC, inline("audio/wav", WAV), "does not take the file (audio/wav)"),
    (ANTHROPIC, inline("video/mp4", b"\x00\x01\xff\xfe", "a.mp4"), "does not take 'a.mp4' (video/mp4)"),
    (OPENAI, inline("audio/ogg", b"OggS\x00\xff\xfe"), "does not take the file (audio/ogg)"),
    (OPENAI, inline("image/heic", b"\x00\x00\x00\x18ftypheic\xff\xfe"), "does not take the file (image/heic)"),
    (OPENAI, Media(None, uri="file-abc"), "no file that this model's provider knows"),
    (ANTHROPIC, Media(None, uri="file_abc"), "no file that this model's provider knows"),
    (VERTEX, Media(None, uri="files/abc"), "no file that this model's provider knows"),
    (OPENAI, Media("image/png", uri="gs://a/b.png"), "no file that this model's provider knows"),
    (
        ANTHROPIC,
        inline("image/png", PNG + bytes(4 * MIB)),
        "is 5.3 MiB as base64; the model's provider takes pictures of 5 MiB",
    ),
]


@pytest.mark.parametrize(("intake", "part", "message"), REFUSED)
def test_what_cannot_fit_is_refused_in_words(intake: Intake, part: Media, message: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        fitted(part, intake)
    assert message in raised.value.message
    assert raised.value.param == "$.messages[0]"


@pytest.mark.parametrize("intake", [OPENAI, ANTHROPIC])
def test_more_than_it_takes_at_once_is_refused(intake: Intake) -> None:
    data = "A" * (intake.max_inline_bytes // 2 + 4)
    parts = (Media("application/pdf", data=data), Media("application/pdf", data=data))
    with pytest.raises(RequestTooLarge):
        converted(Request("m", (Message(Role.USER, parts, at=0),)), [intake])


ADDRESSES: list[tuple[Intake, str | None, str, bool]] = [
    # (provider, type known, address, whether the gateway fetches it)
    (OPENAI, "image/png", "https://a.example/a", False),
    (OPENAI, "image/png", "HTTP://a.example/a", False),
    (OPENAI, None, "https://a.example/a", True),
    (OPENAI, "application/pdf", "https://a.example/a.pdf", True),
    (ANTHROPIC, "image/png", "https://a.example/a", False),
    (ANTHROPIC, "image/png", "http://a.example/a", True),
    (ANTHROPIC, "application/pdf", "https://a.example/a.pdf", False),
    (ANTHROPIC, "text/plain", "https://a.example/a.txt", True),
    (VERTEX, "image/png", "https://a.example/a", True),
    (VERTEX, "video/mp4", "gs://bucket/a.mp4", False),
    (VERTEX, None, "https://youtu.be/abc", False),
    (VERTEX, None, "https://generativelanguage.googleapis.com/v1beta/files/abc", True),
]


@pytest.mark.parametrize(("intake", "mime", "address", "fetched"), ADDRESSES)
def test_who_fetches_what_stands_at_an_address(intake: Intake, mime: str | None, address: str, fetched: bool) -> None:
    part = Media(mime, uri=address)
    assert remote_address(part, [intake]) == (address if fetched else None)


def test_what_one_of_two_providers_does_not_fetch_the_gateway_does() -> None:
    part = Media("image/png", uri="https://a.example/a")
    assert remote_address(part, [OPENAI, GOOGLE]) == part.uri
