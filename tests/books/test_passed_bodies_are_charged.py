"""Bodies that pass, in every dialect that names its model in them: held for, charged by what the answer says, and once."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import pytest

from books.test_two_tenants import Street, open_street, prepared
from gateway.house import PATIENCE_S, Act, Json, Script, answers, chat
from gateway.test_chat_passing import chunks, completion, streams
from gateway.vendors import (
    CLAUDE,
    GPT,
    claude_events,
    claude_says,
    claude_text,
    gpt_events,
    gpt_message,
    gpt_says,
    message,
    response,
    streams_named,
)
from portico.providers import KINDS

CASES: Final[list[tuple[str, str, str, Json, Act, Act]]] = [
    # the kind of provider, the model, the path, the body, its answer whole and streamed
    ("openai", GPT, "/v1/chat/completions", chat(model=GPT), answers(completion()), streams(*chunks("Hi"))),
    ("openai", GPT, "/v1/responses", response(), answers(gpt_says(gpt_message("Hi"))),
     streams_named(*gpt_events("Hi"))),
    ("anthropic", CLAUDE, "/v1/messages", message(), answers(claude_says(claude_text("Hi"))),
     streams_named(*claude_events("Hi"))),
]  # fmt: skip
IDS: Final = [path for _, _, path, _, _, _ in CASES]
TOKENS: Final = {"/v1/chat/completions": (3, 2), "/v1/responses": (12, 7), "/v1/messages": (12, 7)}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("street")
    return prepared(folder, f"sqlite:///{folder / 'books.db'}")


async def receipt(street: Street, answer: Any) -> Json:
    request_id = await street.receipt_of(answer)
    told = (await street.alice.get(f"/v1/receipts/{request_id}")).json()
    assert isinstance(told, dict)
    return told


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("kind", "model", "path", "body", "whole", "streamed"), CASES, ids=IDS)
async def test_a_passed_body_is_charged_by_what_its_answer_says_and_once(
    url: str, tmp_path: Path, kind: str, model: str, path: str, body: Json, whole: Act, streamed: Act, stream: bool
) -> None:
    script = Script(streamed if stream else whole)
    asked = {**body, "stream": stream}
    async with open_street(url, tmp_path, script, kinds=(KINDS[kind],)) as street:
        first = await street.alice.ask(path, asked, **{"idempotency-key": f"order-{street.number}"})
        assert first.status == 200, first.body
        told = await receipt(street, first)
        assert told["charge_nanos"] > 0
        assert told["model"] == model
        assert list(TOKENS[path]) == sum_of(told)
        again = await street.alice.ask(path, asked, **{"idempotency-key": f"order-{street.number}"})
        assert again.body == first.body
        assert again.headers["x-portico-replayed"] == first.headers["x-portico-request-id"]
        assert len(script.requests) == 1


def sum_of(told: Json) -> list[int]:
    """[input, output] tokens of a receipt."""
    found = [0, 0]
    for name, counts in told["usage"].items():
        found[name.startswith("output")] += sum(counts.values())
    return found


@pytest.mark.parametrize(("kind", "model", "path", "body", "whole", "streamed"), CASES, ids=IDS)
async def test_an_estimate_of_a_body_that_passes_is_what_is_held(
    url: str, tmp_path: Path, kind: str, model: str, path: str, body: Json, whole: Act, streamed: Act
) -> None:
    del streamed, model
    script = Script(whole)
    dialect = {"/v1/messages": "anthropic_messages", "/v1/responses": "openai_responses"}.get(path, "openai_chat")
    async with open_street(url, tmp_path, script, kinds=(KINDS[kind],)) as street:
        estimate = (await street.alice.ask(f"/v1/estimate?dialect={dialect}", body)).json()
        assert estimate["ceiling_nanos"] > 0
        assert script.requests == []
        told = await receipt(street, await street.alice.ask(path, body))
        assert told["hold_nanos"] == estimate["ceiling_nanos"]


async def test_a_count_costs_nothing(url: str, tmp_path: Path) -> None:
    script = Script(answers({"input_tokens": 12}))
    async with open_street(url, tmp_path, script, kinds=(KINDS["anthropic"],)) as street:
        before = (await street.alice.get("/v1/balance")).json()["posted_nanos"]
        answer = await street.alice.ask("/v1/messages/count_tokens", message())
        assert answer.json() == {"input_tokens": 12}
        async with asyncio.timeout(PATIENCE_S):
            while (await street.alice.get("/v1/balance")).json()["held_nanos"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (await street.alice.get("/v1/balance")).json()["posted_nanos"] == before
        assert json.loads(script.requests[0].body) == message()
