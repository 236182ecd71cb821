"""What kinds make of a call before it is sent: dialects a model can be asked in, headers that are forwarded."""

import msgspec
import pytest

from portico.dialects import gemini, openai_chat
from portico.providers import KINDS, Provider, ProviderKind, Secret, Spoken, Verb, with_forwarded

PATHS = {Verb.GENERATE: "/x", Verb.STREAM: "/x"}
CHAT, GEMINI = Spoken(openai_chat.DIALECT, PATHS), Spoken(gemini.DIALECT, PATHS)


def kind_speaking(*spoken: Spoken) -> ProviderKind:
    return msgspec.structs.replace(KINDS["openai"], spoken=spoken)


@pytest.mark.parametrize(
    ("dialects", "expected"),
    [
        ((), ["openai_chat", "gemini"]),
        (("gemini",), ["gemini"]),
        (("gemini", "openai_chat"), ["gemini", "openai_chat"]),
        (("gemini", "unknown"), ["gemini"]),
        (("unknown",), ["openai_chat", "gemini"]),  # what the provider does not speak says nothing of it
    ],
)
def test_a_model_is_asked_in_the_dialects_it_answers_in(dialects: tuple[str, ...], expected: list[str]) -> None:
    kind = kind_speaking(CHAT, GEMINI).limited_to(dialects)
    assert [one.dialect.name for one in kind.spoken] == expected
    assert kind.dialect.name == expected[0]
    assert kind.to(openai_chat.DIALECT).dialect.name == ("openai_chat" if "openai_chat" in expected else expected[0])


def test_a_kind_that_is_as_it_was_is_the_same_one() -> None:
    kind = kind_speaking(CHAT, GEMINI)
    assert kind.limited_to(()) is kind
    assert kind.limited_to(("openai_chat", "gemini")) is kind


FORWARDING = Spoken(openai_chat.DIALECT, PATHS, headers=(("x-version", "1"),), forwarded=("x-version", "x-beta"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {"x-version": "1"}),
        ({"x-beta": "a, b"}, {"x-version": "1", "x-beta": "a, b"}),
        ({"x-version": "2"}, {"x-version": "2"}),
        ({"x-other": "2", "authorization": "Bearer caller"}, {"x-version": "1"}),
        ({"x-beta": "é"}, {"x-version": "1"}),
        ({"x-beta": "a" * 2000}, {"x-version": "1"}),
        ({"x-version": ""}, {"x-version": "1"}),
    ],
)
def test_a_caller_of_a_dialect_has_its_headers_forwarded_and_no_others(
    said: dict[str, str], expected: dict[str, str]
) -> None:
    provider = Provider.at("x", KINDS["openai"], None, (Secret("sample", "a test"),))
    fixed = provider.fixed_headers(FORWARDING, provider.keys[0])
    assert fixed is not None
    headers = with_forwarded(fixed, FORWARDING, said)
    assert dict(headers) == {"authorization": "Bearer sample", "content-type": "application/json", **expected}
    assert len(headers) == len(dict(headers))
