"""OpenAI's `POST /v1/embeddings` (mapping.md 5.1)."""

from typing import Final

from portico.core.dialect import Demands, Passing
from portico.core.embedding import Embedding
from portico.dialects.openai.operation import ErrorWriter, operation
from portico.dialects.openai_embeddings.answer import read, see, tell
from portico.dialects.openai_embeddings.passing import NeverStreams, ask, ask_of_rendered, renamed
from portico.dialects.openai_embeddings.request import MOST_TEXTS, parse, parse_request, render

EMBEDDING: Final = Embedding(parse=parse, render=render, read=read, tell=tell, most=lambda _: MOST_TEXTS)

DIALECT: Final = operation(
    "openai_embeddings",
    parse_request=parse_request,
    demands=Demands(makes="embedding"),
    passing=Passing(renamed=renamed, response=see, watch=NeverStreams, ask=ask),
    writer=ErrorWriter,
    embedding=EMBEDDING,
    ask=ask_of_rendered,
)
