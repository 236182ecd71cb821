"""Examples as a developer would paste them, through Google's own SDK against the gateway's native routes.

The SDK puts the version of its choosing behind the address it is given; both that it knows are tried.
"""

import asyncio
import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from PIL import Image
from pydantic import BaseModel

from gateway.house import KEY, House, house_in_a_thread
from sdk import files

MODEL = "gemini-3.5-flash"
OLDER = "gemini-2.5-flash"
PAINTER = "gemini-2.5-flash-image"
SPEAKER = "gemini-2.5-flash-preview-tts"
EMBEDDER = "gemini-embedding-001"

both = pytest.mark.parametrize("model", [MODEL, OLDER])


def connect(house: House, version: str | None = None, key: str = KEY) -> genai.Client:
    options = types.HttpOptions(base_url=f"http://127.0.0.1:{house.port}", api_version=version)
    return genai.Client(api_key=key, http_options=options)


@pytest.fixture(scope="module", params=["v1", "v1beta"])
def client(house: House, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    with connect(house, request.param) as client:
        yield client


def sent(house: House) -> Any:
    """What the provider was asked last."""
    return house.simulator.stats.last.body


def inline(house: House) -> list[bytes]:
    """The media it was given; this SDK writes base64 in the alphabet for addresses."""
    parts = [part for content in sent(house)["contents"] for part in content["parts"]]
    return [base64.urlsafe_b64decode(part["inlineData"]["data"]) for part in parts if "inlineData" in part]


def parts_of(response: types.GenerateContentResponse) -> list[types.Part]:
    assert response.candidates
    content = response.candidates[0].content
    assert content is not None
    return content.parts or []


# -- text ------------------------------------------------------------------------------------------------------------


@both
def test_generate_content(client: genai.Client, model: str) -> None:
    response = client.models.generate_content(model=model, contents="Hello!")
    assert response.text == '[simulated] You said: "Hello!"'
    assert response.model_version == model
    assert response.response_id
    usage = response.usage_metadata
    assert usage is not None
    assert usage.prompt_token_count
    assert usage.total_token_count == (
        usage.prompt_token_count + (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    )


def test_the_version_that_the_sdk_prefers_is_served(house: House) -> None:
    with connect(house) as client:
        assert client.models.generate_content(model=MODEL, contents="Hello!").text == '[simulated] You said: "Hello!"'


@both
def test_generate_content_stream(client: genai.Client, model: str) -> None:
    stream = client.models.generate_content_stream(model=model, contents="Hello [[sim:words=60]]")
    chunks = list(stream)
    assert len(chunks) > 2
    assert "".join(chunk.text or "" for chunk in chunks).endswith("word59")
    assert len({chunk.response_id for chunk in chunks}) == 1
    assert chunks[-1].usage_metadata is not None
    assert chunks[-1].candidates
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP


def test_a_configuration_reaches_the_provider(client: genai.Client, house: House) -> None:
    contents: list[Any] = ["Tell me", "a story"]
    response = client.models.generate_content(
        model=OLDER,
        contents=contents,
        config=types.GenerateContentConfig(
            system_instruction="Be brief.",
            temperature=0.5,
            top_p=0.9,
            top_k=20,
            seed=7,
            candidate_count=2,
            max_output_tokens=2000,
            stop_sequences=["THE END"],
            safety_settings=[
                types.SafetySetting(
                    category=types.HarmCategory.HARM_CATEGORY_HARASSMENT,
                    threshold=types.HarmBlockThreshold.BLOCK_ONLY_HIGH,
                )
            ],
        ),
    )
    assert len(response.candidates or []) == 2
    body = sent(house)
    assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert body["safetySettings"] == [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]
    assert body["generationConfig"] == {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 20,
        "seed": 7,
        "candidateCount": 2,
        "maxOutputTokens": 2000,
        "stopSequences": ["THE END"],
    }


# -- media -----------------------------------------------------------------------------------------------------------


def test_pictures_and_documents_are_seen(client: genai.Client, house: House) -> None:
    contents: list[Any] = [
        types.Part.from_bytes(data=files.png(), mime_type="image/png"),
        types.Part.from_bytes(data=files.pdf(), mime_type="application/pdf"),
        "What is this?",
    ]
    response = client.models.generate_content(model=MODEL, contents=contents)
    assert "I received image/png, application/pdf." in (response.text or "")
    assert inline(house) == [files.png(), files.pdf()]


def test_a_picture_is_drawn_and_edited(client: genai.Client, house: House) -> None:
    chat = client.chats.create(model=PAINTER)
    response = chat.send_message("Draw a red bicycle")
    (blob,) = [part.inline_data for part in parts_of(response) if part.inline_data]
    assert blob.mime_type == "image/png"
    assert blob.data is not None
    with Image.open(io.BytesIO(blob.data)) as image:
        image.load()
        assert image.format == "PNG"
    chat.send_message("Make it blue")
    assert inline(house) == [blob.data]


def test_a_text_is_spoken(client: genai.Client) -> None:
    voice = types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore"))
    response = client.models.generate_content(
        model=SPEAKER,
        contents="Say cheerfully: Have a wonderful day!",
        config=types.GenerateContentConfig(
            response_modalities=["AUDIO"], speech_config=types.SpeechConfig(voice_config=voice)
        ),
    )
    (blob,) = [part.inline_data for part in parts_of(response) if part.inline_data]
    assert blob.mime_type is not None
    assert "rate=24000" in blob.mime_type
    assert blob.data is not None
    assert len(blob.data) > 20_000


# -- functions -------------------------------------------------------------------------------------------------------


@both
def test_a_chat_calls_python_functions_by_itself(client: genai.Client, model: str) -> None:
    called: list[tuple[str, str]] = []

    def get_weather(city: str) -> dict[str, Any]:
        """The weather of a city.

        Args:
            city: Where.
        """
        called.append(("get_weather", city))
        return {"temperature": 21}

    def get_time(city: str) -> str:
        """The time in a city.

        Args:
            city: Where.
        """
        called.append(("get_time", city))
        return "12:30"

    chat = client.chats.create(model=model, config=types.GenerateContentConfig(tools=[get_weather, get_time]))
    for question in ("get_weather and get_time please", "And get_weather and get_time once more"):
        response = chat.send_message(question)
        assert "12:30" in (response.text or "")
        assert "21" in (response.text or "")
    assert [name for name, _ in called] == ["get_weather", "get_time"] * 2
    assert len(chat.get_history()) == 8


@both
def test_a_declared_function_is_called_and_its_result_goes_back(client: genai.Client, house: House, model: str) -> None:
    function = types.FunctionDeclaration(
        name="get_weather",
        description="The weather of a city.",
        parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    )
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[function])],
        tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
        ),
    )
    question = types.Content(role="user", parts=[types.Part(text="get_weather please")])
    first = client.models.generate_content(model=model, contents=[question], config=config)
    assert first.function_calls
    (call,) = first.function_calls
    assert call.name == "get_weather"
    assert call.args
    assert first.candidates
    asked = first.candidates[0].content
    assert asked is not None
    result = types.Part.from_function_response(name="get_weather", response={"result": "sunny"})
    config.tool_config = None
    second = client.models.generate_content(
        model=model, contents=[question, asked, types.Content(role="user", parts=[result])], config=config
    )
    assert "sunny" in (second.text or "")
    assert [content["role"] for content in sent(house)["contents"]] == ["user", "model", "user"]


@both
async def test_a_streamed_chat_calls_functions_by_itself(house: House, model: str) -> None:
    async def get_weather(city: str) -> str:
        """The weather of a city.

        Args:
            city: Where.
        """
        return f"sunny in {city}"

    async with connect(house).aio as client:
        chat = client.chats.create(model=model, config=types.GenerateContentConfig(tools=[get_weather]))
        text = ""
        async for chunk in await chat.send_message_stream("What is the weather in Zürich?"):
            text += chunk.text or ""
    assert "sunny in Zürich" in text


# -- tools of Google's ----------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("stream", [False, True])
def test_google_search_grounds_an_answer(client: genai.Client, model: str, stream: bool) -> None:
    config = types.GenerateContentConfig(tools=[types.Tool(google_search=types.GoogleSearch())])
    asked: Any = {"model": model, "contents": "Who won the euro 2024?", "config": config}
    if stream:
        *_, response = client.models.generate_content_stream(**asked)
    else:
        response = client.models.generate_content(**asked)
    assert response.candidates
    grounding = response.candidates[0].grounding_metadata
    assert grounding is not None
    assert grounding.web_search_queries
    assert grounding.grounding_chunks
    assert all(chunk.web and chunk.web.uri and chunk.web.title for chunk in grounding.grounding_chunks)
    assert grounding.grounding_supports
    assert grounding.search_entry_point is not None


@both
def test_code_is_executed(client: genai.Client, model: str) -> None:
    response = client.models.generate_content(
        model=model,
        contents="What is the sum of the first 50 prime numbers? Generate and run code for the calculation.",
        config=types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution())]),
    )
    assert response.executable_code
    assert response.code_execution_result
    kinds = [part.executable_code for part in parts_of(response) if part.executable_code]
    assert kinds[0].language == types.Language.PYTHON
    outcomes = [part.code_execution_result for part in parts_of(response) if part.code_execution_result]
    assert outcomes[0].outcome == types.Outcome.OUTCOME_OK


@both
def test_the_context_of_an_address_is_read(client: genai.Client, model: str) -> None:
    response = client.models.generate_content(
        model=model,
        contents="What is on https://example.com/menu ?",
        config=types.GenerateContentConfig(tools=[types.Tool(url_context=types.UrlContext())]),
    )
    assert response.candidates
    context = response.candidates[0].url_context_metadata
    assert context is not None
    assert context.url_metadata
    assert context.url_metadata[0].retrieved_url == "https://example.com/menu"


# -- thinking and formats -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        (MODEL, types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.HIGH)),
        (OLDER, types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_come_as_parts_of_their_own(
    client: genai.Client, model: str, thinking: types.ThinkingConfig, stream: bool
) -> None:
    config = types.GenerateContentConfig(thinking_config=thinking)
    asked: Any = {"model": model, "contents": "Why is the sky blue?", "config": config}
    responses = (
        list(client.models.generate_content_stream(**asked)) if stream else [client.models.generate_content(**asked)]
    )
    parts = [part for response in responses if response.candidates for part in parts_of(response)]
    assert "Thinking about: Why is the sky blue?" in "".join(part.text or "" for part in parts if part.thought)
    answer = "".join(part.text or "" for part in parts if not part.thought)
    assert answer == '[simulated] You said: "Why is the sky blue?"'
    usage = responses[-1].usage_metadata
    assert usage is not None
    assert usage.thoughts_token_count


class Recipe(BaseModel):
    recipe_name: str
    ingredients: list[str]


@both
@pytest.mark.parametrize("schema", [Recipe, list[Recipe]])
def test_structured_output(client: genai.Client, model: str, schema: Any) -> None:
    response = client.models.generate_content(
        model=model,
        contents="A few popular cookie recipes, with their ingredients.",
        config=types.GenerateContentConfig(response_mime_type="application/json", response_schema=schema),
    )
    parsed: Any = response.parsed
    recipes = parsed if isinstance(parsed, list) else [parsed]
    assert recipes
    assert all(isinstance(recipe, Recipe) for recipe in recipes)


def test_structured_output_by_json_schema(client: genai.Client) -> None:
    response = client.models.generate_content(
        model=MODEL,
        contents="A popular cookie recipe.",
        config=types.GenerateContentConfig(
            response_mime_type="application/json", response_json_schema=Recipe.model_json_schema()
        ),
    )
    assert Recipe.model_validate_json(response.text or "").ingredients


# -- beside generating ----------------------------------------------------------------------------------------------


@both
def test_tokens_are_counted(client: genai.Client, model: str) -> None:
    few = client.models.count_tokens(model=model, contents="Hello").total_tokens
    many = client.models.count_tokens(model=model, contents="Hello " * 100).total_tokens
    assert few is not None
    assert many is not None
    assert 0 < few < many


@pytest.mark.parametrize("contents", ["One text", ["One text", "Another"]])
def test_texts_are_embedded(client: genai.Client, contents: Any) -> None:
    result = client.models.embed_content(
        model=EMBEDDER, contents=contents, config=types.EmbedContentConfig(output_dimensionality=768)
    )
    assert result.embeddings is not None
    assert [len(one.values or []) for one in result.embeddings] == [768] * len(
        contents if isinstance(contents, list) else [contents]
    )


def test_models_are_listed_and_found(client: genai.Client) -> None:
    listed = {model.name: model for model in client.models.list()}
    assert {f"models/{name}" for name in (MODEL, OLDER, PAINTER, EMBEDDER)} <= listed.keys()
    one = client.models.get(model=MODEL)
    assert one.name == f"models/{MODEL}"
    assert one.input_token_limit == 1_048_576
    assert "generateContent" in (one.supported_actions or [])
    assert one == listed[one.name]


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_wrong_model_is_not_found(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model="gpt-99", contents="Hello!")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    assert "gpt-99" in (caught.value.message or "")
    with pytest.raises(errors.ClientError) as caught:
        client.models.get(model="gpt-99")
    assert caught.value.code == 404


def test_a_wrong_key_does_not_authenticate(house: House) -> None:
    with connect(house, key="wrong") as client, pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model=MODEL, contents="Hello!")
    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("stream", [False, True])
def test_a_bad_request_is_told_by_the_provider(client: genai.Client, stream: bool) -> None:
    config = types.GenerateContentConfig(temperature=3)
    ask = client.models.generate_content_stream if stream else client.models.generate_content
    with pytest.raises(errors.ClientError) as caught:
        list(ask(model=MODEL, contents="Hello!", config=config))
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert "temperature" in (caught.value.message or "")


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_a_rate_limit_and_a_failure_have_their_status(version: str) -> None:
    """At a house of their own: a key whose quota is used up is not asked again for a while."""
    with house_in_a_thread() as house, connect(house, version) as client:
        with pytest.raises(errors.ServerError) as failed:
            client.models.generate_content(model=MODEL, contents="Hello [[sim:503]]")
        assert (failed.value.code, failed.value.status) == (503, "UNAVAILABLE")
        with pytest.raises(errors.ClientError) as limited:
            client.models.generate_content(model=MODEL, contents="Hello [[sim:429]]")
        assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")


def test_a_blocked_prompt_says_why(client: genai.Client) -> None:
    response = client.models.generate_content(model=MODEL, contents="Hello [[sim:block=SAFETY]]")
    assert response.prompt_feedback is not None
    assert response.prompt_feedback.block_reason == types.BlockedReason.SAFETY


# -- asynchronously --------------------------------------------------------------------------------------------------


@both
async def test_the_same_asynchronously(house: House, model: str) -> None:
    async with connect(house).aio as client:
        response = await client.models.generate_content(model=model, contents="Hello!")
        assert response.text == '[simulated] You said: "Hello!"'
        text = ""
        async for chunk in await client.models.generate_content_stream(model=model, contents="Hi [[sim:words=60]]"):
            text += chunk.text or ""
        assert text.endswith("word59")
        chat = client.chats.create(model=model)
        for question in ("One", "Two"):
            assert (await chat.send_message(question)).text == f'[simulated] You said: "{question}"'
        counted = await client.models.count_tokens(model=model, contents="Hello")
        assert counted.total_tokens


async def test_many_at_once(house: House) -> None:
    async with connect(house).aio as client:
        asked = [client.models.generate_content(model=MODEL, contents=f"Question {n}") for n in range(8)]
        responses = await asyncio.gather(*asked)
    assert [response.text for response in responses] == [f'[simulated] You said: "Question {n}"' for n in range(8)]
