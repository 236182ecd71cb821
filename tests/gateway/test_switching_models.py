"""A tool loop that changes its model, and with it the vendor, at every turn: signatures, reasoning items and thinking
blocks go back to who made them, and to nobody else, though the client drops what it does not know and shortens ids.

The simulator refuses what Google, OpenAI and Anthropic refuse: a call of the current turn without its signature, a result
without its call, a seal that it did not issue itself.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Protocol

import pytest

from gateway.house import House, Json, open_house
from portico.core.envelope import MARK
from portico.providers import KINDS

THREE = tuple([KINDS[name] for name in ("gemini", "openai", "anthropic")])
MODELS = ("gemini-3.5-flash", "gpt-5.5", "claude-opus-5", "gemini-3.5-flash", "claude-opus-5", "gpt-5.5")
"""Of six requests, the first five of which are answered with two calls each."""
GOOGLES = (
    *("gemini-3.5-flash", "gemini-3.1-pro-preview", "claude-opus-5"),
    *("gemini-3.5-flash", "gemini-2.5-flash", "gemini-2.5-pro"),
)
"""Most of Google's: none reads what another one signed."""
PROMPT = "Look up the weather of two places. [[sim:steps=5]]"
SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
NAMES = ("weather", "forecast")


def shortened(id_: str) -> str:
    """As OpenClaw leaves ids: letters and digits, forty at most."""
    return re.sub(r"[^A-Za-z0-9]", "", id_)[:40]


class Client(Protocol):
    """A client of one dialect that keeps of an answer what it knows."""

    path: str

    def body(self, model: str, *, stream: bool) -> Json: ...

    def take(self, answer: bytes, *, stream: bool) -> int:
        """Takes an answer in, runs its calls, and says how many there were."""


def events(answer: bytes) -> list[Json]:
    lines = answer.decode().replace("\r\n", "\n").split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


class Chat:
    path = "/v1/chat/completions"

    def __init__(self) -> None:
        self._messages: list[Json] = [{"role": "user", "content": PROMPT}]

    def body(self, model: str, *, stream: bool) -> Json:
        tools = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in NAMES]
        return {"model": model, "messages": self._messages, "tools": tools, "stream": stream}

    def take(self, answer: bytes, *, stream: bool) -> int:
        calls = self._streamed(answer) if stream else json.loads(answer)["choices"][0]["message"].get("tool_calls", [])
        if not calls:
            return 0
        kept = [
            {
                "id": shortened(call["id"]),
                "type": "function",
                "function": {"name": call["function"]["name"], "arguments": call["function"]["arguments"]},
            }
            for call in calls
        ]
        self._messages.append({"role": "assistant", "content": None, "tool_calls": kept})
        self._messages += [{"role": "tool", "tool_call_id": call["id"], "content": "sunny"} for call in kept]
        return len(kept)

    def _streamed(self, answer: bytes) -> list[Json]:
        calls: dict[int, Json] = {}
        for event in events(answer):
            for choice in event.get("choices", ()):
                for piece in choice["delta"].get("tool_calls") or ():
                    call = calls.setdefault(piece["index"], {"id": "", "function": {"name": "", "arguments": ""}})
                    call["id"] += piece.get("id") or ""
                    for member in ("name", "arguments"):
                        call["function"][member] += piece["function"].get(member) or ""
        return [calls[index] for index in sorted(calls)]


class Responses:
    path = "/v1/responses"

    def __init__(self) -> None:
        self._input: list[Json] = [{"role": "user", "content": PROMPT}]

    def body(self, model: str, *, stream: bool) -> Json:
        tools = [{"type": "function", "name": name, "parameters": SCHEMA, "strict": False} for name in NAMES]
        return {"model": model, "input": self._input, "tools": tools, "stream": stream, "store": False}

    def take(self, answer: bytes, *, stream: bool) -> int:
        whole = events(answer)[-1]["response"] if stream else json.loads(answer)
        calls = [item for item in whole["output"] if item["type"] == "function_call"]
        for call in calls:
            kept = {name: call[name] for name in ("type", "name", "arguments")}
            self._input.append({**kept, "call_id": shortened(call["call_id"])})
        for call in calls:
            id_ = shortened(call["call_id"])
            self._input.append({"type": "function_call_output", "call_id": id_, "output": "sunny"})
        return len(calls)


class Messages:
    path = "/v1/messages"

    def __init__(self) -> None:
        self._messages: list[Json] = [{"role": "user", "content": PROMPT}]

    def body(self, model: str, *, stream: bool) -> Json:
        tools = [{"name": name, "input_schema": SCHEMA} for name in NAMES]
        return {"model": model, "messages": self._messages, "tools": tools, "stream": stream, "max_tokens": 4000}

    def take(self, answer: bytes, *, stream: bool) -> int:
        blocks = self._streamed(answer) if stream else json.loads(answer)["content"]
        calls = [
            {"type": "tool_use", "id": shortened(block["id"]), "name": block["name"], "input": block["input"]}
            for block in blocks
            if block["type"] == "tool_use"
        ]
        if calls:
            self._messages.append({"role": "assistant", "content": calls})
            results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "sunny"} for call in calls]
            self._messages.append({"role": "user", "content": results})
        return len(calls)

    def _streamed(self, answer: bytes) -> list[Json]:
        blocks: dict[int, Json] = {}
        for event in events(answer):
            if event["type"] == "content_block_start":
                blocks[event["index"]] = {**event["content_block"], "json": ""}
            elif event["type"] == "content_block_delta":
                blocks[event["index"]]["json"] += event["delta"].get("partial_json", "")
        for block in blocks.values():
            if block["type"] == "tool_use":
                block["input"] = json.loads(block["json"] or "{}")
        return [blocks[index] for index in sorted(blocks)]


class ThinkingMessages(Messages):
    """It asks for thoughts as older Claudes take it."""

    def body(self, model: str, *, stream: bool) -> Json:
        budget = {"type": "enabled", "budget_tokens": 2000}
        return {**super().body(model, stream=stream), "max_tokens": 8000, "thinking": budget}


class Gemini:
    def __init__(self) -> None:
        self.path = ""
        self._contents: list[Json] = [{"role": "user", "parts": [{"text": PROMPT}]}]

    def body(self, model: str, *, stream: bool) -> Json:
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        self.path = f"/v1beta/models/{model}:{verb}"
        declarations = [{"name": name, "parametersJsonSchema": SCHEMA} for name in NAMES]
        return {"contents": self._contents, "tools": [{"functionDeclarations": declarations}]}

    def take(self, answer: bytes, *, stream: bool) -> int:
        """Google's own clients bring signatures back: where they were made by Google, and in an envelope of nobody's."""
        bodies = events(answer) if stream else [json.loads(answer)]
        parts = [part for body in bodies for part in body["candidates"][0].get("content", {}).get("parts", ()) if part]
        calls = [part for part in parts if "functionCall" in part]
        if calls:
            self._contents.append({"role": "model", "parts": calls})
            results = [
                {
                    "functionResponse": {
                        "name": part["functionCall"]["name"],
                        "id": part["functionCall"].get("id"),
                        "response": {"output": "sunny"},
                    }
                }
                for part in calls
            ]
            self._contents.append({"role": "user", "parts": results})
        return len(calls)


class KeepingGemini(Gemini):
    """Gemini CLI: it keeps all parts of an answer but the thoughts, and asks for those."""

    def body(self, model: str, *, stream: bool) -> Json:
        return {
            **super().body(model, stream=stream),
            "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
        }

    def take(self, answer: bytes, *, stream: bool) -> int:
        bodies = events(answer) if stream else [json.loads(answer)]
        parts = [part for body in bodies for part in body["candidates"][0].get("content", {}).get("parts", ()) if part]
        told, made = len(self._contents), super().take(answer, stream=stream)
        if made:
            self._contents[told]["parts"] = [part for part in parts if not part.get("thought")]
        return made


async def looped(house: House, client: Any, models: Sequence[str], *, stream: bool) -> list[int]:
    """How many calls each answer had."""
    made = []
    for model in models:
        body = client.body(model, stream=stream)
        headers = {"anthropic-version": "2023-06-01"} if client.path == "/v1/messages" else {}
        answer = await house.ask(body, path=client.path, headers=headers)
        assert answer.status == 200, (model, answer.body[:400])
        assert b'"error":{' not in answer.body
        made.append(client.take(answer.body, stream=stream))
        sent = json.dumps(house.simulator.stats.last.body)
        assert MARK not in sent  # an envelope is for callers, and never for a provider
    return made


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("models", [MODELS, GOOGLES], ids=["of three", "of Google"])
@pytest.mark.parametrize("client", [Chat, Responses, Messages, Gemini, KeepingGemini])
async def test_a_loop_of_five_turns_switches_models_and_completes(
    client: type[Any], models: Sequence[str], stream: bool
) -> None:
    async with open_house(kinds=THREE) as house:
        assert await looped(house, client(), models, stream=stream) == [2, 2, 2, 2, 2, 0]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("before", "claude"),
    [
        ("gpt-4.1", "claude-haiku-4-5"),
        ("gemini-2.5-flash", "claude-haiku-4-5"),
        ("gemini-3.5-flash", "claude-haiku-4-5"),
        ("gpt-4.1", "claude-sonnet-4-6"),
    ],
)
async def test_a_claude_that_must_think_first_takes_over_a_loop_that_began_without_thoughts(
    before: str, claude: str, stream: bool
) -> None:
    async with open_house(kinds=THREE) as house:
        client = ThinkingMessages()
        assert await looped(house, client, [before, claude, claude], stream=stream) == [2, 2, 2]
        assert "thinking" not in house.simulator.stats.last.body
        headers = {"anthropic-version": "2023-06-01"}
        body = client.body(claude, stream=stream)
        answer = await house.ask(body, path=client.path, headers=headers)
        assert "1.7:thinking" in answer.codes
        told = await house.ask(body, path=client.path, headers={**headers, "x-portico-strict": "true"})
        assert told.status == 400
        assert b"must start with a thinking block" in told.body


UNSIGNED: list[Json] = [
    {"role": "model", "parts": [{"functionCall": {"name": NAMES[0], "args": {"city": "Paris"}}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": NAMES[0], "response": {"output": "sunny"}}}]},
]
"""As Gemini 2.5 calls: it needs no signatures."""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_call_that_nobody_signed_is_taken_by_a_model_that_wants_it_signed(stream: bool) -> None:
    async with open_house(kinds=THREE) as house:
        client = Gemini()
        client._contents += UNSIGNED
        answer = await house.ask(client.body("gemini-3.5-flash", stream=stream), path=client.path)
        assert answer.status == 200, answer.body
        assert "thought" in answer.headers["x-portico-changes"]
        told = await house.ask(
            client.body("gemini-3.5-flash", stream=stream), path=client.path, headers={"x-portico-strict": "true"}
        )
        assert told.status == 400
        assert b"is missing a thought_signature" in told.body


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_signature_that_the_gateway_knows_to_be_of_another_model_is_left_out_too(stream: bool) -> None:
    """The first answer is read, and so kept, because the request was said anew for it."""
    async with open_house(kinds=THREE) as house:
        client = Gemini()
        client._contents = [{"role": "user", "parts": [{"text": "The weather? [[sim:steps=1]]"}]}, *UNSIGNED]
        answer = await house.ask(client.body("gemini-3.5-flash", stream=stream), path=client.path)
        bodies = events(answer.body) if stream else [answer.json()]
        said = [part for body in bodies for part in body["candidates"][0]["content"]["parts"]]
        assert any("thoughtSignature" in part for part in said)
        client._contents += [{"role": "model", "parts": said}, {"role": "user", "parts": [{"text": "And?"}]}]
        answer = await house.ask(client.body("gemini-2.5-pro", stream=stream), path=client.path)
        assert answer.status == 200, answer.body
        assert answer.codes == ["2.4:foreign_signature"]


GPTS: list[Json] = [
    {"role": "user", "content": "Hi"},
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbA=="},
    {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Ho"}]},
]
"""A turn that GPT sealed: nobody here knows that it did, and Google is not sent the seal."""


@pytest.mark.parametrize("before", [[], GPTS], ids=["at once", "after a turn of another"])
async def test_a_signature_that_does_not_fit_its_text_any_longer_does_not_end_a_session(before: list[Json]) -> None:
    """Of a stream Gemini 2.5 signs the first piece, and the client sends back the text as a whole. Where the vault has
    forgotten the pieces, Google refuses a signature of its own."""
    path = "/v1/responses"
    async with open_house(kinds=THREE) as house:
        given: list[Json] = [*before, {"role": "user", "content": "The weather? [[sim:steps=1]]"}]
        tools = Responses().body("", stream=True)["tools"]
        body = {"model": "gemini-2.5-flash", "input": given, "tools": tools, "store": False}
        body["include"] = ["reasoning.encrypted_content"]
        for _ in range(2):
            output = events((await house.ask({**body, "stream": True}, path=path)).body)[-1]["response"]["output"]
            calls = [item["call_id"] for item in output if item["type"] == "function_call"]
            given += output
            given += [{"type": "function_call_output", "call_id": id_, "output": "sunny"} for id_ in calls]
        await house.restart()
        given.append({"role": "user", "content": "And?"})
        answer = await house.ask(body, path=path)
        assert answer.status == 200, answer.body
        assert "2.4:foreign_signature" in answer.codes


async def test_a_strict_session_is_told_that_a_signature_is_not_good() -> None:
    async with open_house(kinds=THREE) as house:
        client = Gemini()
        await looped(house, client, ["gemini-3.5-flash"], stream=False)
        body = client.body("gemini-2.5-flash", stream=False)
        answer = await house.ask(body, path=client.path, headers={"x-portico-strict": "true"})
        assert answer.status == 400
        assert b"Thought signature is not valid" in answer.body
