"""Clients that run a tool loop, each losing of an answer what real ones lose (clients.md 1).

A `Keep` is what such a client makes of an assistant's message before it sends it back.
"""

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from gateway.house import Answer, House, Json

Keep = Callable[[Json], Json]

TOOLS: list[Json] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"{name} of the project",
            "parameters": {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]},
        },
    }
    for name in ("read_file", "list_files", "run")
]


def stock(message: Json) -> Json:
    """Only what OpenAI's reference knows is kept."""
    left: Json = {"role": "assistant", "content": message.get("content")}
    if "tool_calls" in message:
        left["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {key: call["function"][key] for key in ("name", "arguments")},
            }
            for call in message["tool_calls"]
        ]
    return left


def openclaw(message: Json) -> Json:
    """The same, ids cut to 40 letters and digits, thoughts sent back."""
    left = stock(message)
    for call in left.get("tool_calls", ()):
        call["id"] = re.sub("[^A-Za-z0-9]", "", call["id"])[:40]
    return left | {key: message[key] for key in ("reasoning_content",) if key in message}


def litellm(message: Json) -> Json:
    """No content beside calls, its own fields added, the rest kept."""
    left = {**message, "provider_specific_fields": {"refusal": None}}
    if "tool_calls" in left:
        left.pop("content", None)
    return left


def echo(message: Json) -> Json:
    """Everything is sent back as it came."""
    return message


def continue_(message: Json) -> Json:
    """What it does not know of a call is kept, of a message not."""
    left = stock(message)
    return left | ({"tool_calls": message["tool_calls"]} if "tool_calls" in message else {})


CLIENTS: dict[str, Keep] = {
    "stock": stock,
    "OpenClaw": openclaw,
    "LiteLLM": litellm,
    "Vercel": echo,
    "Continue": continue_,
}

Habit = Callable[[list[Json]], list[Json]]
"""What a client makes of the whole conversation each time before it sends it."""

GOES_ON = "[[sim:steps=9]]"
"""What a client says behind results ends the turn for the simulator, which then calls no tool unless it is asked to."""
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def as_it_is(messages: list[Json]) -> list[Json]:
    return messages


def speaking_up(messages: list[Json]) -> list[Json]:
    """A message of the user's own after the results, as OpenClaw adds one."""
    return [*messages, {"role": "user", "content": f"Now use read_file and run. {GOES_ON}"}]


def showing(messages: list[Json]) -> list[Json]:
    """A picture after the results, as OpenClaw shows what a tool returned."""
    seen = [
        {"type": "text", "text": f"Image(s) from read_file and run {GOES_ON}"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    return [*messages, {"role": "user", "content": seen}] if messages[-1]["role"] == "tool" else messages


def in_parts(messages: list[Json]) -> list[Json]:
    """Results as lists of parts, as qwen-code sends them."""
    return [
        {**one, "content": [{"type": "text", "text": one["content"]}]} if one["role"] == "tool" else one
        for one in messages
    ]


def one_by_one(messages: list[Json]) -> list[Json]:
    """Parallel calls as if they had been made one after another."""
    results = {one["tool_call_id"]: one for one in messages if one["role"] == "tool"}
    told: list[Json] = []
    for one in messages:
        if one.get("tool_calls"):
            for call in one["tool_calls"]:
                told += [{**one, "tool_calls": [call]}, results[call["id"]]]
        elif one["role"] != "tool":
            told.append(one)
    return told


def last_first(messages: list[Json]) -> list[Json]:
    """Results of one turn in the order in which they were ready."""
    told: list[Json] = []
    for is_result, run in groupby(messages, lambda one: one["role"] == "tool"):
        same = list(run)
        told += same[::-1] if is_result else same
    return told


HABITS: dict[str, Habit] = {
    "a word more after results": speaking_up,
    "pictures after results": showing,
    "results in parts": in_parts,
    "calls one by one": one_by_one,
    "results last first": last_first,
}


class Agent:
    """A client with a conversation. Each step is one request; results for every call are added to the conversation."""

    def __init__(
        self,
        house: House,
        text: str,
        *,
        keep: Keep = stock,
        habit: Habit = as_it_is,
        stream: bool = False,
        model: str = "gemini-3.5-flash",
        tools: Sequence[Json] = TOOLS,
        **fields: Any,
    ) -> None:
        self.house = house
        self.keep = keep
        self.habit = habit
        self.stream = stream
        self.model = model
        self.fields = {"tools": list(tools), **fields}
        self.messages: list[Json] = [{"role": "user", "content": text}]
        self.answers: list[Answer] = []

    async def step(self, **how: Any) -> Answer:
        messages = self.habit(self.messages)
        body = {"model": self.model, "messages": messages, "stream": self.stream, **self.fields}
        answer = await self.house.ask(body, **how)
        assert answer.status == 200, answer.body
        if self.stream:
            assert answer.events.done, answer.body
        message = self.keep(answer.events.message if self.stream else answer.message)
        self.answers.append(answer)
        self.messages.append(message)
        for call in message.get("tool_calls", ()):
            self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": f"result of {call['id']}"})
        return answer

    async def finish(self) -> str:
        """Steps until the model calls no more tools: the text it ends with."""
        while True:
            await self.step()
            if not self.calls:
                return str(self.messages[-1]["content"])

    @property
    def calls(self) -> list[Json]:
        """The calls of the last answer."""
        last = next(message for message in reversed(self.messages) if message["role"] == "assistant")
        return list(last.get("tool_calls", ()))

    @property
    def ids(self) -> list[str]:
        """The ids of all calls, as the client keeps them."""
        return [call["id"] for message in self.messages for call in message.get("tool_calls", ())]

    @property
    def codes(self) -> set[str]:
        """Every change that was told of."""
        return {code for answer in self.answers for code in answer.codes}
