"""Complaints 1, 2, 3: tool loops on models that sign their calls, by clients that keep nothing they do not know.

The simulator is strict: a call of the current turn without its signature is a 400, and so is a moved or altered one.
"""

import base64
import re
from typing import Any

import pytest

from gateway.house import OTHER_KEY, Answer, House, Json, open_house

MODEL = "gemini-3-flash-preview"
ROUNDS = 5
SKIP = "2.4:skip_signature"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]},
        },
    }
    for name in ("read_file", "list_files")
]


def as_openclaw(call_id: str) -> str:
    """Letters and digits only, cut to 40 (clients.md 1)."""
    return re.sub("[^A-Za-z0-9]", "", call_id)[:40]


def kept(message: Json) -> Json:
    """What is left of a message in a client that drops every field it does not know and mends ids."""
    left: Json = {"role": message["role"], "content": message["content"]}
    if "tool_calls" in message:
        left["tool_calls"] = [
            {
                "id": as_openclaw(call["id"]),
                "type": call["type"],
                "function": {"name": call["function"]["name"], "arguments": call["function"]["arguments"]},
            }
            for call in message["tool_calls"]
        ]
    return left


class OpenClaw:
    """A raw client with a conversation."""

    def __init__(self, house: House, text: str, *, stream: bool, model: str = MODEL) -> None:
        self.house = house
        self.stream = stream
        self.model = model
        self.messages: list[Json] = [{"role": "user", "content": text}]
        self.ids: list[str] = []

    async def step(self, **how: Any) -> Answer:
        """One request; the answer and results for its calls are added to the conversation."""
        body = {"model": self.model, "messages": self.messages, "tools": TOOLS, "stream": self.stream}
        answer = await self.house.ask(body, **how)
        assert answer.status == 200, answer.body
        if self.stream:
            assert answer.events.done
        message = kept(answer.events.message if self.stream else answer.message)
        self.ids += [call["id"] for call in message.get("tool_calls", ())]
        self.messages.append(message)
        for call in message.get("tool_calls", ()):
            self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": f"result of {call['id']}"})
        return answer

    @property
    def calls(self) -> list[Json]:
        return list(self.messages[-1].get("tool_calls", ()))

    def says(self, text: str) -> None:
        self.messages.append({"role": "user", "content": text})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", [MODEL, "gemini-3.5-flash", "gemini-3.1-pro-preview-high"])
async def test_a_tool_loop_of_five_turns_survives_a_client_that_drops_fields_and_mends_ids(
    stream: bool, model: str
) -> None:
    async with open_house() as house:
        client = OpenClaw(house, f"Look around [[sim:steps={ROUNDS}]][[sim:calls=3]]", stream=stream, model=model)
        for _ in range(ROUNDS):
            answer = await client.step()
            assert SKIP not in answer.codes
            assert client.messages[-1]["role"] == "tool"
        answer = await client.step()
        assert SKIP not in answer.codes
        assert client.messages[-1]["content"].startswith("[simulated] Done")
        assert len(set(client.ids)) == len(client.ids) == 3 * ROUNDS
        assert house.simulator.stats.refused == 0


async def test_ids_are_short_and_hold_no_data() -> None:
    async with open_house() as house:
        body = {"model": MODEL, "messages": [{"role": "user", "content": "read_file"}], "tools": TOOLS}
        message = (await house.ask(body)).message
        assert all(re.fullmatch("call_[A-Za-z0-9]{24}", call["id"]) for call in message["tool_calls"])
        signature = message["tool_calls"][0]["extra_content"]["google"]["thought_signature"]
        assert signature not in message["tool_calls"][0]["id"]


@pytest.mark.parametrize("stream", [False, True])
async def test_the_provider_gets_its_own_ids_and_every_signature_where_it_was(stream: bool) -> None:
    async with open_house() as house:
        client = OpenClaw(house, "Look [[sim:steps=2]][[sim:talk]]", stream=stream)
        for _ in range(3):
            await client.step()
        contents = house.simulator.stats.last.body["contents"]
        model_turns = [content["parts"] for content in contents if content["role"] == "model"]
        assert len(model_turns) == 2
        for parts in model_turns:
            calls = [part for part in parts if "functionCall" in part]
            assert ["thoughtSignature" in call for call in calls] == [True, False]
            assert all(len(call["functionCall"]["id"]) == 8 for call in calls)
        asked = [part["functionCall"]["id"] for parts in model_turns for part in parts if "functionCall" in part]
        results = [
            part["functionResponse"]["id"] for c in contents for part in c["parts"] if "functionResponse" in part
        ]
        assert asked == results


@pytest.mark.parametrize("stream", [False, True])
async def test_after_a_restart_the_skip_value_stands_in_and_that_is_said(stream: bool) -> None:
    async with open_house() as house:
        client = OpenClaw(house, f"Look around [[sim:steps={ROUNDS}]]", stream=stream)
        await client.step()
        await client.step()
        await house.restart()
        answer = await client.step()
        assert SKIP in answer.codes
        while client.messages[-1]["role"] == "tool":
            answer = await client.step()
        assert client.messages[-1]["content"].startswith("[simulated] Done")
        assert house.simulator.stats.refused == 0


async def test_calls_made_after_a_restart_need_no_skip_value_of_their_own() -> None:
    async with open_house() as house:
        client = OpenClaw(house, "Look [[sim:steps=3]]", stream=False)
        await client.step()
        await house.restart()
        await client.step()
        first = await client.step()
        sent = [
            part["thoughtSignature"]
            for content in house.simulator.stats.last.body["contents"]
            for part in content["parts"]
            if "functionCall" in part and "thoughtSignature" in part
        ]
        assert first.codes.count(SKIP) == 1
        assert len(set(sent)) == len(sent) == 2


async def test_one_tenant_cannot_use_what_is_kept_for_another() -> None:
    async with open_house() as house:
        client = OpenClaw(house, "Look [[sim:steps=2]]", stream=False)
        await client.step()
        history = list(client.messages)
        stolen = await client.step(key=OTHER_KEY)
        assert SKIP in stolen.codes
        client.messages = history
        assert SKIP not in (await client.step()).codes


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_that_changes_the_model_family_and_comes_back_works(stream: bool) -> None:
    async with open_house() as house:
        client = OpenClaw(house, "Look [[sim:steps=1]]", stream=stream)
        for model in (MODEL, "gemini-2.5-flash", MODEL, "gemini-2.5-pro", "gemini-3.5-flash"):
            client.model = model
            client.says(f"Again with {model} [[sim:steps=1]]")
            while "role" in client.messages[-1] and client.messages[-1]["role"] != "assistant":
                await client.step()
        assert house.simulator.stats.refused == 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("models", [(MODEL, "gemini-2.5-flash", MODEL), ("gemini-2.5-flash", MODEL, "gemini-2.5-pro")])
async def test_the_family_may_change_within_one_tool_loop(models: tuple[str, ...], stream: bool) -> None:
    """Signatures of another family are not forwarded; where one is needed the skip value stands in."""
    async with open_house() as house:
        client = OpenClaw(house, "Look [[sim:steps=3]]", stream=stream)
        said = []
        for model in (*models, models[0]):
            client.model = model
            said.append(SKIP in (await client.step()).codes)
        assert client.messages[-1]["content"].startswith("[simulated] Done")
        assert house.simulator.stats.refused == 0
        assert any(said)


async def test_a_client_that_echoes_the_signature_needs_no_vault() -> None:
    """`extra_content` alone is enough: the vault is empty after the restart."""
    async with open_house() as house:
        body: Json = {
            "model": MODEL,
            "messages": [{"role": "user", "content": "Look [[sim:steps=2]]"}],
            "tools": TOOLS,
        }
        message = (await house.ask(body)).message
        await house.restart()
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "fine"} for call in message["tool_calls"]]
        answer = await house.ask({**body, "messages": [*body["messages"], message, *results]})
        assert answer.status == 200
        assert SKIP not in answer.codes
        assert house.simulator.stats.refused == 0


async def test_an_edited_history_gets_the_signatures_of_the_calls_that_are_left() -> None:
    """The client throws the first of two parallel calls away; the other one was never signed."""
    async with open_house() as house:
        client = OpenClaw(house, "Look [[sim:steps=2]][[sim:talk]]", stream=False)
        await client.step()
        assistant = next(message for message in client.messages if message["role"] == "assistant")
        dropped, left = assistant["tool_calls"]
        assistant["tool_calls"] = [left]
        assistant["content"] = None
        client.messages = [message for message in client.messages if message.get("tool_call_id") != dropped["id"]]
        answer = await client.step()
        assert SKIP in answer.codes
        assert house.simulator.stats.refused == 0


async def test_the_signature_of_a_text_comes_back_by_its_text_alone() -> None:
    async with open_house() as house:
        body: Json = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
        message = kept((await house.ask(body)).message)
        again = {"role": "user", "content": "Again"}
        await house.ask({**body, "messages": [*body["messages"], message, again]})
        told = house.simulator.stats.last.body["contents"][1]["parts"]
        assert [part for part in told if part.get("thoughtSignature")]


FOREIGN = base64.b64encode(b"made by nobody we know").decode()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("signature", [FOREIGN, "not base64 at all!"])
async def test_a_signature_that_nobody_vouches_for_and_google_refuses_is_replaced(signature: str, stream: bool) -> None:
    """Complaint 3: a stale or foreign signature must not kill the chat; it is not forwarded twice."""
    call: Json = {"id": "call_foreign", "type": "function", "function": {"name": "find_city", "arguments": "{}"}}
    call["extra_content"] = {"google": {"thought_signature": signature}}
    async with open_house() as house:
        history = [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_foreign", "content": "Paris"},
        ]
        answer = await house.ask({"model": MODEL, "messages": history, "stream": stream})
        assert answer.status == 200
        assert "2.4:skip_signature" in answer.codes
        assert house.simulator.stats.answered == 1
