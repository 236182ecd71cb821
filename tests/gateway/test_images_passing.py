"""Pictures of who speaks OpenAI's Images API: bodies pass byte by byte but for the model's name, and somebody watches."""

import base64
import json
from typing import Any

import pytest

from gateway.forms import BOUNDARY, Upload, form, form_header
from gateway.house import Act, Json, Script, answers, fails, open_house
from gateway.test_images import EDITED, MADE, drawn, edit, make, named_events, opened, painted, picture
from portico.catalog import OperatorModel
from portico.http.limits import Limits
from portico.providers import KINDS
from portico.relay.router import RoutingRules
from portico.wire.http import Exchange

GPT = "gpt-image-2"
OPENAI = (KINDS["openai"],)
USAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
    "output_tokens": 272,
    "total_tokens": 322,
}
ANSWER = {"created": 1, "data": [{"b64_json": base64.b64encode(drawn()).decode()}], "usage": USAGE, "new_field": 1.0}
AWKWARD = b"".join(
    [
        b'{"mod\\u0065l" : "MODEL" ,\n "prompt":"caf\\u00e9 \xe2\x98\x83",',
        b'"n":1e0,"seed":12345678901234567890, "x":{"model":"y"}}',
    ]
)


def event(kind: str, **more: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'b64_json': 'AA==', **more})}\n\n".encode()


PARTIAL = event("image_generation.partial_image", partial_image_index=0)
DONE = event("image_generation.completed", usage=USAGE)
ERROR = b'event: error\ndata: {"type":"error","error":{"type":"server_error","code":null,"message":"oops"}}\n\n'


def streams(*pieces: bytes, size: int = 10**6, breaks: bool = False) -> Act:
    """A stream that is cut into pieces of a size."""

    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        data = b"".join(pieces)
        for at in range(0, len(data), size):
            exchange.write(data[at : at + size])
            await exchange.drain()
        if breaks:
            exchange.abort()
        else:
            exchange.finish()

    return act


DEARER = RoutingRules(allow_dearer=True)


def house_of(provider: Any, **options: Any) -> Any:
    """A gateway at which `painter` is called `gpt-image-2` by its provider."""
    models = [OperatorModel("painter", f"openai/{GPT}")]
    return open_house(provider, kinds=OPENAI, models=models, **options)


async def test_a_body_passes_but_for_its_models_name_and_the_answer_as_it_is() -> None:
    data = json.dumps(ANSWER, indent=3).encode()
    provider = Script(answers(data))
    async with house_of(provider) as house:
        answer = await house.ask(AWKWARD.replace(b"MODEL", b"painter"), path=MADE)
        assert (answer.status, answer.body) == (200, data)
        assert provider.requests[0].body == AWKWARD.replace(b"MODEL", GPT.encode())
        assert provider.requests[0].path == "/v1/images/generations"
        assert "x-portico-changes" not in answer.headers


@pytest.mark.parametrize("boundary", [BOUNDARY, "x", "----WebKitFormBoundaryABCdef0123456789"])
@pytest.mark.parametrize("model_at", [0, 1, 2])
async def test_a_form_passes_but_for_its_models_name(model_at: int, boundary: str) -> None:
    raw = bytes(range(256)) * 20 + b"\r\n--" + b"\r\n\r\n--xx\r\n"
    others: list[tuple[str, Any]] = [("image[]", Upload(raw)), ("prompt", "ça va? \r\n--x-"), ("new", ""), ("n", "1")]

    def with_model(name: str) -> bytes:
        return form([*others[:model_at], ("model", name), *others[model_at:]], boundary)

    provider = Script(answers(ANSWER))
    async with house_of(provider) as house:
        for name in ("painter", GPT):
            header = form_header(boundary)
            assert (await house.ask(with_model(name), path=EDITED, headers=header)).status == 200
            assert provider.requests[-1].body == with_model(GPT)
            assert provider.requests[-1].headers["content-type"] == header["content-type"]
            assert provider.requests[-1].path == "/v1/images/edits"


async def test_an_edit_in_json_passes_as_json() -> None:
    body = {"model": "painter", "prompt": "x", "images": [{"file_id": "file-1"}], "mask": {"file_id": "file-2"}}
    provider = Script(answers(ANSWER))
    async with house_of(provider) as house:
        assert (await house.ask(body, path=EDITED)).status == 200
        assert provider.bodies == [body | {"model": GPT}]
        assert provider.requests[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
async def test_a_stream_passes_however_it_is_cut(size: int) -> None:
    pieces = (PARTIAL, PARTIAL, DONE)
    provider = Script(streams(*pieces, size=size))
    async with house_of(provider) as house:
        answer = await make(house, model="painter", stream=True, partial_images=2)
        assert answer.body == b"".join(pieces)
        assert provider.bodies[0]["stream"] is True


async def test_a_form_asks_for_a_stream_too() -> None:
    provider = Script(streams(DONE))
    async with house_of(provider) as house:
        answer = await edit(house, ("stream", "true"), model="painter", image=drawn())
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.body == DONE


@pytest.mark.parametrize(
    ("pieces", "breaks", "status", "code"),
    [
        ((ERROR,), False, 500, "internal_error"),
        ((), False, 502, "upstream_empty"),
        ((b"data: nonsense\n\n",), False, 502, "bad_gateway"),
        ((), True, 502, "upstream_incomplete"),
    ],
)
async def test_a_stream_that_fails_before_anything_came_is_an_error(
    pieces: tuple[bytes, ...], breaks: bool, status: int, code: str
) -> None:
    async with house_of(Script(streams(*pieces, breaks=breaks))) as house:
        answer = await make(house, model="painter", stream=True)
        assert (answer.status, answer.error["code"]) == (status, code)


@pytest.mark.parametrize(("pieces", "breaks"), [((PARTIAL,), True), ((PARTIAL,), False), ((PARTIAL, ERROR), False)])
async def test_a_stream_that_breaks_off_says_so(pieces: tuple[bytes, ...], breaks: bool) -> None:
    async with house_of(Script(streams(*pieces, breaks=breaks))) as house:
        events = named_events(await make(house, model="painter", stream=True))
        assert [one["type"] for one in events] == ["image_generation.partial_image", "error"]
        assert events[1]["error"]["message"]


async def test_an_error_of_openais_keeps_its_words() -> None:
    said: Json = {
        "error": {
            "message": "Your request was rejected by the safety system.",
            "type": "image_generation_user_error",
            "param": None,
            "code": "moderation_blocked",
        }
    }
    async with house_of(Script(answers(said, 400))) as house:
        answer = await make(house, model="painter")
        assert (answer.status, answer.json()) == (400, said)


@pytest.mark.parametrize("answered", [{"created": 1}, {"data": None}, {"object": "list"}, [], b"", b"{"])
async def test_an_answer_that_is_none_is_a_bad_gateway(answered: Any) -> None:
    async with house_of(Script(answers(answered))) as house:
        assert (await make(house, model="painter")).status == 502


# -- forms that are none


WHOLE = form([("model", "painter"), ("prompt", "x"), ("image", Upload(drawn()))])


@pytest.mark.parametrize(
    "body",
    [
        WHOLE[:-4],
        WHOLE[: len(WHOLE) // 2],
        WHOLE[:70],
        b"--\r\n",
        b"--x",
        b"--x--\r\n",
        b"\r\n" + WHOLE,
        WHOLE.replace(b'name="prompt"', b""),
        form([("model", "painter"), ("model", "other"), ("prompt", "x"), ("image", Upload(drawn()))]),
        form([("model", "painter"), ("stream", "true"), ("stream", "false"), ("image", Upload(drawn()))]),
        form([("prompt", "x"), ("image", Upload(drawn()))]),
        form([("model", ""), ("prompt", "x"), ("image", Upload(drawn()))]),
        form([("model", b"\xff"), ("prompt", "x"), ("image", Upload(drawn()))]),
        form([(f"f{number}", "x") for number in range(300)]),
    ],
)
async def test_a_form_that_cannot_be_read_goes_nowhere(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    provider = Script(answers(ANSWER))
    async with house_of(provider) as house:
        answer = await house.ask(body, path=EDITED, headers=form_header())
        assert answer.status == 400, answer.body
        assert answer.error["type"] == "invalid_request_error"
        assert provider.requests == []
        assert not [one for one in caplog.records if one.name.startswith("python_multipart")]


async def test_a_form_that_is_too_large_is_a_413() -> None:
    async with house_of(Script(answers(ANSWER)), limits=Limits(max_body_bytes=10_000)) as house:
        answer = await edit(house, model="painter", image=bytes(20_000))
        assert (answer.status, answer.error["code"]) == (413, "request_too_large")


# -- where calls go


async def test_a_model_of_pictures_is_not_reached_through_chat() -> None:
    provider = Script(answers(ANSWER))
    async with house_of(provider) as house:
        body = {"model": GPT, "messages": [{"role": "user", "content": "x"}]}
        assert (await house.ask(body)).status in (400, 404)
        assert provider.requests == []


class Two:
    """Google and OpenAI at one address."""

    def __init__(self, google: Act, *openai: Act) -> None:
        self.google, self.openai = Script(google), Script(*openai)

    async def __call__(self, exchange: Exchange) -> None:
        await (self.google if "generateContent" in exchange.request.path else self.openai)(exchange)


FOLLOWED = [OperatorModel("painter", f"openai/{GPT}", fallbacks=("gemini-3-pro-image",))]


@pytest.mark.parametrize("stream", [False, True])
async def test_what_would_have_passed_is_translated_for_who_takes_its_place(stream: bool) -> None:
    provider = Two(answers(painted()), fails(503, "UNAVAILABLE"), answers(ANSWER))
    async with open_house(provider, kinds=[*OPENAI, KINDS["gemini"]], models=FOLLOWED, rules=DEARER) as house:
        answer = await make(house, model="painter", n=2, size="1536x1024", stream=stream)
        assert (len(named_events(answer)) if stream else len(opened(answer))) == 2
        assert "5.2:size" in answer.codes
        assert len(provider.openai.requests) == 1, "no picture of several is asked for at who answers for them all"


@pytest.mark.parametrize("stream", ["true", "false"])
async def test_a_form_that_would_have_passed_is_translated_too(stream: str) -> None:
    provider = Two(answers(painted()), fails(503, "UNAVAILABLE"))
    async with open_house(provider, kinds=[*OPENAI, KINDS["gemini"]], models=FOLLOWED, rules=DEARER) as house:
        assert (await edit(house, ("stream", stream), model="painter", image=drawn())).status == 200
        (asked,) = provider.google.bodies
        assert [list(part) for part in asked["contents"][0]["parts"]] == [["inlineData"], ["text"]]


@pytest.mark.parametrize("kind", ["openai", "azure-openai", "openai-compatible"])
async def test_every_kind_of_openais_is_asked_at_its_own_address(kind: str) -> None:
    provider = Script(answers(ANSWER))
    models = [OperatorModel("painter", f"{kind}/{GPT}")]
    async with open_house(provider, kinds=[KINDS[kind]], models=models) as house:
        assert (await make(house, model="painter")).status == 200
        assert (await edit(house, model="painter", image=drawn())).status == 200
        assert [one.path.endswith(("/images/generations", "/images/edits")) for one in provider.requests] == [True] * 2


async def test_the_simulator_paints_what_is_asked_of_it() -> None:
    async with open_house(kinds=OPENAI) as house:
        answer = await make(house, model=GPT, size="1536x1024", output_format="webp", n=2, quality="low")
        assert [(image.format, image.size) for image in opened(answer)] == [("WEBP", (1536, 1024))] * 2
        assert answer.json()["usage"]["output_tokens"] == 2 * 408
        events = named_events(await make(house, model=GPT, stream=True, partial_images=2))
        kinds = ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
        assert [one["type"] for one in events] == kinds
        assert [picture(one["b64_json"]).size for one in events] == [(1024, 1024)] * 3
        edited = await edit(house, ("size", "1024x1536"), model=GPT, image=drawn())
        assert [image.size for image in opened(edited)] == [(1024, 1536)]
