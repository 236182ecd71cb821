"""One turn of pydantic-ai, as its documentation shows: an agent that runs, streams, calls tools, and answers in a shape.

Besides what the turn is for, each answer must have told what it used and why it ended, and a stream must have been one
answer: pydantic-ai gives up on a Gemini stream whose chunks have different ids.
"""

import asyncio
import json
import sys
from pathlib import Path

from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

TURN = json.loads(sys.argv[1])
ROOT, KEY = TURN["base_url"], TURN["key"]


class Trip(BaseModel):
    city: str
    days: int


def write_file(path: str, content: str) -> str:
    """Writes a text file.

    Args:
        path: Where to write.
        content: What to write.
    """
    Path(path).write_text(content, encoding="utf-8")
    return f"{len(content)} characters written"


def model(name: str) -> Model:
    match TURN["api"]:
        case "openai-chat":
            return OpenAIChatModel(name, provider=OpenAIProvider(base_url=f"{ROOT}/v1", api_key=KEY))
        case "openai-responses":
            return OpenAIResponsesModel(name, provider=OpenAIProvider(base_url=f"{ROOT}/v1", api_key=KEY))
        case "google":
            return GoogleModel(name, provider=GoogleProvider(base_url=ROOT, api_key=KEY))
        case "anthropic":
            return AnthropicModel(name, provider=AnthropicProvider(base_url=ROOT, api_key=KEY))
    raise ValueError(TURN["api"])


def looked(messages: list[ModelMessage]) -> None:
    answers = [one for one in messages if isinstance(one, ModelResponse)]
    assert answers, "no answer among the messages"
    for answer in answers:
        assert answer.usage.input_tokens > 0, f"an answer without usage: {answer.usage}"
        assert answer.usage.output_tokens > 0, f"an answer without usage: {answer.usage}"
        assert answer.finish_reason in ("stop", "tool_call"), f"an answer ended with {answer.finish_reason}"
        assert answer.provider_response_id, "an answer without an id"
    if TURN["check"] == "parallel":
        ids = {part.tool_call_id for part in answers[0].parts if isinstance(part, ToolCallPart)}
        assert len(ids) > 1, f"calls of the first answer: {ids}"


async def main() -> dict[str, object]:
    tools = [write_file] if TURN["tools"] and not TURN["image"] else []
    agent = Agent(model(TURN["model"]), tools=tools, output_type=Trip if TURN["check"] == "structured" else str)
    asked: list[str | BinaryContent] = [TURN["prompt"]]
    if TURN["image"]:
        asked.append(BinaryContent(data=Path(TURN["image"]).read_bytes(), media_type="image/png"))
    if not TURN["stream"]:
        run = await agent.run(asked)
        looked(run.all_messages())
        return {"text": run.output.model_dump_json() if isinstance(run.output, Trip) else run.output, "pieces": None}
    async with agent.run_stream(asked) as streamed:
        pieces = [piece async for piece in streamed.stream_text(delta=True, debounce_by=None)]
    looked(streamed.all_messages())
    return {"text": "".join(pieces), "pieces": len(pieces)}


try:
    print(json.dumps(asyncio.run(main())))
except ModelHTTPError as error:
    expected = TURN["check"] != "error" or error.status_code == 404
    sys.exit(f"{type(error).__name__}: {error}" if expected else f"status {error.status_code}")
