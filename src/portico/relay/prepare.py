"""From a caller's body to a request for a target: the pure steps that serving and `portico translate` share."""

from datetime import date
from typing import Final, Protocol

import msgspec

from portico.catalog import Catalog, Model, Resolved, completed
from portico.catalog.thinking import UNSAID
from portico.core.dialect import Dialect, Reading, Rendered, Reply
from portico.core.errors import BodyNotJson, ModelNotFound, RequestTooLarge, UpstreamError
from portico.core.ids import Mint
from portico.core.known import KnownTools
from portico.core.loss import Loss
from portico.core.request import Builtin, Request
from portico.core.target import UNJUDGED, Capabilities, Target, ThinkingControl, ThinkingSpec
from portico.relay.defaults import Defaults
from portico.relay.known import KnownLists
from portico.wire import jsontext
from portico.wire.jsonsize import holds_at_most

MAX_VALUES: Final = 500_000
"""In one request. The longest conversations that models take have a tenth of it; reading more than this takes seconds, in
which nobody else is served."""

MAX_EMBEDDED_VALUES: Final = 2_000_000
"""The same where texts are embedded: they may come as the numbers of their tokens, which are read fast."""


class Prepared(msgspec.Struct, frozen=True):
    """A caller's request, understood: what was asked, of which model."""

    request: Request
    resolved: Resolved


def parse_body(
    dialect: Dialect,
    body: bytes,
    *,
    model: str | None = None,
    stream: bool | None = None,
    known: KnownLists | None = None,
    embeds: bool = False,
) -> Request:
    """The request in a body. `known` remembers what comes with every turn; `embeds`: it asks for embeddings.

    Raises `BodyNotJson`, `InvalidRequest` or `RequestTooLarge`.
    """
    if dialect.read_body is not None:
        return dialect.parse_request(dialect.read_body(body), model=model, stream=stream)
    most = MAX_EMBEDDED_VALUES if embeds else MAX_VALUES
    if not holds_at_most(body, most):
        raise RequestTooLarge(f"The request holds more than {most} JSON values.")
    try:
        value = jsontext.decode(body) if known is None else known.decode(body)
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None
    try:
        if embeds and dialect.embedding is not None:
            return dialect.embedding.parse(value, model)
        del body  # A large one is not held while parts of it are copied, if nobody else holds it.
        return dialect.parse_request(value, model=model, stream=stream)
    except RecursionError:  # a decoder goes deeper than Python
        raise BodyNotJson("The request body is not valid JSON: the JSON is nested too deeply") from None


class Names(Protocol):
    """Who knows what names stand for: a catalog, or one who remembers what it said."""

    def resolve(self, name: str) -> Resolved:
        """The model a name stands for. Raises `ModelNotFound`."""


def resolve(request: Request, names: Names) -> Prepared:
    """The model that a name means, and what its suffix says about thinking and searching where the request does not.

    Raises `ModelNotFound`.
    """
    try:
        resolved = names.resolve(request.model)
    except ModelNotFound as error:
        raise ModelNotFound(error.message, param=request.where.field("model")) from None
    if resolved.thinking != UNSAID:
        thinking = completed(request.thinking, resolved.thinking)
        if thinking != request.thinking:
            request = msgspec.structs.replace(request, thinking=thinking)
    if resolved.search and not any(tool.kind == "web_search" for tool in request.builtins):
        request = msgspec.structs.replace(request, builtins=(*request.builtins, Builtin("web_search")))
    return Prepared(request, resolved)


def resolve_name(model: str, names: Names) -> Resolved:
    """The model that a name in a path means. Raises `ModelNotFound`, which blames nothing in the body."""
    try:
        return names.resolve(model)
    except ModelNotFound as error:
        raise ModelNotFound(error.message) from None


def target_at(
    dialect: Dialect,
    to: Dialect,
    upstream_model: str,
    provider_kind: str,
    capabilities: Capabilities,
    *,
    small_max_tokens: int = Defaults().small_max_tokens,
) -> Target:
    """What to render for, given which dialect the caller speaks and which the provider.

    Only some callers need their limits guarded (mapping.md 9); one who speaks the provider's own dialect is not judged,
    but the effort that a model's name asks for still means what it means to that model, and it signs as for everybody.
    """
    if dialect.name == to.name:
        thinking = ThinkingSpec(ThinkingControl.ANY, effort=capabilities.thinking.effort)
        unjudged = msgspec.structs.replace(UNJUDGED, thinking=thinking, family=capabilities.family)
        return Target(upstream_model, provider_kind, unjudged, own=True)
    if to.one_answer:
        capabilities = msgspec.structs.replace(capabilities, max_candidates=1)
    small = small_max_tokens if dialect.guards_small_limits else 0
    return Target(upstream_model, provider_kind, capabilities, small_max_tokens=small)


def held_target(target: Target, capabilities: Capabilities) -> Target:
    """The target for a caller of the provider's own dialect whose body the model would refuse: it is judged by what the
    catalog knows, so that the answer comes with a loss told."""
    return msgspec.structs.replace(target, capabilities=capabilities) if target.own else target


def instead_loss(request: Request, model: Model, other: Model, *, gone: bool) -> Loss:
    """That another model answers than was asked: its own is gone, or nobody who serves it has answered."""
    why = "is no longer served by its provider" if gone else "did not answer"
    message = f"{model.name} {why}; {other.name} answers in its place, at its own price"
    return Loss("6:successor", request.where.field("model"), message)


def successor(catalog: Catalog, model: Model, today: date, provider_kind: str, *, gone: bool = False) -> Model | None:
    """The model a call goes to instead, if its own is gone; an operator's target stays as it is."""
    if model.targets:
        return None
    return catalog.successor_of(model, today, provider_kind=provider_kind, gone=gone)


def in_words_of(request: Request, error: UpstreamError) -> UpstreamError:
    """The error with the field to blame, of which a provider's dialect knows the neutral name, as its caller spelt it."""
    if error.param is not None:
        error.param = request.where.field(error.param)
    return error


_READING: Final = "reading"
"""Under which what readers of answers know of tools is kept with tools that come with every turn."""


def reading_for(request: Request, rendered: Rendered, target: Target, mint: Mint) -> Reading:
    """What the reader of the answer needs to know of the request."""
    if not request.tools:
        return Reading(mint=mint, tool_names=rendered.tool_names, signer=target.signer)
    tools = request.tools
    made = tools.made(_READING) if isinstance(tools, KnownTools) else None
    if made is None:
        made = (
            {tool.name: tool.schema for tool in tools},
            frozenset([tool.name for tool in tools if tool.kind == "custom"]),
        )
        if isinstance(tools, KnownTools):
            tools.keep(_READING, made)
    schemas, custom = made
    return Reading(mint=mint, tool_names=rendered.tool_names, tools=schemas, custom=custom, signer=target.signer)


def _declares_search(request: Request) -> bool:
    return any(tool.kind == "web_search" and tool.at >= 0 for tool in request.builtins)


def reply_for(
    request: Request, *, answer_id: str, created: int, image_form: str = "markdown", markdown_slice_bytes: int = 0
) -> Reply:
    """What the writer of the answer needs to know of the caller: thoughts are shown only to those who asked (9)."""
    return Reply(
        id=answer_id,
        created=created,
        model=request.model,
        include_usage=request.include_usage,
        thoughts=request.thinking.show is True,
        seals=request.thinking.show is not None,
        search_blocks=bool(request.builtins) and _declares_search(request),
        thought_tag=request.thought_tag,
        legacy_functions=request.legacy_functions,
        image_form=image_form,
        markdown_slice_bytes=markdown_slice_bytes,
        audio_format=(request.speech and request.speech.format) or ("pcm16" if request.stream else "wav"),
        reasoning_details=request.reasoning_details,
        echo=request.echo,
    )
