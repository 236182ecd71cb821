"""One turn of instructor, as its documentation shows: a client made of a vendor's, asked for a value of a model.

Of a shape it is asked three ways: whole; while it comes, in parts that end in the same value; and with a validator that
refuses the first value, so that the model is told why and asked again. A tool is such a shape too: it runs with the second
value, which the model gave after it got a result for its first call.
"""

import json
import sys
from pathlib import Path
from typing import Any

import anthropic
import instructor
import openai
from google import genai
from google.genai.types import HttpOptions
from instructor.core.exceptions import InstructorRetryException
from instructor.processing.multimodal import Image
from pydantic import BaseModel, field_validator, model_validator

TURN = json.loads(sys.argv[1])
ROOT, KEY, API, MODEL = TURN["base_url"], TURN["key"], TURN["api"], TURN["model"]
REFUSED: list[object] = []


class Trip(BaseModel):
    city: str
    days: int


class Doubted(Trip):
    @field_validator("days")
    @classmethod
    def doubted(cls, days: int) -> int:
        if not REFUSED:
            REFUSED.append(days)
            raise ValueError(f"Say once more that it is {TURN['prompt']!r}")
        return days


class WriteFile(BaseModel):
    """Writes a text file."""

    path: str
    content: str

    @model_validator(mode="after")
    def doubted(self) -> "WriteFile":
        """The first is refused, so that the model gets a result of its call before there is a value to run with."""
        if not REFUSED:
            REFUSED.append(self)
            raise ValueError(f"Say once more: {TURN['prompt']}")
        return self

    def run(self) -> str:
        Path(self.path).write_text(self.content, encoding="utf-8")
        return f"{len(self.content)} characters written"


def client() -> Any:
    match API:
        case "openai-tools":
            return instructor.from_openai(openai.OpenAI(base_url=f"{ROOT}/v1", api_key=KEY), mode=instructor.Mode.TOOLS)
        case "openai-json-schema":
            sdk = openai.OpenAI(base_url=f"{ROOT}/v1", api_key=KEY)
            return instructor.from_openai(sdk, mode=instructor.Mode.JSON_SCHEMA)
        case "openai-responses-tools":
            sdk = openai.OpenAI(base_url=f"{ROOT}/v1", api_key=KEY)
            return instructor.from_openai(sdk, mode=instructor.Mode.RESPONSES_TOOLS)
        case "anthropic-tools":
            return instructor.from_anthropic(anthropic.Anthropic(base_url=ROOT, api_key=KEY))
        case "genai-tools":
            google = genai.Client(api_key=KEY, http_options=HttpOptions(base_url=ROOT))
            return instructor.from_genai(google, mode=instructor.Mode.TOOLS)
    raise ValueError(API)


def ask(shape: Any, *, retries: int = 0, method: str = "create", stream: bool = False) -> Any:
    content: Any = TURN["prompt"]
    if TURN["image"]:
        content = [content, Image.from_path(TURN["image"])]
    more: dict[str, Any] = {"stream": True} if stream else {}
    if not API.startswith("genai"):
        more["max_output_tokens" if API == "openai-responses-tools" else "max_tokens"] = 4096
    make = getattr(client(), method)
    messages = [{"role": "user", "content": content}]
    return make(model=MODEL, response_model=shape, messages=messages, max_retries=retries, **more)


def text_of(answer: Any) -> str:
    """Of an answer without a shape, which is the vendor's own, whole or a piece."""
    match API:
        case "openai-tools" | "openai-json-schema":
            choices = [getattr(choice, "delta", None) or choice.message for choice in answer.choices]
            return "".join(choice.content or "" for choice in choices)
        case "openai-responses-tools":
            piece = answer.delta if getattr(answer, "type", "") == "response.output_text.delta" else ""
            return str(getattr(answer, "output_text", piece))
        case "anthropic-tools":
            if hasattr(answer, "content"):
                return "".join(block.text for block in answer.content if block.type == "text")
            return str(getattr(getattr(answer, "delta", None), "text", ""))
        case _:
            return "".join(part.text or "" for part in answer.candidates[0].content.parts or () if not part.thought)


def shaped() -> str:
    trip = ask(Trip)
    parts = [part.model_dump() for part in ask(Trip, method="create_partial")]
    assert parts[-1] == trip.model_dump(), f"the parts end in {parts[-1]}"
    again = ask(Doubted, retries=2)
    assert [trip.days] == REFUSED, f"refused: {REFUSED}"
    assert isinstance(again, Doubted)
    return str(trip.model_dump_json())


def main() -> dict[str, Any]:
    if TURN["check"] == "structured":
        return {"text": shaped()}
    if TURN["tools"] and not TURN["image"]:
        return {"text": ask(WriteFile, retries=2).run()}
    if TURN["stream"]:
        pieces = [text for piece in ask(None, stream=True) if (text := text_of(piece))]
        return {"text": "".join(pieces), "pieces": len(pieces)}
    return {"text": text_of(ask(None))}


try:
    print(json.dumps({"pieces": None, **main()}))
except InstructorRetryException as error:
    sys.exit(f"{type(error).__name__}: {error}")
