"""Models that nobody declared have no price: they are recorded for open accounts, and refused to prepaid ones."""

from pathlib import Path

import pytest

from gateway.house import Script, answers, chat
from money.paid import paid_house
from providers.entries import configure
from providers.test_provider_calls import COMPLETION, OPEN


@pytest.mark.parametrize("prepaid", [False, True])
async def test_a_model_without_a_price(tmp_path: Path, *, prepaid: bool) -> None:
    provider = Script(answers(COMPLETION))
    make = configure(tmp_path, OPEN)
    async with paid_house(tmp_path / "books.db", provider, prepaid=prepaid, configure=make) as paid:
        answer = await paid.house.ask(chat(model="groq/llama-3.3-70b"))
        if prepaid:
            assert (answer.status, answer.error["code"]) == (404, "model_not_priced")
            assert provider.requests == []
        else:
            assert answer.message["content"] == "Hello"
            receipt = await paid.settled()
            assert receipt["model"] == "groq/llama-3.3-70b"


async def test_a_key_may_be_limited_to_such_names(tmp_path: Path) -> None:
    provider = Script(answers(COMPLETION))
    make, policy = configure(tmp_path, OPEN), {"models": ["groq/llama-*"]}
    async with paid_house(tmp_path / "b.db", provider, prepaid=False, policy=policy, configure=make) as paid:
        assert (await paid.house.ask(chat(model="groq/llama-3.3-70b"))).status == 200
        assert (await paid.house.ask(chat(model="groq/qwen3"))).status == 404
