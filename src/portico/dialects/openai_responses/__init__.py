"""OpenAI's Responses API, as its clients speak it and its providers answer it (mapping.md 7)."""

from typing import Final

from portico.core.dialect import Dialect, Passing
from portico.dialects.openai.errors import parse_error, render_error
from portico.dialects.openai_responses.asking import ask, ask_of_rendered, without_tools
from portico.dialects.openai_responses.beyond import beyond
from portico.dialects.openai_responses.counting import COUNTING
from portico.dialects.openai_responses.passing import ResponsesWatch, renamed, see
from portico.dialects.openai_responses.request import WHERE, parse_request
from portico.dialects.openai_responses.request_render import render_request
from portico.dialects.openai_responses.response import parse_response
from portico.dialects.openai_responses.state import STATE
from portico.dialects.openai_responses.stream import ResponsesWriter, render_response
from portico.dialects.openai_responses.stream_reader import ResponsesReader
from portico.wire.sse import KEEP_ALIVE, encode

DIALECT: Final = Dialect(
    name="openai_responses",
    parse_request=parse_request,
    render_request=render_request,
    parse_response=parse_response,
    render_response=render_response,
    reader=ResponsesReader,
    writer=ResponsesWriter,
    parse_error=parse_error,
    render_error=render_error,
    frame=encode,
    where=WHERE,
    ask=ask_of_rendered,
    keep_alive=KEEP_ALIVE,
    passing=Passing(renamed, see, ResponsesWatch, ask, beyond=beyond, without_tools=without_tools),
    state=STATE,
    counting=COUNTING,
    one_answer=True,
    few_samplings=True,
    guards_small_limits=True,
)
