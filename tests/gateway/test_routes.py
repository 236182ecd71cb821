"""Which call a path is, and what a query says: the tables, without a socket."""

import contextlib
from typing import Final

import pytest

from gateway.house import patience
from portico.core.errors import InvalidRequest, NotOffered, RouteNotFound
from portico.http.query import Query, read_query
from portico.http.routes import CHAT, GEMINI, MESSAGES, RESPONSES, Action, Route, dialect_at, find_route, is_call_path
from portico.providers import Verb

BEARER = {"authorization": "Bearer x"}
GOOGLES = {"x-goog-api-key": "x"}
ANTHROPICS = {"x-api-key": "x", "anthropic-version": "2023-06-01"}
PREFIXES = ["", "/v1", "/v1beta", "/v1alpha", "/v1beta1"]
PUBLISHERS = ["", "/publishers/google", "/projects/my-p/locations/us-east1/publishers/google"]
VERBS = {
    "generateContent": Verb.GENERATE,
    "streamGenerateContent": Verb.STREAM,
    "countTokens": Verb.COUNT_TOKENS,
    "embedContent": Verb.EMBED,
    "batchEmbedContents": Verb.BATCH_EMBED,
}
MODELS = {
    "gemini-3.5-flash": "gemini-3.5-flash",
    "google/gemini-3.5-flash": "google/gemini-3.5-flash",
    "google%2Fgemini-3.5-flash": "google/gemini-3.5-flash",
    "models/gemini-3.5-flash": "models/gemini-3.5-flash",
    "llama:8b": "llama:8b",
    "llama%3A8b": "llama:8b",
    "%E6%A8%A1%E5%9E%8B": "模型",
    "a%20b%0Ac": "a b\nc",
}
NO_QUERY = read_query("")


def route(method: str, path: str, query: str = "", headers: dict[str, str] = BEARER) -> Route:
    return find_route(method, path, read_query(query), headers)


LONG: Final = {
    "models": "/v1/x" + "/models/:a/" * 100_000,
    "models alone": "/v1" + "/models/" * 100_000 + ":",
    "colons": "/v1beta/models/" + ":" * 1_000_000 + "/",
    "projects": "/v1/projects" + "/locations/" * 100_000,
    "live": "/v1" + "/ws" * 300_000,
    "openai": "/v1" + "/openai" * 100_000,
    "responses": "/v1" + "/responses/input_items" * 50_000,
    "files": "/v1" + "/files" * 150_000 + "/content",
    "slashes": "/" * 1_000_000,
}


@pytest.mark.parametrize("path", LONG.values(), ids=LONG)
def test_no_path_is_searched_over_and_over(path: str) -> None:
    """Whoever has no key may send one: its time is to grow as it does. Ten times as long as any can be, one that was
    searched anew from each of its places would take minutes."""
    with patience():
        is_call_path(path)
        dialect_at(path, NO_QUERY, BEARER)
        with contextlib.suppress(RouteNotFound):
            find_route("POST", path, NO_QUERY, BEARER)


@pytest.mark.parametrize(
    ("path", "much"),
    [
        ("/v1/v1/chat/completions", "/v1"),
        ("/v1/v1/messages", "/v1"),
        ("/v1/v1beta/models/m:generateContent", "/v1"),
        ("/v1beta/v1beta/models/m:streamGenerateContent", "/v1beta"),
        ("/v1beta/openai/v1/responses", "/v1beta/openai"),
        ("/v1/chat/completions/chat/completions", "/v1/chat/completions"),
        ("/v1/messages/v1/messages", "/v1/messages"),
        ("/v1/chat/completion", None),
        ("/v1/team/usage", None),
        ("/v1/v1", None),
    ],
)
def test_what_a_base_url_has_too_much_of_is_told(path: str, much: str | None) -> None:
    with pytest.raises(RouteNotFound) as refused:
        route("POST", path)
    hint = "" if much is None else f" Take {much} off the end of the client's base URL."
    assert refused.value.message == f"Unknown request URL: POST {path}.{hint}"


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_every_form_of_a_call_is_understood(prefix: str, publisher: str) -> None:
    for word, verb in VERBS.items():
        for written, model in MODELS.items():
            for end in ("", "/"):
                path = f"{prefix}{publisher}/models/{written}:{word}{end}"
                assert route("POST", path) == Route(Action.CALL, GEMINI, model, verb), path
                assert dialect_at(path, NO_QUERY, BEARER) is GEMINI


def test_the_colon_before_the_verb_may_be_escaped() -> None:
    assert route("POST", "/v1/models/a%3Ab%3AcountTokens") == Route(Action.CALL, GEMINI, "a:b", Verb.COUNT_TOKENS)


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/gemini-3.5-flash:predict",
        "/v1beta/models/gemini-3.5-flash:",
        "/v1/models/gemini-3.5-flash:generatecontent",
        "/models/gemini-3.5-flash:generateContent:x",
        "/v1beta/models/gemini-3.5-flash:generateContent%20",
        "/v1beta/tunedModels/x:generateContent",
        "/v1beta/publishers/anthropic/models/x:generateContent",
        "/v1beta/projects/p/models/x:generateContent",
        "/v1beta/projects/p/locations/l/models/x:generateContent",
        "/v1beta/chat/completions",
        "/v1beta/fileSearchStores",
        "/v1beta",
        "/v1beta2/cachedContents",
    ],
)
def test_what_google_has_and_the_gateway_has_not_is_told_in_googles_words(path: str) -> None:
    with pytest.raises(RouteNotFound):
        route("POST", path)
    assert dialect_at(path, NO_QUERY, BEARER) is GEMINI


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v2/models", "/v1/completions", "/openai/model", "/v12/models", "/v1betaopenai/models"]
)
def test_what_nobody_has_is_told_in_chats_words(path: str) -> None:
    with pytest.raises(RouteNotFound):
        route("GET", path)
    assert dialect_at(path, NO_QUERY, {}) is CHAT


@pytest.mark.parametrize("prefix", ["", "/v1", "/openai", "/v1beta/openai", "/v1/openai", "/v1alpha/openai"])
@pytest.mark.parametrize("headers", [BEARER, GOOGLES])
def test_chat_is_chat_whatever_key_is_brought(prefix: str, headers: dict[str, str]) -> None:
    path = f"{prefix}/chat/completions"
    assert route("POST", path, headers=headers) == Route(Action.CALL, CHAT)
    assert route("POST", path, "key=x") == Route(Action.CALL, CHAT)
    assert dialect_at(path, NO_QUERY, headers) is CHAT


@pytest.mark.parametrize(
    ("path", "query", "headers", "dialect"),
    [
        ("/v1/models", "", BEARER, CHAT),
        ("/v1/models", "", {"x-api-key": "x"}, CHAT),
        ("/v1/models", "", {}, CHAT),
        ("/v1/models", "", GOOGLES, GEMINI),
        ("/v1/models", "key=x", {}, GEMINI),
        ("/v1/models", "pageSize=1&key=x", BEARER, GEMINI),
        ("/v1/models", "key=", {}, CHAT),
        ("/models", "", BEARER, CHAT),
        ("/models", "", GOOGLES, GEMINI),
        ("/v1beta/models", "", BEARER, GEMINI),
        ("/v1beta/models", "", {}, GEMINI),
        ("/v1alpha/models", "", BEARER, GEMINI),
        ("/v1beta1/models", "", BEARER, GEMINI),
        ("/v1beta/openai/models", "", GOOGLES, CHAT),
        ("/v1/openai/models", "key=x", {}, CHAT),
    ],
)
def test_whose_list_of_models_it_is_follows_from_path_and_key(
    path: str, query: str, headers: dict[str, str], dialect: object
) -> None:
    found = route("GET", path, query, headers)
    assert (found.action, found.dialect, found.model) == (Action.LIST_MODELS, dialect, None)
    one = route("GET", path + "/google/a%3Ab", query, headers)
    assert (one.action, one.dialect, one.model) == (Action.SHOW_MODEL, dialect, "google/a:b")
    assert dialect_at(path, read_query(query), headers) is dialect


FILES = [
    ("POST", "/v1/files", BEARER, Route(Action.FILES, CHAT)),
    ("GET", "/files", BEARER, Route(Action.FILES, CHAT)),
    ("GET", "/v1/files", GOOGLES, Route(Action.FILES, GEMINI)),
    ("GET", "/v1/files", ANTHROPICS, Route(Action.FILES, MESSAGES)),
    ("GET", "/v1beta/openai/files", GOOGLES, Route(Action.FILES, CHAT)),
    ("GET", "/v1beta/files", BEARER, Route(Action.FILES, GEMINI)),
    ("GET", "/v1/files/file-abc", BEARER, Route(Action.FILE, CHAT, item="file-abc")),
    ("GET", "/v1/files/files/abc", BEARER, Route(Action.FILE, CHAT, item="files/abc")),
    ("GET", "/v1/files/files%2Fabc/content", BEARER, Route(Action.FILE_CONTENT, CHAT, item="files/abc")),
    ("DELETE", "/v1/files/file_abc", ANTHROPICS, Route(Action.FILE, MESSAGES, item="file_abc")),
    ("GET", "/v1beta/files/abc", GOOGLES, Route(Action.FILE, GEMINI, item="abc")),
    ("GET", "/v1beta/files/abc:download", GOOGLES, Route(Action.FILE_CONTENT, GEMINI, item="abc")),
    ("POST", "/upload/v1beta/files", {}, Route(Action.UPLOAD, GEMINI)),
]


@pytest.mark.parametrize(("method", "path", "headers", "found"), FILES)
def test_files_are_found_where_each_vendor_has_them(
    method: str, path: str, headers: dict[str, str], found: Route
) -> None:
    assert route(method, path, headers=headers) == found
    assert dialect_at(path, NO_QUERY, headers) is found.dialect


ACCOUNT = [
    ("GET", "/balance", Route(Action.BALANCE, CHAT)),
    ("GET", "/key", Route(Action.KEY, CHAT)),
    ("GET", "/usage", Route(Action.USAGE, CHAT)),
    ("GET", "/receipts/req_1", Route(Action.RECEIPT, CHAT, item="req_1")),
    ("POST", "/estimate", Route(Action.ESTIMATE, CHAT)),
]


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize(("method", "path", "found"), ACCOUNT)
def test_a_callers_account_is_shown_without_a_version_too(method: str, path: str, found: Route, prefix: str) -> None:
    assert route(method, prefix + path) == found
    assert is_call_path(prefix + path)
    assert dialect_at(prefix + path, NO_QUERY, {}) is CHAT


@pytest.mark.parametrize("path", ["/receipts/sample", "/receipts/sample.md", "/receipts/sample.json"])
def test_the_page_of_a_sample_receipt_is_no_call(path: str) -> None:
    assert not is_call_path(path)
    with pytest.raises(RouteNotFound):
        route("GET", f"{path}/")
    assert is_call_path(f"/v1{path}")


@pytest.mark.parametrize("prefix", ["/openai", "/v1beta/openai"])
def test_what_is_openais_at_google_is_so_without_a_version_too(prefix: str) -> None:
    assert route("GET", f"{prefix}/models", headers=GOOGLES) == Route(Action.LIST_MODELS, CHAT)
    assert route("GET", f"{prefix}/models/a/b") == Route(Action.SHOW_MODEL, CHAT, "a/b")
    assert route("POST", f"{prefix}/responses") == Route(Action.CALL, RESPONSES)
    assert route("POST", f"{prefix}/embeddings").dialect.name == "openai_embeddings"
    assert route("GET", f"{prefix}/files/file-1") == Route(Action.FILE, CHAT, item="file-1")
    assert dialect_at(f"{prefix}/responses/x", NO_QUERY, GOOGLES) is RESPONSES
    assert dialect_at(f"{prefix}/nothing", NO_QUERY, GOOGLES) is CHAT


REFUSED = [
    ("POST", "/v1/batches", "Batches", "your key allows"),
    ("GET", "/v1/batches/batch_1", "Batches", "one by one"),
    ("POST", "/v1/messages/batches", "Batches", "POST /v1/messages"),
    ("GET", "/v1/messages/batches/msgbatch_1/results", "Batches", "POST /v1/messages"),
    ("POST", "/v1beta/models/gemini-3.5-flash:batchGenerateContent", "Batches", ":generateContent"),
    ("GET", "/v1beta/batches", "Batches", "one by one"),
    ("POST", "/v1beta/models/imagen-4.0:predict", ":predict", "/v1/images/generations"),
    ("POST", "/v1beta/models/veo-3:predictLongRunning", ":predict", ""),
    ("POST", "/v1/fine_tuning/jobs", "Fine-tuning", "[[models]]"),
    ("POST", "/v1/assistants", "Assistants", "POST /v1/responses"),
    ("POST", "/v1/threads/thread_1/runs", "Assistants", "POST /v1/responses"),
    ("POST", "/v1/realtime/client_secrets", "Live sessions", "streamed"),
    ("POST", "/v1/responses/compact", "Compaction", "POST /v1/responses"),
    ("POST", "/responses/compact", "Compaction", "POST /v1/responses"),
    ("POST", "/v1/responses/resp_1/cancel", "Background responses", "connection"),
    ("POST", "/v1/uploads", "Uploads", "POST /v1/files"),
    ("POST", "/v1/vector_stores", "Stores", "POST /v1/files"),
    ("POST", "/v1beta/cachedContents", "Explicit caches", "by themselves"),
    ("POST", "/v1/moderations", "Moderation", ""),
    ("POST", "/v1/completions", "Completions", "/v1/chat/completions"),
    ("POST", "/v1/complete", "Text completions", "/v1/messages"),
    ("POST", "/v1beta/interactions", "Interactions", ":generateContent"),
    ("POST", "/v1/conversations", "Conversations", "previous_response_id"),
    ("POST", "/v1beta/openai/batches", "Batches", "one by one"),
]


@pytest.mark.parametrize(("method", "path", "what", "instead"), REFUSED)
def test_what_is_not_offered_is_refused_with_what_is(method: str, path: str, what: str, instead: str) -> None:
    with pytest.raises(NotOffered) as caught:
        route(method, path)
    assert what in caught.value.message
    assert instead in caught.value.message
    assert (caught.value.http_status, caught.value.code) == (404, "not_offered")


def test_a_name_with_a_colon_can_be_looked_up() -> None:
    assert route("GET", "/v1/models/llama:8b") == Route(Action.SHOW_MODEL, CHAT, "llama:8b")
    assert route("GET", "/v1beta/models/llama:8b") == Route(Action.SHOW_MODEL, GEMINI, "llama:8b")


# -- queries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "key", "rest"),
    [
        ("", None, ""),
        ("key=secret", "secret", ""),
        ("alt=sse&key=secret", "secret", "alt=sse"),
        ("key=secret&alt=sse", "secret", "alt=sse"),
        ("a=1&key=secret&b=2", "secret", "a=1&b=2"),
        ("k%65y=secret", "secret", ""),
        ("%6B%65%79=s%65cret&x", "secret", "x"),
        ("key=one&key=secret", "secret", ""),
        ("key=secret&key=", "secret", ""),
        ("key", None, ""),
        ("key=", None, ""),
        ("access_token=secret&oauth_token=secret&alt=sse", None, "alt=sse"),
        ("key=a%20b+c", "a b c", ""),
        ("monkey=1&KEY=2", None, "monkey=1&KEY=2"),
        ("&&=&alt=sse&", None, "&&=&alt=sse&"),
    ],
)
def test_a_key_is_taken_out_of_the_query(raw: str, key: str | None, rest: str) -> None:
    query = read_query(raw)
    assert (query.key and query.key.reveal(), query.rest) == (key, rest)
    assert "secret" not in query.rest
    assert "secret" not in str(dict(query.parameters))


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        ("", False),
        ("alt=sse", True),
        ("alt=SSE", True),
        ("$alt=sse", True),
        ("%24alt=sse", True),
        ("alt=json", False),
        ("$alt=json;enum-encoding=int", False),
        ("$alt=json%3Benum-encoding%3Dint", False),
        ("alt=", False),
        ("alt=json&alt=sse", True),
        ("alt=sse&prettyPrint=false&fields=candidates", True),
    ],
)
def test_how_a_stream_is_wanted(raw: str, events: bool) -> None:
    assert read_query(raw).wants_events() is events


@pytest.mark.parametrize("raw", ["alt=media", "alt=proto", "$alt=atom", "alt=sse,json"])
def test_what_no_answer_is_spelt_in_is_refused(raw: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_query(raw).wants_events()
    assert refused.value.param == "alt"


def test_a_query_does_not_show_its_key() -> None:
    assert "secret" not in repr(read_query("key=secret&alt=sse"))
    assert isinstance(read_query("x"), Query)
