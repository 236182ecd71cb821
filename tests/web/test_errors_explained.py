"""Every error says where it is explained, and it is explained there."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urljoin

import pytest

from portico.core.errors import PorticoError
from portico.http import fetch, gateway, guard
from portico.web import book
from portico.web.addresses import Locale
from web.serving import KEY, House, served

HELP: Final = "type.googleapis.com/google.rpc.Help"
OPENAI: Final = {"authorization": f"Bearer {KEY}"}
ANTHROPIC: Final = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
GOOGLE: Final = {"x-goog-api-key": KEY}
HELLO: Final = [{"role": "user", "content": "Hello"}]
REFUSED: Final[dict[str, tuple[str, str, dict[str, str], Any, str]]] = {
    "no key": ("POST", "/v1/chat/completions", {}, {"model": "gpt-5.5", "messages": HELLO}, "invalid_api_key"),
    "no model": ("POST", "/v1/chat/completions", OPENAI, {"model": "gpt-none", "messages": HELLO}, "model_not_found"),
    "not JSON": ("POST", "/v1/responses", OPENAI, b"{", "invalid_json"),
    "no method": ("DELETE", "/v1/chat/completions", OPENAI, None, "method_not_allowed"),
    "no route": ("POST", "/v1/nothing", OPENAI, {}, "unknown_url"),
    "no page": ("GET", "/nothing", {**OPENAI, "accept": "application/json"}, None, "unknown_url"),
    "Claude, no model": (
        "POST",
        "/v1/messages",
        ANTHROPIC,
        {"model": "claude-none", "max_tokens": 9, "messages": HELLO},
        "model_not_found",
    ),
    "Claude, bad value": (
        "POST",
        "/v1/messages",
        ANTHROPIC,
        {"model": "claude-opus-5-5", "max_tokens": "x", "messages": HELLO},
        "invalid_value",
    ),
    "Gemini, no key": (
        "POST",
        "/v1beta/models/gemini-3.8-flash:generateContent",
        {},
        {"contents": []},
        "invalid_api_key",
    ),
    "Gemini, no model": (
        "POST",
        "/v1beta/models/gemini-0:generateContent",
        GOOGLE,
        {"contents": []},
        "model_not_found",
    ),
    "Gemini, which says itself that it is no JSON": (
        "POST",
        "/v1beta/models/gemini-3.8-flash:streamGenerateContent",
        GOOGLE,
        b"{",
        "invalid_value",
    ),
}


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with served() as house:
        yield house


def ask(url: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: Any = None) -> tuple[int, str]:
    """Status and body of an answer."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})}, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def where(body: Any) -> str:
    """Where an error says that it is explained, in whatever dialect."""
    error = (body[0] if isinstance(body, list) else body)["error"]
    if "doc" in error:
        return str(error["doc"])
    (link,) = [link for one in error["details"] if one["@type"] == HELP for link in one["links"]]
    return str(link["url"])


@pytest.mark.parametrize("case", REFUSED)
def test_an_error_says_where_it_is_explained(house: House, case: str) -> None:
    method, path, headers, body, code = REFUSED[case]
    status, told = ask(f"{house.base_url}{path}", method, headers, body)
    assert status >= 400
    doc = where(json.loads(told))
    assert doc.endswith(f"/docs/errors#{code}")
    status, page = ask(urljoin(house.base_url, doc.partition("#")[0]), headers={"accept": "text/html"})
    assert (status, f'id="{code}"' in page) == (200, True)


def test_it_begins_with_the_address_of_the_house_where_that_is_known() -> None:
    with served(env={"PORTICO_WEB_PUBLIC_URL": "https://portico.example"}) as house:
        body = json.loads(ask(f"{house.base_url}/v1/models")[1])
    assert where(body) == "https://portico.example/docs/errors#invalid_api_key"


def test_without_pages_nothing_is_explained() -> None:
    with served(env={"PORTICO_WEB_PAGES": "false"}) as house:
        body = json.loads(ask(f"{house.base_url}/v1/models")[1])
    assert "doc" not in body["error"]


def _kinds(kind: type[PorticoError]) -> Iterator[type[PorticoError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _kinds(one)


@pytest.mark.parametrize("locale", list(Locale))
def test_every_code_has_its_place(locale: Locale) -> None:
    assert all((gateway, fetch, guard))  # they have kinds of their own
    body = book.every_source(locale)["/docs/errors"].body
    ours = [kind for kind in _kinds(PorticoError) if kind.__module__.startswith("portico.")]
    # What pages tell is explained on them, to whoever looks at them.
    codes = {kind.code or "internal_error" for kind in ours if not kind.__module__.startswith("portico.web.")}
    assert len(codes) > 40
    assert {code for code in codes if f"{{#{code}}}" not in body} == set()
