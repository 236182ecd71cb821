"""Marks of the cache (mapping.md 7.1): callers of Chat say them in Anthropic's words, as OpenRouter's and LiteLLM's do."""

from typing import Any

import pytest

from dialects.dialect_rows import CATALOG, Json, assistant, call, chat, user
from portico.relay.translate import DIALECTS, Translated, Translator

MARK: Json = {"type": "ephemeral"}
HOUR: Json = {"type": "ephemeral", "ttl": "1h"}


def asked(*messages: Json, to: str = "anthropic_messages", model: str = "claude-opus-5") -> Translated:
    translator = Translator(DIALECTS["openai_chat"], DIALECTS[to], CATALOG, model=model)
    return translator.request({**chat(*messages), "model": model, "max_tokens": 5000})


def text(said: str, mark: Any = None) -> Json:
    return {"type": "text", "text": said} | ({"cache_control": mark} if mark is not None else {})


def test_marks_stand_where_the_caller_put_them() -> None:
    body = asked(
        {"role": "system", "content": [text("S", HOUR)]},
        user([text("a"), text("b", MARK)]),
        assistant(None, call("call_a")),
        {"role": "tool", "tool_call_id": "call_a", "content": "r", "cache_control": MARK},
        {"role": "user", "content": "go on", "cache_control": MARK},
    ).body
    assert body["system"] == [text("S", HOUR)]
    first, _, last = body["messages"]
    assert first["content"] == [text("a"), text("b", MARK)]
    assert [block.get("cache_control") for block in last["content"]] == [MARK, MARK]


def test_no_more_are_sent_than_anthropic_takes() -> None:
    body = asked({"role": "system", "content": [text("S", MARK)]}, user([text(str(n), MARK) for n in range(5)])).body
    assert body["system"] == "S" or body["system"] == [text("S")]
    assert ["cache_control" in block for block in body["messages"][0]["content"]] == [False, True, True, True, True]


@pytest.mark.parametrize("mark", [True, {}, {"type": "for ever"}, {"type": "ephemeral", "ttl": "1y"}, []], ids=str)
def test_what_is_no_mark_says_nothing(mark: Any) -> None:
    assert asked(user([text("a", mark)])).body["messages"][0]["content"] == [text("a")]


@pytest.mark.parametrize(
    ("to", "model"), [("gemini", "gemini-3.5-flash"), ("openai_responses", "gpt-5.5"), ("openai_chat", "gpt-5.5")]
)
def test_whoever_finds_out_himself_what_may_be_cached_is_told_nothing(to: str, model: str) -> None:
    told = asked(user([text("a", MARK)]), to=to, model=model)
    assert "cache_control" not in str(told.body)
    assert told.losses == []


@pytest.mark.parametrize(("mark", "long"), [(MARK, False), (HOUR, True)])
def test_an_hour_of_cache_is_held_for(mark: Json, long: bool) -> None:
    body = asked(user([text("a", mark)])).body
    assert DIALECTS["anthropic_messages"].ask(body, 10).long_cache is long
