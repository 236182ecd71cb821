"""The reference says what is so: of every route, with the bounds that the parsers keep; and its document is OpenAPI 3.1."""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, get_args

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from portico.accounts import statement
from portico.core.errors import InvalidRequest, PorticoError, UnsupportedParameter
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.dialects.gemini import embedding as gemini_embedding
from portico.dialects.openai_embeddings import request as embeddings
from portico.dialects.openai_images import request as images
from portico.dialects.openai_images.bodies import File
from portico.dialects.openai_speech import request as speech
from portico.dialects.openai_transcriptions import request as transcriptions
from portico.dialects.openai_transcriptions.form import LISTS, Upload
from portico.http import account, cors, estimate, fetch, filepages, guard, idempotency, kept, listing, routes
from portico.http.query import read_query
from portico.http.routes import METHODS, ROUTE_NAMES, Action, find_route, route_name
from portico.relay import media, paying, router, strict
from portico.web import manual, reference, words
from portico.web.addresses import Address, Form, Locale
from portico.web.book import SAMPLE_URL, body_of, chapters, pages, sample_files, stored_answer
from portico.web.openapi import document
from portico.web.reference import Field, Operation, Shape
from web.rooms import HOUSE, ask

BASE_URL: Final = "http://portico.example:8080"
OPERATIONS: Final = reference.operations()
DOCUMENT: Final = document(BASE_URL)
LONGEST_PAGE: Final = 50_000
each_operation = pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.id)

# -- routes ----------------------------------------------------------------------------------------------------------


def test_every_route_has_an_operation_and_no_operation_a_route_that_there_is_not() -> None:
    assert {one.route for one in OPERATIONS} == set(ROUTE_NAMES)


def test_every_method_of_a_route_has_an_operation() -> None:
    told = {(one.route, one.method) for one in OPERATIONS}
    for action, methods in METHODS.items():
        if action is not Action.CALL:
            assert {(action.value, method) for method in methods if method != "HEAD"} <= told


@each_operation
def test_an_address_leads_to_the_route_it_is_told_for(one: Operation) -> None:
    for path in (one.path, *one.also):
        there = re.sub(r"\{[^}]*\}", "gpt-5.5", path)
        route = find_route(one.method, there, read_query(""), {})
        assert route_name(route) == one.route, path
        assert one.method in METHODS[route.action], path


@each_operation
def test_an_operation_is_told_in_the_dialect_of_its_address(one: Operation) -> None:
    there = re.sub(r"\{[^}]*\}", "gpt-5.5", one.path)
    headers: tuple[dict[str, str], ...] = ({}, {"anthropic-version": "2023-06-01"}, {"x-goog-api-key": "k"})
    told = {_SHAPES[find_route(one.method, there, read_query(""), brought).dialect.name] for brought in headers}
    assert told == ({"openai", "anthropic", "google"} if one.shape == "any" else {one.shape})


_OPENAIS: Final = (
    *(routes.CHAT, routes.RESPONSES, routes.EMBEDDINGS, routes.IMAGES, routes.IMAGE_EDITS, routes.SPEECH),
    *(routes.TRANSCRIPTIONS, routes.TRANSLATIONS),
)
_SHAPES: Final[Mapping[str, Shape]] = {
    routes.MESSAGES.name: "anthropic",
    routes.GEMINI.name: "google",
    **{one.name: "openai" for one in _OPENAIS},
}


@each_operation
def test_every_place_of_an_address_is_explained(one: Operation) -> None:
    assert re.findall(r"\{([^}]*)\}", one.path) == [field.name for field in one.address]
    assert all(field.required for field in one.address)


# -- the document ----------------------------------------------------------------------------------------------------


def test_the_document_is_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_every_operation_stands_in_the_document_once() -> None:
    told = [one["operationId"] for path in DOCUMENT["paths"].values() for one in path.values()]
    assert sorted(told) == sorted(one.id for one in OPERATIONS)
    assert len(told) == len(set(told))


def test_nothing_in_the_document_is_named_and_not_used() -> None:
    text = json.dumps(DOCUMENT)
    for kind, named in DOCUMENT["components"].items():
        for name in named if kind != "securitySchemes" else ():
            assert f'"#/components/{kind}/{name}"' in text, name


async def test_it_is_served_for_the_address_that_the_visitor_sees() -> None:
    answer = await ask(HOUSE, "/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.json == DOCUMENT
    assert answer.json["servers"] == [{"url": BASE_URL}]
    assert "](/" not in answer.text


def _answered(one: Operation) -> Any:
    """The JSON that is kept as the answer to an operation's sample; None if there is none."""
    kept_answer = None if one.sample is None else stored_answer(one.sample)
    return None if kept_answer is None or kept_answer.language != "json" else json.loads(kept_answer.text)


@pytest.mark.parametrize("one", [one for one in OPERATIONS if _answered(one) is not None], ids=lambda one: one.id)
def test_what_portico_answered_fits_what_is_said_of_answers(one: Operation) -> None:
    content = DOCUMENT["paths"][one.path][one.method.lower()]["responses"]["200"]["content"]["application/json"]
    assert content["example"] == _answered(one)
    _judge(content["schema"], content["example"])


def _sent(one: Operation) -> Iterator[Any]:
    """The JSON bodies that the sample for curl sends to the operation."""
    assert one.sample is not None
    told = next(text for client, text in sample_files(one.sample) if client.file == "curl.sh")
    where = re.escape(SAMPLE_URL) + re.sub(r"\\\{[^}]*\}", r"[\\w.-]+", re.escape(one.path)) + r"(?![\w/:])"
    for call in told.split("curl ")[1:]:
        if re.search(where, call) and (body := re.search(r"-d '(\{.*?\})'", call, re.DOTALL)):
            yield json.loads(body[1])


@pytest.mark.parametrize(
    "one",
    [one for one in OPERATIONS if one.method == "POST" and one.sample and list(_sent(one))],
    ids=lambda one: one.id,
)
def test_what_a_sample_sends_fits_what_is_said_of_bodies(one: Operation) -> None:
    schema = DOCUMENT["paths"][one.path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    for body in _sent(one):
        _judge(schema, body)


def _judge(schema: Any, value: Any) -> None:
    judge = OAS31Validator({**schema, "components": DOCUMENT["components"]})
    assert [f"{error.json_path}: {error.message}" for error in judge.iter_errors(value)] == []


# -- bounds, as the parsers keep them ----------------------------------------------------------------------------------

MODEL: Final = "a-model"
WAV: Final = b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 32
PNG: Final = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32
SAYS: Final = [{"role": "user", "content": "Hello"}]
PARTS: Final = {"parts": [{"text": "Hello"}]}


class Parser(msgspec.Struct, frozen=True):
    """Who reads the bodies of an operation, and the least that it takes."""

    parse: Callable[[Any], object]
    least: Mapping[str, Any]


def _named(parse: Callable[..., object]) -> Callable[[Any], object]:
    """Of a dialect whose model stands in the address."""
    return lambda body: parse(body, model=MODEL)


PARSERS: Final[Mapping[str, Parser]] = {
    "create-chat-completion": Parser(openai_chat.DIALECT.parse_request, {"model": MODEL, "messages": SAYS}),
    "create-response": Parser(openai_responses.DIALECT.parse_request, {"model": MODEL, "input": "Hello"}),
    "create-message": Parser(anthropic_messages.DIALECT.parse_request, {"model": MODEL, "messages": SAYS}),
    "generate-content": Parser(_named(gemini.DIALECT.parse_request), {"contents": [PARTS]}),
    "embed-content": Parser(lambda body: gemini_embedding.parse(body, MODEL), {"content": PARTS}),
    "batch-embed-contents": Parser(
        lambda body: gemini_embedding.parse(body, MODEL), {"requests": [{"content": PARTS}]}
    ),
    "create-embeddings": Parser(embeddings.parse_request, {"model": MODEL, "input": "Hello"}),
    "create-image": Parser(images.parse_generation, {"model": MODEL, "prompt": "A fox"}),
    "edit-image": Parser(
        images.parse_edit, {"model": MODEL, "prompt": "A hat", "image": [File(PNG, "fox.png", "image/png")]}
    ),
    "create-speech": Parser(speech.parse_request, {"model": MODEL, "input": "Hello", "voice": "alloy"}),
    "create-transcription": Parser(
        lambda form: transcriptions.parse_request(transcriptions.TRANSCRIBE, form),
        {"model": MODEL, "file": Upload(WAV, "a.wav", "audio/wav")},
    ),
    "create-translation": Parser(
        lambda form: transcriptions.parse_request(transcriptions.TRANSLATE, form),
        {"model": MODEL, "file": Upload(WAV, "a.wav", "audio/wav")},
    ),
}
"""By operation. What else has a body is passed on, or read by who keeps files."""
FORMS: Final = ("create-transcription", "create-translation")
"""Whose parsers take the texts of a form."""
SAID_AT_ONCE: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("create-chat-completion", "messages[].role"): {
        "messages": [{"role": "user", "content": "Hello", "tool_call_id": "call_1", "name": "a"}]
    },
    ("create-chat-completion", "audio.format"): {"audio": {"voice": "alloy"}},
    ("create-chat-completion", "response_format.type"): {"response_format": {"json_schema": {"schema": {}}}},
    ("create-response", "text.format.type"): {"text": {"format": {"schema": {}}}},
    ("create-message", "thinking.budget_tokens"): {"thinking": {"type": "enabled"}},
    ("create-message", "tool_choice.type"): {"tool_choice": {"name": "a"}},
}
"""What has to stand beside a parameter."""


def parameters() -> Iterator[tuple[str, Field]]:
    for id_ in PARSERS:
        for field in reference.by_id()[id_].body:
            yield id_, field


def of(predicate: Callable[[Field], bool], *, but: Sequence[str] = ()) -> pytest.MarkDecorator:
    chosen = [(id_, field) for id_, field in parameters() if predicate(field) and id_ not in but]
    return pytest.mark.parametrize(("id_", "field"), chosen, ids=[f"{id_}-{field.name}" for id_, field in chosen])


def is_taken(id_: str, field: Field, value: Any) -> bool:
    """Whether a body with this value is taken; what is refused is refused for it."""
    body = copy.deepcopy({**PARSERS[id_].least, **SAID_AT_ONCE.get((id_, field.name), {})})
    _put(body, field.name, _in_a_form(field, value) if id_ in FORMS else value)
    try:
        PARSERS[id_].parse(body)
    except InvalidRequest as refused:
        if field.name.split(".")[-1] not in (refused.param or ""):
            raise  # it was something else
        return isinstance(refused, UnsupportedParameter)  # known, and nothing for this model
    return True


def _in_a_form(field: Field, value: Any) -> Any:
    return [str(value)] if field.name in LISTS else str(value)


def _put(body: Any, path: str, value: Any) -> None:
    step, dot, rest = path.partition(".")
    name = step.removesuffix("[]")
    if not dot:
        body[name] = value
        return
    inside = body.setdefault(name, [{}] if step.endswith("[]") else {})
    _put(inside[0] if step.endswith("[]") else inside, rest, value)


@of(lambda field: field.least is not None or field.most is not None)
def test_a_number_is_held_to_the_bounds_that_are_told(id_: str, field: Field) -> None:
    assert field.least is not None
    assert field.most is not None
    step = 1 if field.type == "integer" else 0.01
    least, most = (int(bound) if field.type == "integer" else bound for bound in (field.least, field.most))
    assert is_taken(id_, field, least)
    assert is_taken(id_, field, most)
    assert not is_taken(id_, field, least - step)
    assert not is_taken(id_, field, most + step)


@of(lambda field: bool(field.words))
def test_a_word_is_one_of_those_that_are_told(id_: str, field: Field) -> None:
    assert [word for word in field.words if not is_taken(id_, field, word)] == []
    assert not is_taken(id_, field, "no-such-word")


@of(lambda field: field.length is not None)
def test_a_text_is_as_long_as_is_told(id_: str, field: Field) -> None:
    assert field.length is not None
    least, most = field.length
    assert least == 1
    assert is_taken(id_, field, "a" * most)
    assert not is_taken(id_, field, "a" * (most + 1))
    assert not is_taken(id_, field, "")


@of(lambda field: field.count is not None)
def test_a_list_holds_as_many_as_is_told(id_: str, field: Field) -> None:
    assert field.count is not None
    item: Any = {"type": "message", **SAYS[0]} if id_ == "create-response" else "a"
    if id_ == "edit-image":
        item = File(PNG, "fox.png", "image/png") if field.name == "image" else {"image_url": "https://example.com/a"}
    least, most = field.count
    body = {name: value for name, value in PARSERS[id_].least.items() if name not in ("image", "input")}
    PARSERS[id_].parse({**body, field.name: [item] * most})
    for number in {least - 1, most + 1} - {-1}:
        with pytest.raises(InvalidRequest):
            PARSERS[id_].parse({**body, field.name: [item] * number})


@of(lambda field: field.required and "[]" not in field.name)
def test_what_is_required_is_missed(id_: str, field: Field) -> None:
    body = copy.deepcopy(dict(PARSERS[id_].least))
    *outer, last = field.name.split(".")
    inside = body
    for step in outer:
        inside = inside[step]
    del inside[last]
    with pytest.raises(InvalidRequest):
        PARSERS[id_].parse(body)


@pytest.mark.parametrize("id_", list(PARSERS))
def test_nothing_else_is_required(id_: str) -> None:
    fields = reference.by_id()[id_].body
    needed = {field.name for field in fields if field.required and not re.search(r"[.\[]", field.name)}
    PARSERS[id_].parse(copy.deepcopy(dict(PARSERS[id_].least)))
    given = set(PARSERS[id_].least)
    assert needed <= given
    assert given - needed <= {"input", "image"}  # needed unless something else is said instead


_VALUES: Final[Mapping[str, Any]] = {
    "string": "a",
    "number": 1,
    "integer": 1,
    "boolean": True,
    "object": {},
    "array": [],
}
_LAX: Final = ("generate-content", *FORMS)
"""Google is generous with types, and a form has but one."""
_UNREAD: Final = frozenset(
    {
        *("metadata", "logit_bias", "user", "verbosity", "service_tier", "metadata.user_id", "cache_control"),
        *("mcp_servers", "thinking.display", "extra_body.google", "conversation", "size", "images"),
        *("messages[].tool_calls", "messages[].tool_call_id", "stream_options.include_usage", "usage.include"),
        "requests[].model",
    }
)
"""What is told on as it is, read only beside something else, or taken for false if it is not true."""


@of(lambda field: not field.words and "file" not in field.types and field.name not in _UNREAD, but=_LAX)
def test_a_value_of_another_type_is_refused(id_: str, field: Field) -> None:
    wrong = next(value for kind, value in _VALUES.items() if kind not in field.types)
    body = copy.deepcopy({**PARSERS[id_].least, **SAID_AT_ONCE.get((id_, field.name), {})})
    _put(body, field.name, wrong)
    with pytest.raises(InvalidRequest):
        PARSERS[id_].parse(body)


def test_sampling_of_chat_is_told_as_a_whole() -> None:
    """Every field that nearly all bodies are made of, and its bounds, straight from the parser's tables."""
    from portico.dialects.openai_chat import request as chat

    told = {field.name.partition(".")[0]: field for field in reference.by_id()["create-chat-completion"].body}
    assert set(chat._PLAIN_FIELDS) <= set(told)
    for name, bounds in {**chat._NUMBERS, **chat._INTEGERS}.items():
        if name != "seed":
            assert (told[name].least, told[name].most) == bounds
    assert told["seed"].format == "int64"
    assert told["reasoning_effort"].words == chat.EFFORTS
    assert told["service_tier"].words == chat.TIERS


def asked(id_: str, name: str) -> Field:
    return next(field for field in reference.by_id()[id_].query if field.name == name)


def test_queries_are_told_with_the_bounds_of_who_reads_them() -> None:
    bounds = {
        ("list-response-items", "limit"): (1, kept.LARGEST_PAGE, kept.DEFAULT_PAGE),
        ("list-files", "limit"): (1, filepages.MOST_ASKED, filepages.LARGEST_PAGE),
        ("list-google-files", "pageSize"): (1, filepages.MOST_ASKED, filepages.GOOGLES_PAGE),
        ("list-models", "limit"): (1, listing.LARGEST_PAGE, listing.ANTHROPIC_PAGE),
        ("list-google-models", "pageSize"): (1, listing.LARGEST_PAGE, listing.DEFAULT_PAGE),
        ("get-usage", "limit"): (1, statement.LARGEST_PAGE, statement.LARGEST_PAGE),
    }
    for (id_, name), (least, most, default) in bounds.items():
        field = asked(id_, name)
        assert (field.least, field.most, field.default) == (least, most, default), id_
    whole = {(one.id, field.name) for one in OPERATIONS for field in one.query if field.type == "integer"}
    assert whole == set(bounds)
    assert asked("estimate-cost", "dialect").words == tuple(estimate.DIALECTS)
    assert set(re.findall(r"`(\w+)`", asked("get-usage", "by").en)) == set(statement.GROUPS)
    assert f"{statement.MAX_DAYS} days" in asked("get-usage", "to").en
    assert f"{statement.DEFAULT_DAYS} days" in asked("get-usage", "from").en


# -- headers and errors ------------------------------------------------------------------------------------------------


def test_every_header_that_is_read_is_told() -> None:
    told = {field.name: field for field in reference.shared().request_header}
    read = {strict.HEADER, router.ONLY_HEADER, router.NEVER_HEADER, paying.COST_HEADER, media.IMAGE_FORM_HEADER}
    assert {name for name in told if name.startswith("x-portico-")} == read
    assert idempotency.HEADER in told
    assert told[strict.HEADER].words == tuple(strict._WORDS)
    assert told[idempotency.HEADER].length == (1, 255)


def test_every_header_that_a_page_of_another_origin_may_read_is_told() -> None:
    told = {field.name for field in reference.shared().answer_header}
    elsewhere = {"retry-after", "x-should-retry", "x-upstream-status", "x-request-id", "request-id"}
    """Of errors, which have a page of their own; and the same id by its other names."""
    assert set(cors.EXPOSED) - elsewhere <= told
    assert account.NEXT in told
    assert told <= {*cors.EXPOSED, "content-type"}, "a page of another origin could not use it"


def test_headers_and_errors_are_used() -> None:
    used = {field.name for one in OPERATIONS for field in reference.request_headers(one)}
    assert used == {field.name for field in reference.shared().request_header}
    used = {field.name for one in OPERATIONS for field in reference.answer_headers(one)}
    assert used == {field.name for field in reference.shared().answer_header}
    used = {error.code for one in OPERATIONS for error in reference.errors(one)}
    assert used == {error.code for error in reference.shared().error}


def test_an_error_has_the_status_that_it_is_told_with() -> None:
    kinds: list[type[PorticoError]] = [*_kinds(PorticoError), fetch.MediaUnavailable, guard.ForbiddenAddress]
    raised = {(kind.code, kind.status) for kind in kinds}
    assert {(error.code, error.status) for error in reference.shared().error} <= raised


def _kinds(kind: type[PorticoError]) -> Iterator[type[PorticoError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


# -- the pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", list(Locale))
def test_every_operation_has_a_page_in_the_rooms_of_the_reference(locale: Locale) -> None:
    told = [source.path for _, room in chapters(locale) for source in room]
    assert told == [one.page for one in OPERATIONS]
    assert "/docs/api" in pages(locale)


@pytest.mark.parametrize("locale", list(Locale))
async def test_the_index_has_them_all_and_programs_find_them(locale: Locale) -> None:
    index = (await ask(HOUSE, str(Address("/docs/api", locale)))).page
    assert {str(Address(one.page, locale)) for one in OPERATIONS} <= set(index.links)
    listed = (await ask(HOUSE, f"{locale.prefix}/llms.txt")).text
    sitemap = (await ask(HOUSE, "/sitemap.xml")).text
    for one in OPERATIONS:
        assert f"{BASE_URL}{Address(one.page, locale, Form.MARKDOWN)})" in listed
        assert f"<loc>{BASE_URL}{Address(one.page, locale)}</loc>" in sitemap


@each_operation
async def test_a_page_says_all_of_it_in_every_locale(one: Operation) -> None:
    ids = []
    for locale in Locale:
        answer = await ask(HOUSE, str(Address(one.page, locale)))
        twin = await ask(HOUSE, str(Address(one.page, locale, Form.MARKDOWN)))
        ids.append([attrs.get("id", "?") for tag, attrs in answer.page.tags if tag in ("h2", "h3", "h4")])
        for text in (answer.text, twin.text):
            assert len(text) < LONGEST_PAGE
        assert f"`{one.method}` `{BASE_URL}{one.path}`\n" in twin.text
        for field in (*one.address, *one.query, *one.body, *one.answer):
            assert f"| `{field.name}` |" in twin.text
        for error in reference.errors(one):
            assert f"/docs/errors.md#{error.code})" in twin.text
    assert ids[0] == ids[1] == ids[2]
    assert "?" not in ids[0]


@pytest.mark.parametrize("locale", [Locale.ZH_CN, Locale.ZH_HK])
def test_the_furniture_of_the_pages_is_said_in_chinese(locale: Locale, monkeypatch: pytest.MonkeyPatch) -> None:
    said: set[str] = set()
    original = words.Say.__call__

    def say(self: words.Say, text: str, **values: object) -> object:
        said.add(text)
        return original(self, text, **values)

    monkeypatch.setattr(words.Say, "__call__", say)
    titles = {path: source.title for path, source in pages(locale).items()}
    for one in OPERATIONS:
        manual.body(one, locale, titles, answered=True)
    manual.index(locale.value)
    assert said - set(words.translations(locale)) == set()


def test_no_text_of_the_reference_is_the_same_in_two_locales() -> None:
    """But for words that are code or a name, and for what is the same in both scripts."""
    for text in _texts(OPERATIONS):
        bare = re.sub(r"`[^`]*`|[A-Z][A-Za-z]+( [A-Z][a-z]+)*|[\W\d]", "", text.en)
        assert not bare or len({text.en, text.zh_cn}) == 2, text.en
        assert not bare or len({text.en, text.zh_hk}) == 2, text.en


def _texts(value: Any) -> Iterator[reference.Words]:
    if isinstance(value, reference.Words):
        yield value
    if isinstance(value, tuple):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name))


@pytest.mark.parametrize("locale", list(Locale))
def test_code_of_a_page_is_a_sample_that_is_run_or_only_shown(locale: Locale) -> None:
    files = {text.rstrip() for one in OPERATIONS if one.sample for _, text in sample_files(one.sample)}
    for _, room in chapters(locale):
        for source in room:
            body = body_of(source, SAMPLE_URL)
            for language, code in re.findall(r"^```(\w+)[^\n]*\n(.*?)^```", body, re.MULTILINE | re.DOTALL):
                assert code.rstrip() in files or language in ("console", "json"), source.path


def test_every_shape_is_one_that_the_document_knows() -> None:
    assert {one.shape for one in OPERATIONS} == set(get_args(Shape))
