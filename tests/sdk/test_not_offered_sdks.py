"""What is not offered, as the official SDKs hear of it: an error that they know, and what to use instead."""

from collections.abc import Callable

import anthropic
import openai
import pytest
from anthropic import Anthropic
from google import genai
from google.genai import errors, types
from openai import OpenAI

from gateway.house import KEY, House

OPENAI: list[tuple[Callable[[OpenAI], object], str]] = [
    (lambda client: client.batches.list(), "one by one"),
    (lambda client: client.fine_tuning.jobs.list(), "[[models]]"),
    (lambda client: client.vector_stores.list(), "POST /v1/files"),
    (lambda client: client.conversations.create(), "previous_response_id"),
    (lambda client: client.responses.cancel("resp_1"), "connection"),
    (lambda client: client.moderations.create(input="a"), "filters"),
    (lambda client: client.completions.create(model="gpt-5.5", prompt="a"), "/v1/chat/completions"),
    (lambda client: client.uploads.create(bytes=1, filename="a", mime_type="a/b", purpose="batch"), "POST /v1/files"),
]


@pytest.mark.parametrize(("call", "instead"), OPENAI)
def test_openai_s_client_is_told_what_to_use(house: House, call: Callable[[OpenAI], object], instead: str) -> None:
    with OpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client:
        with pytest.raises(openai.NotFoundError) as caught:
            call(client)
        assert caught.value.code == "not_offered"
        assert instead in caught.value.message


def test_anthropic_s_client_is_told_what_to_use(house: House) -> None:
    with Anthropic(api_key=KEY, base_url=f"http://127.0.0.1:{house.port}", max_retries=0) as client:
        with pytest.raises(anthropic.NotFoundError) as caught:
            client.messages.batches.list()
        assert caught.value.type == "not_found_error"
        assert "POST /v1/messages" in caught.value.message


def test_google_s_client_is_told_what_to_use(house: House) -> None:
    options = types.HttpOptions(base_url=f"http://127.0.0.1:{house.port}")
    with genai.Client(api_key=KEY, http_options=options) as client:
        calls: list[tuple[Callable[[], object], str]] = [
            (lambda: client.batches.create(model="gemini-3.5-flash", src="files/requests"), ":generateContent"),
            (lambda: list(client.batches.list()), "one by one"),
            (lambda: list(client.caches.list()), "by themselves"),
        ]
        for call, instead in calls:
            with pytest.raises(errors.ClientError) as caught:
                call()
            assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND"), str(caught.value)
            assert instead in str(caught.value.message)
