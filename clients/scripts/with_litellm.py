"""One turn of LiteLLM as a client, as its documentation shows: completion, streams, a loop of calls, a response format.

Besides what the turn is for, answers must have told what they used and why they ended.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import litellm
from pydantic import BaseModel

TURN = json.loads(sys.argv[1])
BASES = {"openai": "/v1", "gemini": "/v1beta", "anthropic": ""}
TOOL = {
    "type": "function",
    "function": {
        "name": "write_file",
        "description": "Writes a text file",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
            "required": ["path", "content"],
        },
    },
}


class Trip(BaseModel):
    city: str
    days: int


# LiteLLM holds only models that it knows to a schema; of others it asks in words.
litellm.register_model(
    {
        f"{TURN['api']}/{TURN['model']}": {
            "litellm_provider": TURN["api"],
            "mode": "chat",
            "supports_response_schema": True,
            "supports_function_calling": True,
            "supports_vision": True,
        }
    }
)


def write_file(path: str, content: str) -> str:
    Path(path).write_text(content, encoding="utf-8")
    return f"{len(content)} characters written"


def ask(messages: list[Any], **more: Any) -> Any:
    """A whole answer, put together by LiteLLM if it was streamed; with the number of pieces that had text."""
    api = TURN["api"]
    answer: Any = litellm.completion(
        model=f"{api}/{TURN['model']}",
        api_base=f"{TURN['base_url']}{BASES[api]}",
        api_key=TURN["key"],
        messages=messages,
        max_tokens=4096,
        num_retries=0,
        **({"stream": True, "stream_options": {"include_usage": True}} if TURN["stream"] else {}),
        **more,
    )
    pieces = None
    if TURN["stream"]:
        chunks = [*answer]
        pieces = sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in chunks)
        assert len({chunk.id for chunk in chunks}) == 1, "the pieces have different ids"
        answer = litellm.stream_chunk_builder(chunks, messages=messages)
    assert answer.usage.prompt_tokens > 0, f"no usage: {answer.usage}"
    assert answer.usage.completion_tokens > 0, f"no usage: {answer.usage}"
    assert answer.choices[0].finish_reason in ("stop", "tool_calls"), f"ended with {answer.choices[0].finish_reason}"
    return answer.choices[0].message, pieces


def loop(messages: list[Any]) -> str:
    """Runs calls until there are none."""
    for _ in range(5):
        message, _ = ask(messages, tools=[TOOL])
        if not message.tool_calls:
            return str(message.content)
        assert len(message.tool_calls) > (TURN["check"] == "parallel"), f"calls: {message.tool_calls}"
        messages.append(message)
        for call in message.tool_calls:
            told = write_file(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "name": "write_file", "content": told})
    raise SystemExit("no answer in words after five rounds of calls")


def main() -> dict[str, Any]:
    content: Any = TURN["prompt"]
    if TURN["image"]:
        data = base64.b64encode(Path(TURN["image"]).read_bytes()).decode()
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
        content = [{"type": "text", "text": content}, picture]
    messages = [{"role": "user", "content": content}]
    if TURN["tools"] and not TURN["image"]:
        return {"text": loop(messages)}
    if TURN["check"] == "structured":
        message, _ = ask(messages, response_format=Trip)
        return {"text": Trip.model_validate_json(message.content).model_dump_json()}
    message, pieces = ask(messages)
    return {"text": message.content, "pieces": pieces}


try:
    print(json.dumps({"pieces": None, **main()}))
except litellm.exceptions.APIError as error:
    sys.exit(f"{type(error).__name__}")
except litellm.exceptions.NotFoundError as error:
    sys.exit(f"{type(error).__name__}: {error}")
