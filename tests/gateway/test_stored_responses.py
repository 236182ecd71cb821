"""Going on from an answer by its id: across models, providers, workers and restarts, and from nobody else's."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import databases
from edges.sockets import until
from gateway.house import KEY, OTHER_KEY, Answer, House, Json, Script, answers, candidate, open_house, says
from gateway.vendors import (
    GEMINI,
    GPT,
    events_of,
    gpt_events,
    gpt_message,
    gpt_says,
    response,
    streams_named,
    text_of_response,
)
from portico.http.budget import Budget
from portico.providers import KINDS
from portico.wire.http import Exchange
from vault.workers import Workers

PATH = "/v1/responses"
BOTH = (KINDS["openai"], KINDS["gemini"])
TOOL = {
    "type": "function",
    "name": "look",
    "parameters": {"type": "object", "properties": {"at": {"type": "integer"}}, "required": ["at"]},
}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return databases.sqlite_books(tmp_path / "books.db")
    return databases.postgres_books()


@pytest.fixture
async def workers(url: str) -> AsyncIterator[Workers]:
    async with Workers(url) as workers:
        yield workers


@asynccontextmanager
async def keeping(workers: Workers, script: Script, **options: Any) -> AsyncIterator[House]:
    async with open_house(script, responses=workers.responses, kinds=BOTH, **options) as house:
        yield house


async def ask(house: House, given: Any, *, key: str = KEY, **more: Any) -> Answer:
    return await house.ask(response(given, **more), path=PATH, key=key)


async def get(house: House, path: str, *, key: str = KEY, method: str = "GET") -> Answer:
    return await house.ask(None, path=path, method=method, key=key)


def done(answer: Answer) -> Json:
    """The response object of an answer, whole or streamed."""
    assert answer.status == 200, answer.body
    if answer.headers["content-type"].startswith("text/event-stream"):
        last = events_of(answer.body)[-1]
        assert last["type"] == "response.completed"
        body = last["response"]
    else:
        body = answer.json()
    assert isinstance(body, dict)
    return body


def gemini_texts(body: Json) -> list[tuple[str, str]]:
    """(role, text) of what Gemini was asked."""
    return [(turn["role"], "".join(part.get("text", "") for part in turn["parts"])) for turn in body["contents"]]


def gpt_texts(body: Json) -> list[tuple[str, str]]:
    """The same of OpenAI."""
    told: list[tuple[str, str]] = []
    for item in body["input"]:
        if item.get("type", "message") == "message":
            content = item["content"]
            text = content if isinstance(content, str) else "".join(part["text"] for part in content)
            told.append((item["role"], text))
    return told


async def test_a_turn_goes_on_from_the_one_before(workers: Workers) -> None:
    script = Script(answers(says("Paris.")), answers(says("Two million.")), answers(says("Yes.")))
    async with keeping(workers, script) as house:
        first = done(await ask(house, "The capital of France?", model=GEMINI, instructions="Be brief."))
        second = done(await ask(house, "How many live there?", model=GEMINI, previous_response_id=first["id"]))
        third = done(await ask(house, "Sure?", model=GEMINI, previous_response_id=second["id"]))
        assert (first["store"], first["previous_response_id"]) == (True, None)
        assert (third["store"], third["previous_response_id"]) == (True, second["id"])
        assert gemini_texts(script.bodies[2]) == [
            ("user", "The capital of France?"),
            ("model", "Paris."),
            ("user", "How many live there?"),
            ("model", "Two million."),
            ("user", "Sure?"),
        ]
        assert "systemInstruction" in script.bodies[0]
        assert "systemInstruction" not in script.bodies[1], "instructions are not inherited"
        assert len({first["id"], second["id"], third["id"]}) == 3


@pytest.mark.parametrize("model", [GEMINI, GPT])
async def test_what_a_turn_goes_on_from_takes_room_and_what_was_taken_is_given_back(
    workers: Workers, model: str
) -> None:
    budget, held = Budget(max_body_bytes=100_000), list[int]()

    async def provider(exchange: Exchange) -> None:
        held.append(budget.body_bytes)
        says_it = says("Yes.") if model == GEMINI else gpt_says(gpt_message("Yes."), id_=f"resp_{len(held)}")
        await answers(says_it)(exchange)

    async with keeping(workers, Script(provider, provider, provider), budget=budget) as house:
        first = done(await ask(house, "x" * 40_000, model=model))
        second = done(await ask(house, "Sure?", model=model, previous_response_id=first["id"]))
        await until(lambda: budget.body_bytes == 0)
        assert held[0] < held[1] < held[0] + 1000
        third = done(await ask(house, "y" * 40_000, model=model, previous_response_id=second["id"]))
        refused = await ask(house, "z" * 40_000, model=model, previous_response_id=third["id"])
        assert (refused.status, refused.error["code"], len(held)) == (503, "overloaded", 3)
        await until(lambda: budget.body_bytes == 0)


@pytest.mark.parametrize("stream", [False, True])
async def test_it_goes_on_at_another_provider_and_back(workers: Workers, stream: bool) -> None:
    def gpt(text: str, id_: str) -> Any:
        return streams_named(*gpt_events(text, id_=id_)) if stream else answers(gpt_says(gpt_message(text), id_=id_))

    script = Script(gpt("Paris.", "resp_a"), answers(says("Two million.")), gpt("Yes.", "resp_c"))
    async with keeping(workers, script) as house:
        first = done(await ask(house, "The capital?", stream=stream))
        more = {"stream": stream, "previous_response_id": first["id"]}
        second = done(await ask(house, "How many?", model=GEMINI, **more))
        third = done(await ask(house, "Sure?", stream=stream, previous_response_id=second["id"]))
        assert [text_of_response(one) for one in (first, second, third)] == ["Paris.", "Two million.", "Yes."]
        assert gemini_texts(script.bodies[1]) == [("user", "The capital?"), ("model", "Paris."), ("user", "How many?")]
        talk = [("user", "The capital?"), ("assistant", "Paris."), ("user", "How many?")]
        assert gpt_texts(script.bodies[2]) == [*talk, ("assistant", "Two million."), ("user", "Sure?")]


async def test_a_thought_that_was_cut_off_is_not_gone_on_from(workers: Workers) -> None:
    """OpenAI refuses a thought that nothing follows which it was thought for."""
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"}
    cut = gpt_says(thought, id_="resp_a", status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    script = Script(answers(cut), answers(gpt_says(gpt_message("Paris."), id_="resp_b")))
    async with keeping(workers, script) as house:
        first = done(await ask(house, "The capital?"))
        assert [item["type"] for item in first["output"]] == ["reasoning"]
        done(await ask(house, "Well?", previous_response_id=first["id"]))
        assert gpt_texts(script.bodies[1]) == [("user", "The capital?"), ("user", "Well?")]
        assert "reasoning" not in [item["type"] for item in script.bodies[1]["input"]]


async def test_a_result_goes_to_the_call_of_the_turn_before(workers: Workers) -> None:
    call = {"functionCall": {"name": "look", "args": {"at": 1}, "id": "abc"}, "thoughtSignature": "c2ln"}
    script = Script(answers(candidate(call)), answers(says("Four.")))
    async with keeping(workers, script) as house:
        first = done(await ask(house, "What is there?", model=GEMINI, tools=[TOOL]))
        (asked,) = [item for item in first["output"] if item["type"] == "function_call"]
        result = {"type": "function_call_output", "call_id": asked["call_id"], "output": "4"}
        second = await ask(house, [result], model=GEMINI, tools=[TOOL], previous_response_id=first["id"])
        assert text_of_response(done(second)) == "Four."
        turns = script.bodies[1]["contents"]
        assert [turn["role"] for turn in turns] == ["user", "model", "user"]
        (again,) = [part for part in turns[1]["parts"] if "functionCall" in part]
        assert (again["functionCall"]["args"], again["thoughtSignature"]) == ({"at": 1}, "c2ln")
        assert turns[2]["parts"][0]["functionResponse"]["name"] == "look"


async def test_it_goes_on_after_a_restart_and_at_another_worker(workers: Workers) -> None:
    script = Script(answers(says("Paris.")), answers(says("Two million.")))
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(keeping(workers, script))
        first = done(await ask(one, "The capital?", model=GEMINI))
        other = await stack.enter_async_context(keeping(workers, script))
        for house in (other, one):
            await one.restart()
            again = await ask(house, "How many?", model=GEMINI, previous_response_id=first["id"])
            assert done(again)["previous_response_id"] == first["id"]
            assert gemini_texts(script.bodies[-1])[:2] == [("user", "The capital?"), ("model", "Paris.")]
            assert (await get(house, f"{PATH}/{first['id']}")).json() == first


# -- OpenAI itself behind it -------------------------------------------------------------------------------------------


async def test_openai_is_asked_to_keep_nothing_and_its_bytes_stay_what_they_were(workers: Workers) -> None:
    told = json.dumps(gpt_says(gpt_message("Hi"), new={"x": 1.0}), indent=1).encode()
    script = Script(answers(told))
    async with keeping(workers, script) as house:
        odd = b'{ "model":"%b", "input" : "\\u00e9" , "new":1.0}' % GPT.encode()
        answer = await house.ask(odd, path=PATH)
        sent = script.requests[0].body
        assert b'"input" : "\\u00e9" , "new":1.0}' in sent
        assert json.loads(sent)["store"] is False
        assert json.loads(sent)["include"] == ["reasoning.encrypted_content"]
        assert answer.body == told.replace(b'"store": false', b'"store": true')
        assert (await get(house, f"{PATH}/resp_scripted1")).body == answer.body


async def test_sealed_thoughts_of_openais_go_back_to_it(workers: Workers) -> None:
    sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "Z0FBQUFB", "new": 1.0}
    script = Script(answers(gpt_says(sealed, gpt_message("Hi"), id_="resp_a")), answers(gpt_says(gpt_message("Ho"))))
    async with keeping(workers, script) as house:
        first = done(await ask(house, "One"))
        assert done(await ask(house, "Two", previous_response_id=first["id"]))["previous_response_id"] == "resp_a"
        sent = script.bodies[1]
        assert sent["input"][1:3] == [sealed, gpt_message("Hi")]
        assert sent["previous_response_id"] is None


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
async def test_a_stream_is_kept_before_its_last_byte_however_it_is_cut(workers: Workers, size: int) -> None:
    events = gpt_events("Hello")
    script = Script(streams_named(*events, size=size))
    async with keeping(workers, script) as house:
        answer = await ask(house, "Hi", stream=True)
        kept = (await get(house, f"{PATH}/resp_scripted1")).json()
        expected = json.loads(json.dumps(events))
        for event in expected:
            if "response" in event:
                event["response"]["store"] = True
        assert events_of(answer.body) == expected
        assert kept == expected[-1]["response"]


async def test_a_stream_that_breaks_off_is_not_kept(workers: Workers) -> None:
    script = Script(streams_named(*gpt_events("Hello")[:6], cut=True))
    async with keeping(workers, script) as house:
        await ask(house, "Hi", stream=True)
        assert (await get(house, f"{PATH}/resp_scripted1")).status == 404


# -- items by their ids ------------------------------------------------------------------------------------------------


async def test_an_item_is_named_instead_of_sent(workers: Workers) -> None:
    script = Script(answers(says("Paris.")), answers(says("Yes.")))
    async with keeping(workers, script) as house:
        first = done(await ask(house, "The capital?", model=GEMINI))
        (item,) = first["output"]
        given = [
            {"role": "user", "content": "The capital?"},
            {"type": "item_reference", "id": item["id"]},
            {"role": "user", "content": "Sure?"},
        ]
        second = done(await ask(house, given, model=GEMINI))
        talk = [("user", "The capital?"), ("model", "Paris."), ("user", "Sure?")]
        assert gemini_texts(script.bodies[1]) == talk
        listed = (await get(house, f"{PATH}/{second['id']}/input_items?order=asc")).json()["data"]
        assert listed[1] == item
        for key, named_ in ((OTHER_KEY, item["id"]), (KEY, "msg_unknown")):
            refused = await ask(house, [{"type": "item_reference", "id": named_}], model=GEMINI, key=key)
            assert refused.status == 404
            assert named_ in refused.error["message"]
        assert len(script.requests) == 2


# -- asking for it again -----------------------------------------------------------------------------------------------


async def test_an_answer_is_shown_listed_and_deleted(workers: Workers) -> None:
    script = Script(answers(says("Paris.")), answers(says("Two million.")), answers(says("Never.")))
    async with keeping(workers, script) as house:
        first = done(await ask(house, "The capital?", model=GEMINI))
        second = done(await ask(house, "How many?", model=GEMINI, previous_response_id=first["id"]))
        address = f"{PATH}/{second['id']}"
        assert (await get(house, address)).json() == second
        page = (await get(house, f"{address}/input_items?limit=2")).json()
        assert (page["object"], page["has_more"], len(page["data"])) == ("list", True, 2)
        assert page["data"][0]["content"] == [{"type": "input_text", "text": "How many?"}]
        assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][1]["id"])
        rest = (await get(house, f"{address}/input_items?after={page['last_id']}")).json()
        assert [item["content"][0]["text"] for item in rest["data"]] == ["The capital?"]
        assert rest["has_more"] is False
        gone = await get(house, address, method="DELETE")
        assert gone.json() == {"id": second["id"], "object": "response", "deleted": True}
        for path, method in ((address, "GET"), (f"{address}/input_items", "GET"), (address, "DELETE")):
            assert (await get(house, path, method=method)).status == 404
        again = await ask(house, "Sure?", model=GEMINI, previous_response_id=second["id"])
        assert (again.status, again.error["code"]) == (400, "previous_response_not_found")
        assert len(script.requests) == 2


@pytest.mark.parametrize(
    "query",
    ["order=up", "limit=0", "limit=101", "limit=x", f"limit=000000001{5000 * '1'}", "after=none"],
    ids=lambda query: query[:10],
)
async def test_a_page_that_there_is_not(workers: Workers, query: str) -> None:
    async with keeping(workers, Script(answers(says("Hi")))) as house:
        first = done(await ask(house, "Hi", model=GEMINI))
        answer = await get(house, f"{PATH}/{first['id']}/input_items?{query}")
        assert (answer.status, answer.error["param"]) == (400, query.partition("=")[0])


async def test_what_is_anothers_is_as_what_never_was(workers: Workers) -> None:
    script = Script(answers(says("Paris.")))
    async with keeping(workers, script) as house:
        first = done(await ask(house, "The capital?", model=GEMINI))
        for id_ in (first["id"], "resp_unknown"):
            address = f"{PATH}/{id_}"
            for path, method in ((address, "GET"), (f"{address}/input_items", "GET"), (address, "DELETE")):
                refused = await get(house, path, method=method, key=OTHER_KEY)
                assert refused.status == 404
                assert refused.error["message"] == f"Response with id '{id_}' not found."
            refused = await ask(house, "Hi", model=GEMINI, previous_response_id=id_, key=OTHER_KEY)
            assert (refused.status, refused.error["code"]) == (400, "previous_response_not_found")
            assert refused.error["message"] == f"Previous response with id '{id_}' not found."
        assert (await get(house, f"{PATH}/{first['id']}")).json() == first
        assert len(script.requests) == 1


@pytest.mark.parametrize("id_", ["\0", "resp_\0", "résp_漢", "resp_" + "x" * 300, "'; --"])
async def test_an_id_that_nobody_was_given_is_one_that_is_not_found(workers: Workers, id_: str) -> None:
    async with keeping(workers, Script()) as house:
        refused = await ask(house, "Hi", model=GEMINI, previous_response_id=id_)
        assert (refused.status, refused.error["code"]) == (400, "previous_response_not_found"), refused.body
        refused = await ask(house, [{"type": "item_reference", "id": id_}], model=GEMINI)
        assert (refused.status, refused.error["param"]) == (404, "input"), refused.body
        for method, more in (("GET", ""), ("GET", "/input_items"), ("DELETE", "")):
            address = f"{PATH}/{quote(id_, safe='')}{more}"
            assert (await get(house, address, method=method)).status == 404


async def test_who_wants_nothing_kept_has_nothing_kept(workers: Workers) -> None:
    script = Script(answers(says("Paris.")), answers(says("Yes.")))
    async with keeping(workers, script) as house:
        first = done(await ask(house, "The capital?", model=GEMINI))
        second = done(await ask(house, "Sure?", model=GEMINI, store=False, previous_response_id=first["id"]))
        assert (second["store"], second["previous_response_id"]) == (False, first["id"])
        assert gemini_texts(script.bodies[1])[0] == ("user", "The capital?")
        assert (await get(house, f"{PATH}/{second['id']}")).status == 404


async def test_a_failure_is_not_kept(workers: Workers) -> None:
    refused = answers({"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}, 400)
    async with keeping(workers, Script(refused)) as house:
        assert (await ask(house, "Hi")).status == 400
        assert await workers.change("DELETE FROM stored_responses") == 0


async def test_that_the_gateway_keeps_an_answer_itself_is_no_loss(workers: Workers) -> None:
    async with keeping(workers, Script(answers(says("Hi")))) as house:
        answer = await ask(house, "Hi", model=GEMINI)
        assert (answer.status, answer.changes) == (200, [])
