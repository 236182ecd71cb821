"""OpenAI's Chat Completions, as its own clients and those of its many imitators speak it (mapping.md 1 to 4)."""

from typing import Final

from portico.core.dialect import Dialect, Passing
from portico.dialects.openai.errors import parse_error, render_error
from portico.dialects.openai_chat.asking import ask, ask_of_body
from portico.dialects.openai_chat.beyond import beyond
from portico.dialects.openai_chat.passing import MARKS, ChatWatch, renamed, see, watch_for
from portico.dialects.openai_chat.request import WHERE, parse_request, render_request
from portico.dialects.openai_chat.response import render_response
from portico.dialects.openai_chat.response_parse import parse_response
from portico.dialects.openai_chat.stream import ChatWriter
from portico.dialects.openai_chat.stream_reader import ChatReader
from portico.wire.sse import KEEP_ALIVE, encode

DIALECT: Final = Dialect(
    name="openai_chat",
    parse_request=parse_request,
    render_request=render_request,
    parse_response=parse_response,
    render_response=render_response,
    reader=ChatReader,
    writer=ChatWriter,
    parse_error=parse_error,
    render_error=render_error,
    frame=encode,
    where=WHERE,
    ask=ask,
    passing=Passing(
        renamed=renamed, response=see, watch=ChatWatch, ask=ask_of_body, watch_for=watch_for, marks=MARKS, beyond=beyond
    ),
    keep_alive=KEEP_ALIVE,
    guards_small_limits=True,
)
