"""A request for embeddings <-> neutral request (mapping.md 5.1)."""

from typing import Any, Final

import msgspec

from portico.core.embedding import ORIGIN, EmbeddingCall, EmbeddingWish, wish_of
from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.loss import Loss, Where
from portico.core.parts import Text
from portico.core.request import Message, Request, Role
from portico.core.target import Target
from portico.dialects.openai.checks import object_at, take_int, take_string, take_word, wrong_type
from portico.dialects.openai_embeddings.tokens import text_of

MOST_TEXTS: Final = 2048
WHERE: Final = Where(message="$.input[{at}]")
ONE: Final = Where(message="$.input")
TASKS: Final = (
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "CODE_RETRIEVAL_QUERY",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
)
"""What a text is embedded for, in Google's words: an extra of ours for callers of models that know it."""
MAX_DIMENSIONS: Final = 100_000


def parse_request(body: Any, *, model: str | None = None, stream: bool | None = None) -> Request:
    """A body as a request. Raises `InvalidRequest`."""
    del stream
    return parse(body, model)


def parse(body: Any, model: str | None) -> Request:
    """A body as a request. Raises `InvalidRequest`."""
    fields = dict(object_at(body, "$"))
    model = model or take_string(fields, "model")
    if not model:
        raise InvalidRequest("Missing required parameter: 'model'.", param="$.model")
    wish = EmbeddingWish(
        dimensions=take_int(fields, "dimensions", 1, MAX_DIMENSIONS),
        task_type=_task(fields),
        title=take_string(fields, "title"),
        encoding=take_word(fields, "encoding_format", ("float", "base64")) or "float",
    )
    given, user = fields.pop("input", None), take_string(fields, "user")
    texts = _texts(given)
    messages = tuple([Message(Role.USER, (Text(text),), at=at) for at, text in enumerate(texts)])
    wish = msgspec.structs.replace(wish, others=tuple(sorted(fields.keys() - {"model"})))
    ext: dict[str, Any] = {ORIGIN: {"wish": wish}}
    if user is not None:
        ext["openai_embeddings"] = {"user": user}
    return Request(model, messages, ext=ext, where=ONE if isinstance(given, str) else WHERE)


def _task(fields: dict[str, Any]) -> str | None:
    said = take_string(fields, "task_type")
    if said is None:
        return None
    word = said.upper()
    if word not in TASKS:
        raise InvalidRequest(f"Invalid 'task_type': {said!r} is not one of {', '.join(TASKS)}.", param="$.task_type")
    return word


def _texts(given: Any) -> list[str]:
    if given is None:
        raise InvalidRequest("Missing required parameter: 'input'.", param="$.input")
    if isinstance(given, str):
        if not given:
            raise InvalidRequest("Invalid 'input': it must not be empty.", param="$.input")
        return [given]
    if not isinstance(given, list):
        raise wrong_type("$.input", "a string or an array", given)
    if not given:
        raise InvalidRequest("Invalid 'input': it must not be an empty array.", param="$.input")
    if len(given) > MOST_TEXTS and not _are_tokens(given):
        message = f"Invalid 'input': {len(given)} texts are more than {MOST_TEXTS}."
        raise InvalidRequest(message, param="$.input")
    if _are_tokens(given):
        return [text_of(given, "$.input")]
    return [_text(one, f"$.input[{at}]") for at, one in enumerate(given)]


def _text(given: Any, path: str) -> str:
    if given in ("", []):
        raise InvalidRequest(f"Invalid '{path[2:]}': it must not be empty.", param=path)
    if isinstance(given, list):
        return text_of(given, path)
    if not isinstance(given, str):
        raise wrong_type(path, "a string", given)
    return given


def _are_tokens(given: list[Any]) -> bool:
    return isinstance(given[0], int) and not isinstance(given[0], bool)


# -- the other way ---------------------------------------------------------------------------------------------------


def render(request: Request, target: Target) -> EmbeddingCall:
    """What an OpenAI model is asked. Raises `UnsupportedParameter` for what is no text."""
    texts: list[str] = []
    for message in request.messages:
        if any(not isinstance(part, Text) for part in message.parts):
            path = request.where.at_message(message.at)
            raise UnsupportedParameter(f"{target.model} embeds text alone.", param=path)
        texts.append("".join([part.text for part in message.parts if isinstance(part, Text)]))
    wish = wish_of(request)
    body: dict[str, Any] = {"model": target.model, "input": texts, "encoding_format": "float"}
    if wish.dimensions is not None:
        body["dimensions"] = wish.dimensions
    losses = [
        Loss("1.1:unsupported", request.where.field(name), f"{name} is not known to OpenAI's embeddings")
        for name in wish.others
    ]
    losses += [
        Loss("5.1:task", request.where.field(name), f"{target.model} does not ask what a text is embedded for")
        for name, said in (("task_type", wish.task_type), ("title", wish.title))
        if said is not None
    ]
    return EmbeddingCall("embed", body, losses)
