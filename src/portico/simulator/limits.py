"""Rules of `generationConfig` and `safetySettings`: ranges, and what each model refuses."""

from typing import Any

from portico.simulator import subset
from portico.simulator.models import Model
from portico.simulator.refusal import Json, Refused

MIME_TYPES = ("text/plain", "application/json", "application/xml", "application/yaml", "text/x.enum")

# (field, snake name, smallest, largest or None)
_RANGES: tuple[tuple[str, str, float, float | None], ...] = (
    ("temperature", "temperature", 0, 2),
    ("topP", "top_p", 0, 1),
    ("topK", "top_k", 1, None),
    ("candidateCount", "candidate_count", 1, 8),
    ("maxOutputTokens", "max_output_tokens", 1, None),
    ("logprobs", "logprobs", 0, 20),
    ("presencePenalty", "presence_penalty", -2, 2),
    ("frequencyPenalty", "frequency_penalty", -2, 2),
)


def check(request: Json, model: Model, *, vertex: bool, lenient: bool) -> None:
    """Raises `Refused` for a generationConfig or safetySettings this model does not take."""
    config = request.get("generationConfig", {})
    # That a limit above the model's own is refused is known of Vertex only.
    _ranges(config, 0 if lenient and not vertex else model.output_limit, vertex=vertex)
    _modalities(config, model)
    _abilities(config, model, vertex=vertex)
    _thinking(config.get("thinkingConfig"), model)
    _format(config, model, vertex=vertex, lenient=lenient)
    seen: set[str] = set()
    for setting in request.get("safetySettings", []):
        category = setting.get("category", "")
        if category in seen:
            raise Refused(f"Duplicate safety setting for category: {category}")
        seen.add(category)


def _ranges(config: Json, output_limit: int, *, vertex: bool) -> None:
    for field, snake, low, high in _RANGES:
        value = config.get(field)
        if value is None:
            continue
        limit = output_limit if field == "maxOutputTokens" and output_limit else high
        excluded = field.endswith("Penalty") and value == high
        if value < low or (limit is not None and value > limit) or excluded:
            raise Refused(_range_text(snake, value, low, limit, vertex=vertex))
    stops = config.get("stopSequences", [])
    if len(stops) > 5:
        raise Refused(
            "* GenerateContentRequest.generation_config.stop_sequences: at most 5 stop sequences are allowed\n"
        )
    if "" in stops:
        raise Refused("* GenerateContentRequest.generation_config.stop_sequences: must not contain an empty string\n")
    if "logprobs" in config and not config.get("responseLogprobs"):
        raise Refused("* GenerateContentRequest.generation_config.logprobs: requires response_logprobs to be true\n")


def _range_text(snake: str, value: Any, low: float, high: float | None, *, vertex: bool) -> str:
    upper = "inf" if high is None else high
    if vertex:
        return (
            f"Unable to submit request because it has a {snake} value of {value} but the supported range is from {low} "
            f"(inclusive) to {upper} (inclusive). Update the value and try again."
        )
    return f"* GenerateContentRequest.generation_config.{snake}: {snake} must be in the range [{low}, {upper}].\n"


_MODALITIES: dict[str, list[set[str]]] = {
    "text": [{"TEXT"}],
    "image": [{"TEXT", "IMAGE"}, {"IMAGE"}, {"TEXT"}],
    "audio": [{"AUDIO"}],
}


def _modalities(config: Json, model: Model) -> None:
    asked = set(config.get("responseModalities", []))
    if not asked:
        asked = {"TEXT", "IMAGE"} if model.makes == "image" else {"TEXT"}
    allowed = _MODALITIES[model.makes]
    if asked not in allowed:
        combinations = "".join(f"* {', '.join(sorted(one, reverse=True))}\n" for one in allowed)
        raise Refused(
            f"The requested combination of response modalities ({', '.join(sorted(asked, reverse=True))}) is not supported "
            f"by the model. models/{model.name} accepts the following combination of response modalities:\n{combinations}"
        )
    speech = config.get("speechConfig")
    if speech and model.makes != "audio":
        raise Refused(f"Speech config is not enabled for models/{model.name}")


def _abilities(config: Json, model: Model, *, vertex: bool) -> None:
    name = f"models/{model.name}"
    if config.get("candidateCount", 1) > 1 and not model.many_candidates:
        raise Refused(f"Multiple candidates is not enabled for {name}")
    if not model.penalties(vertex=vertex) and (config.get("presencePenalty") or config.get("frequencyPenalty")):
        raise Refused(f"Penalty is not enabled for {name}")
    if config.get("responseLogprobs") and not (vertex and model.makes == "text"):
        raise Refused(f"Logprobs is not enabled for {name}")


def _thinking(thinking: Json | None, model: Model) -> None:
    if thinking is None:
        return
    budget, level = thinking.get("thinkingBudget"), thinking.get("thinkingLevel")
    if budget is not None and level is not None:
        raise Refused("You can only set only one of thinking budget and thinking level.")
    rule = model.thinking
    if rule is None:
        # Recorded: a model that cannot think accepts being told not to.
        if budget or level or thinking.get("includeThoughts"):
            raise Refused(f"Thinking is not enabled for models/{model.name}")
        return
    if level is not None and level != "THINKING_LEVEL_UNSPECIFIED":
        if rule.by != "level":
            raise Refused("Thinking level is not supported for this model.")
        if level not in rule.levels:
            raise Refused(
                f"Thinking level {level} is not supported for this model. Please retry with other thinking level."
            )
    if budget is not None:
        _budget(budget, rule.low, rule.high, can_disable=rule.can_disable)


def _budget(budget: int, low: int, high: int, *, can_disable: bool) -> None:
    if budget == -1 or (budget == 0 and can_disable):
        return
    if budget == 0:
        raise Refused("Budget 0 is invalid. This model only works in thinking mode.")
    if not low <= budget <= high:
        raise Refused(f"The thinking budget {budget} is invalid. Please choose a value between {low} and {high}.")


def _format(config: Json, model: Model, *, vertex: bool, lenient: bool) -> None:
    mime = config.get("responseMimeType") or ""
    old, new = config.get("responseSchema"), config.get("responseJsonSchema")
    if mime and mime not in MIME_TYPES:
        names = ", ".join(f"`{name}`" for name in MIME_TYPES)
        text = f"response_mime_type: allowed mimetypes are {names}."
        raise Refused(f"* GenerateContentRequest.generation_config.{text}\n")
    if old is not None and new is not None:
        raise Refused(
            "* GenerateContentRequest.generation_config: only one of response_schema and response_json_schema may be set\n"
        )
    structured = mime in ("application/json", "text/x.enum")
    if structured and not model.json:
        raise Refused(f"JSON mode is not enabled for models/{model.name}")
    if (old is not None or new is not None) and not structured:
        raise Refused(
            "* GenerateContentRequest.generation_config.response_mime_type: must be `application/json` or `text/x.enum` "
            "when a response schema is set\n"
        )
    path = "GenerateContentRequest.generation_config"
    if old is not None:
        subset.check(old, f"{path}.response_schema", vertex=vertex, lenient=lenient)
        if mime == "text/x.enum" and not old.get("enum"):
            raise Refused(f"* {path}.response_schema.enum: must be specified for text/x.enum\n")
    if new is not None:
        subset.check_json_schema(new, f"{path}.response_json_schema")
