"""A policy is kept whole or refused with the field's name."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.accounts.policy import IMAGE_FORMS, Policy, changed, decode_policy, encode_policy, is_allowed, policy_of
from portico.catalog.thinking import EFFORTS
from portico.core.errors import InvalidRequest
from portico.relay import media

COUNTS = ("rpm", "tpm", "concurrent", "budget_day_nanos", "budget_month_nanos")

REFUSED: list[tuple[str, Any]] = [
    *[(name, value) for name in COUNTS for value in (0, -1, 1.5, "10", True, 2**63, [1])],
    ("models", "gemini-*"),
    ("models", [""]),
    ("models", [7]),
    ("models", [" gemini"]),
    ("models", ["x" * 257]),
    ("models", ["a\nb"]),
    ("models", ["x"] * 1001),
    ("models", ["a*" * 100] * 51),
    ("allow_ips", ["10.0.0.0/33"]),
    ("allow_ips", ["example.com"]),
    ("allow_ips", [""]),
    ("image_form", "png"),
    ("strict", "yes"),
    ("strict", 1),
    ("on_disconnect", "wait"),
    ("on_disconnect", 1),
    ("default_effort", "huge"),
    ("rmp", 10),
    ("budget", 10),
    ("", 1),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_makes_no_sense_is_refused_with_the_fields_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        policy_of({"strict": False, name: value})
    assert refused.value.param == name
    assert name in refused.value.message


def test_complaint_14_an_unknown_field_is_refused_and_the_known_ones_are_told() -> None:
    with pytest.raises(InvalidRequest, match="budget_day_nanos"):
        policy_of({"budget_daily": 5})


def test_the_words_are_those_of_the_relay() -> None:
    assert IMAGE_FORMS == media.IMAGE_FORMS


GLOBS = st.lists(st.sampled_from(["gemini-*", "*", "gpt-?", "[ab]*"]), max_size=3).map(tuple)
ADDRESSES = st.lists(st.sampled_from(["10.0.0.0/8", "::1", "192.0.2.7", "2001:db8::/32"]), max_size=3).map(tuple)
COUNT = st.none() | st.integers(1, 2**63 - 1)
POLICIES = st.builds(
    Policy,
    models=GLOBS,
    allow_ips=ADDRESSES,
    rpm=COUNT,
    tpm=COUNT,
    concurrent=COUNT,
    budget_day_nanos=COUNT,
    budget_month_nanos=COUNT,
    image_form=st.none() | st.sampled_from(IMAGE_FORMS),
    strict=st.booleans(),
    on_disconnect=st.sampled_from([None, "cancel", "drain"]),
    default_effort=st.none() | st.sampled_from(EFFORTS),
)


@given(POLICIES)
def test_a_policy_comes_back_from_the_store_as_it_went_in(policy: Policy) -> None:
    assert decode_policy(encode_policy(policy)) == policy


@given(POLICIES, POLICIES)
def test_a_change_changes_what_it_names_and_nothing_else(policy: Policy, other: Policy) -> None:
    fields = json.loads(encode_policy(other))
    result = changed(policy, fields)
    for name in Policy.__struct_fields__:
        assert getattr(result, name) == getattr(other if name in fields else policy, name)
    assert changed(policy, dict.fromkeys(Policy.__struct_fields__)) == Policy()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"rpm": 0}', '{"later": 1}'])
def test_a_stored_policy_that_cannot_be_kept_is_no_policy(text: str) -> None:
    with pytest.raises(InvalidRequest):
        decode_policy(text)


@pytest.mark.parametrize(
    ("peer", "entries", "allowed"),
    [
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("11.1.2.3", ("10.0.0.0/8",), False),
        ("192.0.2.7", ("192.0.2.7",), True),
        ("192.0.2.8", ("192.0.2.7", "192.0.2.8"), True),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),
        ("2001:db8::5", ("2001:db8::/32",), True),
        ("2001:db8::5", ("[2001:db8::5]",), True),
        ("fe80::1%eth0", ("fe80::/10",), True),
        ("10.1.2.3", ("10.1.2.9/8",), True),
        ("10.1.2.3", ("::/0",), False),
        ("", ("0.0.0.0/0", "::/0"), False),
        ("/run/portico.sock", ("0.0.0.0/0",), False),
    ],
)
def test_an_address_is_in_the_list_or_not(peer: str, entries: tuple[str, ...], allowed: bool) -> None:
    assert is_allowed(peer, policy_of({"allow_ips": list(entries)}).allow_ips) is allowed
