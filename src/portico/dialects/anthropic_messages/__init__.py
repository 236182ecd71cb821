"""Anthropic's Messages, as Claude's clients speak them (mapping.md 7)."""

from typing import Final

from portico.core.dialect import Dialect, Passing
from portico.dialects.anthropic_messages.asking import ask, ask_of_body
from portico.dialects.anthropic_messages.beyond import beyond
from portico.dialects.anthropic_messages.counting import COUNTING
from portico.dialects.anthropic_messages.errors import parse_error, render_error
from portico.dialects.anthropic_messages.passing import MARKS, AnthropicWatch, renamed, see
from portico.dialects.anthropic_messages.request_parse import WHERE, parse_request
from portico.dialects.anthropic_messages.request_render import render_request
from portico.dialects.anthropic_messages.response import parse_response, render_response
from portico.dialects.anthropic_messages.stream_reader import AnthropicReader
from portico.dialects.anthropic_messages.stream_writer import AnthropicWriter
from portico.wire.sse import encode

PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'

DIALECT: Final = Dialect(
    name="anthropic_messages",
    parse_request=parse_request,
    render_request=render_request,
    parse_response=parse_response,
    render_response=render_response,
    reader=AnthropicReader,
    writer=AnthropicWriter,
    parse_error=parse_error,
    render_error=render_error,
    frame=encode,
    where=WHERE,
    ask=ask,
    counting=COUNTING,
    one_answer=True,
    passing=Passing(renamed=renamed, response=see, watch=AnthropicWatch, ask=ask_of_body, marks=MARKS, beyond=beyond),
    keep_alive=PING,
    guards_small_limits=True,
)
