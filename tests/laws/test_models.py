"""Models: what was recorded is asked of every chat model of the catalog, by a caller of the dialect it was recorded in.

Where the model's vendor speaks that dialect, the bytes pass, unless they ask for what the model is known to refuse; else
the request is translated as serving translates it. What becomes of each is what the page on conformance tells of the model.
"""

import pytest

from laws import models
from laws.corpus import Exchange, files
from laws.judge import Law, NotThisShape, Skip, hold
from laws.loss_table import ALLOWED, AT_A_PROVIDER, HELD_TO_ITS_MODEL
from laws.test_requests import goes_on_from_elsewhere
from portico.catalog import load_catalog
from portico.core.errors import InvalidRequest
from portico.core.parts import Text
from portico.core.request import Request, Role
from portico.relay.asked import Asking, asking_of, home_of
from portico.wire import jsontext


def asked_of(name: str) -> Law:
    model = load_catalog().models[name]
    home = home_of(model)
    assert home is not None

    def law(exchange: Exchange) -> None:
        if exchange.status != 200 or exchange.request is None:
            raise NotThisShape
        dialect = exchange.dialect
        try:
            request = dialect.parse_request(exchange.request, model=name, stream=exchange.raw["streaming"])
        except InvalidRequest:
            raise NotThisShape from None
        one = asking_of(dialect, home, model.capabilities_at(home.name), name)
        target = one.target_of(jsontext.encode(exchange.request))
        if target is None:
            models.passed(exchange, name)
            return
        if goes_on_from_elsewhere(request):
            raise Skip("it goes on from an answer that only the provider keeps")
        try:
            rendered = one.rendered(request, target)
        except InvalidRequest as error:
            if not error.param:
                raise AssertionError(f"refused, and nobody is told what: {error.message}") from None
            models.refused(exchange, name, error.param)
            return
        strangers = {loss.code for loss in rendered.losses} - allowed(one)
        assert not strangers, f"losses not in the table: {strangers}"
        again = one.read_again(jsontext.decode(jsontext.encode(rendered.body)), request)
        missing = said_by_users(request) - said_by_users(again)
        assert not missing, f"not said: {missing}"
        models.told(exchange, name, rendered.losses)

    law.__name__ = "a request asked of each model"
    return law


ADDED = {"9:small_max_tokens"}
"""Serving guards small limits of callers who mean no thoughts (mapping.md 9)."""
HELD = HELD_TO_ITS_MODEL | AT_A_PROVIDER | {"1.13:parallel", "7.1:setting", "7.5:prefill"}
"""What a body of the vendor's own dialect may lose that asks for what its model is known to refuse."""
IN_CHAT = AT_A_PROVIDER | {"1.1:unsupported", "1.3:result_ext", "1.12:grammar", "1.12:tool_ext"}
"""What is asked of OpenAI's models that answer in Chat Completions alone."""


def allowed(one: Asking) -> set[str]:
    """The codes that a caller may be told."""
    if one.own:
        return HELD | ADDED
    return ALLOWED[one.caller.name, one.to.name] | (IN_CHAT if one.to.name.startswith("openai") else set()) | ADDED


def said_by_users(request: Request) -> set[str]:
    """Every text of the user's turns, without the spaces around it."""
    parts = [part for message in request.messages if message.role is Role.USER for part in message.parts]
    return {part.text.strip() for part in parts if isinstance(part, Text)} - {""}


@pytest.mark.parametrize("name", models.alike())
def test_what_is_asked_of_a_model_is_carried_or_its_loss_is_told_or_it_is_refused(name: str) -> None:
    for path in files():
        hold(asked_of(name), path)
