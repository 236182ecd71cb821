"""What other dialects ask for is asked of Claude in a body that Anthropic takes: the strict simulator has the last word."""

import asyncio
from pathlib import Path

import pytest

from laws.corpus import Exchange, files
from laws.judge import Law, NotThisShape, Skip, hold
from portico.catalog import load_catalog
from portico.core.errors import InvalidRequest, PorticoError
from portico.core.target import Target
from portico.dialects import anthropic_messages
from portico.simulator import Simulator
from portico.wire import jsontext
from simulator.sim_anthropic import HEADERS, MESSAGES
from simulator.sim_memory import exchange as asked

ELSEWHERE = {
    "ids were found without `tool_result` blocks": "a call has no result, which Google lets pass",
    "unexpected `tool_use_id` found": "the call of a result is in an answer that only the provider keeps",
    "input_schema": "the types of a schema are numbers, which only Google knows",
}
"""What Anthropic says of it -> why nothing can be done about it here."""


def taken_by(name: str) -> Law:
    target = Target(name, "anthropic", load_catalog().capabilities_for(name, "anthropic"))
    simulator = Simulator()

    def law(exchange: Exchange) -> None:
        if exchange.kind == "anthropic" or exchange.status != 200:
            raise NotThisShape
        try:
            request = exchange.dialect.parse_request(exchange.request, model=exchange.model)
        except PorticoError:
            raise NotThisShape from None
        try:
            body = anthropic_messages.DIALECT.render_request(request, target).body
        except InvalidRequest as error:
            if error.message.startswith("Claude takes no files"):
                return  # what cannot be carried is refused, and its place is told
            raise
        one = asked(MESSAGES, jsontext.decode(jsontext.encode(body)), headers=HEADERS)
        asyncio.run(simulator(one))
        if one.status == 200:
            return
        said = one.json()["error"]["message"]
        for words, rule in ELSEWHERE.items():
            if words in said:
                raise Skip(rule)
        raise AssertionError(said)

    law.__name__ = f"what is asked of {name}"
    return law


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-5-5"])
def test_what_others_ask_for_is_taken_by_anthropic(model: str, path: Path) -> None:
    hold(taken_by(model), path)
