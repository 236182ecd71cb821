"""mapping.md 0, 1.10, 3.4: rows of streams that no other file has a table for."""

import pytest

from dialects.dialect_rows import answer, chunks, deltas, finishes, message
from portico.config import load_config
from portico.relay.relay import Settings


def test_our_patience_is_what_thinking_models_need() -> None:
    """0, timeouts; 1.16, flex; 3.4, when the 200 goes out and how often a keep-alive"""
    settings = Settings()
    assert (settings.connect_timeout_s, settings.first_byte_timeout_s, settings.idle_timeout_s) == (10, 600, 300)
    assert (settings.commit_after_s, settings.keep_alive_s) == (15, 10)


def test_patience_may_be_set() -> None:
    """0, timeouts"""
    server = load_config({"PORTICO_IDLE_TIMEOUT_S": "900", "PORTICO_COMMIT_AFTER_S": "5"}).server
    assert (server.idle_timeout_s, server.commit_after_s) == (900, 5)


@pytest.mark.parametrize("tail", [" ", "\n", "  \n\n"])
def test_space_after_json_is_not_taken_off(tail: str) -> None:
    """1.10, output of JSON mode: harmless, and text is never changed"""
    sent = chunks([answer({"text": '{"a":1}'}, finish=None), answer({"text": tail})])
    assert deltas(sent) == [{"content": '{"a":1}'}, {"content": tail}]
    assert message(answer({"text": '{"a":1}' + tail}))["content"] == '{"a":1}' + tail


def test_json_that_hits_the_limit_is_cut_and_says_so() -> None:
    """1.10, output of JSON mode; 2.5, MAX_TOKENS"""
    sent = chunks([answer({"text": '{"a":'}, finish="MAX_TOKENS")])
    assert (deltas(sent), finishes(sent)) == ([{"content": '{"a":'}], [(0, "length")])
