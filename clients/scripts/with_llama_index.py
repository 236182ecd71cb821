"""One turn of LlamaIndex with `OpenAILike`, as its documentation shows: complete, stream, an agent with functions, a
structured LLM, and a message of blocks.

Besides what the turn is for, answers must have told what they used and why they ended.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import openai
from llama_index.core.agent.workflow import FunctionAgent, ToolCallResult
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

TURN = json.loads(sys.argv[1])


class Trip(BaseModel):
    """A trip."""

    city: str
    days: int


def write_file(path: str, content: str) -> str:
    """Writes a text file."""
    Path(path).write_text(content, encoding="utf-8")
    return f"{len(content)} characters written"


def llm() -> OpenAILike:
    return OpenAILike(
        model=TURN["model"],
        api_base=f"{TURN['base_url']}/v1",
        api_key=TURN["key"],
        max_retries=0,
        max_tokens=4096,
        context_window=1_048_576,
        is_chat_model=True,
        is_function_calling_model=True,
        should_use_structured_outputs=TURN["check"] == "structured",
        additional_kwargs={"stream_options": {"include_usage": True}} if TURN["check"] == "stream" else {},
    )


async def agent() -> str:
    """The answer after all calls; those of a first answer ran at once."""
    handler = FunctionAgent(tools=[write_file], llm=llm(), streaming=TURN["stream"]).run(TURN["prompt"])
    ids = [event.tool_id async for event in handler.stream_events() if isinstance(event, ToolCallResult)]
    assert len(set(ids)) == len(ids) > (TURN["check"] == "parallel"), f"calls that ran: {ids}"
    return str(await handler)


def used(raw: Any, *, finish: bool = True) -> None:
    """What an answer told of itself, as the SDK beneath it read it."""
    assert raw.usage is not None, "no usage"
    assert raw.usage.prompt_tokens > 0, f"no usage: {raw.usage}"
    assert raw.usage.total_tokens > raw.usage.prompt_tokens, f"no usage: {raw.usage}"
    assert not finish or raw.choices[0].finish_reason == "stop", f"ended with {raw.choices[0].finish_reason}"


def main() -> dict[str, Any]:
    if TURN["image"]:
        blocks = [TextBlock(text=TURN["prompt"]), ImageBlock(path=TURN["image"])]
        answer = llm().chat([ChatMessage(role="user", blocks=blocks)])
        used(answer.raw)
        return {"text": answer.message.content}
    if TURN["check"] == "structured":
        trip = llm().as_structured_llm(Trip).complete(TURN["prompt"]).raw
        assert isinstance(trip, Trip), type(trip)
        return {"text": trip.model_dump_json()}
    if TURN["tools"]:
        return {"text": asyncio.run(agent())}
    if not TURN["stream"]:
        whole = llm().complete(TURN["prompt"])
        used(whole.raw)
        return {"text": whole.text}
    pieces = [*llm().stream_complete(TURN["prompt"])]
    used(pieces[-1].raw, finish=False)
    return {"text": pieces[-1].text, "pieces": len([piece for piece in pieces if piece.delta])}


try:
    print(json.dumps({"pieces": None, **main()}))
except openai.APIStatusError as error:
    expected = TURN["check"] != "error" or isinstance(error, openai.NotFoundError)
    sys.exit(f"{type(error).__name__}: {error}" if expected else type(error).__name__)
