"""Images and speech of an answer, over real sockets: told in each form, brought back by clients of every kind.

Complaint 22; mapping.md 1.2, 1.15, 2.4, 2.8. The simulator signs images and refuses a signature that does not belong.
"""

import base64
from typing import Any

import pytest

from gateway.house import Answer, Events, House, Json, Script, answers, candidate, chat, open_house
from portico.relay.defaults import Defaults

DRAWS, SPEAKS = "gemini-3-pro-image", "gemini-3.8-flash-tts"
FORMS = ("markdown", "images", "parts")
LARGE = 20_000
"""More characters than any text of these conversations has."""


def folded(events: Events) -> Json:
    """The message of a stream, as a client that understands all three forms would have it."""
    content: list[Json] = []
    images: list[Json] = []
    for delta in events.deltas:
        said = delta.get("content") or []
        for piece in [{"type": "text", "text": said}] if isinstance(said, str) else said:
            if content and piece["type"] == "text" == content[-1]["type"]:
                content[-1]["text"] += piece["text"]
            else:
                content.append(piece)
        images += delta.get("images", ())
    plain = all(piece["type"] == "text" for piece in content)
    text: Any = "".join([piece["text"] for piece in content]) if plain else content
    return {"role": "assistant", "content": text, **({"images": images} if images else {})}


def whole(message: Json) -> Json:
    return message


def keeping_content_only(message: Json) -> Json:
    """A client that drops every field it does not know."""
    return {"role": message["role"], "content": message["content"]}


def trimming(message: Json) -> Json:
    content = message["content"]
    return {**message, "content": content.strip() if isinstance(content, str) else content}


def without_extras(message: Json) -> Json:
    """A client that keeps images and nothing beside them."""
    images = [{"type": "image_url", "image_url": {"url": one["image_url"]["url"]}} for one in message.get("images", ())]
    return {**keeping_content_only(message), **({"images": images} if images else {})}


CLIENTS = (whole, without_extras, trimming)


class Painter:
    """A client in a conversation about pictures."""

    def __init__(self, house: House, form: str, *, stream: bool, keeps: Any = whole, model: str = DRAWS) -> None:
        self.house, self.form, self.stream, self.keeps, self.model = house, form, stream, keeps, model
        self.messages: list[Json] = []

    async def says(self, text: str) -> Answer:
        self.messages.append({"role": "user", "content": text})
        body = {"model": self.model, "messages": self.messages, "stream": self.stream}
        answer = await self.house.ask(body, headers={"x-portico-image-form": self.form})
        assert answer.status == 200, answer.body[:500]
        self.messages.append(self.keeps(folded(answer.events) if self.stream else answer.message))
        return answer

    @property
    def upstream(self) -> list[list[Json]]:
        """The parts of each of the model's turns, as they were last sent to the provider."""
        contents = self.house.simulator.stats.last.body["contents"]
        return [content["parts"] for content in contents if content["role"] == "model"]


@pytest.mark.parametrize("keeps", CLIENTS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("form", FORMS)
async def test_an_image_is_edited_turn_by_turn_with_its_signature(form: str, stream: bool, keeps: Any) -> None:
    async with open_house() as house:
        painter = Painter(house, form, stream=stream, keeps=keeps)
        for text in ("Draw a cat", "Make it blue", "And larger"):
            answer = await painter.says(text)
            assert "2.4:skip_signature" not in answer.codes
        assert house.simulator.stats.refused == 0
        assert len(painter.upstream) == 2
        for parts in painter.upstream:
            assert [next(iter(part)) for part in parts] == ["text", "inlineData"]
            assert parts[1]["inlineData"]["mimeType"] == "image/png"
            assert base64.b64decode(parts[1]["inlineData"]["data"]).startswith(b"\x89PNG")
            assert "thoughtSignature" in parts[1]
            assert ("thoughtSignature" in parts[0]) is not stream  # the simulator signs the text of whole answers only
            assert "base64" not in parts[0]["text"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_drops_all_it_does_not_know_keeps_the_image_in_the_text(stream: bool) -> None:
    async with open_house() as house:
        painter = Painter(house, "markdown", stream=stream, keeps=keeping_content_only)
        await painter.says("Draw a cat")
        answer = await painter.says("Make it blue")
        assert answer.codes == []
        assert "thoughtSignature" in painter.upstream[0][1]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_loses_the_image_goes_on_without_it(stream: bool) -> None:
    async with open_house() as house:
        painter = Painter(house, "images", stream=stream, keeps=keeping_content_only)
        await painter.says("Draw a cat")
        await painter.says("Make it blue")
        assert [next(iter(part)) for part in painter.upstream[0]] == ["text"]
        assert house.simulator.stats.refused == 0


async def test_an_image_whose_signature_is_lost_goes_out_with_the_skip_value() -> None:
    async with open_house() as house:
        painter = Painter(house, "markdown", stream=False)
        await painter.says("Draw a cat")
        await house.restart()
        answer = await painter.says("Make it blue")
        assert answer.codes == ["2.4:skip_signature"], "what was kept is gone, and that is said"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_signature_of_megabytes_never_reaches_the_client_and_always_the_provider(
    form: str, stream: bool
) -> None:
    """2.4, cost; 3.2, row 6"""
    signature = base64.b64encode(b"\x12sig" * 400_000).decode()
    picture = {"inlineData": {"mimeType": "image/jpeg", "data": "/9j+" * 5000}, "thoughtSignature": signature}
    text = {"text": "Here:", "thoughtSignature": "VGV4dA=="}
    script = Script(answers(candidate(text, picture)))
    async with open_house(script) as house:
        painter = Painter(house, form, stream=stream)
        answer = await painter.says("Draw a cat")
        assert len(answer.body) < 40_000
        assert signature[:100].encode() not in answer.body
        await painter.says("Make it blue")
    sent = script.bodies[1]["contents"]
    assert sent[1] == {"role": "model", "parts": [text, picture]}
    assert all(len(part.get("text", "")) < LARGE for content in sent for part in content["parts"])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_draft_is_neither_shown_nor_sent_back(stream: bool) -> None:
    """2.2, thought:true + inlineData"""
    draft = {"inlineData": {"mimeType": "image/png", "data": "RFJBRlQ="}, "thought": True}
    picture = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}, "thoughtSignature": "U0lH"}
    script = Script(answers(candidate(draft, picture)))
    async with open_house(script) as house:
        painter = Painter(house, "images", stream=stream)
        answer = await painter.says("Draw a cat")
        assert b"RFJBRlQ=" not in answer.body
        assert ("2.2:draft" in answer.codes) is not stream  # a stream's headers were gone by then
        await painter.says("Make it blue")
    assert script.bodies[1]["contents"][1]["parts"] == [picture]


async def test_an_answer_of_nothing_but_a_draft_is_asked_for_again() -> None:
    draft = {"inlineData": {"mimeType": "image/png", "data": "RFJBRlQ="}, "thought": True}
    script = Script(answers(candidate(draft)), answers(candidate({"text": "done"})))
    async with open_house(script) as house:
        answer = await house.ask(chat("Draw", model=DRAWS))
    assert answer.message["content"] == "done"
    assert len(script.requests) == 2


# -- the form ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("word", ["picture", ""])
async def test_a_form_nobody_knows_is_a_400_that_names_the_header(word: str, stream: bool) -> None:
    async with open_house() as house:
        answer = await house.ask(chat(stream=stream), headers={"x-portico-image-form": word})
    assert (answer.status, answer.error["param"]) == (400, "x-portico-image-form")
    assert "markdown, images, parts" in answer.error["message"]


async def test_the_operators_form_serves_callers_who_do_not_say() -> None:
    async with open_house(defaults=Defaults(image_form="images", markdown_slice_bytes=100)) as house:
        body = chat("Draw", model=DRAWS)
        assert "images" in (await house.ask(body)).message
        markdown = (await house.ask({**body, "stream": True}, headers={"x-portico-image-form": "markdown"})).events
    assert "](data:image/png;base64," in markdown.text
    assert max(len(delta.get("content") or "") for delta in markdown.deltas) <= 100


# -- speech -----------------------------------------------------------------------------------------------------------

SPOKEN: Json = {"modalities": ["text", "audio"]}


async def test_speech_is_a_wav_any_player_takes() -> None:
    """2.8, audio"""
    async with open_house() as house:
        answer = await house.ask(chat("Say hello", model=SPEAKS, **SPOKEN, audio={"voice": "alloy", "format": "wav"}))
        config = house.simulator.stats.last.body["generationConfig"]
    assert config["responseModalities"] == ["AUDIO"]
    assert config["speechConfig"] == {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}
    audio = answer.message["audio"]
    assert answer.message["content"] is None
    assert {"id", "data", "expires_at", "transcript"} <= audio.keys()
    wav = base64.b64decode(audio["data"])
    assert (wav[:4], wav[8:16], len(wav) > 1000) == (b"RIFF", b"WAVEfmt ", True)


async def test_a_stream_speaks_the_samples_that_the_wav_holds() -> None:
    """2.8, audio: stream"""
    async with open_house() as house:
        body = chat("Say hello", model=SPEAKS, **SPOKEN)
        wav = (await house.ask(body)).message["audio"]
        answer = await house.ask({**body, "stream": True, "audio": {"voice": "kore", "format": "pcm16"}})
    told = [delta["audio"] for delta in answer.events.deltas if "audio" in delta]
    assert answer.events.done
    assert told[0].keys() == {"id", "data"}
    assert told[-1].keys() == {"expires_at"}
    samples = base64.b64decode("".join([piece.get("data", "") for piece in told]), validate=True)
    assert samples == base64.b64decode(wav["data"])[44:]


async def test_speech_needs_no_modalities_of_a_model_that_only_speaks() -> None:
    async with open_house() as house:
        answer = await house.ask(chat("Say hello", model=SPEAKS))
    assert answer.message["audio"]["mime_type"] == "audio/wav"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({**SPOKEN, "audio": {"voice": "alloy", "format": "mp3"}}, "audio.format"),
        ({**SPOKEN, "audio": {"voice": "bob", "format": "wav"}}, "audio.voice"),
        ({**SPOKEN, "audio": {"voice": "alloy", "format": "wav"}, "stream": True}, "audio.format"),
        ({**SPOKEN, "model": "gemini-3.5-flash"}, "modalities"),
        ({"modalities": ["image"], "model": "gemini-3.5-flash"}, "modalities"),
        ({"aspect_ratio": "7:1", "model": DRAWS}, "aspect_ratio"),
    ],
    ids=range(6),
)
async def test_what_cannot_be_had_is_a_400_before_anybody_is_asked(fields: Json, param: str) -> None:
    async with open_house() as house:
        answer = await house.ask(chat("Say hello", **{"model": SPEAKS, **fields}))
        assert (answer.status, answer.error["param"]) == (400, param)
        assert house.simulator.stats.requests == 0
