"""What a key's own settings change of a call, and what a caller is told of its cost."""

from pathlib import Path
from typing import Any

import pytest

from gateway.house import Script, answers, candidate, chat, fails, open_house, says
from money.acts import usage
from money.paid import is_marked, paid_house, price_of
from portico.providers import KINDS

ANSWER = says("Hello there", usageMetadata=usage(1000, 500))
PASSING = "/v1beta/models/gemini-3.5-flash:"
CONTENTS: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("more", "headers"), [({"usage": {"include": True}}, {}), ({}, {"x-portico-cost": "1"})], ids=["body", "header"]
)
async def test_the_cost_is_told_to_who_asks(
    tmp_path: Path, more: dict[str, Any], headers: dict[str, str], stream: bool
) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER))) as paid:
        body = chat(stream=stream, stream_options={"include_usage": True}, **more) if stream else chat(**more)
        answer = await paid.house.ask(body, headers=headers)
        told = answer.events.chunks[-1]["usage"] if stream else answer.json()["usage"]
        assert round(told["cost"] * 10**9) == paid.price(1000, 500)
        await paid.settled()
        assert paid.entries("settle")[0][1] == -paid.price(1000, 500)
        if not stream:
            assert answer.headers["x-portico-cost"] == f"0.{paid.price(1000, 500):09}"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_short_prompt_is_told_to_cost_what_short_prompts_do(tmp_path: Path, stream: bool) -> None:
    """Of a model that is dearer for long ones: also while the answer is not counted yet."""
    model = "gemini-2.5-pro"
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER))) as paid:
        answer = await paid.house.ask(chat(model=model, stream=stream, usage={"include": True}))
        told = answer.events.chunks[-1]["usage"] if stream else answer.json()["usage"]
        await paid.settled()
        assert round(told["cost"] * 10**9) == price_of(1000, 500, model) == -paid.entries("settle")[0][1]


async def test_who_does_not_ask_is_not_told(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER))) as paid:
        answer = await paid.house.ask(chat())
        assert "cost" not in answer.json()["usage"]
        assert "x-portico-cost" not in answer.headers


async def test_an_empty_answer_that_is_free_is_told_to_cost_nothing(tmp_path: Path) -> None:
    empty = candidate(finish="STOP", usageMetadata=usage(1000, 30))
    async with paid_house(tmp_path / "books.db", Script(answers(empty))) as paid:
        answer = await paid.house.ask(chat(usage={"include": True}))
        assert answer.json()["usage"]["cost"] == 0


@pytest.mark.parametrize("finish", ["MALFORMED_FUNCTION_CALL", "NO_IMAGE"])
async def test_a_retry_that_would_only_cost_is_advised_against(finish: str) -> None:
    async with open_house(Script(answers(candidate(finish=finish)))) as house:
        answer = await house.ask(chat())
        assert (answer.status, answer.headers["x-should-retry"]) == (502, "false")


async def test_a_retry_that_may_help_is_not() -> None:
    async with open_house(Script(fails(503, "UNAVAILABLE"))) as house:
        assert "x-should-retry" not in (await house.ask(chat())).headers


async def test_a_key_may_be_strict_and_a_call_may_say_otherwise(tmp_path: Path) -> None:
    lossy = chat(logit_bias={"1": 5})
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER)), policy={"strict": True}) as paid:
        assert (await paid.house.ask(lossy)).status == 400
        assert (await paid.house.ask(lossy, headers={"x-portico-strict": "false"})).status == 200
        assert (await paid.house.ask(chat())).status == 200
        await paid.settled(2)


async def test_a_key_may_have_an_effort_that_a_call_overrules(tmp_path: Path) -> None:
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script, policy={"default_effort": "high"}) as paid:
        await paid.house.ask(chat())
        await paid.house.ask(chat(reasoning_effort="low"))
        levels = [body["generationConfig"]["thinkingConfig"]["thinkingLevel"].lower() for body in script.bodies]
        assert levels == ["high", "low"]
        await paid.settled(2)


async def test_a_key_may_have_an_image_form(tmp_path: Path) -> None:
    picture = candidate({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}, usageMetadata=usage(10, 10))
    async with paid_house(tmp_path / "books.db", Script(answers(picture)), policy={"image_form": "images"}) as paid:
        answer = await paid.house.ask(chat(model="gemini-3.1-flash-image"))
        assert answer.message["images"]
        await paid.settled()


# -- bodies that pass ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prepaid", [True, False])
@pytest.mark.parametrize("field", ["futureField", "continuationToken"])
async def test_a_prepaid_account_cannot_pass_what_has_no_known_price(tmp_path: Path, prepaid: bool, field: str) -> None:
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script, prepaid=prepaid) as paid:
        answer = await paid.house.ask({**CONTENTS, field: {"x": 1}}, path=PASSING + "generateContent")
        if prepaid:
            assert answer.status == 400
            assert field in answer.json()["error"]["message"]
            assert paid.entries() == []
        else:
            assert answer.status == 200
            await paid.settled()


@pytest.mark.parametrize(
    ("more", "dearer"),
    [
        ({"generationConfig": {"maxOutputTokens": 60000}}, True),
        ({"generation_config": {"max_output_tokens": "60000"}}, True),
        ({"generationConfig": {"maxOutputTokens": 10}}, False),
        ({"generationConfig": {"candidateCount": 4}}, True),
        ({"serviceTier": "priority"}, True),
        ({"serviceTier": "SERVICE_TIER_PRIORITY"}, True),
        ({"service_tier": "flex"}, False),
        ({"cachedContent": "cachedContents/x"}, True),
        ({"tools": [{"googleSearch": {}}]}, True),
        ({"tools": {"google_search": {}}}, True),
    ],
    ids=str,
)
async def test_what_changes_the_price_is_read_before_a_body_passes(
    tmp_path: Path, more: dict[str, Any], dearer: bool
) -> None:
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script) as paid:
        for body in (CONTENTS, {**CONTENTS, **more}):
            assert (await paid.house.ask(body, path=PASSING + "generateContent")).status == 200
        await paid.settled(2)
        plain, other = [held for _, _, held in paid.entries("hold")]
        assert (other > plain) == dearer
        assert other != plain
        assert script.bodies[1] == {**CONTENTS, **more}, "it passes as it came"


async def test_what_google_extras_of_a_chat_call_change_is_priced_too(tmp_path: Path) -> None:
    extras = {"google": {"generation_config": {"max_output_tokens": 60000, "candidate_count": 2}}}
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER))) as paid:
        await paid.house.ask(chat(max_tokens=10))
        await paid.house.ask(chat(max_tokens=10, extra_body=extras))
        await paid.settled(2)
        plain, other = [held for _, _, held in paid.entries("hold")]
        assert other > 1000 * plain


async def test_what_a_tier_served_that_has_no_price_is_charged_as_it_was_asked_for(tmp_path: Path) -> None:
    """As where a provider served at another tier what it had no room for."""
    told = {"model": "gpt-4.1", "service_tier": "flex", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}
    choice = {"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}
    provider = Script(answers({**told, "choices": [choice]}))
    async with paid_house(tmp_path / "books.db", provider, kinds=(KINDS["openai"],)) as paid:
        assert (await paid.house.ask(chat(model="gpt-4.1", service_tier="auto"))).status == 200
        receipt = await paid.settled()
        assert receipt["charge_nanos"] == price_of(1000, 100, "gpt-4.1") > 0
        assert receipt["service_tier"] == "flex"
        assert not is_marked(receipt, "unpriced")


async def test_counting_tokens_is_free(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers({"totalTokens": 31}))) as paid:
        answer = await paid.house.ask(CONTENTS, path=PASSING + "countTokens")
        assert answer.json() == {"totalTokens": 31}
        await paid.settled()
        assert [entry[1:] for entry in paid.entries()] == [(0, 0), (0, 0)]


async def test_embeddings_that_report_nothing_are_estimated(tmp_path: Path) -> None:
    embedding = {"embedding": {"values": [0.1, 0.2]}}
    async with paid_house(tmp_path / "books.db", Script(answers(embedding))) as paid:
        body = {"content": {"parts": [{"text": "word " * 400}]}}
        answer = await paid.house.ask(body, path="/v1beta/models/gemini-embedding-001:embedContent")
        assert answer.json() == embedding
        receipt = await paid.settled()
        (_, charged, _), (_, _, held) = paid.entries("settle")[0], paid.entries("hold")[0]
        assert 0 < -charged <= held
        assert is_marked(receipt, "estimated")
