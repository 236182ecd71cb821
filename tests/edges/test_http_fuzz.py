"""The laws of `edges/fuzz.py`, as many examples as a test run may take. `make fuzz` looks for longer."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edges.fuzz import (
    ANSWERS,
    CUTS,
    METHODS,
    REQUESTS,
    SAID,
    Said,
    client_law,
    said_to_client_law,
    said_to_server_law,
    server_law,
)

BOUNDED = settings(
    max_examples=400, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@BOUNDED
@given(data=REQUESTS, sizes=CUTS)
def test_what_a_caller_says_is_the_same_however_it_is_cut(data: bytes, sizes: list[int]) -> None:
    server_law(data, sizes)


@BOUNDED
@given(data=ANSWERS, sizes=CUTS, method=METHODS)
def test_what_a_provider_says_is_the_same_however_it_is_cut(
    runner: asyncio.Runner, data: bytes, sizes: list[int], method: str
) -> None:
    runner.run(client_law(data, sizes, method))


@BOUNDED
@given(said=st.lists(SAID, min_size=1, max_size=3), sizes=CUTS)
def test_what_a_caller_says_in_order_is_heard_as_it_was_said(said: list[Said], sizes: list[int]) -> None:
    said_to_server_law(said, sizes)


@BOUNDED
@given(said=SAID, sizes=CUTS)
def test_what_a_provider_says_in_order_is_heard_as_it_was_said(
    runner: asyncio.Runner, said: Said, sizes: list[int]
) -> None:
    runner.run(said_to_client_law(said, sizes))
