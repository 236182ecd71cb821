"""Media in, row by row (mapping.md 1.2 to 1.5)."""

import base64
from typing import Any

import pytest

from dialects.dialect_rows import (
    NEW,
    OLD,
    Json,
    assistant,
    call,
    chat,
    codes,
    contents,
    refusal,
    rendered,
    result,
    target,
    translator,
    user,
)
from portico.core.audio import PcmShape, wav_of
from portico.core.errors import InvalidRequest
from portico.core.normal import normal
from portico.core.parts import Part
from portico.dialects import openai_chat

PNG, PDF, WAV = "iVBORw0KGgo=", "JVBERi0xLjc=", "UklGRgAAAABXQVZF"
PNG_URI, PDF_URI = f"data:image/png;base64,{PNG}", f"data:application/pdf;base64,{PDF}"


def image(url: Any, **fields: Any) -> Json:
    return {"type": "image_url", "image_url": {"url": url, **fields}}


def audio(data: str, format_: str | None = None) -> Json:
    return {"type": "input_audio", "input_audio": {"data": data} | ({"format": format_} if format_ else {})}


def file(**fields: Any) -> Json:
    return {"type": "file", "file": fields}


def inline(mime: str, data: str, **beside: Any) -> Json:
    return {"inlineData": {"mimeType": mime, "data": data}, **beside}


def linked(uri: str, mime: str | None = None) -> Json:
    return {"fileData": {"fileUri": uri} | ({"mimeType": mime} if mime else {})}


def sent(part: Json, model: str = NEW) -> Json:
    """Google's part for a Chat part, by all the steps that serving takes but fetching."""
    body = translator().request(chat(user([part]), model=model)).body
    (told,) = body["contents"][0]["parts"]
    assert isinstance(told, dict)
    return told


def parsed(part: Json) -> Part:
    (found,) = openai_chat.DIALECT.parse_request(chat(user([part]))).messages[0].parts
    return found


# -- 1.4: images by data URI ------------------------------------------------------------------------------------------

# (row, URL, Google's part)
DATA_URIS: list[tuple[str, str, Json]] = [
    ("plain", PNG_URI, inline("image/png", PNG)),
    ("upper case", f"DATA:IMAGE/PNG;BASE64,{PNG}", inline("image/png", PNG)),
    ("white space around", f" \n{PNG_URI}\n", inline("image/png", PNG)),
    ("parameters", f"data:image/png;charset=utf-8;name=a.png;base64,{PNG}", inline("image/png", PNG)),
    ("a space before base64", f"data:image/png; base64,{PNG}", inline("image/png", PNG)),
    ("lines in the data", f"data:image/png;base64,{PNG[:4]}\r\n {PNG[4:]}\t", inline("image/png", PNG)),
    ("the url-safe alphabet", "data:image/jpeg;base64,_9j-", inline("image/jpeg", "_9j-")),
    ("percent-encoded base64", f"data:image/png;base64,{PNG.replace('=', '%3D')}", inline("image/png", PNG)),
    ("an alias", f"data:image/jpg;base64,{PNG}", inline("image/jpeg", PNG)),
    ("no type: by its bytes", f"data:;base64,{PNG}", inline("image/png", PNG)),
    ("no type at all", f"data:base64,{PNG}", {"text": PNG}),
    ("a type that says nothing", f"data:application/octet-stream;base64,{PNG}", inline("image/png", PNG)),
    ("not base64", "data:text/plain,a%20b+c", inline("text/plain", "YSBiK2M=")),
    ("not base64, no type", "data:,a%2Cb", inline("text/plain", "YSxi")),
    ("not base64, beyond ASCII", "data:text/plain,ä%C3%A4", inline("text/plain", "w6TDpA==")),
    ("not base64, another charset", "data:text/plain;charset=iso-8859-1,%E4", inline("text/plain", "w6Q=")),
    ("pdf", PDF_URI, inline("application/pdf", PDF)),
    ("audio", f"data:audio/x-wav;base64,{WAV}", inline("audio/wav", WAV)),
    ("video", "data:video/mp4;base64,AAAA", inline("video/mp4", "AAAA")),
    ("json", "data:application/json;base64,e30=", {"text": "{}"}),
]


@pytest.mark.parametrize(("row", "url", "expected"), DATA_URIS, ids=[row[0] for row in DATA_URIS])
def test_a_data_uri_is_read_in_every_spelling(row: str, url: str, expected: Json) -> None:
    """1.4, image_url data URI"""
    assert sent(image(url)) == expected
    assert sent({"type": "image_url", "image_url": url}) == expected
    assert sent({"type": "input_image", "image_url": url}) == expected


@pytest.mark.parametrize("url", ["", "  ", "data:image/png;base64", "data:"])
def test_a_url_that_says_nothing_is_a_400_with_its_path(url: str) -> None:
    assert refusal(chat(user([image(url)]))).param == "$.messages[0].content[0].image_url.url"


# -- 1.4: links -------------------------------------------------------------------------------------------------------

FILES = "https://generativelanguage.googleapis.com/v1beta/files/abc"

# (part, Google's part)
LINKS: list[tuple[Json, Json]] = [
    (image("gs://b/a.png"), linked("gs://b/a.png", "image/png")),
    (image("gs://b/a", mime_type="image/webp"), linked("gs://b/a", "image/webp")),
    (image("gs://b/a", format="image/webp"), linked("gs://b/a", "image/webp")),
    (image(FILES), linked(FILES)),
    (image("files/abc"), linked("files/abc")),
    (image("https://youtu.be/abc"), linked("https://youtu.be/abc")),
    ({"type": "video_url", "video_url": {"url": "https://youtu.be/abc"}}, linked("https://youtu.be/abc")),
    ({"type": "video_url", "video_url": "gs://b/a.mov"}, linked("gs://b/a.mov", "video/quicktime")),
    ({"type": "video_url", "video_url": "gs://b/a"}, linked("gs://b/a", "video/mp4")),
    ({"type": "video_url", "video_url": "data:;base64,AAAA"}, inline("video/mp4", "AAAA")),
    ({"type": "audio_url", "audio_url": "gs://b/a.mp3"}, linked("gs://b/a.mp3", "audio/mp3")),
    ({"type": "input_image", "file_id": "files/abc"}, linked("files/abc")),
    ({"type": "input_file", "file_url": "gs://b/a.pdf"}, linked("gs://b/a.pdf", "application/pdf")),
    ({"type": "input_file", "file_url": PDF_URI}, inline("application/pdf", PDF)),
    (file(file_id="files/abc"), linked("files/abc")),
    (file(file_id=FILES, format="application/pdf"), linked(FILES, "application/pdf")),
    (file(file_id="gs://b/a", format="pdf"), linked("gs://b/a", "application/pdf")),
    (file(file_id="https://x.example/a.csv"), linked("https://x.example/a.csv", "text/csv")),
]


@pytest.mark.parametrize(("part", "expected"), LINKS, ids=range(len(LINKS)))
def test_an_address_goes_on_as_a_link(part: Json, expected: Json) -> None:
    """1.4, image_url gs://, files/…, YouTube; file {file_id}"""
    assert sent(part) == expected


@pytest.mark.parametrize("part", [file(file_id="file-abc"), {"type": "input_image", "file_id": "file-abc"}])
def test_a_file_of_another_provider_is_a_400_that_says_what_to_do(part: Json) -> None:
    """1.4, file {file_id}"""
    with pytest.raises(InvalidRequest, match="file-abc") as caught:
        sent(part)
    assert caught.value.param == "$.messages[0]"
    assert "file_data" in caught.value.message


# -- 1.4: files -------------------------------------------------------------------------------------------------------

# (part, Google's part)
FILE_PARTS: list[tuple[Json, Json]] = [
    (file(file_data=PDF_URI, filename="a.pdf"), inline("application/pdf", PDF)),
    (file(file_data=PDF, filename="a.pdf"), inline("application/pdf", PDF)),
    (file(file_data=PDF, filename="a.PDF"), inline("application/pdf", PDF)),
    (file(file_data=f"{PDF[:4]}\n{PDF[4:]}"), inline("application/pdf", PDF)),
    (file(file_data=PDF, filename="report"), inline("application/pdf", PDF)),
    (file(file_data=PDF, format="application/pdf", filename="a.bin"), inline("application/pdf", PDF)),
    (file(file_data=PDF, format="pdf"), inline("application/pdf", PDF)),
    (file(file_data=f"data:;base64,{PDF}", filename="a.pdf"), inline("application/pdf", PDF)),
    (file(file_data="e30=", filename="a.json"), {"text": "a.json\n{}"}),
    (file(file_data="YTogMQ==", filename="a.yaml"), {"text": "a.yaml\na: 1"}),
    (file(file_data="YSxi", filename="a.csv"), inline("text/csv", "YSxi")),
    ({"type": "input_file", "file_data": PDF, "filename": "a.pdf"}, inline("application/pdf", PDF)),
    ({"type": "file", "file_data": PDF_URI}, inline("application/pdf", PDF)),
    ({"file": {"file_data": PDF_URI}}, inline("application/pdf", PDF)),
]


@pytest.mark.parametrize(("part", "expected"), FILE_PARTS, ids=range(len(FILE_PARTS)))
def test_a_file_is_what_it_is_declared_named_or_seen_to_be(part: Json, expected: Json) -> None:
    """1.4, file {file_data, filename}"""
    assert sent(part) == expected


# (part, the path of what is wrong)
BAD_FILES: list[tuple[Json, str]] = [
    (file(), ".file"),
    (file(filename="a.pdf"), ".file"),
    (file(file_data=5), ".file.file_data"),
    (file(file_id=5), ".file.file_id"),
    ({"type": "input_file", "file_url": 5}, ".file_url"),
    (file(file_data=PDF, format=5), ".file.format"),
    (file(file_data="data:x"), ".file.file_data"),
    (file(file_data=PDF, detail="sharp"), ".file.detail"),
    (file(file_data=PDF, video_metadata=5), ".file.video_metadata"),
    (file(file_data=PDF, video_metadata={"fps": 25}), ".file.video_metadata.fps"),
    (file(file_data=PDF, video_metadata={"fps": 0}), ".file.video_metadata.fps"),
    (file(file_data=PDF, video_metadata={"fps": True}), ".file.video_metadata.fps"),
    (file(file_data=PDF, video_metadata={"start_offset": "soon"}), ".file.video_metadata.start_offset"),
    (file(file_data=PDF, video_metadata={"endOffset": -1}), ".file.video_metadata.endOffset"),
    (file(file_data=PDF, video_metadata={"speed": 2}), ".file.video_metadata.speed"),
    (image(PNG_URI, detail="sharp"), ".image_url.detail"),
    ({"type": "input_image", "image_url": PNG_URI, "detail": 5}, ".detail"),
    ({"type": "input_audio", "input_audio": "x"}, ".input_audio"),
    (audio("x") | {"input_audio": {"data": 5}}, ".input_audio.data"),
    (audio("x") | {"input_audio": {"data": "x", "format": 5}}, ".input_audio.format"),
]


@pytest.mark.parametrize(("part", "path"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_a_part_that_is_wrong_is_a_400_with_its_path(part: Json, path: str) -> None:
    assert refusal(chat(user([part]))).param == f"$.messages[0].content[0]{path}"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"fps": 5, "start_offset": "10s", "end_offset": "1.5s"},
            {"fps": 5, "startOffset": "10s", "endOffset": "1.5s"},
        ),
        (
            {"fps": 0.5, "startOffset": 10, "endOffset": 12.25},
            {"fps": 0.5, "startOffset": "10s", "endOffset": "12.25s"},
        ),
        ({"fps": None, "start_offset": 0}, {"startOffset": "0s"}),
    ],
    ids=range(3),
)
@pytest.mark.parametrize("where", ["file", "part", "video_url"])
def test_how_a_video_is_watched_goes_on(where: str, given: Json, expected: Json) -> None:
    """1.4, video_metadata"""
    part = file(file_data="AAAA", filename="a.mp4")
    if where == "file":
        part["file"]["video_metadata"] = given
    elif where == "part":
        part["video_metadata"] = given
    else:
        part = {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA", "video_metadata": given}}
    assert sent(part) == inline("video/mp4", "AAAA", videoMetadata=expected)


@pytest.mark.parametrize(
    ("detail", "level"),
    [("low", "LOW"), ("high", "HIGH"), ("medium", "MEDIUM"), ("ultra_high", "ULTRA_HIGH"), ("auto", None)],
)
def test_a_file_is_looked_at_as_closely_as_it_says(detail: str, level: str | None) -> None:
    """1.4, detail; file.detail"""
    told = {"mediaResolution": {"level": f"MEDIA_RESOLUTION_{level}"}} if level else {}
    assert sent(file(file_data=PDF_URI, detail=detail)) == inline("application/pdf", PDF, **told)
    assert sent(image(PNG_URI, detail=detail)) == inline("image/png", PNG, **told)
    assert sent({"type": "input_image", "image_url": PNG_URI, "detail": detail}) == inline("image/png", PNG, **told)


@pytest.mark.parametrize(
    "part",
    [
        file(file_data=PDF_URI, filename="a.pdf", detail="low"),
        file(file_data="data:video/mp4;base64,AAAA", video_metadata={"fps": 5}, detail="high"),
        image(PNG_URI, detail="high"),
        image("gs://b/a", mime_type="image/png"),
        {"type": "video_url", "video_url": "gs://b/a"},
        audio(WAV, "wav"),
    ],
    ids=range(6),
)
def test_media_said_again_in_chat_are_the_same_media(part: Json) -> None:
    request = openai_chat.DIALECT.parse_request(chat(user([part])))
    again = openai_chat.DIALECT.render_request(request, target()).body
    assert normal(openai_chat.DIALECT.parse_request(again)) == normal(request)


# -- 1.4: audio -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format_", "mime"),
    [
        ("wav", "audio/wav"), ("mp3", "audio/mp3"), ("flac", "audio/flac"), ("ogg", "audio/ogg"), ("aac", "audio/aac"),
        ("aiff", "audio/aiff"), ("m4a", "audio/m4a"), ("opus", "audio/opus"), ("webm", "audio/webm"), ("WAV", "audio/wav"),
        ("mpeg", "audio/mpeg"), ("audio/mpeg", "audio/mpeg"), ("audio/x-wav", "audio/wav"), (None, "audio/wav"),
    ],
)  # fmt: skip
def test_audio_is_of_the_type_that_its_format_means(format_: str | None, mime: str) -> None:
    """1.4, input_audio"""
    assert sent(audio(WAV, format_)) == inline(mime, WAV)


@pytest.mark.parametrize("format_", ["pcm16", "pcm", "PCM16", "l16", "audio/L16;rate=24000"])
@pytest.mark.parametrize("uri", [False, True])
def test_raw_samples_are_wrapped_into_wav(format_: str, uri: bool) -> None:
    """1.4, input_audio: pcm16"""
    data = "data:audio/L16;rate=24000;base64,AQIDBA==" if uri else "AQIDBA=="
    wav = base64.b64encode(wav_of(b"\x01\x02\x03\x04", PcmShape(24_000))).decode()
    assert sent(audio(data, format_)) == inline("audio/wav", wav)


# -- 1.2, 1.5: history ------------------------------------------------------------------------------------------------


def test_images_of_an_assistant_message_stand_in_the_models_turn() -> None:
    """1.2, assistant images[]"""
    told = contents(
        user("draw"),
        assistant("Here:", images=[image(PNG_URI) | {"index": 0}]),
        user("again"),
        assistant(f"Here:\n\n![image]({PNG_URI})\n\nThere."),
        user("and again"),
    )
    assert told[1]["parts"] == [{"text": "Here:"}, inline("image/png", PNG)]
    assert told[3]["parts"] == [{"text": "Here:"}, inline("image/png", PNG), {"text": "There."}]


def test_an_image_that_only_a_user_writes_stays_text() -> None:
    text = f"![image]({PNG_URI})"
    assert contents(user(text)) == [{"role": "user", "parts": [{"text": text}]}]


def test_audio_of_an_assistant_message_is_a_400() -> None:
    """1.2, assistant audio:{id}"""
    error = refusal(chat(user("hi"), assistant(None, audio={"id": "audio_x"}), user("again")))
    assert error.param == "$.messages[1].audio"


@pytest.mark.parametrize("model", ["gemini-3-pro-image", "gemini-3.1-flash-image"])
def test_a_picture_without_its_signature_gets_the_skip_value_where_pictures_are_signed(model: str) -> None:
    """2.4, rule d"""
    body = chat(user("draw"), assistant(f"![image]({PNG_URI})"), user([{"type": "text", "text": "x"}, image(PNG_URI)]))
    told = rendered(body, model)
    assert "thoughtSignature" in told.body["contents"][1]["parts"][0]
    assert told.body["contents"][2]["parts"][1] == inline("image/png", PNG)
    assert codes(told.losses) == ["2.4:skip_signature"]
    for other in (NEW, OLD, "gemini-2.5-flash-image"):
        assert "thoughtSignature" not in rendered(body, other).body["contents"][1]["parts"][0]


def test_a_tool_result_of_text_files_is_their_text() -> None:
    """1.3, multimodal results; 1.5"""
    answered = result("a", [{"type": "text", "text": "done"}, file(file_data="e30=", filename="a.json")])
    body = translator().request(chat(user("hi"), assistant(None, call("a")), answered)).body
    (part,) = body["contents"][2]["parts"]
    assert part["functionResponse"]["response"] == {"output": "done\n\na.json\n{}"}


def test_an_alias_in_a_tool_result_rides_inside_it() -> None:
    """1.3, multimodal results; 1.5"""
    answered = result("a", [image(f"data:image/jpg;base64,{PNG}"), image(f"data:;base64,{PNG}")])
    body = translator().request(chat(user("hi"), assistant(None, call("a")), answered)).body
    (part,) = body["contents"][2]["parts"]
    assert part["functionResponse"]["parts"] == [inline("image/jpeg", PNG), inline("image/png", PNG)]
