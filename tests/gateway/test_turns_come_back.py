"""Whatever Google said, it sees its own turn again, however the stream was cut and whatever the client made of it.

What mapping.md 2.4 asks of the store (channel D), as a law: order, signatures, hidden parts and Google's own ids come back;
thoughts do not, and texts that nobody signed may be one.
"""

import base64
import contextlib
import http.client
import json
import re
from itertools import count

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.agents import CLIENTS, TOOLS, Keep, stock
from gateway.cutting import Cut, message_of
from gateway.house import KEY, Json, chat, house_in_a_thread

SKIP = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
PATH = "/v1/chat/completions"
SIGNATURES = st.none() | st.sampled_from(["QQ==", "Qg==", "Qw==", "RA=="])
WORDS = st.sampled_from(["", "a", "b\n", " c", "\n", "d d", "x\n\ny", "é漢𝄞"])


def signed(part: Json, signature: str | None) -> Json:
    return part if signature is None else {**part, "thoughtSignature": signature}


def call(id_: str, name: str, args: Json) -> Json:
    return {"functionCall": {"id": id_, "name": name, "args": args}}


def tool(kind: str, id_: str, said: str) -> Json:
    return {kind: {"id": id_, "toolType": "GOOGLE_SEARCH_WEB", said: {}}}


NAMES = st.sampled_from([one["function"]["name"] for one in TOOLS])
ARGS = st.dictionaries(st.sampled_from("xyz"), st.text(max_size=3) | st.integers(0, 5), max_size=2)
IDS = st.sampled_from(["s1", "s2", "s3"])
PLAIN = st.one_of(
    st.builds(lambda text: {"text": text}, WORDS),
    st.builds(lambda text: {"text": text}, WORDS),
    st.builds(lambda text: {"text": text, "thought": True}, WORDS),
    st.builds(call, st.just("?"), NAMES, ARGS),
    st.builds(tool, st.just("toolCall"), IDS, st.just("args")),
    st.builds(tool, st.just("toolResponse"), IDS, st.just("response")),
    st.just({"executableCode": {"language": "PYTHON", "code": "1"}}),
    st.builds(
        lambda data: {"inlineData": {"mimeType": "image/png", "data": data}},
        st.sampled_from(["one", "other"]),
    ),
)
BESIDE: list[Json] = [{"inlineData": {"mimeType": "image/png", "data": "one"}}, {"text": "a"}]
"""A picture before a text: a client that is told pictures beside the text cannot know that."""
PARTS = st.lists(st.builds(signed, PLAIN, SIGNATURES), min_size=1, max_size=7)


def numbered(parts: list[Json], answer: int) -> list[Json]:
    """The parts as those of an answer that is like no other: every call, text and picture is of this one alone."""
    return [_numbered(part, answer, place) for place, part in enumerate(parts)]


def _numbered(part: Json, answer: int, place: int) -> Json:
    match part:
        case {"thought": True, "text": text}:
            return {"text": text, "thought": True}
        case {"text": text}:
            return {**part, "text": re.sub(r"\S", rf"\g<0>{answer}", text, count=1)}
        case {"functionCall": made}:
            return {**part, "functionCall": {**made, "id": f"up{place}"}}
        case {"inlineData": file}:
            data = base64.b64encode(b"\x89PNG\r\n\x1a\n" + file["data"].encode() + str(answer).encode()).decode()
            return {**part, "inlineData": {**file, "data": data}}
    return part


def settled(parts: list[Json]) -> list[Json]:
    """Parts without thoughts, empty texts, and the seams between unsigned texts; the skip value is no signature."""
    made: list[Json] = []
    for part in parts:
        if part.get("thought") or part == {"text": ""}:
            continue
        if part.get("thoughtSignature") == SKIP:
            part = {key: value for key, value in part.items() if key != "thoughtSignature"}
        if made and made[-1].keys() == part.keys() == {"text"}:
            made[-1] = {"text": made[-1]["text"] + part["text"]}
        else:
            made.append(part)
    return made


def is_hidden(part: Json) -> bool:
    """Whether a client cannot know the whole of a part: then the turn is kept."""
    return bool({"thoughtSignature", "functionCall", "toolCall", "toolResponse", "executableCode"} & part.keys())


def is_known_again(part: Json) -> bool:
    """Whether a turn can be found by it."""
    return bool(part.get("text", "").strip()) or "functionCall" in part or "inlineData" in part


def trimming(message: Json) -> Json:
    left = stock(message)
    return {**left, "content": left["content"].strip()} if isinstance(left["content"], str) else left


KEEPS: dict[str, Keep] = {**CLIENTS, "one that trims": trimming}


def ask(connection: http.client.HTTPConnection, body: Json, form: str) -> tuple[int, bytes]:
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json", "x-portico-image-form": form}
    connection.request("POST", PATH, json.dumps(body).encode(), headers)
    response = connection.getresponse()
    return response.status, response.read()


def replayed(
    connection: http.client.HTTPConnection, provider: Cut, keep: Keep, form: str, *, stream: bool
) -> list[Json] | None:
    """The parts of the model's turn that the next request shows Google; None where there was no answer to keep."""
    asked = chat("go", tools=TOOLS, stream=stream)
    status, body = ask(connection, asked, form)
    if status != 200:
        assert status == 502, body
        return None
    message = message_of(body, stream=stream)
    kept = keep(message) | ({"images": message["images"]} if "images" in message else {})
    kept.setdefault("content", message["content"])
    results = [{"role": "tool", "tool_call_id": one["id"], "content": "r"} for one in kept.get("tool_calls", ())]
    more = results or [{"role": "user", "content": "and?"}]
    provider.parts, provider.sizes, provider.cuts = [{"text": "done"}], [], []
    status, body = ask(connection, {**asked, "messages": [*asked["messages"], kept, *more]}, form)
    assert status == 200, body
    turns = [content["parts"] for content in provider.bodies[-1]["contents"] if content["role"] == "model"]
    return turns[0] if turns else []


def test_whatever_google_said_it_sees_again() -> None:
    provider, answers = Cut(), count(1)
    with (
        house_in_a_thread(provider) as house,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)) as connection,
    ):

        @settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(
            parts=PARTS,
            sizes=st.lists(st.integers(0, 3), max_size=6),
            cuts=st.lists(st.integers(0, 5000), max_size=4),
            stream=st.booleans(),
            client=st.sampled_from(sorted(KEEPS)),
            form=st.sampled_from(["images", "markdown", "parts"]),
        )
        @example(parts=BESIDE, sizes=[], cuts=[], stream=False, client="stock", form="images")
        def check(parts: list[Json], sizes: list[int], cuts: list[int], stream: bool, client: str, form: str) -> None:
            parts = numbered(parts, next(answers))
            provider.parts, provider.sizes, provider.cuts = parts, sizes, cuts
            turn = replayed(connection, provider, KEEPS[client], form, stream=stream)
            said = settled(parts)
            if turn is None or not any(map(is_known_again, said)):
                return
            if client != "one that trims" or any(map(is_hidden, said)):
                assert settled(turn) == said

        check()
