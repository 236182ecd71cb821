"""Google's generateContent: Gemini API and Vertex AI (mapping.md 0 to 4, 7.6)."""

from typing import Final

from portico.core.dialect import Dialect, Passing
from portico.core.embedding import Embedding
from portico.dialects.gemini import embedding
from portico.dialects.gemini.asking import ask, ask_of_rendered
from portico.dialects.gemini.beyond import beyond
from portico.dialects.gemini.counting import COUNTING
from portico.dialects.gemini.errors import parse_error, render_error
from portico.dialects.gemini.passing import GeminiWatch, renamed, see
from portico.dialects.gemini.request_parse import WHERE, parse_request
from portico.dialects.gemini.request_render import render_request
from portico.dialects.gemini.response import parse_response, render_response
from portico.dialects.gemini.stream import GeminiReader, GeminiWriter
from portico.wire.sse import encode_crlf

EMBEDDING: Final = Embedding(
    parse=embedding.parse, render=embedding.render, read=embedding.read, tell=embedding.tell, most=embedding.most
)

DIALECT: Final = Dialect(
    name="gemini",
    parse_request=parse_request,
    render_request=render_request,
    parse_response=parse_response,
    render_response=render_response,
    reader=GeminiReader,
    writer=GeminiWriter,
    parse_error=parse_error,
    render_error=render_error,
    frame=encode_crlf,
    where=WHERE,
    ask=ask_of_rendered,
    counting=COUNTING,
    embedding=EMBEDDING,
    passing=Passing(renamed=renamed, response=see, watch=GeminiWatch, ask=ask, model_in_path=True, beyond=beyond),
    keep_alive=None,  # google-genai and gemini-cli break on SSE comments (clients.md 1)
)
