"""What an answer shall be, and media out, row by row (mapping.md 1.15, 2.2, 2.8, 5.3)."""

import base64
from typing import Any

import pytest

from dialects.dialect_rows import (
    NEW,
    Json,
    answer,
    chat,
    chunks,
    codes,
    config,
    deltas,
    message,
    read,
    reading,
    refusal,
    rendered,
    reply,
    target,
    translator,
    user,
    written,
)
from portico.core.assembly import assemble
from portico.core.audio import PcmShape, wav_of
from portico.core.errors import InvalidRequest
from portico.core.normal import normal
from portico.core.parts import Media
from portico.core.request import Speech
from portico.core.voices import GOOGLE, OPENAI
from portico.dialects import gemini, openai_chat
from portico.relay.media import image_form
from portico.relay.prepare import reply_for

PNG = "iVBORw0KGgo="
PNG_URI = f"data:image/png;base64,{PNG}"


def image(url: Any, **fields: Any) -> Json:
    return {"type": "image_url", "image_url": {"url": url, **fields}}


def file(**fields: Any) -> Json:
    return {"type": "file", "file": fields}


def inline(mime: str, data: str, **beside: Any) -> Json:
    return {"inlineData": {"mimeType": mime, "data": data}, **beside}


def linked(uri: str, mime: str | None = None) -> Json:
    return {"fileData": {"fileUri": uri} | ({"mimeType": mime} if mime else {})}


# -- 1.15: modalities -------------------------------------------------------------------------------------------------

DRAWS, DRAWS_OLD, SPEAKS = "gemini-3-pro-image", "gemini-2.5-flash-image", "gemini-3.8-flash-tts"

# (modalities, model, responseModalities)
MODALITIES: list[tuple[list[str] | None, str, list[str] | None]] = [
    (None, NEW, None),
    (["text"], NEW, None),
    (["TEXT"], NEW, None),
    (None, DRAWS, ["TEXT", "IMAGE"]),
    (["image", "text"], DRAWS, ["TEXT", "IMAGE"]),
    (["text", "image"], DRAWS_OLD, ["TEXT", "IMAGE"]),
    (["Image"], DRAWS, ["IMAGE"]),
    (["image", "image"], DRAWS, ["IMAGE"]),
    (["text"], DRAWS, ["TEXT"]),
    (None, SPEAKS, ["AUDIO"]),
    (["text", "audio"], SPEAKS, ["AUDIO"]),
    (["audio"], SPEAKS, ["AUDIO"]),
]


@pytest.mark.parametrize(("asked", "model", "expected"), MODALITIES, ids=range(len(MODALITIES)))
def test_a_model_is_asked_for_what_it_makes(asked: list[str] | None, model: str, expected: list[str] | None) -> None:
    """1.15, modalities"""
    fields = {} if asked is None else {"modalities": asked}
    assert config(chat(**fields), model).get("responseModalities") == expected


@pytest.mark.parametrize(
    ("asked", "model", "said"),
    [
        (["image"], NEW, "it makes text"),
        (["text", "image"], NEW, "does not make images"),
        (["text", "audio"], NEW, "does not make speech"),
        (["audio"], DRAWS, "it makes text and images"),
        (["text"], SPEAKS, "it makes speech"),
        (["text"], "gemini-embedding-001", "it makes embeddings"),
        (["image"], SPEAKS, "does not make images"),
        (["smell"], DRAWS, "does not make smell"),
    ],
)
def test_what_a_model_does_not_make_is_a_400_that_says_what_it_does(asked: list[str], model: str, said: str) -> None:
    """1.15, modalities"""
    error = refusal(chat(modalities=asked), model)
    assert (error.code, error.param) == ("unsupported_parameter", "$.modalities")
    assert said in error.message


# -- 1.15: pictures ---------------------------------------------------------------------------------------------------

# (fields of the request, imageConfig)
IMAGE_CONFIGS: list[tuple[Json, Json]] = [
    ({"image_config": {"aspect_ratio": "16:9", "image_size": "2K"}}, {"aspectRatio": "16:9", "imageSize": "2K"}),
    ({"image_config": {"aspectRatio": "16:9", "imageSize": "2k"}}, {"aspectRatio": "16:9", "imageSize": "2K"}),
    ({"aspect_ratio": "16:9", "image_size": "1k"}, {"aspectRatio": "16:9", "imageSize": "1K"}),
    ({"image_config": {"aspect_ratio": "1:1"}, "aspect_ratio": "21:9"}, {"aspectRatio": "21:9"}),
    ({"google": {"aspect_ratio": "3:4"}}, {"aspectRatio": "3:4"}),
    (
        {"google": {"image_config": {"image_size": "4k"}}, "aspect_ratio": "3:4"},
        {"imageSize": "4K", "aspectRatio": "3:4"},
    ),
    (
        {"extra_body": {"google": {"generation_config": {"image_config": {"aspect_ratio": "4:5"}}}}},
        {"aspectRatio": "4:5"},
    ),
    ({"image_config": None, "aspect_ratio": None}, {}),
]


@pytest.mark.parametrize(("fields", "expected"), IMAGE_CONFIGS, ids=range(len(IMAGE_CONFIGS)))
def test_the_shape_of_a_picture_is_told_to_google_in_its_spelling(fields: Json, expected: Json) -> None:
    """1.15, image_config / aspect_ratio / size"""
    told = rendered(chat(**fields), DRAWS)
    assert told.body["generationConfig"].get("imageConfig", {}) == expected
    assert told.losses == []


# (fields, model, path, what the message lists)
IMPOSSIBLE: list[tuple[Json, str, str, str]] = [
    ({"aspect_ratio": "7:1"}, DRAWS, "$.aspect_ratio", "there are 1:1, 2:3"),
    ({"image_config": {"aspect_ratio": "8:1"}}, DRAWS, "$.image_config.aspect_ratio", "21:9"),
    ({"image_config": {"imageSize": "8K"}}, DRAWS, "$.image_config.imageSize", "1K, 2K, 4K"),
    ({"image_size": "512"}, DRAWS, "$.image_size", "1K, 2K, 4K"),
    ({"image_size": "1K"}, DRAWS_OLD, "$.image_size", "cannot be chosen"),
    ({"google": {"image_config": {"image_size": "9K"}}}, DRAWS, "$.google.image_config.image_size", "4K"),
    ({"google": {"aspect_ratio": "wide"}}, DRAWS, "$.google.aspect_ratio", "16:9"),
    ({"extra_body": {"google": {"generation_config": {"image_config": {"aspectRatio": "0"}}}}}, DRAWS,
     "$.extra_body.google.generation_config.image_config.aspectRatio", "16:9"),
    ({"aspect_ratio": 1}, DRAWS, "$.aspect_ratio", "string"),
    ({"image_config": "16:9"}, NEW, "$.image_config", "object"),
    ({"image_config": {"aspect": "16:9"}}, DRAWS, "$.image_config.aspect", "aspect_ratio"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "model", "path", "said"), IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_a_shape_the_model_does_not_make_is_a_400_that_lists_what_it_does(
    fields: Json, model: str, path: str, said: str
) -> None:
    """1.15, image_config / aspect_ratio / size"""
    error = refusal(chat(**fields), model)
    assert error.param == path
    assert said in error.message


@pytest.mark.parametrize(
    ("model", "size"), [("gemini-3.1-flash-image", "512"), ("gemini-3.1-flash-lite-image", "1K"), (DRAWS, "4K")]
)
def test_each_model_has_sizes_of_its_own(model: str, size: str) -> None:
    """1.15, image_config / aspect_ratio / size"""
    assert config(chat(image_size=size), model)["imageConfig"] == {"imageSize": size}


def test_of_a_model_that_makes_no_pictures_no_shapes_are_known() -> None:
    assert config(chat(aspect_ratio="7:1"), NEW) == {"imageConfig": {"aspectRatio": "7:1"}}


# (max_tokens, fields, model, maxOutputTokens)
ROOM: list[tuple[int, Json, str, int]] = [
    (100, {}, DRAWS, 4096),
    (4095, {}, DRAWS_OLD, 4096),
    (4096, {}, DRAWS, 4096),
    (5000, {}, DRAWS, 5000),
    (100, {"modalities": ["text"]}, DRAWS, 100),
    (100, {"modalities": ["image"]}, DRAWS, 4096),
    (100, {}, NEW, 100),
    (100, {}, "gemini-3.1-flash-lite-image", 4096),
]


@pytest.mark.parametrize(("most", "fields", "model", "expected"), ROOM, ids=range(len(ROOM)))
def test_a_picture_has_the_room_it_needs(most: int, fields: Json, model: str, expected: int) -> None:
    """1.15, image models & max_tokens"""
    told = rendered(chat(max_tokens=most, **fields), model)
    assert told.body["generationConfig"]["maxOutputTokens"] == expected
    raised = [(loss.code, loss.path) for loss in told.losses if loss.code == "1.1:max_tokens"]
    assert raised == ([] if most == expected else [("1.1:max_tokens", "$.max_tokens")])


# -- 1.15, 5.3: speech ------------------------------------------------------------------------------------------------


def voiced(name: str) -> Json:
    return {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": name}}}


SPOKEN: Json = {"modalities": ["text", "audio"]}


@pytest.mark.parametrize(("voice", "expected"), [*OPENAI.items(), *[(name.upper(), name) for name in GOOGLE]])
def test_a_voice_is_googles_by_either_name(voice: str, expected: str) -> None:
    """5.3"""
    told = config(chat(**SPOKEN, audio={"voice": voice, "format": "wav"}), SPEAKS)
    assert told == {"responseModalities": ["AUDIO"], "speechConfig": voiced(expected)}


@pytest.mark.parametrize("voice", [{"id": "kore"}, "kore"])
def test_a_voice_may_be_named_by_its_id(voice: Any) -> None:
    assert config(chat(**SPOKEN, audio={"voice": voice}), SPEAKS)["speechConfig"] == voiced("Kore")


# (fields, model, path)
MUTE: list[tuple[Json, str, str]] = [
    ({**SPOKEN, "audio": {"voice": "bob", "format": "wav"}}, SPEAKS, "$.audio.voice"),
    ({**SPOKEN, "audio": {"voice": 5, "format": "wav"}}, SPEAKS, "$.audio.voice"),
    ({**SPOKEN, "audio": {"voice": "kore", "format": "mp3"}}, SPEAKS, "$.audio.format"),
    ({**SPOKEN, "audio": {"voice": "kore", "format": "opus"}}, SPEAKS, "$.audio.format"),
    ({**SPOKEN, "audio": {"voice": "kore", "format": "aac"}}, SPEAKS, "$.audio.format"),
    ({**SPOKEN, "audio": {"voice": "kore", "format": "flac"}}, SPEAKS, "$.audio.format"),
    ({**SPOKEN, "audio": {"voice": "kore", "format": "midi"}}, SPEAKS, "$.audio.format"),
    ({**SPOKEN, "audio": {"voice": "kore", "format": "wav"}, "stream": True}, SPEAKS, "$.audio.format"),
    ({**SPOKEN, "audio": "kore"}, SPEAKS, "$.audio"),
    ({**SPOKEN, "audio": {"voice": "kore", "format": "wav"}}, NEW, "$.modalities"),
    ({"modalities": "audio"}, SPEAKS, "$.modalities"),
    ({"modalities": [5]}, SPEAKS, "$.modalities[0]"),
]


@pytest.mark.parametrize(("fields", "model", "path"), MUTE, ids=range(len(MUTE)))
def test_speech_that_cannot_be_had_is_a_400_with_its_path(fields: Json, model: str, path: str) -> None:
    """1.15, modalities ["text","audio"]"""
    assert refusal(chat(**fields), model).param == path


def test_a_voice_for_a_model_that_is_asked_for_text_is_a_loss() -> None:
    told = rendered(chat(audio={"voice": "alloy", "format": "wav", "speed": 2}))
    assert "generationConfig" not in told.body
    assert [(loss.code, loss.path) for loss in told.losses] == [
        ("1.15:speech", "$.audio"),
        ("1.1:unsupported", "$.audio"),
    ]


@pytest.mark.parametrize(
    ("speech", "voice"),
    [
        (voiced("Sadachbia"), "Sadachbia"),
        ({"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}}, "Kore"),
        ({**voiced("Kore"), "languageCode": "de-DE"}, None),
        ({"multiSpeakerVoiceConfig": {"speakerVoiceConfigs": []}}, None),
        ({"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": 5}}}, None),
        ({}, None),
        (5, None),
    ],
    ids=range(7),
)
def test_googles_own_speech_is_a_voice_or_its_own_affair(speech: Any, voice: str | None) -> None:
    """1.15, speechConfig"""
    body = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"speechConfig": speech}}
    request = gemini.DIALECT.parse_request(body, model=SPEAKS)
    assert request.speech == (None if voice is None else Speech(voice))
    assert (request.ext is None) is (voice is not None)
    again = (
        translator(model=SPEAKS).request(openai_chat.DIALECT.render_request(request, target()).body) if voice else None
    )
    if again is not None:
        assert again.body["generationConfig"]["speechConfig"] == voiced(str(voice))


def test_chat_says_speech_again_word_for_word() -> None:
    said = {"voice": "alloy", "format": "opus", "speed": 2}
    request = openai_chat.DIALECT.parse_request(chat(**SPOKEN, audio=said))
    assert request.speech == Speech("alloy", "opus")
    again = openai_chat.DIALECT.render_request(request, target()).body
    assert again["audio"] == said
    assert again["modalities"] == ["text", "audio"]


# -- 2.2, 2.8: images of an answer ------------------------------------------------------------------------------------

JPEG = "/9j+"
DRAFT: Json = inline("image/png", "RFJBRlQ=", thought=True)
PAINTED: list[Json] = [{"text": "Here:"}, inline("image/png", PNG), {"text": "There."}, inline("image/jpeg", JPEG)]
ENTRIES: list[Json] = [image(PNG_URI), image(f"data:image/jpeg;base64,{JPEG}")]
MARKDOWN = f"Here:\n\n![image]({PNG_URI})\n\nThere.\n\n![image](data:image/jpeg;base64,{JPEG})\n\n"

# (form, content, images)
FORMS: list[tuple[str, Any, list[Json] | None]] = [
    ("markdown", MARKDOWN, None),
    ("images", "Here:There.", [{**entry, "index": n} for n, entry in enumerate(ENTRIES)]),
    ("parts", [{"type": "text", "text": "Here:"}, ENTRIES[0], {"type": "text", "text": "There."}, ENTRIES[1]], None),
]


def shown(form: str, *parts: Json, **about: Any) -> tuple[Json, list[str]]:
    """The message of an answer in a form, and the codes of what was lost."""
    body = answer(*parts)
    response = gemini.DIALECT.parse_response(body, reading())
    told = openai_chat.DIALECT.render_response(response, reply(image_form=form, **about))
    found: Json = told.body["choices"][0]["message"]
    return found, codes(told.losses)


@pytest.mark.parametrize(("form", "content", "images"), FORMS, ids=[row[0] for row in FORMS])
def test_images_are_told_in_the_form_that_was_asked_for(form: str, content: Any, images: list[Json] | None) -> None:
    """2.8, mode"""
    found, lost = shown(form, *PAINTED)
    assert found["content"] == content
    assert found.get("images") == images
    assert lost == (["2.2:order"] if form == "images" else [])


@pytest.mark.parametrize(("form", "content", "images"), FORMS, ids=[row[0] for row in FORMS])
def test_a_stream_tells_them_in_the_same_form(form: str, content: Any, images: list[Json] | None) -> None:
    """2.8, mode; 3.2, row 5"""
    sent_ = deltas(chunks([answer(part, finish=None) for part in PAINTED] + [answer()], image_form=form))
    if form == "parts":
        listed = [piece for delta in sent_ for piece in as_parts(delta["content"])]
        assert listed == content
    else:
        assert "".join([delta.get("content", "") for delta in sent_]) == content
        assert [entry for delta in sent_ for entry in delta.get("images", ())] == (images or [])
    assert sum("base64" in str(delta) for delta in sent_) == 2, "an image comes whole"


def as_parts(content: Any) -> list[Json]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def test_an_image_in_the_text_of_a_stream_may_come_in_slices() -> None:
    """3.2, row 5"""
    big = inline("image/png", "QUJD" * 5000)
    sent_ = deltas(chunks([answer(big)], markdown_slice_bytes=4096))
    assert max(len(delta["content"]) for delta in sent_) == 4096
    assert len(sent_) == 5
    assert "".join([delta["content"] for delta in sent_]) == deltas(chunks([answer(big)]))[0]["content"]


@pytest.mark.parametrize("form", ["markdown", "images", "parts"])
@pytest.mark.parametrize("parts", [[DRAFT], [DRAFT, *PAINTED], [{"text": "a"}, DRAFT, {"text": "b"}]], ids=range(3))
def test_a_draft_is_never_shown_and_that_is_said(form: str, parts: list[Json]) -> None:
    """2.2, thought:true + inlineData"""
    found, lost = shown(form, *parts, thoughts=True)
    assert "RFJBRlQ=" not in str(found)
    assert "2.2:draft" in lost
    assert found == shown(form, *[part for part in parts if part is not DRAFT], thoughts=True)[0]
    events = read([answer(part, finish=None) for part in parts] + [answer()])
    writer = openai_chat.DIALECT.writer(reply(image_form=form, thoughts=True))
    frames = b"".join([frame.data for event in events for frame in writer.feed(event)])
    assert b"RFJBRlQ=" not in frames
    assert "2.2:draft" in codes(writer.losses)


FILE = inline("text/csv", "YSxi")


def test_a_file_of_an_answer_is_no_image() -> None:
    """2.2, inlineData other"""
    assert shown("markdown", FILE)[0]["content"] == "\n\n[file.csv](data:text/csv;base64,YSxi)\n\n"
    assert shown("images", FILE)[0]["images"] == [{**image("data:text/csv;base64,YSxi"), "index": 0}]
    assert shown("parts", FILE)[0]["content"] == [file(file_data="data:text/csv;base64,YSxi")]


def test_a_file_by_address_is_told_by_its_address() -> None:
    """2.2, fileData"""
    video = linked("https://x.example/a.mp4", "video/mp4")
    assert shown("markdown", video)[0]["content"] == "\n\n[file.mp4](https://x.example/a.mp4)\n\n"
    entry = shown("images", video)[0]["images"][0]["image_url"]
    assert entry == {"url": "https://x.example/a.mp4", "mime_type": "video/mp4"}


@pytest.mark.parametrize("form", ["markdown", "images", "parts"])
@pytest.mark.parametrize("parts", [PAINTED, [FILE], [inline("image/png", PNG)]], ids=range(3))
def test_what_an_answer_shows_a_request_brings_back(form: str, parts: list[Json]) -> None:
    """1.2, assistant images[]; complaint 22"""
    found, _ = shown(form, *parts)
    request = openai_chat.DIALECT.parse_request(chat(user("draw"), found, user("again")))
    back = gemini.DIALECT.render_request(request, target()).body["contents"][1]["parts"]
    if form != "images":
        assert back == parts
    assert [part for part in back if "inlineData" in part] == [part for part in parts if "inlineData" in part]
    assert "".join([part.get("text", "") for part in back]) == "".join([part.get("text", "") for part in parts])


@pytest.mark.parametrize("form", ["images", "parts"])
def test_a_stream_with_images_written_again_is_the_same_answer(form: str) -> None:
    events = read([answer(part, finish=None) for part in PAINTED] + [answer()])
    again = read([*written(events, image_form=form)], openai_chat.DIALECT)
    first, second = assemble(events), assemble(again)
    kinds = [[part for part in told.candidates[0].parts if isinstance(part, Media)] for told in (first, second)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    ("headers", "default", "form"),
    [
        ({}, "markdown", "markdown"),
        ({}, "parts", "parts"),
        ({"x-portico-image-form": "images"}, "parts", "images"),
        ({"x-portico-image-form": " Markdown "}, "images", "markdown"),
    ],
)
def test_the_form_is_the_callers_else_the_operators(headers: dict[str, str], default: str, form: str) -> None:
    """9, image form"""
    assert image_form(headers, default) == form


@pytest.mark.parametrize("word", ["", "picture", "markdown, images"])
def test_a_form_nobody_knows_is_a_400_that_names_the_header(word: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        image_form({"x-portico-image-form": word}, "markdown")
    assert caught.value.param == "x-portico-image-form"


# -- 2.8: speech of an answer -----------------------------------------------------------------------------------------

RAW = "audio/L16;codec=pcm;rate=24000"
SAMPLES = bytes(range(256)) * 10


def said(raw: bytes, mime: str = RAW) -> Json:
    return inline(mime, base64.b64encode(raw).decode())


@pytest.mark.parametrize("cut", [1, 2, 7])
def test_speech_is_a_wav_or_raw_samples_as_the_caller_wants(cut: int) -> None:
    """2.8, audio"""
    size = -(-len(SAMPLES) // cut)
    parts = [said(SAMPLES[at : at + size]) for at in range(0, len(SAMPLES), size)]
    wav, _ = shown("markdown", *parts, audio_format="wav")
    assert wav["audio"]["mime_type"] == "audio/wav"
    assert base64.b64decode(wav["audio"]["data"]) == wav_of(SAMPLES, PcmShape(24_000))
    assert (wav["audio"]["id"], wav["audio"]["expires_at"], wav["audio"]["transcript"]) == ("audio_own", 3607, "")
    assert wav["content"] is None
    pcm, _ = shown("markdown", *parts, audio_format="pcm16")
    assert base64.b64decode(pcm["audio"]["data"]) == SAMPLES
    plain, _ = shown("markdown", *parts)
    assert (plain["audio"]["mime_type"], base64.b64decode(plain["audio"]["data"])) == (RAW, SAMPLES)


def test_speech_that_came_as_wav_is_left_or_unwrapped() -> None:
    wav = wav_of(SAMPLES, PcmShape())
    assert base64.b64decode(shown("markdown", said(wav, "audio/wav"), audio_format="wav")[0]["audio"]["data"]) == wav
    pcm = shown("markdown", said(wav, "audio/wav"), audio_format="pcm16")[0]["audio"]
    assert base64.b64decode(pcm["data"]) == SAMPLES


def test_speech_that_is_no_base64_is_told_as_it_came() -> None:
    found = shown("markdown", inline(RAW, "§"), audio_format="wav")[0]["audio"]
    assert (found["data"], found["mime_type"]) == ("§", RAW)


@pytest.mark.parametrize("size", [1, 2, 3, 100, 10**6])
def test_a_stream_speaks_in_pieces_that_may_be_joined_either_way(size: int) -> None:
    """2.8, audio: stream"""
    frames = [answer(said(SAMPLES[at : at + size]), finish=None) for at in range(0, min(len(SAMPLES), size * 50), size)]
    whole = SAMPLES[: size * 50]
    told = [delta["audio"] for delta in deltas(chunks([*frames, answer()], audio_format="pcm16"))]
    assert [piece["id"] for piece in told if "id" in piece] == ["audio_own"]
    assert told[-2:] == [{"transcript": ""}, {"expires_at": 3607}]
    data = [piece["data"] for piece in told if "data" in piece]
    assert b"".join([base64.b64decode(piece, validate=True) for piece in data]) == whole
    assert base64.b64decode("".join(data), validate=True) == whole


def test_speech_read_from_a_stream_again_is_the_same_speech() -> None:
    events = read([answer(said(SAMPLES[:99]), finish=None), answer(said(SAMPLES[99:]))])
    again = read(written(events), openai_chat.DIALECT)
    assert normal(assemble(again))["candidates"][0]["parts"] == normal(assemble(events))["candidates"][0]["parts"]
    (part,) = normal(assemble(again))["candidates"][0]["parts"]
    assert base64.b64decode(part["data"]) == SAMPLES


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "wav"),
        ({"stream": True}, "pcm16"),
        ({**SPOKEN, "audio": {"voice": "alloy", "format": "pcm16"}}, "pcm16"),
        ({**SPOKEN, "audio": {"voice": "alloy", "format": "wav"}}, "wav"),
        ({**SPOKEN, "audio": {"voice": "alloy"}, "stream": True}, "pcm16"),
    ],
    ids=range(5),
)
def test_the_format_of_speech_is_the_callers_else_a_file_or_a_stream_of_samples(fields: Json, expected: str) -> None:
    request = openai_chat.DIALECT.parse_request(chat(**fields))
    assert reply_for(request, answer_id="x", created=0).audio_format == expected


def test_text_beside_speech_stays_content() -> None:
    found, _ = shown("markdown", {"text": "hi"}, said(SAMPLES), audio_format="wav")
    assert found["content"] == "hi"
    assert message(answer({"text": "hi"}))["content"] == "hi"
