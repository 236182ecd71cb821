"""Complaints 1, 2, 3 and 5 of complaints.md: tool loops, their ids and signatures, and parallel calls in streams.

The simulator is strict: a call of the current turn without its signature is a 400, and so is a moved or altered one.
"""

import base64
import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.agents import CLIENTS, HABITS, TOOLS, Agent, openclaw
from gateway.cutting import Cut
from gateway.house import Events, Json, Script, chat, fails, house_in_a_thread, open_house
from gateway.test_gateway_fuzz import Caller

NEWEST, NEW, OLD = "gemini-3.5-flash", "gemini-3-flash-preview", "gemini-2.5-flash"
SKIP = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
SKIPPED, FOREIGN = "2.4:skip_signature", "2.4:foreign_signature"
BOTH_WAYS = pytest.mark.parametrize("stream", [False, True])


def signatures(body: Json) -> list[str | None]:
    """The signature of the first call of every turn of the model's that called."""
    turns = [[part for part in one["parts"] if "functionCall" in part] for one in body["contents"]]
    return [calls[0].get("thoughtSignature") for calls in turns if calls]


def calling(signature: str = "", **fields: Any) -> list[Json]:
    """A call that was made elsewhere, and its result."""
    call: Json = {"id": "call_foreign", "type": "function", "function": {"name": "read_file", "arguments": "{}"}}
    if signature:
        call["extra_content"] = {"google": {"thought_signature": signature}}
    return [
        {"role": "assistant", "content": None, "tool_calls": [call], **fields},
        {"role": "tool", "tool_call_id": "call_foreign", "content": "fine"},
    ]


# -- 1: signatures that clients drop -----------------------------------------------------------------------------------


@BOTH_WAYS
@pytest.mark.parametrize("model", [NEW, NEWEST, "gemini-3.1-pro-preview"])
@pytest.mark.parametrize("client", CLIENTS)
async def test_complaint_1_a_stock_client_that_drops_signatures_finishes_its_tool_loop(
    client: str, model: str, stream: bool
) -> None:
    async with open_house() as house:
        agent = Agent(house, "Look [[sim:steps=4]][[sim:talk]]", keep=CLIENTS[client], stream=stream, model=model)
        assert (await agent.finish()).startswith("[simulated] Done")
        assert len(agent.answers) == 5
        assert house.simulator.stats.refused == 0
        assert not {SKIPPED, FOREIGN} & agent.codes
        told = signatures(house.simulator.stats.last.body)
        assert len(told) == 4
        assert not {None, SKIP} & set(told)


@BOTH_WAYS
@pytest.mark.parametrize("habit", HABITS)
async def test_complaint_1_whatever_a_client_makes_of_the_conversation_its_tool_loop_goes_on(
    habit: str, stream: bool
) -> None:
    async with open_house() as house:
        agent = Agent(house, "Look [[sim:steps=9]][[sim:calls=2]]", habit=HABITS[habit], stream=stream)
        for _ in range(3):
            await agent.step()
        assert len(agent.ids) == 6
        assert house.simulator.stats.refused == 0
        # Two calls of one turn have one signature: sent as two turns, the second has to do without.
        assert agent.codes == ({SKIPPED} if habit == "calls one by one" else set())


@BOTH_WAYS
async def test_complaint_1_what_the_user_says_next_does_not_lose_them(stream: bool) -> None:
    async with open_house() as house:
        agent = Agent(house, "Look [[sim:steps=2]]", stream=stream)
        for more in ("And again [[sim:steps=2]]", "And once more [[sim:steps=1]]"):
            await agent.finish()
            agent.messages.append({"role": "user", "content": more})
        await agent.finish()
        assert house.simulator.stats.refused == 0
        assert SKIPPED not in agent.codes


@BOTH_WAYS
async def test_complaint_1_a_history_that_nobody_signed_goes_with_googles_skip_value_and_that_is_said(
    stream: bool,
) -> None:
    async with open_house() as house:
        agent = Agent(house, "Look", stream=stream)
        agent.messages += calling()
        answer = await agent.step()
        assert signatures(house.simulator.stats.last.body) == [SKIP]
        assert [(item["code"], item["path"]) for item in answer.changes] == [(SKIPPED, "$.messages[1]")]
        assert house.simulator.stats.refused == 0


# -- 2: ids -----------------------------------------------------------------------------------------------------------


@BOTH_WAYS
async def test_complaint_2_ids_are_short_plain_and_differ_and_nothing_is_hidden_in_them(stream: bool) -> None:
    async with open_house() as house:
        agent = Agent(house, "Look [[sim:steps=6]][[sim:calls=3]]", stream=stream)
        await agent.finish()
        messages = [(one.events.message if stream else one.message) for one in agent.answers]
        calls = [call for message in messages for call in message.get("tool_calls", ())]
        ids = [call["id"] for call in calls]
        assert len(ids) == 18
        assert all(re.fullmatch("[A-Za-z0-9_]{1,40}", id_) for id_ in ids)
        assert len({re.sub("[^A-Za-z0-9]", "", id_)[:40] for id_ in ids}) == len(ids)
        hidden = [call["extra_content"]["google"]["thought_signature"] for call in calls if "extra_content" in call]
        assert hidden
        assert not any(signature[:8] in id_ for signature in hidden for id_ in ids)


@BOTH_WAYS
async def test_complaint_2_a_client_that_strips_ids_finishes_its_loop(stream: bool) -> None:
    async with open_house() as house:
        agent = Agent(house, "Look [[sim:steps=3]][[sim:calls=3]]", keep=openclaw, stream=stream)
        await agent.finish()
        assert all(id_.isalnum() for id_ in agent.ids)
        assert len(set(agent.ids)) == len(agent.ids) == 9
        assert (house.simulator.stats.refused, agent.codes) == (0, set())
        contents = house.simulator.stats.last.body["contents"]
        asked = [part["functionCall"]["id"] for one in contents for part in one["parts"] if "functionCall" in part]
        done = [
            part["functionResponse"]["id"] for one in contents for part in one["parts"] if "functionResponse" in part
        ]
        assert asked == done
        assert not set(asked) & set(agent.ids)


async def test_complaint_2_a_history_with_signatures_in_its_ids_goes_on_with_ids_of_ordinary_size() -> None:
    """A user who moves over from a gateway that hid them there: they are taken out and used."""
    async with open_house() as house:
        agent = Agent(house, "Look [[sim:steps=2]]")
        first = await agent.step()
        signed = first.message["tool_calls"][0]
        signature = signed["extra_content"]["google"]["thought_signature"]
        await house.restart()
        long_id = f"{signed['id']}__thought__{signature}"
        agent.messages[1]["tool_calls"][0]["id"] = long_id
        agent.messages[2]["tool_call_id"] = long_id
        answer = await agent.step()
        assert SKIPPED not in answer.codes
        assert signatures(house.simulator.stats.last.body) == [signature]
        assert signature not in answer.body.decode()


# -- 3: signatures of others ------------------------------------------------------------------------------------------

SWITCHES = [
    (OLD, NEWEST),
    (NEWEST, OLD, NEWEST),
    (NEW, NEWEST, "gemini-3.1-pro-preview"),
    (NEWEST, "gemini-4-argon", NEWEST),
    (OLD, "gemini-4-argon", "gemini-2.5-pro"),
]


@BOTH_WAYS
@pytest.mark.parametrize("models", SWITCHES)
async def test_complaint_3_the_model_may_change_in_the_middle_of_a_tool_loop(
    models: tuple[str, ...], stream: bool
) -> None:
    async with open_house() as house:
        agent = Agent(house, f"Look [[sim:steps={len(models)}]]", stream=stream)
        for model in models:
            agent.model = model
            await agent.step()
            assert agent.calls
        assert (await agent.finish()).startswith("[simulated] Done")
        assert house.simulator.stats.refused == 0


MADE_UP = [base64.b64encode(b"made by nobody we know").decode(), "AAAA", "not base64 at all!", "c2ln" * 5000]


@BOTH_WAYS
@pytest.mark.parametrize("signature", MADE_UP, ids=["foreign", "short", "no base64", "long"])
async def test_complaint_3_a_signature_that_google_refuses_once_is_replaced(signature: str, stream: bool) -> None:
    async with open_house() as house:
        agent = Agent(house, "hi", stream=stream)
        agent.messages += calling(signature)
        answer = await agent.step()
        stats = house.simulator.stats
        assert (stats.answered, stats.refused) == (1, 1)
        assert [signatures(one.body) for one in stats.seen] == [[signature], [SKIP]]
        assert SKIPPED in answer.codes


ENCRYPTED = {"type": "reasoning.encrypted", "data": MADE_UP[0], "id": "call_foreign", "format": "google-gemini-v1"}
SPOKEN: Json = {"role": "assistant", "content": "yes"}
CHANNELS: dict[str, list[Json]] = {
    "beside the call, in reasoning_details": calling(reasoning_details=[ENCRYPTED]),
    "beside the call, in provider_specific_fields": calling(
        provider_specific_fields={"thought_signatures": MADE_UP[:1]}
    ),
    "beside the call, on the message": calling(thought_signature=MADE_UP[0]),
    "on a text": [{**SPOKEN, "extra_content": {"google": {"thought_signature": MADE_UP[0]}}}],
    "on a text, in provider_specific_fields": [
        {**SPOKEN, "provider_specific_fields": {"thought_signature": MADE_UP[0]}}
    ],
}


@BOTH_WAYS
@pytest.mark.parametrize("channel", CHANNELS)
async def test_complaint_3_that_holds_for_every_place_where_clients_put_it(channel: str, stream: bool) -> None:
    async with open_house() as house:
        agent = Agent(house, "hi", stream=stream)
        agent.messages += CHANNELS[channel]
        agent.messages.append({"role": "user", "content": "Go on"})
        await agent.step()
        stats = house.simulator.stats
        assert (stats.answered, stats.refused) == (1, 1)
        assert [MADE_UP[0] in json.dumps(one.body) for one in stats.seen] == [True, False]


@BOTH_WAYS
async def test_complaint_3_what_is_kept_wins_over_what_the_client_made_of_it(stream: bool) -> None:
    async with open_house() as house:
        agent = Agent(house, "Look [[sim:steps=2]]", stream=stream)
        await agent.step()
        agent.messages[1]["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": MADE_UP[0]}}
        assert not (await agent.step()).codes
        assert house.simulator.stats.refused == 0


@BOTH_WAYS
async def test_complaint_3_a_refusal_that_stays_is_told_and_not_repeated_for_ever(stream: bool) -> None:
    provider = Script(fails(400, "INVALID_ARGUMENT", "Thought signature is not valid"))
    messages = [{"role": "user", "content": "hi"}, *calling(MADE_UP[0])]
    async with open_house(provider) as house:
        answer = await house.ask({"model": NEWEST, "messages": messages, "stream": stream})
        assert answer.status == 400
        assert answer.error["message"]
        assert len(provider.requests) == 2


@BOTH_WAYS
@pytest.mark.parametrize("client", CLIENTS)
async def test_complaint_3_a_call_that_came_back_without_the_search_beside_it_does_not_end_the_chat(
    client: str, stream: bool
) -> None:
    """A call's signature is good only with what Google's own tools did before it (1.12). A client that keeps the one and
    loses the other, and a gateway that has forgotten both: Google refuses that in words nobody has written down."""
    async with open_house() as house:
        words = "Search the web and read_file [[sim:steps=3]]"
        agent = Agent(house, words, keep=CLIENTS[client], tools=[*TOOLS, {"type": "web_search"}], stream=stream)
        await agent.step()
        await house.restart()
        assert (await agent.finish()).startswith("[simulated] Done")
        assert house.simulator.stats.answered == len(agent.answers)


async def test_complaint_3_a_strict_caller_hears_what_google_said() -> None:
    async with open_house() as house:
        words = "Search the web and read_file [[sim:steps=3]]"
        agent = Agent(house, words, keep=CLIENTS["Continue"], tools=[*TOOLS, {"type": "web_search"}])
        await agent.step()
        await house.restart()
        body = {"model": NEWEST, "messages": agent.messages, **agent.fields}
        answer = await house.ask(body, headers={"x-portico-strict": "true"})
        assert (answer.status, house.simulator.stats.refused) == (400, 1)
        assert "toolCall" in answer.error["message"]


# -- 5: parallel calls in streams -------------------------------------------------------------------------------------


ARGS = st.dictionaries(
    st.sampled_from(["x", "path", "n", "ünïcode"]),
    st.one_of(st.text(max_size=8), st.integers(-9, 9), st.booleans(), st.none(), st.lists(st.text(max_size=2), max_size=2)),
    max_size=3,
)  # fmt: skip
CALLS = st.builds(
    lambda name, args: {"functionCall": {"name": name, "args": args}},
    st.sampled_from([tool["function"]["name"] for tool in TOOLS]),
    ARGS,
)
TEXTS = st.builds(lambda text: {"text": text}, st.text(max_size=9))
THOUGHTS = st.builds(lambda text: {"text": text, "thought": True}, st.text(max_size=9))
PARTS = st.lists(st.one_of(CALLS, CALLS, TEXTS, THOUGHTS), min_size=1, max_size=6).filter(
    lambda parts: sum("functionCall" in part for part in parts) > 1
)


def said(message: Json) -> Any:
    """What a message says: its text, and its calls in order."""
    calls = [(call["type"], call["function"]) for call in message.get("tool_calls", ())]
    return message.get("content") or "", calls


def test_complaint_5_a_stream_put_together_is_the_whole_answer_however_it_was_cut() -> None:
    provider = Cut()
    with house_in_a_thread(provider) as house, contextlib.closing(Caller(house.port)) as caller:

        @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(PARTS, st.lists(st.integers(0, 3), max_size=6), st.lists(st.integers(0, 5000), max_size=12))
        def check(parts: list[Json], sizes: list[int], cuts: list[int]) -> None:
            provider.parts, provider.sizes, provider.cuts = parts, sizes, cuts
            told = []
            for stream in (False, True):
                status, _, body = caller.ask(json.dumps(chat("go", tools=TOOLS, stream=stream)).encode())
                assert status == 200, body
                told.append(body)
            whole = json.loads(told[0])["choices"][0]
            events = Events.of(told[1])
            assert events.done
            # `message` holds each index to be used for one call, and none to be left out.
            assert said(events.message) == said(whole["message"])
            assert events.finishes == [whole["finish_reason"]] == ["tool_calls"]
            pieces = [piece for delta in events.deltas for piece in delta.get("tool_calls", ())]
            indices = [piece["index"] for piece in pieces if "id" in piece]
            assert indices == list(range(len(whole["message"]["tool_calls"])))
            ids = [piece["id"] for piece in pieces if "id" in piece]
            assert len(set(ids)) == len(ids)

        check()


async def test_complaint_5_parallel_calls_of_a_stream_go_back_as_they_were_made() -> None:
    async with open_house() as house:
        agent = Agent(house, "Look [[sim:steps=3]][[sim:calls=4]]", stream=True)
        await agent.step()
        indices = [
            piece["index"]
            for delta in agent.answers[0].events.deltas
            for piece in delta.get("tool_calls", ())
            if "id" in piece
        ]
        assert indices == [0, 1, 2, 3]
        await agent.finish()
        assert house.simulator.stats.refused == 0


@pytest.mark.parametrize("model", [NEWEST, OLD])
async def test_complaint_5_each_of_several_answers_counts_its_own_calls(model: str) -> None:
    async with open_house() as house:
        answer = await house.ask(chat("Look [[sim:calls=3]]", model=model, tools=TOOLS, stream=True, n=3))
        assert answer.events.done
        told: dict[int, list[Json]] = {}
        for chunk in answer.events.chunks:
            for choice in chunk["choices"]:
                told.setdefault(choice["index"], []).extend(choice["delta"].get("tool_calls", ()))
        assert {index: [piece["index"] for piece in pieces] for index, pieces in told.items()} == {
            0: [0, 1, 2],
            1: [0, 1, 2],
            2: [0, 1, 2],
        }
        ids = [piece["id"] for pieces in told.values() for piece in pieces]
        assert len(set(ids)) == 9
