"""What holds of any schema that is put into one of Google's forms (mapping.md 1.11)."""

import copy
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portico.core.errors import InvalidRequest
from portico.core.loss import Loss
from portico.core.target import Target
from portico.dialects.gemini.json_form import to_json_schema_form
from portico.dialects.gemini.lower import to_openapi_subset
from portico.simulator import grammar, subset
from properties.asking import CHAT, GEMINI, posted, target
from properties.chat_requests import AIMS
from properties.schemas import Draw, Endless, Json, fits, tries

SEEDS = st.integers(0, 2**32)
LAW = settings(
    deadline=None,
    derandomize=True,
    max_examples=500,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # a smaller seed is no smaller schema
    suppress_health_check=list(HealthCheck),
)
PATH = "$.tools[0].function.parameters"
Form = Callable[..., tuple[Any, list[Loss]]]
FORMS = pytest.mark.parametrize("form", [to_openapi_subset, to_json_schema_form])
TOOL = pytest.mark.parametrize("tool", [False, True])


def made_of(form: Form, schema: Json, *, tool: bool = False) -> tuple[Any, list[Loss]] | None:
    """A schema in a form, and what it does not enforce; None where it is refused, with a path into the caller's body."""
    try:
        return form(schema, PATH, tool=tool)
    except InvalidRequest as error:
        path = error.param or ""
    assert path.startswith(PATH)
    return None


def judged(value: Any, schema: Any, root: Any) -> bool | None:
    """Whether a value fits; None where the schema refers to itself without end."""
    try:
        return fits(value, schema, root)
    except Endless:
        return None


@TOOL
@LAW
@given(seed=SEEDS)
def test_the_subset_holds_only_what_google_knows_where_google_wants_it(tool: bool, seed: int) -> None:
    made = made_of(to_openapi_subset, Draw(seed).whole(), tool=tool)
    if made is None or made[0] is None:
        return
    node = grammar.read("Schema", made[0], vertex=False)
    subset.check(node, "it", vertex=False, lenient=False)
    assert not tool or node["type"] == "OBJECT"
    _any_of_is_alone(made[0])


def _any_of_is_alone(node: Json) -> None:
    assert "anyOf" not in node or node.keys() == {"anyOf"}
    for inner in (*node.get("anyOf", ()), *node.get("properties", {}).values()):
        _any_of_is_alone(inner)
    if "items" in node:
        _any_of_is_alone(node["items"])


@TOOL
@LAW
@given(seed=SEEDS)
def test_the_json_form_is_one_that_google_can_follow(tool: bool, seed: int) -> None:
    made = made_of(to_json_schema_form, Draw(seed).whole(), tool=tool)
    if made is not None:
        subset.check_json_schema(made[0], "it", tool=tool)


@TOOL
@LAW
@given(seed=SEEDS)
def test_lowering_what_is_lowered_changes_nothing(tool: bool, seed: int) -> None:
    made = made_of(to_openapi_subset, Draw(seed).whole(), tool=tool)
    if made is not None and made[0] is not None:
        assert to_openapi_subset(made[0], PATH, tool=tool)[0] == made[0]


@TOOL
@LAW
@given(seed=SEEDS)
def test_a_schema_in_googles_json_form_stays_the_same_object(tool: bool, seed: int) -> None:
    made = made_of(to_json_schema_form, Draw(seed).whole(), tool=tool)
    if made is not None:
        again, losses = to_json_schema_form(made[0], PATH, tool=tool)
        assert again is made[0]
        assert losses == []


@FORMS
@LAW
@given(seed=SEEDS)
def test_the_callers_schema_is_never_changed(form: Form, seed: int) -> None:
    schema = Draw(seed).whole()
    before = copy.deepcopy(schema)
    made_of(form, schema)
    made_of(form, schema, tool=True)
    assert schema == before


@FORMS
@LAW
@given(seed=SEEDS)
def test_what_is_not_noted_is_enforced_and_nothing_more(form: Form, seed: int) -> None:
    draw = Draw(seed)
    schema = draw.whole()
    made = made_of(form, schema)
    if made is None or made[0] is None or made[1]:
        return
    # The subset knows no others than the named properties: it is never told to refuse them.
    exact = form is to_json_schema_form or "additionalProperties" not in repr(schema)
    for value in tries(schema, [draw.value() for _ in range(6)]):
        was, is_ = judged(value, schema, schema), judged(value, made[0], made[0])
        if was is not None and is_ is not None:
            assert is_ or not was, f"{value!r} fits {schema}, and not {made[0]}"
            assert was or not is_ or not exact, f"{value!r} fits {made[0]}, and not {schema}"


@LAW
@given(seed=SEEDS)
def test_the_json_form_never_refuses_what_the_caller_allows(seed: int) -> None:
    draw = Draw(seed)
    schema = draw.whole()
    made = made_of(to_json_schema_form, schema)
    if made is None:
        return
    for value in tries(schema, [draw.value() for _ in range(6)]):
        if judged(value, schema, schema):
            assert judged(value, _as_google_reads_it(made[0]), made[0]) is not False, f"{value!r}: {schema}, {made[0]}"


def _as_google_reads_it(node: Any) -> Any:
    """`oneOf` is treated as `anyOf`."""
    if isinstance(node, list):
        return [_as_google_reads_it(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    read = {key: _as_google_reads_it(inner) for key, inner in node.items()}
    if isinstance(read.get("oneOf"), list):
        one_of = {"anyOf": read.pop("oneOf")}
        read = {"allOf": [*read.pop("allOf", []), one_of], **read}
    return read


@FORMS
@LAW
@given(seed=SEEDS)
def test_every_note_points_into_the_callers_schema(form: Form, seed: int) -> None:
    schema = Draw(seed).whole()
    made = made_of(form, schema)
    for loss in made[1] if made else ():
        assert loss.code == "1.11:schema"
        assert loss.path.startswith(PATH)
        assert _leads_somewhere(schema, loss.path.removeprefix(PATH)), f"{loss.path} in {schema}"


def _leads_somewhere(node: Any, rest: str) -> bool:
    """Whether a path exists; names may hold anything, so every way to read it is tried."""
    if not rest:
        return True
    if isinstance(node, dict):
        found = [(inner, rest[len(key) + 1 :]) for key, inner in node.items() if rest.startswith(f".{key}")]
        return any(_leads_somewhere(inner, more) for inner, more in found)
    if isinstance(node, list) and rest.startswith("["):
        number, _, more = rest[1:].partition("]")
        return _leads_somewhere(node[int(number)], more)
    return False


@FORMS
@TOOL
@LAW
@given(seed=SEEDS)
def test_a_schema_that_is_none_is_refused_with_its_path_and_nothing_else_happens(
    form: Form, tool: bool, seed: int
) -> None:
    draw = Draw(seed)
    schema = copy.deepcopy(draw.whole())
    for _ in range(draw.dice.randint(1, 3)):
        _spoil(schema, draw)
    made_of(form, schema, tool=tool)


@pytest.mark.parametrize("modern", [True, False], ids=["JSON form", "subset"])
@LAW
@given(seed=SEEDS)
def test_a_request_with_any_schemas_is_accepted(modern: bool, seed: int) -> None:
    """By the strict stand-in for Google, in whichever form the model knows."""
    draw = Draw(seed)
    aim = AIMS[0]
    functions = [{"name": f"f{i}", "parameters": draw.whole()} for i in range(draw.dice.randint(0, 2))]
    body: Json = {"model": aim.model, "messages": [{"role": "user", "content": "hi"}]}
    if functions:
        body["tools"] = [{"type": "function", "function": one} for one in functions]
    body["response_format"] = {"type": "json_schema", "json_schema": {"name": "x", "schema": draw.whole()}}
    able = msgspec.structs.replace(target(aim).capabilities, json_schema_form=modern)
    try:
        made = GEMINI.render_request(CHAT.parse_request(body), Target(aim.model, aim.kind, able)).body
    except InvalidRequest:
        return
    answer = posted(aim, made)
    assert answer.status == 200, bytes(answer.data).decode()


JUNK: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**30, "", "x", "9" * 5000, "#/a", "#x", "http://a/b#", "#/%zz", "²"),
    *([], [[]], [None], [1], [{}], ["a", 1], {}, {"a": 1}, {"$ref": 1}, {"a": {"b": []}}),
]
KEYWORDS = [
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "items",
    "anyOf",
    "allOf",
    "$ref",
    "$defs",
    "definitions",
    "format",
    "nullable",
    "additionalProperties",
    "prefixItems",
    "minItems",
    "multipleOf",
    "exclusiveMinimum",
    "description",
    "title",
    "$id",
    "$anchor",
    "not",
    "contains",
    "patternProperties",
    "propertyOrdering",
    "dependentSchemas",
    "minimum",
    "pattern",
]


def _spoil(node: Any, draw: Draw) -> None:
    """Puts something wrong somewhere."""
    if isinstance(node, dict) and node:
        name = draw.dice.choice(sorted(node))
        if draw.often(0.4):
            node[name] = copy.deepcopy(draw.dice.choice(JUNK))
        elif draw.often(0.1):
            node[draw.dice.choice(KEYWORDS)] = copy.deepcopy(draw.dice.choice(JUNK))
        else:
            _spoil(node[name], draw)
    elif isinstance(node, list) and node:
        number = draw.dice.randrange(len(node))
        if draw.often(0.3):
            node[number] = copy.deepcopy(draw.dice.choice(JUNK))
        else:
            _spoil(node[number], draw)
