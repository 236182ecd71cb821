"""POST /v1/embeddings and Google's verbs, from any caller to any provider that embeds (mapping.md 5.1)."""

import base64
import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.house import Answer, House, Json, Script, answers, as_bytes, error_of, fails, open_house
from money.paid import paid_house
from portico.catalog import OperatorModel
from portico.core.embedding import Embedded, joined
from portico.core.parts import Text
from portico.core.request import Message
from portico.dialects import openai_embeddings
from portico.providers import KINDS
from portico.relay.fanout import Lane
from portico.relay.router import RoutingRules
from portico.wire.http import Exchange

FIRST, SECOND, OPENAI = "gemini-embedding-001", "gemini-embedding-2", "text-embedding-3-small"
GEMINI_KIND, VERTEX, OPENAI_KIND = KINDS["gemini"], KINDS["vertex"], KINDS["openai"]
HELLO_WORLD = [9906, 1917, 0]
"""`Hello world!` in cl100k_base."""


async def embed(house: House, given: Any, model: str = FIRST, **more: Any) -> Answer:
    return await house.ask({"model": model, "input": given, **more}, path="/v1/embeddings")


async def google(house: House, body: Any, verb: str = "embedContent", model: str = FIRST) -> Answer:
    return await house.ask(body, path=f"/v1beta/models/{model}:{verb}")


def content(*texts: str, **more: Any) -> Json:
    return {"content": {"parts": [{"text": text} for text in texts]}, **more}


def vectors(answer: Answer) -> list[list[float]]:
    """In their order, whichever way they are written."""
    assert answer.status == 200, answer.body
    body = answer.json()
    assert body["object"] == "list"
    assert [one["index"] for one in body["data"]] == list(range(len(body["data"])))
    assert {one["object"] for one in body["data"]} == {"embedding"}
    return [numbers(one["embedding"]) for one in body["data"]]


def numbers(embedding: Any) -> list[float]:
    if isinstance(embedding, list):
        return embedding
    data = base64.b64decode(embedding, validate=True)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def is_unit(vector: Sequence[float]) -> bool:
    return math.isclose(math.hypot(*vector), 1, abs_tol=1e-5)


class Google:
    """A provider of Google's that keeps what it was asked; a text's vector is the number of its place in `seen`, thrice."""

    def __init__(self, *, usage: bool = True) -> None:
        self.asked: list[tuple[str, Json]] = []
        self.usage = usage

    async def __call__(self, exchange: Exchange) -> None:
        body, verb = json.loads(exchange.request.body), exchange.request.path.rpartition(":")[2]
        self.asked.append((verb, body))
        counts = {"usageMetadata": {"promptTokenCount": 3}} if self.usage else {}
        match verb:
            case "batchEmbedContents":
                texts = [one["content"]["parts"][0]["text"] for one in body["requests"]]
                told: Json = {"embeddings": [{"values": vector_of(text)} for text in texts]} | counts
            case "embedContent":
                told = {"embedding": {"values": vector_of(body["content"]["parts"][0]["text"])}} | counts
            case _:
                (one,) = body["instances"]
                statistics = {"statistics": {"token_count": 3}} if self.usage else {}
                told = {"predictions": [{"embeddings": {"values": vector_of(one["content"])} | statistics}]}
        exchange.send(200, [("content-type", "application/json")], as_bytes(told))

    @property
    def verbs(self) -> list[str]:
        return [verb for verb, _ in self.asked]


def vector_of(text: str) -> list[float]:
    """Not at unit length; tells its text by the ratio of its numbers."""
    number = int(text.rpartition(" ")[2]) if text[-1:].isdigit() else 1
    return [2.0, 2.0 * number]


def texts_of(answer: Answer) -> list[int]:
    """The numbers at the ends of the texts that the vectors stand for."""
    return [round(second / first) for first, second in vectors(answer)]


# -- OpenAI callers of Google's models -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [FIRST, SECOND])
@pytest.mark.parametrize("form", ["float", "base64"])
async def test_a_text_has_one_vector_at_unit_length(model: str, form: str) -> None:
    async with open_house() as house:
        answer = await embed(house, "a bird sings", model, encoding_format=form, dimensions=256)
        (vector,) = vectors(answer)
        assert len(vector) == 256
        assert is_unit(vector)  # what Google gives shortened by the first line is not
        assert isinstance(answer.json()["data"][0]["embedding"], str if form == "base64" else list)
        assert answer.json()["model"] == model


async def test_both_ways_of_writing_say_the_same_numbers() -> None:
    async with open_house() as house:
        (plain,) = vectors(await embed(house, "a bird sings"))
        (packed,) = vectors(await embed(house, "a bird sings", encoding_format="base64"))
        assert len(plain) == 3072
        assert packed == pytest.approx(plain, abs=1e-7)


async def test_many_texts_are_asked_for_a_hundred_at_a_time_and_come_in_order() -> None:
    provider = Google()
    async with open_house(provider) as house:
        answer = await embed(house, [f"text {number}" for number in range(250)])
        assert texts_of(answer) == list(range(250))
        assert sorted(len(body["requests"]) for _, body in provider.asked) == [50, 100, 100]
        assert answer.json()["usage"] == {"prompt_tokens": 9, "total_tokens": 9}


async def test_what_google_is_asked_is_said_in_its_own_words() -> None:
    provider = Google()
    async with open_house(provider) as house:
        more = {"dimensions": 128, "task_type": "retrieval_document", "title": "Birds", "user": "someone"}
        answer = await embed(house, ["one 1"], FIRST, **more)
        assert answer.status == 200
        assert answer.codes == []
        assert provider.asked == [
            (
                "batchEmbedContents",
                {
                    "requests": [
                        {
                            "model": f"models/{FIRST}",
                            "content": {"parts": [{"text": "one 1"}]},
                            "outputDimensionality": 128,
                            "taskType": "RETRIEVAL_DOCUMENT",
                            "title": "Birds",
                        }
                    ]
                },
            )
        ]


PREFIXES = [
    ({"task_type": "RETRIEVAL_QUERY"}, "task: search result | query: one 1"),
    ({"task_type": "QUESTION_ANSWERING"}, "task: question answering | query: one 1"),
    ({"task_type": "CODE_RETRIEVAL_QUERY"}, "task: code retrieval | query: one 1"),
    ({"task_type": "SEMANTIC_SIMILARITY"}, "task: sentence similarity | query: one 1"),
    ({"task_type": "RETRIEVAL_DOCUMENT"}, "title: none | text: one 1"),
    ({"task_type": "RETRIEVAL_DOCUMENT", "title": "Birds"}, "title: Birds | text: one 1"),
    ({}, "one 1"),
]


@pytest.mark.parametrize(("more", "text"), PREFIXES)
async def test_the_second_line_is_told_the_task_in_the_text(more: Json, text: str) -> None:
    provider = Google()
    async with open_house(provider) as house:
        assert (await embed(house, "one 1", SECOND, **more)).status == 200
        ((_, body),) = provider.asked
        assert body["requests"] == [{"model": f"models/{SECOND}", "content": {"parts": [{"text": text}]}}]


async def test_a_title_without_its_task_is_left_out_and_told() -> None:
    provider = Google()
    async with open_house(provider) as house:
        answer = await embed(house, "one 1", title="Birds", task_type="CLUSTERING")
        assert answer.status == 200
        assert [(loss["code"], loss["path"]) for loss in answer.changes] == [("5.1:task", "$.title")]
        assert "title" not in provider.asked[0][1]["requests"][0]


async def test_a_field_that_nobody_knows_is_told_and_not_sent() -> None:
    provider = Google()
    async with open_house(provider) as house:
        answer = await embed(house, "one 1", input_type="query")
        assert [(loss["code"], loss["path"]) for loss in answer.changes] == [("1.1:unsupported", "$.input_type")]
        assert "input_type" not in json.dumps(provider.asked)
        strict = await house.ask(
            {"model": FIRST, "input": "one 1", "input_type": "query"},
            path="/v1/embeddings",
            headers={"x-portico-strict": "1"},
        )
        assert error_of(strict.json())["param"] == "input_type"


TOKENS = [
    (HELLO_WORLD, ["Hello world!"]),
    ([HELLO_WORLD, [100257]], ["Hello world!", "<|endoftext|>"]),
    (["plain", HELLO_WORLD], ["plain", "Hello world!"]),
]


@pytest.mark.parametrize(("given", "texts"), TOKENS)
async def test_numbers_of_tokens_become_text(given: Any, texts: list[str]) -> None:
    provider = Google()
    async with open_house(provider) as house:
        assert (await embed(house, given)).status == 200
        ((_, body),) = provider.asked
        assert [one["content"]["parts"][0]["text"] for one in body["requests"]] == texts


async def test_as_many_numbers_as_langchain_sends_at_once_are_read() -> None:
    """A thousand texts of 600 tokens."""
    provider = Google()
    async with open_house(provider) as house:
        answer = await embed(house, [HELLO_WORLD * 200] * 1000)
        assert len(vectors(answer)) == 1000
        assert provider.asked[0][1]["requests"][0]["content"]["parts"][0]["text"] == "Hello world!" * 200


async def test_without_the_vocabulary_numbers_of_tokens_are_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("portico.dialects.openai_embeddings.tokens.vocabulary", lambda: None)
    async with open_house(Google()) as house:
        answer = await embed(house, HELLO_WORLD)
        assert answer.status == 400
        assert answer.error["param"] == "input"
        assert "check_embedding_ctx_length=False" in answer.error["message"]


REFUSED: list[tuple[Json, str]] = [
    ({"input": ""}, "input"),
    ({"input": []}, "input"),
    ({"input": ["a", ""]}, "input[1]"),
    ({"input": ["a", []]}, "input[1]"),
    ({"input": ["a", None]}, "input[1]"),
    ({"input": {"text": "a"}}, "input"),
    ({"input": 7}, "input"),
    ({"input": [7, "a"]}, "input[1]"),
    ({"input": [7, -1]}, "input[1]"),
    ({"input": [[7, 200000]]}, "input[0][1]"),
    ({"input": [[7, True]]}, "input[0][1]"),
    ({}, "input"),
    ({"input": ["a"] * 2049}, "input"),
    ({"input": "a", "dimensions": 0}, "dimensions"),
    ({"input": "a", "dimensions": "256"}, "dimensions"),
    ({"input": "a", "encoding_format": "int8"}, "encoding_format"),
    ({"input": "a", "task_type": "POETRY"}, "task_type"),
    ({"input": "a", "user": 7}, "user"),
]


@pytest.mark.parametrize(("body", "param"), REFUSED)
async def test_what_cannot_be_embedded_is_refused_where_it_stands(body: Json, param: str) -> None:
    provider = Google()
    async with open_house(provider) as house:
        answer = await house.ask({"model": FIRST, **body}, path="/v1/embeddings")
        assert answer.status == 400, answer.body
        assert answer.error["param"] == param
        assert provider.asked == []


async def test_a_model_that_does_not_embed_is_refused_with_some_that_do() -> None:
    async with open_house() as house:
        answer = await embed(house, "a", "gemini-3.5-flash")
        assert answer.status == 400
        assert answer.error["param"] == "model"
        assert FIRST in answer.error["message"]


async def test_a_model_that_embeds_does_not_chat() -> None:
    provider = Script(answers({}))
    async with open_house(provider, kinds=(OPENAI_KIND,)) as house:
        answer = await house.ask({"model": OPENAI, "messages": [{"role": "user", "content": "a"}]})
        assert answer.status in (400, 404)
        assert OPENAI in answer.error["message"]
        assert provider.requests == []


async def test_too_few_vectors_are_no_answer() -> None:
    async with open_house(Script(answers({"embeddings": [{"values": [1.0]}]}))) as house:
        answer = await embed(house, ["a", "b"])
        assert answer.status == 502
        assert "1 vectors for 2 texts" in answer.error["message"]


async def test_one_batch_that_fails_for_good_fails_the_call() -> None:
    google = Google()

    async def act(exchange: Exchange) -> None:
        if len(json.loads(exchange.request.body)["requests"]) < 100:
            await fails(400, "INVALID_ARGUMENT", "No.")(exchange)
        else:
            await google(exchange)

    async with open_house(Script(act)) as house:
        answer = await embed(house, [f"text {number}" for number in range(150)])
        assert answer.status == 400
        assert "No." in answer.error["message"]


# -- Vertex ----------------------------------------------------------------------------------------------------------


async def test_vertex_predicts_with_the_first_line_one_text_a_call() -> None:
    provider = Google()
    async with open_house(provider, kinds=(VERTEX,)) as house:
        more: Json = {"dimensions": 256, "task_type": "RETRIEVAL_DOCUMENT", "title": "Birds"}
        answer = await embed(house, [f"text {number}" for number in range(5)], **more)
        assert texts_of(answer) == list(range(5))
        assert provider.verbs == ["predict"] * 5
        assert answer.json()["usage"]["prompt_tokens"] == 15
        one = next(body for _, body in provider.asked if body["instances"][0]["content"] == "text 3")
        assert one == {
            "instances": [{"content": "text 3", "task_type": "RETRIEVAL_DOCUMENT", "title": "Birds"}],
            "parameters": {"outputDimensionality": 256},
        }


async def test_vertex_embeds_with_the_second_line_one_text_a_call() -> None:
    provider = Google()
    async with open_house(provider, kinds=(VERTEX,)) as house:
        answer = await embed(house, [f"text {number}" for number in range(5)], SECOND, dimensions=256)
        assert texts_of(answer) == list(range(5))
        assert provider.verbs == ["embedContent"] * 5
        assert provider.asked[0][1]["outputDimensionality"] == 256


@pytest.mark.parametrize(("model", "verb"), [(FIRST, "predict"), (SECOND, "embedContent")])
async def test_a_gemini_caller_is_served_by_vertex_too(model: str, verb: str) -> None:
    provider = Google()
    async with open_house(provider, kinds=(VERTEX,)) as house:
        batch = {"requests": [{"model": f"models/{model}", **content(f"text {number}")} for number in range(3)]}
        answer = await google(house, batch, "batchEmbedContents", model)
        assert [one["values"] for one in answer.json()["embeddings"]] == [vector_of(f"text {n}") for n in range(3)]
        one = await google(house, content("text 7"), model=model)
        assert one.json()["embedding"]["values"] == vector_of("text 7")
        assert provider.verbs == [verb] * 4


# -- Gemini callers, and OpenAI's models -----------------------------------------------------------------------------


async def test_a_gemini_caller_reads_vectors_of_openai() -> None:
    async with open_house(kinds=(OPENAI_KIND,)) as house:
        batch = {"requests": [content("one", outputDimensionality=64), content("two", outputDimensionality=64)]}
        answer = await google(house, batch, "batchEmbedContents", OPENAI)
        one, two = [entry["values"] for entry in answer.json()["embeddings"]]
        assert (len(one), len(two), one == two) == (64, 64, False)
        assert is_unit(one)
        counted = answer.json()["usageMetadata"]
        assert counted["promptTokenCount"] > 0
        assert counted["promptTokenDetails"] == [{"modality": "TEXT", "tokenCount": counted["promptTokenCount"]}]
        single = await google(house, content("one", outputDimensionality=64), model=OPENAI)
        assert single.json()["embedding"]["values"] == one
        assert house.simulator.stats.last.body == {
            "model": OPENAI,
            "input": ["one"],
            "encoding_format": "float",
            "dimensions": 64,
        }


async def test_what_openai_does_not_ask_is_told_to_a_gemini_caller() -> None:
    async with open_house(kinds=(OPENAI_KIND,)) as house:
        answer = await google(house, content("one", taskType="CLUSTERING", autoTruncate=True), model=OPENAI)
        assert answer.status == 200
        assert {(loss["code"], loss["path"]) for loss in answer.changes} == {
            ("5.1:task", "$.task_type"),
            ("1.1:unsupported", "$.autoTruncate"),
        }


async def test_fields_that_only_some_of_a_batch_have_are_told_once() -> None:
    async with open_house(kinds=(OPENAI_KIND,)) as house:
        batch = {"requests": [content("one", tomorrow=1), content("two", today=1)]}
        answer = await google(house, batch, "batchEmbedContents", OPENAI)
        assert answer.status == 200, answer.body
        assert [loss["path"] for loss in answer.changes] == ["$.today", "$.tomorrow"]
        wishes = {"requests": [content("one", outputDimensionality=64), content("two", outputDimensionality=65)]}
        assert (await google(house, wishes, "batchEmbedContents", OPENAI)).status == 400


async def test_a_picture_is_not_embedded_by_a_model_of_texts() -> None:
    async with open_house(kinds=(OPENAI_KIND,)) as house:
        picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
        answer = await google(house, {"content": {"parts": [picture]}}, model=OPENAI)
        assert answer.status == 400
        assert "embeds text alone" in answer.json()["error"]["message"]


async def test_a_gemini_caller_s_body_passes_to_gemini_byte_for_byte() -> None:
    body = b'{ "content" : {"parts":[{"text":"\\u0041"}]}, "new":1.0 }'
    provider = Script(answers({"embedding": {"values": [0.5]}, "new": 1}))
    async with open_house(provider) as house:
        answer = await google(house, body)
        assert provider.requests[0].body == body
        assert answer.json() == {"embedding": {"values": [0.5]}, "new": 1}


PASSING_KINDS = [KINDS["openai"], KINDS["azure-openai"], KINDS["openai-compatible"]]
HOUSE_NAME = [OperatorModel("our-embedder", f"{kind.name}/{OPENAI}") for kind in PASSING_KINDS]


@pytest.mark.parametrize(("kind", "model"), list(zip(PASSING_KINDS, HOUSE_NAME, strict=True)), ids=lambda one: one.name)
async def test_an_openai_caller_s_body_passes_byte_for_byte_but_for_the_model(kind: Any, model: OperatorModel) -> None:
    told = b'{ "object":"list","data":[{"index":0,"embedding":"AACAPw==","new":1e0}],"usage":{"prompt_tokens":3}}'
    provider = Script(answers(told))
    async with open_house(provider, kinds=(kind,), models=[model]) as house:
        body = b'{"input" : [[9906,1917],[0]] , "model": "our-embedder","encoding_format":"base64","new":1.0}'
        answer = await house.ask(body, path="/v1/embeddings")
        assert (answer.status, answer.body) == (200, told)
        assert provider.requests[0].body == body.replace(b"our-embedder", OPENAI.encode())
        assert provider.requests[0].path.endswith("/embeddings")
        assert answer.changes == []


async def test_an_error_of_openai_is_told_as_it_is() -> None:
    async with open_house(kinds=(OPENAI_KIND,)) as house:
        answer = await embed(house, "a", OPENAI, dimensions=5000)
        assert answer.status == 400
        assert answer.error["param"] == "dimensions"


@pytest.mark.parametrize("path", ["/v1/embeddings", "/embeddings", "/v1beta/openai/embeddings"])
async def test_the_route_is_where_clients_look_for_it(path: str) -> None:
    async with open_house() as house:
        assert len(vectors(await house.ask({"model": FIRST, "input": "a"}, path=path))) == 1
        assert (await house.ask(None, path=path, method="GET")).status == 405


# -- money -----------------------------------------------------------------------------------------------------------


async def test_an_embedding_is_held_charged_and_receipted(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Google()) as paid:
        answer = await embed(paid.house, [f"text {number}" for number in range(250)], SECOND)
        receipt = await paid.settled()
        assert receipt["usage"] == {"input_uncached": {"text": 9}}
        assert receipt["charge_nanos"] == receipt["cost_nanos"] == 9 * 200
        assert [(line["item"], line["detail"], line["count"]) for line in receipt["lines"]] == [("input", "text", 9)]
        assert "flags" not in receipt
        assert [one["outcome"] for one in receipt["tries"]] == ["ok"] * 3
        assert len(json.loads(answer.headers["x-portico-attempts"])) == 3
        ((_, _, held),) = paid.entries("hold")
        assert held >= 250 * len("text ") // 2 * 200  # for all of the texts, and not for the first hundred
        assert paid.account() == (100 * 10**9 - 9 * 200, 0)


async def test_texts_that_several_models_embedded_cost_what_each_of_them_does(tmp_path: Path) -> None:
    """The first hundred are refused where they were sent first, and go elsewhere."""
    google, refused = Google(), fails(503, "UNAVAILABLE")
    asked: list[str] = []

    async def busy_once(exchange: Exchange) -> None:
        asked.append(exchange.request.path)
        await (refused if len(asked) == 1 else google)(exchange)

    models = [OperatorModel("duo", f"gemini/{FIRST}"), OperatorModel("duo", f"gemini/{SECOND}", priority=1)]
    async with paid_house(tmp_path / "books.db", busy_once, models=models) as paid:
        assert (await embed(paid.house, [f"text {number}" for number in range(250)], "duo")).status == 200
        receipt = await paid.settled()
        lines = [(line["upstream_model"], line["count"], line["rate_nanos"]) for line in receipt["lines"]]
        assert lines == [(SECOND, 3, 200 * 10**6), (FIRST, 6, 150 * 10**6)]
        assert receipt["charge_nanos"] == receipt["cost_nanos"] == 3 * 200 + 6 * 150


@pytest.mark.parametrize("kind", ["gemini", "vertex"])
async def test_every_text_of_a_call_is_held_for(kind: str, tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Google(), kinds=(KINDS[kind],)) as paid:
        assert (await embed(paid.house, ["x" * 5000] * 3)).status == 200
        await paid.settled()
        ((_, _, held),) = paid.entries("hold")
        assert held == 3 * 2048 * 150


async def test_what_is_not_reported_is_estimated_and_the_receipt_says_so(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Google(usage=False)) as paid:
        answer = await embed(paid.house, ["x" * 40, "y" * 41])
        assert answer.json()["usage"]["prompt_tokens"] == 20
        receipt = await paid.settled()
        assert receipt["usage"] == {"input_uncached": {"text": 20}}
        assert receipt["charge_nanos"] == 20 * 150
        assert receipt["flags"] == ["estimated"]


async def test_an_estimate_is_of_no_more_than_the_model_reads_of_a_text(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Google(usage=False)) as paid:
        answer = await embed(paid.house, ["x" * 20_000, "y" * 400])
        receipt = await paid.settled()
        assert receipt["usage"] == {"input_uncached": {"text": 2048 + 100}}
        assert answer.json()["usage"]["prompt_tokens"] == 2048 + 100


async def test_a_body_that_passes_is_estimated_by_its_text_alone(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Google(usage=False)) as paid:
        assert (await google(paid.house, content("x" * 400))).status == 200
        assert (await paid.settled())["usage"] == {"input_uncached": {"text": 100}}


async def test_a_gemini_caller_pays_for_openai_s_vectors(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", kinds=(OPENAI_KIND,)) as paid:
        answer = await google(paid.house, content("a bird sings"), model=OPENAI)
        counted = answer.json()["usageMetadata"]["promptTokenCount"]
        receipt = await paid.settled()
        assert receipt["charge_nanos"] == counted * 20
        assert (receipt["model"], receipt["provider"]) == (OPENAI, "openai")


COUNTS: list[tuple[Json, int, list[str]]] = [
    ({"prompt_tokens": 7, "total_tokens": 9}, 7, []),
    ({"total_tokens": 7}, 7, []),  # as Voyage counts
    ({"prompt_tokens": 0, "total_tokens": 7}, 0, []),
    ({}, 10, ["estimated"]),
    ({"prompt_tokens": None}, 10, ["estimated"]),
]


@pytest.mark.parametrize("passes", [True, False])
@pytest.mark.parametrize(("usage", "tokens", "flags"), COUNTS)
async def test_a_count_is_believed_under_either_name_and_none_is_no_zero(
    usage: Json, tokens: int, flags: list[str], passes: bool, tmp_path: Path
) -> None:
    told = {"object": "list", "data": [{"index": 0, "embedding": [1.0]}], "usage": usage}
    async with paid_house(tmp_path / "books.db", Script(answers(told)), kinds=(OPENAI_KIND,)) as paid:
        ask = embed(paid.house, "x" * 40, OPENAI) if passes else google(paid.house, content("x" * 40), model=OPENAI)
        assert (await ask).status == 200
        receipt = await paid.settled()
        assert receipt.get("charge_nanos", 0) == tokens * 20
        assert receipt.get("flags", []) == flags


async def test_vertex_is_paid_by_its_own_counts(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Google(), kinds=(VERTEX,)) as paid:
        assert (await embed(paid.house, ["a 1", "b 2"])).status == 200
        assert (await paid.settled())["charge_nanos"] == 6 * 150


async def test_what_has_no_price_is_refused_to_who_pays_before(tmp_path: Path) -> None:
    model = OperatorModel("ours", "gemini/text-embedding-9")
    async with paid_house(tmp_path / "books.db", Google(), models=[model]) as paid:
        answer = await embed(paid.house, "a", "ours")
        assert answer.status >= 400
        assert "price" in answer.error["message"]


async def test_who_cannot_pay_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    provider = Google()
    async with paid_house(tmp_path / "books.db", provider, balance=0) as paid:
        answer = await embed(paid.house, "a")
        assert (answer.status, answer.error["code"]) == (402, "insufficient_funds")
        assert provider.asked == []


async def test_a_try_that_failed_is_told_and_not_paid(tmp_path: Path) -> None:
    provider = Script(fails(503, "UNAVAILABLE"), Google())
    async with paid_house(tmp_path / "books.db", provider, rules=RoutingRules(retries=1, first_pause_s=0)) as paid:
        answer = await embed(paid.house, "a 1", SECOND)
        assert answer.status == 200
        receipt = await paid.settled()
        assert [one["outcome"] for one in receipt["tries"]] == ["overloaded", "ok"]
        assert receipt["charge_nanos"] == 3 * 200


# -- the law ---------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=40),
    st.integers(1, 45),
    st.randoms(use_true_random=False),
)
def test_texts_keep_their_order_however_they_are_split(texts: list[str], most: int, dice: Any) -> None:
    request = openai_embeddings.EMBEDDING.parse({"model": "m", "input": texts}, None)
    parts = [request.messages[lane.first : lane.first + lane.count] for lane in Lane(0, len(texts)).split(most)]
    answered = [(at, Embedded(tuple([told_by(one) for one in part]))) for at, part in enumerate(parts)]
    dice.shuffle(answered)  # lanes end in any order
    together = joined([one for _, one in sorted(answered, key=lambda pair: pair[0])])
    assert list(together.vectors) == [told_by(one) for one in request.messages]
    assert max(len(part) for part in parts) <= most
    told = openai_embeddings.EMBEDDING.tell(together, request)
    assert [one["index"] for one in told["data"]] == list(range(len(texts)))
    assert all(is_unit(one["embedding"]) for one in told["data"])


def told_by(message: Message) -> tuple[float, ...]:
    """A vector that no other text has."""
    (part,) = message.parts
    assert isinstance(part, Text)
    return (1.0, *[float(ord(character)) for character in part.text])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6).filter(lambda one: abs(one) > 1e-6), min_size=1, max_size=64))
def test_a_vector_written_in_base64_is_the_vector(vector: list[float]) -> None:
    request = openai_embeddings.EMBEDDING.parse({"model": "m", "input": "a", "encoding_format": "base64"}, None)
    told = openai_embeddings.EMBEDDING.tell(Embedded((vector,)), request)
    length = math.hypot(*vector)
    assert numbers(told["data"][0]["embedding"]) == pytest.approx([one / length for one in vector], abs=1e-6)
    assert list(openai_embeddings.EMBEDDING.read(told).vectors[0]) == numbers(told["data"][0]["embedding"])


@pytest.mark.parametrize("method", ["embedContent", "batchEmbedContents"])
async def test_a_gemini_caller_is_told_that_a_gpt_does_not_embed_and_nobody_is_asked(method: str) -> None:
    """OpenAI answers such a question with a 403, which would look as if its key was refused."""
    async with open_house(kinds=(KINDS["gemini"], OPENAI_KIND)) as house:
        answer = await house.ask({"content": {"parts": [{"text": "Hello"}]}}, path=f"/v1beta/models/gpt-5.5:{method}")
        assert answer.status == 400
        assert "gemini-embedding-2" in answer.json()["error"]["message"]
        assert house.simulator.stats.refused == house.simulator.stats.answered == 0
