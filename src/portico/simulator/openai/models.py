"""The models that the OpenAI side plays, and what each of them takes.

A name is read by its family and its suffixes; a name that OpenAI never had is not found. What a family takes is a row of a
table, from recorded traffic where there is any.
"""

import re
from dataclasses import dataclass, replace

from portico.simulator.refusal import Json


@dataclass(frozen=True)
class Model:
    """What one model takes. `efforts` () is a model that does not reason; `default` is its effort when none is asked."""

    name: str
    efforts: tuple[str, ...] = ()
    default: str = "none"
    chat: bool = True
    responses: bool = True
    tools: bool = True
    system: bool = True
    stop: bool = True
    structured: bool = True
    search: bool = False
    """Chat's `web_search_options`."""
    audio: bool = False
    research: bool = False
    dimensions: int = 0
    """Of an embedding; 0 for models that write."""
    shortens: bool = False
    paints: bool = False
    sizes: bool = False
    """Pictures of any size; False: of three."""
    finest: bool = False
    """Pictures of the qualities `xhigh` and `max`."""
    top_p: float = 1.0
    rigid: bool = False
    """Sampling parameters are not taken even at their defaults' side: `unsupported_parameter`, not `unsupported_value`."""
    retired: bool = False
    does: str = ""
    """`speech` or `transcript`: what a model does that only an operation of its own serves."""

    @property
    def reasons(self) -> bool:
        return bool(self.efforts)

    @property
    def writes(self) -> bool:
        return not self.dimensions


_FIVE = ("minimal", "low", "medium", "high")
_O = ("low", "medium", "high")
_FAMILIES: dict[str, Model] = {
    "gpt-3.5-turbo": Model("", structured=False),
    "gpt-4": Model("", structured=False),
    "gpt-4-turbo": Model("", structured=False),
    "gpt-4o": Model(""),
    "chatgpt-4o": Model("", tools=False),
    "gpt-4.1": Model(""),
    "gpt-4.5": Model(""),
    "gpt-audio": Model("", audio=True, responses=False, structured=False),
    "gpt-5": Model("", _FIVE, "medium", stop=False),
    "gpt-5.1": Model("", ("none", *_O), "none", stop=False),
    "gpt-5.2": Model("", ("none", *_O, "xhigh"), "none", stop=False, top_p=0.98),
    "gpt-5.3": Model("", ("none", *_O, "xhigh"), "none", stop=False, top_p=0.98),
    "gpt-5.4": Model("", ("none", *_O, "xhigh"), "none", stop=False, top_p=0.98),
    "gpt-5.5": Model("", ("none", *_O, "xhigh"), "medium", stop=False, top_p=0.98),
    "gpt-5.6": Model("", ("none", *_O, "xhigh", "max"), "medium", stop=False, top_p=0.98),
    "gpt-6": Model("", ("none", *_O, "xhigh", "max"), "medium", stop=False, top_p=0.98),
    "gpt-6-always": Model("", (*_O, "xhigh", "max"), "medium", stop=False),
    "chat-latest": Model("", ("medium",), "medium", stop=False),
    "o1": Model("", _O, "medium", rigid=True, stop=False),
    "o3": Model("", _O, "medium", rigid=True, stop=False),
    "o4": Model("", _O, "medium", rigid=True, stop=False),
    "codex": Model("", _O, "medium", chat=False),
    "text-embedding-3-small": Model("", dimensions=1536, shortens=True),
    "text-embedding-3-large": Model("", dimensions=3072, shortens=True),
    "text-embedding-ada-002": Model("", dimensions=1536),
}
_FAMILY = re.compile(
    r"(?P<family>gpt-3\.5-turbo|gpt-4-turbo|gpt-4o|gpt-4\.1|gpt-4\.5|gpt-4|chatgpt-4o|gpt-audio(?:-1\.5)?|gpt-5(?:\.\d)?"
    r"|gpt-6(?:\.\d)?|chat-latest|o1|o3|o4|codex"
    r"|text-embedding-3-small|text-embedding-3-large|text-embedding-ada-002)"
    r"(?P<size>-mini|-nano|-pro|-astra|-sol|-terra|-luna)?"
    r"(?P<kind>-chat-latest|-chat|-codex-max|-codex-mini|-codex|-search-preview|-audio-preview|-search-api|-deep-research"
    r"|-vision-preview|-1106-preview|-0125-preview|-preview|-latest|-mini-latest|-16k|-instruct)?"
    r"(?P<date>-\d{4}-\d\d-\d\d|-\d{4})?"
)
_ALWAYS = re.compile(r"gpt-6(\.\d)?-astra|gpt-6\.[12]-sol")
"""These think whatever they are told."""
_PAINTER = re.compile(
    r"gpt-image-(?P<line>1-mini|1\.5|1|2|2\.5-sunburst|2\.5-flare|2\.6-sunburst|2\.6-flare)(?:-\d{4}-\d\d-\d\d)?"
    r"|chatgpt-image-latest|dall-e-[23]"
)
_RETIRED = re.compile(
    r"gpt-3\.5-turbo(-16k)?-0(301|613)$|gpt-4-(0314|vision-preview)|o1-(mini|preview)|gpt-4\.5|gpt-image-1$|dall-e"
)
_DATED = r"(-\d{4}-\d\d-\d\d)?"
_OPERATIONS = (
    (re.compile(rf"tts-1(-hd)?(-1106)?|gpt-4o-mini-tts{_DATED}"), "speech"),
    (
        re.compile(rf"whisper-1|gpt-4o(-mini)?-transcribe{_DATED}|gpt-4o-transcribe-diarize|gpt-transcribe"),
        "transcript",
    ),
)
_SNAPSHOTS = {
    "gpt-3.5-turbo": "0125",
    "gpt-4": "0613",
    "gpt-4-turbo": "2024-04-09",
    "gpt-4o": "2024-08-06",
    "gpt-4o-mini": "2024-07-18",
    "gpt-4o-audio-preview": "2025-06-03",
    "gpt-4o-search-preview": "2025-03-11",
    "gpt-4o-mini-search-preview": "2025-03-11",
    "gpt-4.1": "2025-04-14",
    "gpt-4.1-mini": "2025-04-14",
    "gpt-4.1-nano": "2025-04-14",
    "gpt-5": "2025-08-07",
    "gpt-5-mini": "2025-08-07",
    "gpt-5-nano": "2025-08-07",
    "gpt-5.1": "2025-11-13",
    "gpt-5.2": "2025-12-11",
    "gpt-5.4": "2026-03-05",
    "gpt-5.4-mini": "2026-03-17",
    "gpt-5.5": "2026-04-23",
    "o1": "2024-12-17",
    "o1-mini": "2024-09-12",
    "o3": "2025-04-16",
    "o3-mini": "2025-01-31",
    "o3-pro": "2025-06-10",
    "o4-mini": "2025-04-16",
}
LISTED = (
    *("gpt-3.5-turbo", "gpt-4", "gpt-4-turbo", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"),
    *("gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-5-chat-latest", "gpt-5-codex", "gpt-5.1", "gpt-5.2", "gpt-5.4"),
    *("gpt-5.4-mini", "gpt-5.5", "gpt-5.6", "o1", "o3", "o3-mini", "o3-pro", "o4-mini", "gpt-4o-search-preview"),
    *("gpt-6-sol", "gpt-6-luna", "gpt-6-astra", "gpt-6.1-sol", "gpt-6.1-terra", "gpt-6.2-sol", "gpt-6.2-astra"),
    *("chat-latest", "gpt-audio", "gpt-audio-1.5"),
    *(
        "tts-1",
        "tts-1-hd",
        "gpt-4o-mini-tts",
        "whisper-1",
        "gpt-4o-transcribe",
        "gpt-4o-mini-transcribe",
        "gpt-transcribe",
    ),
    *("gpt-4o-audio-preview", "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"),
    *("gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2", "gpt-image-2.5-sunburst", "gpt-image-2.5-flare"),
    *("gpt-image-2.6-sunburst", "gpt-image-2.6-flare", "chatgpt-image-latest"),
)
"""The names `GET /models` gives."""


def find(name: str) -> Model | None:
    """The model of this name, or None."""
    if (painter := _PAINTER.fullmatch(name)) is not None:
        line = painter["line"] or "1"
        retired = bool(_RETIRED.match(name))
        free, finest = line.startswith("2"), line.startswith("2.")
        return Model(name, chat=False, responses=False, paints=True, sizes=free, finest=finest, retired=retired)
    for pattern, does in _OPERATIONS:
        if pattern.fullmatch(name):
            return Model(name, chat=False, responses=False, does=does)
    match = _FAMILY.fullmatch(name)
    if match is None:
        return None
    kind, size = match["kind"] or "", match["size"] or ""
    model = replace(_FAMILIES[_row(name, match["family"])], name=name, retired=bool(_RETIRED.match(name)))
    if kind.startswith("-chat") and model.reasons:
        return replace(model, efforts=(), tools=False, stop=True, default="none")
    if kind.startswith("-codex") or (size == "-pro" and model.reasons):
        efforts = tuple(one for one in model.efforts if one not in ("none", "minimal"))
        return replace(model, efforts=efforts, default="medium", chat=False)
    if kind == "-instruct":
        return replace(model, chat=False, responses=False)
    if kind == "-deep-research":
        return replace(model, chat=False, research=True)
    if kind.startswith("-search"):
        return replace(model, search=True, responses=False)
    if kind == "-audio-preview":
        return replace(model, audio=True, responses=False)
    if name.startswith(("o1-mini", "o1-preview")):
        return replace(model, responses=False, system=False, tools=False)
    if name.startswith("o3-mini"):
        return replace(model, stop=True)
    if name.startswith("gpt-5.3-codex"):
        return replace(model, default="medium")
    return model


def _row(name: str, family: str) -> str:
    """The row of the table that a name of that family is in."""
    if family.startswith("gpt-6"):
        return "gpt-6-always" if _ALWAYS.match(name) else "gpt-6"
    return "gpt-audio" if family.startswith("gpt-audio") else family


def deployed(name: str) -> Model | None:
    """The model of an Azure deployment: the one its name speaks of, a plain one where it speaks of GPT alone."""
    if (known := find(name)) is not None:
        return known
    spoken = [one for one in LISTED if one in name]
    if spoken:
        return find(max(spoken, key=len))
    return find("gpt-4o") if "gpt" in name.lower() else None


def snapshot(name: str) -> str:
    """The dated name an answer tells."""
    if name == "gpt-5.6":
        return "gpt-5.6-sol"
    dated = _SNAPSHOTS.get(name)
    return f"{name}-{dated}" if dated else name


def entry(name: str, created: int) -> Json:
    """One entry of the model list."""
    return {"id": name, "object": "model", "created": created, "owned_by": "system"}
