"""A plausible user of tools: it calls what the prompt asks for, with what the prompt says, and tells what came back."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.simulator import Simulator
from portico.simulator.literals import Hints, read
from portico.simulator.schema import make
from simulator.sim_memory import Json, answer, parts, results, stream, text, user

MODELS = ("gemini-3.5-flash", "gemini-2.5-flash", "gemini-2.0-flash")
TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
REAL: Json = {"type": "number"}
BOOL: Json = {"type": "boolean"}


def tool(name: str, required: int | None = None, /, **properties: Json) -> Json:
    names = list(properties)
    schema = {"type": "object", "properties": properties, "required": names[:required]}
    return {"name": name, "parametersJsonSchema": schema}


def asking(words: str, *declared: Json, mode: str = "AUTO", **config: Any) -> Json:
    calling = {"functionCallingConfig": {"mode": mode}}
    return user(words, **config) | {"tools": [{"functionDeclarations": list(declared)}], "toolConfig": calling}


def calls(*answers: Json) -> list[tuple[str, Json]]:
    found = [part["functionCall"] for one in answers for part in parts(one) if "functionCall" in part]
    return [(call["name"], call["args"]) for call in found]


WEATHER = tool("get_weather", location=TEXT)
CASES: list[tuple[str, list[Json], list[tuple[str, Json]]]] = [
    (
        "What is the value of square_root(3)? Use the tool.",
        [tool("square_root", input=WHOLE)],
        [("square_root", {"input": 3})],
    ),
    ("Value of roll_dice()? Use the tool.", [tool("roll_dice")], [("roll_dice", {})]),
    ("plan('Ulm', days=3)", [tool("plan", city=TEXT, days=WHOLE)], [("plan", {"city": "Ulm", "days": 3})]),
    ("Weather in San Francisco, CA?", [WEATHER], [("get_weather", {"location": "San Francisco, CA"})]),
    ("What is the weather in Paris, France?", [WEATHER], [("get_weather", {"location": "Paris, France"})]),
    ("the weather in oslo please", [WEATHER], [("get_weather", {"location": "oslo"})]),
    ("What is 3 + 4?", [tool("adder", a=WHOLE, b=WHOLE)], [("adder", {"a": 3, "b": 4})]),
    ("Subtract -5 from 2.5", [tool("minus", a=REAL, b=REAL)], [("minus", {"a": -5, "b": 2.5})]),
    (
        "What is 25 * 4 + 10? Use it.",
        [tool("calculator", expression=TEXT)],
        [("calculator", {"expression": "25 * 4 + 10"})],
    ),
    (
        "Create a customer named '你好啊集团', a technology company",
        [tool("new_customer", 1, customer_name=TEXT, vip=BOOL)],
        [("new_customer", {"customer_name": "你好啊集团"})],
    ),
    (
        "Plan a trip to Zürich for 3 days, budget: 1200.50, vegetarian = yes",
        [tool("plan_trip", 1, city=TEXT, days=WHOLE, budget=REAL, vegetarian=BOOL, notes=TEXT)],
        [("plan_trip", {"city": "Zürich", "days": 3, "budget": 1200.5, "vegetarian": True})],
    ),
    (
        "Call get_weather for Lisbon in celsius",
        [tool("get_weather", 1, location=TEXT, unit={"type": "string", "enum": ["fahrenheit", "celsius"]})],
        [("get_weather", {"location": "Lisbon", "unit": "celsius"})],
    ),
    (
        "Send mail to bob@example.com on 2026-03-04 about “lunch”",
        [tool("send_mail", to=TEXT | {"format": "email"}, date=TEXT | {"format": "date"}, subject=TEXT)],
        [("send_mail", {"to": "bob@example.com", "date": "2026-03-04", "subject": "lunch"})],
    ),
    (
        "Sum the numbers 3, 5 and 8",
        [tool("sum_numbers", numbers={"type": "array", "items": WHOLE})],
        [("sum_numbers", {"numbers": [3, 5, 8]})],
    ),
    ("Search news on Mars", [tool("web_search", query=TEXT)], [("web_search", {"query": "Search news on Mars"})]),
    (
        "What's the weather in Paris, London and Rome?",
        [WEATHER],
        [
            ("get_weather", {"location": "Paris"}),
            ("get_weather", {"location": "London"}),
            ("get_weather", {"location": "Rome"}),
        ],
    ),
    (
        "weather in Paris and then the weather in Rome",
        [WEATHER],
        [("get_weather", {"location": "Paris"}), ("get_weather", {"location": "Rome"})],
    ),
    ("f(3), then f(4)", [tool("f", input=WHOLE)], [("f", {"input": 3}), ("f", {"input": 4})]),
    (
        "Time and weather in Paris?",
        [tool("get_time", city=TEXT), WEATHER],
        [("get_time", {"city": "Paris"}), ("get_weather", {"location": "Paris"})],
    ),
    (
        "Call exec with input: `text(await run({cmd: \"echo 'hi' > a.txt\"}))`",
        [tool("exec", input=TEXT)],
        [("exec", {"input": "text(await run({cmd: \"echo 'hi' > a.txt\"}))"})],
    ),
    (
        'Call apply_patch with input:\n```\n*** Begin\n+ "one"\n*** End\n```',
        [tool("apply_patch", input=TEXT)],
        [("apply_patch", {"input": '*** Begin\n+ "one"\n*** End'})],
    ),
    ("Order 12345, is it there?", [tool("get_order", order_id=TEXT)], [("get_order", {"order_id": "12345"})]),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("words", "declared", "wanted"), CASES)
async def test_it_calls_what_the_prompt_asks_for(
    model: str, words: str, declared: list[Json], wanted: list[tuple[str, Json]]
) -> None:
    body = asking(words, *declared)
    assert calls(await answer(Simulator(), model, body)) == wanted
    assert calls(*(await stream(Simulator(), model, body)).events()) == wanted


@pytest.mark.parametrize("mode", ["ANY", "AUTO"])
async def test_a_forced_call_comes_though_nothing_was_asked(mode: str) -> None:
    made = calls(await answer(Simulator(), MODELS[0], asking("Hello!", WEATHER, tool("adder", a=WHOLE), mode=mode)))
    assert len(made) == (1 if mode == "ANY" else 0)


async def test_the_tool_a_prompt_speaks_of_is_the_one_that_is_forced() -> None:
    for declared in ([WEATHER, tool("adder", a=WHOLE)], [tool("adder", a=WHOLE), WEATHER]):
        made = calls(await answer(Simulator(), MODELS[0], asking("How is the weather?", *declared, mode="ANY")))
        assert [name for name, _ in made] == ["get_weather"]


async def test_what_came_back_is_told_and_nothing_more_is_called() -> None:
    body = asking("What is the weather in Oslo?", WEATHER)
    first = await answer(Simulator(), MODELS[0], body)
    result = {"functionResponse": {"name": "get_weather", "response": {"output": "It's snowing: -3 °C."}}}
    body["contents"] += [first["candidates"][0]["content"], {"role": "user", "parts": [result]}]
    made = await answer(Simulator(), MODELS[0], body)
    assert calls(made) == []
    assert "It's snowing: -3 °C." in text([made])


async def test_words_that_an_agent_adds_behind_results_are_no_new_question() -> None:
    """OpenClaw adds what of its sessions is active, with the tool's name in it: it was called for ever."""
    body = asking("Run `ls` with exec.", tool("exec", command=TEXT))
    added = {"role": "user", "parts": [{"text": "Active exec sessions: none. Use exec to start one."}]}
    first = await answer(Simulator(), MODELS[0], body)
    assert [name for name, _ in calls(first)] == ["exec"]
    body["contents"] += [first["candidates"][0]["content"], results(first), added]
    told = await answer(Simulator(), MODELS[0], body)
    assert calls(told) == []
    body["contents"] += [told["candidates"][0]["content"], {"role": "user", "parts": [{"text": "Run exec once more."}]}]
    assert [name for name, _ in calls(await answer(Simulator(), MODELS[0], body))] == ["exec"]


FENCES = (
    "<<<BEGIN_CONTEXT_OF_OURS>>>\nActive exec sessions:\nnone\n<<<END_CONTEXT_OF_OURS>>>",
    "<system-reminder>\nexec is there to be used.\n</system-reminder>",
    "<environment_details>exec was not used</environment_details>",
)


@pytest.mark.parametrize("fenced", FENCES)
async def test_what_an_agent_fences_off_asks_nothing(fenced: str) -> None:
    """OpenClaw, Claude Code, Cline: such a block stands beside the prompt, and behind the results of tools."""
    write, run = tool("write", path=TEXT), tool("exec", command=TEXT)
    body = asking("Use write with path='a.txt'.", write, run)
    body["contents"].append({"role": "user", "parts": [{"text": fenced}]})
    first = await answer(Simulator(), MODELS[0], body)
    assert calls(first) == [("write", {"path": "a.txt"})]
    behind = {"role": "user", "parts": [{"text": fenced}]}
    body["contents"] += [first["candidates"][0]["content"], results(first), behind]
    told = await answer(Simulator(), MODELS[0], body)
    assert calls(told) == []
    assert "Done: write returned" in text([told])


@pytest.mark.parametrize("fenced", FENCES)
async def test_markers_are_heard_beside_what_an_agent_adds(fenced: str) -> None:
    body = asking("Answer. [[sim:words=3]]", tool("exec", command=TEXT), WEATHER)
    body["contents"].append({"role": "user", "parts": [{"text": fenced}]})
    assert text([await answer(Simulator(), MODELS[0], body)]) == "[simulated] word0 word1 word2"


async def test_as_many_rounds_of_calls_come_as_were_asked_for_whatever_an_agent_adds() -> None:
    body = asking("Look. [[sim:steps=2]]", tool("exec", command=TEXT))
    rounds = 0
    while calls(made := await answer(Simulator(), MODELS[0], body)):
        rounds += 1
        assert rounds < 5
        body["contents"] += [
            made["candidates"][0]["content"],
            results(made),
            {"role": "user", "parts": [{"text": FENCES[0]}]},
        ]
    assert rounds == 2


async def test_a_picture_is_acknowledged() -> None:
    body = user("What is this?")
    body["contents"][0]["parts"].append({"inlineData": {"mimeType": "image/png", "data": "aGk="}})
    assert "image/png" in text([await answer(Simulator(), MODELS[0], body)])


async def test_tokens_grow_with_the_prompt() -> None:
    counts = [
        (await answer(Simulator(), MODELS[0], user("word " * number)))["usageMetadata"]["promptTokenCount"]
        for number in (1, 10, 100)
    ]
    assert counts == sorted(set(counts))


# -- structured answers -----------------------------------------------------------------------------------------------

_PERSON: Json = {
    "type": "object",
    "properties": {"name": TEXT, "age": WHOLE, "city": TEXT, "mood": {"type": "string", "enum": ["glad", "sad"]}},
    "required": ["name", "age", "city", "mood"],
}
_CITIES: Json = {
    "type": "object",
    "properties": {
        "cities": {"type": "array", "items": {"type": "object", "properties": {"n": TEXT}, "required": ["n"]}}
    },
    "required": ["cities"],
}
STRUCTURED: list[tuple[str, Json, Json]] = [
    (
        "Anna Schmidt is 30 years old, sad, and lives in Zürich.",
        _PERSON,
        {"name": "Anna Schmidt", "age": 30, "city": "Zürich", "mood": "sad"},
    ),
    ("List Paris, Rome and Oslo", _CITIES, {"cities": [{"n": "Paris"}, {"n": "Rome"}, {"n": "Oslo"}]}),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("words", "schema", "wanted"), STRUCTURED)
async def test_a_structured_answer_holds_what_the_prompt_says(
    model: str, words: str, schema: Json, wanted: Json
) -> None:
    for form in ("responseJsonSchema", "responseSchema"):
        body = user(words, responseMimeType="application/json", **{form: schema})
        assert json.loads(text([await answer(Simulator(), model, body)])) == wanted
        assert json.loads(text((await stream(Simulator(), model, body)).events())) == wanted


async def test_json_without_a_schema_has_the_keys_the_prompt_names() -> None:
    words = "A joke about cats. Return a JSON with 'setup' and \"punchline\" keys. Return nothing other than JSON."
    made = json.loads(text([await answer(Simulator(), MODELS[0], user(words, responseMimeType="application/json"))]))
    assert list(made) == ["setup", "punchline"]
    assert all(isinstance(value, str) and value for value in made.values())


async def test_a_schema_in_words_is_followed_where_there_is_no_json_mode() -> None:
    body = user("Anna Schmidt is 30 and glad, in Zürich.")
    body["systemInstruction"] = {"parts": [{"text": f"Answer with JSON that fits {json.dumps(_PERSON)}, no more."}]}
    made = json.loads(text([await answer(Simulator(), MODELS[1], body)]))
    assert made == {"name": "Anna Schmidt", "age": 30, "city": "Zürich", "mood": "glad"}


# -- literals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "quoted", "numbers", "names"),
    [
        ("I don't know what's 'it', nor \"this one\"", ("it", "this one"), (), ()),
        ("3rd of 12, 1.5kg, v2, -4 and 3-5", (), (12, -4, 3, 5), ()),
        ("Tell Anna Schmidt and Bob. Use JSON. I am in New York, NY", (), (), ("Anna Schmidt", "Bob", "New York, NY")),
        ("Say «Grüß Gott» to `x_y`", ("Grüß Gott", "x_y"), (), ()),
    ],
)
def test_literals_are_found(
    words: str, quoted: tuple[str, ...], numbers: tuple[float, ...], names: tuple[str, ...]
) -> None:
    found = read(words)
    assert (found.quoted, found.numbers, found.names) == (quoted, numbers, names)


_WORDS = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            ["'", '"', "=", ":", "f(", ")", ",", "and", "Oslo", "3", "-", "1e999", "NaN", "name", "a", "is"]
        ),
    ),
    max_size=30,
).map(" ".join)
_NODES = st.sampled_from(
    [TEXT, WHOLE, REAL, BOOL, {"type": "array", "items": TEXT}, {"type": "string", "maxLength": 3}]
)
_TYPES = {"string": str, "integer": int, "number": int | float, "boolean": bool, "array": list}


@settings(deadline=None, max_examples=300)
@given(
    words=_WORDS, nodes=st.dictionaries(st.one_of(st.sampled_from(["name", "a", "is"]), st.text(max_size=4)), _NODES)
)
def test_whatever_a_prompt_says_the_value_fits(words: str, nodes: dict[str, Json]) -> None:
    offered = read(words)
    schema = {"type": "object", "properties": nodes, "required": list(nodes)}
    bound = (offered.written("f", list(nodes)) or [{}])[0]
    made = make(schema, Random(0), hints=Hints(offered, bound), sparse=True)
    assert list(made) == list(nodes)
    for name, node in nodes.items():
        assert isinstance(made[name], _TYPES[node["type"]])
        assert "maxLength" not in node or len(made[name]) <= 3
    json.dumps(made, allow_nan=False)
