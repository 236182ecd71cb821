"""mapping.md 8, over several turns: what a client loses between them, and a peer with it, Google gets back from the vault.

The client keeps what every client keeps: role, content, and of a call its id, name and arguments. The provider is a script.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from dialects.defects import case
from gateway.house import Act, Answer, Json, Script, candidate, chat, frame, open_house
from portico.wire import jsontext
from portico.wire.http import Exchange

A, B, C = "QQ==", "Qg==", "Qw=="
"""Three signatures."""
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("first", "second")]


def text(words: str, signature: str | None = None) -> Json:
    return {"text": words} if signature is None else {"text": words, "thoughtSignature": signature}


def call(name: str, signature: str | None = None, **args: Any) -> Json:
    part: Json = {"functionCall": {"id": f"up{name}", "name": name, "args": args}}
    return part if signature is None else {**part, "thoughtSignature": signature}


def search(id_: str, signature: str | None = None) -> Json:
    part: Json = {"toolCall": {"id": id_, "toolType": "GOOGLE_SEARCH_WEB", "args": {"q": id_}}}
    return part if signature is None else {**part, "thoughtSignature": signature}


def found(id_: str) -> Json:
    result = {"id": id_, "toolType": "GOOGLE_SEARCH_WEB", "response": {"found": id_}}
    return {"toolResponse": result, "thoughtSignature": C}


def plays(parts: Sequence[Json]) -> Act:
    """An answer of these parts; in a stream one per event."""

    async def act(exchange: Exchange) -> None:
        if "alt=sse" not in exchange.request.query:
            exchange.send(200, [("content-type", "application/json")], jsontext.encode(candidate(*parts)))
            return
        exchange.start(200, [("content-type", "text/event-stream")])
        for part in parts[:-1]:
            exchange.write(frame(candidate(part, finish=None)))
        exchange.write(frame(candidate(parts[-1])))
        exchange.finish()

    return act


def kept(answer: Answer, *, stream: bool) -> Json:
    """What is left of an answer in a client that drops every field it does not know."""
    message = answer.events.message if stream else answer.message
    left: Json = {"role": "assistant", "content": message["content"]}
    if "tool_calls" in message:
        names = ("name", "arguments")
        left["tool_calls"] = [
            {"id": one["id"], "type": "function", "function": {name: one["function"][name] for name in names}}
            for one in message["tool_calls"]
        ]
    return left


# (parts of an answer, every one of which Google must see again as it was)
TURNS = [
    case("LiteLLM", "of several signed texts one keeps its signature", [text("one ", A), text("two", B)]),
    case(
        "LiteLLM",
        "the signature makes the id too long to come back",
        [call("first", A * 400)],
    ),
    case(
        "Envoy",
        "several signatures become one that is none",
        [text("one", A), call("first", B, x=1), call("second", C)],
    ),
    case("Envoy", "the signature on an empty text does not come back", [text("yes"), text("", A)]),
    case("Envoy", "text and calls change places", [call("first", A), text("meanwhile"), call("second")]),
    case("Envoy", "Google's own ids of calls are lost", [call("first", A), call("second")]),
    case("new-api", "the real signature of a call never comes back", [call("first", A)]),
    case("new-api", "the real signature of a text never comes back", [text("yes", A)]),
    case(
        "Vercel",
        "the signature on an empty text does not come back where no text is open",
        [call("first", A), text("", B)],
    ),
    case(
        "Vercel",
        "results of Google's own tools are paired with the wrong calls",
        [search("s1", A), search("s2"), found("s2"), found("s1"), call("first", B)],
    ),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("parts", TURNS)
async def test_the_next_turn_shows_google_its_own_turn(parts: list[Json], stream: bool) -> None:
    provider = Script(plays(parts), plays([text("done")]))
    async with open_house(provider) as house:
        asked = chat("go", tools=TOOLS, stream=stream)
        said = kept(await house.ask(asked), stream=stream)
        ids = [one["id"] for one in said.get("tool_calls", ())]
        results = [{"role": "tool", "tool_call_id": id_, "content": f"result {n}"} for n, id_ in enumerate(ids)]
        again = [*asked["messages"], said, *(results or [{"role": "user", "content": "and?"}])]
        answer = await house.ask({**asked, "messages": again})
        assert answer.status == 200, answer.body
        assert all(len(id_) <= 40 for id_ in ids)
        turns = provider.bodies[1]["contents"]
        assert turns[1] == {"role": "model", "parts": parts}
        answered = [part["functionResponse"]["id"] for part in turns[2]["parts"] if "functionResponse" in part]
        assert answered == [part["functionCall"]["id"] for part in parts if "functionCall" in part]


# (path, body, where the vectors stand)
EMBEDDINGS = [
    case(
        "new-api",
        "only the first input is embedded: Gemini's route",
        "/v1beta/models/gemini-embedding-001:batchEmbedContents",
        {
            "requests": [
                {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": word}]}}
                for word in ("one", "two", "three")
            ]
        },
        ("embeddings", "values"),
    ),
    case(
        "new-api",
        "only the first input is embedded: OpenAI's route",
        "/v1/embeddings",
        {"model": "gemini-embedding-001", "input": ["one", "two", "three"]},
        ("data", "embedding"),
    ),
]


@pytest.mark.parametrize(("path", "body", "where"), EMBEDDINGS)
async def test_every_input_has_a_vector_of_its_own(path: str, body: Json, where: tuple[str, str]) -> None:
    async with open_house() as house:
        answer = await house.ask(body, path=path)
        assert answer.status == 200, answer.body
        entries, values = where
        vectors = [tuple(one[values]) for one in answer.json()[entries]]
        assert len(set(vectors)) == len(vectors) == 3
