"""Counting tokens the simulator's way: four bytes of UTF-8 a token, a flat price for media.

Usage obeys the identities recorded of Google: total = prompt + candidates + thoughts + toolUse, the details sum to their
count, what is cached lies inside the prompt, and a count of nothing is absent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portico.simulator.models import Model
from portico.simulator.refusal import Json
from portico.simulator.signatures import canonical

BYTES_PER_TOKEN = 4

_MEDIA = {"image": ("IMAGE", 258), "audio": ("AUDIO", 32), "video": ("VIDEO", 263), "application": ("DOCUMENT", 258)}


def count(text: str) -> int:
    """The tokens of a text; "" has none."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


def clip(text: str, tokens: int) -> str:
    """The longest beginning of `text` that counts at most `tokens`."""
    data = text.encode("utf-8", "surrogatepass")[: tokens * BYTES_PER_TOKEN]
    return data.decode("utf-8", "ignore")


@dataclass(frozen=True)
class Prompt:
    """The input side of a call: tokens by modality, and how many of them came from a cache."""

    by_modality: tuple[tuple[str, int], ...]
    cached: tuple[tuple[str, int], ...] = ()

    @property
    def total(self) -> int:
        return sum(tokens for _, tokens in self.by_modality)

    @property
    def details(self) -> list[Json]:
        return _details(self.by_modality)


@dataclass(frozen=True)
class Tally:
    """What a call has spent beside its prompt as sent.

    `tool` is what built-in tools gave the model to read; `replayed` the thoughts from before such a tool ran, which
    generation 3 reads again as prompt (recorded: 20 + 69 thoughts became a prompt of 89).
    """

    visible: int = 0
    thoughts: int = 0
    tool: int = 0
    replayed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.visible + other.visible,
            self.thoughts + other.thoughts,
            self.tool + other.tool,
            self.replayed + other.replayed,
        )


def prompt(request: Json, model: Model, cached: Sequence[tuple[str, int]] = ()) -> Prompt:
    """What a GenerateContentRequest (as `grammar.read` gives it) costs to read; `cached` is what a cache adds to it."""
    counts: dict[str, int] = {"TEXT": 0}
    contents = [*request.get("contents", []), request.get("systemInstruction") or {}]
    for content in contents:
        for part in content.get("parts", []):
            _add(part, counts, model)
    if request.get("tools"):
        counts["TEXT"] += count(canonical(request["tools"]))
    for name, tokens in cached:
        counts[name] = counts.get(name, 0) + tokens
    return Prompt(tuple((name, tokens) for name, tokens in counts.items() if tokens), tuple(cached))


def _details(by_modality: Sequence[tuple[str, int]]) -> list[Json]:
    return [{"modality": name, "tokenCount": tokens} for name, tokens in by_modality if tokens]


def _add(part: Json, counts: dict[str, int], model: Model) -> None:
    blobs = [part.get("inlineData") or part.get("fileData")]
    result = part.get("functionResponse") or {}
    blobs += [inner.get("inlineData") or inner.get("fileData") for inner in result.get("parts", [])]
    for blob in blobs:
        if blob is None:
            continue
        kind = blob.get("mimeType", "").partition("/")[0]
        if kind == "text":
            counts["TEXT"] += max(1, len(blob.get("data", "")) * 3 // 4 // BYTES_PER_TOKEN)
            continue
        name, tokens = _MEDIA.get(kind, ("VIDEO", 263))
        if name == "DOCUMENT" and model.modern:  # recorded: a PDF counts as IMAGE on Gemini 3
            name = "IMAGE"
        if name == "IMAGE" and model.modern:
            tokens = 1120
        counts[name] = counts.get(name, 0) + tokens
    text = part.get("text", "")
    counts["TEXT"] += count(text) + (0 if text else _rest(part))


def _rest(part: Json) -> int:
    others = {key: value for key, value in part.items() if key not in _NOT_READ}
    if "functionResponse" in others:
        others["functionResponse"] = {key: value for key, value in others["functionResponse"].items() if key != "parts"}
    return count(canonical(others)) if others else 0


_NOT_READ = {"inlineData", "fileData", "thought", "thoughtSignature", "text", "videoMetadata", "mediaResolution"}


def usage(read: Prompt, spent: Tally, *, tier: str, vertex: bool, made: Sequence[tuple[str, int]] = ()) -> Json:
    """A usageMetadata. `made` is the visible output by modality, given where Google details it."""
    prompt_count = read.total + spent.replayed
    result: Json = {"promptTokenCount": prompt_count}
    if spent.visible:
        result["candidatesTokenCount"] = spent.visible
    result["totalTokenCount"] = prompt_count + spent.visible + spent.thoughts + spent.tool
    by_modality = dict(read.by_modality)
    if spent.replayed:
        by_modality["TEXT"] = by_modality.get("TEXT", 0) + spent.replayed
    if by_modality:
        result["promptTokensDetails"] = _details(tuple(by_modality.items()))
    if read.cached:
        result["cachedContentTokenCount"] = sum(tokens for _, tokens in read.cached)
        result["cacheTokensDetails"] = _details(read.cached)
    if spent.visible and (details := _details(made)):
        result["candidatesTokensDetails"] = details
    if spent.tool:
        result["toolUsePromptTokenCount"] = spent.tool
        result["toolUsePromptTokensDetails"] = _details((("TEXT", spent.tool),))
    if spent.thoughts:
        result["thoughtsTokenCount"] = spent.thoughts
    result |= {"trafficType": "ON_DEMAND"} if vertex else {"serviceTier": tier}
    return result


def of(value: Any) -> int:
    """The tokens of a JSON value."""
    return count(canonical(value))
