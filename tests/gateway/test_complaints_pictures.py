"""Complaint 22 of complaints.md: pictures that a model makes, in every form, streamed and whole, and on their way back."""

import base64
import re

import pytest

from gateway.cutting import message_of
from gateway.house import Act, Answer, Json, Script, candidate, chat, frame, open_house
from portico.wire import jsontext
from portico.wire.http import Exchange

MODELS = ["gemini-2.5-flash-image", "gemini-3-pro-image", "gemini-3.1-flash-image"]
FORMS = [None, "markdown", "images", "parts"]
"""What the caller asks for; None is the default, Markdown."""
BOTH_WAYS = pytest.mark.parametrize("stream", [False, True])
EACH_FORM = pytest.mark.parametrize("form", FORMS)
IN_MARKDOWN = re.compile(r"!\[[^\]]*\]\((data:[^)]*)\)")
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff" + bytes(range(255, -1, -1)) * 20).decode()
A, B, C, D = "QQ==", "Qg==", "Qw==", "RA=="
"""Four signatures."""


def picture(data: str, signature: str | None = None, mime: str = "image/png") -> Json:
    part: Json = {"inlineData": {"mimeType": mime, "data": data}}
    return part if signature is None else {**part, "thoughtSignature": signature}


DRAWN = [
    {"text": "Here is ", "thoughtSignature": A},
    picture(PNG, B),
    {"text": "and here\n", "thoughtSignature": C},
    picture(JPEG, D, "image/jpeg"),
    {"text": "That is all."},
]
URIS = [f"data:image/png;base64,{PNG}", f"data:image/jpeg;base64,{JPEG}"]


def draws(parts: list[Json]) -> Act:
    """An answer of these parts, in a stream one per event."""

    async def act(exchange: Exchange) -> None:
        if "alt=sse" not in exchange.request.query:
            exchange.send(200, [("content-type", "application/json")], jsontext.encode(candidate(*parts)))
            return
        exchange.start(200, [("content-type", "text/event-stream")])
        for part in parts:
            exchange.write(frame(candidate(part, finish=None)))
        exchange.write(frame(candidate()))
        exchange.finish()

    return act


def asking(form: str | None) -> dict[str, str]:
    return {} if form is None else {"x-portico-image-form": form}


def told(answer: Answer, *, stream: bool) -> Json:
    """The message as a client keeps it: role, content and images."""
    assert answer.status == 200, answer.body
    message = message_of(answer.body, stream=stream)
    return {key: message[key] for key in ("role", "content", "images") if key in message}


def seen(message: Json, form: str | None) -> list[str]:
    """The addresses of the pictures, where a client of that form looks for them."""
    match form:
        case "images":
            assert [one["index"] for one in message["images"]] == list(range(len(message["images"])))
            return [one["image_url"]["url"] for one in message["images"]]
        case "parts":
            return [one["image_url"]["url"] for one in message["content"] if one["type"] == "image_url"]
        case _:
            return IN_MARKDOWN.findall(message["content"])


def read(message: Json, form: str | None) -> str:
    """The text around the pictures."""
    if form == "parts":
        return "".join(one["text"] for one in message["content"] if one["type"] == "text")
    return IN_MARKDOWN.sub("", message["content"]).replace("\n\n\n\n", "").replace("\n\n", "")


@BOTH_WAYS
@EACH_FORM
@pytest.mark.parametrize("model", MODELS)
async def test_complaint_22_a_picture_is_told_in_the_form_that_was_asked_for(
    model: str, form: str | None, stream: bool
) -> None:
    async with open_house() as house:
        answer = await house.ask(chat("Draw a cat", model=model, stream=stream), headers=asking(form))
        (uri,) = seen(told(answer, stream=stream), form)
        kind, data = uri.removeprefix("data:").split(";base64,")
        head = base64.b64decode(data)[:4]
        assert (kind, head) in [("image/png", b"\x89PNG"), ("image/jpeg", b"\xff\xd8\xff\xe0")]


@BOTH_WAYS
@EACH_FORM
async def test_complaint_22_several_pictures_and_the_text_between_arrive_whole_and_once(
    form: str | None, stream: bool
) -> None:
    async with open_house(Script(draws(DRAWN))) as house:
        answer = await house.ask(chat("Draw", model=MODELS[1], stream=stream), headers=asking(form))
        message = told(answer, stream=stream)
        assert seen(message, form) == URIS
        assert answer.body.count(PNG.encode()) == 1
        assert read(message, form) == ("Here is and here\nThat is all.")


@BOTH_WAYS
@EACH_FORM
async def test_complaint_22_a_picture_that_comes_back_is_a_picture_with_its_signature(
    form: str | None, stream: bool
) -> None:
    """Whatever the form, Google sees its own turn again, part by part; no base64 is paid for as text."""
    provider = Script(draws(DRAWN), draws([{"text": "done"}]))
    async with open_house(provider) as house:
        asked = chat("Draw", model=MODELS[1], stream=stream)
        said = told(await house.ask(asked, headers=asking(form)), stream=stream)
        again = [*asked["messages"], said, {"role": "user", "content": "Make it blue"}]
        assert (await house.ask({**asked, "messages": again})).status == 200
        assert provider.bodies[1]["contents"][1]["parts"] == DRAWN


@BOTH_WAYS
@EACH_FORM
async def test_complaint_22_a_picture_of_someone_elses_history_is_a_picture(form: str | None, stream: bool) -> None:
    """After a restart, or from another gateway: nothing is kept, and still no base64 goes as text."""
    provider = Script(draws(DRAWN), draws([{"text": "done"}]))
    async with open_house(provider) as house:
        asked = chat("Draw", model=MODELS[1], stream=stream)
        said = told(await house.ask(asked, headers=asking(form)), stream=stream)
        await house.restart()
        again = [*asked["messages"], said, {"role": "user", "content": "Make it blue"}]
        assert (await house.ask({**asked, "messages": again})).status == 200
        turn = provider.bodies[1]["contents"][1]["parts"]
        assert [part["inlineData"] for part in turn if "inlineData" in part] == [
            part["inlineData"] for part in DRAWN if "inlineData" in part
        ]
        assert not any(PNG in part.get("text", "") for part in turn)


@BOTH_WAYS
@pytest.mark.parametrize("model", MODELS)
@EACH_FORM
async def test_complaint_22_a_picture_is_edited_over_three_turns(form: str | None, model: str, stream: bool) -> None:
    """The simulator refuses a signature that is not of the part it stands on."""
    async with open_house() as house:
        messages: list[Json] = []
        for words in ("Draw a cat", "Make it blue", "Give it a hat"):
            messages.append({"role": "user", "content": words})
            body = {"model": model, "messages": messages, "stream": stream}
            messages.append(told(await house.ask(body, headers=asking(form)), stream=stream))
        assert house.simulator.stats.refused == 0
        turns = [one["parts"] for one in house.simulator.stats.last.body["contents"] if one["role"] == "model"]
        pictures = [part for turn in turns for part in turn if "inlineData" in part]
        assert len(pictures) == 2
        signed = model != "gemini-2.5-flash-image"
        assert ["thoughtSignature" in part for part in pictures] == [signed, signed]


async def test_complaint_22_a_form_nobody_knows_is_refused_by_name() -> None:
    async with open_house() as house:
        answer = await house.ask(chat("Draw", model=MODELS[0]), headers=asking("hologram"))
        assert answer.status == 400
        assert "x-portico-image-form" in answer.error["message"]
