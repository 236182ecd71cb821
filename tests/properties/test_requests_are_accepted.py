"""Any valid Chat request becomes a body that a strict stand-in for Google accepts, on models of every generation."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from properties.asking import posted, rendered
from properties.chat_requests import AIMS, Aim, chat_requests


@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: f"{aim.model} at {aim.kind}")
@settings(deadline=None, derandomize=True, max_examples=250, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_valid_request_is_accepted(aim: Aim, data: st.DataObject) -> None:
    """1.1 to 1.4: what we promise to understand is never refused by the provider for what we made of it."""
    asked = data.draw(chat_requests(aim))
    body = rendered(asked, aim, "rendered").body
    answer = posted(aim, body)
    assert answer.status == 200, bytes(answer.data).decode()
