"""`/models` is a call and a page on one address: who brings a key gets the API, a reader the page. Over real sockets."""

import http.client
import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest

from web.serving import KEY, House, served

BEARER = {"authorization": f"Bearer {KEY}"}
PAGE = "text/html; charset=utf-8"
API = "application/json"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with served() as house:
        yield house


def ask(
    house: House, path: str, headers: Mapping[str, str], method: str = "GET"
) -> tuple[int, Mapping[str, str], bytes]:
    parts = urlsplit(house.base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=15)
    try:
        connection.request(method, path, headers=dict(headers))
        answer = connection.getresponse()
        fields: dict[str, str] = {}
        for name, value in answer.getheaders():
            fields[name.lower()] = f"{fields[name.lower()]}, {value}" if name.lower() in fields else value
        return answer.status, fields, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/models", "/models/gpt-5.5", "/models/gemini-3.8-flash"])
@pytest.mark.parametrize(
    ("headers", "query", "status", "media_type"),
    [
        ({"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, "", 200, PAGE),
        ({"accept": "text/html", **BEARER}, "", 200, API),
        ({"accept": "text/html", "x-api-key": KEY, "anthropic-version": "2023-06-01"}, "", 200, API),
        ({"accept": "text/html", "x-goog-api-key": KEY}, "", 200, API),
        ({"accept": "text/html"}, f"?key={KEY}", 200, API),
        (BEARER, "", 200, API),
        ({"accept": "*/*"}, "", 401, API),
        ({}, "", 401, API),
        ({"accept": "text/markdown"}, "", 200, "text/markdown; charset=utf-8"),
    ],
)
def test_who_brings_a_key_gets_the_api_and_a_reader_the_page(
    house: House, path: str, headers: Mapping[str, str], query: str, status: int, media_type: str
) -> None:
    answered, fields, _ = ask(house, path + query, headers)
    assert answered == status
    assert fields["content-type"].lower() == media_type.lower()
    assert {"accept", "authorization"} <= {word.strip().lower() for word in fields["vary"].split(",")}


def test_versioned_paths_are_never_pages(house: House) -> None:
    for path in ("/v1/models", "/v1/models/gpt-5.5", "/v1beta/models", "/v1"):
        _, fields, _ = ask(house, path, {"accept": "text/html"})
        assert fields["content-type"].startswith(API)


def test_a_page_is_never_in_the_way_of_a_call(house: House) -> None:
    for path in ("/chat/completions", "/responses", "/messages", "/embeddings"):
        status, fields, _ = ask(house, path, {"accept": "text/html"}, "GET")
        assert (status, fields["content-type"].split(";")[0]) == (405, API)


def test_a_wrong_base_url_is_told_in_words(house: House) -> None:
    status, fields, body = ask(house, "/api/chat/completions", BEARER, "POST")
    assert (status, fields["content-type"]) == (404, API)
    assert "/v1" in json.loads(body)["error"]["message"]


def test_head_is_answered_without_a_body(house: House) -> None:
    for path in ("/", "/models", "/docs/quickstart", "/llms.txt", "/favicon.svg"):
        status, fields, body = ask(house, path, {"accept": "text/html"}, "HEAD")
        assert (status, body) == (200, b"")
        assert int(fields["content-length"]) > 100


def test_a_portico_without_pages_answers_as_calls_are_answered() -> None:
    with served(env={"PORTICO_WEB_PAGES": "false"}) as house:
        for path in ("/", "/docs", "/models"):
            status, fields, _ = ask(house, path, {"accept": "text/html"})
            assert status in (401, 404)
            assert fields["content-type"] == API
