"""What stands beside an answer: ids, marks, and what could not be honoured."""

import json

import pytest

from gateway.house import Answer, Script, answers, chat, fails, open_house, says

SIMULATED = "x-portico-simulated"
CHANGES = "x-portico-changes"
LIMIT_BYTES = 2048


@pytest.mark.parametrize("stream", [False, True])
async def test_every_answer_has_one_id_under_three_names(stream: bool) -> None:
    async with open_house() as house:
        seen = set()
        for body in (chat(stream=stream), chat("[[sim:503]]", stream=stream), chat(temperature=9, stream=stream)):
            answer = await house.ask(body)
            names = ("x-portico-request-id", "x-request-id", "request-id")
            (one,) = {answer.headers[name] for name in names}
            seen.add(one)
        for path in ("/v1/models", "/v1/models/gemini-3.5-flash", "/nowhere"):
            seen.add((await house.ask(None, method="GET", path=path)).headers["x-request-id"])
        assert len(seen) == 6


async def test_each_kind_of_answer_has_its_content_type() -> None:
    async with open_house() as house:
        stream = await house.ask(chat(stream=True))
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-cache"
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-length" not in stream.headers
        for answer in (
            await house.ask(chat()),
            await house.ask(chat(temperature=9)),
            await house.ask(chat("[[sim:503]]", stream=True)),
            await house.ask(None, method="GET", path="/v1/models"),
        ):
            assert answer.headers["content-type"] == "application/json"
            assert int(answer.headers["content-length"]) == len(answer.body)


@pytest.mark.parametrize("stream", [False, True])
async def test_simulated_answers_say_so_and_others_do_not(stream: bool) -> None:
    async with open_house() as house:
        answer = await house.ask(chat(stream=stream))
        assert answer.headers[SIMULATED] == "1"
        assert b"[simulated]" in answer.body
    async with open_house(Script(answers(says("Hi")))) as house:
        assert SIMULATED not in (await house.ask(chat(stream=stream))).headers


@pytest.mark.parametrize("stream", [False, True])
async def test_the_name_the_provider_answers_with_is_a_header_and_the_body_echoes_what_was_asked(stream: bool) -> None:
    async with open_house() as house:
        for name, upstream in (
            ("gemini-2.5-flash-thinking", "gemini-2.5-flash"),
            ("gemini-2-5-flash", "gemini-2.5-flash"),
            ("models/gemini-3.5-flash", "gemini-3.5-flash"),
            ("gemini-3.1-pro-preview-high", "gemini-3.1-pro-preview"),
        ):
            answer = await house.ask(chat(model=name, stream=stream))
            assert answer.headers["x-portico-upstream-model"] == upstream
            assert (answer.events.chunks[0] if stream else answer.json())["model"] == name


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["x\r\nset-cookie: y", "modèle", "模型", "x" * 100_000, "", 7, None, {}])
async def test_a_name_that_cannot_stand_in_a_header_is_left_out(name: object, stream: bool) -> None:
    async with open_house(Script(answers(says("Hi", modelVersion=name)))) as house:
        answer = await house.ask(chat(stream=stream))
        assert answer.status == 200
        assert not {"x-portico-upstream-model", "set-cookie"} & answer.headers.keys()


async def test_nothing_is_said_of_changes_where_there_are_none() -> None:
    async with open_house() as house:
        assert CHANGES not in (await house.ask(chat())).headers


@pytest.mark.parametrize("stream", [False, True])
async def test_what_could_not_be_honoured_is_said_with_its_path(stream: bool) -> None:
    async with open_house() as house:
        answer = await house.ask(chat(stream=stream, logit_bias={"1": 5}, presence_penalty=1.0))
        assert answer.status == 200
        assert {change["path"] for change in answer.changes} == {"$.logit_bias", "$.presence_penalty"}
        assert all(change.keys() == {"code", "path", "message"} for change in answer.changes)


def check_fits(answer: Answer) -> None:
    value = answer.headers[CHANGES]
    assert answer.status == 200
    assert len(value) <= LIMIT_BYTES
    assert value.isascii()
    assert value.isprintable()


@pytest.mark.parametrize("stream", [False, True])
async def test_many_changes_are_cut_and_the_rest_is_counted(stream: bool) -> None:
    messages = [{"role": "user", "name": f"caller-{n}", "content": "x"} for n in range(300)]
    async with open_house() as house:
        answer = await house.ask({**chat(stream=stream), "messages": messages})
        check_fits(answer)
        *listed, last = answer.changes
        assert last.keys() == {"more"}
        assert len(listed) + last["more"] == 300


@pytest.mark.parametrize(
    "field", ["naïve", "ключ", "鍵", "\u2028", "\x7f", "\t", "😀", "a\r\nb: c", "k" * 5000, '"', "\\"]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_changes_are_printable_ascii_whatever_they_name(field: str, stream: bool) -> None:
    message = {"role": "user", "content": "x", field: 1}
    async with open_house() as house:
        answer = await house.ask({**chat(stream=stream), field: 2, "messages": [message]})
        check_fits(answer)
        if len(field) < 100:
            assert any(field in change.get("message", "") + change.get("path", "") for change in answer.changes)
        else:
            assert answer.changes[-1].keys() == {"more"}


async def test_the_providers_own_status_is_told_beside_ours() -> None:
    async with open_house(Script(fails(401, "UNAUTHENTICATED"))) as house:
        answer = await house.ask(chat())
        assert (answer.status, answer.headers["x-upstream-status"]) == (502, "401")


async def test_no_header_of_the_provider_leaks() -> None:
    async with open_house() as house:
        answer = await house.ask(chat())
        assert not {name for name in answer.headers if "gemini" in name or "google" in name or name == "vary"}


async def test_the_model_list_may_be_asked_for_its_head_alone() -> None:
    async with open_house() as house, house.open(None, method="HEAD", path="/v1/models") as wire:
        assert await wire.head() == 200
        assert int(wire.headers["content-length"]) > 1000


async def test_the_model_list_says_what_people_want_to_know() -> None:
    async with open_house() as house:
        rows = json.loads((await house.ask(None, method="GET", path="/models")).body)["data"]
        row = next(row for row in rows if row["id"] == "gemini-3.5-flash")
        assert row["context_length"] == 1_048_576
        assert "image" in row["input_modalities"]
        assert row["description"]
        assert len({row["id"] for row in rows}) == len(rows)
