"""mapping.md 1.7 (b), 1.16 and 9: what the operator wants where the caller says nothing."""

import pytest

from dialects.dialect_rows import CHAT, GEMINI, Json, chat, target
from portico.relay.defaults import Defaults, with_defaults


def body_with(defaults: Defaults, **fields: object) -> Json:
    request = with_defaults(CHAT.parse_request(chat(**fields)), defaults)
    made: Json = GEMINI.render_request(request, target()).body
    return made


SHOWN: list[tuple[Json, bool | None]] = [
    ({}, None),
    ({"reasoning_effort": "none"}, None),
    ({"reasoning_effort": "minimal"}, None),
    ({"reasoning_effort": "low"}, True),
    ({"reasoning_effort": "high"}, True),
    ({"reasoning_effort": "high", "include_reasoning": False}, False),
]


@pytest.mark.parametrize(("fields", "shown"), SHOWN)
def test_thoughts_are_shown_to_who_asks_for_an_effort_where_the_operator_says_so(
    fields: Json, shown: bool | None
) -> None:
    thinking = body_with(Defaults(show_thoughts=True), **fields).get("generationConfig", {}).get("thinkingConfig", {})
    assert thinking.get("includeThoughts") is shown


SAFETY = {"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE", "HARM_CATEGORY_HATE_SPEECH": "OFF"}


def test_the_operators_safety_settings_are_sent_where_the_caller_has_none() -> None:
    assert body_with(Defaults(safety=SAFETY))["safetySettings"] == [
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"},
        {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "OFF"},
    ]


def test_the_callers_word_on_a_category_wins() -> None:
    own = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"}]
    expected = [*own, {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "OFF"}]
    assert body_with(Defaults(safety=SAFETY), safety_settings=own)["safetySettings"] == expected
    google = {"google": {"safety_settings": own}}
    assert body_with(Defaults(safety=SAFETY), extra_body=google)["safetySettings"] == expected


def test_everybody_may_be_told_thoughts_in_both_shapes() -> None:
    request = CHAT.parse_request(chat())
    assert with_defaults(request, Defaults(reasoning_details=True)).reasoning_details
    assert with_defaults(request, Defaults()) is request
