"""The simulator paints as OpenAI does: answers fit the types of the SDK and open in a decoder; refusals are OpenAI's."""

import base64
import io
from typing import Any

import pytest
from openai.types import ImageEditCompletedEvent, ImageGenCompletedEvent, ImageGenPartialImageEvent, ImagesResponse
from PIL import Image

from gateway.forms import BOUNDARY, Upload, form, form_header
from portico.simulator import Simulator
from simulator.sim_memory import Json, Memory, exchange
from simulator.sim_openai import KEY, answer, error, events, framed, post

MADE, EDITED = "/v1/images/generations", "/v1/images/edits"
GPT, FIXED = "gpt-image-2", "gpt-image-1.5"


def asked(**more: Any) -> Json:
    return {"model": GPT, "prompt": "a fox"} | more


def drawn(size: tuple[int, int] = (64, 48), mode: str = "RGB", form_: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, form_)
    return out.getvalue()


def opened(b64: str) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(b64, validate=True)))
    image.load()
    return image


async def edited(*fields: tuple[str, Any], header: str | None = None, model: str = GPT, cut: int = 0) -> Memory:
    body = form([("model", model), ("prompt", "make it red"), *fields])
    headers = form_header() if header is None else {"content-type": header}
    one = exchange(EDITED, body[: len(body) - cut], headers=KEY | headers)
    await Simulator()(one)
    return one


@pytest.mark.parametrize("form_", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size", ["1024x1024", "1536x864", "48x16"])
async def test_a_picture_has_the_size_and_format_that_were_asked_for(size: str, form_: str) -> None:
    told = await answer(Simulator(), MADE, asked(size=size, output_format=form_, n=2))
    ImagesResponse.model_validate(told, strict=True)
    assert (told["size"], told["output_format"]) == (size, form_)
    for one in told["data"]:
        image = opened(one["b64_json"])
        assert (f"{image.width}x{image.height}", image.format) == (size, form_.upper())
    assert told["data"][0] != told["data"][1]


async def test_the_same_request_is_painted_alike_and_another_is_not() -> None:
    first, second = [await answer(Simulator(), MADE, asked()) for _ in range(2)]
    assert first == second
    assert first["data"] != (await answer(Simulator(), MADE, asked(prompt="a hen")))["data"]


async def test_a_transparent_background_is_seen_through() -> None:
    told = await answer(Simulator(), MADE, asked(background="transparent", size="64x64"))
    assert told["background"] == "transparent"
    pixel = opened(told["data"][0]["b64_json"]).convert("RGBA").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert pixel[3] == 0


async def test_usage_adds_up() -> None:
    usage = (await answer(Simulator(), MADE, asked(quality="high", size="1536x1024", n=3)))["usage"]
    assert usage["output_tokens"] == 3 * 6240 == usage["output_tokens_details"]["image_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens"] == sum(usage["input_tokens_details"].values())


@pytest.mark.parametrize("partial", [0, 1, 3])
async def test_a_stream_shows_pictures_on_the_way(partial: int) -> None:
    told = await events(Simulator(), MADE, asked(partial_images=partial, size="64x64"))
    assert len(told) == partial + 1
    for at, event in enumerate(told[:-1]):
        ImageGenPartialImageEvent.model_validate(event, strict=True)
        assert event["partial_image_index"] == at
    ImageGenCompletedEvent.model_validate(told[-1], strict=True)
    assert {opened(event["b64_json"]).size for event in told} == {(64, 64)}
    assert len({event["b64_json"] for event in told}) == partial + 1


async def test_an_edit_is_painted_over_its_picture() -> None:
    one = await edited(("image", Upload(drawn())), ("size", "64x64"))
    assert one.status == 200, one.data
    told = one.json()
    ImagesResponse.model_validate(told, strict=True)
    assert opened(told["data"][0]["b64_json"]).size == (64, 64)
    assert told["usage"]["input_tokens_details"]["image_tokens"] > 0
    assert told["data"] != (await edited(("image", Upload(drawn((9, 9)))), ("size", "80x64"))).json()["data"]


async def test_a_streamed_edit_says_that_it_is_one() -> None:
    one = await edited(("image[]", Upload(drawn())), ("image[]", Upload(drawn())), ("stream", "true"))
    (event,) = framed(one.data, done=False)
    ImageEditCompletedEvent.model_validate(event, strict=True)


async def test_a_mask_has_the_size_of_its_picture_and_an_alpha_channel() -> None:
    good = await edited(("image", Upload(drawn())), ("mask", Upload(drawn(mode="RGBA"))))
    assert good.status == 200, good.data
    for mask in (drawn(), drawn((8, 8), "RGBA"), b"no picture"):
        bad = await edited(("image", Upload(drawn())), ("mask", Upload(mask)))
        assert bad.status == 400


async def test_an_edit_in_json_names_its_pictures() -> None:
    uri = f"data:image/png;base64,{base64.b64encode(drawn()).decode()}"
    assert (await answer(Simulator(), EDITED, asked(images=[{"image_url": uri}])))["data"]
    wrong: list[Any] = [[], [{}], [{"image_url": uri, "file_id": "f"}], [{"image_url": "nothing"}], None]
    for images in wrong:
        assert (await post(Simulator(), EDITED, asked(images=images))).status == 400


REFUSED: list[tuple[Json, str, str]] = [
    ({"prompt": None}, "prompt", "missing_required_parameter"),
    ({"prompt": ""}, "prompt", "empty_string"),
    ({"prompt": "x" * 32_001}, "prompt", "string_above_max_length"),
    ({"model": None}, "model", "missing_required_parameter"),
    ({"n": 0}, "n", "integer_below_min_value"),
    ({"n": 11}, "n", "integer_above_max_value"),
    ({"n": "1"}, "n", "invalid_type"),
    ({"response_format": "b64_json"}, "response_format", "unknown_parameter"),
    ({"style": "vivid"}, "style", "unknown_parameter"),
    ({"input_fidelity": "high"}, "input_fidelity", "unknown_parameter"),
    ({"quality": "hd"}, "quality", "invalid_value"),
    ({"quality": "max"}, "quality", "invalid_value"),
    ({"size": "100x100"}, "size", "invalid_value"),
    ({"size": "4096x4096"}, "size", "invalid_value"),
    ({"size": "1024x256"}, "size", "invalid_value"),
    ({"size": "0x0"}, "size", "invalid_value"),
    ({"size": "large"}, "size", "invalid_value"),
    ({"model": FIXED, "size": "512x512"}, "size", "invalid_value"),
    ({"output_format": "png", "output_compression": 50}, "output_compression", "invalid_png_output_compression"),
    ({"output_format": "bmp"}, "output_format", "invalid_value"),
    ({"output_format": "jpeg", "background": "transparent"}, "background", "invalid_value"),
    ({"partial_images": 4}, "partial_images", "integer_above_max_value"),
    ({"stream": "yes"}, "stream", "invalid_type"),
    ({"model": "gpt-5.5"}, "model", "invalid_value"),
]


@pytest.mark.parametrize(("more", "param", "code"), REFUSED)
async def test_what_openai_refuses_is_refused(more: Json, param: str, code: str) -> None:
    body = {name: value for name, value in (asked() | more).items() if value is not None}
    told = await error(Simulator(), MADE, body)
    assert (told["param"], told["code"]) == (param, code)


@pytest.mark.parametrize("model", ["dall-e-3", "gpt-image-1", "gpt-image-9", "no-model"])
async def test_models_that_are_gone_are_not_found(model: str) -> None:
    assert (await post(Simulator(), MADE, asked(model=model))).status == 404


@pytest.mark.parametrize(
    "more", [{"model": "gpt-image-2.5-flare", "quality": "max"}, {"model": FIXED}, {"model": "chatgpt-image-latest"}]
)
async def test_models_take_what_they_take(more: Json) -> None:
    assert (await answer(Simulator(), MADE, asked(**more)))["data"]


@pytest.mark.parametrize(
    "header",
    ["multipart/form-data", "multipart/form-data; boundary=other", f"text/plain; boundary={BOUNDARY}", ""],
)
async def test_a_form_is_read_by_the_boundary_of_its_header(header: str) -> None:
    assert (await edited(("image", Upload(drawn())), header=header)).status == 400


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [("image", "text")],
        [("image", Upload(drawn(), mime="application/octet-stream"))],
        [("image", Upload(b"no picture"))],
        [("image", Upload(drawn(form_="GIF"), mime="image/png"))],
        [("image", Upload(drawn()))] * 17,
        [("image", Upload(drawn())), ("prompt", "again")],
        [("image", Upload(drawn())), ("strange", "x")],
        [("image", Upload(drawn())), ("n", "many")],
        [("image", Upload(drawn())), ("input_fidelity", "high")],
    ],
)
async def test_a_form_that_openai_refuses_is_refused(fields: list[tuple[str, Any]]) -> None:
    one = await edited(*fields)
    assert one.status == 400, one.data
    assert set(one.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("cut", [3, 4, 30, 200])
async def test_a_form_that_is_cut_off_is_refused(cut: int) -> None:
    assert (await edited(("image", Upload(drawn())), cut=cut)).status == 400


async def test_pictures_fail_when_they_are_asked_to() -> None:
    blocked = await error(Simulator(), MADE, asked(prompt="[[sim:block]] a fox"))
    assert (blocked["code"], blocked["type"]) == ("moderation_blocked", "image_generation_user_error")
    for name, status in (("429", 429), ("500", 500), ("503", 503)):
        assert (await post(Simulator(), MADE, asked(prompt=f"[[sim:{name}]]"))).status == status
