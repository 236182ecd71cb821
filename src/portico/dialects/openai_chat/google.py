"""`extra_body.google`: Google's extension of the Chat request, in all its nestings (mapping.md 1.9).

Python's SDK merges `extra_body` into the top level, so the documented form arrives as `{"extra_body": {"google": …}}` and a
shorter one as `{"google": …}`; both, and double nesting, are accepted, keys in snake_case or camelCase. An unknown key is a
400: silently losing a safety or caching setting is worse.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from portico.core.errors import InvalidRequest
from portico.core.loss import Loss, Where
from portico.core.request import GOOGLE_BUILTINS, Builtin, OutputFormat, Request, Thinking
from portico.dialects.openai.checks import array_at, object_at, string_at, wrong_type
from portico.dialects.openai_chat.extra_content import GOOGLE_EXT, ORIGIN
from portico.dialects.openai_chat.modalities import image_fields
from portico.wire.names import camel, snake

_BUILTIN_NAMES: Final = {kind: name for name, kind in GOOGLE_BUILTINS.items()}


def safety_settings(value: Any, path: str) -> list[Mapping[str, Any]]:
    """A list of `{category, threshold}`; Google refuses one that names a category twice (1.16)."""
    settings = [object_at(item, f"{path}[{i}]") for i, item in enumerate(array_at(value, path))]
    seen: set[str] = set()
    for i, setting in enumerate(settings):
        category = str(setting.get("category"))
        if category in seen:
            raise InvalidRequest(f"The category {category} is set twice.", param=f"{path}[{i}].category")
        seen.add(category)
    return settings


def tool_config(value: Any, path: str) -> dict[str, Any]:
    """Google's toolConfig, its own names and those of functionCallingConfig in camelCase: rendering adds to them."""
    config: dict[str, Any] = {}
    for name, item in object_at(value, path).items():
        key, at = camel(name), f"{path}.{name}"
        if item is None:
            continue
        if key == "functionCallingConfig":
            item = {camel(inner): said for inner, said in object_at(item, at).items() if said is not None}
        elif key == "retrievalConfig":
            object_at(item, at)
        elif key == "includeServerSideToolInvocations" and not isinstance(item, bool):
            raise wrong_type(at, "a boolean", item)
        config[key] = item
    return config


_PASSED_ON: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "safetySettings": safety_settings,
    "cachedContent": string_at,
    "labels": object_at,
    "modelArmorConfig": object_at,
    "store": lambda value, _: value,
    "continuationToken": string_at,
}
"""Fields of Google's request that go on unchanged, and what each must be."""
GENERATION_FIELDS: Final = frozenset(
    {
        "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "responseLogprobs", "logprobs",
        "presencePenalty", "frequencyPenalty", "seed", "responseMimeType", "responseSchema", "responseJsonSchema",
        "responseFormat", "responseModalities", "mediaResolution", "speechConfig", "thinkingConfig", "imageConfig",
        "enableEnhancedCivicAnswers", "audioTimestamp", "routingConfig", "modelSelectionConfig", "audioTranscriptionConfig",
        "translationConfig", "modelConfig", "enableAffectiveDialog",
    }
)  # fmt: skip
"""generationConfig, name by name (mapping.md 0)."""


class GoogleExtras(msgspec.Struct):
    """What `extra_body.google` said, sorted into what the neutral model has words for and what it has not."""

    thinking: Thinking | None = None
    builtins: list[Builtin] = []
    output: OutputFormat | None = None
    thought_tag: str | None = None
    fields: dict[str, Any] = {}
    paths: dict[str, str] = {}
    """Where in the body the fields stood that a loss may have to name."""


def take_google(fields: dict[str, Any]) -> GoogleExtras | None:
    """Takes Google's extension out of a request's top-level fields; None where there is none."""
    found: dict[str, tuple[str, Any]] = {}
    path = "$"
    holder: Any = fields
    while isinstance(holder, dict):
        google = holder.pop("google", None) if holder is fields else holder.get("google")
        if google is not None:
            at = f"{path}.google"
            found.update({camel(name): (f"{at}.{name}", value) for name, value in object_at(google, at).items()})
        inner = holder.pop("extra_body", None) if holder is fields else holder.get("extra_body")
        path += ".extra_body"
        if inner is not None:
            _refuse_strangers(object_at(inner, path), path)
        holder = inner
    return _sorted_out(found) if found else None


def _refuse_strangers(inner: Mapping[str, Any], path: str) -> None:
    for name in inner:
        if name not in ("google", "extra_body"):
            raise InvalidRequest(
                f"Unknown key {name!r} in extra_body; put it at the top level.", param=f"{path}.{name}"
            )


def _sorted_out(found: Mapping[str, tuple[str, Any]]) -> GoogleExtras:
    extras = GoogleExtras(paths={snake(name): path for name, (path, _) in found.items()})
    if "thinkingConfig" in found:
        extras.paths["thinking"] = found["thinkingConfig"][0]
    config: dict[str, Any] = {}
    image: dict[str, Any] = {}
    tooling: dict[str, Any] = {}
    streamed: dict[str, Any] = {}
    for name, (path, value) in found.items():
        if value is None:
            continue
        match name:
            case "thinkingConfig":
                extras.thinking = _thinking(object_at(value, path), path)
            case "tools":
                for i, tool in enumerate(array_at(value, path)):
                    builtins = read_builtins(tool, f"{path}[{i}]", i)
                    extras.builtins += builtins
                    extras.paths |= {one.kind: f"{path}[{i}]" for one in builtins}
            case "thoughtTagMarker":
                extras.thought_tag = string_at(value, path)
                if not extras.thought_tag.replace("_", "").replace("-", "").isalnum():
                    raise InvalidRequest("A tag is made of letters, digits, '_' and '-'.", param=path)
            case "mediaResolution":
                config["mediaResolution"] = value
            case "aspectRatio":
                image["aspectRatio"] = value
            case "imageConfig":
                image.update(image_fields(object_at(value, path), path, extras.paths))
            case "streamFunctionCallArguments":
                streamed[name] = value
            case "generationConfig":
                given = _generation_config(object_at(value, path), path)
                extras.output = _enum_output(given, path)
                at = f"{path}.image_config"
                image = {**image_fields(object_at(given.pop("imageConfig", {}), at), at, extras.paths), **image}
                config = {**given, **config}
            case "toolConfig":
                tooling = tool_config(value, path)
            case _ if name in _PASSED_ON:
                extras.fields[name] = _PASSED_ON[name](value, path)
            case _:
                raise InvalidRequest(f"Unknown key {path.rpartition('.')[2]!r} in google.", param=path)
    if streamed:
        tooling["functionCallingConfig"] = {**tooling.get("functionCallingConfig", {}), **streamed}
    if tooling:
        extras.fields["toolConfig"] = tooling
    if image:
        config["imageConfig"] = image
    if config:
        extras.fields["generationConfig"] = config
    return extras


def _generation_config(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    """generationConfig by its allow-list: Google answers an unknown name with a 400 anyway (0)."""
    config = {camel(name): value for name, value in given.items() if value is not None}
    for name in given:
        if camel(name) not in GENERATION_FIELDS:
            raise InvalidRequest(f"Unknown key {name!r} in generation_config.", param=f"{path}.{name}")
    return config


def _thinking(config: Mapping[str, Any], path: str) -> Thinking:
    known = {camel(name): value for name, value in config.items() if value is not None}
    for name in config:
        if camel(name) not in ("thinkingBudget", "thinkingLevel", "includeThoughts"):
            raise InvalidRequest(f"Unknown key {name!r} in thinking_config.", param=f"{path}.{name}")
    budget, level, show = known.get("thinkingBudget"), known.get("thinkingLevel"), known.get("includeThoughts")
    if budget is not None and level is not None:
        raise InvalidRequest("Give a thinking budget or a level, not both.", param=path)
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, int)):
        raise wrong_type(f"{path}.thinking_budget", "an integer", budget)
    if level is not None and not isinstance(level, str):
        raise wrong_type(f"{path}.thinking_level", "a string", level)
    if isinstance(budget, int) and budget < -1:
        raise InvalidRequest("A thinking budget is -1 (dynamic), 0 (none) or a number of tokens.", param=path)
    if level is not None and level.lower() not in ("minimal", "low", "medium", "high"):
        message = f"Unknown thinking level {level!r}; known are minimal, low, medium, high."
        raise InvalidRequest(message, param=f"{path}.thinking_level")
    if show is not None and not isinstance(show, bool):
        raise wrong_type(f"{path}.include_thoughts", "a boolean", show)
    return Thinking(budget=budget, level=None if level is None else level.lower(), show=show)


def read_builtins(tool: Any, path: str, at: int) -> list[Builtin]:
    """One of Google's native Tool objects (`{"google_search": {}}`) as builtins."""
    builtins = []
    for name, config in object_at(tool, path).items():
        native = camel(name)
        if native == "functionDeclarations":
            raise InvalidRequest("Declare functions in `tools`.", param=f"{path}.{name}")
        ext = {GOOGLE_EXT: {native: config}} if config else None
        builtins.append(Builtin(GOOGLE_BUILTINS.get(native, native), at=at, ext=ext))
    return builtins


def _enum_output(config: dict[str, Any], path: str) -> OutputFormat | None:
    """`text/x.enum` has no place in response_format, only here."""
    if config.get("responseMimeType") != "text/x.enum":
        return None
    del config["responseMimeType"]
    json_schema, older = config.pop("responseJsonSchema", None), config.pop("responseSchema", None)
    at = f"{path}.{'response_json_schema' if json_schema else 'response_schema'}"
    schema = json_schema or older
    return OutputFormat("enum", None if schema is None else object_at(schema, at), schema_at=at)


# -- the other way ---------------------------------------------------------------------------------------------------


def render_google(request: Request) -> dict[str, Any]:
    """Google's extension of a Chat request: what Chat has no field for; {} where there is nothing."""
    google: dict[str, Any] = {}
    thinking = request.thinking
    config = {
        "thinking_budget": thinking.budget,
        "thinking_level": thinking.level,
        "include_thoughts": thinking.show,
    }
    config = {name: value for name, value in config.items() if value is not None}
    if config:
        google["thinking_config"] = config
    tools = [_render_builtin(tool) for tool in request.builtins if not (is_web_search_option(tool) or is_unknown(tool))]
    if tools:
        google["tools"] = tools
    if request.thought_tag is not None:
        google["thought_tag_marker"] = request.thought_tag
    own = dict((request.ext or {}).get(GOOGLE_EXT, {}))
    generation = dict(own.pop("generationConfig", {}))
    if request.output is not None and request.output.kind == "enum":
        generation["responseMimeType"] = "text/x.enum"
        if request.output.schema is not None:
            generation["responseJsonSchema"] = request.output.schema
    if generation:
        google["generation_config"] = {snake(name): value for name, value in generation.items()}
    google.update({snake(name): value for name, value in own.items()})
    return google


def is_web_search_option(tool: Builtin) -> bool:
    """Whether `web_search_options` says it all."""
    return tool.kind == "web_search" and GOOGLE_EXT not in (tool.ext or {})


def is_unknown(tool: Builtin) -> bool:
    """Whether it is a tool of another provider's own, which goes by that provider's word."""
    return tool.spare and tool.kind not in _BUILTIN_NAMES


def search_options(tool: Builtin, where: Where, losses: list[Loss]) -> dict[str, Any]:
    """`web_search_options`. What another dialect says of a search beside them is a loss."""
    foreign = [name for origin, fields in (tool.ext or {}).items() if origin != ORIGIN for name in fields]
    if foreign:
        losses.append(Loss("1.14:builtin", where.field(tool.kind), f"a search has no place for {', '.join(foreign)}"))
    return dict((tool.ext or {}).get(ORIGIN, {}))


def _render_builtin(tool: Builtin) -> dict[str, Any]:
    native = _BUILTIN_NAMES.get(tool.kind, tool.kind)
    return {snake(native): (tool.ext or {}).get(GOOGLE_EXT, {}).get(native, {})}
