"""How a refusal for money or a limit is told: in each dialect's own shape, with what clients act on in the headers."""

from pathlib import Path
from typing import Any

import pytest

from gateway.house import Answer, Script, answers, chat, says
from money.acts import usage
from money.paid import USD, Paid, paid_house
from portico.ledger.hold import Refused
from portico.relay.tab import error_of

ANSWER = says("Hello there", usageMetadata=usage(1000, 500))
NATIVE = "/v1beta/models/gemini-3.5-flash:"
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
RATE = "x-ratelimit-"
WAYS: list[tuple[str, Any]] = [
    ("/v1/chat/completions", chat()),
    ("/v1/chat/completions", chat(stream=True)),
    (NATIVE + "generateContent", GEMINI),
    (NATIVE + "streamGenerateContent?alt=sse", GEMINI),
    (NATIVE + "streamGenerateContent", GEMINI),
]
ANY_WAY = pytest.mark.parametrize(("path", "body"), WAYS)


class Case:
    """What is refused, and as what: the status, OpenAI's type and code, Google's word, whether to come back."""

    def __init__(
        self, status: int, kind: str, code: str, word: str, *, balance: int = USD, again: bool, **policy: Any
    ) -> None:
        self.status, self.kind, self.code, self.word = status, kind, code, word
        self.balance, self.again, self.policy = balance, again, policy


CASES = {
    "no money": Case(402, "insufficient_quota", "insufficient_funds", "FAILED_PRECONDITION", balance=1, again=False),
    "tokens": Case(429, "rate_limit_error", "rate_limit_exceeded", "RESOURCE_EXHAUSTED", tpm=1, again=True),
    "budget": Case(429, "rate_limit_error", "budget_exceeded", "RESOURCE_EXHAUSTED", budget_month_nanos=1, again=False),
    "model": Case(404, "invalid_request_error", "model_not_found", "NOT_FOUND", models=["other"], again=True),
}


@ANY_WAY
@pytest.mark.parametrize("name", list(CASES))
async def test_a_refusal_is_told_as_clients_read_it(tmp_path: Path, name: str, path: str, body: Any) -> None:
    case, script = CASES[name], Script(answers(ANSWER))
    async with paid_house(tmp_path / "db", script, balance=case.balance, policy=case.policy) as paid:
        answer = await paid.house.ask(body, path=path)
        assert answer.status == case.status
        assert script.requests == []
        assert paid.entries() == []
    assert "x-portico-attempts" not in answer.headers  # nobody was asked
    assert (answer.headers.get("x-should-retry") == "false") == (not case.again)
    told = answer.json()
    if path.startswith("/v1/"):
        assert (answer.error["type"], answer.error["code"]) == (case.kind, case.code)
        return
    error = (told[0] if isinstance(told, list) else told)["error"]
    assert (error["code"], error["status"]) == (case.status, case.word)
    delays = [detail["retryDelay"] for detail in error.get("details", ()) if "RetryInfo" in detail["@type"]]
    assert len(delays) == (case.status == 429)
    if delays:
        assert "retry-after" in answer.headers
        seconds = float(delays[0].removesuffix("s"))
        assert "e" not in delays[0]
        assert int(answer.headers["retry-after"]) - 1 <= seconds <= int(answer.headers["retry-after"])


async def ask(paid: Paid, path: str, body: Any) -> Answer:
    answer = await paid.house.ask(body, path=path)
    assert answer.status == 200
    return answer


@ANY_WAY
async def test_a_key_with_limits_is_told_what_they_have_left(tmp_path: Path, path: str, body: Any) -> None:
    policy = {"rpm": 60, "tpm": 1_000_000}
    async with paid_house(tmp_path / "db", Script(answers(ANSWER)), policy=policy) as paid:
        told = (await ask(paid, path, body)).headers
        await paid.settled()
    assert told[RATE + "limit-requests"] == "60"
    assert told[RATE + "remaining-requests"] == "59"
    assert told[RATE + "limit-tokens"] == "1000000"
    assert 0 < int(told[RATE + "remaining-tokens"]) < 1_000_000
    assert told[RATE + "reset-requests"] == told[RATE + "reset-tokens"]
    assert told[RATE + "reset-requests"].endswith("s")


@ANY_WAY
@pytest.mark.parametrize("policy", [{}, {"concurrent": 5, "budget_day_nanos": 10 * USD}])
async def test_a_key_without_such_limits_is_told_of_none(
    tmp_path: Path, path: str, body: Any, policy: dict[str, Any]
) -> None:
    async with paid_house(tmp_path / "db", Script(answers(ANSWER)), policy=policy) as paid:
        told = (await ask(paid, path, body)).headers
        await paid.settled()
    assert not [name for name in told if name.startswith(RATE)]


@pytest.mark.parametrize(
    ("reason", "words"),
    [("rpm", "requests a minute"), ("tpm", "tokens a minute"), ("concurrent", "requests at a time")],
)
def test_a_refusal_says_which_limit_it_was(reason: str, words: str) -> None:
    error = error_of(Refused(reason, 12.5, 60, 60))
    assert f"60 {words}" in error.message
    assert error.retry_after_s == 12.5


@pytest.mark.parametrize("prepaid", [True, False])
async def test_what_nobody_can_read_is_sent_on_only_for_who_need_not_pay_beforehand(
    tmp_path: Path, prepaid: bool
) -> None:
    """Its provider may be able to, and it is held for by its length."""
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "db", script, prepaid=prepaid) as paid:
        body = b'{"contents": [' + b" " * 4000
        answer = await paid.house.ask(body, path="/v1beta/models/gemini-3.5-flash:generateContent")
        assert answer.status == (400 if prepaid else 200)
        assert len(script.requests) == (0 if prepaid else 1)
        if not prepaid:
            receipt = await paid.settled()
            assert receipt["hold_nanos"] >= paid.price(2000, 8192)
