"""OpenAI's `POST /v1/audio/speech` (mapping.md 5.3)."""

from typing import Final

from portico.core.dialect import Demands, Passing, Product
from portico.dialects.openai.bodies import renamed_json
from portico.dialects.openai.operation import operation
from portico.dialects.openai_speech.answer import holds_speech, lacking, render_response
from portico.dialects.openai_speech.passing import ask, named, see, see_answer, watch
from portico.dialects.openai_speech.request import WHERE, parse_request
from portico.dialects.openai_speech.stream import StreamWriter, raw_writer

DIALECT: Final = operation(
    "openai_speech",
    parse_request=parse_request,
    demands=Demands(makes="audio", alone=True),
    passing=Passing(
        renamed=renamed_json,
        response=see,
        response_to=see_answer,
        watch=watch,
        watch_for=watch,
        ask=ask,
        named=named,
    ),
    render_response=render_response,
    writer=StreamWriter,
    product=Product(holds=holds_speech, lacking=lacking),
    raw_answers=True,
    raw_writer=raw_writer,
    where=WHERE,
)
