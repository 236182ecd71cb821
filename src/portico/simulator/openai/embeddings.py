"""OpenAI's embeddings: unit vectors, as numbers or as base64 of little-endian floats."""

import base64
import struct
from typing import Any

from portico.simulator import embeddings, tokens
from portico.simulator.models import Model as Inner
from portico.simulator.openai import telling
from portico.simulator.openai.forms import array, either, form_of, integer, text, word
from portico.simulator.openai.models import Model
from portico.simulator.openai.refusal import Refused
from portico.simulator.refusal import Json

_INPUT = either(
    "one of a string or an array",
    (str, text()),
    (
        list,
        array(
            either("a string or integers", (str, text()), (int, integer(0)), (list, array(integer(0), least=1))),
            most=2048,
        ),
    ),
)
_FORMAT = word("float", "base64")
REQUEST = form_of(
    {
        "model": text(),
        "input": _INPUT,
        "dimensions": integer(),
        "encoding_format": text(),
        "user": text(),
    },
    "model",
    "input",
)


def check(body: Json, model: Model) -> None:
    """Raises `Refused` for what OpenAI does not embed."""
    if model.writes:
        raise Refused("You are not allowed to generate embeddings from this model", status=403)
    size = body.get("dimensions")
    if size is not None and not model.shortens:
        raise Refused("This model does not support specifying dimensions.")
    if size is not None and size < 1:
        raise Refused(f"{size} is less than the minimum of 1 - 'dimensions'")
    if size is not None and size > model.dimensions:
        said = f"Invalid value for 'dimensions' = {size}. Must be less than or equal to {model.dimensions}."
        raise Refused(said, param="dimensions")
    if body.get("encoding_format") is not None:
        _FORMAT(body["encoding_format"], "encoding_format")  # recorded: looked at after the dimensions
    given = body["input"]
    if given in ("", []) or (isinstance(given, list) and ("" in given or len(set(map(type, given))) > 1)):
        raise Refused(
            "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
        )


def answer(body: Json, model: Model) -> Json:
    """The list of vectors."""
    given = body["input"]
    inputs: list[Any] = [given] if isinstance(given, str) or isinstance(given[0], int) else given
    size, counted, data = body.get("dimensions") or model.dimensions, 0, []
    for index, one in enumerate(inputs):
        counted += tokens.count(one) if isinstance(one, str) else len(one)
        vector: Any = _vector(one if isinstance(one, str) else " ".join(map(str, one)), size)
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": vector})
    usage = {"prompt_tokens": counted, "total_tokens": counted}
    return {"object": "list", "data": data, "model": model.name, "usage": usage}


_INNER = Inner("gemini-embedding-2", (2, 0), makes="embedding")


def _vector(words: str, size: int) -> list[float]:
    request = {"content": {"parts": [{"text": words}]}}
    return telling.unit(embeddings.vector(request, _INNER)[:size])
