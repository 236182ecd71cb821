"""Requests: what a dialect says of a request, and says again in any dialect, is the same request."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from laws.corpus import DIALECTS, Exchange, files
from laws.judge import Law, NotThisShape, Skip, hold, same
from laws.loss_table import ALLOWED
from portico.core.dialect import Dialect
from portico.core.errors import InvalidRequest
from portico.core.loss import Loss
from portico.core.normal import normal
from portico.core.request import Request
from portico.wire import jsontext


def read(exchange: Exchange) -> Request:
    """The recorded request as a neutral one."""
    if exchange.request is None:
        raise NotThisShape
    try:
        return exchange.dialect.parse_request(exchange.request, model=exchange.model, stream=exchange.raw["streaming"])
    except InvalidRequest:
        if exchange.status == 400:
            raise Skip("the provider refused it too") from None
        raise


def without_ext(value: Any) -> Any:
    """A neutral value with every `ext` emptied, all the way down."""
    if isinstance(value, msgspec.Struct):
        fields = {name: without_ext(getattr(value, name)) for name in value.__struct_fields__}
        if "ext" in fields:
            fields["ext"] = None
        return type(value)(**fields)
    if isinstance(value, tuple):
        return tuple(without_ext(item) for item in value)
    return value


def says_again(exchange: Exchange, request: Request, dialect: Dialect) -> None:
    """parse(render(x)) is x, minus losses that this pair of dialects may declare."""
    try:
        rendered = dialect.render_request(request, exchange.target)
    except InvalidRequest as error:
        if exchange.status == 400:
            raise Skip("the provider refused it too") from None
        if dialect.name != exchange.dialect.name and exchange.dialect.name != "gemini":
            raise Skip(f"the target refuses it: {type(error).__name__}") from None
        raise
    body = jsontext.decode(jsontext.encode(rendered.body))
    strangers = {loss.code for loss in rendered.losses} - ALLOWED[exchange.dialect.name, dialect.name]
    assert not strangers, f"losses not in the table: {strangers}"
    again = dialect.parse_request(body, model=exchange.target.model, stream=request.stream)
    expected = msgspec.structs.replace(request, model=exchange.target.model)
    excused = [*rendered.losses]
    if request.thinking.effort is not None and dialect.name == "gemini":
        excused.append(Loss("1.7:thinking", "$", "an effort becomes a budget or a level of the target model"))
    same(normal(again), normal(expected), excused)


def into(dialect: Dialect, *, emptied: bool) -> Law:
    def law(exchange: Exchange) -> None:
        request = read(exchange)
        says_again(exchange, without_ext(request) if emptied else request, dialect)

    law.__name__ = f"request into {dialect.name}{' with ext emptied' if emptied else ''}"
    return law


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
@pytest.mark.parametrize("emptied", [False, True], ids=["whole", "ext emptied"])
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
def test_a_request_said_again_is_the_same_request(dialect: Dialect, emptied: bool, path: Path) -> None:
    hold(into(dialect, emptied=emptied), path)
