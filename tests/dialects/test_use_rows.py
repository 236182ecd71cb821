"""What the provider's own tools did is read alike of a whole answer, of a stream, and of either while it passes."""

from collections.abc import Mapping
from typing import Any

import pytest

from laws.corpus import Exchange, exchanges, files
from portico.core.assembly import assemble
from portico.core.dialect import Reading
from portico.core.events import UsageReported
from portico.core.response import Response
from portico.core.usage import Usage
from portico.dialects import gemini
from portico.dialects.gemini.passing import GeminiWatch, see
from portico.relay.fanout import FanIn, Lane, merged
from portico.wire import jsontext
from portico.wire.sse import Frame

COUNTED = {"promptTokenCount": 3, "totalTokenCount": 5, "candidatesTokenCount": 2}
BOX = {"searchEntryPoint": {"renderedContent": "<div/>"}}
WEB, MAPS, STORE = ({"groundingChunks": [{kind: {"uri": "https://a"}}]} for kind in ("web", "maps", "retrievedContext"))


def answer(candidate: Any, *, usage: Any = COUNTED) -> dict[str, Any]:
    return {"candidates": [{"index": 0, "finishReason": "STOP", **candidate}], "usageMetadata": usage}


def said(*parts: Any, **metadata: Any) -> dict[str, Any]:
    return {"content": {"role": "model", "parts": [*parts, {"text": "so"}]}, **metadata}


def called(kind: str, *queries: str) -> dict[str, Any]:
    return {"toolCall": {"toolType": kind, "args": {"queries": list(queries)}, "id": "a"}}


CASES = [
    (said(), {}),
    (said(groundingMetadata={}), {}),
    (said(groundingMetadata={**BOX, "webSearchQueries": ["a", "b"]}), {"web_search": 2}),
    (said(groundingMetadata={**BOX, **WEB, "webSearchQueries": ["", "b"]}), {"web_search": 1}),
    (said(groundingMetadata={"imageSearchQueries": ["b"]}), {"web_search": 1}),
    (said(groundingMetadata=WEB), {}),
    (said(groundingMetadata=WEB, urlContextMetadata={"urlMetadata": [{}, {}]}), {"url_context": 2}),
    (said(groundingMetadata={**MAPS, "webSearchQueries": ["pizza near me"]}), {"google_maps": 1}),
    (said(groundingMetadata=MAPS), {"google_maps": 1}),
    (said(groundingMetadata={**MAPS, **BOX, "webSearchQueries": ["a", "b"]}), {"google_maps": 1, "web_search": 2}),
    (said(groundingMetadata=STORE), {"file_search": 1}),
    (said({"executableCode": {"code": "1"}}, {"codeExecutionResult": {"output": "1"}}), {"code_execution": 1}),
    (said(called("GOOGLE_SEARCH_WEB", "a")), {"web_search": 1}),
    (said(called("GOOGLE_SEARCH_WEB", "a"), groundingMetadata={"webSearchQueries": ["", "a"]}), {"web_search": 1}),
    (said(called("URL_CONTEXT")), {"url_context": 1}),
    (said({"functionCall": {"name": "f"}}, {"functionResponse": {"name": "f", "response": {}}}), {"mcp": 1}),
]


def frames(body: Mapping[str, Any]) -> list[Frame]:
    return [Frame(jsontext.encode(body))]


def streamed(recorded: list[Frame]) -> Response:
    reader = gemini.DIALECT.reader(Reading(mint=lambda: "call_1"))
    return assemble([event for frame in recorded for event in reader.feed(frame)] + reader.close())


def watched(recorded: list[Frame]) -> Mapping[str, int]:
    watch = GeminiWatch("id")
    for frame in recorded:
        watch.feed(frame)
    return watch.seen().uses


@pytest.mark.parametrize(("candidate", "uses"), CASES)
def test_tools_of_the_provider_are_counted(candidate: Any, uses: dict[str, int]) -> None:
    body = answer(candidate)
    assert gemini.DIALECT.parse_response(body, Reading(mint=lambda: "call_1")).uses == uses
    assert see(jsontext.encode(body)).uses == uses
    assert streamed(frames(body)).uses == uses
    assert watched(frames(body)) == uses


def test_pieces_of_the_queries_are_joined_and_repeated_lists_are_not() -> None:
    first = answer(said(groundingMetadata={**BOX, "webSearchQueries": ["a"]}))
    more = answer(said(groundingMetadata={"webSearchQueries": ["b"]}))
    for recorded, queries in ((frames(first) + frames(more), 2), (frames(first) + frames(first), 1)):
        assert streamed(recorded).uses == {"web_search": queries}
        assert watched(recorded) == {"web_search": queries}


def test_sources_told_after_the_last_count_are_counted() -> None:
    late = answer(said(groundingMetadata={**BOX, "webSearchQueries": ["a"]}), usage=None)
    assert streamed(frames(answer(said())) + frames(late)).uses == {"web_search": 1}


@pytest.mark.parametrize("metadata", [7, "x", [1], {"webSearchQueries": 7}, {"groundingChunks": [7, {"web": 7}]}])
def test_malformed_sources_count_nothing(metadata: Any) -> None:
    body = answer(said(urlContextMetadata={}, groundingMetadata=metadata))
    assert see(jsontext.encode(body)).uses == {}
    assert watched(frames(body)) == {}


def test_content_of_another_shape_passes_and_its_end_is_seen() -> None:
    watch = GeminiWatch("id")
    watch.feed(frames({"candidates": [{"content": ["odd"]}], "usageMetadata": COUNTED})[0])
    watch.feed(frames({"candidates": [{"content": "odd", "finishReason": "STOP"}]})[0])
    watch.close()
    assert watch.seen().usage == Usage(input_uncached={"text": 3}, output_visible={"text": 2})


def test_uses_of_several_lanes_are_summed() -> None:
    usage, lanes = Usage(input_uncached={"text": 1}), [Lane(0, 1), Lane(1, 1)]
    told = [UsageReported(usage, None, {"web_search": 2}), UsageReported(usage, None, {"web_search": 3})]
    fan = FanIn(2)
    last = [one for lane, report in zip(lanes, told, strict=True) for one in fan.feed(lane, report)][-1]
    assert isinstance(last, UsageReported)
    assert last.uses == {"web_search": 5}
    answers = [Response(None, None, (), usage, uses=event.uses) for event in told]
    assert merged(zip(lanes, answers, strict=True)).uses == {"web_search": 5}


def test_vertex_tells_the_tier_as_a_kind_of_traffic() -> None:
    for traffic, tier in (("ON_DEMAND", None), ("ON_DEMAND_FLEX", "flex"), ("PROVISIONED_THROUGHPUT", None)):
        assert see(jsontext.encode(answer(said(), usage={**COUNTED, "trafficType": traffic}))).service_tier == tier


def recorded_answers() -> list[Exchange]:
    found = [one for path in files() for one in exchanges(path) if one.dialect is gemini.DIALECT and one.trusted]
    return [one for one in found if one.status == 200]


@pytest.mark.skipif(not files(), reason="no recordings")
def test_every_recorded_answer_tells_the_same_uses_while_it_passes() -> None:
    with_uses = 0
    for one in recorded_answers():
        if one.frames is not None:
            read, passed = streamed(one.frames).uses, watched(one.frames)
        else:
            read = gemini.DIALECT.parse_response(one.body, one.reading()).uses
            passed = see(jsontext.encode(one.body)).uses
        assert read == passed, one.id
        with_uses += bool(read)
    assert with_uses > 40
