"""Counts that no answer has: whoever tells them, what is taken of them fits into the books."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import pytest

from portico.core.usage import MOST, Usage
from portico.dialects.anthropic_messages.usage import parse_usage as parse_messages
from portico.dialects.anthropic_messages.usage import uses_of
from portico.dialects.gemini.embedding import read as read_gemini_embedding
from portico.dialects.gemini.usage import parse_usage as parse_gemini
from portico.dialects.openai.audio_usage import parse_seconds, parse_tokens
from portico.dialects.openai_chat.usage import parse_usage as parse_chat
from portico.dialects.openai_embeddings.answer import read as read_embedding
from portico.dialects.openai_embeddings.answer import see as see_embedding
from portico.dialects.openai_images.passing import parse_usage as parse_images
from portico.dialects.openai_responses.usage import parse_usage as parse_responses
from portico.dialects.openai_transcriptions.passing import see_answer as see_transcript
from portico.wire import jsontext

Json = dict[str, Any]

SENSELESS: Final = [2**31, 2**63, 10**30, 10**400, 1e300, -1, -(2**63)]


def _openai(n: Any) -> Json:
    """In Chat's words, and in those of Responses, pictures and recordings."""
    details = {"text_tokens": n, "audio_tokens": n, "image_tokens": n, "cached_tokens": n, "reasoning_tokens": n}
    made: Json = {}
    for came, left in (("prompt", "completion"), ("input", "output")):
        made |= {f"{came}_tokens": n, f"{left}_tokens": n, "total_tokens": n}
        made |= {f"{came}_tokens_details": details, f"{left}_tokens_details": details}
    return made


def _anthropic(n: Any) -> Json:
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return dict.fromkeys(names, n) | {"cache_creation": {"ephemeral_1h_input_tokens": n}}


def _google(n: Any) -> Json:
    names = ("prompt", "candidates", "thoughts", "total", "toolUsePrompt")
    details = [{"modality": "TEXT", "tokenCount": n}, {"modality": "IMAGE", "tokenCount": n}]
    return {f"{name}TokenCount": n for name in names} | {"promptTokensDetails": details}


def _embedded(read: Callable[[Json], Any], **counts: Any) -> Usage | None:
    found = read({"model": "m", "data": [{"embedding": [0.5], "index": 0}], "embedding": {"values": [0.5]}, **counts})
    assert found.usage is None or isinstance(found.usage, Usage)
    return found.usage


USAGES: dict[str, Callable[[Any], Usage | None]] = {
    "chat": lambda n: parse_chat(_openai(n)),
    "responses": lambda n: parse_responses(_openai(n)),
    "images": lambda n: parse_images(_openai(n)),
    "recordings": lambda n: parse_tokens(_openai(n), takes="audio", makes="text"),
    "messages": lambda n: parse_messages(_anthropic(n)),
    "gemini": lambda n: parse_gemini(_google(n)),
    "embeddings": lambda n: _embedded(read_embedding, usage={"prompt_tokens": int(n)} if abs(n) < 2**63 else None),
    "embeddings that pass": lambda n: _embedded(lambda body: see_embedding(jsontext.encode(body)), usage=_openai(n)),
    "gemini's embeddings": lambda n: _embedded(read_gemini_embedding, usageMetadata={"promptTokenCount": n}),
    "vertex's embeddings": lambda n: _embedded(
        read_gemini_embedding,
        predictions=[{"embeddings": {"values": [0.5], "statistics": {"token_count": n}}}],
    ),
}

OTHERS: dict[str, Callable[[Any], Any]] = {
    "seconds": lambda n: parse_seconds({"type": "duration", "seconds": n}),
    "uses of tools": lambda n: sum(uses_of({"server_tool_use": {"web_search_requests": n}}).values()),
    "a recording's length": lambda n: sum(
        see_transcript(jsontext.encode({"text": "a", "duration": n}), b"").uses.values()
    ),
}


def _counts(usage: Usage | None) -> Iterator[int]:
    if usage is not None:
        for name, tokens in msgspec.structs.asdict(usage).items():
            if name != "ext":
                yield from tokens.values()


@pytest.mark.parametrize("count", SENSELESS, ids=lambda count: str(count)[:25])
@pytest.mark.parametrize("of", USAGES)
def test_a_count_that_no_answer_has_is_taken_as_far_as_the_books_can_keep_it(of: str, count: Any) -> None:
    counts = list(_counts(USAGES[of](count)))
    assert all(type(one) is int and 0 <= one <= MOST for one in counts), counts


@pytest.mark.parametrize("count", SENSELESS, ids=lambda count: str(count)[:25])
@pytest.mark.parametrize("of", OTHERS)
def test_so_is_what_is_no_token(of: str, count: Any) -> None:
    assert 0 <= OTHERS[of](count) <= MOST
