"""Recorded exchanges as cases. The folder is `PORTICO_RECORDINGS`, by default `../shared/recordings` beside the project.

An exchange is judged if a dialect of ours speaks its endpoint. How far it can be trusted is its `fidelity`: laws hold for
what was on the wire; what a source project shaped by hand is hostile input, which must only be survived.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from portico.catalog import load_catalog
from portico.core.dialect import Dialect, Reading
from portico.core.target import Target
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.relay.prepare import target_at
from portico.wire import jsontext
from portico.wire.sse import Frame

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("PORTICO_RECORDINGS") or ROOT.parent / "shared" / "recordings")

DIALECTS: dict[str, Dialect] = {
    d.name: d for d in (openai_chat.DIALECT, openai_responses.DIALECT, anthropic_messages.DIALECT, gemini.DIALECT)
}
DIALECT_OF_KIND = {
    "gemini": "gemini",
    "vertex": "gemini",
    "openai": "openai_chat",
    "openai_responses": "openai_responses",
    "gemini_openai_compat": "openai_chat",
    "anthropic": "anthropic_messages",
}
_PROVIDERS = {"vertex": "vertex", "anthropic": "anthropic"}
"""Kind of recording -> the kind of provider that it is of; the others are read as if they had been for Gemini."""
FOREIGN = {
    ("", "openai_responses"): ("gpt-5.5", "openai"),
    ("", "anthropic_messages"): ("claude-sonnet-4-5", "anthropic"),
    ("anthropic_messages", "gemini"): ("gemini-3.5-flash", "gemini"),
    ("anthropic_messages", "openai_chat"): ("gpt-4.1", "openai"),
}
"""(recorded dialect, or "" for any other, dialect) -> a model that stands for those that are asked in it."""
TRUSTED = {"wire", "wire_redacted"}


@dataclass(frozen=True)
class Exchange:
    """One recorded exchange."""

    raw: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.raw["id"])

    @property
    def kind(self) -> str:
        return str(self.raw["bucket"])

    @property
    def trusted(self) -> bool:
        return self.raw["fidelity"] in TRUSTED

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[DIALECT_OF_KIND[self.kind]]

    @property
    def model(self) -> str:
        name = str(self.raw.get("model") or "")
        return name.removeprefix("models/") or "gemini-2.5-flash"

    @property
    def request(self) -> Any:
        return self.raw.get("request")

    @property
    def status(self) -> int:
        return int(self.raw["response"]["status"])

    @property
    def body(self) -> Any:
        return self.raw["response"].get("body")

    @property
    def frames(self) -> list[Frame] | None:
        """The events of a recorded stream; a stream asked for as one JSON array is a stream too."""
        sse = self.raw["response"].get("sse")
        if sse is None and self.raw["streaming"] and isinstance(self.body, list):
            sse = self.body
        if sse is None:
            return None
        return [Frame(event.encode() if isinstance(event, str) else jsontext.encode(event)) for event in sse]

    @property
    def target(self) -> Target:
        """The model it was sent to, with what we know of it."""
        kind = _PROVIDERS.get(self.kind, "gemini")
        return Target(self.model, kind, load_catalog().capabilities_for(self._answering_model, kind))

    def target_in(self, dialect: Dialect) -> Target:
        """A model that is asked in this dialect: the recorded one, else one that the dialect's vendor serves."""
        if dialect is self.dialect:
            return self.own_target
        found = FOREIGN.get((self.dialect.name, dialect.name)) or FOREIGN.get(("", dialect.name))
        if found is not None:
            model, kind = found
            return Target(model, kind, load_catalog().capabilities_for(model, kind))
        return self.target

    @property
    def own_target(self) -> Target:
        """The same for a caller who speaks the provider's own dialect."""
        return target_at(self.dialect, self.dialect, self.model, self.target.provider_kind, self.target.capabilities)

    @property
    def _answering_model(self) -> str:
        """An alias moves with time: it is judged as the model that answered when it was recorded."""
        bodies = [self.body, *(self.raw["response"].get("sse") or ())]
        versions = [body["modelVersion"] for body in bodies if isinstance(body, dict) and body.get("modelVersion")]
        return str(versions[0]).removeprefix("models/") if versions and self.model.endswith("-latest") else self.model

    def reading(self) -> Reading:
        """A reader's context, with ids that count."""
        return Reading(mint=_counter().__next__)


def _counter() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"call_{number:024d}"


def in_scope(raw: dict[str, Any]) -> bool:
    """Whether a dialect of ours speaks this endpoint."""
    endpoint = str(raw.get("endpoint") or "")
    if raw["bucket"] == "openai_responses":
        return endpoint == "/v1/responses" and raw["method"] == "POST"
    if DIALECT_OF_KIND.get(raw["bucket"]) == "openai_chat":
        return endpoint.endswith("/chat/completions")
    if raw["bucket"] == "anthropic":
        return endpoint.endswith("/messages")
    return raw["bucket"] in DIALECT_OF_KIND and endpoint.rsplit(":", 1)[-1] in (
        "generateContent",
        "streamGenerateContent",
    )


def files() -> list[Path]:
    """Every file of recordings in a kind we speak."""
    return sorted(path for kind in DIALECT_OF_KIND for path in FOLDER.glob(f"{kind}/*.jsonl"))


@cache
def exchanges(path: Path) -> list[Exchange]:
    """The exchanges of a file that are in scope."""
    with path.open(encoding="utf-8") as lines:
        raws = [json.loads(line) for line in lines]
    return [Exchange(raw) for raw in raws if in_scope(raw)]
