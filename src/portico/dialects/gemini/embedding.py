"""Embeddings of Google's (mapping.md 5.1): `batchEmbedContents` at the Gemini API; at Vertex `predict` for the models of
the first line and `embedContent` for those of the second, one content a call.

A model of the second line ignores `taskType`: what a text is for stands before it, in Google's words for each task
(ai.google.dev/gemini-api/docs/embeddings).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.core.embedding import ORIGIN as WISH
from portico.core.embedding import Embedded, EmbeddingCall, EmbeddingWish, wish_of
from portico.core.errors import InvalidRequest, UpstreamBadGateway
from portico.core.loss import Loss
from portico.core.parts import Part
from portico.core.request import Message, Request, Role
from portico.core.target import Target
from portico.core.usage import Usage
from portico.dialects.gemini.checks import listed, object_at, optional_string
from portico.dialects.gemini.errors import parse_error_object
from portico.dialects.gemini.fields import camelise
from portico.dialects.gemini.parts import parse_part, render_part
from portico.dialects.gemini.request_parse import WHERE
from portico.dialects.gemini.usage import number, parse_usage

MOST_TEXTS: Final = 100
DOCUMENT: Final = "RETRIEVAL_DOCUMENT"
MAX_DIMENSIONS: Final = 100_000
_QUERY: Final[Mapping[str, str]] = {
    "RETRIEVAL_QUERY": "search result",
    "QUESTION_ANSWERING": "question answering",
    "FACT_VERIFICATION": "fact checking",
    "CODE_RETRIEVAL_QUERY": "code retrieval",
    "CLASSIFICATION": "classification",
    "CLUSTERING": "clustering",
    "SEMANTIC_SIMILARITY": "sentence similarity",
}
"""taskType -> the task as a model of the second line reads it."""


# -- requests --------------------------------------------------------------------------------------------------------


def parse(body: Any, model: str | None) -> Request:
    """A body of embedContent or batchEmbedContents as a request. Raises `InvalidRequest`."""
    fields = camelise(object_at(body, "$"))
    batch = "requests" in fields
    given = listed(fields["requests"], "$.requests") if batch else [fields]
    asked = [camelise(object_at(one, f"$.requests[{at}]")) for at, one in enumerate(given)]
    if not asked:
        raise InvalidRequest("There is nothing to embed.", param="$.requests")
    said = [_wish(one, batch=batch) for one in asked]
    others = tuple(sorted({name for one in said for name in one.others}))
    wishes = {msgspec.structs.replace(one, others=others) for one in said}
    if len(wishes) > 1:
        message = (
            "This model embeds all contents of a batch alike: outputDimensionality, taskType and title must agree."
        )
        raise InvalidRequest(message, param="$.requests")
    messages = tuple([_message(one, at, batch=batch) for at, one in enumerate(asked)])
    return Request(model or "", messages, ext={WISH: {"wish": wishes.pop()}}, where=WHERE)


def _wish(fields: Mapping[str, Any], *, batch: bool) -> EmbeddingWish:
    config = camelise(object_at(fields.get("embedContentConfig") or {}, ".embedContentConfig"))
    said = {**config, **fields}
    size = said.get("outputDimensionality")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_DIMENSIONS):
        raise InvalidRequest("outputDimensionality must be a positive whole number.", param="$.outputDimensionality")
    task = optional_string(said.get("taskType"), ".taskType")
    if task in ("", "TASK_TYPE_UNSPECIFIED"):
        task = None
    others = tuple(sorted(said.keys() - _KNOWN))
    return EmbeddingWish(size, task, optional_string(said.get("title"), ".title"), batch=batch, others=others)


_KNOWN: Final = frozenset(
    {"model", "content", "requests", "taskType", "title", "outputDimensionality", "embedContentConfig"}
)


def _message(fields: Mapping[str, Any], at: int, *, batch: bool) -> Message:
    path = f"$.requests[{at}].content" if batch else "$.content"
    content = camelise(object_at(fields.get("content"), path))
    parts: list[Part] = []
    for wire in listed(content.get("parts"), f"{path}.parts"):
        part = parse_part(object_at(wire, f"{path}.parts"), _no_call)
        if part is not None:
            parts.append(part)
    if not parts:
        raise InvalidRequest("There is nothing to embed.", param=path)
    return Message(Role.USER, tuple(parts), at=at)


def _no_call(fields: Mapping[str, Any], signature: Any, ext: Any) -> Any:
    del fields, signature, ext
    raise InvalidRequest("A call of a function cannot be embedded.", param="$.content")


def render(request: Request, target: Target) -> EmbeddingCall:
    """What a model of Google's is asked."""
    wish, losses = wish_of(request), list[Loss]()
    newer = target.capabilities.generation >= (2, 0)
    losses += [
        Loss("1.1:unsupported", request.where.field(name), f"{name} is not known to Google's embeddings")
        for name in wish.others
    ]
    if wish.title is not None and wish.task_type != DOCUMENT:
        losses.append(Loss("5.1:task", request.where.field("title"), f"a title is only for a task of {DOCUMENT}"))
        wish = msgspec.structs.replace(wish, title=None)
    contents = [_content(message, wish, newer, request, losses) for message in request.messages]
    if target.provider_kind != "vertex":
        named = {"model": f"models/{target.model}"}
        return EmbeddingCall(
            "batch_embed",
            {"requests": [{**named, "content": one, **_settings(wish, newer)} for one in contents]},
            losses,
        )
    if newer:
        return EmbeddingCall("embed", {"content": contents[0], **_settings(wish, newer)}, losses)
    instance = {"content": "".join([part.get("text", "") for part in contents[0]["parts"]])}
    if wish.task_type is not None:
        instance["task_type"] = wish.task_type
    if wish.title is not None:
        instance["title"] = wish.title
    parameters = {} if wish.dimensions is None else {"outputDimensionality": wish.dimensions}
    return EmbeddingCall("predict", {"instances": [instance], "parameters": parameters}, losses)


def _settings(wish: EmbeddingWish, newer: bool) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if wish.dimensions is not None:
        said["outputDimensionality"] = wish.dimensions
    if not newer and wish.task_type is not None:
        said["taskType"] = wish.task_type
        if wish.title is not None:
            said["title"] = wish.title
    return said


def _content(
    message: Message, wish: EmbeddingWish, newer: bool, request: Request, losses: list[Loss]
) -> dict[str, Any]:
    parts = []
    for part in message.parts:
        wire = render_part(part)
        if wire is None:
            path = request.where.at_message(message.at)
            losses.append(Loss("1.2:opaque", path, "a part that only another provider understands"))
        else:
            parts.append(wire)
    if newer and wish.task_type is not None and parts and set(parts[0]) == {"text"}:
        parts[0] = {"text": told_task(wish.task_type, wish.title, parts[0]["text"])}
    return {"parts": parts}


def told_task(task: str, title: str | None, text: str) -> str:
    """The text as a model of the second line is told what it is for; of a task it has no words for, the text alone."""
    if task == DOCUMENT:
        return f"title: {title or 'none'} | text: {text}"
    return f"task: {_QUERY[task]} | query: {text}" if task in _QUERY else text


def most(target: Target) -> int:
    """How many contents one call takes."""
    return 1 if target.provider_kind == "vertex" else MOST_TEXTS


# -- answers ---------------------------------------------------------------------------------------------------------


def read(body: Any) -> Embedded:
    """The vectors of an answer of any of the three verbs. Raises `UpstreamError`."""
    if isinstance(body, Mapping) and body.get("error") is not None:
        raise parse_error_object(body)
    try:
        return _read(camelise(body))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UpstreamBadGateway("The provider's answer holds no embeddings.") from None


def _read(fields: Mapping[str, Any]) -> Embedded:
    if (predictions := fields.get("predictions")) is not None:
        found = [one["embeddings"] for one in predictions]
        told = [one["statistics"] for one in found if "statistics" in one]
        usage = Usage(input_uncached={"text": sum([number(one["token_count"]) for one in told])}) if told else None
        return Embedded(tuple([_values(one) for one in found]), None, usage, told or None)
    vectors = [fields["embedding"]] if "embedding" in fields else fields["embeddings"]
    return Embedded(tuple([_values(one) for one in vectors]), None, *_usage(fields.get("usageMetadata")))


def _values(embedding: Mapping[str, Any]) -> Sequence[float]:
    return [float(value) for value in embedding["values"]]


def _usage(metadata: Any) -> tuple[Usage | None, Any]:
    if not isinstance(metadata, Mapping):
        return None, None
    said = embedding_metadata(camelise(metadata))
    return (usage, metadata) if (usage := parse_usage(said)) is not None else (None, None)


def tell(answer: Embedded, request: Request) -> Any:
    """The answer to a caller of Google's dialect."""
    vectors = [{"values": list(vector)} for vector in answer.vectors]
    told: dict[str, Any] = {"embeddings": vectors} if wish_of(request).batch else {"embedding": vectors[0]}
    if answer.usage is not None:
        counts = answer.usage.input_uncached or {}
        details = [{"modality": kind.upper(), "tokenCount": count} for kind, count in counts.items()]
        told["usageMetadata"] = {"promptTokenCount": answer.usage.input_total, "promptTokenDetails": details}
    return told


def embedding_metadata(fields: dict[str, Any]) -> dict[str, Any]:
    """The usageMetadata of an embedding as other answers have it, its names in camelCase.

    It has no total, for there is nothing but the prompt, and spells its details otherwise. Without a count it stays.
    """
    if fields.get("totalTokenCount") is not None or fields.get("promptTokenCount") is None:
        return fields
    shown = dict(fields)
    if (details := shown.pop("promptTokenDetails", None)) is not None:
        shown["promptTokensDetails"] = details
    return {**shown, "totalTokenCount": fields["promptTokenCount"]}
