"""Translation without a call: what `portico translate` prints is what serving would send, through the same steps.

Nothing here knows a socket. Ids and dates are arguments, so that a translation can be repeated exactly. What serving
knows and a document does not say is not played: kept signatures, the request that an answer belongs to, successors of
retired models, second tries; and a model nobody knows is judged by its name.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any, Final

import msgspec

from portico.catalog import Catalog
from portico.core.dialect import Dialect, Reading, Reply
from portico.core.errors import ModelNotFound, PorticoError, UpstreamError
from portico.core.events import Failed
from portico.core.ids import call_ids, random_token
from portico.core.loss import Loss
from portico.core.request import Request
from portico.core.target import Target
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.providers import KINDS, ProviderKind
from portico.providers.intake import Intake
from portico.relay.convert import converted
from portico.relay.fanout import Lane
from portico.relay.media import intakes_of
from portico.relay.prepare import Prepared, resolve, target_at
from portico.relay.pump import Pump, Teller
from portico.relay.verdict import fault_of_response, tells_error
from portico.wire import jsontext
from portico.wire.sse import Frame

DIALECTS: Final[Mapping[str, Dialect]] = {
    one.DIALECT.name: one.DIALECT for one in (openai_chat, openai_responses, anthropic_messages, gemini)
}
PROVIDER_KINDS: Final[Mapping[str, str]] = {
    "openai_chat": "openai-compatible",
    "openai_responses": "openai",
    "anthropic_messages": "anthropic",
    "gemini": "gemini",
}
"""The kind of provider that a request is for when only its dialect is named, and its model's vendor does not speak it."""


def speaks(kind: ProviderKind, dialect: Dialect) -> bool:
    """Whether some provider of a kind speaks a dialect."""
    return any(one.dialect.name == dialect.name for one in (*kind.spoken, *kind.may_speak))


class Translated(msgspec.Struct, frozen=True):
    """A body in another dialect, and what it could not say."""

    body: Any
    losses: list[Loss] = []


class Translator:
    """Translates documents from one dialect into another. `model` is the name asked for, where the body has none or to
    override it; `provider` the kind of provider that requests are for, which speaks the other dialect."""

    def __init__(
        self,
        source: Dialect,
        to: Dialect,
        catalog: Catalog,
        *,
        model: str | None = None,
        provider: str | None = None,
        seed: int = 0,
        now: int = 0,
        usage: bool = True,
        thoughts: bool = False,
        image_form: str = "markdown",
    ) -> None:
        self._source = source
        self._to = to
        self._catalog = catalog
        self._model = model
        self._seed = seed
        self._now = now
        self._usage = usage
        self._thoughts = thoughts
        self._image_form = image_form
        self._provider = provider

    # -- requests

    def request(self, body: Any) -> Translated:
        """A request body. Raises `PorticoError`."""
        return self.rendered(self.parsed(body))

    def parsed(self, body: Any) -> Request:
        """The first half: a body as a request."""
        request = self._source.parse_request(body, model=self._model)
        return msgspec.structs.replace(request, model=self._model) if self._model else request

    def rendered(self, request: Request) -> Translated:
        """The second half: the request as a body of the other dialect, its inline media made to fit."""
        intakes = self.intakes(request)
        request, target = self._aimed(request)
        media = converted(request, intakes)
        rendered = self._to.render_request(media.request, target)
        result = rendered.body
        if isinstance(result, dict) and result.get("model") == "":
            del result["model"]
        return Translated(result, [*media.losses, *rendered.losses])

    def intakes(self, request: Request) -> list[Intake]:
        """What media of a request must fit into."""
        return intakes_of(self._source, [KINDS[self._kind(self._known(request))]])

    def _aimed(self, request: Request) -> tuple[Request, Target]:
        """The request with its model's suffix understood, and the target; a model nobody knows is judged by its name."""
        prepared = self._known(request)
        kind = self._kind(prepared)
        if prepared is None:
            capabilities = self._catalog.capabilities_for(request.model, kind)
            return request, target_at(self._source, self._to, request.model, kind, capabilities)
        model = prepared.resolved.model
        name = model.targets[0].upstream_model if model.targets else model.name
        return prepared.request, target_at(self._source, self._to, name, kind, model.capabilities_at(kind))

    def _known(self, request: Request) -> Prepared | None:
        try:
            return resolve(request, self._catalog)
        except ModelNotFound:
            return None

    def _kind(self, prepared: Prepared | None) -> str:
        """Whom a request is for: the kind that was named, else one that speaks the dialect and serves the model, else the
        one that the dialect is known for."""
        if self._provider is not None:
            return self._provider
        default = PROVIDER_KINDS[self._to.name]
        if prepared is None:
            return default
        vendor = prepared.resolved.model.vendor
        serving = [kind.name for kind in KINDS.values() if vendor in kind.vendors and speaks(kind, self._to)]
        return default if default in serving or not serving else serving[0]

    # -- answers

    def response(self, body: Any) -> Translated:
        """An answer's body, or a provider's error body. Raises `PorticoError` for what is neither."""
        if tells_error(body):
            return Translated(self._to.render_error(self._source.parse_error(0, jsontext.encode(body))))
        response = self._source.parse_response(body, self._reading())
        if (fault := fault_of_response(response)) is not None:
            return Translated(self._to.render_error(fault))
        rendered = self._to.render_response(response, self._reply())
        return Translated(rendered.body, rendered.losses)

    def _reading(self) -> Reading:
        return Reading(mint=call_ids(Random(self._seed)))

    def _reply(self) -> Reply:
        return Reply(
            id=random_token(Random(f"answer {self._seed}")),
            created=self._now,
            model=self._model,
            include_usage=self._usage,
            thoughts=self._thoughts,
            seals=self._thoughts,
            image_form=self._image_form,
        )

    # -- streams

    def stream(self) -> "StreamTranslator":
        """A machine for one stream."""
        reader = self._source.reader(self._reading())
        return StreamTranslator(self._to, self._reply(), reader)


class StreamTranslator:
    """Frames in, frames out: fed and closed. A failure is told as the frame that serving would send."""

    def __init__(self, to: Dialect, reply: Reply, reader: Any) -> None:
        self._to = to
        self._reply = reply
        self._pump = Pump(Teller(to, reply, total=1), Lane(0, 1), reader, signer="", last=True)
        self._failed = False

    def feed(self, frames: Sequence[Frame]) -> list[Frame]:
        return self._guarded(lambda: self._pump.feed(frames))

    def close(self, frames: Sequence[Frame] = ()) -> list[Frame]:
        return self._guarded(lambda: self._pump.close(frames))

    @property
    def losses(self) -> list[Loss]:
        return self._pump.losses

    def _guarded(self, step: Any) -> list[Frame]:
        if self._failed:
            return []
        try:
            return list(step())
        except UpstreamError as error:
            self._failed = True
            return self._to.writer(self._reply).feed(Failed(error))


class NotAStream(ValueError):
    """A document that should be the events of a stream is something else."""


def frames_of(events: Any) -> list[Frame]:
    """The frames of a stream given as a list of events (JSON values, or strings such as `[DONE]`)."""
    if not isinstance(events, list):
        raise NotAStream("expected a list of events")
    return [Frame(event.encode() if isinstance(event, str) else jsontext.encode(event)) for event in events]


def events_of(frames: Iterable[Frame]) -> list[Any]:
    """Frames as plain values: JSON where they are JSON, else text."""
    events: list[Any] = []
    for frame in frames:
        try:
            events.append(jsontext.decode(frame.data))
        except jsontext.NotJson:
            events.append(frame.data.decode("utf-8", "replace"))
    return events


def error_of(error: Exception) -> dict[str, Any]:
    """Why a document could not be translated."""
    if isinstance(error, PorticoError):
        return {"message": error.message, "code": error.code, "param": error.param, "status": error.http_status}
    if isinstance(error, (jsontext.NotJson, NotAStream)):
        return {"message": str(error), "code": "invalid_json", "param": None, "status": 400}
    return {"message": f"{type(error).__name__}: {error}", "code": "internal_error", "param": None, "status": 500}
