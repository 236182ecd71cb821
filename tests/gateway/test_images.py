"""POST /v1/images/generations and /edits on Gemini's image models, by the rows of mapping.md 5.2, over real sockets."""

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from gateway.forms import Upload, form, form_header
from gateway.house import Act, Answer, House, Json, Script, answers, candidate, fails, open_house, says
from portico.providers import KINDS

MADE, EDITED = "/v1/images/generations", "/v1/images/edits"
PAINTER, OLDER, FLASH = "gemini-3-pro-image", "gemini-2.5-flash-image", "gemini-3.1-flash-image"


def drawn(form_: str = "PNG", size: tuple[int, int] = (48, 32), colour: Any = "teal", mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, form_)
    return out.getvalue()


def inline(raw: bytes, mime: str = "image/png", **more: Any) -> Json:
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(raw).decode()}, **more}


def painted(*parts: Json, finish: str = "STOP", prompt: int = 4, made: int = 1120) -> Json:
    details = [{"modality": "IMAGE", "tokenCount": made}]
    usage = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": made,
        "totalTokenCount": prompt + made,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
        "candidatesTokensDetails": details,
    }
    return candidate(*(parts or (inline(drawn()),)), finish=finish, usageMetadata=usage)


async def make(house: House, prompt: str = "a fox", *, model: str = PAINTER, path: str = MADE, **more: Any) -> Answer:
    return await house.ask({"model": model, "prompt": prompt, **more}, path=path)


async def edit(house: House, *fields: tuple[str, Any], model: str = PAINTER, image: bytes | None = None) -> Answer:
    given = [("model", model), ("prompt", "make it red"), *fields]
    if image is not None:
        given.append(("image", Upload(image)))
    return await house.ask(form(given), path=EDITED, headers=form_header())


def opened(answer: Answer) -> list[Image.Image]:
    """The pictures of an answer, decoded."""
    assert answer.status == 200, answer.body[:500]
    return [picture(one["b64_json"]) for one in answer.json()["data"]]


def picture(b64: str) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(b64, validate=True)))
    image.load()
    return image


def named_events(answer: Answer) -> list[Json]:
    """The events of a stream, each under the name that it says itself."""
    assert answer.status == 200, answer.body[:500]
    events = []
    for block in answer.body.decode().split("\n\n"):
        if block and not block.startswith(":"):
            name, _, data = block.partition("\n")
            event = json.loads(data.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            events.append(event)
    return events


def sent(house: House) -> Json:
    body = house.simulator.stats.last.body
    assert isinstance(body, dict)
    return body


# -- the prompt, and how many


async def test_a_prompt_is_a_users_text_and_the_answer_is_a_picture_that_opens() -> None:
    async with open_house() as house:
        answer = await make(house, "a fox in the snow")
        (image,) = opened(answer)
        assert sent(house)["contents"] == [{"role": "user", "parts": [{"text": "a fox in the snow"}]}]
        assert sent(house)["generationConfig"]["responseModalities"] == ["IMAGE"]
        told = answer.json()
        assert told["size"] == f"{image.width}x{image.height}"
        assert (told["output_format"], image.format) == ("png", "PNG")
        assert isinstance(told["created"], int)
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("n", [1, 2, 5, 10])
async def test_each_picture_is_a_call_of_its_own(n: int) -> None:
    async with open_house() as house:
        assert len(opened(await make(house, n=n))) == n
        assert house.simulator.stats.requests == n
        assert "candidateCount" not in sent(house)["generationConfig"]


ILL = fails(503, "UNAVAILABLE")
LIMITED = fails(400, "INVALID_ARGUMENT", "scripted")


@pytest.mark.parametrize("stream", [False, True])
async def test_the_pictures_that_came_are_an_answer(stream: bool) -> None:
    provider = Script(
        answers(painted()),
        LIMITED,
        answers(painted()),
        answers(candidate(finish="IMAGE_SAFETY")),
        answers(painted()),
    )
    async with open_house(provider) as house:
        answer = await make(house, n=5, stream=stream)
        got = named_events(answer) if stream else answer.json()["data"]
        assert len(got) == 3
        used = sum(one["usage"]["output_tokens"] for one in got) if stream else answer.json()["usage"]["output_tokens"]
        assert used == 3 * 1120
        assert len(provider.requests) == 5


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("act", "status", "code"), [(ILL, 503, "overloaded"), (LIMITED, 400, "invalid_value"), (fails(429, "X"), 429, None)]
)
async def test_none_that_came_is_the_error_of_the_first(act: Act, status: int, code: str | None, stream: bool) -> None:
    async with open_house(Script(act)) as house:
        answer = await make(house, n=3, stream=stream)
        assert answer.status == status
        assert code in (None, answer.error["code"])


# -- the size


@pytest.mark.parametrize(
    ("model", "size", "ratio", "of_class"),
    [
        (PAINTER, "1024x1024", "1:1", "1K"),
        (PAINTER, "1536x1024", "3:2", "1K"),
        (PAINTER, "1024x1536", "2:3", "1K"),
        (PAINTER, "1792x1024", "16:9", "1K"),
        (PAINTER, "1024x1792", "9:16", "1K"),
        (PAINTER, "2048x2048", "1:1", "2K"),
        (PAINTER, "3840x2160", "16:9", "2K"),
        (PAINTER, "4096x4096", "1:1", "4K"),
        (PAINTER, "512x512", "1:1", "1K"),
        (FLASH, "512x512", "1:1", "512"),
        (FLASH, "2048x256", "8:1", "512"),
        (PAINTER, "2048x256", "21:9", "1K"),
        (OLDER, "1536x1024", "3:2", None),
        (OLDER, "4096x4096", "1:1", None),
        (PAINTER, "auto", None, None),
        (PAINTER, None, None, None),
    ],
)
async def test_a_size_is_the_nearest_shape_and_class(
    model: str, size: str | None, ratio: str | None, of_class: str | None
) -> None:
    async with open_house() as house:
        answer = await make(house, model=model, **({} if size is None else {"size": size}))
        assert answer.status == 200, answer.body
        config = sent(house)["generationConfig"].get("imageConfig", {})
        assert (config.get("aspectRatio"), config.get("imageSize")) == (ratio, of_class)


@pytest.mark.parametrize(
    ("size", "lost"), [("1024x1024", False), ("auto", False), ("1536x1024", True), ("1000x1000", True), ("64x64", True)]
)
async def test_a_size_that_is_not_to_be_had_is_told(size: str, lost: bool) -> None:
    async with open_house() as house:
        answer = await make(house, size=size)
        assert ("5.2:size" in answer.codes) is lost
        strict = await house.ask(
            {"model": PAINTER, "prompt": "a fox", "size": size}, path=MADE, headers={"x-portico-strict": "true"}
        )
        assert (strict.status == 400) is lost


@pytest.mark.parametrize(
    ("model", "more", "of_class", "lost"),
    [
        (PAINTER, {"quality": "high"}, "2K", False),
        (PAINTER, {"quality": "hd"}, "2K", False),
        (PAINTER, {"quality": "auto"}, None, False),
        (PAINTER, {"quality": "standard"}, None, False),
        (PAINTER, {"quality": "low"}, None, True),
        (PAINTER, {"quality": "high", "size": "1024x1024"}, "1K", True),
        (OLDER, {"quality": "high"}, None, True),
    ],
)
async def test_a_high_quality_is_a_larger_picture_where_no_size_is_said(
    model: str, more: Json, of_class: str | None, lost: bool
) -> None:
    async with open_house() as house:
        answer = await make(house, model=model, **more)
        config = sent(house)["generationConfig"].get("imageConfig", {})
        assert config.get("imageSize") == of_class
        assert ("5.2:quality" in answer.codes) is lost


# -- the form of a picture


async def test_a_url_is_a_data_uri() -> None:
    async with open_house() as house:
        (one,) = (await make(house, response_format="url")).json()["data"]
        head, _, data = one["url"].partition(",")
        assert head == "data:image/png;base64"
        assert picture(data).format == "PNG"
        assert one.keys() == {"url"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("native", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("wanted", ["png", "jpeg", "webp"])
async def test_a_picture_has_the_format_that_was_asked_for(native: str, wanted: str, stream: bool) -> None:
    provider = Script(answers(painted(inline(drawn(native), f"image/{native.lower()}"))))
    async with open_house(provider) as house:
        answer = await make(house, output_format=wanted, stream=stream)
        told = named_events(answer)[0] if stream else answer.json()
        image = picture(told["b64_json"]) if stream else opened(answer)[0]
        assert (image.format, told["output_format"]) == (wanted.upper(), wanted)
        assert told["size"] == "48x32" == f"{image.width}x{image.height}"


async def test_a_native_picture_is_not_touched_where_no_format_is_said() -> None:
    raw = drawn("JPEG")
    async with open_house(Script(answers(painted(inline(raw, "image/jpeg"))))) as house:
        cases: list[Json] = [{}, {"output_format": "jpeg"}, {"output_format": "jpeg", "output_compression": 100}]
        for more in cases:
            answer = await make(house, **more)
            assert base64.b64decode(answer.json()["data"][0]["b64_json"]) == raw
            assert answer.json()["output_format"] == "jpeg"


async def test_a_stronger_compression_is_a_smaller_file() -> None:
    noise = io.BytesIO()
    Image.effect_noise((256, 256), 90).convert("RGB").save(noise, "PNG")
    async with open_house(Script(answers(painted(inline(noise.getvalue()))))) as house:
        sizes = [
            len((await make(house, output_format=word, output_compression=percent)).body)
            for word in ("jpeg", "webp")
            for percent in (90, 30, 0)
        ]
        assert sizes[0] > sizes[1] > sizes[2]
        assert sizes[3] > sizes[4] > sizes[5]
        answer = await make(house, output_format="png", output_compression=30)
        assert (answer.codes, answer.status) == (["5.2:compression"], 200)


async def test_a_transparent_picture_becomes_a_jpeg_on_white() -> None:
    seen_through = drawn(mode="RGBA", colour=(0, 0, 0, 0))
    async with open_house(Script(answers(painted(inline(seen_through))))) as house:
        (image,) = opened(await make(house, output_format="jpeg"))
        assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


async def test_a_picture_that_cannot_be_read_comes_as_it_is() -> None:
    odd = inline(b"no picture at all", "image/png")
    async with open_house(Script(answers(painted(odd)))) as house:
        told = (await make(house, output_format="webp")).json()
        assert base64.b64decode(told["data"][0]["b64_json"]) == b"no picture at all"
        assert (told["output_format"], told["size"]) == ("png", "auto")


async def test_vertex_is_asked_for_the_format_itself() -> None:
    async with open_house(kinds=[KINDS["vertex"]]) as house:
        answer = await make(house, output_format="jpeg", output_compression=70)
        assert opened(answer)[0].format == "JPEG"
        options = sent(house)["generationConfig"]["imageConfig"]["imageOutputOptions"]
        assert options == {"mimeType": "image/jpeg", "compressionQuality": 70}
        assert (await make(house, output_format="webp")).status == 200
        assert "imageConfig" not in sent(house)["generationConfig"]


# -- what is left out, and what is refused


async def test_what_gemini_has_nothing_for_is_told() -> None:
    said: Json = {"style": "vivid", "moderation": "low", "user": "u1", "partial_images": 2, "surprise": [1]}
    async with open_house() as house:
        answer = await make(house, **said)
        assert answer.status == 200
        assert {(loss["code"], loss["path"]) for loss in answer.changes} == {
            ("1.1:unsupported", "$.style"),
            ("1.1:ignored", "$.moderation"),
            ("1.1:ignored", "$.user"),
            ("1.1:unsupported", "$.partial_images"),
            ("1.1:unsupported", "$.surprise"),
        }


BAD: list[tuple[Json, str | None, str]] = [
    ({"prompt": None}, "prompt", "Missing required parameter: 'prompt'."),
    ({"prompt": ""}, "prompt", "Missing required parameter: 'prompt'."),
    ({"prompt": 7}, "prompt", "expected a string"),
    ({"prompt": "x" * 32_001}, "prompt", "32001 characters"),
    ({"model": None}, "model", "Missing required parameter: 'model'."),
    ({"model": 5}, "model", "expected a string"),
    ({"n": 0}, "n", "at least 1"),
    ({"n": 11}, "n", "at most 10"),
    ({"n": "2"}, "n", "expected an integer"),
    ({"n": True}, "n", "expected an integer"),
    ({"size": "big"}, "size", "not 'auto' or a width and a height"),
    ({"size": "0x1024"}, "size", "not 'auto'"),
    ({"size": "99999x99999"}, "size", "not 'auto'"),
    ({"size": "1024x"}, "size", "not 'auto'"),
    ({"size": [1024, 1024]}, "size", "expected a string"),
    ({"quality": "best"}, "quality", "not one of"),
    ({"response_format": "png"}, "response_format", "not one of"),
    ({"output_format": "tiff"}, "output_format", "not one of"),
    ({"output_format": "gif"}, "output_format", "does not make gif"),
    ({"output_compression": 101}, "output_compression", "at most 100"),
    ({"output_compression": -1}, "output_compression", "at least 0"),
    ({"partial_images": 4}, "partial_images", "at most 3"),
    ({"background": "transparent"}, "background", "no transparent background"),
    ({"background": "checked"}, "background", "not one of"),
    ({"stream": "yes"}, "stream", "expected a boolean"),
    ({"model": "gemini-3.5-flash"}, "model", "does not make images. Models that do: "),
    ({"model": "no-such-model"}, "model", "does not exist"),
]


async def test_models_that_make_pictures_are_named_newest_first_of_each_vendor() -> None:
    async with open_house(kinds=(KINDS["gemini"], KINDS["openai"])) as house:
        answer = await make(house, model="gemini-3.5-flash", prompt="a fox")
        named = answer.error["message"].partition("Models that do: ")[2].rstrip(".").split(", ")
        assert named[:2] == ["gemini-nano-banana-2.1", "gpt-image-2.6-sunburst"]
        assert "gemini-2.5-flash-image" not in named


@pytest.mark.parametrize(("wrong", "param", "says_"), BAD)
async def test_bad_input_is_told_where_it_stands(wrong: Json, param: str | None, says_: str) -> None:
    async with open_house() as house:
        answer = (
            await make(house, **({"model": PAINTER, "prompt": "a fox"} | wrong))
            if "prompt" not in wrong
            else (await house.ask({"model": PAINTER, **wrong}, path=MADE))
        )
        assert answer.status in (400, 404)
        assert answer.error["param"] == param
        assert says_ in answer.error["message"]
        assert house.simulator.stats.requests == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"text"', b"{", b'{"model":"m","model":"n","prompt":"x"}', b"\xff\xfe", b"--x\r\n\r\n"],
)
async def test_what_is_no_request_is_a_400(body: bytes) -> None:
    async with open_house() as house:
        for path in (MADE, EDITED):
            answer = await house.ask(body, path=path)
            assert answer.status == 400
            assert answer.error["type"] == "invalid_request_error"


async def test_variations_are_refused_with_the_reason() -> None:
    async with open_house() as house:
        for path in ("/v1/images/variations", "/images/variations", "/v1beta/openai/images/variations"):
            answer = await house.ask(form([("model", "dall-e-2")]), path=path, headers=form_header())
            assert answer.status == 404
            assert "/v1/images/edits" in answer.error["message"]


@pytest.mark.parametrize("prefix", ["", "/v1", "/v1beta/openai"])
async def test_pictures_are_made_at_every_prefix_of_chat(prefix: str) -> None:
    async with open_house() as house:
        assert (await make(house, path=f"{prefix}/images/generations")).status == 200
        body = form([("model", PAINTER), ("prompt", "x"), ("image", Upload(drawn()))])
        assert (await house.ask(body, path=f"{prefix}/images/edits", headers=form_header())).status == 200
        assert (await house.ask(None, path=f"{prefix}/images/edits", method="GET")).status == 405


# -- no picture


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("answered", "status", "code", "asked"),
    [
        (candidate(finish="IMAGE_SAFETY"), 400, "moderation_blocked", 1),
        (candidate(finish="PROHIBITED_CONTENT"), 400, "moderation_blocked", 1),
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, 400, "moderation_blocked", 1),
        (candidate({"text": "I would rather not."}, finish="SAFETY"), 400, "moderation_blocked", 1),
        (says("I cannot draw."), 502, "upstream_empty", 2),
        (candidate(finish="NO_IMAGE"), 502, "upstream_empty", 2),
        (candidate(), 502, "upstream_empty", 2),
        (candidate(finish="MAX_TOKENS"), 502, "upstream_empty", 2),
        (candidate(inline(drawn(), thought=True)), 502, "upstream_empty", 2),
        (candidate(inline(b"RIFFxxxxWAVE", "audio/wav")), 502, "upstream_empty", 2),
        (b"nonsense", 502, "bad_gateway", 1),
    ],
)
async def test_no_picture_is_an_error_that_says_why(
    answered: Any, status: int, code: str, asked: int, stream: bool
) -> None:
    provider = Script(answers(answered))
    async with open_house(provider) as house:
        answer = await make(house, stream=stream)
        assert (answer.status, answer.error["code"]) == (status, code)
        assert len(provider.requests) == asked, "chance is given a second try, and a rule is not"
        if status == 400:
            assert answer.error["type"] == "image_generation_user_error"
        if isinstance(answered, dict) and answered == says("I cannot draw."):
            assert "I cannot draw." in answer.error["message"]


async def test_a_picture_that_came_at_the_second_try_is_an_answer() -> None:
    provider = Script(answers(says("No.")), answers(painted()))
    async with open_house(provider) as house:
        assert len(opened(await make(house))) == 1


async def test_drafts_are_skipped_and_words_are_told_as_lost() -> None:
    draft, last = drawn(colour="red"), drawn(colour="blue")
    parts = ({"text": "Here:"}, inline(draft, thought=True), inline(last))
    async with open_house(Script(answers(painted(*parts)))) as house:
        answer = await make(house)
        assert [base64.b64decode(one["b64_json"]) for one in answer.json()["data"]] == [last]
        assert answer.codes == ["5.2:text"]


# -- what is counted


async def test_usage_is_told_by_modality() -> None:
    async with open_house(Script(answers(painted(prompt=9, made=1290)))) as house:
        assert (await make(house, n=2)).json()["usage"] == {
            "input_tokens": 18,
            "output_tokens": 2580,
            "total_tokens": 2598,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 18},
            "output_tokens_details": {"image_tokens": 2580, "text_tokens": 0},
        }


# -- streamed


@pytest.mark.parametrize("n", [1, 4])
async def test_a_stream_tells_each_picture_once_it_is_done(n: int) -> None:
    async with open_house(Script(answers(painted(prompt=9, made=1290)))) as house:
        events = named_events(await make(house, stream=True, n=n))
        assert [event["type"] for event in events] == ["image_generation.completed"] * n
        for event in events:
            assert event.keys() == {
                *("type", "b64_json", "background", "created_at", "output_format", "quality", "size", "usage")
            }
            assert picture(event["b64_json"]).size == (48, 32)
        assert sum(event["usage"]["output_tokens"] for event in events) == 1290 * n
        assert sum(event["usage"]["input_tokens"] for event in events) == 9 * n
        assert sum(event["usage"]["output_tokens_details"]["image_tokens"] for event in events) == 1290 * n


async def test_who_streams_has_the_provider_asked_for_a_whole_answer() -> None:
    async with open_house() as house:
        await make(house, stream=True)
        assert house.simulator.stats.last.path.endswith(":generateContent")


# -- edits


async def test_an_edit_brings_its_pictures_before_its_prompt() -> None:
    first, second = drawn("PNG"), drawn("JPEG")
    async with open_house() as house:
        for name in ("image", "image[]", "image[0]"):
            answer = await edit(house, (name, Upload(first)), (name, Upload(second, "b.jpg", "image/jpeg")))
            assert len(opened(answer)) == 1
            parts = sent(house)["contents"][0]["parts"]
            assert [list(part) for part in parts] == [["inlineData"], ["inlineData"], ["text"]]
            assert [base64.b64decode(part["inlineData"]["data"]) for part in parts[:2]] == [first, second]
            assert [part["inlineData"]["mimeType"] for part in parts[:2]] == ["image/png", "image/jpeg"]
            assert parts[2] == {"text": "make it red"}


@pytest.mark.parametrize(
    ("upload", "mime"),
    [
        (Upload(drawn("WEBP"), "a.webp", "image/webp"), "image/webp"),
        (Upload(drawn("JPEG"), "a.bin", "application/octet-stream"), "image/jpeg"),
        (Upload(drawn("JPEG"), "a.png", "image/png"), "image/jpeg"),
        (Upload(drawn("GIF", mode="P", colour=3), "a.gif", "image/gif"), "image/png"),
    ],
)
async def test_a_file_is_what_it_is_whatever_it_is_called(upload: Upload, mime: str) -> None:
    async with open_house() as house:
        assert (await edit(house, ("image", upload))).status == 200
        assert sent(house)["contents"][0]["parts"][0]["inlineData"]["mimeType"] == mime


async def test_a_form_says_numbers_and_truths_as_text() -> None:
    more = (("n", "2"), ("size", "1536x1024"), ("output_format", "webp"), ("output_compression", "50"))
    async with open_house() as house:
        assert [image.format for image in opened(await edit(house, *more, image=drawn()))] == ["WEBP", "WEBP"]
        assert sent(house)["generationConfig"]["imageConfig"]["aspectRatio"] == "3:2"
        events = named_events(await edit(house, ("stream", "true"), ("n", "2"), image=drawn()))
        assert [event["type"] for event in events] == ["image_edit.completed"] * 2
        assert (await edit(house, ("stream", "false"), image=drawn())).json()["data"]


async def test_an_edit_may_come_as_json() -> None:
    uri = f"data:image/png;base64,{base64.b64encode(drawn()).decode()}"
    async with open_house() as house:
        answer = await make(house, path=EDITED, images=[{"image_url": uri}, {"image_url": uri}])
        assert len(opened(answer)) == 1
        assert len(sent(house)["contents"][0]["parts"]) == 3


BAD_EDITS: list[tuple[list[tuple[str, Any]], str, str]] = [
    ([], "image", "Missing required parameter: 'image'."),
    ([("image", "a text")], "image", "Expected a file"),
    ([("image", Upload(b""))], "image", "empty"),
    ([("image", Upload(b"%PDF-1.7 ...", "a.pdf", "application/pdf"))], "image", "no picture but application/pdf"),
    ([("image", Upload(drawn()))] * 17, "image", "17 pictures are more than 16"),
    ([("image", Upload(drawn())), ("mask", Upload(drawn(mode="RGBA", colour=(0, 0, 0, 0))))], "mask", "takes no mask"),
    ([("image", Upload(drawn())), ("n", "none")], "n", "expected an integer"),
    ([("image", Upload(drawn())), ("n", "11")], "n", "at most 10"),
    ([("image", Upload(drawn())), ("stream", "perhaps")], "stream", "expected a boolean"),
    ([("image", Upload(drawn())), ("background", "transparent")], "background", "transparent"),
    ([("image", Upload(drawn())), ("prompt", "twice")], "prompt", "given twice"),
    ([("image", Upload(drawn())), ("size", Upload(b"1024x1024", "size.txt", "text/plain"))], "size", "got a file"),
    ([("image", Upload(drawn())), ("user", b"\xff\xfe")], "user", "not UTF-8"),
]


@pytest.mark.parametrize(("fields", "param", "says_"), BAD_EDITS)
async def test_a_bad_edit_is_told_where_it_is_wrong(fields: list[tuple[str, Any]], param: str, says_: str) -> None:
    async with open_house() as house:
        answer = await edit(house, *fields)
        assert (answer.status, answer.error["param"]) == (400, param)
        assert says_ in answer.error["message"]


BAD_JSON_EDITS: list[tuple[Any, str]] = [
    (None, "image"),
    ([], "image"),
    ([{"file_id": "file-1"}], "images.file_id"),
    ([{"image_url": 3}], "images.image_url"),
    ([{"image_url": "data:text/plain;base64,eA=="}], "images.image_url"),
    ([{"image_url": "ftp://a.example/b.png"}], "images.image_url"),
    ([{}], "images"),
    (["text"], "images"),
    ([{"image_url": "data:image/png;base64,eA=="}, 5], "images[1]"),
]


@pytest.mark.parametrize(("images", "param"), BAD_JSON_EDITS)
async def test_a_bad_edit_in_json_is_told_where_it_is_wrong(images: Any, param: str) -> None:
    async with open_house() as house:
        answer = await make(house, path=EDITED, images=images)
        assert (answer.status, answer.error["param"]) == (400, param)
