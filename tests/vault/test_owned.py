"""Names of files, caches and stores in a request: what is a name, and whose it is (mapping.md 1.4, 1.16)."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.core.errors import BodyNotJson, NotFound
from portico.core.masking import fingerprint
from portico.core.parts import Media, Text
from portico.core.request import Message, Request, Role
from portico.core.target import Capabilities
from portico.dialects.gemini import DIALECT as GEMINI
from portico.dialects.openai_chat import DIALECT as CHAT
from portico.providers import KINDS, Provider, Secret
from portico.relay.owned import OwnedThings, held_to, named_in, named_in_body
from portico.routing import Candidate, Deployment
from portico.vault import Resource
from portico.vault.resources import CACHE, FILE, STORE
from vault.workers import Workers

GOOGLE = "https://generativelanguage.googleapis.com"
BEHIND = "http://127.0.0.1:9/v1beta"
PROVIDERS = [
    Provider.at("gemini", KINDS["gemini"], None, (Secret("one", "a test"), Secret("two", "a test"))),
    Provider.at("second", KINDS["gemini"], BEHIND, (Secret("three", "a test"),)),
]

# A URI, and the file it names; None: nobody's, "": refused as it is no name.
URIS: list[tuple[str, str | None]] = [
    ("files/abc-1", "files/abc-1"),
    (f"{GOOGLE}/v1beta/files/abc-1", "files/abc-1"),
    (f"{GOOGLE}/v1/files/abc-1:download?alt=media", "files/abc-1"),
    ("HTTPS://GenerativeLanguage.googleapis.com/v1beta/files/abc-1", "files/abc-1"),
    (f"{BEHIND}/files/abc-1", "files/abc-1"),
    ("https://example.com/files/abc-1", None),
    ("https://example.com/v1beta/files/abc-1", None),
    ("https://storage.googleapis.com/bucket/picture.png", None),
    ("https://www.youtube.com/watch?v=abc", None),
    ("https://youtu.be/abc", None),
    ("gs://bucket/files/abc-1", None),
    ("http://127.0.0.1:9/pictures/files/abc-1.png", None),
    ("http://127.0.0.1:10/v1beta/files/abc-1", None),
    ("file-abc1", ""),
    ("abc-1", ""),
    ("/files/abc-1", ""),
    ("files/", ""),
    ("files/../files/abc-1", ""),
    ("files/abc%2D1", ""),
    ("files/abc-1 ", ""),
    ("v1beta/files/abc-1", ""),
    ("projects/p/locations/l/files/abc-1", ""),
    (f"{GOOGLE}/v1beta/files/abc%2D1", ""),
    (f"{GOOGLE}/v1beta/%66iles/abc-1", ""),
    (f"{GOOGLE}/v1beta/x/../files/abc-1", ""),
    (f"{GOOGLE}//v1beta/files/abc-1", ""),
    (f"{GOOGLE}:443/v1beta/files/abc-1", "files/abc-1"),
    (f"{GOOGLE}./v1beta/files/abc-1", "files/abc-1"),
    ("https://me@generativelanguage.googleapis.com/v1beta/files/abc-1", ""),
    (f" {GOOGLE}/v1beta/files/abc-1", "files/abc-1"),
    (f"{GOOGLE}/v1beta/files/abc-1 ", ""),
    ("https:\\\\generativelanguage.googleapis.com\\v1beta\\files\\abc-1", ""),
    ("https://generativel%61nguage.googleapis.com/v1beta/files/abc-1", ""),
    ("https:/generativelanguage.googleapis.com/v1beta/files/abc-1", ""),
]


def naming(uri: str) -> Request:
    return Request("m", (Message(Role.USER, (Text("hi"), Media("image/png", uri=uri))),))


@pytest.mark.parametrize(("uri", "file"), URIS)
async def test_a_file_is_known_by_its_name_however_it_is_addressed(
    workers: Workers, uri: str, file: str | None
) -> None:
    resources = workers.resources()
    things = OwnedThings(resources, PROVIDERS)
    if file is None:
        assert await things.pins("a", naming(uri)) == ()
        return
    with pytest.raises(NotFound):
        await things.pins("a", naming(uri))
    await resources.record(Resource("gemini", FILE, "files/abc-1", "a", fingerprint("one")))
    with pytest.raises(NotFound):
        await things.pins("b", naming(uri))
    if file:
        assert await things.pins("a", naming(uri)) == (frozenset([("gemini", fingerprint("one"))]),)
    else:
        with pytest.raises(NotFound):
            await things.pins("a", naming(uri))


async def test_what_is_anothers_and_what_does_not_exist_are_told_alike(workers: Workers) -> None:
    resources = workers.resources()
    await resources.record(Resource("gemini", FILE, "files/abc-1", "a", fingerprint("one")))
    things = OwnedThings(resources, PROVIDERS)
    told = []
    for name in ("files/abc-1", "files/abc-2"):
        with pytest.raises(NotFound) as refused:
            await things.pins("b", naming(name))
        told.append(refused.value.message.replace(name, "…"))
    assert told[0] == told[1]


PART = {"fileData": {"fileUri": "files/1", "mimeType": "image/png"}}
OTHER_SPELLING = {"file_data": {"file_uri": "files/1"}}
USER = {"role": "user", "parts": [{"text": "hi"}]}
# (name, body, what it names)
BODIES: list[tuple[str, Any, list[tuple[str, str]]]] = [
    ("nothing", {"contents": [USER]}, []),
    ("a file", {"contents": [{"parts": [PART]}]}, [(FILE, "files/1")]),
    ("in snake case", {"contents": [{"parts": [OTHER_SPELLING]}]}, [(FILE, "files/1")]),
    ("in an instruction", {"systemInstruction": {"parts": [PART]}, "contents": [USER]}, [(FILE, "files/1")]),
    (
        "in a tool's result",
        {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}, "parts": [PART]}}]}]},
        [(FILE, "files/1")],
    ),
    ("a cache", {"cachedContent": "cachedContents/1", "contents": [USER]}, [(CACHE, "cachedContents/1")]),
    (
        "a cache in snake case",
        {"cached_content": "cachedContents/1", "contents": [USER]},
        [(CACHE, "cachedContents/1")],
    ),
    (
        "a store",
        {"tools": [{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/1"]}}], "contents": [USER]},
        [(STORE, "fileSearchStores/1")],
    ),
    (
        "a store in snake case",
        {"tools": [{"file_search": {"file_search_store_names": ["fileSearchStores/1"]}}], "contents": [USER]},
        [(STORE, "fileSearchStores/1")],
    ),
    ("counting tokens", {"generateContentRequest": {"contents": [{"parts": [PART]}]}}, [(FILE, "files/1")]),
    ("embeddings", {"requests": [{"content": {"parts": [PART]}}, {}]}, [(FILE, "files/1")]),
    ("words in a text", {"contents": [{"parts": [{"text": 'say "fileUri": "files/1" and cachedContent'}]}]}, []),
]


@pytest.mark.parametrize(("name", "body", "named"), BODIES, ids=[row[0] for row in BODIES])
def test_a_body_that_passes_is_looked_through_for_names(name: str, body: Any, named: list[tuple[str, str]]) -> None:
    for data in (json.dumps(body), json.dumps(body, indent=1), json.dumps(body, separators=(",", ":"))):
        assert named_in_body(data.encode()) == named
        spelt_out = "".join([f"\\u{ord(char):04x}" if char in "fFcCuU" else char for char in data])
        if "\\u" in data or not named:
            continue
        assert named_in_body(spelt_out.encode()) == named, "escapes hide nothing"


READ = [row for row in BODIES if "contents" in row[1]]


@pytest.mark.parametrize(("name", "body", "named"), READ, ids=[row[0] for row in READ])
def test_a_request_that_was_read_names_the_same(name: str, body: Any, named: list[tuple[str, str]]) -> None:
    assert list(named_in(GEMINI.parse_request(body, model="m", stream=False))) == named


CHAT_BODIES: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("cached_content", {"cached_content": "cachedContents/1"}, [(CACHE, "cachedContents/1")]),
    (
        "Google's extension",
        {"extra_body": {"google": {"cached_content": "cachedContents/1"}}},
        [(CACHE, "cachedContents/1")],
    ),
    (
        "a store in Google's tool",
        {"tools": [{"file_search": {"file_search_store_names": ["fileSearchStores/1"]}}]},
        [(STORE, "fileSearchStores/1")],
    ),
]


@pytest.mark.parametrize(("name", "more", "named"), CHAT_BODIES, ids=[row[0] for row in CHAT_BODIES])
def test_callers_of_chat_name_things_too(name: str, more: dict[str, Any], named: list[tuple[str, str]]) -> None:
    request = CHAT.parse_request({"model": "m", "messages": [{"role": "user", "content": "hi"}], **more})
    assert list(named_in(request)) == named


@pytest.mark.parametrize("body", [b'{"fileUri": ', b"\xff\xfe{\x00", b'{"a": "\\u0066', b'{"cachedContent": 1}x'])
def test_a_body_that_would_have_to_be_read_and_cannot_be_is_refused(body: bytes) -> None:
    with pytest.raises(BodyNotJson):
        named_in_body(body)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, derandomize=True)
@given(JSON, st.sampled_from(["fileUri", "file_uri"]), st.booleans(), st.integers(0, 6))
def test_a_name_is_found_wherever_it_stands(around: Any, field: str, escaped: bool, depth: int) -> None:
    value: Any = {field: "files/hidden", "more": around}
    for level in range(depth):
        value = [around, value] if level % 2 else {"a": around, "b": value}
    text = json.dumps(value, ensure_ascii=escaped)
    if escaped:
        text = text.replace(field, "".join([f"\\u{ord(char):04X}" for char in field]))
    assert (FILE, "files/hidden") in named_in_body(text.encode())


# -- the credential ----------------------------------------------------------------------------------------------------

CANDIDATES = [
    Candidate(Deployment(provider, "m", Capabilities()), key) for provider in PROVIDERS for key in provider.keys
]


def places(candidates: list[Candidate]) -> list[str]:
    return [one.credential.reveal() for one in candidates]


def pin(*owners: tuple[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset([(provider, fingerprint(secret)) for provider, secret in owners])


def test_a_call_is_held_to_the_credential_that_owns_what_it_names() -> None:
    assert places(held_to((), CANDIDATES)) == ["one", "two", "three"]
    assert places(held_to((pin(("gemini", "two")),), CANDIDATES)) == ["two"]
    assert places(held_to((pin(("gemini", "two"), ("second", "three")),), CANDIDATES)) == ["two", "three"]
    both = (pin(("gemini", "two"), ("second", "three")), pin(("gemini", "two"), ("gemini", "one")))
    assert places(held_to(both, CANDIDATES)) == ["two"]
    assert held_to((pin(("gemini", "two")),), []) == []


@pytest.mark.parametrize(
    "pins",
    [
        (pin(("gemini", "gone")),),
        (pin(("second", "one")),),
        (pin(("gemini", "one")), pin(("gemini", "two"))),
    ],
    ids=["a credential that is no longer there", "another provider's", "two things of two credentials"],
)
def test_a_call_that_no_credential_can_make_is_refused(pins: tuple[frozenset[tuple[str, str]], ...]) -> None:
    with pytest.raises(NotFound):
        held_to(pins, CANDIDATES)
