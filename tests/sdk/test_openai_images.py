"""Pictures through the official OpenAI SDK on a running gateway: made and edited, whole and streamed, by Gemini and GPT."""

import asyncio
import base64
import io
from collections.abc import Iterator

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from PIL import Image

from gateway.house import KEY, House, house_in_a_thread
from portico.providers import KINDS

GEMINI, GPT = ("gemini-3-pro-image", "gemini-2.5-flash-image"), ("gpt-image-2", "gpt-image-2.5-flare")
every = pytest.mark.parametrize("model", [*GEMINI, *GPT])


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with house_in_a_thread(kinds=[KINDS["gemini"], KINDS["openai"]]) as house:
        yield house


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[OpenAI]:
    with OpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client:
        yield client


def opened(b64: str | None) -> Image.Image:
    assert b64 is not None
    image = Image.open(io.BytesIO(base64.b64decode(b64, validate=True)))
    image.load()
    return image


def file(name: str = "in.png", size: tuple[int, int] = (64, 48)) -> tuple[str, bytes, str]:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "PNG")
    return name, out.getvalue(), "image/png"


@every
def test_pictures_are_made(client: OpenAI, model: str) -> None:
    made = client.images.generate(model=model, prompt="A fox in the snow", n=2, size="1024x1024")
    assert made.data is not None
    assert len(made.data) == 2
    for one in made.data:
        image = opened(one.b64_json)
        assert made.size == f"{image.width}x{image.height}"
        assert made.output_format == (image.format or "").lower()
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    assert made.usage.output_tokens_details is not None
    assert made.usage.output_tokens_details.image_tokens > 0
    if model in GPT:
        assert made.size == "1024x1024"


@every
def test_the_format_is_the_callers(client: OpenAI, model: str) -> None:
    made = client.images.generate(model=model, prompt="A fox", output_format="webp", output_compression=60)
    assert made.data is not None
    assert opened(made.data[0].b64_json).format == "WEBP"


@every
def test_a_picture_is_streamed(client: OpenAI, model: str) -> None:
    with client.images.generate(model=model, prompt="A fox", stream=True, partial_images=2) as stream:
        told = list(stream)
    last = told[-1]
    assert last.type == "image_generation.completed"
    assert last.usage.output_tokens > 0
    assert last.size == "{}x{}".format(*opened(last.b64_json).size)
    on_the_way = [event for event in told if event.type == "image_generation.partial_image"]
    assert [event.partial_image_index for event in on_the_way] == ([0, 1] if model in GPT else [])


@every
def test_pictures_are_edited(client: OpenAI, model: str) -> None:
    one = client.images.edit(model=model, image=file(), prompt="Make it red")
    several = client.images.edit(model=model, image=[file("a.png"), file("b.png")], prompt="Put them together", n=2)
    assert one.data is not None
    assert several.data is not None
    assert [opened(picture.b64_json).format for picture in (*one.data, *several.data)] == ["PNG"] * 3
    assert one.usage is not None


@every
def test_an_edit_is_streamed(client: OpenAI, model: str) -> None:
    with client.images.edit(model=model, image=file(), prompt="Make it red", stream=True) as stream:
        (event,) = list(stream)
    assert event.type == "image_edit.completed"
    assert opened(event.b64_json).width > 0


def test_many_at_once_without_waiting(house: House) -> None:
    async def main() -> list[int]:
        async with AsyncOpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client:

            async def one(model: str) -> int:
                made = await client.images.generate(model=model, prompt="A fox", n=2)
                edited = await client.images.edit(model=model, image=file(), prompt="Red", stream=True)
                return len(made.data or ()) + len([event async for event in edited])

            return await asyncio.gather(*(one(model) for model in (*GEMINI, *GPT)))

    assert asyncio.run(main()) == [3] * 4


@every
def test_a_blocked_picture_is_a_bad_request(client: OpenAI, model: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=model, prompt="[[sim:block]] A fox")
    assert caught.value.code == "moderation_blocked"


@pytest.mark.parametrize("model", GPT)
def test_a_mask_reaches_who_can_use_it(client: OpenAI, model: str) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (64, 48)).save(out, "PNG")
    mask = ("mask.png", out.getvalue(), "image/png")
    made = client.images.edit(model=model, image=file(), mask=mask, prompt="A hat")
    assert made.data
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=GEMINI[0], image=file(), mask=mask, prompt="A hat")
    assert caught.value.param == "mask"


def test_variations_are_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="retired"), pytest.warns(DeprecationWarning, match="deprecated"):
        client.images.create_variation(model="dall-e-2", image=file())
