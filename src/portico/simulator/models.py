"""The models the simulator stands in for, and what each can do.

A known name has its facts in a table; any other name that looks like one of Google's gets facts inferred from it, so
that tomorrow's model works today. What looks like nothing Google ever served is not found.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from portico.simulator.refusal import Json


@dataclass(frozen=True)
class Thinking:
    """How a model's thinking is steered: a token budget (2.5) or a level (3 and later, where a budget is tolerated)."""

    by: Literal["budget", "level"]
    default: str
    """A level, or "dynamic" / "off" for a budget."""
    levels: tuple[str, ...] = ()
    low: int = 0
    high: int = 32768
    can_disable: bool = True


@dataclass(frozen=True)
class Model:
    """What one model accepts. `generation` 2.5 is (2, 5); 0 limits are unknown, hence not enforced."""

    name: str
    generation: tuple[int, int]
    thinking: Thinking | None = None
    input_limit: int = 1_048_576
    output_limit: int = 65_536
    makes: Literal["text", "image", "audio", "embedding"] = "text"
    tools: bool = True
    json: bool = True
    system: bool = True
    retired: bool = False
    gemma: bool = False

    @property
    def family(self) -> str:
        """Signatures of one family are good for all its models."""
        return f"{'gemma' if self.gemma else 'gemini'}-{self.generation[0]}"

    @property
    def modern(self) -> bool:
        """Generation 3 and later: ids and signatures on calls, tools beside JSON mode."""
        return self.generation[0] >= 3 and not self.gemma

    @property
    def many_candidates(self) -> bool:
        return not self.modern and not self.gemma and self.makes == "text"

    def penalties(self, *, vertex: bool) -> bool:
        """Recorded: the Gemini API takes penalties on 2.0 and refuses them on 2.5; Vertex documents them up to 2.5."""
        last = (2, 5) if vertex else (2, 0)
        return self.generation <= last and not self.gemma and (self.makes == "text" or self.generation <= (2, 0))

    @property
    def methods(self) -> list[str]:
        if self.makes == "embedding":
            return ["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"]
        if self.makes == "audio" or self.gemma:
            return ["generateContent", "countTokens"]
        if self.makes == "image":
            return ["generateContent", "countTokens", "batchGenerateContent"]
        return ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"]


_ALL = ("MINIMAL", "LOW", "MEDIUM", "HIGH")
_NO_MINIMAL = ("LOW", "MEDIUM", "HIGH")


def _level(default: str, levels: tuple[str, ...] = _ALL) -> Thinking:
    return Thinking("level", default, levels)


_PRO_25 = Thinking("budget", "dynamic", low=128, high=32768, can_disable=False)
_FLASH_25 = Thinking("budget", "dynamic", low=1, high=24576)
_LITE_25 = Thinking("budget", "off", low=512, high=24576)

# Image models of generation 3 always think; that can be shown but not steered.
_IMAGE = Model("", (3, 0), _level("LOW", ()), input_limit=131_072, output_limit=32_768, makes="image")
_SPEECH = Model(
    "", (3, 0), input_limit=8_192, output_limit=16_384, makes="audio", tools=False, json=False, system=False
)

_KNOWN: Sequence[Model] = (
    Model("gemini-2.0-flash", (2, 0), output_limit=8_192),
    Model("gemini-2.0-flash-lite", (2, 0), output_limit=8_192),
    Model("gemini-2.5-flash", (2, 5), _FLASH_25),
    Model("gemini-2.5-flash-lite", (2, 5), _LITE_25),
    Model("gemini-2.5-pro", (2, 5), _PRO_25),
    replace(
        _IMAGE,
        name="gemini-2.5-flash-image",
        generation=(2, 5),
        thinking=None,
        input_limit=65_536,
        tools=False,
        json=False,
    ),
    Model("gemini-3-flash-preview", (3, 0), _level("HIGH")),
    Model("gemini-3-pro-preview", (3, 0), _level("HIGH", ("LOW", "HIGH")), retired=True),
    Model("gemini-3.1-pro-preview", (3, 1), _level("HIGH", _NO_MINIMAL)),
    Model("gemini-3.1-pro-preview-customtools", (3, 1), _level("HIGH", _NO_MINIMAL)),
    Model("gemini-3.1-flash-lite", (3, 1), _level("MINIMAL")),
    Model("gemini-3.5-flash", (3, 5), _level("MEDIUM")),
    Model("gemini-3.5-flash-lite", (3, 5), _level("MINIMAL")),
    Model("gemini-3.6-flash", (3, 6), _level("MEDIUM")),
    Model("gemini-3.7-flash", (3, 7), _level("MEDIUM", _NO_MINIMAL)),
    Model("gemini-3.8-flash", (3, 8), _level("MEDIUM", _NO_MINIMAL)),
    Model("gemini-4-argon", (4, 0), _level("MEDIUM", _NO_MINIMAL), output_limit=1_048_576),
    Model("gemini-flash-latest", (3, 6), _level("MEDIUM")),
    Model("gemini-flash-lite-latest", (3, 5), _level("MINIMAL")),
    Model("gemini-pro-latest", (3, 1), _level("HIGH", _NO_MINIMAL)),
    replace(_IMAGE, name="gemini-3-pro-image"),
    replace(_IMAGE, name="gemini-3-pro-image-preview", retired=True),
    replace(_IMAGE, name="nano-banana-pro-preview"),
    replace(_IMAGE, name="gemini-nano-banana-2.1"),
    replace(_IMAGE, name="gemini-3.1-flash-image", generation=(3, 1), thinking=_level("MINIMAL", ("MINIMAL", "HIGH"))),
    replace(
        _IMAGE,
        name="gemini-3.1-flash-lite-image",
        generation=(3, 1),
        input_limit=65_536,
        output_limit=4_096,
        thinking=_level("MINIMAL", ("MINIMAL", "HIGH")),
    ),
    replace(_SPEECH, name="gemini-2.5-flash-preview-tts", generation=(2, 5)),
    replace(_SPEECH, name="gemini-2.5-pro-preview-tts", generation=(2, 5)),
    replace(_SPEECH, name="gemini-3.1-flash-tts-preview", generation=(3, 1)),
    replace(_SPEECH, name="gemini-3.8-flash-tts", generation=(3, 8)),
    replace(_SPEECH, name="gemini-3.8-flash-lite-tts", generation=(3, 8)),
    Model("gemini-3.5-transcribe", (3, 5), input_limit=98_304, output_limit=32_768, tools=False),
    Model("gemini-embedding-001", (1, 0), makes="embedding", input_limit=2_048, output_limit=1),
    Model("gemini-embedding-2", (2, 0), makes="embedding", input_limit=8_192, output_limit=1),
    Model(
        "gemma-3-27b-it",
        (3, 0),
        input_limit=131_072,
        output_limit=8_192,
        gemma=True,
        tools=False,
        json=False,
        system=False,
    ),
    Model("gemma-4-31b-it", (4, 0), input_limit=262_144, output_limit=32_768, gemma=True),
)

MODELS = {model.name: model for model in _KNOWN}

_GEMINI = re.compile(
    r"gemini-(\d+)(?:[.-](\d+))?-(?:[a-z0-9.-]*-)?(?:pro|flash|ultra|nano|argon|exp|image|robotics|computer-use)"
)
_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_GENERATION = re.compile(r"-([1-9])(?:\.(\d))?(?![0-9])")
_LATEST = re.compile(r"gemini-(?:[a-z]+-)*latest$")
_GEMMA = re.compile(r"gemma-?(\d+)n?-")
_EMBEDDING = re.compile(r"(?:gemini-embedding-|text-embedding-|embedding-\d|text-multilingual-embedding-)")
_RETIRED = re.compile(
    r"gemini-1\.|gemini-2\.5-\w+(-lite)?-preview-\d\d-\d\d$|gemini-2\.0-flash-(thinking-)?exp|embedding-001$|text-"
)


def find(name: str, *, lenient: bool = False) -> Model | None:
    """The model of that name (no prefix), or None if the API would answer 404.

    When lenient, retired models exist, and so does every well-formed name: who knows what was served under it.
    """
    model = MODELS.get(name) or _infer(name)
    if lenient:
        return model or _anything(name)
    return None if model is None or model.retired else model


def _anything(name: str) -> Model | None:
    """A model of which only the name is known: its generation, if the name says one."""
    if not _WELL_FORMED.fullmatch(name):
        return None
    said = _GENERATION.search(name)
    generation = (int(said[1]), int(said[2] or 0)) if said else (2, 5)
    return Model(name, generation, _thinking(name, generation), output_limit=0)


def _infer(name: str) -> Model | None:
    if _EMBEDDING.match(name):
        retired = bool(_RETIRED.match(name))
        return Model(name, (2, 0), makes="embedding", input_limit=2_048, output_limit=1, retired=retired)
    if match := _GEMMA.match(name):
        small = int(match[1]) <= 3
        model = Model(name, (int(match[1]), 0), gemma=True, output_limit=0)
        return replace(model, tools=not small, json=not small, system=not small)
    if _LATEST.match(name):
        return Model(name, (3, 6), _level("MEDIUM"))
    match = _GEMINI.match(name)
    if match is None:
        return None
    generation = (int(match[1]), int(match[2] or 0))
    retired = bool(_RETIRED.match(name))
    if re.search(r"-tts|-native-audio", name):
        return replace(_SPEECH, name=name, generation=generation, retired=retired)
    if "-image" in name or "nano-banana" in name:
        new = generation[0] >= 3
        thinking = _IMAGE.thinking if new else None
        return replace(
            _IMAGE, name=name, generation=generation, thinking=thinking, tools=new, json=new, retired=retired
        )
    # 2.0-flash-exp could draw when asked to.
    makes: Literal["text", "image"] = "image" if name.startswith("gemini-2.0-flash-exp") else "text"
    return Model(name, generation, _thinking(name, generation), output_limit=0, makes=makes, retired=retired)


def _thinking(name: str, generation: tuple[int, int]) -> Thinking | None:
    if generation[0] >= 3:
        return _level("HIGH" if "-pro" in name else "MEDIUM", _NO_MINIMAL if "-pro" in name else _ALL)
    if generation == (2, 5):
        return _PRO_25 if "-pro" in name else _LITE_25 if "-lite" in name else _FLASH_25
    return Thinking("budget", "dynamic") if "thinking" in name else None


def describe(model: Model) -> Json:
    """The model as an entry of `GET /models`."""
    words = model.name.replace("-", " ").title().replace("Tts", "TTS")
    entry: Json = {
        "name": f"models/{model.name}",
        "version": "simulated",
        "displayName": words,
        "description": f"[simulated] {words}",
        "inputTokenLimit": model.input_limit,
        "outputTokenLimit": model.output_limit,
        "supportedGenerationMethods": model.methods,
    }
    if model.makes != "embedding":
        entry |= {"temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2}
        if model.thinking:
            entry["thinking"] = True
    return entry
