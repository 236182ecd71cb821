"""mapping.md 2.10: logprobs, whole and streamed, in both dialects."""

from typing import Any

import pytest

from dialects.dialect_rows import CHAT, GEMINI, Json, answer, choice, chunks, read, reading, reply, told
from portico.core.assembly import assemble


def token(text: str, logprob: float = -0.5, **fields: Any) -> Json:
    return {"token": text, "logProbability": logprob, **fields}


def scored(text: str, result: Json, **about: Any) -> Json:
    body = answer({"text": text}, **about)
    body["candidates"][0]["logprobsResult"] = result
    return body


RESULT: Json = {
    "chosenCandidates": [token("Zü", tokenId=7), token("rich", -1)],
    "topCandidates": [{"candidates": [token("Zü", tokenId=7), token("Be", -2)]}, {"candidates": [token("rich", -1)]}],
}


def test_logprobs_are_told_as_openai_tells_them() -> None:
    told_as = choice(scored("Zürich", RESULT))["logprobs"]
    assert told_as == {
        "content": [
            {
                "token": "Zü",
                "logprob": -0.5,
                "bytes": list("Zü".encode()),
                "token_id": 7,
                "top_logprobs": [
                    {"token": "Zü", "logprob": -0.5, "bytes": list("Zü".encode()), "token_id": 7},
                    {"token": "Be", "logprob": -2, "bytes": [66, 101]},
                ],
            },
            {
                "token": "rich",
                "logprob": -1,
                "bytes": list(b"rich"),
                "top_logprobs": [{"token": "rich", "logprob": -1, "bytes": list(b"rich")}],
            },
        ],
        "refusal": None,
    }


def test_without_top_candidates_there_are_no_top_logprobs() -> None:
    told_as = choice(scored("x", {"chosenCandidates": [token("x")]}))["logprobs"]
    assert [item["top_logprobs"] for item in told_as["content"]] == [[]]


def test_an_answer_without_logprobs_says_null() -> None:
    assert choice(answer({"text": "x"}))["logprobs"] is None


def test_the_mean_that_vertex_gives_is_an_extension() -> None:
    body = scored("x", {"chosenCandidates": [token("x")], "logProbabilitySum": -0.5})
    body["candidates"][0]["avgLogprobs"] = -0.25
    google = choice(body)["message"]["extra_content"]["google"]
    assert google == {"avg_logprobs": -0.25, "logprobs_result": {"logProbabilitySum": -0.5}}


MALFORMED: list[Any] = [
    "x",
    {},
    {"chosenCandidates": []},
    {"chosenCandidates": ["x"]},
    {"chosenCandidates": [{"token": 3, "logProbability": -1}]},
    {"chosenCandidates": [{"token": "x"}]},
    {"chosenCandidates": [token("x")], "topCandidates": [{}, {}]},
    {"chosenCandidates": [token("x")], "topCandidates": ["x"]},
]


@pytest.mark.parametrize("result", MALFORMED)
def test_what_is_not_of_that_shape_is_passed_on(result: Any) -> None:
    told_as = choice(scored("x", result))
    assert told_as["logprobs"] is None
    if result:
        assert told_as["message"]["extra_content"]["google"]["logprobs_result"] == result


def test_a_stream_tells_the_logprobs_of_each_of_its_frames_once() -> None:
    pieces = [
        scored("Zü", {"chosenCandidates": [token("Zü")]}, finish=None),
        scored("rich", {"chosenCandidates": [token("rich")]}),
    ]
    sent = [chunk for chunk in chunks(pieces) if chunk != "[DONE]"]
    tokens = [
        item["token"]
        for chunk in sent
        for one in chunk["choices"]
        if one["logprobs"]
        for item in one["logprobs"]["content"]
    ]
    assert tokens == ["Zü", "rich"]
    assert "".join([item.chosen.token for item in told(pieces).candidates[0].logprobs]) == "Zürich"


def test_bytes_of_a_piece_of_a_character_survive_chat_and_are_a_loss_at_google() -> None:
    item = {"token": "\\xf0\\x9f", "logprob": -1, "bytes": [240, 159], "top_logprobs": []}
    body = {
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "x"},
                "logprobs": {"content": [item], "refusal": None},
            }
        ]
    }
    response = CHAT.parse_response(body, reading())
    assert CHAT.render_response(response, reply()).body["choices"][0]["logprobs"]["content"] == [item]
    rendered = GEMINI.render_response(response, reply())
    assert [loss.code for loss in rendered.losses] == ["2.10:logprobs"]


def test_chunks_of_a_chat_stream_are_read_in_order() -> None:
    def chunk(text: str, **fields: Any) -> Json:
        scores = {"content": [{"token": text, "logprob": -1, "bytes": list(text.encode()), "top_logprobs": []}]}
        one = {"index": 0, "delta": {"content": text}, "logprobs": scores, "finish_reason": None, **fields}
        return {"id": "c", "choices": [one]}

    events = read([chunk("a"), chunk("b", finish_reason="stop"), "[DONE]"], CHAT)
    found = assemble(events).candidates[0].logprobs
    assert [item.chosen.token for item in found] == ["a", "b"]
