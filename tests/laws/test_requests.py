"""Requests: what a dialect says of a request, and says again in any dialect, is the same request."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from laws.corpus import DIALECTS, Exchange, files
from laws.judge import REQUESTS, Law, NotThisShape, Skip, hold, same, told
from laws.loss_table import ALLOWED, AT_A_PROVIDER, HELD_TO_ITS_MODEL
from portico.catalog import load_catalog
from portico.core.dialect import Dialect, Rendered
from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.loss import Loss
from portico.core.normal import normal
from portico.core.parts import Media, Opaque, ToolCall, ToolResult
from portico.core.request import Request, Role, ToolChoice
from portico.core.target import COMPATIBLE, Target
from portico.wire import jsontext


def read(exchange: Exchange) -> Request:
    """The recorded request as a neutral one."""
    if exchange.request is None:
        raise NotThisShape
    try:
        return exchange.dialect.parse_request(exchange.request, model=exchange.model, stream=exchange.raw["streaming"])
    except InvalidRequest as refused:
        if exchange.status == 400:
            raise Skip("the provider refused it too") from None
        if refused.param == "$.background":
            raise Skip("answers in the background are not offered") from None
        raise


def goes_on_from_elsewhere(request: Request) -> bool:
    """Whether it answers calls of an answer that only its provider keeps: serving puts that in front of it."""
    results = [part for message in request.messages for part in message.parts if isinstance(part, ToolResult)]
    return any(not result.name for result in results)


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


def possible(request: Request, dialect: Dialect, target: Target) -> tuple[Rendered, Request]:
    """What is rendered, and of what: where the target has no such parameter, the rest of the request is judged."""
    try:
        return dialect.render_request(request, target), request
    except UnsupportedParameter:
        if not target.capabilities.judged:
            raise
    sampling = msgspec.structs.replace(request.sampling, n=None, logprobs=None, top_logprobs=None)
    request = msgspec.structs.replace(request, sampling=sampling)
    try:
        return dialect.render_request(request, target), request
    except UnsupportedParameter:
        raise Skip("the target model has no such parameter") from None


def says_again(exchange: Exchange, request: Request, dialect: Dialect, target: Target) -> Sequence[Loss]:
    """parse(render(x)) is x, minus losses that this pair of dialects may declare; those that were."""
    try:
        rendered, request = possible(request, dialect, target)
    except InvalidRequest as error:
        if exchange.status == 400:
            raise Skip("the provider refused it too") from None
        if error.message.startswith("Claude takes no files") and error.param:
            return []  # what cannot be carried is refused, and its place is told
        raise
    body = jsontext.decode(jsontext.encode(rendered.body))
    own = dialect.name == exchange.dialect.name
    adapted = own and dialect.name == "gemini" and target.capabilities.judged
    allowed = HELD_TO_ITS_MODEL if adapted else ALLOWED[exchange.dialect.name, dialect.name]
    strangers = {loss.code for loss in rendered.losses} - allowed
    assert not strangers, f"losses not in the table: {strangers}"
    again = dialect.parse_request(body, model=target.model, stream=request.stream)
    if dialect.name == "openai_responses" and not own:
        again = without_added(again, request)
        if request.thinking.show is False:  # as it is where nothing is said
            request = msgspec.structs.replace(request, thinking=msgspec.structs.replace(request.thinking, show=None))
    expected = msgspec.structs.replace(request, model=target.model)
    excused = [*rendered.losses]
    if request.thinking.effort is not None and dialect.name == "gemini":
        excused.append(Loss("1.7:thinking", "$", "an effort becomes a budget or a level of the target model"))
    if dialect.name == "anthropic_messages" and target.capabilities.judged:
        excused.append(Loss("7.1:show", "$", "a budget shows its thoughts, to whoever asked for them"))
        excused.append(Loss("1.1:ignored", "$.metadata", "who the user is stands in the metadata"))
        if request.thinking.effort is not None or request.thinking.level is not None:
            excused.append(Loss("1.7:thinking", "$", "an effort becomes a budget of the target model"))
    if exchange.dialect.name == "anthropic_messages" and dialect.name.startswith("openai"):
        if set(request.tool_choice.names if request.tool_choice else ()) - {tool.name for tool in request.tools}:
            excused.append(Loss("1.13:choice", "$", "the choice of a tool that the provider runs"))
        excused.append(Loss("1.4:name", "$", "a file is given a name"))
        excused.append(Loss("7.1:media_type", "$", "a file by address or id has no type"))
    if request.output is not None and request.output.enforced:
        excused.append(Loss("1.10:name", "$", "a format that is kept to anyway is said to be strict"))
    if (exchange.dialect.name, dialect.name) == ("anthropic_messages", "gemini"):
        excused.append(Loss("1.11:schema", "$", "a constant becomes a list of one, `true` an empty schema"))
    same(normal(again), normal(expected), excused)
    return rendered.losses


def without_added(again: Request, request: Request) -> Request:
    """Callers of other dialects do not know of `store`: it is said for them (mapping.md 7.4)."""
    told = {origin: dict(fields) for origin, fields in (again.ext or {}).items()}
    if "store" not in (request.ext or {}).get("openai_chat", {}):
        assert told["openai_chat"].pop("store") is False
    return msgspec.structs.replace(again, ext=told)


def system_holds_opaque(request: Request) -> bool:
    system = [one for one in request.messages if one.role in (Role.SYSTEM, Role.DEVELOPER)]
    return any(isinstance(part, Opaque) and not part.said for one in system for part in one.parts)


def into(dialect: Dialect, *, emptied: bool) -> Law:
    def law(exchange: Exchange) -> None:
        request = read(exchange)
        if dialect is not exchange.dialect and system_holds_opaque(request):
            raise Skip("a system message holds a block that only its provider knows")
        if goes_on_from_elsewhere(request) and (emptied or dialect is not exchange.dialect):
            raise Skip("it goes on from an answer that only the provider keeps")
        losses = says_again(
            exchange, without_ext(request) if emptied else request, dialect, exchange.target_in(dialect)
        )
        if not emptied:
            told(REQUESTS, exchange, dialect.name, losses)

    law.__name__ = f"request into {dialect.name}{' with ext emptied' if emptied else ''}"
    return law


def held_to_its_model(exchange: Exchange) -> None:
    """As if another dialect's caller had asked it: whatever the model cannot do is told as a loss."""
    if exchange.dialect.name != "gemini":
        raise NotThisShape
    if exchange.status != 200:
        raise NotThisShape
    try:
        says_again(exchange, read(exchange), exchange.dialect, exchange.target)
    except InvalidRequest:
        raise Skip("held to what we know of its model, it is refused") from None


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
@pytest.mark.parametrize("emptied", [False, True], ids=["whole", "ext emptied"])
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
def test_a_request_said_again_is_the_same_request(dialect: Dialect, emptied: bool, path: Path) -> None:
    hold(into(dialect, emptied=emptied), path)


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_request_held_to_its_model_loses_only_what_it_says(path: Path) -> None:
    hold(held_to_its_model, path)


PROVIDERS = {
    "gpt-5-mini": Target("gpt-5-mini", "openai", load_catalog().capabilities_for("gpt-5-mini", "openai")),
    "gpt-4.1": Target("gpt-4.1", "openai", load_catalog().capabilities_for("gpt-4.1", "openai")),
    "compatible": Target("some-model", "openai-compatible", COMPATIBLE),
}
"""Upstream models that are asked in Chat by callers of other dialects."""


def for_a_provider(target: Target) -> Law:
    """What was said to Gemini is said to a model of OpenAI's dialect: text, calls, results and media whole."""

    def law(exchange: Exchange) -> None:
        if exchange.dialect.name == "openai_chat" or exchange.status != 200:
            raise NotThisShape
        request = as_a_provider_is_told(without_ext(read(exchange)))
        rendered, request = possible(request, DIALECTS["openai_chat"], target)
        body = jsontext.decode(jsontext.encode(rendered.body))
        strangers = {loss.code for loss in rendered.losses} - AT_A_PROVIDER
        assert not strangers, f"losses not in the table: {strangers}"
        if rendered.tool_names:
            raise Skip("a tool is called otherwise on the wire")
        again = DIALECTS["openai_chat"].parse_request(body)
        expected = msgspec.structs.replace(request, model=target.model)
        if not target.capabilities.allowed_tools:
            expected = with_chosen_tools(expected)
        always = [Loss("7.1:show", "$", "no field"), Loss("1.4:name", "$", "a file is given a name")]
        always.append(Loss("7.1:media_type", "$", "an address has no type, and a format of audio several"))
        if request.output is not None and request.output.enforced:
            always.append(Loss("1.10:name", "$", "a format that is kept to anyway is said to be strict"))
        same(normal(again), normal(expected), [*rendered.losses, *always])

    law.__name__ = f"request for {target.model}"
    return law


def with_chosen_tools(request: Request) -> Request:
    """Of a choice among several tools only those are declared."""
    choice = request.tool_choice
    if choice is None or not choice.names or (len(choice.names) == 1 and choice.mode == "required"):
        return request
    tools = tuple([tool for tool in request.tools if tool.name in choice.names])
    return msgspec.structs.replace(
        request, tools=tools, tool_choice=ToolChoice(choice.mode.replace("validated", "auto"))
    )


def as_a_provider_is_told(request: Request) -> Request:
    """The request, if all of it has a place in a body that stands alone."""
    calls = {part.id for m in request.messages for part in m.parts if isinstance(part, ToolCall)}
    for message in request.messages:
        if any(isinstance(part, ToolResult) and part.call_id not in calls for part in message.parts):
            raise Skip("it goes on from an answer that is kept elsewhere")
        odd = any(isinstance(part, Opaque) and not part.said for part in message.parts)
        if odd and message.role is not Role.ASSISTANT:
            raise Skip("a part of the system text only another provider understands")
    made = [part for m in request.messages if m.role is Role.ASSISTANT for part in m.parts if isinstance(part, Media)]
    if made:
        raise Skip("a picture that the assistant made is shown to it by the user")
    return request


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
@pytest.mark.parametrize("target", PROVIDERS.values(), ids=PROVIDERS)
def test_a_request_for_a_provider_says_the_same(target: Target, path: Path) -> None:
    hold(for_a_provider(target), path)
