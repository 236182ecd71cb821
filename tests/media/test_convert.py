"""What a provider does not take becomes what it does (mapping.md 1.4, 1.5): by the bytes, without a socket."""

import base64
import contextlib
import re
import struct
from io import BytesIO

import msgspec
import pytest
from PIL import Image

from portico.core.errors import InvalidRequest, RequestTooLarge
from portico.core.parts import Media, Part, Signature, Text, ToolResult
from portico.core.request import Message, Request, Role
from portico.dialects import gemini, openai_chat
from portico.providers import KINDS
from portico.providers.intake import GOOGLE, Intake
from portico.relay.convert import Converted, converted, takes_time
from portico.relay.media import intakes_of


def picture(format_: str, mode: str = "P", size: tuple[int, int] = (5, 3), frames: int = 1) -> bytes:
    """A small picture with something in it."""
    out = BytesIO()
    images = [Image.new("L" if frames > 1 else mode, size, number * 40 + 1) for number in range(frames)]
    more = {"save_all": True, "append_images": images[1:]} if frames > 1 else {}
    images[0].save(out, format_, **more)
    return out.getvalue()


GIF, BMP, PNG = picture("GIF"), picture("BMP", "RGB"), picture("PNG")
PDF, ZIP = b"%PDF-1.7\n", b"PK\x03\x04\x00\x00\xff\xfe"


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def inline(mime: str | None, raw: bytes, name: str | None = None) -> Media:
    return Media(mime, data=b64(raw), name=name)


def request(*parts: Part, role: Role = Role.USER) -> Request:
    return Request("m", (Message(Role.USER, (Text("hi"),), at=0), Message(role, parts, at=1)))


def convert(*parts: Part, intake: Intake = GOOGLE) -> Converted:
    return converted(request(*parts), [intake])


def only(done: Converted) -> Part:
    (part,) = done.request.messages[1].parts
    return part


# -- what stays ------------------------------------------------------------------------------------------------------

# (type declared, name, bytes, type sent)
TAKEN: list[tuple[str | None, str | None, bytes, str]] = [
    ("image/png", None, PNG, "image/png"),
    ("image/jpg", None, b"\xff\xd8\xff", "image/jpeg"),
    ("image/heic", None, b"\x00\x00\x00\x18ftypheic", "image/heic"),
    ("image/avif", None, b"\x00\x00\x00\x18ftypavif", "image/avif"),
    ("image/gif", None, PNG, "image/png"),  # what it shows itself to be
    ("application/pdf", "a.pdf", PDF, "application/pdf"),
    (None, "a.pdf", PDF, "application/pdf"),
    (None, None, PDF, "application/pdf"),
    ("application/x-pdf", None, PDF, "application/pdf"),
    ("text/plain", "a.txt", b"hi", "text/plain"),
    ("text/html; charset=utf-8", None, b"<p>", "text/html"),
    ("text/html", None, b"<p>", "text/html"),
    ("text/css", None, b"p{}", "text/css"),
    ("text/markdown", None, b"# a", "text/markdown"),
    ("text/x-markdown", None, b"# a", "text/markdown"),
    ("text/csv", None, b"a,b", "text/csv"),
    ("application/csv", None, b"a,b", "text/csv"),
    ("application/xml", None, b"<a/>", "text/xml"),
    ("application/rtf", None, b"{\\rtf1}", "text/rtf"),
    ("application/javascript", None, b"1", "text/javascript"),
    ("application/x-python-code", None, b"1", "text/x-python"),
    ("audio/mpeg", None, b"ID3", "audio/mpeg"),
    ("audio/x-wav", None, b"RIFF", "audio/wav"),
    ("audio/webm;codecs=opus", None, b"\x1a\x45\xdf\xa3", "audio/webm"),
    ("audio/pcm", None, b"\0\0", "audio/pcm"),
    ("audio/of-the-future", None, b"x", "audio/of-the-future"),
    ("video/quicktime", None, b"x", "video/quicktime"),
    ("video/x-msvideo", None, b"x", "video/avi"),
]


@pytest.mark.parametrize(("declared", "name", "raw", "mime"), TAKEN, ids=[f"{row[0]} {row[1]}" for row in TAKEN])
def test_what_the_provider_takes_goes_as_it_is_under_the_one_name_of_its_type(
    declared: str | None, name: str | None, raw: bytes, mime: str
) -> None:
    part = inline(declared, raw, name)
    done = convert(part)
    assert only(done) == msgspec.structs.replace(part, mime=mime)
    assert done.losses == []
    assert not takes_time(request(part), [GOOGLE])


def test_data_that_need_not_be_read_is_not_even_looked_at() -> None:
    part = Media("image/png", data="this is no base64 at all")
    asked = request(part)
    assert converted(asked, [GOOGLE]).request is asked


def test_who_speaks_the_providers_dialect_is_not_meddled_with() -> None:
    kinds = list(KINDS.values())
    assert intakes_of(gemini.DIALECT, [kind for kind in kinds if kind.dialect.name == "gemini"]) == []
    assert GOOGLE in intakes_of(openai_chat.DIALECT, kinds)
    asked = request(inline("image/gif", GIF), Media(None, uri="file-abc"))
    assert converted(asked, []).request is asked


def test_what_a_model_signed_goes_back_as_it_came() -> None:
    part = msgspec.structs.replace(inline("application/json", b"{}"), signature=Signature("google", "QQ=="))
    assert only(convert(part)) == part


# -- pictures --------------------------------------------------------------------------------------------------------

# (name, type declared, bytes)
PICTURES: list[tuple[str, str | None, bytes]] = [
    ("gif", "image/gif", GIF),
    ("gif by its bytes", None, GIF),
    ("gif in disguise", "image/png", GIF),
    ("gif, transparent", "image/gif", picture("GIF", "LA")),
    ("bmp", "image/bmp", BMP),
    ("bmp by another name", "image/x-ms-bmp", BMP),
]


@pytest.mark.parametrize(("name", "declared", "raw"), PICTURES, ids=[row[0] for row in PICTURES])
def test_a_picture_no_model_takes_becomes_a_png(name: str, declared: str | None, raw: bytes) -> None:
    """1.5, image: gif"""
    part = inline(declared, raw)
    assert takes_time(request(part), [GOOGLE])
    done = convert(part)
    png = only(done)
    assert isinstance(png, Media)
    assert png.mime == "image/png"
    with Image.open(BytesIO(base64.b64decode(png.data or ""))) as image, Image.open(BytesIO(raw)) as original:
        assert image.format == "PNG"
        assert image.convert("RGBA").tobytes() == original.convert("RGBA").tobytes()
    assert done.losses == []


def test_of_a_moving_picture_the_first_frame_is_seen_and_that_is_said() -> None:
    """1.5, image: gif"""
    moving = picture("GIF", frames=3)
    done = convert(inline("image/gif", moving, "a.gif"))
    png = only(done)
    assert isinstance(png, Media)
    assert png.name == "a.gif"
    with Image.open(BytesIO(base64.b64decode(png.data or ""))) as image:
        assert not getattr(image, "is_animated", False)
    assert [(loss.code, loss.path) for loss in done.losses] == [("1.5:frames", "$.messages[1]")]


def bomb() -> bytes:
    """A GIF of a few bytes that says it is 65535 pixels wide and high."""
    return b"GIF89a" + struct.pack("<HH", 65535, 65535) + GIF[10:]


# (name, type, bytes, what the message says)
BROKEN: list[tuple[str, str | None, bytes, str]] = [
    ("cut", "image/gif", GIF[: len(GIF) - 8], "broken or cut short"),
    ("a head alone", "image/gif", GIF[:13], "broken or cut short"),
    ("nothing", "image/gif", b"", "broken or cut short"),
    ("no picture", "image/gif", b"not a picture", "broken or cut short"),
    ("another format under its name", "image/bmp", PDF, "broken or cut short"),
    ("a bomb", "image/gif", bomb(), "pixels"),
    ("a bomb as bmp", "image/bmp", BMP[:18] + struct.pack("<ii", 10**6, 10**6) + BMP[26:], "pixels"),
    ("an archive", "application/zip", ZIP, "does not take"),
    ("a document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ZIP, "does not take"),
    ("a picture of another kind", "image/tiff", b"II*\x00" + bytes(8), "does not take"),
    ("bytes of no type", None, b"\x00\x01\x02\xff", "cannot be told"),
    ("bytes that call themselves text", "text/x-rust", b"\xff\xfe\x00", "does not take"),
    ("text in a charset it is not in", "text/plain;charset=utf-16", b"abc", "charset"),
]


@pytest.mark.parametrize(("name", "mime", "raw", "said"), BROKEN, ids=[row[0] for row in BROKEN])
def test_what_cannot_be_converted_is_a_400_that_names_the_message(
    name: str, mime: str | None, raw: bytes, said: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        convert(inline(mime, raw, "a.b"))
    assert said in caught.value.message
    assert caught.value.param == "$.messages[1]"


@pytest.mark.parametrize("mime", ["image/gif", "application/json", "audio/L16"])
def test_data_that_is_no_base64_is_a_400_where_it_has_to_be_read(mime: str) -> None:
    with pytest.raises(InvalidRequest, match="base64") as caught:
        convert(Media(mime, data="§"))
    assert caught.value.param == "$.messages[1]"


@pytest.mark.parametrize("seed", range(41))
def test_a_picture_cut_anywhere_is_a_png_or_a_400(seed: int) -> None:
    whole = [GIF, BMP, picture("GIF", frames=2)][seed % 3]
    raw = whole[: len(whole) * seed // 40]
    kind = "image/gif" if seed % 3 != 1 else "image/bmp"
    with contextlib.suppress(InvalidRequest):
        part = only(convert(inline(kind, raw)))
        assert isinstance(part, Media)
        assert part.mime == "image/png"


# -- text ------------------------------------------------------------------------------------------------------------

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'

# (type declared, name, bytes, the text part)
TEXTS: list[tuple[str | None, str | None, bytes, str]] = [
    ("image/svg+xml", None, SVG, SVG.decode()),
    ("image/svg+xml", "a.svg", SVG, f"a.svg\n{SVG.decode()}"),
    (None, "a.svg", SVG, f"a.svg\n{SVG.decode()}"),
    ("application/json", "a.json", b'{"a":1}', 'a.json\n{"a":1}'),
    (None, "a.json", b'{"a":1}', 'a.json\n{"a":1}'),
    ("application/json", None, b'{"a":1}', '{"a":1}'),
    ("application/yaml", "a.yaml", b"a: 1", "a.yaml\na: 1"),
    ("application/toml", "a.toml", b"a = 1", "a.toml\na = 1"),
    ("text/x-rust", "a.rs", b"fn", "a.rs\nfn"),
    ("application/octet-stream", "a.rs", b"fn", "a.rs\nfn"),
    (None, "Makefile", b"all:", "Makefile\nall:"),
    (None, "server.log", "ä\n".encode(), "server.log\nä\n"),
    (None, None, b"BM is how some words begin", "BM is how some words begin"),
    ("application/json", "a.json", "\ufeff{}".encode(), "a.json\n{}"),
    ("application/json", "a.json", "ü".encode("utf-16"), "a.json\nü"),
    ("text/x-log; charset=iso-8859-1", None, b"\xfc", "ü"),
    ("text/x-log; charset=hex", None, b"plain", "plain"),
    ("text/x-log; charset=iso-8859-99", None, b"plain", "plain"),
    ("text/x-log; charset=windows-1259", None, b"plain", "plain"),
    ("text/x-log; charset=utf8be", None, b"plain", "plain"),
    ("application/json", "empty.json", b"", "empty.json\n"),
]


@pytest.mark.parametrize(("declared", "name", "raw", "text"), TEXTS, ids=[f"{row[0]} {row[1]}" for row in TEXTS])
def test_text_that_is_no_document_is_a_text_part_under_its_name(
    declared: str | None, name: str | None, raw: bytes, text: str
) -> None:
    """1.5, document: unknown text-like"""
    done = convert(inline(declared, raw, name))
    assert only(done) == Text(text)
    assert done.losses == []


@pytest.mark.parametrize("spelling", ["url-safe", "unpadded", "wrapped"])
def test_base64_is_read_however_it_is_spelt(spelling: str) -> None:
    data = b64("{ÿþ?>".encode())
    data = {
        "url-safe": data.translate(str.maketrans("+/", "-_")),
        "unpadded": data.rstrip("="),
        "wrapped": "\n".join(re.findall("..?", data)),
    }[spelling]
    assert only(convert(Media("application/json", data=data))) == Text("{ÿþ?>")


def test_a_document_in_another_charset_becomes_utf_8() -> None:
    part = only(convert(inline("text/csv; charset=windows-1252", "a,ü".encode("cp1252"), "a.csv")))
    assert part == inline("text/csv", "a,ü".encode(), "a.csv")


# -- audio -----------------------------------------------------------------------------------------------------------

# (type, rate, channels)
RAW: list[tuple[str, int, int]] = [
    ("audio/L16;codec=pcm;rate=24000", 24_000, 1),
    ("audio/L16; rate=16000; channels=2", 16_000, 2),
    ("audio/pcm;rate=8000", 8_000, 1),
    ("audio/L16;rate=0;channels=99", 24_000, 1),
    ("audio/l16", 24_000, 1),
]


@pytest.mark.parametrize(("mime", "rate", "channels"), RAW, ids=[row[0] for row in RAW])
def test_raw_samples_become_wav(mime: str, rate: int, channels: int) -> None:
    """1.4, input_audio: pcm16"""
    part = only(convert(inline(mime, b"\x01\x02\x03\x04")))
    assert isinstance(part, Media)
    assert part.mime == "audio/wav"
    wav = base64.b64decode(part.data or "")
    assert len(wav) == 48
    assert struct.unpack_from("<HHI", wav, 20) == (1, channels, rate)
    assert wav[44:] == b"\x01\x02\x03\x04"


# -- tool results ----------------------------------------------------------------------------------------------------


def test_a_picture_in_a_tool_result_is_converted_too() -> None:
    result = ToolResult("call_a", "f", (Text("see"), inline("image/gif", GIF), inline("image/jpg", b"\xff\xd8\xff")))
    new = only(convert(result))
    assert isinstance(new, ToolResult)
    assert [part.mime for part in new.parts if isinstance(part, Media)] == ["image/png", "image/jpeg"]
    assert new.parts[0] == Text("see")


def test_a_text_file_in_a_tool_result_is_text_of_it() -> None:
    result = ToolResult(
        "call_a", "f", (Text('{"ok":true}'), inline("application/json", b"{}", "a.json")), structured=True
    )
    new = only(convert(result))
    assert new == msgspec.structs.replace(result, parts=(Text('{"ok":true}'), Text("\n\na.json\n{}")), structured=False)


def test_a_result_that_fits_is_left_alone() -> None:
    asked = request(ToolResult("call_a", "f", (Text("see"), inline("image/png", PNG))))
    assert converted(asked, [GOOGLE]).request is asked


# -- addresses -------------------------------------------------------------------------------------------------------

KNOWN = [
    "gs://bucket/a.png",
    "files/abc-123",
    "https://generativelanguage.googleapis.com/v1beta/files/abc",
    "https://www.youtube.com/watch?v=abc",
    "https://m.youtube.com/watch?app=m&v=abc",
    "https://youtube.com/shorts/abc",
    "https://www.youtube.com/embed/abc",
    "https://youtu.be/abc",
    "https://example.com/a.png",  # for whoever fetches, or else for the provider
]


@pytest.mark.parametrize("address", KNOWN)
def test_an_address_that_somebody_can_resolve_stays_a_link(address: str) -> None:
    """1.4, image_url"""
    asked = request(Media(None, uri=address))
    assert converted(asked, [GOOGLE]).request is asked
    assert GOOGLE.knows(address) is ("example" not in address)


@pytest.mark.parametrize(
    "address",
    ["file-abc", "files/", "files/../x", "assistant-1", "ftp://example.com/a", "/etc/a.png", "a.png", "blob:x"],
)
def test_an_address_that_nobody_can_resolve_is_a_400(address: str) -> None:
    """1.4, file: file_id"""
    with pytest.raises(InvalidRequest) as caught:
        convert(Media(None, uri=address))
    assert address in caught.value.message
    assert caught.value.param == "$.messages[1]"


@pytest.mark.parametrize("address", ["https://youtube.com/channel/x", "https://youtube.com.example/watch?v=a"])
def test_an_address_that_only_looks_like_googles_is_not_taken_for_one(address: str) -> None:
    assert not GOOGLE.knows(address)


# -- size ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "fits"), [(88, True), (87, False)])
def test_more_than_a_provider_takes_inline_is_a_413(most: int, fits: bool) -> None:
    """1.5, over the limit"""
    small = msgspec.structs.replace(GOOGLE, max_inline_bytes=most)
    parts = (inline("image/png", bytes(33)), ToolResult("a", "f", (inline("application/pdf", bytes(33)),)))
    if fits:
        assert converted(request(*parts), [GOOGLE, small]).losses == []
        return
    with pytest.raises(RequestTooLarge) as caught:
        converted(request(*parts), [GOOGLE, small])
    assert (caught.value.http_status, caught.value.code) == (413, "request_too_large")
    assert caught.value.param == "$.messages"


def test_what_goes_to_several_kinds_of_provider_must_fit_all_of_them() -> None:
    picky = msgspec.structs.replace(GOOGLE, types=GOOGLE.types - {"text/csv"})
    part = inline("text/csv", b"a,b", "a.csv")
    assert only(convert(part)) == part
    assert only(converted(request(part), [GOOGLE, picky])) == Text("a.csv\na,b")
