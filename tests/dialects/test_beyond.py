"""What of a body in the provider's own dialect is known to be refused by a model: that body is read, every other passes."""

import json
from typing import Any

import pytest

from portico.catalog import load_catalog
from portico.core.target import UNJUDGED
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses

CATALOG = load_catalog()
HI = [{"role": "user", "content": "Hi"}]
MIDDLE = [*HI, {"role": "system", "content": "Now in French."}]
HARDER = {"role": "system", "content": [], "output_config": {"effort": "max"}}
THOUGHT = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
CASES: list[tuple[Any, str, dict[str, Any], bool]] = [
    (anthropic_messages, "claude-sonnet-4-6", {"messages": HI, "system": "role"}, False),
    (anthropic_messages, "claude-sonnet-4-6", {"messages": MIDDLE}, True),
    (anthropic_messages, "claude-opus-5-5", {"messages": MIDDLE}, False),
    (anthropic_messages, "claude-sonnet-4-6", {"messages": HI, "metadata": {"kind": "system"}}, False),
    (anthropic_messages, "claude-sonnet-4-6", {"messages": HI, "thinking": {"type": "adaptive"}}, False),
    (anthropic_messages, "claude-haiku-4-5", {"messages": HI, "thinking": {"type": "adaptive"}}, True),
    (anthropic_messages, "claude-haiku-4-5", {"messages": HI, "thinking": {"type": "disabled"}}, False),
    (anthropic_messages, "claude-haiku-4-5", {"messages": HI, "output_config": {"effort": "high"}}, True),
    (anthropic_messages, "claude-sonnet-5", {"messages": [*HI, HARDER]}, True),
    (anthropic_messages, "claude-opus-5", {"messages": [*HI, HARDER]}, False),
    (anthropic_messages, "claude-opus-5-5", {"messages": [*HI, HARDER]}, False),
    (anthropic_messages, "claude-opus-5", {"messages": [*HI, HARDER | {"output_config": {"effort": "minimal"}}]}, True),
    (anthropic_messages, "claude-sonnet-5", {"messages": [*HI, HARDER | {"output_config": "low", "effort": 1}]}, False),
    (
        anthropic_messages,
        "claude-haiku-4-5",
        {"messages": HI, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        False,
    ),
    (
        anthropic_messages,
        "claude-sonnet-4-6",
        {"messages": HI, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        False,
    ),
    (
        anthropic_messages,
        "claude-opus-5-5",
        {"messages": HI, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        True,
    ),
    (anthropic_messages, "claude-sonnet-4-6", {"messages": HI, "output_config": {"effort": "xhigh"}}, True),
    (anthropic_messages, "claude-sonnet-5-5", {"messages": HI, "thinking": {"type": "between_tools"}}, False),
    (anthropic_messages, "claude-opus-4-6", {"messages": HI, "thinking": {"type": "between_tools"}}, True),
    (openai_chat, "gpt-4.1", {"messages": HI, "reasoning_effort": "low"}, True),
    (openai_chat, "gpt-4.1", {"messages": HI, "reasoning_effort": None}, False),
    (openai_chat, "gpt-5.5", {"messages": HI, "reasoning_effort": "low"}, False),
    (openai_chat, "gpt-5.5", {"messages": HI, "reasoning_effort": "minimal"}, True),
    (openai_chat, "gpt-5.5", {"messages": HI, "max_tokens": 100}, True),
    (openai_chat, "gpt-5.5", {"messages": HI, "max_tokens": None}, False),
    (openai_chat, "gpt-5.5", {"messages": HI, "max_completion_tokens": 100}, False),
    (openai_chat, "gpt-5.5", {"messages": HI, "max_completion_tokens": 100, "max_tokens": 100}, False),
    (openai_chat, "gpt-4.1", {"messages": HI, "max_tokens": 100, "temperature": 0, "stop": ["."]}, False),
    (openai_chat, "gpt-5.5", {"messages": HI, "temperature": 0.1}, True),
    (openai_chat, "gpt-5.5", {"messages": HI, "temperature": 1, "top_p": 1.0, "presence_penalty": 0.0}, False),
    (openai_chat, "gpt-5.5", {"messages": HI, "temperature": 0.1, "reasoning_effort": "none"}, False),
    (openai_chat, "gpt-5.2", {"messages": HI, "top_p": 0.5}, False),
    (openai_chat, "gpt-5.2", {"messages": HI, "top_p": 0.5, "reasoning_effort": "low"}, True),
    (openai_chat, "o4-mini", {"messages": HI, "frequency_penalty": 0.5}, True),
    (openai_chat, "gpt-5.5", {"messages": HI, "stop": "."}, True),
    (openai_chat, "gpt-5.5", {"messages": HI, "stop": []}, False),
    (openai_responses, "gpt-5.5", {"input": "Hi", "temperature": 0.1}, True),
    (openai_responses, "gpt-5.5", {"input": "Hi", "temperature": 1, "top_p": None}, False),
    (openai_responses, "gpt-5.5", {"input": "Hi", "temperature": 0.1, "reasoning": {"effort": "none"}}, False),
    (openai_responses, "gpt-4o", {"input": "Hi", "temperature": 0.1}, False),
    (anthropic_messages, "claude-opus-5-5", {"messages": HI, "temperature": 1}, True),
    (anthropic_messages, "claude-opus-5-5", {"messages": HI, "temperature": None}, False),
    (anthropic_messages, "claude-haiku-4-5", {"messages": HI, "temperature": 0.2}, False),
    (anthropic_messages, "claude-haiku-4-5", {"messages": HI, "temperature": 0.2, "top_p": 0.9}, True),
    (anthropic_messages, "claude-sonnet-5-5", {"messages": HI, "tool_choice": {"type": "any"}}, True),
    (anthropic_messages, "claude-sonnet-5-5", {"messages": HI, "tool_choice": {"type": "tool", "name": "f"}}, True),
    (anthropic_messages, "claude-sonnet-5-5", {"messages": HI, "tool_choice": {"type": "auto"}}, False),
    (anthropic_messages, "claude-haiku-4-5", {"messages": HI, "tool_choice": {"type": "any"}}, False),
    (openai_responses, "gpt-4o", {"input": "Hi", "reasoning": {"effort": "low"}}, True),
    (openai_responses, "gpt-4o", {"input": "Hi", "reasoning": {"summary": "auto"}}, True),
    (openai_responses, "gpt-4o", {"input": "Hi", "reasoning": {}}, False),
    (openai_responses, "gpt-4o", {"input": "Hi", "include": ["reasoning.encrypted_content"]}, True),
    (openai_responses, "gpt-5.5", {"input": "Hi", "include": ["reasoning.encrypted_content"]}, False),
    (openai_responses, "gpt-5.5", {"input": "Hi", "reasoning": {"effort": "xhigh", "summary": "auto"}}, False),
    (openai_responses, "gpt-5.5", {"input": [{"type": "function_call", "call_id": "a" * 64}]}, False),
    (openai_responses, "gpt-5.5", {"input": [THOUGHT]}, True),
    (openai_responses, "gpt-5.5", {"input": [{"role": "user", "content": "summary_text"}]}, False),
    (openai_responses, "gpt-5.5", {"input": [THOUGHT | {"encrypted_content": "gAAA"}], "store": False}, False),
    (openai_responses, "gpt-5.5", {"input": [THOUGHT | {"id": "rs_1"}]}, True),
    (openai_responses, "gpt-5.5", {"input": [THOUGHT | {"id": "rs_1"}], "store": False}, True),
    (openai_responses, "gpt-5.5", {"input": [THOUGHT | {"type": "another"}]}, False),
    (openai_responses, "gpt-5.5", {"input": [{"type": "function_call", "call_id": "a" * 65}]}, True),
    (openai_responses, "gpt-5.5", {"input": [{"type": "function_call_output", "call_id": "ä" * 64}]}, False),
    (openai_responses, "gpt-5.5", {"input": [{"role": "user", "content": [{"call_id": "a" * 65}]}]}, False),
    (openai_responses, "gpt-5.5", {"input": [THOUGHT | {"summary": []}]}, True),
    (openai_responses, "gpt-5.5", {"input": [THOUGHT | {"summary": [], "id": "rs_1"}], "store": False}, True),
    (openai_responses, "gpt-5.5", {"input": [THOUGHT | {"summary": [], "encrypted_content": "gAAA"}]}, False),
    (openai_responses, "gpt-5.5", {"input": [{"role": "user", "content": "reasoning"}], "store": False}, False),
    (openai_responses, "gpt-5.5", {"input": [{"type": "reasoning", "summary": [5]}]}, True),
    (gemini, "gemini-2.5-flash", {"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH"}}}, True),
    (gemini, "gemini-2.5-flash", {"generation_config": {"thinking_config": {"thinking_level": "HIGH"}}}, True),
    (gemini, "gemini-2.5-flash", {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}, False),
    (gemini, "gemini-3.5-flash", {"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH"}}}, False),
]


@pytest.mark.parametrize("indent", [None, 3])
@pytest.mark.parametrize(("dialect", "model", "body", "beyond"), CASES)
def test_a_body_is_read_where_its_model_is_known_to_refuse_it(
    dialect: Any, model: str, body: dict[str, Any], beyond: bool, indent: int | None
) -> None:
    look, data = dialect.DIALECT.passing.beyond, json.dumps(body, indent=indent).encode()
    assert look(data, CATALOG.models[model].capabilities) is beyond
    assert look(data, UNJUDGED) is False


@pytest.mark.parametrize("dialect", [anthropic_messages, gemini, openai_chat, openai_responses])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"thinking": ',
        b'["system": "reasoning_effort", "thinking", "reasoning"]',
        b'{"messages": "role": "system"}',
    ],
)
def test_a_body_that_cannot_be_read_is_the_providers_to_refuse(dialect: Any, data: bytes) -> None:
    for model in ("claude-haiku-4-5", "gpt-4.1", "gemini-2.5-flash"):
        assert dialect.DIALECT.passing.beyond(data, CATALOG.models[model].capabilities) is False
