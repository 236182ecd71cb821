"""Speech and transcripts at Vertex AI, at Azure, and at servers that speak as OpenAI does."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gateway.hearing import BOUNDARY, HEARS, TTS, form, recording, samples, send, speak, speaks, transcribe
from gateway.house import Script, answers, open_house, says
from portico.catalog import OperatorModel
from portico.providers import KINDS, Provider, Secret
from portico.providers.kinds import at_api_version, azure_address
from portico.simulator import Simulator
from portico.wire.http import Exchange


def azure(version: str) -> Callable[[str], Sequence[Provider]]:
    def configured(address: str) -> Sequence[Provider]:
        kind = at_api_version(KINDS["azure-openai"], version)
        key = Secret("good-key", "env:KEY")
        return [Provider.at("azure", kind, azure_address(address, version), (key,))]

    return configured


def deployed(name: str, upstream: str) -> OperatorModel:
    return OperatorModel(name, f"azure/{upstream}")


async def test_vertex_speaks_and_listens() -> None:
    script = Script(speaks(samples(0.5)), answers(says("Hello")))
    async with open_house(script, kinds=(KINDS["vertex"],)) as house:
        spoken = await speak(house, response_format="pcm")
        heard = await transcribe(house)
    assert (spoken.status, spoken.body) == (200, samples(0.5))
    assert heard.json()["text"] == "Hello"
    assert script.requests[0].path.endswith(f"/publishers/google/models/{TTS}:streamGenerateContent")
    assert script.requests[1].path.endswith(f"/publishers/google/models/{HEARS}:generateContent")


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("2025-03-01-preview", "/openai/deployments/my-whisper-1/audio/transcriptions?api-version=2025-03-01-preview"),
        ("v1", "/openai/v1/audio/transcriptions?"),
    ],
)
async def test_azure_has_its_deployment_where_it_wants_it(version: str, path: str) -> None:
    seen: list[Any] = []
    simulator = Simulator()

    async def azures(exchange: Exchange) -> None:
        seen.append(exchange.request)
        await simulator(exchange)

    models = (deployed("whisper", "my-whisper-1"), deployed("reader", "my-tts-1"))
    async with open_house(azures, configure=azure(version), models=models) as house:
        heard = await send(house, form(("model", "whisper"), recording()))
        spoken = await speak(house, model="reader")
    assert heard.status == 200, heard.body
    assert "simulated" in heard.json()["text"]
    assert f"{seen[0].path}?{seen[0].query}" == path
    assert seen[0].body == form(("model", "my-whisper-1"), recording())
    assert seen[0].headers["content-type"].endswith(BOUNDARY)
    assert (spoken.status, spoken.headers["content-type"]) == (200, "audio/mpeg")


async def test_any_model_is_asked_of_a_server_that_takes_any() -> None:
    async def act(exchange: Exchange) -> None:
        if "speech" in exchange.request.path:
            exchange.send(200, [("content-type", "audio/ogg")], b"OggS sound")
        else:
            exchange.send(200, [("content-type", "application/json")], b'{"text": "Hello"}')

    script = Script(act)
    kind = KINDS["openai-compatible"]

    def configured(address: str) -> Sequence[Provider]:
        return [Provider.at("local", kind, f"{address}/v1", (Secret("k", "env:K"),))]

    async with open_house(script, configure=configured) as house:
        spoken = await speak(house, model="local/kokoro", voice="af_heart", lang_code="a", response_format="opus")
        heard = await transcribe(house, ("vad_filter", "true"), model="local/faster-whisper")
    assert (spoken.status, spoken.headers["content-type"], spoken.body) == (200, "audio/ogg", b"OggS sound")
    assert heard.json() == {"text": "Hello"}
    assert [request.path for request in script.requests] == ["/v1/audio/speech", "/v1/audio/transcriptions"]
    assert json.loads(script.requests[0].body)["voice"] == "af_heart"
