"""Laws of the Images API's bodies: any is understood or refused, and one that passes has its model changed and no more."""

import base64
import math
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.forms import Upload, form
from portico.catalog import load_catalog
from portico.core.errors import InvalidRequest, UpstreamError
from portico.core.pictures import size_of, size_of_base64
from portico.core.target import Target
from portico.dialects.gemini.pictures import nearest
from portico.dialects.gemini.request_render import render_request
from portico.dialects.openai_images import EDITS, GENERATIONS
from portico.dialects.openai_images.bodies import named, read_edit, renamed, says_twice
from portico.dialects.openai_images.passing import ask, parse_usage, see
from portico.wire import jsontext, multipart

QUIET = settings(deadline=None, max_examples=300, database=None)
FIELDS = (
    *(
        "model",
        "prompt",
        "n",
        "size",
        "quality",
        "response_format",
        "output_format",
        "output_compression",
        "background",
    ),
    *("stream", "partial_images", "style", "user", "image", "images", "mask", "svg", "odd"),
)
WORDS = ("gemini-3-pro-image", "a fox", "1024x1024", "auto", "high", "b64_json", "webp", "png", "true", "1", "0", "")
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((*FIELDS, "image_url")), inner, max_size=3)
    ),
    max_leaves=6,
)
bodies = st.dictionaries(st.sampled_from(FIELDS), anything, max_size=8) | anything
values = st.sampled_from(WORDS) | st.text(max_size=20) | st.binary(max_size=40) | st.binary(max_size=60).map(Upload)
forms = st.lists(st.tuples(st.sampled_from((*FIELDS, "image[]", "image[0]", "x[y]")), values), max_size=8)
TARGETS = [
    Target(model.name, "gemini", model.capabilities)
    for model in load_catalog().models.values()
    if model.vendor == "google" and "image" in model.capabilities.output_modalities
]


def refusal(work: Callable[[], Any]) -> InvalidRequest | None:
    """What is wrong, if anything is."""
    try:
        work()
    except InvalidRequest as error:
        return error
    return None


def understood(parse: Any, body: Any) -> None:
    """It is a request that every image model can be asked, or it is refused with the place of what is wrong."""
    if (wrong := refusal(lambda: parse(body))) is not None:
        assert wrong.param is not None
        assert wrong.param.startswith("$")
        return
    request = parse(body)
    for target in TARGETS:
        if (wrong := refusal(lambda: render_request(request, target))) is not None:  # noqa: B023 - called at once
            assert wrong.param == "$.background"
            continue
        rendered = render_request(request, target).body
        jsontext.encode(rendered)
        assert rendered["generationConfig"]["responseModalities"] == ["IMAGE"]


@given(bodies)
@QUIET
def test_any_json_is_understood_or_refused(body: Any) -> None:
    understood(GENERATIONS.parse_request, body)
    understood(EDITS.parse_request, body)


@given(forms)
@QUIET
def test_any_form_is_understood_or_refused(fields: list[tuple[str, Any]]) -> None:
    data = form(fields)
    if not fields:
        return
    if (wrong := refusal(lambda: read_edit(data))) is not None:
        assert wrong.param is not None
        return
    understood(EDITS.parse_request, read_edit(data))


@given(st.binary(max_size=200), forms, st.integers(0, 400), st.integers(0, 400))
@QUIET
def test_any_bytes_are_read_or_refused(noise: bytes, fields: list[tuple[str, Any]], at: int, gone: int) -> None:
    whole = form(fields)
    for data in (noise, whole[:at], whole[:at] + noise + whole[at + gone :]):
        for look in (named, read_edit, says_twice, ask):
            try:
                look(data)
            except InvalidRequest:
                pass
            except jsontext.NotJson:
                assert look is says_twice  # asked only of bodies that say a name


@given(forms, st.text("abc/-.é", min_size=1, max_size=30))
@QUIET
def test_a_renamed_form_differs_in_its_model_alone(fields: list[tuple[str, Any]], name: str) -> None:
    if not fields:
        return
    before = form(fields)
    after = renamed(before, name)
    told = [(one.name, one.filename, one.value(after)) for one in multipart.fields(after)]
    asked = [(one.name, one.filename, one.value(before)) for one in multipart.fields(before)]
    assert told == [(one, file, name.encode() if one == "model" else value) for one, file, value in asked]
    assert len(after) - len(before) == sum(
        [len(name.encode()) - len(value) for one, _, value in asked if one == "model"]
    )


@given(st.binary(max_size=300))
@example(b"\xff\xd8" + b"\xff" * 50)
@example(b"\xff\xd8\xff\xe0\x00\x00" * 20)
@example(b"\x89PNG\r\n\x1a\n")
@example(b"RIFF0000WEBPVP8X")
@QUIET
def test_a_picture_that_is_none_has_no_size(raw: bytes) -> None:
    for data in (raw, b"\xff\xd8" + raw, b"RIFF0000WEBPVP8 " + raw, b"GIF89a" + raw):
        found = size_of(data)
        assert found is None or all(0 <= side <= 2**32 for side in found)
        assert size_of_base64(base64.b64encode(data).decode()) == found
    assert size_of_base64(raw.decode("latin-1")) is None or raw


@given(st.integers(1, 16_384), st.integers(1, 16_384))
@QUIET
def test_the_nearest_shape_of_a_turned_picture_is_the_turned_shape(width: int, height: int) -> None:
    ratios = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9")
    upright, lying = nearest((width, height), ratios), nearest((height, width), ratios)

    def distance(ratio: str, size: tuple[int, int]) -> float:
        across, _, down = ratio.partition(":")
        return abs(math.log(int(across) / int(down)) - math.log(size[0] / size[1]))

    assert math.isclose(distance(upright, (width, height)), distance(lying, (height, width)), abs_tol=1e-9)
    assert all(distance(upright, (width, height)) <= distance(one, (width, height)) + 1e-9 for one in ratios)


@given(anything)
@QUIET
def test_any_usage_is_counts_or_none(wire: Any) -> None:
    usage = parse_usage(wire)
    assert usage is None or usage.input_total + usage.output_total > 0


@given(anything | st.dictionaries(st.sampled_from(("data", "usage", "error", "model")), anything))
@QUIET
def test_any_answer_is_seen_or_refused(value: Any) -> None:
    try:
        seen = see(jsontext.encode(value))
    except (UpstreamError, ValueError):
        return
    assert seen.pictures >= 0
