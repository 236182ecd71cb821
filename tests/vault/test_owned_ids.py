"""Names of things at OpenAI and Anthropic in bodies that pass: bare ids, in the fields that mean them and nowhere else."""

import json
from typing import Any

import pytest

from portico.core.errors import NotFound
from portico.core.masking import fingerprint
from portico.providers import KINDS, Provider, Secret
from portico.relay.owned import CONTAINER, CONVERSATION, FILE_ID, STORE_ID, OwnedThings, named_in_body
from portico.vault import Resource
from portico.vault.resources import FILE
from vault.workers import Workers

CHAT, RESPONSES, MESSAGES = "openai_chat", "openai_responses", "anthropic_messages"
SCHEMA = {"type": "object", "properties": {"file_id": {"type": "string", "default": "file-a"}}, "examples": []}


def user(*parts: Any) -> Any:
    return {"role": "user", "content": list(parts)}


NAMING: list[tuple[str, Any, list[tuple[str, str]]]] = [
    (CHAT, {"messages": [user({"type": "file", "file": {"file_id": "file-a"}})]}, [(FILE_ID, "file-a")]),
    (RESPONSES, {"input": [user({"type": "input_image", "file_id": "file-a"})]}, [(FILE_ID, "file-a")]),
    (RESPONSES, {"tools": [{"type": "file_search", "vector_store_ids": ["vs_1", "vs_2"]}]},
     [(STORE_ID, "vs_1"), (STORE_ID, "vs_2")]),
    (RESPONSES, {"tools": [{"type": "code_interpreter", "container": "cntr_1"}]}, [(CONTAINER, "cntr_1")]),
    (RESPONSES, {"tools": [{"type": "shell", "environment": {"type": "container_reference", "container_id": "cntr_1"}}]},
     [(CONTAINER, "cntr_1")]),
    (RESPONSES, {"tools": [{"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file-a"]}}]},
     [(FILE_ID, "file-a")]),
    (RESPONSES, {"conversation": {"id": "conv_1"}}, [(CONVERSATION, "conv_1")]),
    (RESPONSES, {"conversation": "conv_1"}, [(CONVERSATION, "conv_1")]),
    (RESPONSES, {"input": [{"type": "function_call_output", "output": [{"type": "input_file", "file_id": "file-a"}]}]},
     [(FILE_ID, "file-a")]),
    (MESSAGES, {"messages": [user({"type": "document", "source": {"type": "file", "file_id": "file_1"}})]},
     [(FILE_ID, "file_1")]),
    (MESSAGES, {"messages": [user({"type": "container_upload", "file_id": "file_1"})]}, [(FILE_ID, "file_1")]),
    (MESSAGES, {"messages": [user({"type": "tool_result", "content": [
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}}]})]}, [(FILE_ID, "file_1")]),
    (MESSAGES, {"container": "container_1"}, [(CONTAINER, "container_1")]),
    (MESSAGES, {"container": {"id": "container_1", "skills": []}}, [(CONTAINER, "container_1")]),
]  # fmt: skip
NAMING_NOTHING: list[tuple[str, Any]] = [
    (CHAT, {"metadata": {"file_id": "file-a"}}),
    (CHAT, {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}]}),
    (CHAT, {"messages": [user({"type": "text", "text": '{"file_id":"file-a"}'})]}),
    (RESPONSES, {"input": [{"type": "function_call", "arguments": '{"file_id":"file-a"}'}]}),
    (RESPONSES, {"input": [{"type": "file_search_call", "results": [{"file_id": "file-a"}]}]}),
    (RESPONSES, {"input": [{"type": "code_interpreter_call", "container": "cntr_1"}]}),
    (RESPONSES, {"input": [{"type": "code_interpreter_call", "container_id": "cntr_1"}]}),
    (RESPONSES, {"input": [{"type": "shell_call", "environment": {"type": "container_reference", "container_id": "c"}}]}),
    (RESPONSES, {"input": [{"type": "message", "role": "assistant", "content": [
        {"type": "output_text", "annotations": [{"type": "file_citation", "file_id": "file-a"}]}]}]}),
    (RESPONSES, {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}),
    (MESSAGES, {"messages": [{"role": "assistant", "content": [
        {"type": "tool_use", "id": "t", "name": "f", "input": {"file_id": "file_1", "container": "c"}}]}]}),
    (MESSAGES, {"messages": [{"role": "assistant", "content": [
        {"type": "code_execution_tool_result", "content": {"content": [{"file_id": "file_1"}]}}]}]}),
    (MESSAGES, {"tools": [{"name": "f", "input_schema": SCHEMA}]}),
    (MESSAGES, {"container": None}),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "body", "named"), NAMING)
def test_what_a_body_names(dialect: str, body: Any, named: list[tuple[str, str]]) -> None:
    assert named_in_body(json.dumps(body).encode(), dialect) == named
    hidden = json.dumps(body).replace("_id", "\\u005fid").replace("container", "\\u0063ontainer")
    assert named_in_body(hidden.replace("conversation", "\\u0063onversation").encode(), dialect) == named


@pytest.mark.parametrize(("dialect", "body"), NAMING_NOTHING)
def test_what_only_looks_like_a_name(dialect: str, body: Any) -> None:
    assert named_in_body(json.dumps(body).encode(), dialect) == []


async def test_a_file_is_its_owners_alone_and_pins_its_credential(workers: Workers) -> None:
    resources = workers.resources()
    provider = Provider.at("openai", KINDS["openai"], None, (Secret("one", "a test"),))
    things = OwnedThings(resources, [provider])
    await resources.record(Resource("openai", FILE, "file-a", "alice", fingerprint("one")))
    body = json.dumps(NAMING[0][1]).encode()
    assert await things.pins_of_body("alice", body, CHAT) == (frozenset({("openai", fingerprint("one"))}),)
    for tenant, asked in (("bob", body), ("alice", body.replace(b"file-a", b"file-b"))):
        with pytest.raises(NotFound, match="There is no file 'file-"):
            await things.pins_of_body(tenant, asked, CHAT)
    for odd in (b"../x", b"file a", b"x" * 129):
        with pytest.raises(NotFound):
            await things.pins_of_body("alice", body.replace(b"file-a", odd), CHAT)
