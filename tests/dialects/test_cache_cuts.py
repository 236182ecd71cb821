"""mapping.md 1.1, `prompt_cache_breakpoint`: a cut of the cache reaches OpenAI from callers of both its dialects."""

from typing import Any

import pytest

from dialects.dialect_rows import CATALOG, Json
from portico.core.target import Target
from portico.relay.prepare import held_target, target_at
from portico.relay.translate import DIALECTS

CUT: Json = {"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}
PNG = "data:image/png;base64,iVBO"
CHAT: Json = {
    "model": "m",
    "max_completion_tokens": 4000,
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "Rules", **CUT}]},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": PNG}, **CUT}],
        },
        {
            "role": "assistant",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "ok", **CUT}]},
        {"role": "user", "content": [{"type": "text", "text": "So?", **CUT}]},
    ],
}
RESPONSES: Json = {
    "model": "m",
    "max_output_tokens": 4000,
    "input": [
        {"role": "system", "content": [{"type": "input_text", "text": "Rules", **CUT}]},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_image", "image_url": PNG, **CUT}],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "ok", **CUT}]},
        {"role": "user", "content": [{"type": "input_text", "text": "So?", **CUT}]},
    ],
}
BODIES = {"openai_chat": CHAT, "openai_responses": RESPONSES}


def said(body: Any) -> list[Json]:
    """Every cut of a body, in order."""
    if isinstance(body, dict):
        own = [body["prompt_cache_breakpoint"]] if "prompt_cache_breakpoint" in body else []
        return own + [cut for value in body.values() for cut in said(value)]
    return [cut for value in body for cut in said(value)] if isinstance(body, list) else []


def target(caller: str, to: str, model: str, kind: str) -> Target:
    """What is rendered for; a caller of the provider's own dialect is held to what the model takes."""
    able = CATALOG.capabilities_for(model, kind)
    found = target_at(DIALECTS[caller], DIALECTS[to], model, kind, able)
    return held_target(found, able) if found.own else found


@pytest.mark.parametrize("caller", BODIES)
@pytest.mark.parametrize("to", BODIES)
def test_a_cut_of_the_cache_reaches_openai(caller: str, to: str) -> None:
    request = DIALECTS[caller].parse_request(BODIES[caller])
    told = DIALECTS[to].render_request(request, target(caller, to, "gpt-6-sol", "openai"))
    assert said(told.body) == [CUT["prompt_cache_breakpoint"]] * 4
    assert told.losses == []


@pytest.mark.parametrize("caller", BODIES)
@pytest.mark.parametrize(
    ("to", "model", "kind"),
    [
        ("gemini", "gemini-3.5-flash", "gemini"),
        ("anthropic_messages", "claude-opus-5-5", "anthropic"),
    ],
)
def test_a_cut_says_nothing_to_others(caller: str, to: str, model: str, kind: str) -> None:
    request = DIALECTS[caller].parse_request(BODIES[caller])
    told = DIALECTS[to].render_request(request, target(caller, to, model, kind))
    assert said(told.body) == []
    assert {loss.code for loss in told.losses} <= {"2.4:skip_signature"}
