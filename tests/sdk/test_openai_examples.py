"""Examples as a developer would paste them, through the official OpenAI SDK against a whole gateway.

What each field of an answer holds is tested beside this in gateway/test_openai_sdk.py.
"""

import asyncio
import base64
import io
import json
import re
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from PIL import Image
from pydantic import BaseModel

from gateway.house import KEY, House, Json, Script, answers, candidate, house_in_a_thread
from portico.providers import KINDS
from sdk import files

CHAT = "gemini-3.5-flash"
OLDER = "gemini-2.5-flash"
PAINTER = "gemini-2.5-flash-image"
SPEAKER = "gemini-2.5-flash-preview-tts"

both = pytest.mark.parametrize("model", [CHAT, OLDER])


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[OpenAI]:
    with OpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client:
        yield client


def sent(house: House) -> Any:
    """What the provider was asked last."""
    return house.simulator.stats.last.body


def inline(house: House) -> list[Json]:
    """The media it was given."""
    parts = [part for content in sent(house)["contents"] for part in content["parts"]]
    return [part["inlineData"] for part in parts if "inlineData" in part]


# -- chat ------------------------------------------------------------------------------------------------------------


@both
def test_chat(client: OpenAI, model: str) -> None:
    response = client.chat.completions.create(
        model=model,
        messages=[
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Hello!"},
        ],
    )
    assert response.choices[0].message.content == '[simulated] You said: "Hello!"'
    assert response.model == model


def test_chat_asynchronously_and_many_at_once(house: House) -> None:
    async def main() -> list[str | None]:
        async with AsyncOpenAI(api_key=KEY, base_url=house.url) as client:

            async def ask(question: str) -> str | None:
                response = await client.chat.completions.create(
                    model=CHAT, messages=[{"role": "user", "content": question}]
                )
                return response.choices[0].message.content

            return await asyncio.gather(*(ask(f"Question {number}") for number in range(8)))

    assert asyncio.run(main()) == [f'[simulated] You said: "Question {number}"' for number in range(8)]


TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "get_time",
            "description": "The time in a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "hours": {"type": "integer"}},
                "required": ["city", "hours"],
            },
        },
    },
]


@both
@pytest.mark.parametrize("tools", [openai.omit, TOOLS], ids=["no tools", "tools"])
@pytest.mark.parametrize("question", ["Tell me a story [[sim:words=60]]", "get_weather and get_time please"])
def test_a_streaming_loop_that_guards_nothing(
    client: OpenAI, model: str, tools: Any, question: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": question}], tools=tools, stream=True
    )
    for chunk in stream:
        print(chunk.choices[0].delta.content or "", end="", flush=True)  # noqa: T201

    called = tools is TOOLS and "please" in question
    said = "" if called else "word59" if "words" in question else f'You said: "{question}"'
    assert capsys.readouterr().out.endswith(said)


def test_an_asynchronous_streaming_loop(house: House) -> None:
    async def main() -> str:
        text = ""
        async with AsyncOpenAI(api_key=KEY, base_url=house.url) as client:
            stream = await client.chat.completions.create(
                model=CHAT, messages=[{"role": "user", "content": "Hello [[sim:words=60]]"}], stream=True
            )
            async for chunk in stream:
                text += chunk.choices[0].delta.content or ""
        return text

    assert asyncio.run(main()).endswith("word59")


def test_a_stream_with_usage(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model=CHAT,
        messages=[{"role": "user", "content": "Hello!"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = stream
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == '[simulated] You said: "Hello!"'
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens > 0


@both
def test_several_choices(client: OpenAI, model: str) -> None:
    response = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello!"}], n=2)
    assert [choice.index for choice in response.choices] == [0, 1]
    assert all(
        (choice.message.content or "").startswith('[simulated] You said: "Hello!"') for choice in response.choices
    )


def test_logprobs() -> None:
    scores = [
        {"token": "Hel", "tokenId": 5, "logProbability": -0.25},
        {"token": "lo", "tokenId": 6, "logProbability": -1},
    ]
    body = candidate({"text": "Hello"})
    body["candidates"][0]["logprobsResult"] = {
        "chosenCandidates": scores,
        "topCandidates": [{"candidates": [score]} for score in scores],
    }
    script = Script(answers(body))
    vertex = msgspec.structs.replace(KINDS["gemini"], name="vertex")  # the Gemini API itself gives none
    with house_in_a_thread(script, kinds=[vertex]) as house, OpenAI(api_key=KEY, base_url=house.url) as client:
        response = client.chat.completions.create(
            model=OLDER, messages=[{"role": "user", "content": "Hello!"}], logprobs=True, top_logprobs=1
        )
    logprobs = response.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert [(one.token, one.logprob) for one in logprobs.content] == [("Hel", -0.25), ("lo", -1)]
    assert [one.top_logprobs[0].token for one in logprobs.content] == ["Hel", "lo"]
    assert script.bodies[0]["generationConfig"] == {"responseLogprobs": True, "logprobs": 1}


# -- seeing and reading ----------------------------------------------------------------------------------------------


@both
def test_a_picture_by_address(client: OpenAI, house: House, site: str, model: str) -> None:
    response = client.chat.completions.create(
        model=model,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is in this image?"},
                    {"type": "image_url", "image_url": {"url": f"{site}/cat.png"}},
                ],
            }
        ],
        max_tokens=3000,
    )
    assert response.choices[0].message.content == (
        '[simulated] You said: "What is in this image?" I received image/png.'
    )
    assert inline(house) == [{"mimeType": "image/png", "data": files.base64_of(files.png())}]


def test_a_picture_by_data_uri(client: OpenAI, house: House) -> None:
    base64_image = base64.b64encode(files.png()).decode("utf-8")
    response = client.chat.completions.create(
        model=CHAT,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is in this image?"},
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/png;base64,{base64_image}", "detail": "high"},
                    },
                ],
            }
        ],
    )
    assert "I received image/png" in (response.choices[0].message.content or "")
    assert inline(house) == [{"mimeType": "image/png", "data": base64_image}]


PDF = base64.b64encode(files.pdf()).decode()


@both
@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": f"data:application/pdf;base64,{PDF}"}},
        {"type": "file", "file": {"filename": "report.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
        {"type": "file", "file": {"filename": "report.pdf", "file_data": PDF}},
    ],
    ids=["image_url", "file", "file, bare base64"],
)
def test_a_pdf_by_data_uri(client: OpenAI, house: House, part: Any, model: str) -> None:
    response = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": [{"type": "text", "text": "Summarize this document."}, part]}],
    )
    assert "I received application/pdf" in (response.choices[0].message.content or "")
    assert [(blob["mimeType"], blob["data"]) for blob in inline(house)] == [("application/pdf", PDF)]


def test_a_pdf_by_address(client: OpenAI, house: House, site: str) -> None:
    part: Any = {"type": "image_url", "image_url": {"url": f"{site}/report.pdf"}}
    client.chat.completions.create(
        model=CHAT, messages=[{"role": "user", "content": [{"type": "text", "text": "Summarize this."}, part]}]
    )
    assert [(blob["mimeType"], blob["data"]) for blob in inline(house)] == [("application/pdf", PDF)]


def test_a_sound(client: OpenAI, house: House) -> None:
    data = files.base64_of(files.wav())
    client.chat.completions.create(
        model=CHAT,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is said here?"},
                    {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}},
                ],
            }
        ],
    )
    assert [blob["data"] for blob in inline(house)] == [data]
    assert inline(house)[0]["mimeType"] == "audio/wav"


# -- drawing ---------------------------------------------------------------------------------------------------------


def pictures(content: str | None) -> list[bytes]:
    found = re.findall(r"!\[image\]\(data:image/png;base64,([^)]+)\)", content or "")
    return [base64.b64decode(data, validate=True) for data in found]


@pytest.mark.parametrize("model", [PAINTER, "gemini-3-pro-image"])
def test_a_picture_is_read_from_the_content_and_sent_back_to_be_edited(
    client: OpenAI, house: House, model: str
) -> None:
    messages: list[Any] = [{"role": "user", "content": "Draw a red bicycle"}]
    response = client.chat.completions.create(model=model, messages=messages)
    (picture,) = pictures(response.choices[0].message.content)
    with Image.open(io.BytesIO(picture)) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", (32, 32))

    messages += [
        {"role": "assistant", "content": response.choices[0].message.content},
        {"role": "user", "content": "Make it blue"},
    ]
    edited = client.chat.completions.create(model=model, messages=messages)
    (new,) = pictures(edited.choices[0].message.content)
    assert new != picture
    assert [(blob["mimeType"], base64.b64decode(blob["data"])) for blob in inline(house)] == [("image/png", picture)]
    shown = [part for part in sent(house)["contents"][1]["parts"] if "inlineData" in part]
    assert len(shown) == 1
    assert "base64" not in json.dumps([part.get("text") for part in sent(house)["contents"][1]["parts"]])


def test_a_streamed_picture_is_the_picture(client: OpenAI) -> None:
    asked: Any = {"model": PAINTER, "messages": [{"role": "user", "content": "Draw a red bicycle"}]}
    whole = client.chat.completions.create(**asked)
    text = ""
    for chunk in client.chat.completions.create(**asked, stream=True):
        text += chunk.choices[0].delta.content or ""
    assert pictures(text) == pictures(whole.choices[0].message.content)
    assert text == whole.choices[0].message.content


# -- speaking --------------------------------------------------------------------------------------------------------


def test_an_answer_is_spoken(client: OpenAI, tmp_path: Path) -> None:
    completion = client.chat.completions.create(
        model=SPEAKER,
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": "wav"},
        messages=[{"role": "user", "content": "Say cheerfully: Have a wonderful day!"}],
    )
    audio = completion.choices[0].message.audio
    assert audio is not None
    (tmp_path / "day.wav").write_bytes(base64.b64decode(audio.data))
    with wave.open(str(tmp_path / "day.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert file.getnframes() > 0
    assert completion.usage is not None
    assert completion.usage.completion_tokens_details is not None
    assert completion.usage.completion_tokens_details.audio_tokens


def test_a_spoken_answer_is_streamed(client: OpenAI) -> None:
    asked: Any = {
        "model": SPEAKER,
        "modalities": ["text", "audio"],
        "audio": {"voice": "Kore", "format": "pcm16"},
        "messages": [{"role": "user", "content": "Say cheerfully: Have a wonderful day!"}],
    }
    pcm = b""
    for chunk in client.chat.completions.create(**asked, stream=True):
        audio: Any = getattr(chunk.choices[0].delta, "audio", None)
        if audio and audio.data:
            pcm += base64.b64decode(audio.data)
    whole = client.chat.completions.create(**asked).choices[0].message.audio
    assert whole is not None
    assert pcm == base64.b64decode(whole.data)


# -- tools -----------------------------------------------------------------------------------------------------------


def look_up(name: str, arguments: Json) -> str:
    assert arguments["city"]
    return json.dumps({"temperature": 21} if name == "get_weather" else {"time": "12:30"})


@both
def test_a_tool_loop_of_two_turns_with_parallel_calls(client: OpenAI, house: House, model: str) -> None:
    """As the guides write it: message objects go back as they came, results are found by id."""
    messages: list[Any] = []
    for question in ("get_weather and get_time please", "And get_weather and get_time once more"):
        messages.append({"role": "user", "content": question})
        while True:
            response = client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
            message = response.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                break
            assert [call.type for call in message.tool_calls] == ["function", "function"]
            for call in message.tool_calls:
                assert call.type == "function"
                result = look_up(call.function.name, json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        assert '"temperature":21' in (message.content or "").replace(" ", "")
    roles = [content["role"] for content in sent(house)["contents"]]
    assert roles == ["user", "model", "user", "model", "user", "model", "user"]
    ids = [message["tool_call_id"] for message in messages if isinstance(message, dict) and message["role"] == "tool"]
    assert len(set(ids)) == 4


@both
def test_a_streamed_tool_loop_that_keeps_only_what_openai_documents(client: OpenAI, model: str) -> None:
    """Calls put together by index, everything but id, name and arguments forgotten."""
    messages: list[Any] = [{"role": "user", "content": "get_weather and get_time please"}]
    calls: dict[int, Any] = {}
    for chunk in client.chat.completions.create(model=model, messages=messages, tools=TOOLS, stream=True):
        for piece in chunk.choices[0].delta.tool_calls or []:
            assert piece.function is not None
            call = calls.setdefault(
                piece.index, {"id": piece.id, "type": "function", "function": {"name": "", "arguments": ""}}
            )
            call["function"]["name"] += piece.function.name or ""
            call["function"]["arguments"] += piece.function.arguments or ""
    messages.append({"role": "assistant", "tool_calls": [calls[index] for index in sorted(calls)]})
    for call in calls.values():
        result = look_up(call["function"]["name"], json.loads(call["function"]["arguments"]))
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    text = ""
    for chunk in client.chat.completions.create(model=model, messages=messages, tools=TOOLS, stream=True):
        text += chunk.choices[0].delta.content or ""
    assert "12:30" in text


# -- formats ---------------------------------------------------------------------------------------------------------


class CalendarEvent(BaseModel):
    name: str
    date: str
    participants: list[str]


@both
def test_structured_output(client: OpenAI, model: str) -> None:
    completion = client.chat.completions.parse(
        model=model,
        messages=[
            {"role": "system", "content": "Extract the event information."},
            {"role": "user", "content": "Alice and Bob are going to a science fair on Friday."},
        ],
        response_format=CalendarEvent,
    )
    event = completion.choices[0].message.parsed
    assert isinstance(event, CalendarEvent)
    assert event.participants


# -- thinking --------------------------------------------------------------------------------------------------------


THINKING = {"thinking_budget": 512, "include_thoughts": True}


@pytest.mark.parametrize(
    "extra_body",
    [
        {"extra_body": {"google": {"thinking_config": THINKING}}},
        {"google": {"thinking_config": THINKING}},
        {"extra_body": {"extra_body": {"google": {"thinkingConfig": THINKING}}}},
    ],
    ids=["documented", "short", "twice"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_are_asked_for_as_google_documents_it(
    client: OpenAI, house: House, extra_body: Any, stream: bool
) -> None:
    asked: Any = {"model": OLDER, "messages": [{"role": "user", "content": "Why is the sky blue?"}]}
    if stream:
        thoughts = ""
        for chunk in client.chat.completions.create(**asked, extra_body=extra_body, stream=True):
            thoughts += getattr(chunk.choices[0].delta, "reasoning_content", None) or ""
    else:
        response = client.chat.completions.create(**asked, extra_body=extra_body)
        thoughts = getattr(response.choices[0].message, "reasoning_content", "")
        assert response.usage is not None
        assert response.usage.completion_tokens_details is not None
        assert response.usage.completion_tokens_details.reasoning_tokens
    assert "Thinking about: Why is the sky blue?" in thoughts
    assert sent(house)["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 512, "includeThoughts": True}


def test_a_model_with_a_suffix_shows_its_thoughts(client: OpenAI) -> None:
    response = client.chat.completions.create(
        model=f"{CHAT}-thinking", messages=[{"role": "user", "content": "Why is the sky blue?"}]
    )
    message: Any = response.choices[0].message
    assert "Thinking about" in message.reasoning_content


# -- models ----------------------------------------------------------------------------------------------------------


def test_models(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {CHAT, OLDER, PAINTER} <= set(names)
    for name in (CHAT, PAINTER):
        assert client.models.retrieve(name).id == name


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_wrong_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-99", messages=[{"role": "user", "content": "Hello!"}])
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert "gpt-99" in caught.value.message


def test_a_wrong_key_does_not_authenticate(house: House) -> None:
    with OpenAI(api_key="sk-wrong", base_url=house.url) as client, pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": "Hello!"}])
    assert caught.value.code == "invalid_api_key"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "picture"}]}]}, "messages[0].content[0].type"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"extra_body": {"google": {"thinking_config": {"budget": 1}}}}, "google.thinking_config.budget"),
    ],
    ids=["temperature", "no messages", "unknown part", "nameless tool", "unknown extra"],
)
def test_a_bad_request_names_the_parameter(client: OpenAI, more: Any, param: str) -> None:
    asked: Any = {"model": CHAT, "messages": [{"role": "user", "content": "Hello!"}], **more}
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**asked)
    assert caught.value.param == param


def test_headers_are_there_for_who_asks(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=CHAT, messages=[{"role": "user", "content": "Hello!"}], seed=7, logit_bias={"50256": -100}
    )
    assert raw.headers["content-type"].startswith("application/json")
    assert raw.headers["x-request-id"] == raw.request_id
    assert [change["path"] for change in json.loads(raw.headers["x-portico-changes"])] == ["$.logit_bias"]
    assert raw.parse().choices[0].message.content == '[simulated] You said: "Hello!"'


def test_a_streamed_answer_has_its_headers_first(client: OpenAI) -> None:
    with client.chat.completions.with_streaming_response.create(
        model=CHAT, messages=[{"role": "user", "content": "Hello!"}], stream=True
    ) as raw:
        assert raw.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in raw.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
