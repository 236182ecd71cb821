"""The tools that run on Google's side, and what they leave in an answer.

Facts kept from recorded traffic. A search shows in groundingMetadata alone, unless generation 3 was asked to circulate tool
context on the Gemini API: then toolCall and toolResponse parts precede the answer. Code always shows as parts; files of 2.5
show the query as code without a result. Pages and code cost toolUse tokens; so do searches of 2.5, but not of 2.0 or 3.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from portico.simulator import execution, grounding, tokens
from portico.simulator.calling import mint
from portico.simulator.faults import Wishes
from portico.simulator.grounding import Evidence
from portico.simulator.models import Model
from portico.simulator.refusal import Json
from portico.simulator.turns import Turn, current

_SEARCHES = {"googleSearch", "googleSearchRetrieval", "enterpriseWebSearch", "parallelAiSearch", "exaAiSearch"}
_GROUNDERS = {*_SEARCHES, "googleMaps", "fileSearch", "urlContext"}
_SEARCHY = re.compile(
    r"\b(?:search\w*|web|internet|online|look(?:ing)? up|latest|news|google|maps?|files?|https?)\b", re.IGNORECASE
)
_CODY = re.compile(r"\b(?:code|python|comput\w+|calculat\w+|plots?|charts?|run|execute)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Round:
    """One run of a tool: the part the model wrote, and the parts that came back.

    `counted`: the tokens of what it wrote stay in the count.
    """

    asked: Json
    results: tuple[Json, ...] = ()
    counted: bool = False

    @property
    def cost(self) -> int:
        return tokens.of(self.asked)


@dataclass(frozen=True)
class Work:
    """What the tools did for one answer. `searched`: one ran, shown or not."""

    rounds: tuple[Round, ...] = ()
    evidence: Evidence | None = None
    """None where no tool that grounds was offered."""
    urls: Json | None = None
    tool_tokens: int = 0
    lines: tuple[str, ...] = ()
    searched: bool = False
    after_calls: bool = False
    """The rounds follow the function calls of the same answer."""
    uncounted: bool = False
    """Recorded: circulation leaves candidatesTokenCount out where JSON or a call follows."""

    @property
    def circulated(self) -> int:
        """How many toolCall and toolResponse parts there are."""
        parts = [part for one in self.rounds for part in (one.asked, *one.results)]
        return sum("toolCall" in part or "toolResponse" in part for part in parts)


@dataclass(frozen=True)
class Desk:
    """What is known while the tools work."""

    request: Json
    model: Model
    vertex: bool
    asked: Wishes
    conversation: Sequence[Turn]
    dice: Random

    @property
    def circulates(self) -> bool:
        config = self.request.get("toolConfig", {})
        return bool(self.model.modern and not self.vertex and config.get("includeServerSideToolInvocations"))

    @property
    def offered(self) -> dict[str, Json]:
        """The built-in tools of the request, with their settings."""
        return {key: value for tool in self.request.get("tools", []) for key, value in tool.items()}


def work(desk: Desk, calls: Sequence[Json]) -> Work:
    """What the built-in tools of the request do before, or beside, these function calls."""
    offered = desk.offered
    done = Work(evidence=Evidence() if offered.keys() & _GROUNDERS else None)
    words = desk.asked.words
    if "ungrounded" not in desk.asked and (not calls or (desk.circulates and _SEARCHY.search(words))):
        if offered.keys() & _SEARCHES:
            done = _searched(done, desk)
        if "googleMaps" in offered:
            found = grounding.places(words, desk.dice)
            done = _found(done, desk, found, "GOOGLE_MAPS", {"queries": list(found.queries)}, 120)
        if "fileSearch" in offered:
            done = _files(done, desk, offered["fileSearch"])
        if "urlContext" in offered:
            found, urls, read = grounding.pages(words)
            if urls:
                fetched = [one["retrievedUrl"] for one in urls["urlMetadata"]]
                done = replace(_found(done, desk, found, "URL_CONTEXT", {"urls": fetched}, read), urls=urls)
    if "codeExecution" in offered and (not calls or _CODY.search(words)):
        done = _executed(done, desk)
    structured = desk.request.get("generationConfig", {}).get("responseMimeType") == "application/json"
    return replace(
        done,
        uncounted=bool(done.circulated and (calls or structured)),
        after_calls=bool(done.circulated and calls and desk.dice.random() < 0.5),
    )


def _searched(done: Work, desk: Desk) -> Work:
    modern, count = desk.model.modern, max(1, int(desk.asked.number("sources", 3)))
    found = grounding.search(desk.asked.words, desk.dice, modern=modern, count=count)
    queries = [query for query in found.queries if query]
    cost = 40 + 30 * len(queries) if desk.model.generation == (2, 5) else 0
    response = {"search_suggestions": found.page}
    return _found(done, desk, found, "GOOGLE_SEARCH_WEB", {"queries": queries}, cost, response)


def _files(done: Work, desk: Desk, settings: Json) -> Work:
    found = grounding.files(settings.get("fileSearchStoreNames", []), desk.asked.words)
    query = " ".join(desk.asked.words.split()[:8])
    done = _found(done, desk, found, "FILE_SEARCH", {"query": query}, 250)
    if desk.model.modern:
        return done
    code = f"print(file_search.query(query={query!r}))\n"
    return replace(
        done, rounds=(*done.rounds, Round({"executableCode": {"language": "PYTHON", "code": code}}, (), True))
    )


def _found(
    done: Work, desk: Desk, found: Evidence, tool: str, arguments: Json, cost: int, response: Json | None = None
) -> Work:
    """The work so far, and this; where context circulates, also as the parts of a round."""
    rounds = done.rounds
    before = [part for turn in current(desk.conversation) if turn.model for part in turn.having("toolResponse")]
    if desk.circulates and not before:
        name: Json = {"toolType": tool, "id": mint(desk.dice)}
        asked = {"toolCall": name | {"args": arguments}}
        rounds += (Round(asked, ({"toolResponse": name | {"response": response or {}}},)),)
    return replace(
        done,
        rounds=rounds,
        evidence=(done.evidence or Evidence()) + found,
        lines=done.lines + found.lines,
        tool_tokens=done.tool_tokens + cost,
        searched=True,
    )


def _executed(done: Work, desk: Desk) -> Work:
    made = execution.run(desk.asked.words, desk.dice, fails="code-fails" in desk.asked)
    name = {"id": mint(desk.dice)} if desk.model.modern else {}
    result: Json = name | {"outcome": "OUTCOME_FAILED" if made.failed else "OUTCOME_OK"}
    if made.output:
        result["output"] = made.output
    results: list[Json] = [{"codeExecutionResult": result}]
    if made.chart is not None:
        results.append({"inlineData": made.chart})
    shown = made.output.strip().rpartition("\n")[2][:200]
    line = "The code drew a chart." if made.chart else f"The code {'failed' if made.failed else 'printed'}: {shown}"
    code = {"executableCode": name | {"language": "PYTHON", "code": made.code}}
    return replace(
        done,
        rounds=(*done.rounds, Round(code, tuple(results), counted=True)),
        lines=(*done.lines, line),
        tool_tokens=done.tool_tokens + 40 + tokens.count(made.code) + tokens.count(made.output),
        searched=True,
    )
