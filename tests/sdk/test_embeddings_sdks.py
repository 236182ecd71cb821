"""Embeddings as a developer would paste them: OpenAI's SDK and Google's, on a running gateway.

LangChain's are in `suites/`.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest
import tiktoken
from google import genai
from google.genai import types
from openai import AsyncOpenAI, BadRequestError, OpenAI

from gateway.house import KEY, House
from portico.dialects.openai_embeddings.tokens import text_of, vocabulary

GOOGLES, NEWER, OPENAIS = "gemini-embedding-001", "gemini-embedding-2", "text-embedding-3-small"
every_model = pytest.mark.parametrize("model", [GOOGLES, NEWER, OPENAIS])


@pytest.fixture(scope="module")
def client(house_of_all: House) -> Iterator[OpenAI]:
    with OpenAI(api_key=KEY, base_url=house_of_all.url, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def googles(house_of_all: House) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=f"http://127.0.0.1:{house_of_all.port}")
    with genai.Client(api_key=KEY, http_options=options) as client:
        yield client


def is_unit(vector: Sequence[float]) -> bool:
    return math.isclose(math.hypot(*vector), 1, abs_tol=1e-5)


@every_model
@pytest.mark.parametrize("given", ["a bird", ["a bird", "a fish", "a bird"]])
def test_create(client: OpenAI, model: str, given: Any) -> None:
    """The SDK asks for base64 by itself, and decodes it."""
    answer = client.embeddings.create(model=model, input=given, dimensions=256)
    texts = [given] if isinstance(given, str) else given
    assert [one.index for one in answer.data] == list(range(len(texts)))
    assert [len(one.embedding) for one in answer.data] == [256] * len(texts)
    assert all(is_unit(one.embedding) for one in answer.data)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0
    assert answer.model == model
    if len(texts) == 3:
        first, second, third = [one.embedding for one in answer.data]
        assert first == third != second


@every_model
def test_create_with_floats(client: OpenAI, model: str) -> None:
    plain = client.embeddings.create(model=model, input="a bird", dimensions=64, encoding_format="float")
    packed = client.embeddings.create(model=model, input="a bird", dimensions=64)
    assert plain.data[0].embedding == pytest.approx(packed.data[0].embedding, abs=1e-6)


def test_more_texts_than_google_takes_at_once(client: OpenAI) -> None:
    texts = [f"number {number}" for number in range(205)]
    answer = client.embeddings.create(model=GOOGLES, input=texts, dimensions=16)
    alone = client.embeddings.create(model=GOOGLES, input=texts[204], dimensions=16)
    assert len(answer.data) == 205
    assert answer.data[204].embedding == alone.data[0].embedding


@every_model
async def test_create_async(house_of_all: House, model: str) -> None:
    async with AsyncOpenAI(api_key=KEY, base_url=house_of_all.url, max_retries=0) as client:
        answer = await client.embeddings.create(model=model, input="a bird", dimensions=16)
        assert len(answer.data[0].embedding) == 16


def test_an_error_is_one_that_the_sdk_knows(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.embeddings.create(model=GOOGLES, input="")
    assert caught.value.param == "input"


@every_model
def test_embed_content(googles: genai.Client, model: str) -> None:
    contents: Any = ["a bird", "a fish"]
    config = types.EmbedContentConfig(output_dimensionality=64)
    result = googles.models.embed_content(model=model, contents=contents, config=config)
    assert result.embeddings is not None
    vectors = [one.values or [] for one in result.embeddings]
    # The SDK puts all texts for models of the second line into one content, which has one vector.
    assert [len(one) for one in vectors] == [64] * (1 if model == NEWER else 2)


@cache
def cl100k() -> tiktoken.Encoding:
    """tiktoken's encoder without its download."""
    words = vocabulary()
    assert words is not None
    pattern = (
        r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
        r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
    )
    ranks = {word: number for number, word in enumerate(words)}
    return tiktoken.Encoding("cl100k_base", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


@pytest.mark.parametrize(
    "text", ["A bird sings.", "Grüße, 世界! 🐦\n\n  def f(x): return x ** 2", "\x00\t1234567 don't"]
)
def test_numbers_that_tiktoken_makes_are_the_text_again(text: str) -> None:
    assert text_of(cl100k().encode(text), "$.input") == text
