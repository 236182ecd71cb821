"""Embeddings: vectors of the words, so that texts that share words lie close together."""

import hashlib
import math
import re
from random import Random

from portico.simulator import tokens
from portico.simulator.models import Model
from portico.simulator.refusal import Json, Refused

_MOST_REQUESTS = 100
_MOST_WORDS = 64


def check(request: Json, model: Model, path: str = "EmbedContentRequest") -> None:
    """Raises `Refused` for an EmbedContentRequest Google refuses."""
    parts = request.get("content", {}).get("parts", [])
    if not parts:
        raise Refused(f"* {path}.content: content is not specified\n")
    if not any(part.get("text") or "inlineData" in part or "fileData" in part for part in parts):
        raise Refused(f"* {path}.content: content is empty\n")
    size = request.get("outputDimensionality")
    if size is not None and not 1 <= size <= dimensions(model):
        raise Refused(f"* {path}.output_dimensionality: must be in the range [1, {dimensions(model)}]\n")
    if request.get("title") and request.get("taskType", "") not in ("RETRIEVAL_DOCUMENT", ""):
        raise Refused(f"* {path}.title: only valid for task type RETRIEVAL_DOCUMENT\n")


def check_batch(request: Json, model: Model) -> None:
    """Raises `Refused` for a BatchEmbedContentsRequest Google refuses."""
    requests = request.get("requests", [])
    if not requests:
        raise Refused("* BatchEmbedContentsRequest.requests: requests is not specified\n")
    if len(requests) > _MOST_REQUESTS:
        raise Refused(f"* BatchEmbedContentsRequest.requests: at most {_MOST_REQUESTS} requests can be in one batch\n")
    for number, one in enumerate(requests):
        path = f"BatchEmbedContentsRequest.requests[{number}]"
        if one.get("model", "").removeprefix("models/") != model.name:
            raise Refused(f"* {path}.model: model must match the model of the batch, models/{model.name}\n")
        check(one, model, path)


def predict(request: Json, model: Model) -> Json:
    """The answer of Vertex's predict: one content a call, counted in it (mapping.md 5.1). Raises `Refused`."""
    instances, settings = request.get("instances", []), request.get("parameters", {})
    if len(instances) != 1:
        raise Refused(f"{model.name} takes 1 instance in a request, got {len(instances)}.")
    text = instances[0].get("content", "")
    one = {key: value for key, value in instances[0].items() if key != "content"}
    one |= {"content": {"parts": [{"text": text}]}} | {key: settings[key] for key in settings if key != "autoTruncate"}
    check(one, model, "PredictRequest.instances[0]")
    counted = tokens.count(text)
    if counted > model.input_limit and settings.get("autoTruncate") is False:
        raise Refused(f"The input token count is {counted} but the model supports up to {model.input_limit}.")
    statistics = {"truncated": counted > model.input_limit, "token_count": min(counted, model.input_limit)}
    return {
        "predictions": [{"embeddings": {"statistics": statistics, "values": vector(one, model)}}],
        "metadata": {"billableCharacterCount": len("".join(text.split()))},
    }


def dimensions(model: Model) -> int:
    """The length of this model's full vector."""
    return 3072 if model.name.startswith("gemini-embedding") else 768


def vector(request: Json, model: Model) -> list[float]:
    """The vector of one content; of several parts together one vector. Only 001 leaves shortened vectors unscaled."""
    size = dimensions(model)
    texts = [part.get("text") or str(part) for part in request["content"]["parts"]]
    words = re.findall(r"\w+|[^\w\s]", " ".join(texts).lower())[:_MOST_WORDS] or [" "]
    total = [0.0] * size
    for word in words:
        dice = Random(int.from_bytes(hashlib.sha256(f"{model.name} {word}".encode()).digest()[:8]))
        total = [old + dice.uniform(-1, 1) for old in total]
    short = total[: request.get("outputDimensionality") or size]
    length = math.hypot(*(total if model.name == "gemini-embedding-001" else short)) or 1.0
    return [round(value / length, 9) for value in short]


def usage(requests: list[Json], model: Model) -> Json:
    """The usageMetadata field of an answer, where this model gives one (its detail key is spelled promptTokenDetails)."""
    if not model.name.startswith("gemini-embedding-2"):
        return {}
    counted = sum(tokens.count(part.get("text", "")) for one in requests for part in one["content"]["parts"])
    details = [{"modality": "TEXT", "tokenCount": counted}]
    return {"usageMetadata": {"promptTokenCount": counted, "promptTokenDetails": details}}
