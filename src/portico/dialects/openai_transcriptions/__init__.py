"""OpenAI's `POST /v1/audio/transcriptions` and `/v1/audio/translations` (mapping.md 5.4): two dialects of one form."""

from functools import partial
from typing import Final

from portico.core.dialect import Demands, Dialect, Passing
from portico.dialects.openai.bodies import named_form, renamed_form, says_twice
from portico.dialects.openai.operation import operation
from portico.dialects.openai_transcriptions.answer import render_response
from portico.dialects.openai_transcriptions.form import read_form
from portico.dialects.openai_transcriptions.passing import ask, see, see_answer, watch
from portico.dialects.openai_transcriptions.request import TRANSCRIBE, TRANSLATE, WHERE, parse_request
from portico.dialects.openai_transcriptions.stream import StreamWriter


def _dialect(name: str, task: str) -> Dialect:
    return operation(
        name,
        parse_request=partial(parse_request, task),
        demands=Demands(makes="text", takes="audio"),
        passing=Passing(
            renamed=renamed_form,
            response=see,
            response_to=see_answer,
            watch=watch,
            watch_for=watch,
            ask=ask,
            named=named_form,
            says_twice=says_twice,
        ),
        render_response=render_response,
        writer=StreamWriter,
        read_body=read_form,
        raw_answers=True,
        where=WHERE,
    )


DIALECT: Final = _dialect("openai_transcriptions", TRANSCRIBE)
TRANSLATIONS: Final = _dialect("openai_translations", TRANSLATE)
