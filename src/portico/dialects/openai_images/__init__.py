"""OpenAI's `POST /v1/images/generations` and `/v1/images/edits` (mapping.md 5.2): a dialect each."""

from functools import partial
from typing import Final

from portico.core.dialect import Demands, Passing, Product
from portico.dialects.openai.operation import operation
from portico.dialects.openai_images.answer import PictureWriter, holds_picture, lacking, render_response
from portico.dialects.openai_images.bodies import named, read_edit, read_generation, renamed, says_twice
from portico.dialects.openai_images.passing import PicturesWatch, ask, see
from portico.dialects.openai_images.request import EDIT_WHERE, WHERE, parse_edit, parse_generation

_PASSING: Final = Passing(
    renamed=renamed, response=see, watch=PicturesWatch, ask=ask, named=named, says_twice=says_twice
)
_PICTURES: Final = Product(holds=holds_picture, lacking=lacking, some_will_do=True, whole=True)

GENERATIONS: Final = operation(
    "openai_images",
    parse_request=parse_generation,
    demands=Demands(makes="image"),
    passing=_PASSING,
    product=_PICTURES,
    render_response=render_response,
    writer=partial(PictureWriter, "image_generation.completed"),
    read_body=read_generation,
    where=WHERE,
)
EDITS: Final = operation(
    "openai_image_edits",
    parse_request=parse_edit,
    demands=Demands(makes="image", takes="image"),
    passing=_PASSING,
    product=_PICTURES,
    render_response=render_response,
    writer=partial(PictureWriter, "image_edit.completed"),
    read_body=read_edit,
    where=EDIT_WHERE,
)
