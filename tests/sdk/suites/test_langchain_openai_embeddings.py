"""Embeddings through langchain-openai as it comes, on a running gateway."""

import pytest
from langchain_openai import OpenAIEmbeddings
from pydantic import SecretStr

from sdk.suites.standard import HOUSE, KEY

OTHERS, OPENAIS = ("gemini-embedding-001", "gemini-embedding-2"), "text-embedding-3-small"


def embeddings(model: str, *, numbers: bool = True) -> OpenAIEmbeddings:
    """`numbers`: it sends the numbers of tokens, as tiktoken makes them, and not text. So it does unless told."""
    return OpenAIEmbeddings(
        model=model,
        api_key=SecretStr(KEY),
        base_url=f"{HOUSE}/v1",
        dimensions=64,
        check_embedding_ctx_length=numbers,
    )


@pytest.mark.parametrize("model", [*OTHERS, OPENAIS])
def test_texts_and_questions(model: str) -> None:
    lots = embeddings(model)
    one, two = lots.embed_documents(["a bird sings", "a fish swims"])
    assert (len(one), one == two) == (64, False)
    assert lots.embed_query("a bird sings") == pytest.approx(one, abs=1e-6)


@pytest.mark.parametrize("model", OTHERS)
def test_numbers_are_the_text_that_they_stand_for(model: str) -> None:
    (one,) = embeddings(model).embed_documents(["a bird sings"])
    assert embeddings(model, numbers=False).embed_query("a bird sings") == pytest.approx(one, abs=1e-6)
