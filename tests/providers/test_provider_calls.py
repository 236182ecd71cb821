"""A call through each kind of provider: where it goes, what it carries, and that its answer comes back."""

import json
from pathlib import Path

import pytest

from gateway.gemini import prompt
from gateway.house import Act, Json, Script, answers, chat, open_house, says
from gateway.vendors import claude_says, claude_text, gpt_message, gpt_says, message, response
from portico.catalog import OperatorModel
from portico.core.errors import InvalidRequest
from portico.providers import KINDS, Provider, Verb, upstream_url
from providers.entries import ENVIRONMENT, configure, configured

COMPLETION: Json = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
GEMINI: Act = answers(says("Hello"))
CHAT: Act = answers(COMPLETION)

CALLS: list[tuple[str, str, str, Act, str, dict[str, str], str | None]] = [
    (
        'kind = "vertex"\nbase_url = "ADDRESS"',
        "vertex/gemini-3.5-flash",
        "gemini-3.5-flash",
        GEMINI,
        "/v1beta1/publishers/google/models/gemini-3.5-flash:generateContent",
        {"x-goog-api-key": ENVIRONMENT["VERTEX_API_KEY"]},
        None,
    ),
    (
        'kind = "vertex"\nbase_url = "ADDRESS"\nproject = "p-1"\nlocation = "europe-west4"\napi_version = "v1"',
        "vertex/gemini-3.5-flash",
        "gemini-3.5-flash",
        GEMINI,
        "/v1/projects/p-1/locations/europe-west4/publishers/google/models/gemini-3.5-flash:generateContent",
        {"x-goog-api-key": ENVIRONMENT["VERTEX_API_KEY"]},
        None,
    ),
    (
        'preset = "groq"\nbase_url = "ADDRESS/openai/v1"\nheaders = { X-Title = "house" }',
        "groq/llama-3.3-70b-versatile",
        "llama-3.3-70b-versatile",
        CHAT,
        "/openai/v1/chat/completions",
        {"authorization": f"Bearer {ENVIRONMENT['GROQ_API_KEY']}", "x-title": "house"},
        "llama-3.3-70b-versatile",
    ),
    (
        'preset = "openrouter"\nbase_url = "ADDRESS/api/v1"',
        "openrouter/qwen/qwen3:free",
        "qwen/qwen3:free",
        CHAT,
        "/api/v1/chat/completions",
        {"authorization": f"Bearer {ENVIRONMENT['OPENROUTER_API_KEY']}"},
        "qwen/qwen3:free",
    ),
    (
        'preset = "ollama"\nbase_url = "ADDRESS"',
        "ollama/qwen3:8b",
        "qwen3:8b",
        CHAT,
        "/v1/chat/completions",
        {},
        "qwen3:8b",
    ),
    (
        'kind = "azure-openai"\nbase_url = "ADDRESS"\napi_version = "2024-10-21"',
        "azure-openai/our-gpt",
        "our-gpt",
        CHAT,
        "/openai/deployments/our-gpt/chat/completions?api-version=2024-10-21",
        {"api-key": ENVIRONMENT["AZURE_OPENAI_API_KEY"]},
        None,
    ),
]


@pytest.mark.parametrize(
    ("entry", "target", "upstream", "act", "path", "headers", "body_model"),
    CALLS,
    ids=[path for *_, path, _, _ in CALLS],
)
async def test_a_declared_model_is_asked_for_where_its_provider_is(
    tmp_path: Path,
    entry: str,
    target: str,
    upstream: str,
    act: Act,
    path: str,
    headers: dict[str, str],
    body_model: str | None,
) -> None:
    provider = Script(act)
    make = configure(tmp_path, f"[[providers]]\n{entry}\n")
    async with open_house(provider, configure=make, models=[OperatorModel("ours", target)]) as house:
        answer = await house.ask(chat("Hello", model="ours"))
    assert answer.status == 200, answer.body
    assert answer.message["content"] == "Hello"
    (request,) = provider.requests
    assert (request.path + (f"?{request.query}" if request.query else "")) == path
    assert {name: request.headers.get(name) for name in headers} == headers
    if "authorization" not in headers:
        assert "authorization" not in request.headers
    if body_model is not None:
        assert json.loads(request.body)["model"] == body_model


OPEN = '[[providers]]\npreset = "groq"\nbase_url = "ADDRESS/v1"\n[[providers]]\nkind = "gemini"\nbase_url = "ADDRESS"\n'


@pytest.mark.parametrize(
    ("asked", "upstream"),
    [
        ("groq/llama-3.3-70b", "llama-3.3-70b"),
        ("groq/openai/gpt-oss-120b", "openai/gpt-oss-120b"),
        ("groq/qwen3-thinking", "qwen3-thinking"),  # no suffix is taken off
        ("groq/gemini-3.5-flash", "gemini-3.5-flash"),  # nor is a known model looked for elsewhere
    ],
)
async def test_a_model_that_nobody_declared_is_asked_for_at_the_server_it_names(
    tmp_path: Path, asked: str, upstream: str
) -> None:
    provider = Script(CHAT)
    async with open_house(provider, configure=configure(tmp_path, OPEN)) as house:
        assert (await house.ask(chat(model=asked))).message["content"] == "Hello"
    (request,) = provider.requests
    assert (request.path, json.loads(request.body)["model"]) == ("/v1/chat/completions", upstream)


@pytest.mark.parametrize("asked", ["groq/", "groq/ ", "groqq/llama", "ollama/llama", "gemini/llama", "groq/a\nb"])
async def test_no_other_name_is_open(tmp_path: Path, asked: str) -> None:
    provider = Script(CHAT)
    async with open_house(provider, configure=configure(tmp_path, OPEN)) as house:
        answer = await house.ask(chat(model=asked))
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")
    assert provider.requests == []


async def test_a_declared_name_wins_over_an_open_one(tmp_path: Path) -> None:
    provider = Script(GEMINI)
    declared = OperatorModel("groq/llama", "gemini/gemini-2.5-flash")
    async with open_house(provider, configure=configure(tmp_path, OPEN), models=[declared]) as house:
        assert (await house.ask(chat(model="groq/llama"))).status == 200
    assert provider.requests[0].path == "/v1beta/models/gemini-2.5-flash:generateContent"


async def test_names_without_end_fill_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portico.relay.served.MAX_REMEMBERED", 8)
    async with open_house(Script(CHAT), configure=configure(tmp_path, OPEN)) as house:
        for number in range(20):
            assert (await house.ask(chat(model=f"groq/m{number}"))).status == 200
        served = house.relay._served
        for remembered in (served._deployments, served._places, served._urls, served._spoken):
            assert 0 < len(remembered) <= 8


VERBS: list[tuple[str, str, str, str]] = [
    ("gemini", "gemini-3.5-flash", "stream", "/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse"),
    ("vertex", "gemini-3.5-flash", "count_tokens", "/v1beta1/publishers/google/models/gemini-3.5-flash:countTokens"),
    ("openai", "ft:gpt-5/x", "generate", "/v1/responses"),
    ("openai", "gpt-5.5", "count_tokens", "/v1/responses/input_tokens"),
    ("anthropic", "claude-x", "count_tokens", "/v1/messages/count_tokens"),
]


@pytest.mark.parametrize(("kind", "model", "verb", "path"), VERBS)
def test_a_path_below_the_version(kind: str, model: str, verb: str, path: str) -> None:
    provider = Provider.at("x", KINDS[kind], "http://127.0.0.1", ())
    spoken = provider.kind.spoken[0]
    assert upstream_url(provider, spoken, model, Verb(verb)) == f"http://127.0.0.1{path}"


@pytest.mark.parametrize("model", ["a/b", "a:b", "../x", "a?b", "", "a b"])
@pytest.mark.parametrize("entry", ['kind = "vertex"', 'kind = "azure-openai"\napi_version = "2024-10-21"'])
def test_a_name_that_stands_in_a_path_is_a_plain_one(tmp_path: Path, entry: str, model: str) -> None:
    (provider,) = configured(tmp_path, f'[[providers]]\n{entry}\nbase_url = "http://127.0.0.1:9"\n').providers
    with pytest.raises(InvalidRequest):
        upstream_url(provider, provider.kind.spoken[0], model, Verb.GENERATE)


VENDORS = "".join(
    f'[[providers]]\nkind = "{kind}"\nbase_url = "ADDRESS"\n' for kind in ("openai", "azure-openai", "anthropic")
)
DATED = '[[providers]]\nkind = "azure-openai"\nbase_url = "ADDRESS"\napi_version = "2024-10-21"\n'
DEPLOYED = [OperatorModel("ours", "azure-openai/our-gpt"), OperatorModel("codex", "azure-openai/gpt-5.3-codex")]

# (configuration, caller's path, its body, where the call goes, by which model, whether its bytes pass)
ASKED: list[tuple[str, str, Json, str, str, bool]] = [
    (VENDORS, "/v1/chat/completions", chat(model="gpt-5.5"), "/v1/chat/completions", "gpt-5.5", True),
    (VENDORS, "/v1/responses", response(model="gpt-5.5", store=False), "/v1/responses", "gpt-5.5", True),
    (VENDORS, "/v1beta/models/gpt-5.5:generateContent", prompt(), "/v1/responses", "gpt-5.5", False),
    (VENDORS, "/v1/chat/completions", chat(model="gpt-5.3-codex"), "/v1/responses", "gpt-5.3-codex", False),
    (VENDORS, "/v1/responses", response(model="gpt-5-search-api"), "/v1/chat/completions", "gpt-5-search-api", False),
    (VENDORS, "/v1/chat/completions", chat(model="ours"), "/openai/v1/chat/completions", "our-gpt", True),
    (VENDORS, "/v1/responses", response(model="ours", store=False), "/openai/v1/responses", "our-gpt", True),
    (VENDORS, "/v1/chat/completions", chat(model="codex"), "/openai/v1/responses", "gpt-5.3-codex", False),
    (
        DATED,
        "/v1/responses",
        response(model="ours", store=False),
        "/openai/deployments/our-gpt/chat/completions?api-version=2024-10-21",
        "our-gpt",
        False,
    ),
]


@pytest.mark.parametrize(("entries", "path", "body", "goes_to", "model", "passes"), ASKED)
async def test_gpt_is_asked_in_the_callers_dialect_where_it_can_be(
    tmp_path: Path, entries: str, path: str, body: Json, goes_to: str, model: str, *, passes: bool
) -> None:
    responses = goes_to.endswith("/responses")
    provider = Script(answers(gpt_says(gpt_message("Hello"), model=model) if responses else COMPLETION))
    async with open_house(provider, configure=configure(tmp_path, entries), models=DEPLOYED) as house:
        answer = await house.ask(body, path=path)
    assert answer.status == 200, answer.body
    assert "Hello" in answer.body.decode()
    (request,) = provider.requests
    assert (request.path + (f"?{request.query}" if request.query else "")) == goes_to
    sent = json.loads(request.body)
    assert sent["model"] == model
    if passes:
        assert sent == {**body, "model": model}
    azure = goes_to.startswith("/openai/")
    assert request.headers.get("api-key") == (ENVIRONMENT["AZURE_OPENAI_API_KEY"] if azure else None)
    assert request.headers.get("authorization") == (None if azure else f"Bearer {ENVIRONMENT['OPENAI_API_KEY']}")


SPEAKS_MORE = '[[providers]]\npreset = "vllm"\nbase_url = "ADDRESS/v1"\n'


@pytest.mark.parametrize(
    ("more", "goes_to"),
    [("", "/v1/chat/completions"), ('dialects = ["openai_chat", "openai_responses"]\n', "/v1/responses")],
)
async def test_a_server_that_speaks_more_says_so(tmp_path: Path, more: str, goes_to: str) -> None:
    provider = Script(answers(gpt_says(gpt_message("Hello")) if more else COMPLETION))
    async with open_house(provider, configure=configure(tmp_path, SPEAKS_MORE + more)) as house:
        answer = await house.ask(response(model="vllm/qwen3"), path="/v1/responses")
    assert answer.status == 200, answer.body
    assert [request.path for request in provider.requests] == [goes_to]


CLAUDE = "claude-sonnet-5"
SAID = {"anthropic-version": "2026-10-21", "anthropic-beta": "one-2026-01-01, two"}


@pytest.mark.parametrize(
    ("path", "body", "said", "expected"),
    [
        ("/v1/messages?beta=true", message(), SAID, SAID),
        ("/v1/messages", message(), {"anthropic-version": "2023-06-01"}, {"anthropic-version": "2023-06-01"}),
        ("/v1/chat/completions", chat(model=CLAUDE), SAID, {"anthropic-version": "2023-06-01"}),
        ("/v1/responses", response(model=CLAUDE), {}, {"anthropic-version": "2023-06-01"}),
        (f"/v1beta/models/{CLAUDE}:generateContent", prompt(), {}, {"anthropic-version": "2023-06-01"}),
    ],
)
async def test_claude_is_asked_in_messages_with_the_headers_of_those_who_speak_it(
    tmp_path: Path, path: str, body: Json, said: dict[str, str], expected: dict[str, str]
) -> None:
    provider = Script(answers(claude_says(claude_text("Hello"))))
    async with open_house(provider, configure=configure(tmp_path, VENDORS)) as house:
        answer = await house.ask(body, path=path, headers=said)
    assert answer.status == 200, answer.body
    assert "Hello" in answer.body.decode()
    (request,) = provider.requests
    assert (request.path, request.headers["x-api-key"]) == ("/v1/messages", ENVIRONMENT["ANTHROPIC_API_KEY"])
    assert "authorization" not in request.headers
    found = {name: value for name, value in request.headers.items() if name.startswith("anthropic-")}
    assert found == expected
    sent = json.loads(request.body)
    assert sent["model"] == CLAUDE
    if "messages?" in path:
        assert sent == body
    assert sent["max_tokens"] > 0
